package web

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
)

// refusalReasons are the ready reasons to return a document, in the order shown.
// The last one needs a note.
var refusalReasons = []string{"wrong_receiver", "missing_signature", "invalid_signature", "damaged_file", "duplicate", "not_competent", "other"}

const otherReason = "other"

// refusalForm is the form that returns a document, as filled in so far.
type refusalForm struct {
	Reasons []refusalReason
	Note    string
	Preview string // the text that the sender will read; empty before a reason is chosen
	Open    bool
}

type refusalReason struct {
	Code     string
	Label    string // in the reader's language
	Sent     string // as the sender reads it: in Vietnamese
	Selected bool
}

// newRefusal is the form with what r carries, else with the reason that the item
// itself suggests.
func newRefusal(p page, r *http.Request, i exchange.InboxItem) refusalForm {
	chosen, note := r.FormValue("reason"), r.FormValue("note")
	f := refusalForm{Note: note, Open: chosen != "" || note != "" || !i.Blocked.IsZero() || i.State == exchange.InboxDamaged}
	if !slices.Contains(refusalReasons, chosen) {
		chosen = suggested(i)
	}
	for _, code := range refusalReasons {
		m := text.Get(text.Key("web.refuse." + code))
		f.Reasons = append(f.Reasons, refusalReason{Code: code, Label: m.In(p.Lang), Sent: m.VI, Selected: code == chosen})
	}
	if chosen != "" {
		f.Preview = refusalText(chosen, note)
	}
	return f
}

// suggested is the ready reason that fits what the item is; empty when none does.
func suggested(i exchange.InboxItem) string {
	switch {
	case i.Problem.Code == text.NotForUs:
		return "wrong_receiver"
	case i.State == exchange.InboxDamaged:
		return "damaged_file"
	case i.Verdict == exchange.VerdictInvalid || !i.Blocked.IsZero():
		return "invalid_signature"
	case i.Verdict == exchange.VerdictUnsigned:
		return "missing_signature"
	case i.ConflictsOf != "":
		return "duplicate"
	}
	return ""
}

// refusalText is what the sender reads: always Vietnamese, the language of the
// exchange between agencies.
func refusalText(reason, note string) string {
	note = strings.TrimSpace(note)
	if reason == otherReason {
		return note
	}
	said := text.Get(text.Key("web.refuse." + reason)).VI
	if note == "" {
		return said
	}
	return said + ". " + note
}

// accept enters an item in the register of incoming documents.
func (h *desk) accept(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		key := formKey(r)
		err = twice(key, func() error {
			_, err := h.Inbox.Accept(r.Context(), h.Actor(r), exchange.Decision{Item: id, Assignee: strings.TrimSpace(r.PostFormValue("assignee")), Key: key})
			return err
		})
	}
	h.decided(w, r, id, err)
}

// refuse returns an item to its sender.
func (h *desk) refuse(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		err = h.refuseWith(r, id, r.PostFormValue("reason"), r.PostFormValue("note"))
	}
	h.decided(w, r, id, err)
}

func (h *desk) refuseWith(r *http.Request, id exchange.ID, reason, note string) error {
	if !slices.Contains(refusalReasons, reason) {
		return text.Detailed(text.InvalidInput, nil, "web.refuse.choose")
	}
	said := refusalText(reason, note)
	if said == "" {
		return text.Detailed(text.InvalidInput, nil, "web.refuse.needs_note")
	}
	key := formKey(r)
	return twice(key, func() error {
		_, err := h.Inbox.Refuse(r.Context(), h.Actor(r), exchange.Decision{Item: id, Reason: said, Key: key})
		return renamed(err, "reason", "note_to_sender")
	})
}

func (h *desk) decided(w http.ResponseWriter, r *http.Request, id exchange.ID, err error) {
	if err != nil {
		h.showItem(w, r, err)
		return
	}
	h.back(w, r, "/inbox/", id, "decision") // where Tab then goes on: the next one
}

// attachmentNumber reads {n}; -1, which no item has, for anything else.
func attachmentNumber(r *http.Request) int {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		return -1
	}
	return n
}

func (h *desk) itemFile(w http.ResponseWriter, r *http.Request) {
	a, f, err := h.Inbox.OpenAttachment(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), attachmentNumber(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }()
	download(w, r, f, a.Name, mediaOf(a))
}

func (h *desk) itemPage(w http.ResponseWriter, r *http.Request) {
	actor, n := h.Actor(r), attachmentNumber(r)
	i, err := h.Inbox.Item(r.Context(), actor, exchange.ID(r.PathValue("id")))
	if err == nil && (n < 0 || n >= len(i.Attachments) || i.Attachments[n].Blob.IsZero()) {
		err = text.Errorf(text.NotFound, nil)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	src, err := signedSource(r, h.attachmentSource(actor, i.InboxItem, n), func() (*validation.Report, error) { return h.report(r.Context(), actor, i.InboxItem, n) })
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.images.servePage(w, r, src)
}

func (h *desk) itemMessage(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	f, err := h.Inbox.OpenRaw(r.Context(), h.Actor(r), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }()
	download(w, r, f, string(id)+".edxml", mediaBytes)
}

func (h *desk) itemReceipt(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	t, err := h.Inbox.Receipt(r.Context(), h.Actor(r), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	downloadBytes(w, r, t.Receipt, string(id)+".jws")
}

func (h *desk) itemReport(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	b, err := h.Inbox.Report(r.Context(), h.Actor(r), id, attachmentNumber(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	downloadBytes(w, r, b, string(id)+".json")
}

func downloadBytes(w http.ResponseWriter, r *http.Request, b []byte, name string) {
	h := w.Header()
	h.Set("Content-Type", mediaBytes)
	h.Set("Content-Disposition", disposition(name))
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
