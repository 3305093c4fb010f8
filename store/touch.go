package store

import (
	"context"
	"time"

	"antin/exchange"
)

// touch notes that what is seen of subject changed now. What happens to a delivery is
// seen of its document, or of the item that it reports on.
func (t *tx) touch(ctx context.Context, subject exchange.ID) error {
	if subject.Has(exchange.PrefixDelivery) {
		ids, err := t.ids(ctx, `SELECT subject FROM delivery WHERE id = $1`, subject)
		if err != nil || len(ids) == 0 || ids[0].Has(exchange.PrefixDelivery) {
			return err
		}
		subject = ids[0]
	}
	list := ""
	switch {
	case subject.Has(exchange.PrefixDocument):
		list = listDocument
	case subject.Has(exchange.PrefixResult):
		list = listResult
	case subject.Has(exchange.PrefixInbox):
		list = listInbox
	default:
		return nil
	}
	_, err := t.ExecContext(ctx, `UPDATE `+list+` SET updated = $1 WHERE id = $2`, micros(t.db.opts.Now()), subject)
	return err
}

// updatedAfter narrows the query of a list to what changed later than at.
func updatedAfter(q *query, list string, agency exchange.AgencyCode, at time.Time) {
	if !at.IsZero() {
		q.add(` AND r.id IN (SELECT id FROM `+list+` WHERE agency = %s AND updated > %s)`, agency, micros(at))
	}
}
