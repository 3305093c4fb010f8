package exchange

import (
	"context"
	"io"
)

// ExactBlobs is what Blobs may be able to do beside: a store that hashes what it
// writes need not be told twice.
type ExactBlobs interface {
	// PutExact is Put for bytes whose name is known: digest-mismatch, and nothing is
	// kept, when r gives others.
	PutExact(ctx context.Context, r io.Reader, want Blob) (Blob, error)
}

// DiscardingBlobs is what Blobs may be able to do beside.
type DiscardingBlobs interface {
	// Discard removes the bytes of d at once unless a committed row names them. The
	// caller knows that nobody is about to store the same bytes.
	Discard(ctx context.Context, d Digest) error
}
