package exchange

import (
	"context"
	"slices"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// LaneDeliveryRows holds what a lane's page lists.
type LaneDeliveryRows interface {
	// LaneDeliveries returns one page of the deliveries of a lane that are in a state,
	// newest first.
	LaneDeliveries(ctx context.Context, lane Lane, state DeliveryState, p Page) ([]Delivery, error)
}

// ID is the subject of the lane's own facts in the log.
func (l Lane) ID() ID { return ID(l.key()) }

// WayTo returns the way to one agency, also when nothing waits on it. Errors:
// not-allowed, not-found for an agency that the directory does not list and to which
// nothing ever went.
func (o *Outbox) WayTo(ctx context.Context, actor Actor, to AgencyCode) (LaneView, error) {
	lanes, err := o.Lanes(ctx, actor)
	if err != nil {
		return LaneView{}, err
	}
	if i := slices.IndexFunc(lanes, func(v LaneView) bool { return v.To == to }); i >= 0 {
		return lanes[i], nil
	}
	v := LaneView{To: to, Name: o.nameOf(ctx, to), State: LaneState{Lane: Lane{From: actor.Agency, To: to}}}
	_, err = o.Directory.Agency(ctx, to)
	return v, err
}

// LaneDeliveries returns one page of what goes, or went, to an agency and is in a
// state, newest first. Errors: not-allowed.
func (o *Outbox) LaneDeliveries(ctx context.Context, actor Actor, to AgencyCode, state DeliveryState, p Page) (out []DeliveryView, err error) {
	if actor.Agency == "" || !slices.Contains(operators, actor.Role) {
		return nil, text.Errorf(text.NotAllowed, nil)
	}
	name := o.nameOf(ctx, to)
	err = o.Store.View(ctx, func(tx Tx) error {
		out = nil
		rows, err := tx.LaneDeliveries(ctx, Lane{From: actor.Agency, To: to}, state, p)
		for _, d := range rows {
			out = append(out, DeliveryView{Delivery: d, Receiver: name})
		}
		return err
	})
	return out, err
}

// Proof is what an answer that the other side's gateway signed proves: that it did
// what Kind says, at At by its own clock, and can not deny it.
type Proof struct {
	Peer AgencyCode
	Kind ReceiptKind
	At   time.Time // by the peer's clock; zero when it does not say
	Code text.Code // of a rejection
	// Good reports that the signature verifies under a key that the directory listed
	// for the peer then, and that it answers this very transfer; without it the answer
	// proves nothing.
	Good bool
}

// Proof reads what the receiver's gateway answered to a delivery; ok is false when it
// answered nothing yet.
func (o *Outbox) Proof(ctx context.Context, d Delivery) (p Proof, ok bool) {
	if len(d.Receipt) == 0 {
		return Proof{}, false
	}
	p = Proof{Peer: d.To}
	agency, err := o.Directory.Agency(ctx, d.To)
	if err != nil {
		return p, true
	}
	at := d.EndedAt
	if at.IsZero() {
		at = o.Now()
	}
	r, code, err := checkReceipt(d.Receipt, d.Manifest, agency, at)
	if err != nil {
		return p, true
	}
	p.Kind, p.At, p.Code, p.Good = r.Kind, r.At, code, true
	return p, true
}

// SentBy reads when the sender's gateway says that it signed the message of an item of
// the actor's agency: its signature was verified before the first byte was kept. ok is
// false for an item that came outside the network.
func (in *Inbox) SentBy(ctx context.Context, actor Actor, id ID) (p Proof, ok bool, err error) {
	err = in.Store.View(ctx, func(tx Tx) error {
		i, err := tx.InboxItem(ctx, id)
		if err != nil {
			return err
		}
		if err := ownedBy(i.Agency, actor); err != nil || i.TransferID == "" {
			return err
		}
		t, err := tx.Transfer(ctx, TransferKey{Recipient: i.Agency, Sender: i.From, ID: i.TransferID})
		if err != nil {
			return err
		}
		m, _, err := jws.PeekManifest(t.Manifest)
		if err != nil {
			return nil // kept by an earlier version; there is nothing to tell
		}
		p, ok = Proof{Peer: i.From, Kind: ReceiptAccepted, At: m.CreatedAt, Good: true}, true
		return nil
	})
	return p, ok, err
}

// DeliveriesAbout returns the deliveries of the actor's agency about a document or an
// inbox item, oldest first, with what their receivers reported. Errors: not-allowed.
func (o *Outbox) DeliveriesAbout(ctx context.Context, actor Actor, subject ID) (out []DeliveryView, err error) {
	if actor.Agency == "" || !slices.Contains(operators, actor.Role) {
		return nil, text.Errorf(text.NotAllowed, nil)
	}
	err = o.Store.View(ctx, func(tx Tx) error {
		out = nil
		rows, err := tx.DeliveriesOf(ctx, subject)
		if err != nil {
			return err
		}
		for _, d := range rows {
			if d.Agency != actor.Agency {
				continue
			}
			history, err := tx.History(ctx, d.ID)
			if err != nil {
				return err
			}
			out = append(out, DeliveryView{Delivery: d, Receiver: o.nameOf(ctx, d.To), Business: Current(history), History: history})
		}
		return nil
	})
	return out, err
}
