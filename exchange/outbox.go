package exchange

import (
	"context"
	"time"
)

// Outbox prepares an agency's documents, has them signed and sealed, and sends
// them. Its fields are set once, before use; its methods are safe for concurrent use.
type Outbox struct {
	Store     Store
	Blobs     Blobs
	Directory Directory
	Offices   Offices
	Transport Transport
	Press     *Press
	Now       func() time.Time
	// Expiry is how long a transfer may wait for its receiver; 0 means DefaultExpiry.
	Expiry time.Duration
	// UrgentExpiry is that of documents of priority 2 and above; 0 means
	// DefaultUrgentExpiry.
	UrgentExpiry time.Duration
	// InFlight is how many transfers may be under way to one peer at once; 0 means
	// DefaultInFlight.
	InFlight int
	// Gate, where set, is asked before anything leaves; while it returns an error nothing
	// does, and everything waits as it is. It is asked often and must not wait.
	Gate func(ctx context.Context) error
	// Tracer, where set, hears of sending.
	Tracer Tracer

	slots  slots
	memory laneMemory
}

// The defaults of Outbox.
const (
	DefaultExpiry       = 5 * 24 * time.Hour // mail's custom; longer than a long weekend
	DefaultUrgentExpiry = 24 * time.Hour
)

// urgent is the edXML priority (thượng khẩn) from which the shorter expiry holds.
const urgent = 2

func (o *Outbox) expiry(priority int) time.Duration {
	e, d := o.Expiry, DefaultExpiry
	if priority >= urgent {
		e, d = o.UrgentExpiry, DefaultUrgentExpiry
	}
	if e > 0 {
		return e
	}
	return d
}

// shut reports whether nothing may leave at present. What waits is looked at again by
// the worker's sweep.
func (o *Outbox) shut(ctx context.Context) bool { return o.Gate != nil && o.Gate(ctx) != nil }
