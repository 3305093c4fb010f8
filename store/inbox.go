package store

import (
	"context"
	"strings"

	"antin/exchange"
)

// CreateTransfer implements exchange.TransferRows.
func (t *tx) CreateTransfer(ctx context.Context, x exchange.Transfer) error {
	body, err := encode(x)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, `INSERT INTO transfer (recipient, sender, transfer_id, body) VALUES ($1, $2, $3, $4)`,
		x.Recipient, x.Sender, x.ID, body); err != nil {
		return err
	}
	return t.refer(ctx, string(x.ID), x.Blobs())
}

// Transfer implements exchange.TransferRows.
func (t *tx) Transfer(ctx context.Context, k exchange.TransferKey) (exchange.Transfer, error) {
	r, err := one[exchange.Transfer](ctx, t, `SELECT body, 0 FROM transfer WHERE recipient = $1 AND sender = $2 AND transfer_id = $3`,
		k.Recipient, k.Sender, k.ID)
	return r.body, err
}

// CreateInboxItem implements exchange.InboxRows.
func (t *tx) CreateInboxItem(ctx context.Context, i exchange.InboxItem) error {
	body, err := encode(i)
	if err != nil {
		return err
	}
	words := i.SearchWords()
	if err := t.insert(ctx, `INSERT INTO inbox (id, agency, sender, transfer_id, kind, state, header_from, document_id, version, body, updated, trace_id, words)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, $11, $12)`,
		i.ID, i.Agency, i.From, i.TransferID, i.Kind, i.State, i.Header.From, i.Header.DocumentID, body, micros(t.db.opts.Now()), i.Trace.ID(),
		strings.Join(words, " ")); err != nil {
		return err
	}
	if err := t.addWords(ctx, listInbox, i.Agency, i.ID, words); err != nil {
		return err
	}
	return t.refer(ctx, string(i.ID), i.Blobs())
}

// SaveInboxItem implements exchange.InboxRows.
func (t *tx) SaveInboxItem(ctx context.Context, i exchange.InboxItem) error {
	body, err := encode(i)
	if err != nil {
		return err
	}
	if err := t.save(ctx, i.ID, `UPDATE inbox SET state = $1, header_from = $2, document_id = $3, body = $4, updated = $5, version = version + 1
		WHERE id = $6 AND version = $7`, i.State, i.Header.From, i.Header.DocumentID, body, micros(t.db.opts.Now()), i.ID, i.Version); err != nil {
		return err
	}
	if err := t.index(ctx, listInbox, i.Agency, i.ID, i.SearchWords()); err != nil {
		return err
	}
	return t.refer(ctx, string(i.ID), i.Blobs())
}

func inboxItem(r row[exchange.InboxItem]) exchange.InboxItem {
	r.body.Version, r.body.UpdatedAt = r.version, fromMicros(r.updated)
	return r.body
}

// InboxItem implements exchange.InboxRows.
func (t *tx) InboxItem(ctx context.Context, id exchange.ID) (exchange.InboxItem, error) {
	r, err := one[exchange.InboxItem](ctx, t, `SELECT body, version, updated FROM inbox WHERE id = $1`, id)
	return inboxItem(r), err
}

// InboxItems implements exchange.InboxRows.
func (t *tx) InboxItems(ctx context.Context, agency exchange.AgencyCode, f exchange.InboxFilter) ([]exchange.InboxItem, error) {
	where := func(q *query) {
		if f.Kind != "" {
			q.add(` AND r.kind = %s`, f.Kind)
		}
		if f.State != "" {
			q.add(` AND r.state = %s`, f.State)
		}
		updatedAfter(q, listInbox, agency, f.UpdatedAfter)
	}
	if agency != "" {
		rows, err := listed[exchange.InboxItem](ctx, t, listInbox, agency, f.Page, f.Text, where)
		return each(rows, inboxItem), err
	}
	before, limit := page(f.Page)
	q := &query{}
	q.add(`SELECT body, version, updated FROM inbox r WHERE r.id < %s`, before)
	where(q)
	q.add(` ORDER BY r.id DESC LIMIT %s`, limit)
	rows, err := many[exchange.InboxItem](ctx, t, q.sql.String(), q.args...)
	return each(rows, inboxItem), err
}

// InboxByDocument implements exchange.InboxRows.
func (t *tx) InboxByDocument(ctx context.Context, agency, from exchange.AgencyCode, documentID string) ([]exchange.InboxItem, error) {
	rows, err := many[exchange.InboxItem](ctx, t, `SELECT body, version, updated FROM inbox
		WHERE agency = $1 AND header_from = $2 AND document_id = $3 AND document_id <> '' ORDER BY id`, agency, from, documentID)
	return each(rows, inboxItem), err
}
