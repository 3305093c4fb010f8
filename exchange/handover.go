package exchange

import (
	"context"
	"time"
)

// Handover is how far one taker of an agency's evidence log has come: a webhook, or
// the folder that documents are laid into. What lies behind Seq waits for it in the log
// itself, so that a taker who is away costs one row. The zero value has taken nothing.
type Handover struct {
	Agency AgencyCode `json:"agency"`
	Name   string     `json:"name"` // of the taker, one of its agency
	Seq    int64      `json:"seq"`  // of the last event that was taken, or is none of the taker's
	// Attempts counts the failures at the next event, and FailingSince is when they began.
	Attempts     int       `json:"attempts,omitempty"`
	FailingSince time.Time `json:"failing_since,omitzero"`
	NextAt       time.Time `json:"next_at,omitzero"` // no attempt before; zero: at once
	Note         Note      `json:"note,omitzero"`    // the last failure
	TakenAt      time.Time `json:"taken_at,omitzero"`
	// Parking says that the event before was set aside after its last attempt, and nothing
	// was taken since: should the next one fail too, it is the taker and not the event.
	Parking bool `json:"parking,omitempty"`
	// Parked, where set, is when the taker was given up until a person sets it going again.
	Parked time.Time `json:"parked,omitzero"`
}

// taken returns h after the event of seq was taken at now.
func (h Handover) taken(seq int64, now time.Time) Handover {
	return Handover{Agency: h.Agency, Name: h.Name, Seq: seq, TakenAt: now}
}

// failed returns h after an attempt that failed for the reason note; the next one is
// after pause.
func (h Handover) failed(note Note, now time.Time, pause time.Duration) Handover {
	if h.Attempts++; h.FailingSince.IsZero() {
		h.FailingSince = now
	}
	h.Note, h.NextAt = note, now.Add(pause)
	return h
}

// HandoverRows holds how far takers of the evidence log have come.
type HandoverRows interface {
	// Handover returns the row of that name, zero but for agency and name when there is none.
	Handover(ctx context.Context, agency AgencyCode, name string) (Handover, error)
	SaveHandover(ctx context.Context, h Handover) error
}

// JobHandover is the kind of the turn at one taker of the evidence log; its key is the
// taker's name. It is never queued: whoever has the turn looks by itself.
const JobHandover JobKind = "handover"
