package store

import (
	"context"
	"fmt"
	"time"

	"antin/exchange"
)

// reindexBatch is how many rows are filled in in one transaction.
const reindexBatch = 200

// reindex notes of rows that an earlier version of the program wrote what it did not
// note yet: words, stage, and when they changed. It goes on where an earlier start was
// stopped.
func (db *DB) reindex(ctx context.Context) error {
	for _, list := range []struct {
		name string
		save func(t *tx, id exchange.ID) error
	}{
		{listDocument, func(t *tx, id exchange.ID) error {
			d, err := t.Document(ctx, id)
			if err != nil {
				return err
			}
			if err := t.fill(ctx, listDocument, id, d.CreatedAt); err != nil {
				return err
			}
			return t.restage(ctx, listDocument, d.Agency, id, d.Issuance.Stage(), d.SearchWords())
		}},
		{listResult, func(t *tx, id exchange.ID) error {
			r, err := t.Result(ctx, id)
			if err != nil {
				return err
			}
			if err := t.fill(ctx, listResult, id, r.CreatedAt); err != nil {
				return err
			}
			return t.restage(ctx, listResult, r.Agency, id, r.Issuance.Stage(), r.SearchWords())
		}},
		{listInbox, func(t *tx, id exchange.ID) error {
			i, err := t.InboxItem(ctx, id)
			if err != nil {
				return err
			}
			if err := t.fill(ctx, listInbox, id, i.ReceivedAt); err != nil {
				return err
			}
			return t.index(ctx, listInbox, i.Agency, id, i.SearchWords())
		}},
	} {
		if err := db.reindexList(ctx, `SELECT id FROM `+list.name+` WHERE updated = 0 LIMIT $1`, list.save); err != nil {
			return fmt.Errorf("indexing %s: %w", list.name, err)
		}
	}
	return nil
}

// fill says of a row of which it is not known when it changed that it is as old as
// its beginning; a row without one counts as changed at the first moment there is.
func (t *tx) fill(ctx context.Context, list string, id exchange.ID, began time.Time) error {
	_, err := t.ExecContext(ctx, `UPDATE `+list+` SET updated = $1 WHERE id = $2`, max(micros(began), 1), id)
	return err
}

func (t *tx) restage(ctx context.Context, list string, agency exchange.AgencyCode, id exchange.ID, stage exchange.Stage, words []string) error {
	if _, err := t.ExecContext(ctx, `UPDATE `+list+` SET stage = $1 WHERE id = $2`, stage, id); err != nil {
		return err
	}
	return t.index(ctx, list, agency, id, words)
}

func (db *DB) reindexList(ctx context.Context, query string, save func(t *tx, id exchange.ID) error) error {
	for {
		n := 0
		err := db.Update(ctx, func(x exchange.Tx) error {
			t := x.(*tx) //nolint:forcetypeassert // our own Update
			ids, err := t.ids(ctx, query, reindexBatch)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := save(t, id); err != nil {
					return err
				}
			}
			n = len(ids)
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// ids returns the rows of a query whose one column is an id.
func (t *tx) ids(ctx context.Context, query string, args ...any) (out []exchange.ID, err error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id exchange.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
