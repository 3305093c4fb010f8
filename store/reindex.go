package store

import (
	"context"
	"fmt"

	"antin/exchange"
)

// reindexBatch is how many rows are indexed in one transaction.
const reindexBatch = 200

// reindex notes the words and stage of rows that were written before lists could be
// searched. It goes on where an earlier start was stopped.
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
			return t.restage(ctx, listDocument, d.Agency, id, d.Issuance.Stage(), d.SearchWords())
		}},
		{listResult, func(t *tx, id exchange.ID) error {
			r, err := t.Result(ctx, id)
			if err != nil {
				return err
			}
			return t.restage(ctx, listResult, r.Agency, id, r.Issuance.Stage(), r.SearchWords())
		}},
	} {
		if err := db.reindexList(ctx, `SELECT id FROM `+list.name+` WHERE stage = '' LIMIT $1`, list.save); err != nil {
			return fmt.Errorf("indexing %s: %w", list.name, err)
		}
	}
	return nil
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
