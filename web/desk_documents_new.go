package web

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// kinds is how many kinds of administrative document there are (NĐ 30/2020 art. 7);
// their codes in QCVN 102 are 1 to kinds.
const kinds = 29

// letterKind is the code of a công văn, the kind that is written most.
const letterKind = 18

// Ways in which an outgoing document comes to be.
const (
	wayCompose = "compose" // its words are typed here
	wayUpload  = "upload"  // a PDF made elsewhere, to be signed and sealed here
	wayFinal   = "final"   // a PDF signed and sealed elsewhere, only to be sent
)

// kindName is the name of a kind as documents print it.
func kindName(code int) string { return text.Get(text.Key("desk.kind." + strconv.Itoa(code))).VI }

// kindOptions are the kinds to choose from; a form begins with fallback.
func kindOptions(lang text.Lang) []option {
	out := make([]option, kinds)
	for i := range out {
		code := strconv.Itoa(i + 1)
		out[i] = option{Value: code, Label: text.Get(text.Key("desk.kind." + code)).In(lang)}
	}
	slices.SortStableFunc(out, func(a, b option) int { return strings.Compare(fold(a.Label), fold(b.Label)) })
	return out
}

// kind reads the field "kind".
func (f filled) kind() (exchange.DocumentKind, error) {
	n, err := f.number("kind")
	if err != nil || n < 1 || n > kinds {
		return exchange.DocumentKind{}, wrongField("kind")
	}
	return exchange.DocumentKind{Code: n, Name: kindName(n)}, nil
}

// signatories are the competent persons to choose from; the first line chooses
// nobody.
func (h *desk) signatories(r *http.Request, lang text.Lang) ([]option, error) {
	office, err := h.Outbox.Offices.Office(r.Context(), h.Actor(r).Agency)
	if err != nil {
		return nil, err
	}
	out := []option{{Value: "", Label: text.Get("desk.choose").In(lang)}}
	for _, s := range office.Signatories {
		out = append(out, option{Value: s.ActorID, Label: strings.TrimPrefix(s.Name+", "+s.Position, ", ")})
	}
	return out, nil
}

func priorities(lang text.Lang) []option {
	out := make([]option, 5)
	for i := range out {
		n := strconv.Itoa(i)
		key := text.Key("web.priority." + n)
		if i == 0 {
			key = "desk.priority.0"
		}
		out[i] = option{Value: n, Label: text.Get(key).In(lang)}
	}
	return out
}

// draftView is the form of a new document, or of a draft that is changed.
type draftView struct {
	Action  string
	Back    string
	Key     string
	Edit    bool // a draft that is there already
	Replace bool // takes the place of another
	Old     string
	Version int
	Way     string // one of the ways; empty: one of all three is chosen
	Ways    []option
	Common  []field // kind, notation, subject, signatory …
	Compose []field
	Upload  []field
	Final   []field
	Reason  *field // of a replacement
	// Kept is what names the file that came with an earlier attempt.
	Kept      []detail
	Confirmed bool
	Wrong     map[string]string // of what is no field of the lists above
}

// newDocument shows the empty form.
func (h *desk) newDocument(w http.ResponseWriter, r *http.Request) {
	f := filled{values: url.Values{"kind": {strconv.Itoa(letterKind)}, "priority": {"0"}, "way": {wayCompose}}}
	h.showDraft(w, r, f, draftView{}, nil)
}

// showDraft shows the form with what f carries, and what was wrong with it.
func (h *desk) showDraft(w http.ResponseWriter, r *http.Request, f filled, v draftView, failed error) {
	title := text.Key("desk.new.title")
	switch {
	case v.Edit:
		title = "desk.edit.title"
	case v.Replace:
		title = "desk.replace.title"
	}
	p := h.page(r, title)
	p.Where = "documents"
	p.at(r.URL.Path)
	status := http.StatusOK
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
		status = p.Err.status
	}
	people, err := h.signatories(r, p.Lang)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if v.Action == "" {
		v.Action, v.Back = p.U("/documents/new"), p.U("/documents")
	}
	if v.Key = f.V("key"); v.Key == "" {
		v.Key = rand.Text()
	}
	m := fields{lang: p.Lang, id: "f", f: f}
	if v.Way == "" {
		v.Ways = h.ways(r, p.Lang, f.V("way"))
	}
	v.Common = []field{must(m.pick("kind", kindOptions(p.Lang)...)), must(m.text("notation", 60)), must(m.area("subject", 2)),
		m.pick("signatory", people...), m.pick("priority", priorities(p.Lang)...), m.make("date", "due"), m.area("places", 3)}
	v.Compose = []field{m.area("addressees", 2), m.area("body", 14)}
	v.Upload = []field{m.upload()}
	v.Final = []field{m.make("number", "number"), m.make("date", "date")}
	if f.V("file_digest") != "" {
		v.Kept = []detail{{"file_digest", f.V("file_digest")}, {"file_name", f.V("file_name")}}
	}
	v.Confirmed, v.Wrong = f.V("confirmed") != "", f.wrong
	f.put("way", "way-"+wayCompose)
	f.put("confirmed", "confirmed")
	if v.Replace {
		reason := must(m.area("reason", 2))
		v.Reason = &reason
	}
	p.Data = v
	h.show(w, status, "draft", p)
}

