package store

import (
	"context"
	"errors"

	"antin/exchange"
	"antin/internal/text"
)

// Handover implements exchange.HandoverRows.
func (t *tx) Handover(ctx context.Context, agency exchange.AgencyCode, name string) (exchange.Handover, error) {
	r, err := one[exchange.Handover](ctx, t, `SELECT body, 0 FROM handover WHERE agency = $1 AND name = $2`, agency, name)
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return exchange.Handover{Agency: agency, Name: name}, nil
	}
	return r.body, err
}

// SaveHandover implements exchange.HandoverRows.
func (t *tx) SaveHandover(ctx context.Context, h exchange.Handover) error {
	body, err := encode(h)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO handover (agency, name, body) VALUES ($1, $2, $3)
		ON CONFLICT (agency, name) DO UPDATE SET body = excluded.body`, h.Agency, h.Name, body)
	return err
}

// CreateWebhook implements exchange.WebhookRows.
func (t *tx) CreateWebhook(ctx context.Context, w exchange.Webhook) error {
	body, err := encode(w)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO webhook (id, agency, version, body) VALUES ($1, $2, 1, $3)`, w.ID, w.Agency, body)
}

// SaveWebhook implements exchange.WebhookRows.
func (t *tx) SaveWebhook(ctx context.Context, w exchange.Webhook) error {
	body, err := encode(w)
	if err != nil {
		return err
	}
	return t.save(ctx, w.ID, `UPDATE webhook SET body = $1, version = version + 1 WHERE id = $2 AND version = $3`, body, w.ID, w.Version)
}

func webhook(r row[exchange.Webhook]) exchange.Webhook {
	r.body.Version = r.version
	return r.body
}

// Webhook implements exchange.WebhookRows.
func (t *tx) Webhook(ctx context.Context, id exchange.ID) (exchange.Webhook, error) {
	r, err := one[exchange.Webhook](ctx, t, `SELECT body, version FROM webhook WHERE id = $1`, id)
	return webhook(r), err
}

// Webhooks implements exchange.WebhookRows.
func (t *tx) Webhooks(ctx context.Context, agency exchange.AgencyCode) ([]exchange.Webhook, error) {
	rows, err := many[exchange.Webhook](ctx, t, `SELECT body, version FROM webhook WHERE agency = $1 ORDER BY id`, agency)
	return each(rows, webhook), err
}

// ParkEvent implements exchange.WebhookRows.
func (t *tx) ParkEvent(ctx context.Context, p exchange.ParkedEvent) error {
	body, err := encode(p)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO webhook_parked (webhook, seq, body) VALUES ($1, $2, $3)
		ON CONFLICT (webhook, seq) DO UPDATE SET body = excluded.body`, p.Webhook, p.Seq, body)
	return err
}

// ParkedEvents implements exchange.WebhookRows.
func (t *tx) ParkedEvents(ctx context.Context, id exchange.ID, after int64, limit int) ([]exchange.ParkedEvent, error) {
	rows, err := many[exchange.ParkedEvent](ctx, t, `SELECT body, 0 FROM webhook_parked WHERE webhook = $1 AND seq > $2 ORDER BY seq LIMIT $3`, id, after, limit)
	return each(rows, value), err
}

// UnparkEvent implements exchange.WebhookRows.
func (t *tx) UnparkEvent(ctx context.Context, id exchange.ID, seq int64) error {
	_, err := t.ExecContext(ctx, `DELETE FROM webhook_parked WHERE webhook = $1 AND seq = $2`, id, seq)
	return err
}

// SubjectsByTrace implements exchange.FindRows.
func (t *tx) SubjectsByTrace(ctx context.Context, agency exchange.AgencyCode, trace string, limit int) (deliveries []exchange.Delivery, items []exchange.ID, err error) {
	rows, err := many[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery
		WHERE trace_id = $1 AND trace_id <> '' AND agency = $2 ORDER BY id LIMIT $3`, trace, agency, limit)
	if err != nil {
		return nil, nil, err
	}
	found, err := t.QueryContext(ctx, `SELECT id FROM inbox WHERE trace_id = $1 AND trace_id <> '' AND agency = $2 ORDER BY id LIMIT $3`, trace, agency, limit)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var id exchange.ID
		if err := found.Scan(&id); err != nil {
			return nil, nil, err
		}
		items = append(items, id)
	}
	return each(rows, delivery), items, found.Err()
}
