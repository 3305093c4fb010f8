package exchange

import (
	"context"
	"time"
)

// The names of marks.
const (
	// directoryMark holds the newest signed directory that an agency accepted.
	directoryMark = "directory"
	// restoredMark says, of the installation as a whole, that it was restored from a
	// backup and has not heard yet from its peers what it lost.
	restoredMark = "restored"
)

// MarkRows keeps single facts by name, of one agency or, under the empty code, of the
// whole installation.
type MarkRows interface {
	// Mark returns what stands under name, nil when nothing does.
	Mark(ctx context.Context, agency AgencyCode, name string) ([]byte, error)
	// SetMark puts body under name; nil takes the name away.
	SetMark(ctx context.Context, agency AgencyCode, name string, body []byte) error
}

// EvidenceSeal fixes a run of an agency's evidence: the root of a Merkle tree over the
// hashes of its events, under a time-stamp. The zero value is none.
type EvidenceSeal struct {
	Agency AgencyCode `json:"agency"`
	First  int64      `json:"first"` // number of the first event sealed
	Last   int64      `json:"last"`  // number of the last, included
	Root   Digest     `json:"root"`
	// Prev is the statement of the seal before (see Statement), empty for the first: so
	// that no seal can be taken out.
	Prev Digest    `json:"prev,omitempty"`
	At   time.Time `json:"at"` // by our clock, UTC
	// Token is an RFC 3161 time-stamp over Statement; nil where no service is configured.
	Token []byte `json:"token,omitempty"`
}

// SealRows holds seals of evidence; they are only added.
type SealRows interface {
	// AddSeal adds s; ErrExists when a seal of its agency ends there already.
	AddSeal(ctx context.Context, s EvidenceSeal) error
	// Seals returns at most limit seals of agency whose Last is behind after, in order.
	Seals(ctx context.Context, agency AgencyCode, after int64, limit int) ([]EvidenceSeal, error)
	// LastSeal returns agency's newest seal, the zero value when it has none.
	LastSeal(ctx context.Context, agency AgencyCode) (EvidenceSeal, error)
}
