package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// uploadOwner names an upload in blob_ref.
func uploadOwner(k exchange.UploadKey) string { return "up>" + string(k.Sender) + ">" + string(k.ID) }

// CreateUpload implements exchange.UploadRows.
func (t *tx) CreateUpload(ctx context.Context, u exchange.Upload) error {
	body, err := encode(u)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO upload (sender, transfer_id, size, touched, body) VALUES ($1, $2, $3, $4, $5)`,
		u.Sender, u.ID, u.Size, micros(u.OpenedAt), body)
}

// Upload implements exchange.UploadRows.
func (t *tx) Upload(ctx context.Context, k exchange.UploadKey) (exchange.Upload, error) {
	r, err := one[exchange.Upload](ctx, t, `SELECT body, 0 FROM upload WHERE sender = $1 AND transfer_id = $2`, k.Sender, k.ID)
	return r.body, err
}

// AddPiece implements exchange.UploadRows.
func (t *tx) AddPiece(ctx context.Context, k exchange.UploadKey, p exchange.Piece, at time.Time) error {
	body, err := encode(p)
	if err != nil {
		return err
	}
	res, err := t.ExecContext(ctx, `UPDATE upload SET touched = $1 WHERE sender = $2 AND transfer_id = $3`, micros(at), k.Sender, k.ID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, text.Errorf(text.NotFound, fmt.Errorf("no upload %s", k.ID)))
	}
	if err := t.insert(ctx, `INSERT INTO upload_piece (sender, transfer_id, at_byte, body) VALUES ($1, $2, $3, $4)`,
		k.Sender, k.ID, p.Offset, body); err != nil {
		return err
	}
	return t.refer(ctx, uploadOwner(k), []exchange.Blob{p.Blob})
}

// Pieces implements exchange.UploadRows.
func (t *tx) Pieces(ctx context.Context, k exchange.UploadKey) ([]exchange.Piece, error) {
	rows, err := many[exchange.Piece](ctx, t, `SELECT body, 0 FROM upload_piece WHERE sender = $1 AND transfer_id = $2 ORDER BY at_byte`, k.Sender, k.ID)
	return each(rows, func(r row[exchange.Piece]) exchange.Piece { return r.body }), err
}

// DropUpload implements exchange.UploadRows.
func (t *tx) DropUpload(ctx context.Context, k exchange.UploadKey) error {
	pieces, err := t.Pieces(ctx, k)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if _, err := t.ExecContext(ctx, `DELETE FROM blob_ref WHERE digest = $1 AND owner = $2`, p.Blob.Digest, uploadOwner(k)); err != nil {
			return err
		}
	}
	for _, q := range []string{`DELETE FROM upload_piece WHERE sender = $1 AND transfer_id = $2`, `DELETE FROM upload WHERE sender = $1 AND transfer_id = $2`} {
		if _, err := t.ExecContext(ctx, q, k.Sender, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// OpenUploads implements exchange.UploadRows.
func (t *tx) OpenUploads(ctx context.Context, sender exchange.AgencyCode, before time.Time) (open int, bytes int64, old []exchange.UploadKey, err error) {
	err = t.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(size), 0) FROM upload WHERE sender = $1`, sender).Scan(&open, &bytes)
	if err != nil || open == 0 {
		return 0, 0, nil, err
	}
	old, err = t.uploadKeys(ctx, `SELECT sender, transfer_id FROM upload WHERE sender = $1 AND touched < $2 ORDER BY touched, transfer_id`, sender, micros(before))
	return open, bytes, old, err
}

// OldUploads implements exchange.UploadRows.
func (t *tx) OldUploads(ctx context.Context, before time.Time, limit int) ([]exchange.UploadKey, error) {
	return t.uploadKeys(ctx, `SELECT sender, transfer_id FROM upload WHERE touched < $1 ORDER BY touched, sender, transfer_id LIMIT $2`, micros(before), limit)
}

func (t *tx) uploadKeys(ctx context.Context, query string, args ...any) (out []exchange.UploadKey, err error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var k exchange.UploadKey
		if err := rows.Scan(&k.Sender, &k.ID); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// AddSettled implements exchange.SettledRows.
func (t *tx) AddSettled(ctx context.Context, s exchange.Settled) error {
	_, err := t.ExecContext(ctx, `INSERT INTO settled (agency, peer, outgoing, at, transfer_id, receipt) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, s.Agency, s.Peer, bit(s.Outgoing), micros(s.At), s.ID, s.Receipt)
	return err
}

// SettledOf implements exchange.SettledRows.
func (t *tx) SettledOf(ctx context.Context, q exchange.SettledQuery) (out []exchange.Settled, err error) {
	from := max(micros(q.From), micros(q.AfterAt))
	rows, err := t.QueryContext(ctx, `SELECT at, transfer_id, receipt FROM settled
		WHERE agency = $1 AND peer = $2 AND outgoing = $3 AND at >= $4 AND at < $5 AND (at > $6 OR transfer_id > $7)
		ORDER BY at, transfer_id LIMIT $8`,
		q.Agency, q.Peer, bit(q.Outgoing), from, micros(q.To), micros(q.AfterAt), q.After, q.Limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		s := exchange.Settled{Agency: q.Agency, Peer: q.Peer, Outgoing: q.Outgoing}
		var at int64
		if err := rows.Scan(&at, &s.ID, &s.Receipt); err != nil {
			return nil, err
		}
		s.At = fromMicros(at)
		out = append(out, s)
	}
	return out, rows.Err()
}

// DeliveryOf implements exchange.SettledRows.
func (t *tx) DeliveryOf(ctx context.Context, agency, to exchange.AgencyCode, id exchange.TransferID) (exchange.Delivery, error) {
	r, err := one[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery WHERE receiver = $1 AND agency = $2 AND transfer_id = $3`, to, agency, id)
	return delivery(r), err
}

// WaitingFor implements exchange.SettledRows.
func (t *tx) WaitingFor(ctx context.Context, to exchange.AgencyCode, after exchange.ID, limit int) ([]exchange.Delivery, error) {
	rows, err := many[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery
		WHERE receiver = $1 AND id > $2 AND `+open+` ORDER BY id LIMIT $3`, to, after, limit)
	return each(rows, delivery), err
}

// Open is DB.Open, beside whatever process works in the directory.
func (r *Reader) Open(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	return r.db.Open(ctx, d)
}
