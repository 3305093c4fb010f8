package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// tx is one transaction as exchange sees it.
type tx struct {
	*sql.Tx
	db *DB
	// grown are the agencies whose evidence log has grown in it.
	grown map[exchange.AgencyCode]bool
}

// Update implements exchange.Store.
func (db *DB) Update(ctx context.Context, fn func(exchange.Tx) error) error {
	t, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return diskError(fmt.Errorf("beginning transaction: %w", err))
	}
	defer func() { _ = t.Rollback() }() // after Commit it does nothing
	checked, committed := exchange.Expected(ctx, fn)
	x := &tx{Tx: t, db: db}
	if err := checked(x); err != nil {
		return diskError(err)
	}
	if err := t.Commit(); err != nil {
		return diskError(fmt.Errorf("committing: %w", err))
	}
	committed()
	for agency := range x.grown {
		db.opts.OnEvent(agency)
	}
	return nil
}

// View implements exchange.Store.
func (db *DB) View(ctx context.Context, fn func(exchange.Tx) error) error {
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer func() { _ = t.Rollback() }()
	return fn(&tx{Tx: t, db: db})
}

// micros is a time as a column holds it; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encoding %T: %w", v, err)
	}
	return string(b), nil
}

// insert runs an INSERT … ON CONFLICT DO NOTHING and returns exchange.ErrExists
// when it added nothing.
func (t *tx) insert(ctx context.Context, query string, args ...any) error {
	res, err := t.ExecContext(ctx, query+" ON CONFLICT DO NOTHING", args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return exchange.ErrExists
	}
	return nil
}

// save runs an UPDATE that names the version read; state-conflict when the row is
// of another version.
func (t *tx) save(ctx context.Context, id exchange.ID, query string, args ...any) error {
	res, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return text.Errorf(text.StateConflict, fmt.Errorf("%s changed since it was read", id))
	}
	return nil
}

// row is a body with its version as a query returns them.
type row[T any] struct {
	body    T
	version int
	updated int64 // where the query has that column too
}

// one returns the only row of query, whose columns are body, version and perhaps updated; not-found
// when there is none.
func one[T any](ctx context.Context, t *tx, query string, args ...any) (row[T], error) {
	rows, err := many[T](ctx, t, query, args...)
	if err != nil {
		return row[T]{}, err
	}
	if len(rows) == 0 {
		return row[T]{}, text.Errorf(text.NotFound, nil)
	}
	return rows[0], nil
}

// many returns the rows of query, whose columns are body, version and perhaps updated.
func many[T any](ctx context.Context, t *tx, query string, args ...any) (out []row[T], err error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var r row[T]
		var body []byte
		if err := rows.Scan([]any{&body, &r.version, &r.updated}[:min(len(columns), 3)]...); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, &r.body); err != nil {
			return nil, fmt.Errorf("decoding %T: %w", r.body, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// page returns the bounds of p: ids below before, at most limit.
func page(p exchange.Page) (before string, limit int) {
	before, limit = string(p.After), p.Limit
	if before == "" {
		before = "~" // behind every id
	}
	switch {
	case limit <= 0:
		limit = defaultPage
	case limit > maxPage:
		limit = maxPage
	}
	return before, limit
}

// The lengths of a page of a list.
const (
	defaultPage = 100
	maxPage     = 500 // what one answer may hold
)
