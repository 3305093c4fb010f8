package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// oneDelivery is the page of one delivery.
type oneDelivery struct {
	deliveryView
	Lane     string // address of the way that it takes
	Kind     string
	Number   string // of the document that it carries, or speaks of
	About    string // where that is told of
	Proof    *fact  // what the other side signed; nil while it signed nothing
	Facts    []detail
	NextAt   time.Time
	Acts     []deliveryForm
	Timeline []fact
}

// deliveryForm is one act on a delivery.
type deliveryForm struct {
	ID, Title, Explain, Do, Class string
	Action, Key                   string
	Reason                        *field // nil: the act needs none
	Open                          bool
}

func (h *desk) delivery(w http.ResponseWriter, r *http.Request) {
	h.showDelivery(w, r, filled{values: url.Values{}}, "", nil)
}

// showDelivery is the page of the delivery that r names, with what the form of an act
// carried and what was wrong with it.
func (h *desk) showDelivery(w http.ResponseWriter, r *http.Request, f filled, act string, failed error) {
	ctx, actor := r.Context(), h.Actor(r)
	d, err := h.Outbox.Delivery(ctx, actor, exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	events, err := h.Evidence.Timeline(ctx, actor, d.ID)
	if err != nil && text.CodeOf(err) != text.NotFound { // a ready message may have left no more than its row
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "lanes.delivery", d.Receiver)
	path := "/deliveries/" + string(d.ID)
	p.at(h.Prefix + path)
	p.Where = "lanes"
	status := http.StatusOK
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
		status = p.Err.status
	}
	v := oneDelivery{deliveryView: viewDelivery(p.Lang, d), Lane: p.U("/lanes/" + url.PathEscape(string(d.To))), Kind: p.say(text.Key("lanes.kind." + string(d.Kind)))}
	if d.State == exchange.DeliveryReady && d.NextAt.After(h.now()) {
		v.NextAt = d.NextAt
	}
	if err := h.about(ctx, p, actor, d, &v); err != nil {
		h.fail(w, r, err)
		return
	}
	if proof, ok := h.Outbox.Proof(ctx, d.Delivery); ok {
		fact := proofFact(p.Lang, d.Receiver, proof, d.EndedAt)
		v.Proof = &fact
	}
	v.Facts = deliveryFacts(p, d)
	v.Acts = deliveryActs(p, d, path, act, f)
	v.Timeline = h.bothSides(ctx, p.Lang, events, []exchange.DeliveryView{d})
	p.again(later)
	p.Data = v
	h.show(w, status, "delivery-page", p)
}

// about says what the delivery carries or speaks of, by its number alone.
func (h *desk) about(ctx context.Context, p page, actor exchange.Actor, d exchange.DeliveryView, v *oneDelivery) error {
	subject := d.Subject
	if d.Root != "" {
		subject = d.Root
	}
	folder := "/search/"
	switch {
	case subject.Has(exchange.PrefixDocument):
		doc, err := h.Outbox.Document(ctx, actor, subject)
		if text.CodeOf(err) == text.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		v.Number = titleOf(p.Lang, doc.Issuance)
		if actor.Role == exchange.RoleClerk {
			folder = "/documents/"
		}
	case subject.Has(exchange.PrefixInbox):
		item, err := h.Inbox.Item(ctx, actor, subject)
		if err != nil {
			return err
		}
		v.Number = item.Header.FullNumber()
		if actor.Role == exchange.RoleClerk {
			folder = "/inbox/"
		}
	default:
		return nil
	}
	if v.Number == "" {
		v.Number = p.say("web.unnumbered")
	}
	v.About = p.U(folder + string(subject))
	return nil
}

// deliveryFacts are the particulars by which both sides speak of a delivery.
func deliveryFacts(p page, d exchange.DeliveryView) []detail {
	out := []detail{{p.say("lanes.fact.id"), string(d.ID)}, {p.say("lanes.fact.transfer"), string(d.TransferID)}}
	if t := d.Trace.ID(); t != "" {
		out = append(out, detail{p.say("lanes.fact.trace"), t})
	}
	return append(out, detail{"SHA-256", string(d.Payload.Digest)})
}

// deliveryActs are the acts that move the delivery on from where it is.
func deliveryActs(p page, d exchange.DeliveryView, path, tried string, f filled) (out []deliveryForm) {
	for _, a := range []struct {
		name, class string
		signal      exchange.DeliverySignal
		reason      bool
	}{{"resume", "primary", exchange.SignalResumed, false}, {"hold", "", exchange.SignalHeld, true}, {"quarantine", "danger", exchange.SignalExhausted, true}} {
		next, ok := d.State.Next(a.signal)
		trying := a.signal == exchange.SignalResumed && d.State == exchange.DeliveryReady // tried at once
		if !ok || next == d.State && !trying {
			continue
		}
		key := text.Key("lanes.act." + a.name)
		form := deliveryForm{ID: a.name, Title: p.say(key), Explain: p.say(key + ".explain"), Do: p.say(key + ".do"), Class: a.class,
			Action: p.U(path + "/" + a.name), Key: rand.Text(), Open: tried == a.name || a.class == "primary"}
		if a.reason {
			own := filled{}
			if tried == a.name {
				own = f
			}
			reason := must(fields{p.Lang, a.name, own}.area("reason", 2))
			form.Reason = &reason
		}
		out = append(out, form)
	}
	return out
}

// deliveryAct does one act on a delivery, once, and leads back to its page.
func (h *desk) deliveryAct(signal exchange.DeliverySignal) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, actor, id := r.Context(), h.Actor(r), exchange.ID(r.PathValue("id"))
		f, err := h.readForm(r)
		name := "resume"
		act := func() error { return h.Outbox.Resume(ctx, actor, id) }
		switch signal { //nolint:exhaustive // the acts of people
		case exchange.SignalHeld:
			name, act = "hold", func() error { return h.Outbox.Hold(ctx, actor, id, f.trimmed("reason")) }
		case exchange.SignalExhausted:
			name, act = "quarantine", func() error { return h.Outbox.Quarantine(ctx, actor, id, f.trimmed("reason")) }
		}
		if err == nil {
			err = h.forms.do(h.onceOf(r, f), act)
		}
		if err != nil {
			h.showDelivery(w, r, f, name, err)
			return
		}
		h.back(w, r, "/deliveries/", id)
	}
}
