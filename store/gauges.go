package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// Gauges are the numbers that monitoring watches.
type Gauges struct {
	Deliveries map[string]int       // by state
	Oldest     map[string]time.Time // by receiver: the oldest delivery that still waits for it
	Inbox      map[string]int       // incoming items by state
	Sessions   int                  // in force
}

// Gauges counts what is there. It reads indexes, and the table of deliveries once.
func (db *DB) Gauges(ctx context.Context) (g Gauges, err error) {
	if g.Deliveries, err = db.counts(ctx, `SELECT state, count(*) FROM delivery GROUP BY state`); err != nil {
		return g, err
	}
	if g.Inbox, err = db.counts(ctx, `SELECT state, count(*) FROM inbox GROUP BY state`); err != nil {
		return g, err
	}
	g.Oldest = map[string]time.Time{}
	rows, err := db.read.QueryContext(ctx, `SELECT receiver, body FROM delivery WHERE id IN
		(SELECT min(id) FROM delivery WHERE state IN ('READY', 'UNKNOWN_EXPIRED') GROUP BY receiver)`)
	if err != nil {
		return g, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var receiver string
		var body []byte
		if err := rows.Scan(&receiver, &body); err != nil {
			return g, err
		}
		var d struct {
			CreatedAt time.Time `json:"created_at"`
		}
		if err := json.Unmarshal(body, &d); err != nil {
			return g, err
		}
		g.Oldest[receiver] = d.CreatedAt
	}
	if err := rows.Err(); err != nil {
		return g, err
	}
	err = db.read.QueryRowContext(ctx, `SELECT count(*) FROM session WHERE expires_at > $1`, db.opts.Now().UnixMicro()).Scan(&g.Sessions)
	return g, err
}

func (db *DB) counts(ctx context.Context, query string) (map[string]int, error) {
	rows, err := db.read.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		out[state] = n
	}
	return out, rows.Err()
}

// QuickCheck has the engine look over the database's pages; an error says what is damaged.
func (db *DB) QuickCheck(ctx context.Context) error {
	if db.Shared() {
		return db.checkPostgres(ctx)
	}
	var word string
	err := db.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&word)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	case word != "ok":
		return errors.New(word)
	}
	return nil
}

// Pools returns the state of the pools of connections by their names, read and write.
func (db *DB) Pools() map[string]sql.DBStats {
	return map[string]sql.DBStats{"read": db.read.Stats(), "write": db.write.Stats()}
}
