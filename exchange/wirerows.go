package exchange

import (
	"context"
	"time"
)

// Upload is a transfer of which the bytes are still coming: its manifest was
// believed, nothing was promised. The zero value is none.
type Upload struct {
	Sender    AgencyCode `json:"sender"`
	ID        TransferID `json:"id"`
	Recipient AgencyCode `json:"recipient"`
	Manifest  []byte     `json:"manifest"` // JWS, verified
	Size      int64      `json:"size"`     // of the part, bytes
	OpenedAt  time.Time  `json:"opened"`
}

// UploadKey is the identity under which an upload is unique.
type UploadKey struct {
	Sender AgencyCode
	ID     TransferID
}

// Key returns the identity of u.
func (u Upload) Key() UploadKey { return UploadKey{u.Sender, u.ID} }

// Piece is a run of bytes of an upload that has come and is durable.
type Piece struct {
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // of the piece's own bytes
	// Blob is where they lie: the bytes themselves when the piece is the whole part,
	// else the piece's mark and then the bytes.
	Blob Blob `json:"blob"`
}

// UploadRows holds uploads until they are committed, closed or given up.
type UploadRows interface {
	// CreateUpload adds u; ErrExists when its key is taken.
	CreateUpload(ctx context.Context, u Upload) error
	// Upload returns the upload of k; not-found.
	Upload(ctx context.Context, k UploadKey) (Upload, error)
	// AddPiece adds p to the upload of k and notes at as when something came last;
	// ErrExists when a piece begins there already, not-found when no such upload is open.
	AddPiece(ctx context.Context, k UploadKey, p Piece, at time.Time) error
	// Pieces returns the pieces of k by their offset.
	Pieces(ctx context.Context, k UploadKey) ([]Piece, error)
	// DropUpload removes the upload of k and its pieces, if there are any.
	DropUpload(ctx context.Context, k UploadKey) error
	// OpenUploads returns how many uploads of sender are open, what they will take
	// together in bytes, and which of them got a piece last before the given time.
	OpenUploads(ctx context.Context, sender AgencyCode, before time.Time) (open int, bytes int64, old []UploadKey, err error)
	// OldUploads returns at most limit uploads of all senders that got nothing since before.
	OldUploads(ctx context.Context, before time.Time, limit int) ([]UploadKey, error)
}

// Settled is the end of one transfer as its receipt states it: what both sides
// compare when they reconcile.
type Settled struct {
	Agency   AgencyCode // served here
	Peer     AgencyCode
	Outgoing bool      // whether Agency is the sender
	At       time.Time // the receipt's receivedAt: the same on both sides
	ID       TransferID
	Receipt  Digest // of the receipt's bytes
}

// SettledQuery asks for entries of one pair and direction with From <= At < To,
// by At, then ID, behind the entry (AfterAt, After) when After is set.
type SettledQuery struct {
	Agency, Peer AgencyCode
	Outgoing     bool
	From, To     time.Time
	AfterAt      time.Time
	After        TransferID
	Limit        int // at least 1
}

// SettledRows is the ledger of ended transfers; entries are only added.
type SettledRows interface {
	// AddSettled adds s; a repeat changes nothing.
	AddSettled(ctx context.Context, s Settled) error
	// SettledOf returns the entries that q asks for.
	SettledOf(ctx context.Context, q SettledQuery) ([]Settled, error)
	// DeliveryOf returns the delivery of a transfer that agency sent to a peer; not-found.
	DeliveryOf(ctx context.Context, agency, to AgencyCode, id TransferID) (Delivery, error)
	// WaitingFor returns at most limit deliveries to that receiver that are READY or
	// UNKNOWN_EXPIRED, whoever of ours sends them, by ID behind after.
	WaitingFor(ctx context.Context, to AgencyCode, after ID, limit int) ([]Delivery, error)
}
