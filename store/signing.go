package store

import (
	"context"

	"antin/exchange"
)

// CreateSigning implements exchange.SigningRows.
func (t *tx) CreateSigning(ctx context.Context, s exchange.Signing) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO signing (id, agency, subject, kind, done, version, body) VALUES ($1, $2, $3, $4, $5, 1, $6)`,
		s.ID, s.Agency, s.Subject, s.Kind, micros(s.Done.At), body)
}

// SaveSigning implements exchange.SigningRows.
func (t *tx) SaveSigning(ctx context.Context, s exchange.Signing) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	return t.save(ctx, s.ID, `UPDATE signing SET done = $1, body = $2, version = version + 1 WHERE id = $3 AND version = $4`,
		micros(s.Done.At), body, s.ID, s.Version)
}

func signing(r row[exchange.Signing]) exchange.Signing {
	r.body.Version = r.version
	return r.body
}

// Signing implements exchange.SigningRows.
func (t *tx) Signing(ctx context.Context, id exchange.ID) (exchange.Signing, error) {
	r, err := one[exchange.Signing](ctx, t, `SELECT body, version FROM signing WHERE id = $1`, id)
	return signing(r), err
}

// OpenSigning implements exchange.SigningRows.
func (t *tx) OpenSigning(ctx context.Context, subject exchange.ID, kind exchange.SigningKind) (exchange.Signing, error) {
	r, err := one[exchange.Signing](ctx, t,
		`SELECT body, version FROM signing WHERE subject = $1 AND kind = $2 AND done = 0 ORDER BY id DESC LIMIT 1`, subject, kind)
	return signing(r), err
}

// DropSignings implements exchange.SigningRows.
func (t *tx) DropSignings(ctx context.Context, subject exchange.ID, kind exchange.SigningKind) error {
	_, err := t.ExecContext(ctx, `DELETE FROM signing WHERE subject = $1 AND kind = $2 AND done = 0`, subject, kind)
	return err
}
