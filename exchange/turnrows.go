package exchange

import (
	"context"
	"time"
)

// TurnRows shares work out among several processes on one database: whoever does a
// job takes the turn at it, prolongs it while at work, and ends it. A process that
// dies leaves a turn that runs out; another then takes it, with a greater fence. What
// is stored in a turn's name asks HoldsTurn in the same transaction, so that a process
// that slept through its turn changes nothing any more. Clocks that differ cost waiting
// or double work, never a wrong row.
type TurnRows interface {
	// TakeTurn gives owner the turn at the job of kind and key until the time until,
	// and returns its fence: greater than that of any turn before, the same when owner
	// has it already. ok is false while another's has not run out at now.
	TakeTurn(ctx context.Context, kind JobKind, key, owner string, now, until time.Time) (fence int64, ok bool, err error)
	// HoldsTurn reports whether the turn with that fence is still the one: neither
	// ended nor taken by another. One that has run out and that nobody has taken holds.
	HoldsTurn(ctx context.Context, kind JobKind, key string, fence int64) (bool, error)
	// EndTurn ends the turn with that fence; nothing when it is not the one any more.
	EndTurn(ctx context.Context, kind JobKind, key string, fence int64) error
}
