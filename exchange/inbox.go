package exchange

import (
	"time"

	"antin/signer/validation"
)

// Inbox takes in what other agencies send, and lets a văn thư decide on it. Its
// fields are set once, before use; its methods are safe for concurrent use.
type Inbox struct {
	Store     Store
	Blobs     Blobs
	Directory Directory
	Offices   Offices
	Validator *validation.Validator
	Outbox    *Outbox // sends the status messages that go back
	Now       func() time.Time
	// MaxPayload bounds one transfer in bytes; 0 means DefaultMaxPayload.
	MaxPayload int64
	// Tracer, where set, hears of what comes in.
	Tracer Tracer

	flights flights
}

// DefaultMaxPayload is the size of the greatest message taken in, in bytes: room
// for a scanned annex in base64, and what an office line carries in minutes.
const DefaultMaxPayload = 200 << 20

func (in *Inbox) maxPayload() int64 {
	if in.MaxPayload > 0 {
		return in.MaxPayload
	}
	return DefaultMaxPayload
}
