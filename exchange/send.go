package exchange

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"antin/exchange/edxml"
	"antin/internal/failpoint"
	"antin/internal/text"
)

// maxReceivers bounds one Send: a province has some 200 agencies, a ministry's
// circulars go to a thousand.
const maxReceivers = 1000

// SendRequest asks to send an issued document.
type SendRequest struct {
	Document ID
	To       []AgencyCode // duplicates merge
	Key      string       // idempotency key; may be empty
}

// Send hands an issued document to its receivers: it builds one edXML message,
// signs a manifest for each receiver and commits all of it before the first byte
// leaves; then the worker delivers. It returns the deliveries of the document.
//
// A receiver whose delivery is under way or done is not sent to twice; one that
// refused or was never reached may be sent to again, as a new transfer. Errors:
// not-allowed (role; a state secret), signature-required, receiver-unknown,
// state-conflict, too-large, storage-full.
func (o *Outbox) Send(ctx context.Context, actor Actor, req SendRequest) (_ []Delivery, err error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return nil, err
	}
	ctx, span := begin(ctx, o.Tracer, SpanSend, "")
	defer func() { span.End(err) }()
	to := slices.Compact(slices.Sorted(slices.Values(req.To)))
	idem, err := newOnce(actor.Agency, req.Key, "document.send", req.Document, to)
	if err != nil {
		return nil, err
	}
	if id, ok, err := idem.seen(ctx, o.Store); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return o.deliveries(ctx, id)
	}
	office, err := o.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return nil, err
	}
	p := &documentPaper{id: req.Document, actor: actor}
	if err := o.Store.View(ctx, func(tx Tx) error { return p.load(ctx, tx) }); err != nil {
		return nil, err
	}
	if err := o.maySend(ctx, actor, p.doc); err != nil {
		return nil, err
	}
	now := o.Now().UTC()
	receivers, err := o.receivers(ctx, actor.Agency, to, now)
	if err != nil {
		return nil, err
	}
	message, err := o.buildMessage(ctx, p.doc, office.Agency, receivers, now)
	if err != nil {
		return nil, err
	}
	made, err := dispatch{from: actor.Agency, key: office.GatewayKey, kind: KindDocument, subject: p.doc.ID, payload: message,
		documentID: p.doc.DocumentID, number: p.doc.Issuance.Number.String(), priority: p.doc.Priority, now: now,
		expiry: o.expiry(p.doc.Priority)}.deliveries(receivers)
	if err != nil {
		return nil, err
	}
	if err := failpoint.Hit(failpoint.SendBeforeCommit); err != nil {
		return nil, err
	}
	err = o.Store.Update(ctx, func(tx Tx) error {
		if _, ok, err := idem.done(ctx, tx); ok || err != nil {
			return err
		}
		if err := o.commitSend(ctx, tx, actor, p, message, made, names(receivers), now); err != nil {
			return err
		}
		return idem.keep(ctx, tx, p.id, now)
	})
	if err != nil {
		return nil, err
	}
	if err := failpoint.Hit(failpoint.SendAfterCommit); err != nil {
		return nil, err
	}
	return o.deliveries(ctx, req.Document)
}

// maySend refuses what must not leave, and leaves a state secret's refusal in the
// evidence.
func (o *Outbox) maySend(ctx context.Context, actor Actor, d Document) error {
	if d.Hand.Channel != "" {
		return text.Detailed(text.StateConflict, nil, "flow.by-hand")
	}
	if d.Security != SecurityOrdinary {
		refusal := text.Detailed(text.NotAllowed, nil, "exchange.secret")
		err := o.Store.Update(ctx, func(tx Tx) error {
			_, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: o.Now().UTC(), Kind: EventSendRefused, Subject: d.ID, By: actor,
				Digest: d.Issuance.Newest().Digest, Data: map[string]string{"security": string(d.Security)}})
			return err
		})
		if err != nil {
			return err
		}
		return refusal
	}
	if !d.Issuance.Issued.Done() {
		return text.Detailed(text.SignatureRequired, nil, "exchange.not-issued")
	}
	return nil
}

