package exchange

import (
	"context"
	"fmt"
	"io"

	"antin/internal/text"
)

// ReadyMessage is an edXML message that somebody else has made: it is sent as it is.
type ReadyMessage struct {
	To         AgencyCode
	DocumentID string // of the message's header; may be empty
	Number     string // full number; may be empty
	Priority   int
	Message    io.Reader // read to its end; the caller bounds it
	Key        string    // idempotency key; may be empty
}

// SendReady hands a ready message to its receiver: bytes, signed manifest, delivery
// and evidence are durable when it returns, and the worker delivers. The message is
// opaque; its receiver reads and judges it. The delivery is its own subject: no
// document of ours stands behind it. Errors: not-allowed, receiver-unknown,
// too-large, storage-full, idempotency-key-reused.
func (o *Outbox) SendReady(ctx context.Context, actor Actor, m ReadyMessage) (_ Delivery, err error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return Delivery{}, err
	}
	ctx, span := begin(ctx, o.Tracer, SpanSend, "")
	defer func() { span.End(err) }()
	office, err := gatewayOffice(ctx, o.Offices, actor.Agency)
	if err != nil {
		return Delivery{}, err
	}
	now := o.Now().UTC()
	to, err := o.receivers(ctx, actor.Agency, []AgencyCode{m.To}, now)
	if err != nil {
		return Delivery{}, err
	}
	var idem once
	if m.Key != "" {
		if idem, err = newOnce(actor.Agency, m.Key, "ready.send", m.To, m.DocumentID); err != nil {
			return Delivery{}, err
		}
		if id, ok, err := idem.seen(ctx, o.Store); ok || err != nil {
			return o.sentReady(ctx, id, err)
		}
	}
	ctx = Staged(ctx) // bytes and row in one commit
	message, err := o.Blobs.Put(ctx, m.Message)
	if err != nil {
		return Delivery{}, fmt.Errorf("storing ready message: %w", err)
	}
	if limit := to[0].MaxPayload; limit > 0 && message.Size > limit {
		return Delivery{}, text.Detailed(text.TooLarge, nil, "exchange.receiver-limit", string(m.To), int(limit>>20))
	}
	made, err := dispatch{from: actor.Agency, key: office.GatewayKey, kind: KindDocument, payload: message, documentID: m.DocumentID,
		number: m.Number, priority: m.Priority, now: now, expiry: o.expiry(m.Priority)}.deliveries(to)
	if err != nil {
		return Delivery{}, err
	}
	d := made[0]
	d.Subject = d.ID
	before := ID("")
	err = o.Store.Update(ctx, func(tx Tx) error {
		id, ok, err := idem.done(ctx, tx)
		if before = id; ok || err != nil {
			return err
		}
		if err := commitDelivery(ctx, tx, d, actor); err != nil {
			return err
		}
		return idem.keep(ctx, tx, d.ID, now)
	})
	if err == nil && before != "" { // another had the same key meanwhile
		return o.sentReady(ctx, before, nil)
	}
	return d, err
}

// sentReady returns the delivery that a message was handed over as before.
func (o *Outbox) sentReady(ctx context.Context, id ID, err error) (d Delivery, _ error) {
	if err != nil {
		return Delivery{}, err
	}
	err = o.Store.View(ctx, func(tx Tx) (err error) {
		d, err = tx.Delivery(ctx, id)
		return err
	})
	return d, err
}
