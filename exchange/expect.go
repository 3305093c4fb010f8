package exchange

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"antin/internal/text"
)

// StaleError says that an object is of another version than whoever acts on it saw.
type StaleError struct {
	ID   ID
	Have int // the version that stands now
}

// Error implements error.
func (e *StaleError) Error() string { return fmt.Sprintf("%s is of version %d by now", e.ID, e.Have) }

// expectation is what Expect puts into a context.
type expectation struct {
	id       ID
	versions []int
	met      atomic.Bool
}

type expectationKey struct{}

// Expect returns a context for one act that goes on only while the document, result,
// inbox item or delivery id is of one of versions. Store.Update checks it within the
// first transaction that commits under that context, before anything else there, so
// that nobody can come between the look and the act; what the act itself changes in
// later transactions is its own. A failure is precondition-failed with a *StaleError
// in its chain. The context serves one act and one goroutine at a time.
func Expect(ctx context.Context, id ID, versions ...int) context.Context {
	return context.WithValue(ctx, expectationKey{}, &expectation{id: id, versions: versions})
}

// Expected is what a Store runs in place of fn in a transaction under ctx: fn after
// the check that Expect asked for. The store calls committed when, and only when, the
// transaction has committed.
func Expected(ctx context.Context, fn func(tx Tx) error) (checked func(tx Tx) error, committed func()) {
	e, ok := ctx.Value(expectationKey{}).(*expectation)
	if !ok || e.met.Load() {
		return fn, func() {}
	}
	checked = func(tx Tx) error {
		have, err := versionOf(ctx, tx, e.id)
		if err != nil {
			return err
		}
		if !slices.Contains(e.versions, have) {
			return text.Errorf(text.PreconditionFailed, &StaleError{ID: e.id, Have: have})
		}
		return fn(tx)
	}
	return checked, func() { e.met.Store(true) }
}

// versionOf is the version of an object that acts are done on; not-found.
func versionOf(ctx context.Context, tx Tx, id ID) (int, error) {
	switch {
	case id.Has(PrefixDocument):
		d, err := tx.Document(ctx, id)
		return d.Version, err
	case id.Has(PrefixResult):
		r, err := tx.Result(ctx, id)
		return r.Version, err
	case id.Has(PrefixInbox):
		i, err := tx.InboxItem(ctx, id)
		return i.Version, err
	case id.Has(PrefixDelivery):
		d, err := tx.Delivery(ctx, id)
		return d.Version, err
	}
	return 0, text.Errorf(text.NotFound, nil)
}
