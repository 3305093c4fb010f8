package web

import (
	"context"
	"net/http"

	"antin/exchange"
	"antin/internal/text"
)

// commandView is a Command in the page's language.
type commandView struct{ Title, Command string }

// cardReasons is how many reasons a card has room for, the cause first; the item's
// page has all.
const cardReasons = 1

// startView is the state of the cards.
type startView struct {
	A, B     string
	Sample   *trackedDocument // card 1–3
	Tampered *trackedDocument // card 4
	Changed  *changedWord     // what was altered in it
	Commands []commandView
	Roles    []startAgency
	LimitM   int
	Limit    int
}

// trackedDocument is a document of A and what became of it at B.
type trackedDocument struct {
	ID       string
	URL      string // at A
	Image    string // address of a small picture of its first page
	Number   string
	Subject  string
	Name     string
	Signer   string
	Verdict  verdictView
	Sent     bool
	Delivery deliveryView
	Arrived  bool
	Item     itemRow // at B
	Checked  bool
	Reasons  []string
	Told     string // B's last word, as A knows it
	Timeline []fact
}

// startAgency is an agency of the demo and the roles that may be taken there.
type startAgency struct {
	Letter string
	Name   string
	Code   string
	Roles  []startRole
}

type startRole struct{ Role, Label string }

// roles lists who one can be in the demo.
func (h *start) roles(p page) []startAgency {
	var out []startAgency
	for i, d := range []*Desk{h.A, h.B} {
		a := startAgency{Letter: string(rune('A' + i)), Name: d.Office.Agency.Name, Code: string(d.Office.Agency.Code)}
		for _, role := range startRoles(d) {
			a.Roles = append(a.Roles, startRole{Role: string(role), Label: p.say(text.Key("role." + string(role)))})
		}
		out = append(out, a)
	}
	return out
}

// cards shows the page, with failed at its top when a form failed.
func (h *start) cards(w http.ResponseWriter, r *http.Request, failed error) {
	p := h.page(r, "web.start.title")
	p.at("/")
	v := startView{A: h.A.Office.Agency.Name, B: h.B.Office.Agency.Name, LimitM: MaxUpload >> 20, Limit: MaxUpload}
	v.Roles = h.roles(p)
	for _, c := range h.Commands {
		v.Commands = append(v.Commands, commandView{Title: c.Title.In(p.Lang), Command: c.Command})
	}
	if err := h.state(r, &p, &v); err != nil && failed == nil {
		failed = err
	}
	status := http.StatusOK
	if failed != nil {
		p.Err = h.errView(p.Lang, failed)
		status = p.Err.status
	}
	p.Data = v
	h.show(w, status, "start", p)
}

// state finds what the cards speak of: A's newest issued document and its altered copy.
func (h *start) state(r *http.Request, p *page, v *startView) error {
	docs, err := h.A.Outbox.List(r.Context(), h.actorA(), exchange.DocumentFilter{Page: exchange.Page{Limit: rowsPerPage}})
	if err != nil {
		return err
	}
	items, err := h.B.Inbox.List(r.Context(), h.actorB(), exchange.InboxFilter{Page: exchange.Page{Limit: rowsPerPage}})
	if err != nil {
		return err
	}
	for _, d := range docs {
		switch {
		case d.Imported && d.Issuance.Verdict == exchange.VerdictInvalid:
			if v.Tampered == nil && v.Sample == nil { // only one made after the sample shown
				v.Tampered, err = h.track(r, p, d, items)
			}
		case d.Imported || !d.Issuance.Issued.Done():
			continue
		case v.Sample == nil:
			v.Sample, err = h.track(r, p, d, items)
		}
		if err != nil {
			return err
		}
	}
	if v.Sample == nil {
		v.Tampered = nil
	}
	if v.Tampered != nil {
		v.Changed, err = h.difference(r.Context(), h.actorA(), exchange.ID(v.Sample.ID), exchange.ID(v.Tampered.ID))
	}
	return err
}

// track follows a document of A to B.
func (h *start) track(r *http.Request, p *page, d exchange.DocumentView, items []exchange.ItemView) (*trackedDocument, error) {
	ctx := r.Context()
	base := h.A.Prefix + "/documents/" + string(d.ID)
	t := &trackedDocument{ID: string(d.ID), URL: withLang(base, p.Lang), Number: d.Issuance.Number.String(), Subject: d.Subject, Name: d.FileName,
		Signer: d.Issuance.Signer.Name, Verdict: viewVerdict(p.Lang, d.Issuance.Verdict),
		Image: "/start/pages/" + string(d.ID) + ".png?w=small&v=" + short(d.Issuance.Newest().Digest)}
	for _, dl := range d.Deliveries {
		if dl.To != h.B.Office.Agency.Code {
			continue
		}
		t.Sent, t.Delivery = true, viewDelivery(p.Lang, dl)
		for _, i := range items {
			if i.TransferID == dl.TransferID {
				if err := h.arrived(ctx, h.actorB(), p, t, i); err != nil {
					return nil, err
				}
			}
		}
	}
	if t.Sent && (t.Delivery.Class == "wait" || !t.Checked) {
		p.again(soon)
	}
	p.again(later)
	events, err := h.A.Evidence.Timeline(ctx, h.actorA(), d.ID)
	if err != nil {
		return nil, err
	}
	t.Timeline = viewTimeline(p.Lang, events)
	return t, nil
}

// arrived adds what B knows of the document.
func (h *start) arrived(ctx context.Context, actor exchange.Actor, p *page, t *trackedDocument, i exchange.ItemView) error {
	t.Arrived, t.Checked = true, i.State != exchange.InboxReceived
	t.Item = itemRow{URL: withLang(h.B.Prefix+"/inbox/"+string(i.ID), p.Lang), Verdict: itemVerdict(p.Lang, i.InboxItem),
		State: i.State.Message().In(p.Lang), Arrival: i.Arrival, At: i.ReceivedAt}
	desk := &desk{Desk: *h.B}
	for n := range i.Attachments {
		r, err := desk.report(ctx, actor, i.InboxItem, n)
		if err != nil {
			return err
		}
		if r != nil {
			view := viewReport(p.Lang, r, sender{})
			t.Reasons = append(t.Reasons, view.Reasons[:min(len(view.Reasons), cardReasons)]...)
		}
	}
	if !i.Problem.IsZero() {
		t.Reasons = append(t.Reasons, i.Problem.Message.In(p.Lang))
	}
	return nil
}
