package exchangebench

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Load is how a measurement is driven: Senders at once, each sending its next
// message when the one before is done, for Warm unmeasured and then Length measured.
type Load struct {
	Senders int
	Warm    time.Duration
	Length  time.Duration
	// Mark, where set, is called when measuring begins and when it ends.
	Mark func(begin bool)
}

// Figures is what a load came to. The zero value is no message at all.
type Figures struct {
	All     uint64        // messages done, the unmeasured among them
	N       int           // messages done while measuring
	Took    time.Duration // how long was measured
	P50     time.Duration
	P99     time.Duration
	Longest time.Duration
}

// PerSecond is the rate of the measured messages.
func (f Figures) PerSecond() float64 {
	if f.Took <= 0 {
		return 0
	}
	return float64(f.N) / f.Took.Seconds()
}

// Run sends until the time is over, or until a first message has come through where that
// takes longer, and waits for what is under way. send gets a
// number that no other call gets; it returns when the message counts as delivered.
// The first error ends the load.
func (l Load) Run(ctx context.Context, send func(ctx context.Context, n uint64) error) (Figures, error) {
	var next, all atomic.Uint64
	var mu sync.Mutex
	var took []time.Duration
	var measuring atomic.Bool
	group, run := errgroup.WithContext(ctx)
	stop, counted := make(chan struct{}), make(chan struct{})
	var once sync.Once
	for range l.Senders {
		group.Go(func() error {
			for {
				select {
				case <-stop:
					return nil
				case <-run.Done():
					return run.Err()
				default:
				}
				begin := time.Now()
				if err := send(run, next.Add(1)); err != nil {
					return err
				}
				all.Add(1)
				if measuring.Load() {
					mu.Lock()
					took = append(took, time.Since(begin))
					mu.Unlock()
					once.Do(func() { close(counted) })
				}
			}
		})
	}
	mark := func(begin bool) {
		measuring.Store(begin)
		if l.Mark != nil {
			l.Mark(begin)
		}
	}
	pause(run, l.Warm)
	mark(true)
	began := time.Now()
	pause(run, l.Length)
	waitFor(run, counted, firstMessage)
	length := time.Since(began)
	mark(false)
	close(stop)
	err := group.Wait()
	slices.Sort(took)
	f := Figures{All: all.Load(), N: len(took), Took: length}
	if f.N > 0 {
		f.P50, f.P99, f.Longest = took[f.N/2], took[min(f.N-1, f.N*99/100)], took[f.N-1]
	}
	return f, err
}

// firstMessage bounds how much longer than asked is measured until there is one message.
const firstMessage = time.Minute

func waitFor(ctx context.Context, done <-chan struct{}, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-done:
	case <-t.C:
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
