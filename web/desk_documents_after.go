package web

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// afterwards fills in what can be done about deliveries and once a document was sent.
func (h *desk) afterwards(r *http.Request, p page, d exchange.DocumentView, f filled, v *documentView) error {
	path := "/documents/" + string(d.ID)
	for n := range v.Deliveries {
		x := &v.Deliveries[n]
		base := path + "/deliveries/" + string(x.id)
		if !v.Clerk {
			continue
		}
		switch x.state { //nolint:exhaustive // nothing is to be done about the others
		case exchange.DeliveryQuarantined:
			x.Resume = p.U(base + "/resume")
		case exchange.DeliveryManual:
			own := filled{values: url.Values{}}
			open := f.V("delivery") == string(x.id)
			if open {
				own = f
			}
			m := fields{p.Lang, "handed-" + strconv.Itoa(n), own}
			x.Manual = &manualView{EdXML: p.U(base + "/edxml"), PDF: p.U(base + "/pdf"), Slip: p.U(base + "/slip"), Action: p.U(base + "/handed"),
				Key: rand.Text(), Fields: []field{must(m.text("how", 500)), m.make("moment", "when")}, Open: open}
		}
	}
	if v.Stage == exchange.StageDraft || v.Stage == exchange.StageAwaitingSignature {
		v.Edit = p.U(path + "/edit")
	}
	if v.Clerk && len(d.Deliveries) > 0 {
		if d.ReplacedBy == "" {
			v.ReplaceURL = p.U(path + "/replace")
		}
		v.Recall = recallOf(p, path, f, v.Deliveries)
	}
	if v.Stage == exchange.StageDraft {
		v.Returned, v.Delete = d.Issuance.Returned.Reason, p.U(path+"/delete")
	}
	return h.chain(r, p, d, v)
}

// recallOf is the form that asks back; nil when there is nobody to ask.
func recallOf(p page, path string, f filled, deliveries []deliveryView) *recallView {
	v := &recallView{Action: p.U(path + "/recall"), Key: f.V("key"), Open: f.V("act") == "recall", Reason: must(fields{p.Lang, "recall", f}.area("reason", 2))}
	if v.Key == "" {
		v.Key = rand.Text()
	}
	for _, x := range deliveries {
		out := x.state == exchange.DeliveryManual || x.state == exchange.DeliveryByHand || x.state == exchange.DeliveryRefused || x.state == exchange.DeliveryNonDelivered
		if out || x.ask == exchange.RecallUnanswered || x.ask == exchange.RecallAgreed {
			continue
		}
		v.Receivers = append(v.Receivers, option{Value: x.Code, Label: x.Receiver, Selected: !v.Open || f.Has("to", x.Code)})
	}
	if len(v.Receivers) == 0 {
		return nil
	}
	if v.Open {
		v.Wrong = f.wrong
		f.put("to", "recall-to-"+v.Receivers[0].Value)
	}
	return v
}

// chain names what a document replaces and what replaced it.
func (h *desk) chain(r *http.Request, p page, d exchange.DocumentView, v *documentView) error {
	for _, l := range []struct {
		id  exchange.ID
		key text.Key
	}{{d.Replaces, "desk.chain.replaces"}, {d.ReplacedBy, "desk.chain.replaced"}} {
		if l.id == "" {
			continue
		}
		x, err := h.Outbox.Document(r.Context(), h.Actor(r), l.id)
		if err != nil {
			return err
		}
		v.Chain = append(v.Chain, chainRow{Text: p.say(l.key), URL: p.U("/documents/" + string(l.id)),
			Name: strings.TrimSpace(titleOf(p.Lang, x.Issuance) + " · " + x.Subject)})
	}
	return nil
}

