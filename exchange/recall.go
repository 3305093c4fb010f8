package exchange

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// RecallRequest asks receivers to give a document back.
type RecallRequest struct {
	Document ID
	To       []AgencyCode // empty: every receiver that may still be asked
	Reason   string
	Key      string // idempotency key; may be empty
}

// RecallAnswer says where a request to take back stands at one receiver.
type RecallAnswer string

// The answers. The zero value: nobody asked.
const (
	RecallUnasked    RecallAnswer = ""
	RecallUnanswered RecallAnswer = "unanswered"
	RecallAgreed     RecallAnswer = "agreed"
	RecallRefused    RecallAnswer = "refused"
)

// RecallAnswer returns where a request to take back stands.
func (b Business) RecallAnswer() RecallAnswer {
	switch b.Recall { //nolint:exhaustive // the codes of progress are none of recall
	case StatusRecallRequested:
		return RecallUnanswered
	case StatusRecallAgreed:
		return RecallAgreed
	case StatusRecallRefused:
		return RecallRefused
	}
	return RecallUnasked
}

// Recall asks receivers of a document to give it back (status 13): a request,
// which each receiver's văn thư answers. It returns the deliveries of the document.
// Errors: not-allowed, invalid-input, not-found; state-conflict when a receiver
// named was not sent to, was asked already or has agreed; no-channel when it got the
// document outside the network.
func (o *Outbox) Recall(ctx context.Context, actor Actor, req RecallRequest) ([]Delivery, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return nil, err
	}
	tidy(&req.Reason)
	if err := checkText("reason", req.Reason, maxReason, true); err != nil {
		return nil, err
	}
	to := slices.Compact(slices.Sorted(slices.Values(req.To)))
	idem, err := newOnce(actor.Agency, req.Key, "document.recall", req.Document, to, req.Reason)
	if err != nil {
		return nil, err
	}
	if id, ok, err := idem.seen(ctx, o.Store); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return o.deliveries(ctx, id)
	}
	v, err := o.Document(ctx, actor, req.Document)
	if err != nil {
		return nil, err
	}
	asked, err := recallable(v, to)
	if err != nil {
		return nil, err
	}
	office, err := o.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return nil, err
	}
	now := o.Now().UTC()
	requests := make([]recallOut, len(asked))
	for n, d := range asked {
		if requests[n], err = o.askBack(ctx, office, v.Document, d.Delivery, actor, req.Reason, now); err != nil {
			return nil, err
		}
	}
	err = o.Store.Update(ctx, func(tx Tx) error {
		if _, ok, err := idem.done(ctx, tx); ok || err != nil {
			return err
		}
		for _, r := range requests {
			if err := r.commit(ctx, tx, actor, now); err != nil {
				return err
			}
		}
		return idem.keep(ctx, tx, req.Document, now)
	})
	if err != nil {
		return nil, err
	}
	return o.deliveries(ctx, req.Document)
}

// recallable returns the deliveries whose receivers are to be asked; to empty
// means all that may be.
func recallable(v DocumentView, to []AgencyCode) ([]DeliveryView, error) {
	newest := map[AgencyCode]DeliveryView{}
	for _, d := range v.Deliveries { // oldest first
		newest[d.To] = d
	}
	var out []DeliveryView
	if len(to) == 0 {
		for _, d := range v.Deliveries {
			if newest[d.To].ID == d.ID && whyNotRecall(d) == nil {
				out = append(out, d)
			}
		}
		if len(out) == 0 {
			return nil, text.Detailed(text.StateConflict, nil, "flow.recall-none")
		}
		return out, nil
	}
	for _, code := range to {
		d, ok := newest[code]
		if !ok {
			return nil, text.Detailed(text.StateConflict, nil, "flow.recall-not-sent", string(code))
		}
		if err := whyNotRecall(d); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func whyNotRecall(d DeliveryView) error {
	switch d.State {
	case DeliveryManual, DeliveryByHand:
		return text.Detailed(text.NoChannel, nil, "flow.recall-by-hand", string(d.To))
	case DeliveryRefused, DeliveryNonDelivered:
		return text.Detailed(text.StateConflict, nil, "flow.recall-not-sent", string(d.To))
	case DeliveryReady, DeliveryQuarantined, DeliveryHeld, DeliveryDelivered, DeliveryDeliveredLate, DeliveryUnknownExpired:
	}
	switch d.Business.RecallAnswer() {
	case RecallUnanswered:
		return text.Detailed(text.StateConflict, nil, "flow.recall-asked", string(d.To))
	case RecallAgreed:
		return text.Detailed(text.StateConflict, nil, "flow.recall-agreed", string(d.To))
	case RecallUnasked, RecallRefused: // who refused may be asked again
	}
	return nil
}

// recallOut is the request to one receiver, ready to be committed.
type recallOut struct {
	document ID
	about    ID // the delivery of the document
	status   Status
	message  Delivery
}

// askBack builds the status message that asks the receiver of d.
func (o *Outbox) askBack(ctx context.Context, office Office, doc Document, d Delivery, actor Actor, reason string, now time.Time) (recallOut, error) {
	n := doc.Issuance.Number
	// Of code 13 the sender speaks to the receiver; the document id stays the sender's.
	h := DocumentHeader{From: d.To, DocumentID: doc.DocumentID, Number: n.CodeNumber(), Notation: n.Notation, Date: n.Date}
	s := Status{Subject: d.ID, Code: StatusRecallRequested, Direction: DirectionOut, At: now.Truncate(time.Second), RecordedAt: now, By: actor.Name, Reason: reason}
	m := report(office.Agency, h, s, now)
	payload, err := spool(ctx, o.Blobs, func(w io.Writer) error { return edxml.Write(w, m, edxml.WriteOptions{}) })
	if err != nil {
		return recallOut{}, err
	}
	message, err := dispatch{from: doc.Agency, key: office.GatewayKey, kind: KindStatus, subject: d.ID, payload: payload, documentID: doc.DocumentID,
		number: n.String(), priority: doc.Priority, status: s.Code, now: now, expiry: o.expiry(doc.Priority)}.delivery(d.To)
	if err != nil {
		return recallOut{}, err
	}
	message.Root, s.Transfer = doc.ID, message.TransferID
	return recallOut{document: doc.ID, about: d.ID, status: s, message: message}, nil
}

func (r recallOut) commit(ctx context.Context, tx Tx, actor Actor, now time.Time) error {
	d, err := tx.Delivery(ctx, r.about)
	if err != nil {
		return err
	}
	history, err := tx.History(ctx, r.about)
	if err != nil {
		return err
	}
	if err := whyNotRecall(DeliveryView{Delivery: d, Business: Current(history)}); err != nil {
		return err // someone else asked meanwhile
	}
	if err := tx.AppendStatus(ctx, r.status); err != nil {
		return err
	}
	if _, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: now, Kind: EventRecallRequested, Subject: d.ID, Parent: r.document, By: actor,
		Peer: d.To, Digest: r.message.Payload.Digest, Data: map[string]string{"reason": r.status.Reason, "status": string(r.status.Code)}}); err != nil {
		return err
	}
	return commitDelivery(ctx, tx, r.message, actor)
}

