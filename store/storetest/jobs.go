package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"antin/exchange"
)

// patience bounds the wait for a job; a queue that is alive needs far less.
const patience = 20 * time.Second

// work runs e's queue until the test ends, handing each job to f.
func work(t *testing.T, e Engine, f func(exchange.Job)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- e.Work(ctx, func(ctx context.Context, j exchange.Job) error {
			if err := e.Update(ctx, func(tx exchange.Tx) error { return tx.Started(ctx, j, time.Now()) }); err != nil {
				return err
			}
			f(j)
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("work ended with %v", err)
		}
	})
}

func next(t *testing.T, ran <-chan exchange.Job) exchange.Job {
	t.Helper()
	select {
	case j := <-ran:
		return j
	case <-time.After(patience):
		t.Fatal("no job ran")
		return exchange.Job{}
	}
}

func enqueue(t *testing.T, e Engine, j exchange.Job) {
	t.Helper()
	update(t, e, func(tx exchange.Tx) error { return tx.Enqueue(t.Context(), j) })
}

func jobs(t *testing.T, e Engine) {
	const n = 20
	ran := make(chan exchange.Job, 10*n)
	for i := range n {
		j := exchange.Job{Kind: exchange.JobLane, Key: fmt.Sprintf("A>%d", i)}
		enqueue(t, e, j)
		enqueue(t, e, j) // queued already: at most one more run, and none is lost
	}
	work(t, e, func(j exchange.Job) { ran <- j })
	seen := map[string]int{}
	for len(seen) < n {
		seen[next(t, ran).Key]++
	}
	for k, times := range seen {
		if times != 1 {
			t.Errorf("%s ran %d times", k, times)
		}
	}
	enqueue(t, e, exchange.Job{Kind: exchange.JobLane, Key: "A>0"})
	if j := next(t, ran); j.Key != "A>0" {
		t.Errorf("after a job has started it is not queued anew: %v", j)
	}
}

func scheduled(t *testing.T, e Engine) {
	ran := make(chan exchange.Job, 4)
	due := time.Now().Add(time.Second)
	enqueue(t, e, exchange.Job{Kind: exchange.JobLane, Key: "A>later", At: due})
	enqueue(t, e, exchange.Job{Kind: exchange.JobLane, Key: "A>never", At: time.Now().Add(time.Hour)})
	enqueue(t, e, exchange.Job{Kind: exchange.JobLane, Key: "A>never"}) // an earlier time wins
	work(t, e, func(j exchange.Job) { ran <- j })
	if j := next(t, ran); j.Key != "A>never" {
		t.Errorf("first ran %s", j.Key)
	}
	if j := next(t, ran); j.Key != "A>later" || time.Now().Before(due) {
		t.Errorf("then ran %s, early: %v", j.Key, time.Now().Before(due))
	}
}
