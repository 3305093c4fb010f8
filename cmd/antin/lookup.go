package main

import (
	"context"

	"antin/exchange"
)

// successor is the result that stands in another's place, for the page that a QR
// leads to; not-found when there is none.
func (c *core) successor(ctx context.Context, agency exchange.AgencyCode, id exchange.ID) (exchange.Result, error) {
	return c.results.Result(ctx, exchange.System(agency), id)
}

// successor asks the node that issued the replaced result.
func (d *demo) successor(ctx context.Context, agency exchange.AgencyCode, id exchange.ID) (exchange.Result, error) {
	if agency == d.b.office.Agency.Code {
		return d.b.successor(ctx, agency, id)
	}
	return d.a.successor(ctx, agency, id)
}