// ways are the ways that the role may choose from.
func (h *desk) ways(r *http.Request, lang text.Lang, chosen string) []option {
	out := []option{{Value: wayCompose}, {Value: wayUpload}}
	if h.Actor(r).Role == exchange.RoleClerk {
		out = append(out, option{Value: wayFinal})
	}
	for i := range out {
		out[i].Label = text.Get(text.Key("desk.way." + out[i].Value)).In(lang)
		out[i].Selected = out[i].Value == chosen
	}
	return out
}

// createDocument makes the document that the form describes.
func (h *desk) createDocument(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	var made exchange.Document
	if err == nil {
		err = h.withDraft(r, f, func(req exchange.NewDocument) (err error) {
			return twice(req.Key, func() error {
				made, err = h.Outbox.Create(r.Context(), h.Actor(r), req)
				return err
			})
		})
	}
	if err != nil {
		h.showDraft(w, r, f, draftView{}, err)
		return
	}
	h.back(w, r, "/documents/", made.ID)
}

// commonOf reads the fields that every way of making a document has, and refuses a
// way or a signer that the form does not offer.
func (h *desk) commonOf(r *http.Request, f filled) (kind exchange.DocumentKind, priority int, due time.Time, err error) {
	if kind, err = f.kind(); err != nil {
		return kind, 0, due, err
	}
	if priority, err = f.number("priority"); err != nil {
		return kind, 0, due, err
	}
	if due, err = f.date("due"); err != nil {
		return kind, 0, due, err
	}
	if err = errors.Join(oneOf("way", f.V("way"), wayCompose, wayUpload, wayFinal), oneOf("confirmed", f.V("confirmed"), "", "yes")); err == nil {
		err = h.offered(r, f.V("signatory"))
	}
	return kind, priority, due, err
}

// offered refuses a signer who is not among those that the forms offer; nobody is
// fine here.
func (h *desk) offered(r *http.Request, signatory string) error {
	people, err := h.signatories(r, text.VI)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(people, func(o option) bool { return o.Value == signatory }) {
		return wrongField("signatory")
	}
	return nil
}

// withDraft reads the form of a document and calls act with it; the file, if any, is
// open for that long.
func (h *desk) withDraft(r *http.Request, f filled, act func(exchange.NewDocument) error) error {
	kind, priority, due, err := h.commonOf(r, f)
	if err != nil {
		return err
	}
	req := exchange.NewDocument{Kind: kind, Notation: f.trimmed("notation"), Subject: f.trimmed("subject"), Priority: priority, DueDate: due,
		Places: f.lines("places"), Signatory: f.V("signatory"), Key: f.key()}
	if f.V("way") == wayCompose {
		req.Body, req.Addressees = f.trimmed("body"), f.lines("addressees")
		if req.Signatory == "" {
			return wrongField("signatory")
		}
		return act(req)
	}
	file, err := h.openFile(r, f)
	if err != nil {
		return err
	}
	if file == nil {
		return wrongField("file")
	}
	defer func() { _ = file.Close() }()
	req.PDF, req.FileName = io.NewSectionReader(file, 0, file.Size()), f.V("file_name")
	if f.V("way") == wayFinal {
		n, err := f.number("number")
		if err != nil || n == 0 {
			return wrongField("number")
		}
		day, err := f.date("date")
		if err != nil || day.IsZero() {
			return wrongField("date")
		}
		req.Final, req.Confirmed, req.Signatory = &exchange.Number{Seq: n, Date: day}, f.V("confirmed") != "", ""
	}
	return act(req)
}
