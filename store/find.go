package store

import (
	"context"

	"antin/exchange"
)

// DeliveriesByTransfer implements exchange.FindRows.
func (t *tx) DeliveriesByTransfer(ctx context.Context, agency exchange.AgencyCode, id exchange.TransferID) ([]exchange.Delivery, error) {
	rows, err := many[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery WHERE transfer_id = $1 AND agency = $2 ORDER BY id`, id, agency)
	return each(rows, delivery), err
}

// TransfersByID implements exchange.FindRows.
func (t *tx) TransfersByID(ctx context.Context, recipient exchange.AgencyCode, id exchange.TransferID) ([]exchange.Transfer, error) {
	rows, err := many[exchange.Transfer](ctx, t, `SELECT body, 0 FROM transfer WHERE transfer_id = $1 AND recipient = $2 ORDER BY sender`, id, recipient)
	return each(rows, value), err
}

// AddTrouble implements exchange.FindRows.
func (t *tx) AddTrouble(ctx context.Context, x exchange.Trouble, keep int) error {
	body, err := encode(x)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, `INSERT INTO trouble (agency, trace, at, body) VALUES ($1, $2, $3, $4)`, x.Agency, x.Trace, micros(x.At), body); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `DELETE FROM trouble WHERE agency = $1 AND at < (SELECT at FROM trouble WHERE agency = $1 ORDER BY at DESC LIMIT 1 OFFSET $2)`,
		x.Agency, keep-1)
	return err
}

// Trouble implements exchange.FindRows.
func (t *tx) Trouble(ctx context.Context, agency exchange.AgencyCode, trace string) (exchange.Trouble, error) {
	r, err := one[exchange.Trouble](ctx, t, `SELECT body, 0 FROM trouble WHERE agency = $1 AND trace = $2`, agency, trace)
	return r.body, err
}