func (o *Outbox) receivers(ctx context.Context, from AgencyCode, to []AgencyCode, now time.Time) ([]Agency, error) {
	if len(to) == 0 || len(to) > maxReceivers {
		return nil, fieldError("to")
	}
	out := make([]Agency, len(to))
	for i, code := range to {
		if code == from {
			return nil, text.Detailed(text.InvalidInput, nil, "exchange.to-self")
		}
		a, err := o.Directory.Agency(ctx, code)
		if err != nil {
			return nil, err
		}
		if !a.openAt(now) {
			return nil, text.Detailed(text.ReceiverUnknown, nil, "exchange.receiver-closed", string(code), string(a.Successor))
		}
		out[i] = a
	}
	return out, nil
}

// buildMessage writes the edXML message of d into Blobs. The final PDF is read
// again for it, and checked against its digest on the way.
func (o *Outbox) buildMessage(ctx context.Context, d Document, from Agency, to []Agency, now time.Time) (Blob, error) {
	if err := o.Blobs.Verify(ctx, d.Issuance.Final.Digest); err != nil {
		return Blob{}, fmt.Errorf("final file of %s: %w", d.ID, err)
	}
	replacing, err := o.replacement(ctx, d, to)
	if err != nil {
		return Blob{}, err
	}
	m := edoc(d, from, to, now, func() (io.ReadCloser, error) { return o.Blobs.Open(ctx, d.Issuance.Final.Digest) })
	m.Business = replacing
	message, err := spool(ctx, o.Blobs, func(w io.Writer) error { return edxml.Write(w, m, edxml.WriteOptions{}) })
	if err != nil {
		return Blob{}, fmt.Errorf("building message of %s: %w", d.ID, err)
	}
	for _, a := range to {
		if a.MaxPayload > 0 && message.Size > a.MaxPayload {
			return Blob{}, text.Detailed(text.TooLarge, nil, "exchange.receiver-limit", string(a.Code), int(a.MaxPayload>>20))
		}
	}
	return message, nil
}

// deliveries makes one delivery for each receiver: one without a channel gets it
// by hand.
func (p dispatch) deliveries(to []Agency) ([]Delivery, error) {
	out := make([]Delivery, len(to))
	for i, a := range to {
		if a.Endpoint == "" && !a.Pull {
			out[i] = p.manual(a.Code)
			continue
		}
		d, err := p.delivery(a.Code)
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

// maxReceiverNames bounds what a document keeps of its receivers' names, in
// characters: a line of the register, not the distribution list itself.
const maxReceiverNames = 2000

// names are the names of receivers in one line.
func names(receivers []Agency) string {
	var b strings.Builder
	for i, a := range receivers {
		if b.Len()+len(a.Name) > maxReceiverNames {
			b.WriteString("; …")
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(a.Name)
	}
	return b.String()
}

func (o *Outbox) commitSend(ctx context.Context, tx Tx, actor Actor, p *documentPaper, message Blob, made []Delivery, receivers string, now time.Time) error {
	if err := p.load(ctx, tx); err != nil {
		return err
	}
	earlier, err := tx.DeliveriesOf(ctx, p.id)
	if err != nil {
		return err
	}
	for _, e := range earlier {
		again := e.State == DeliveryRefused || e.State == DeliveryNonDelivered
		if !again && slices.ContainsFunc(made, func(d Delivery) bool { return d.To == e.To }) {
			return text.Detailed(text.StateConflict, nil, "exchange.sent-already", string(e.To))
		}
	}
	if p.doc.Message = message; p.doc.Receivers == "" {
		p.doc.Receivers = receivers
	} else if len(p.doc.Receivers) < maxReceiverNames && !strings.Contains(p.doc.Receivers, receivers) {
		p.doc.Receivers += "; " + receivers
	}
	if err := o.replacedBy(ctx, tx, actor, p, now); err != nil {
		return err
	}
	if !p.doc.Sent.Done() {
		p.doc.Sent = Fact{At: now, By: actor}
	}
	if err := p.save(ctx, tx); err != nil {
		return err
	}
	for _, d := range made {
		if err := commitDelivery(ctx, tx, d, actor); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbox) deliveries(ctx context.Context, document ID) (out []Delivery, err error) {
	err = o.Store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.DeliveriesOf(ctx, document)
		return err
	})
	return out, err
}
