package signbench

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"antin/signer"
	"antin/signer/ades"
)

// The size of a batch: a leader's morning, on the workers that this class of
// machine has cores for.
const (
	BatchFiles   = 200
	BatchWorkers = 2
)

// batch signs BatchFiles with BatchWorkers, beside as many bare key operations by
// as many workers.
func (b *bench) batch(data []byte) *Job {
	outs := make(chan *memory, BatchWorkers)
	for range BatchWorkers {
		outs <- &memory{buf: make([]byte, 0, len(data)+1<<20)}
	}
	t := times(1 / 0.8)
	return &Job{Name: "200 files of 20 KB, 2 workers", Target: "≥ 80 % of RSA", allowed: t.allowed, each: BatchFiles, runs: 5, once: func(ctx context.Context) (sample, error) {
		limit, err := timed(func() error { return InParallel(func() error { bare(b.rsa); return nil }) })
		if err != nil {
			return sample{}, err
		}
		took, err := timed(func() error {
			return InParallel(func() error {
				out := <-outs
				defer func() { outs <- out }()
				out.buf = out.buf[:0]
				_, err := b.signer.Sign(ctx, input(data), out, signer.Request{Key: KeyRSA, Level: ades.BB, Offline: true})
				return err
			})
		})
		return sample{took, limit}, err
	}}
}

// InParallel runs work BatchFiles times by BatchWorkers.
func InParallel(work func() error) error {
	var group errgroup.Group
	for range BatchWorkers {
		group.Go(func() error {
			for range BatchFiles / BatchWorkers {
				if err := work(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// Times is a job that the caller defines: run, beside a limit that must not take more
// than atMost times as long as run does. each is how many signatures one run makes.
func Times(name, words string, atMost float64, each int, limit, run func(context.Context) error) *Job {
	return &Job{Name: name, Target: words, allowed: times(atMost).allowed, each: each, runs: 3, once: func(ctx context.Context) (sample, error) {
		bare, err := timed(func() error { return limit(ctx) })
		if err != nil {
			return sample{}, err
		}
		took, err := timed(func() error { return run(ctx) })
		return sample{took, bare}, err
	}}
}

// milliseconds is d as figures are printed.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
