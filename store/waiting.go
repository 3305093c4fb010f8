package store

import (
	"context"

	"antin/exchange"
)

// CountInbox implements exchange.InboxRows.
func (t *tx) CountInbox(ctx context.Context, agency exchange.AgencyCode, kind exchange.TransferKind, state exchange.InboxState, limit int) (n int, err error) {
	err = t.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM inbox WHERE agency = $1 AND kind = $2 AND state = $3 LIMIT $4) AS found`,
		agency, kind, state, limit).Scan(&n)
	return n, err
}
