package web

import (
	"bytes"
	"context"
	"sync"
	"time"

	"antin/exchange"
)

const (
	// shelfTime is how long an uploaded file stays at hand for the pictures of its
	// pages: long enough to read a report.
	shelfTime = 15 * time.Minute
	// shelfBytes bounds what lies on the shelf together; the oldest goes first.
	shelfBytes = 96 << 20
)

// shelf holds files that were uploaded to be checked, in memory only and for a
// short time, so that their pages can be shown beside the report. It is safe for
// concurrent use.
type shelf struct {
	now func() time.Time

	mu    sync.Mutex
	files map[exchange.ID]shelved
	order []exchange.ID // oldest first
	size  int
}

type shelved struct {
	data  []byte
	until time.Time
}

func newShelf(now func() time.Time) *shelf {
	return &shelf{now: now, files: map[exchange.ID]shelved{}}
}

// put lays the file of a verification on the shelf.
func (s *shelf) put(id exchange.ID, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = shelved{data, s.now().Add(shelfTime)}
	s.order = append(s.order, id)
	s.size += len(data)
	for s.size > shelfBytes {
		s.drop()
	}
	s.sweep()
}

// get is the file of a verification; false when it is gone.
func (s *shelf) get(id exchange.ID) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	f, ok := s.files[id]
	return f.data, ok
}

// sweep drops what has lain long enough; it runs under the lock.
func (s *shelf) sweep() {
	for len(s.order) > 0 && !s.now().Before(s.files[s.order[0]].until) {
		s.drop()
	}
}

// drop takes the oldest file away, under the lock.
func (s *shelf) drop() {
	id := s.order[0]
	s.order = s.order[1:]
	s.size -= len(s.files[id].data)
	delete(s.files, id)
}

// memory is a file in memory as a blob is read.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// inMemory is the source of a file in memory.
func inMemory(digest exchange.Digest, data []byte) source {
	return source{digest: digest, open: func(context.Context) (exchange.BlobReader, error) { return memory{bytes.NewReader(data)}, nil }}
}
