package store

import (
	"context"
	"errors"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// open is the condition on deliveries still to be tried; it is that of the index.
const open = `state IN ('READY', 'UNKNOWN_EXPIRED')`

// CreateDelivery implements exchange.DeliveryRows.
func (t *tx) CreateDelivery(ctx context.Context, d exchange.Delivery) error {
	body, err := encode(d)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, `INSERT INTO delivery (id, agency, receiver, subject, transfer_id, state, priority, next_at, version, body, trace_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)`,
		d.ID, d.Agency, d.To, d.Subject, d.TransferID, d.State, d.Priority, micros(d.NextAt), body, d.Trace.ID()); err != nil {
		return err
	}
	if err := t.touchSubject(ctx, d); err != nil {
		return err
	}
	return t.refer(ctx, string(d.ID), d.Blobs())
}

// SaveDelivery implements exchange.DeliveryRows.
func (t *tx) SaveDelivery(ctx context.Context, d exchange.Delivery) error {
	body, err := encode(d)
	if err != nil {
		return err
	}
	if err := t.save(ctx, d.ID, `UPDATE delivery SET state = $1, next_at = $2, body = $3, version = version + 1 WHERE id = $4 AND version = $5`,
		d.State, micros(d.NextAt), body, d.ID, d.Version); err != nil {
		return err
	}
	return t.touchSubject(ctx, d)
}

// touchSubject touches what d is about, unless that is d itself.
func (t *tx) touchSubject(ctx context.Context, d exchange.Delivery) error {
	if d.Subject == d.ID {
		return nil
	}
	return t.touch(ctx, d.Subject)
}

func delivery(r row[exchange.Delivery]) exchange.Delivery {
	r.body.Version = r.version
	return r.body
}

// Delivery implements exchange.DeliveryRows.
func (t *tx) Delivery(ctx context.Context, id exchange.ID) (exchange.Delivery, error) {
	r, err := one[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery WHERE id = $1`, id)
	return delivery(r), err
}

// DeliveriesOf implements exchange.DeliveryRows.
func (t *tx) DeliveriesOf(ctx context.Context, subject exchange.ID) ([]exchange.Delivery, error) {
	rows, err := many[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery WHERE subject = $1 ORDER BY id`, subject)
	return each(rows, delivery), err
}

// Lane implements exchange.LaneRows.
func (t *tx) Lane(ctx context.Context, l exchange.Lane) (exchange.LaneState, error) {
	r, err := one[exchange.LaneState](ctx, t, `SELECT body, 0 FROM lane WHERE agency = $1 AND receiver = $2`, l.From, l.To)
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return exchange.LaneState{Lane: l}, nil
	}
	return r.body, err
}

// SaveLane implements exchange.LaneRows.
func (t *tx) SaveLane(ctx context.Context, s exchange.LaneState) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO lane (agency, receiver, body) VALUES ($1, $2, $3)
		ON CONFLICT (agency, receiver) DO UPDATE SET body = excluded.body`, s.Lane.From, s.Lane.To, body)
	return err
}

// NextInLane implements exchange.LaneRows.
func (t *tx) NextInLane(ctx context.Context, l exchange.Lane) (time.Time, bool, error) {
	var at *int64
	err := t.QueryRowContext(ctx, `SELECT min(next_at) FROM delivery WHERE agency = $1 AND receiver = $2 AND `+open, l.From, l.To).Scan(&at)
	if err != nil || at == nil {
		return time.Time{}, false, err
	}
	return fromMicros(*at), true, nil
}
