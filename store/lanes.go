package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// exceptStep rounds the ids that a lane's query leaves out.
const exceptStep = 16

// DueDeliveries implements exchange.DeliveryRows.
func (t *tx) DueDeliveries(ctx context.Context, l exchange.Lane, now time.Time, limit int, except ...exchange.ID) ([]exchange.Delivery, error) {
	q := &query{}
	q.add(`SELECT body, version FROM delivery WHERE agency = %s`, l.From)
	q.add(` AND receiver = %s`, l.To)
	q.add(` AND next_at <= %s AND `+open, micros(now))
	for len(except)%exceptStep != 0 { // few different texts, which are prepared once
		except = append(except, "")
	}
	for i, id := range except {
		if i == 0 {
			q.add(` AND id NOT IN (%s`, id)
		} else {
			q.add(`, %s`, id)
		}
	}
	if len(except) > 0 {
		q.sql.WriteByte(')')
	}
	q.add(` ORDER BY priority DESC, id LIMIT %s`, limit)
	rows, err := many[exchange.Delivery](ctx, t, q.sql.String(), q.args...)
	return each(rows, delivery), err
}

// OpenLanes implements exchange.LaneRows. It takes one step in the index for each
// lane, however many deliveries wait in it.
func (t *tx) OpenLanes(ctx context.Context) (out []exchange.DueLane, err error) {
	var at exchange.Lane
	for {
		var d exchange.DueLane
		var due int64
		err := t.QueryRowContext(ctx, `SELECT agency, receiver, next_at FROM delivery
			WHERE (agency, receiver) > ($1, $2) AND `+open+` ORDER BY agency, receiver, next_at LIMIT 1`, at.From, at.To).
			Scan(&d.Lane.From, &d.Lane.To, &due)
		if errors.Is(err, sql.ErrNoRows) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		at = d.Lane
		s, err := t.Lane(ctx, d.Lane)
		if err != nil {
			return nil, err
		}
		if s.Held.Done() {
			continue
		}
		if d.At = fromMicros(due); s.RetryAt.After(d.At) {
			d.At = s.RetryAt
		}
		out = append(out, d)
	}
}

// NextPlace implements exchange.LanePlaceRows.
func (t *tx) NextPlace(ctx context.Context, l exchange.Lane, class exchange.TransferKind) (p exchange.LanePlace, err error) {
	err = t.QueryRowContext(ctx, `INSERT INTO lane_place (agency, receiver, class, epoch, seq) VALUES ($1, $2, $3, 1, 1)
		ON CONFLICT (agency, receiver, class) DO UPDATE SET seq = lane_place.seq + 1 RETURNING epoch, seq`, l.From, l.To, class).Scan(&p.Epoch, &p.Seq)
	return p, err
}

// LaneOrder implements exchange.LanePlaceRows.
func (t *tx) LaneOrder(ctx context.Context, recipient, sender exchange.AgencyCode, class exchange.TransferKind) (exchange.LaneOrder, error) {
	r, err := one[exchange.LaneOrder](ctx, t, `SELECT body, 0 FROM lane_order WHERE recipient = $1 AND sender = $2 AND class = $3`, recipient, sender, class)
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return exchange.LaneOrder{Recipient: recipient, Sender: sender, Class: class}, nil
	}
	return r.body, err
}

// SaveLaneOrder implements exchange.LanePlaceRows.
func (t *tx) SaveLaneOrder(ctx context.Context, o exchange.LaneOrder) error {
	body, err := encode(o)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO lane_order (recipient, sender, class, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (recipient, sender, class) DO UPDATE SET body = excluded.body`, o.Recipient, o.Sender, o.Class, body)
	return err
}

// RaiseEpochs implements exchange.LanePlaceRows.
func (t *tx) RaiseEpochs(ctx context.Context) error {
	_, err := t.ExecContext(ctx, `UPDATE lane_place SET epoch = epoch + 1, seq = 0`)
	return err
}
