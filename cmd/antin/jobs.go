package main

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// maxJobs bounds --jobs: more workers than this only queue for the disk and the key.
const maxJobs = 64

// eachInOrder runs work on every item with at most jobs at once (0: one for each
// core) and hands the results to emit in the order of the items. emit runs in the
// caller's goroutine; its first error ends the run. No work is under way any more
// when eachInOrder returns.
func eachInOrder[T, R any](ctx context.Context, jobs int, items []T, work func(context.Context, T) R, emit func(R) error) error {
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	jobs = min(jobs, maxJobs, max(1, len(items)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make([]chan R, len(items))
	for i := range results {
		results[i] = make(chan R, 1)
	}
	var group errgroup.Group
	group.SetLimit(jobs + 1) // the feeder below is one of them
	group.Go(func() error {
		for i, item := range items {
			if ctx.Err() != nil {
				return nil
			}
			group.Go(func() error { results[i] <- work(ctx, item); return nil })
		}
		return nil
	})
	for _, ch := range results {
		select {
		case r := <-ch:
			if err := emit(r); err != nil {
				cancel()
				_ = group.Wait() // the work itself never fails
				return err
			}
		case <-ctx.Done():
			_ = group.Wait()
			return ctx.Err()
		}
	}
	return group.Wait()
}
