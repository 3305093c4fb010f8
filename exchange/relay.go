package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"antin/internal/text"
)

const (
	// drainBatch and drainTime bound one turn of a lane, so that many lanes share
	// the workers; what is left gets a turn of its own.
	drainBatch = 64
	drainTime  = 30 * time.Second
)

// key names l as a job does. Agency codes hold no '>'.
func (l Lane) key() string { return string(l.From) + ">" + string(l.To) }

func parseLane(key string) (Lane, bool) {
	from, to, ok := strings.Cut(key, ">")
	return Lane{From: AgencyCode(from), To: AgencyCode(to)}, ok
}

// Drain sends what is due in lane, one transfer after the other, until nothing is,
// the peer fails or its turn ends, and sees to it that the lane is woken again
// when something will be due. An error means that our own side failed.
func (o *Outbox) Drain(ctx context.Context, lane Lane) error {
	var state LaneState
	var due []Delivery
	begin := o.Now().UTC()
	err := o.Store.View(ctx, func(tx Tx) (err error) {
		if state, err = tx.Lane(ctx, lane); err != nil || state.RetryAt.After(begin) {
			return err
		}
		due, err = tx.DueDeliveries(ctx, lane, begin, drainBatch)
		return err
	})
	if err != nil {
		return err
	}
	for _, d := range due {
		if o.Now().Sub(begin) > drainTime || ctx.Err() != nil {
			break
		}
		goOn, err := o.attempt(ctx, d)
		if err != nil {
			return fmt.Errorf("sending %s: %w", d.ID, err)
		}
		if !goOn {
			break
		}
	}
	return o.wakeLane(ctx, lane)
}

// wakeLane enqueues lane for when its next delivery is due.
func (o *Outbox) wakeLane(ctx context.Context, lane Lane) error {
	return o.Store.Update(ctx, func(tx Tx) error { return enqueueLane(ctx, tx, lane) })
}

func enqueueLane(ctx context.Context, tx Tx, lane Lane) error {
	at, ok, err := tx.NextInLane(ctx, lane)
	if err != nil || !ok {
		return err
	}
	state, err := tx.Lane(ctx, lane)
	if err != nil {
		return err
	}
	if state.RetryAt.After(at) {
		at = state.RetryAt
	}
	return tx.Enqueue(ctx, Job{Kind: JobLane, Key: lane.key(), At: at})
}

// attempt tries d once and stores the outcome. goOn is false when the peer as a
// whole failed, so that the rest of the lane waits.
func (o *Outbox) attempt(ctx context.Context, d Delivery) (goOn bool, err error) {
	peer, err := o.Directory.Agency(ctx, d.To)
	if err != nil {
		return true, o.settle(ctx, d, outcome{err: &DeliveryError{Class: ClassTrust, Err: err}})
	}
	envelope := Envelope{
		TransferID: d.TransferID, From: d.Agency, To: d.To, Manifest: d.Manifest, Payload: d.Payload,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return o.Blobs.Open(ctx, d.Payload.Digest) },
	}
	var answer []byte
	expired := !o.Now().Before(d.ExpiresAt)
	if expired {
		answer, err = o.Transport.Close(ctx, peer, envelope)
	} else {
		answer, err = o.Transport.Deliver(ctx, peer, envelope)
	}
	if ctx.Err() != nil {
		return false, nil // stopping: the outcome is unknown, and the row says so
	}
	out := outcome{expired: expired, err: err}
	if err == nil {
		out.receipt, out.code, err = checkReceipt(answer, d.Manifest, peer, o.Now().UTC())
		if err != nil {
			out.err = &DeliveryError{Class: ClassTransfer, Err: text.Detailed(text.PeerUnavailable, err, "exchange.bad-receipt", string(d.To))}
		}
	}
	if err := o.settle(ctx, d, out); err != nil {
		return false, err
	}
	return out.peerAnswered(), nil
}

// outcome is what an attempt came to: a verified receipt, or an error.
type outcome struct {
	receipt Receipt
	code    text.Code // of a rejected receipt
	expired bool
	err     error
}

