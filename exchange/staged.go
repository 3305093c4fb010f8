package exchange

import (
	"context"
	"sync"
)

// Kept holds small bytes that were put and are not written yet: they become durable
// with the first Update under the same context, in its transaction, beside the rows
// that name them. One commit then does what two did. It is safe for concurrent use.
type Kept struct {
	mu   sync.Mutex
	held map[Digest]any
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

// Keep notes what the store has yet to do for the bytes of digest d: it is the store's
// own, and comes back from Each.
func (s *Kept) Keep(d Digest, what any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[Digest]any{}
	}
	s.held[d] = what
}

// Each calls do for all that is kept, until an error.
func (s *Kept) Each(do func(d Digest, what any) error) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, what := range s.held {
		if err := do(d, what); err != nil {
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
	s.held = nil
}
