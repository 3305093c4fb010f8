package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// tx is one transaction as exchange sees it.
type tx struct {
	*sql.Tx
	db *DB
	b  *batch // nil when it only reads
	// grown are the agencies whose evidence log has grown in it, with what is last now.
	grown map[exchange.AgencyCode]exchange.Event
	// here are the blobs whose rows it has written itself.
	here map[exchange.Digest]bool
	// woken are the jobs that a worker of this process is to have after the commit.
	woken []exchange.Job
}

// Update implements exchange.Store.
func (db *DB) Update(ctx context.Context, fn func(exchange.Tx) error) error {
	checked, committed := exchange.Expected(ctx, fn)
	stage := exchange.KeptUnder(ctx)
	err := db.update(ctx, func(t *tx) error {
		if err := t.putKept(ctx, stage); err != nil {
			return err
		}
		return checked(t)
	})
	if err != nil {
		return err
	}
	stage.Written()
	committed()
	return nil
}

// update is Update for the store itself. What fails for no reason of fn's is tried
// again, as long as it is certain that nothing was committed.
func (db *DB) update(ctx context.Context, fn func(t *tx) error) error {
	for try := 1; ; try++ {
		x := &tx{db: db}
		err := db.writers.do(ctx, func(b *batch) error {
			x.Tx, x.b = b.tx, b
			if err := fn(x); err != nil {
				return err
			}
			maps.Copy(b.last, x.grown)
			return nil
		})
		err = db.engine.within(err)
		if err == nil {
			x.tell()
			return nil
		}
		if try >= updateTries || !db.passing(err) || !pause(ctx, try) {
			return diskError(err)
		}
	}
}

// updateTries bounds how often an update is tried, and backOff, doubled each time, what
// lies between: together less than a second, since a caller waits.
const (
	updateTries = 6
	backOff     = 10 * time.Millisecond
)

// passing reports whether err may be another's fault and gone the next time.
func (db *DB) passing(err error) bool {
	return errors.Is(err, errBatch) || db.engine.passing(err)
}

// pause waits before try number try+1, longer each time and never the same for two; it
// is false when ctx has ended.
func pause(ctx context.Context, try int) bool {
	wait := backOff << try
	timer := time.NewTimer(wait/2 + rand.N(wait/2)) //nolint:gosec // only to part those who wait
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// wrote notes that the row of d was written in t.
func (t *tx) wrote(d exchange.Digest) {
	if t.here == nil {
		t.here = map[exchange.Digest]bool{}
	}
	t.here[d] = true
}

// tell says outside, after the commit, what has happened in it.
func (t *tx) tell() {
	for agency := range t.grown {
		t.db.opts.OnEvent(agency)
	}
	for _, j := range t.woken {
		t.db.opts.Wake(j)
	}
}

// View implements exchange.Store.
func (db *DB) View(ctx context.Context, fn func(exchange.Tx) error) error {
	t, err := db.read.BeginTx(ctx, db.engine.view)
	if err != nil {
		return diskError(fmt.Errorf("beginning to read: %w", err))
	}
	defer func() { _ = t.Rollback() }()
	return diskError(db.engine.within(fn(&tx{Tx: t, db: db})))
}

// unbroken is the context of a statement. In an update none is broken off: SQLite would
// give up the transaction, PostgreSQL's driver the connection, and others stand in both.
func (t *tx) unbroken(ctx context.Context) context.Context {
	if t.b == nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// ExecContext is sql.Tx.ExecContext.
func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.Tx.ExecContext(t.unbroken(ctx), query, args...)
}

// QueryContext is sql.Tx.QueryContext.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.Tx.QueryContext(t.unbroken(ctx), query, args...)
}

// QueryRowContext is sql.Tx.QueryRowContext.
func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.Tx.QueryRowContext(t.unbroken(ctx), query, args...)
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
