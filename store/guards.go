package store

import (
	"context"
	"database/sql"
	"errors"

	"antin/exchange"
)

// Mark implements exchange.MarkRows.
func (t *tx) Mark(ctx context.Context, agency exchange.AgencyCode, name string) (body []byte, err error) {
	err = t.QueryRowContext(ctx, `SELECT body FROM mark WHERE agency = $1 AND name = $2`, agency, name).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return body, err
}

// SetMark implements exchange.MarkRows.
func (t *tx) SetMark(ctx context.Context, agency exchange.AgencyCode, name string, body []byte) error {
	if body == nil {
		_, err := t.ExecContext(ctx, `DELETE FROM mark WHERE agency = $1 AND name = $2`, agency, name)
		return err
	}
	_, err := t.ExecContext(ctx, `INSERT INTO mark (agency, name, body) VALUES ($1, $2, $3)
		ON CONFLICT (agency, name) DO UPDATE SET body = excluded.body`, agency, name, body)
	return err
}

// AddSeal implements exchange.SealRows.
func (t *tx) AddSeal(ctx context.Context, s exchange.EvidenceSeal) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO evidence_seal (agency, last, body) VALUES ($1, $2, $3)`, s.Agency, s.Last, body)
}

// Seals implements exchange.SealRows.
func (t *tx) Seals(ctx context.Context, agency exchange.AgencyCode, after int64, limit int) ([]exchange.EvidenceSeal, error) {
	rows, err := many[exchange.EvidenceSeal](ctx, t, `SELECT body, 0 FROM evidence_seal WHERE agency = $1 AND last > $2 ORDER BY last LIMIT $3`,
		agency, after, limit)
	return each(rows, func(r row[exchange.EvidenceSeal]) exchange.EvidenceSeal { return r.body }), err
}

// LastSeal implements exchange.SealRows.
func (t *tx) LastSeal(ctx context.Context, agency exchange.AgencyCode) (exchange.EvidenceSeal, error) {
	rows, err := many[exchange.EvidenceSeal](ctx, t, `SELECT body, 0 FROM evidence_seal WHERE agency = $1 ORDER BY last DESC LIMIT 1`, agency)
	if err != nil || len(rows) == 0 {
		return exchange.EvidenceSeal{}, err
	}
	return rows[0].body, nil
}
