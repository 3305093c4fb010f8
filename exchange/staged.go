package exchange

import (
	"context"
	"sync"
)

// Kept holds small bytes that were put and are not written yet: they become durable
// with the first Update under the same context, in its transaction, beside the rows
// that name them. One commit then does what two did. It is safe for concurrent use.
type Kept struct {
	mu    sync.Mutex
	bytes map[Digest][]byte
}

type keptKey struct{}

// Staged returns a context under which Blobs.Put may keep small bytes back until the
// next Store.Update under it. Whoever uses it puts nothing that it reads before that
// update, and gives nobody a name before the update has returned nil.
func Staged(ctx context.Context) context.Context {
	return context.WithValue(ctx, keptKey{}, &Kept{})
}

// KeptUnder returns the stage of ctx for Blobs and Store, nil when there is none.
func KeptUnder(ctx context.Context) *Kept {
	s, _ := ctx.Value(keptKey{}).(*Kept)
	return s
}

// Keep takes a copy of b, whose digest is d.
func (s *Kept) Keep(d Digest, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes == nil {
		s.bytes = map[Digest][]byte{}
	}
	s.bytes[d] = append(make([]byte, 0, len(b)), b...)
}

// Each calls write for all that is kept.
func (s *Kept) Each(write func(d Digest, b []byte) error) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, b := range s.bytes {
		if err := write(d, b); err != nil {
			return err
		}
	}
	return nil
}

// Written says that all that is kept was committed.
func (s *Kept) Written() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes = nil
}
