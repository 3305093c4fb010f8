package web

import (
	"context"
	"slices"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// bothSides is one timeline: what this side did, as its log says, and what the other
// side's gateways signed about it, by their own clocks.
func (h *desk) bothSides(ctx context.Context, lang text.Lang, events []exchange.Event, deliveries []exchange.DeliveryView) []fact {
	out := h.timeline(ctx, lang, events)
	for _, d := range deliveries {
		out = append(out, h.proven(ctx, lang, d)...)
	}
	return inOrder(out)
}

// inOrder sorts facts by their time; those without one come last.
func inOrder(facts []fact) []fact {
	slices.SortStableFunc(facts, func(a, b fact) int {
		if a.At.IsZero() != b.At.IsZero() {
			if a.At.IsZero() {
				return 1
			}
			return -1
		}
		return a.At.Compare(b.At)
	})
	return facts
}

// proven is what the receiver's gateway signed about a delivery, and what its people
// reported in messages that it signed.
func (h *desk) proven(ctx context.Context, lang text.Lang, d exchange.DeliveryView) (out []fact) {
	if p, ok := h.Outbox.Proof(ctx, d.Delivery); ok {
		out = append(out, proofFact(lang, d.Receiver, p, d.EndedAt))
	}
	for _, s := range d.History {
		if s.Direction != exchange.DirectionIn {
			continue
		}
		f := fact{At: s.At, Other: true, By: s.By, Alarm: s.Code == exchange.StatusReturned,
			What: text.Get("lanes.proof.status", d.Receiver, string(s.Code)+" "+s.Code.Message().In(lang)).In(lang)}
		if s.Reason != "" {
			f.What += ": " + s.Reason
		}
		out = append(out, f)
	}
	return out
}

// proofFact is a signed answer in plain words; noted is when we stored it.
func proofFact(lang text.Lang, peer string, p exchange.Proof, noted time.Time) fact {
	f := fact{At: p.At, Other: true}
	if f.At.IsZero() {
		f.At = noted
	}
	key := text.Key("lanes.proof.none")
	args := []any{peer}
	switch {
	case !p.Good:
		f.Alarm = true
	case p.Kind == exchange.ReceiptAccepted:
		key = "lanes.proof.accepted"
	case p.Kind == exchange.ReceiptRejected:
		key, f.Alarm = "lanes.proof.rejected", true
		args = append(args, text.Errorf(p.Code, nil).Message())
	default:
		key, f.Alarm = "lanes.proof.closed", true
	}
	f.What = text.Get(key, args...).In(lang)
	return f
}

// sentFact is that the sender's gateway signed the message of an incoming item.
func (h *desk) sentFact(ctx context.Context, lang text.Lang, actor exchange.Actor, id exchange.ID) ([]fact, error) {
	p, ok, err := h.Inbox.SentBy(ctx, actor, id)
	if err != nil || !ok {
		return nil, err
	}
	return []fact{{At: p.At, Other: true, What: text.Get("lanes.proof.sent", h.nameOf(ctx, p.Peer)).In(lang)}}, nil
}