func (u outcome) peerAnswered() bool {
	if u.err == nil {
		return true
	}
	class := classOf(u.err).Class
	return class == ClassTransfer || class == ClassPermanent
}

// settle stores the outcome of an attempt: receipt, state, evidence and lane in
// one transaction.
func (o *Outbox) settle(ctx context.Context, d Delivery, u outcome) error {
	now := o.Now().UTC()
	return o.Store.Update(ctx, func(tx Tx) error {
		d, err := tx.Delivery(ctx, d.ID)
		if err != nil {
			return err
		}
		if u.err == nil {
			err = o.settleReceipt(ctx, tx, &d, u, now)
		} else {
			err = o.settleFailure(ctx, tx, &d, u, now)
		}
		if err != nil {
			return err
		}
		return o.settleLane(ctx, tx, d.Lane(), u, now)
	})
}

func (o *Outbox) settleReceipt(ctx context.Context, tx Tx, d *Delivery, u outcome, now time.Time) error {
	signal, kind := SignalAccepted, EventDelivered
	switch u.receipt.Kind {
	case ReceiptAccepted:
	case ReceiptRejected:
		signal, kind = SignalRejected, EventDeliveryRefused
	case ReceiptClosed:
		signal, kind = SignalClosed, EventDeliveryEnded
	}
	moved, err := d.advance(signal, now)
	if err != nil {
		return appendDeliveryEvent(ctx, tx, *d, EventContradiction, now, map[string]string{"signal": string(signal), "receipt": string(u.receipt.JWS)})
	}
	if !moved {
		return nil // a repeat: its first receipt is the one kept
	}
	d.Receipt, d.Note = u.receipt.JWS, Note{}
	data := map[string]string{"state": string(d.State), "receipt_sha256": string(DigestOf(u.receipt.JWS))}
	switch u.receipt.Kind {
	case ReceiptAccepted:
	case ReceiptRejected:
		d.Note = NoteOf(refusedBy(d.To, u.code))
		data["code"] = string(u.code)
	case ReceiptClosed:
		d.Note = Note{Code: text.PeerUnavailable, Message: text.Get("exchange.closed", string(d.To))}
	}
	if err := tx.SaveDelivery(ctx, *d); err != nil {
		return err
	}
	return appendDeliveryEvent(ctx, tx, *d, kind, now, data)
}

// refusedBy says that agency refused for the reason code, which is the peer's word.
func refusedBy(agency AgencyCode, code text.Code) error {
	if !code.Known() {
		return text.Detailed(text.PeerRefused, nil, "exchange.refused-by", string(agency))
	}
	m := text.Errorf(code, nil).Message()
	return &text.Error{Code: text.PeerRefused, Detail: m}
}

func (o *Outbox) settleFailure(ctx context.Context, tx Tx, d *Delivery, u outcome, now time.Time) error {
	failure := classOf(u.err)
	d.Note = failureNote(u.err)
	signal, kind := DeliverySignal(""), EventDeliveryEnded
	switch {
	case failure.Class == ClassPermanent && !u.expired:
		signal, kind = SignalRejected, EventDeliveryRefused
	case failure.Class == ClassTransfer:
		if d.Attempts++; d.Attempts >= maxAttempts {
			signal = SignalExhausted
		}
	}
	if u.expired {
		signal = SignalExpired
	}
	d.NextAt = o.nextTry(*d, u, failure, now)
	if signal == "" {
		return tx.SaveDelivery(ctx, *d)
	}
	moved, err := d.advance(signal, now)
	if err != nil {
		return appendDeliveryEvent(ctx, tx, *d, EventContradiction, now, map[string]string{"signal": string(signal)})
	}
	if err := tx.SaveDelivery(ctx, *d); err != nil || !moved {
		return err
	}
	return appendDeliveryEvent(ctx, tx, *d, kind, now, map[string]string{"state": string(d.State), "code": string(d.Note.Code)})
}