// editDocument shows the form of a draft with what it holds.
func (h *desk) editDocument(w http.ResponseWriter, r *http.Request) {
	d, f, err := h.draftOf(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	f.values.Del("key")
	h.showDraft(w, r, f, h.draftForm(r, d, "edit"), nil)
}

// draftForm is the form of a document that is there already.
func (h *desk) draftForm(r *http.Request, d exchange.Document, act string) draftView {
	p := h.page(r, "desk.edit.title")
	v := draftView{Action: p.U("/documents/" + string(d.ID) + "/" + act), Back: p.U("/documents/" + string(d.ID)), Version: d.Version,
		Old: strings.TrimSpace(titleOf(p.Lang, d.Issuance) + " · " + d.Subject)}
	if act == "edit" {
		v.Edit, v.Way = true, wayUpload
		if !d.Source.IsZero() {
			v.Way = wayCompose
		}
	} else {
		v.Replace = true
	}
	return v
}

// draftOf reads a document into the fields of its form.
func (h *desk) draftOf(r *http.Request) (exchange.Document, filled, error) {
	actor := h.Actor(r)
	f := filled{values: url.Values{}}
	v, err := h.Outbox.Document(r.Context(), actor, exchange.ID(r.PathValue("id")))
	if err != nil {
		return exchange.Document{}, f, err
	}
	src, err := h.Outbox.Source(r.Context(), actor, v.ID)
	if err != nil {
		return v.Document, f, err
	}
	set := func(name, value string) { f.values.Set(name, value) }
	set("kind", strconv.Itoa(v.Kind.Code))
	set("notation", v.Notation)
	set("subject", v.Subject)
	set("signatory", v.Issuance.Signer.ActorID)
	set("priority", strconv.Itoa(v.Priority))
	if !v.DueDate.IsZero() {
		set("due", v.DueDate.In(exchange.Vietnam).Format("2006-01-02"))
	}
	set("places", strings.Join(v.Places, "\n"))
	set("body", src.Body)
	set("addressees", strings.Join(src.Addressees, "\n"))
	set("way", wayUpload)
	if !v.Source.IsZero() {
		set("way", wayCompose)
	}
	return v.Document, f, nil
}

// saveDocument changes a draft, unless somebody else changed it meanwhile.
func (h *desk) saveDocument(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	d, err := h.Outbox.Document(r.Context(), h.Actor(r), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	f, err := h.readForm(r)
	version := 0
	if err == nil {
		version, err = f.needed("version")
	}
	if err == nil {
		err = h.forms.do(h.onceOf(r, f), func() error { return h.edit(r, id, version, f) })
	}
	if err != nil {
		v := h.draftForm(r, d.Document, "edit")
		if text.CodeOf(err) != text.PreconditionFailed && version > 0 {
			v.Version = version // what the editor read; after a conflict, what is there now
		}
		h.showDraft(w, r, f, v, err)
		return
	}
	h.back(w, r, "/documents/", id)
}

func (h *desk) edit(r *http.Request, id exchange.ID, version int, f filled) error {
	kind, priority, due, err := h.commonOf(r, f)
	if err != nil {
		return err
	}
	if f.V("way") == wayCompose && f.V("signatory") == "" {
		return wrongField("signatory")
	}
	notation, subject, signatory, places := f.trimmed("notation"), f.trimmed("subject"), f.V("signatory"), f.lines("places")
	e := exchange.EditDocument{Kind: &kind, Notation: &notation, Subject: &subject, Priority: &priority, DueDate: &due, Places: &places}
	if signatory != "" {
		e.Signatory = &signatory
	}
	if f.V("way") == wayCompose {
		body, addressees := f.trimmed("body"), f.lines("addressees")
		e.Body, e.Addressees = &body, &addressees
	} else if f.V("file_digest") != "" {
		return h.withFile(r, f, func(pdf io.Reader) error {
			e.PDF, e.FileName = pdf, f.V("file_name")
			_, err := h.Outbox.Edit(r.Context(), h.Actor(r), id, version, e)
			return err
		})
	}
	_, err = h.Outbox.Edit(r.Context(), h.Actor(r), id, version, e)
	return err
}

// replaceForm begins a replacement with what the old document says.
func (h *desk) replaceForm(w http.ResponseWriter, r *http.Request) {
	d, f, err := h.draftOf(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.showDraft(w, r, f, h.draftForm(r, d, "replace"), nil)
}

func (h *desk) replaceDocument(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	d, err := h.Outbox.Document(r.Context(), h.Actor(r), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	f, err := h.readForm(r)
	var made exchange.Document
	if err == nil {
		err = h.withDraft(r, f, func(req exchange.NewDocument) (err error) {
			key := req.Key
			req.Key = ""
			return twice(key, func() error {
				made, err = h.Outbox.Replace(r.Context(), h.Actor(r), exchange.ReplaceRequest{Document: id, Reason: f.trimmed("reason"), New: req, Key: key})
				return err
			})
		})
	}
	if err != nil {
		h.showDraft(w, r, f, h.draftForm(r, d.Document, "replace"), err)
		return
	}
	h.back(w, r, "/documents/", made.ID)
}

// recall asks receivers to give a document back.
func (h *desk) recall(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	f, err := h.readForm(r)
	if err == nil {
		err = h.askBack(r, id, f)
	}
	if err != nil {
		if f.values == nil {
			f.values = url.Values{}
		}
		f.values.Set("act", "recall")
		h.showDocument(w, r, f, err)
		return
	}
	h.back(w, r, "/documents/", id, "deliveries")
}

func (h *desk) askBack(r *http.Request, id exchange.ID, f filled) error {
	req := exchange.RecallRequest{Document: id, Reason: f.trimmed("reason"), Key: f.key()}
	for _, code := range f.values["to"] {
		req.To = append(req.To, exchange.AgencyCode(code))
	}
	if len(req.To) == 0 { // an empty list would ask everyone, which nobody ticked
		return text.Detailed(text.InvalidInput, nil, "web.send.nobody")
	}
	if err := h.sentTo(r, id, req.To); err != nil {
		return err
	}
	return twice(req.Key, func() error {
		_, err := h.Outbox.Recall(r.Context(), h.Actor(r), req)
		return err
	})
}

// sentTo refuses agencies that the document never went to.
func (h *desk) sentTo(r *http.Request, id exchange.ID, to []exchange.AgencyCode) error {
	d, err := h.Outbox.Document(r.Context(), h.Actor(r), id)
	if err != nil {
		return err
	}
	for _, code := range to {
		if !slices.ContainsFunc(d.Deliveries, func(x exchange.DeliveryView) bool { return x.To == code }) {
			return wrongField("to")
		}
	}
	return nil
}

// export is a part of the package for a receiver without a channel.
func (h *desk) export(w http.ResponseWriter, r *http.Request) {
	x, err := h.Outbox.OpenExport(r.Context(), h.Actor(r), exchange.ID(r.PathValue("delivery")), exchange.ExportKind(r.PathValue("export")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = x.Body.Close() }()
	media := mediaBytes
	if x.MediaType == mediaPDF {
		media = mediaPDF
	}
	download(w, r, x.Body, x.Name, media)
}

// handed notes that a receiver without a channel got the document.
func (h *desk) handed(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	f, err := h.readForm(r)
	if err == nil {
		when, wrong := f.moment("when")
		if err = wrong; err == nil {
			err = twice(f.key(), func() error {
				_, err := h.Outbox.MarkDelivered(r.Context(), h.Actor(r), exchange.ID(r.PathValue("delivery")), f.trimmed("how"), when, f.key())
				return renamed(err, "at", "when")
			})
		}
	}
	if err != nil {
		if f.values == nil {
			f.values = url.Values{}
		}
		f.values.Set("delivery", r.PathValue("delivery"))
		h.showDocument(w, r, f, err)
		return
	}
	h.back(w, r, "/documents/", id, "deliveries")
}

// resendDelivery sends a delivery that was set aside once more, as the same transfer.
func (h *desk) resendDelivery(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = h.forms.do(h.onceOf(r, f), func() error { return h.Outbox.Resume(r.Context(), h.Actor(r), exchange.ID(r.PathValue("delivery"))) })
	}
	if err != nil {
		h.showDocument(w, r, f, err)
		return
	}
	h.back(w, r, "/documents/", exchange.ID(r.PathValue("id")), "deliveries")
}
