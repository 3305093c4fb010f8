package exchange

import (
	"context"
	"sync"
)

// flights lets one at a time be at each upload: putting a great part together twice
// at once would only cost. The zero value is ready.
type flights struct {
	mu  sync.Mutex
	now map[UploadKey]chan struct{}
}

// enter waits until nobody else is at k; the caller calls end when it is done.
func (f *flights) enter(ctx context.Context, k UploadKey) (end func(), err error) {
	for {
		f.mu.Lock()
		other, busy := f.now[k]
		if !busy {
			mine := make(chan struct{})
			if f.now == nil {
				f.now = map[UploadKey]chan struct{}{}
			}
			f.now[k] = mine
			f.mu.Unlock()
			return func() {
				f.mu.Lock()
				delete(f.now, k)
				f.mu.Unlock()
				close(mine)
			}, nil
		}
		f.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
