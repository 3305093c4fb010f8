package exchange

import (
	"context"
	"crypto"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"antin/internal/failpoint"
	"antin/internal/text"
)

// key names l as a job does. Agency codes hold no '>'.
func (l Lane) key() string { return string(l.From) + ">" + string(l.To) }

func parseLane(key string) (Lane, bool) {
	from, to, ok := strings.Cut(key, ">")
	return Lane{From: AgencyCode(from), To: AgencyCode(to)}, ok
}

// attempt tries d once and stores the outcome. goOn is false when the peer as a
// whole failed, so that the rest of the lane waits.
func (o *Outbox) attempt(ctx context.Context, d Delivery, trouble *trouble) (goOn bool, err error) {
	if err := failpoint.Hit(failpoint.AttemptBegins); err != nil {
		return false, err
	}
	out := outcome{begun: o.Now().UTC(), trouble: trouble}
	ctx, span := begin(ctx, o.Tracer, SpanTransfer, d.Trace)
	defer func() { d.describe(span).End(out.err) }()
	peer, err := o.Directory.Agency(ctx, d.To)
	if err != nil {
		out.err = &DeliveryError{Class: ClassTrust, Err: err}
		return false, o.settle(ctx, d, out)
	}
	envelope := Envelope{
		TransferID: d.TransferID, From: d.Agency, To: d.To, Manifest: d.Manifest, Payload: d.Payload,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return o.Blobs.Open(ctx, d.Payload.Digest) },
	}
	var answer []byte
	if out.expired = !out.begun.Before(d.ExpiresAt); peer.Pull && !out.expired {
		return true, o.leaveToPeer(ctx, d)
	}
	if out.expired {
		answer, err = o.Transport.Close(ctx, peer, envelope)
	} else {
		answer, err = o.Transport.Deliver(ctx, peer, envelope)
	}
	if ctx.Err() != nil {
		return false, nil // stopping: the outcome is unknown, and the row says so
	}
	if out.err = err; err == nil {
		out.receipt, out.code, err = checkReceipt(answer, d.Manifest, peer, o.Now().UTC())
		if err != nil {
			out.err = &DeliveryError{Class: ClassTransfer, Err: text.Detailed(text.PeerUnavailable, err, "exchange.bad-receipt", string(d.To))}
		}
	}
	if out.states(d) {
		office, err := gatewayOffice(ctx, o.Offices, d.Agency)
		if err != nil {
			return false, err
		}
		out.key = office.GatewayKey
	}
	if err := failpoint.Hit(failpoint.AttemptAnswered); err != nil {
		return false, err
	}
	settling, stored := begin(ctx, o.Tracer, SpanReceipt, "")
	err = o.settle(settling, d, out)
	stored.End(err)
	if err != nil {
		return false, err
	}
	return out.peerAnswered(), failpoint.Hit(failpoint.AttemptSettled)
}

// outcome is what an attempt came to: a verified receipt, or an error.
type outcome struct {
	receipt Receipt
	code    text.Code // of a rejected receipt
	expired bool
	err     error
	begun   time.Time
	trouble *trouble
	key     crypto.Signer // of the gateway, where something is to be stated
}

// states reports whether the outcome of d is one that the gateway states over its
// signature.
func (u outcome) states(d Delivery) bool {
	return u.err == nil && (u.receipt.Kind == ReceiptClosed || u.receipt.Kind == ReceiptAccepted && d.Stated != nil)
}

// trouble is what the attempts of one turn know together of their lane. The lane's row
// is read and written only when there is some.
type trouble struct {
	some  atomic.Bool
	fence int64 // of the turn, where several processes take turns; else 0
}

// mine reports whether the turn is still ours: another process that took it sends the
// same transfer and stores what comes of it.
func (t *trouble) mine(ctx context.Context, tx Tx, lane Lane) (bool, error) {
	if t.fence == 0 {
		return true, nil
	}
	return tx.HoldsTurn(ctx, JobLane, lane.key(), t.fence)
}

func (u outcome) peerAnswered() bool {
	if u.err == nil {
		return true
	}
	class := classOf(u.err).Class
	return class == ClassTransfer || class == ClassPermanent
}

