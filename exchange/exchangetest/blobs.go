package exchangetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// Blobs is an exchange.Blobs in memory, for tests of what writes to one. The zero
// value is empty. It never sweeps.
type Blobs struct {
	mu    sync.Mutex
	bytes map[exchange.Digest][]byte
}

// Stored is how many different blobs there are.
func (b *Blobs) Stored() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.bytes)
}

// Put implements exchange.Blobs.
func (b *Blobs) Put(_ context.Context, r io.Reader) (exchange.Blob, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return exchange.Blob{}, fmt.Errorf("storing blob: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes == nil {
		b.bytes = map[exchange.Digest][]byte{}
	}
	d := exchange.DigestOf(data)
	b.bytes[d] = data
	return exchange.Blob{Digest: d, Size: int64(len(data))}, nil
}

// Open implements exchange.Blobs.
func (b *Blobs) Open(_ context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.bytes[d]
	if !ok {
		return nil, text.Errorf(text.NotFound, nil)
	}
	return blobReader{bytes.NewReader(data)}, nil
}

// Verify implements exchange.Blobs.
func (b *Blobs) Verify(ctx context.Context, d exchange.Digest) error {
	r, err := b.Open(ctx, d)
	if err != nil {
		return err
	}
	return r.Close()
}

// Sweep implements exchange.Blobs; it removes nothing.
func (b *Blobs) Sweep(context.Context, time.Time) (int, error) { return 0, nil }

type blobReader struct{ *bytes.Reader }

// Close implements io.Closer.
func (blobReader) Close() error { return nil }
