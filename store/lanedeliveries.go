package store

import (
	"context"

	"antin/exchange"
)

// LaneDeliveries implements exchange.LaneDeliveryRows; the index delivery_state answers it.
func (t *tx) LaneDeliveries(ctx context.Context, l exchange.Lane, state exchange.DeliveryState, p exchange.Page) ([]exchange.Delivery, error) {
	before, limit := page(p)
	rows, err := many[exchange.Delivery](ctx, t, `SELECT body, version FROM delivery WHERE agency = $1 AND state = $2 AND receiver = $3 AND id < $4
		ORDER BY id DESC LIMIT $5`, l.From, state, l.To, before, limit)
	return each(rows, delivery), err
}
