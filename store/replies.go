package store

import (
	"context"

	"antin/exchange"
)

// Reply implements exchange.ReplyRows.
func (t *tx) Reply(ctx context.Context, agency exchange.AgencyCode, key string) (exchange.Reply, error) {
	r, err := one[exchange.Reply](ctx, t, `SELECT body, 0 FROM reply WHERE agency = $1 AND key = $2`, agency, key)
	return r.body, err
}

// SaveReply implements exchange.ReplyRows.
func (t *tx) SaveReply(ctx context.Context, r exchange.Reply) error {
	body, err := encode(r)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM reply WHERE at < $1`, micros(r.At.Add(-exchange.ReplyLife))); err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO reply (agency, key, at, body) VALUES ($1, $2, $3, $4)`, r.Agency, r.Key, micros(r.At), body)
}
