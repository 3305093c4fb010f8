package store

import (
	"context"
	"database/sql"
	"errors"

	"antin/exchange"
)

// EvidenceAgencies implements exchange.AuditRows, by one step in the index for each.
func (t *tx) EvidenceAgencies(ctx context.Context) (out []exchange.AgencyCode, err error) {
	var at exchange.AgencyCode
	for {
		err := t.QueryRowContext(ctx, `SELECT agency FROM event WHERE agency > $1 ORDER BY agency LIMIT 1`, at).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
}

// DeliveriesAfter implements exchange.AuditRows.
func (t *tx) DeliveriesAfter(ctx context.Context, agency exchange.AgencyCode, after exchange.ID, limit int) ([]exchange.Delivery, error) {
	rows, err := many[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery WHERE id > $1 AND agency = $2 ORDER BY id LIMIT $3`, after, agency, limit)
	return each(rows, delivery), err
}

// TransfersAfter implements exchange.AuditRows.
func (t *tx) TransfersAfter(ctx context.Context, recipient, sender exchange.AgencyCode, after exchange.TransferID, limit int) ([]exchange.Transfer, error) {
	rows, err := many[exchange.Transfer](ctx, t, `SELECT body, 0 FROM transfer WHERE recipient = $1 AND (sender, transfer_id) > ($2, $3)
		ORDER BY sender, transfer_id LIMIT $4`, recipient, sender, after, limit)
	return each(rows, value), err
}

// Verify reads the bytes of d again; see exchange.Blobs.
func (r *Reader) Verify(ctx context.Context, d exchange.Digest) error { return r.db.Verify(ctx, d) }
