package exchange

import "context"

// SigningRows holds signings: those that wait for a value, and what remains of
// those that got one.
type SigningRows interface {
	// CreateSigning adds s; ErrExists when its ID is taken.
	CreateSigning(ctx context.Context, s Signing) error
	// SaveSigning changes s; state-conflict unless the stored version is the one that
	// was read.
	SaveSigning(ctx context.Context, s Signing) error
	// Signing returns the signing id; not-found.
	Signing(ctx context.Context, id ID) (Signing, error)
	// OpenSigning returns the newest signing of subject and kind that is not done;
	// not-found.
	OpenSigning(ctx context.Context, subject ID, kind SigningKind) (Signing, error)
	// DropSignings forgets every signing of subject and kind that is not done.
	DropSignings(ctx context.Context, subject ID, kind SigningKind) error
}
