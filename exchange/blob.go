package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// Digest is the SHA-256 of some bytes in lower-case hex, and their name in Blobs.
// The zero value names nothing.
type Digest string

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest(hex.EncodeToString(sum[:]))
}

// ParseDigest returns the digest written in s and whether s is one.
func ParseDigest(s string) (Digest, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != s {
		return "", false
	}
	return Digest(s), true
}

// Blob names stored bytes: their digest and size. The zero value is no bytes at all.
type Blob struct {
	Digest Digest `json:"sha256"`
	Size   int64  `json:"bytes"`
}

// IsZero reports whether b names nothing.
func (b Blob) IsZero() bool { return b.Digest == "" }

// Blobs holds immutable bytes by digest. Implementations are safe for concurrent use.
type Blobs interface {
	// Put stores what r gives until EOF and returns its name. When it returns the
	// bytes are durable; storing the same bytes again is a no-op that protects them
	// from the sweeper anew. The caller bounds r. Never called inside Store.Update.
	// Errors: storage-full, or r's own error, after which nothing is stored.
	Put(ctx context.Context, r io.Reader) (Blob, error)
	// Open returns the bytes of d; not-found when there are none. The caller closes it.
	Open(ctx context.Context, d Digest) (BlobReader, error)
	// Verify reads the bytes of d again and returns an error when they no longer
	// have that digest, or are absent.
	Verify(ctx context.Context, d Digest) error
	// Sweep removes bytes that no committed row names and that were last stored
	// before the given time, and returns how many it removed.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// BlobReader reads stored bytes, at any offset or from the start.
type BlobReader interface {
	io.Reader
	io.ReaderAt
	io.Closer
	// Size is the number of bytes.
	Size() int64
}

// readBlob returns the bytes of d, at most limit of them, checked against d.
func readBlob(ctx context.Context, blobs Blobs, d Digest, limit int64) ([]byte, error) {
	r, err := blobs.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	if r.Size() > limit {
		return nil, fmt.Errorf("blob %s holds %d bytes, more than %d", d, r.Size(), limit)
	}
	b := make([]byte, r.Size())
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, r.Size()), b); err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", d, err)
	}
	if DigestOf(b) != d {
		return nil, fmt.Errorf("blob %s is damaged on disk", d)
	}
	return b, nil
}