// AnswerRecall answers the sender's request to take a document back: agreed (15),
// after which it can no longer be accepted or handled, or refused (16), which needs
// d.Reason. Errors: not-allowed, invalid-input, not-found; state-conflict when
// nothing was asked, or it was answered, or the document is handled already.
func (in *Inbox) AnswerRecall(ctx context.Context, actor Actor, d Decision, agree bool) (ItemView, error) {
	tidy(&d.Reason)
	if err := checkText("reason", d.Reason, maxReason, !agree); err != nil {
		return ItemView{}, err
	}
	act := decision{verb: "inbox.recall.refuse", code: StatusRecallRefused, kind: EventRecallAnswered, roles: []Role{RoleIntegrator}}
	if agree {
		act.verb, act.code, act.signal = "inbox.recall.agree", StatusRecallAgreed, InboxRecall
	}
	act.check = func(i InboxItem) error {
		if !i.Recall.Open() {
			return text.Detailed(text.StateConflict, nil, "flow.recall-not-asked")
		}
		return nil
	}
	act.change = func(_ context.Context, _ Tx, i *InboxItem, now time.Time) (map[string]string, error) {
		i.Recall.Answered, i.Recall.Agreed, i.Recall.Answer = Fact{At: now, By: actor}, agree, d.Reason
		return map[string]string{"status": string(act.code), "reason": d.Reason}, nil
	}
	return in.decide(ctx, actor, d, act)
}

// recalled notes on the item that its sender asks for it back by s.
func (in *Inbox) recalled(ctx context.Context, tx Tx, id ID, s Status) error {
	i, err := tx.InboxItem(ctx, id)
	if err != nil || i.State == InboxReturned || i.State == InboxRecalled {
		return err
	}
	if i.Recall.Answered.Done() && !s.At.After(i.Recall.Answered.At) || s.At.Before(i.Recall.AskedAt) {
		return nil // an old request, come late
	}
	i.Recall = RecallState{AskedAt: s.At, AskedBy: s.By, Reason: s.Reason}
	return tx.SaveInboxItem(ctx, i)
}

// recalledBefore takes up a request that came before the document it speaks of.
func (in *Inbox) recalledBefore(ctx context.Context, tx Tx, item *InboxItem) error {
	others, err := tx.InboxByDocument(ctx, item.Agency, item.From, item.Header.DocumentID)
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range others {
		if o.Kind != KindStatus || o.Status != StatusRecallRequested || o.Problem.IsZero() {
			continue
		}
		item.Recall = RecallState{AskedAt: o.ReceivedAt, AskedBy: o.FromName, Reason: o.Reason}
		errs = append(errs, tx.AppendStatus(ctx, Status{Subject: item.ID, Code: o.Status, Direction: DirectionIn, At: o.ReceivedAt,
			RecordedAt: item.CheckedAt, By: o.FromName, Reason: o.Reason, Transfer: o.TransferID}))
	}
	return errors.Join(errs...)
}