// failureNote is a failed attempt in words for the sender's clerk. The peer's code
// speaks of the peer: its full disk is not ours.
func failureNote(err error) Note {
	code := text.CodeOf(err)
	if code == text.Internal {
		return NoteOf(text.Errorf(text.PeerUnavailable, err))
	}
	if code == text.StorageFull {
		return NoteOf(text.Detailed(text.PeerUnavailable, err, "exchange.peer-full"))
	}
	return NoteOf(err)
}

func (o *Outbox) nextTry(d Delivery, u outcome, f *DeliveryError, now time.Time) time.Time {
	switch {
	case u.expired:
		return now.Add(expiredRetry)
	case f.Class == ClassTransfer:
		return now.Add(wait(d.Attempts, string(d.ID)))
	}
	return d.NextAt // the lane waits, not the transfer
}

// settleLane notes how the peer as a whole did.
func (o *Outbox) settleLane(ctx context.Context, tx Tx, lane Lane, u outcome, now time.Time) error {
	s, err := tx.Lane(ctx, lane)
	if err != nil {
		return err
	}
	if u.peerAnswered() {
		if s.Failures == 0 && !s.Halted {
			return nil
		}
		return tx.SaveLane(ctx, LaneState{Lane: lane})
	}
	failure, before := classOf(u.err), s.Halted
	s.Failures++
	s.Note = failureNote(u.err)
	s.Halted = failure.Class == ClassTrust
	s.RetryAt = now.Add(wait(s.Failures, lane.key()))
	if failure.RetryAfter > 0 {
		s.RetryAt = now.Add(min(failure.RetryAfter, maxRetryAfter))
	}
	if s.Halted {
		s.RetryAt = now.Add(haltedRetry)
	}
	if err := tx.SaveLane(ctx, s); err != nil || !s.Halted || before {
		return err
	}
	_, err = tx.AppendEvent(ctx, Event{Agency: lane.From, At: now, Kind: EventLaneHalted, Subject: ID(lane.key()),
		By: System(lane.From), Peer: lane.To, Data: map[string]string{"code": string(s.Note.Code), "failures": strconv.Itoa(s.Failures)}})
	return err
}

func appendDeliveryEvent(ctx context.Context, tx Tx, d Delivery, kind EventKind, now time.Time, data map[string]string) error {
	data["transfer"] = string(d.TransferID)
	if d.StatusCode != "" {
		data["status"] = string(d.StatusCode)
	}
	_, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: now, Kind: kind, Subject: d.ID, Parent: d.timeline(),
		By: System(d.Agency), Peer: d.To, Digest: d.Payload.Digest, Data: data})
	return err
}

// Resume sends a quarantined delivery on, and lets a lane that stopped try again
// at once. Only an operator or a văn thư of the sending agency may.
func (o *Outbox) Resume(ctx context.Context, actor Actor, id ID) error {
	if err := actor.may(RoleOperator, RoleClerk); err != nil {
		return err
	}
	now := o.Now().UTC()
	return o.Store.Update(ctx, func(tx Tx) error {
		d, err := tx.Delivery(ctx, id)
		if err != nil || d.Agency != actor.Agency {
			return errors.Join(err, ownedBy(d.Agency, actor))
		}
		moved, err := d.advance(SignalResumed, now)
		if err != nil {
			return err
		}
		d.NextAt = now
		if moved {
			d.Attempts = 0
		}
		if err := tx.SaveDelivery(ctx, d); err != nil {
			return err
		}
		if err := tx.SaveLane(ctx, LaneState{Lane: d.Lane()}); err != nil {
			return err
		}
		if _, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: now, Kind: EventDeliveryResumed, Subject: d.ID,
			Parent: d.timeline(), By: actor, Peer: d.To}); err != nil {
			return err
		}
		return enqueueLane(ctx, tx, d.Lane())
	})
}

// ownedBy returns nil when agency is actor's, else not-found: one agency learns
// nothing of another's rows, not even that they exist.
func ownedBy(agency AgencyCode, actor Actor) error {
	if agency != actor.Agency || agency == "" {
		return text.Errorf(text.NotFound, nil)
	}
	return nil
}
