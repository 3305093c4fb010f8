package store

import (
	"context"
	"encoding/json"
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
	if err := t.insert(ctx, `INSERT INTO delivery (id, agency, receiver, subject, transfer_id, state, priority, next_at, version, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)`,
		d.ID, d.Agency, d.To, d.Subject, d.TransferID, d.State, d.Priority, micros(d.NextAt), body); err != nil {
		return err
	}
	if err := t.touch(ctx, d.Subject); err != nil {
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

// DueDeliveries implements exchange.DeliveryRows.
func (t *tx) DueDeliveries(ctx context.Context, l exchange.Lane, now time.Time, limit int) ([]exchange.Delivery, error) {
	rows, err := many[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery
		WHERE agency = $1 AND receiver = $2 AND next_at <= $3 AND `+open+` ORDER BY priority DESC, id LIMIT $4`,
		l.From, l.To, micros(now), limit)
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

// OpenLanes implements exchange.LaneRows.
func (t *tx) OpenLanes(ctx context.Context) (out []exchange.DueLane, err error) {
	rows, err := t.QueryContext(ctx, `SELECT d.agency, d.receiver, min(d.next_at), coalesce(l.body, '{}') FROM delivery d
		LEFT JOIN lane l ON l.agency = d.agency AND l.receiver = d.receiver
		WHERE d.`+open+` GROUP BY d.agency, d.receiver, l.body`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d exchange.DueLane
		var s exchange.LaneState
		var at int64
		var body []byte
		if err := rows.Scan(&d.Lane.From, &d.Lane.To, &at, &body); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, &s); err != nil {
			return nil, err
		}
		if d.At = fromMicros(at); s.RetryAt.After(d.At) {
			d.At = s.RetryAt
		}
		out = append(out, d)
	}
	return out, rows.Err()
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
