package exchange

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Errand is work that a Worker does again and again.
type Errand struct {
	Name  string
	Every time.Duration // between the end of one and the beginning of the next
	// Do does it once. An error is reported, and the next time comes as ever.
	Do func(ctx context.Context) error
}

// runErrands runs every errand until ctx is done, the first time at once.
func (w *Worker) runErrands(ctx context.Context, wg *sync.WaitGroup) {
	for _, t := range w.Errands {
		wg.Go(func() {
			timer := time.NewTimer(0)
			defer timer.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-timer.C:
				}
				if err := w.errand(ctx, t); err != nil && ctx.Err() == nil {
					w.report(fmt.Errorf("%s: %w", t.Name, err))
				}
				timer.Reset(t.Every)
			}
		})
	}
}

// errand does t once; a panic ends this time, not the process.
func (w *Worker) errand(ctx context.Context, t Errand) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return t.Do(ctx)
}