// settle stores the outcome of an attempt: receipt, state, evidence and lane in
// one transaction. The delivery is read again only when it is of another version
// than the one that was sent.
func (o *Outbox) settle(ctx context.Context, sent Delivery, u outcome) error {
	now := o.Now().UTC()
	if !u.peerAnswered() {
		u.trouble.some.Store(true)
	}
	return o.Store.Update(ctx, func(tx Tx) error {
		if ok, err := u.trouble.mine(ctx, tx, sent.Lane()); err != nil || !ok {
			return err
		}
		d := sent
		err := o.settleDelivery(ctx, tx, &d, u, now)
		if errors.Is(err, errMoved) {
			if d, err = tx.Delivery(ctx, sent.ID); err != nil {
				return err
			}
			err = o.settleDelivery(ctx, tx, &d, u, now)
		}
		if err != nil {
			return err
		}
		return o.settleLane(ctx, tx, d.Lane(), u, now)
	})
}

// errMoved says that a delivery is of another version by now, and nothing was written.
var errMoved = errors.New("delivery changed meanwhile")

func (o *Outbox) settleDelivery(ctx context.Context, tx Tx, d *Delivery, u outcome, now time.Time) error {
	if u.err == nil {
		return o.settleReceipt(ctx, tx, d, u, now)
	}
	return o.settleFailure(ctx, tx, d, u, now)
}

// saveSettled is SaveDelivery for a delivery that may have changed meanwhile.
func saveSettled(ctx context.Context, tx Tx, d Delivery) error {
	err := tx.SaveDelivery(ctx, d)
	if text.CodeOf(err) == text.StateConflict {
		return errMoved
	}
	return err
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
	stated, err := d.state(u.key, u.receipt, now)
	if err != nil {
		return err
	}
	if err := saveSettled(ctx, tx, *d); err != nil {
		return err
	}
	if stated != "" {
		if err := appendDeliveryEvent(ctx, tx, *d, stated, now, map[string]string{
			"stated_sha256": digestOrNone(d.Stated), "corrected_sha256": digestOrNone(d.Corrected)}); err != nil {
			return err
		}
	}
	if err := tx.AddSettled(ctx, settledAs(d.Agency, d.To, true, d.TransferID, u.receipt)); err != nil {
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
		return saveSettled(ctx, tx, *d)
	}
	moved, err := d.advance(signal, now)
	if err != nil {
		return appendDeliveryEvent(ctx, tx, *d, EventContradiction, now, map[string]string{"signal": string(signal)})
	}
	if err := saveSettled(ctx, tx, *d); err != nil || !moved {
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

// settleLane notes how the peer as a whole did. Of attempts that were under way
// together one failure counts: they all met the same fault.
func (o *Outbox) settleLane(ctx context.Context, tx Tx, lane Lane, u outcome, now time.Time) error {
	if u.peerAnswered() && !u.trouble.some.Load() {
		return nil
	}
	s, err := tx.Lane(ctx, lane)
	if err != nil {
		return err
	}
	if u.peerAnswered() {
		if s.Failures == 0 && !s.Halted {
			return nil
		}
		return tx.SaveLane(ctx, s.mended())
	}
	if u.begun.Before(s.FailedAt) {
		return nil
	}
	failure, before := classOf(u.err), s.Halted
	s.Failures++
	s.FailedAt, s.Note = now, failureNote(u.err)
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

// mended is s after the peer answered: what a person decided stays.
func (s LaneState) mended() LaneState {
	return LaneState{Lane: s.Lane, Held: s.Held, HeldWhy: s.HeldWhy}
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
	if err := actor.may(operators...); err != nil {
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
		lane, err := tx.Lane(ctx, d.Lane())
		if err != nil {
			return err
		}
		if err := tx.SaveLane(ctx, lane.mended()); err != nil {
			return err
		}
		if _, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: now, Kind: EventDeliveryResumed, Subject: d.ID,
			Parent: d.timeline(), By: actor, Peer: d.To}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, Job{Kind: JobLane, Key: d.Lane().key()})
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
