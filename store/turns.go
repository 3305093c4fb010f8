package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"antin/exchange"
)

// TakeTurn implements exchange.TurnRows.
func (t *tx) TakeTurn(ctx context.Context, kind exchange.JobKind, key, owner string, now, until time.Time) (fence int64, ok bool, err error) {
	var holder string
	var ends int64
	err = t.QueryRowContext(ctx, `SELECT owner, until, fence FROM turn WHERE kind = $1 AND key = $2`, kind, key).Scan(&holder, &ends, &fence)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return 0, false, err
	case holder == owner:
		_, err = t.ExecContext(ctx, `UPDATE turn SET until = $1 WHERE kind = $2 AND key = $3`, micros(until), kind, key)
		return fence, err == nil, err
	case ends > micros(now):
		return 0, false, nil
	}
	if err := t.QueryRowContext(ctx, `UPDATE fence SET n = n + 1 RETURNING n`).Scan(&fence); err != nil {
		return 0, false, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO turn (kind, key, owner, until, fence) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, key) DO UPDATE SET owner = excluded.owner, until = excluded.until, fence = excluded.fence`,
		kind, key, owner, micros(until), fence)
	return fence, err == nil, err
}

// HoldsTurn implements exchange.TurnRows.
func (t *tx) HoldsTurn(ctx context.Context, kind exchange.JobKind, key string, fence int64) (bool, error) {
	var n int
	err := t.QueryRowContext(ctx, `SELECT count(*) FROM turn WHERE kind = $1 AND key = $2 AND fence = $3`, kind, key, fence).Scan(&n)
	return n > 0, err
}

// EndTurn implements exchange.TurnRows.
func (t *tx) EndTurn(ctx context.Context, kind exchange.JobKind, key string, fence int64) error {
	_, err := t.ExecContext(ctx, `DELETE FROM turn WHERE kind = $1 AND key = $2 AND fence = $3`, kind, key, fence)
	return err
}
