package exchange

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// sweepEvery is how often the worker looks for work whose job was lost.
	sweepEvery = 30 * time.Second
	// orphanAge spares the bytes of requests that are still under way, and of uploads
	// that a document may yet name.
	orphanAge = 48 * time.Hour
	// orphanEvery is how often orphans are looked for.
	orphanEvery = time.Hour
	// recoverPage is how many waiting items one look finds.
	recoverPage = 500
)

// Worker does what is due: it sends what waits in lanes and admits what came in.
// Jobs only wake it; what there is to do stands in the rows. Its fields are set
// once, before use; it is then safe for concurrent use.
type Worker struct {
	Store  Store
	Blobs  Blobs
	Queue  Queue
	Outbox *Outbox
	Inbox  *Inbox
	Now    func() time.Time
	// OnError hears what failed on our own side; nil drops it. It is called from
	// several goroutines.
	OnError func(err error)
	// SweepEvery is how often lost work is looked for; 0 means 30 s.
	SweepEvery time.Duration

	mu   sync.Mutex
	busy map[string]bool // by lane; true: woken again meanwhile
}

// Run works until ctx is done and returns nil then. It begins by waking everything
// that an earlier process left unfinished.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.Recover(ctx); err != nil {
		return fmt.Errorf("recovering: %w", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { w.sweep(ctx) })
	err := w.Queue.Work(ctx, w.handle)
	wg.Wait()
	return err
}

// Recover enqueues every lane that has something to send and every item that was
// not admitted yet.
func (w *Worker) Recover(ctx context.Context) error {
	return w.Store.Update(ctx, func(tx Tx) error {
		lanes, err := tx.OpenLanes(ctx)
		if err != nil {
			return err
		}
		for _, l := range lanes {
			if err := tx.Enqueue(ctx, Job{Kind: JobLane, Key: l.Lane.key(), At: l.At}); err != nil {
				return err
			}
		}
		items, err := tx.InboxItems(ctx, "", InboxFilter{State: InboxReceived, Page: Page{Limit: recoverPage}})
		if err != nil {
			return err
		}
		for _, i := range items {
			if err := tx.Enqueue(ctx, Job{Kind: JobAdmit, Key: string(i.ID)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// handle does one job. A panic ends the job, not the process: whatever made it is
// one message of many.
func (w *Worker) handle(ctx context.Context, j Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s %s: %v\n%s", j.Kind, j.Key, p, debug.Stack())
		}
		if err != nil && ctx.Err() == nil {
			w.report(err)
		}
	}()
	if err := w.Store.Update(ctx, func(tx Tx) error { return tx.Started(ctx, j, w.Now()) }); err != nil {
		return err
	}
	switch j.Kind {
	case JobLane:
		lane, ok := parseLane(j.Key)
		if !ok {
			return fmt.Errorf("job of no lane: %q", j.Key)
		}
		return w.drain(ctx, lane)
	case JobAdmit:
		return w.admit(ctx, ID(j.Key))
	}
	return fmt.Errorf("job of unknown kind %q", j.Kind)
}

// admit runs Inbox.Admit; a panic in it counts as a failed try, so that a message
// that breaks the reader is set aside in the end.
func (w *Worker) admit(ctx context.Context, id ID) (err error) {
	defer func() {
		if p := recover(); p != nil {
			cause := fmt.Errorf("admitting %s: %v\n%s", id, p, debug.Stack())
			err = errors.Join(cause, w.Inbox.failed(ctx, id, cause))
		}
	}()
	return w.Inbox.Admit(ctx, id)
}

// drain runs Outbox.Drain for lane, one at a time: a job that finds the lane busy
// leaves word, and whoever is at it looks again.
func (w *Worker) drain(ctx context.Context, lane Lane) error {
	key := lane.key()
	w.mu.Lock()
	if w.busy == nil {
		w.busy = map[string]bool{}
	}
	if _, running := w.busy[key]; running {
		w.busy[key] = true
		w.mu.Unlock()
		return nil
	}
	w.busy[key] = false
	w.mu.Unlock()
	done := false
	defer func() {
		if !done { // a panic on the way must not leave the lane busy for ever
			w.mu.Lock()
			delete(w.busy, key)
			w.mu.Unlock()
		}
	}()
	for {
		err := w.Outbox.Drain(ctx, lane)
		w.mu.Lock()
		again := w.busy[key] && err == nil && ctx.Err() == nil
		w.busy[key] = false
		if !again {
			delete(w.busy, key)
			done = true
		}
		w.mu.Unlock()
		if !again {
			return err
		}
	}
}

// sweep looks for lost work and for orphaned blobs until ctx is done.
func (w *Worker) sweep(ctx context.Context) {
	every := w.SweepEvery
	if every <= 0 {
		every = sweepEvery
	}
	lost, orphans := time.NewTicker(every), time.NewTicker(orphanEvery)
	defer lost.Stop()
	defer orphans.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-lost.C:
			if err := w.Recover(ctx); err != nil && ctx.Err() == nil {
				w.report(fmt.Errorf("looking for lost work: %w", err))
			}
		case <-orphans.C:
			if _, err := w.Blobs.Sweep(ctx, w.Now().Add(-orphanAge)); err != nil && ctx.Err() == nil {
				w.report(err)
			}
		}
	}
}

func (w *Worker) report(err error) {
	if w.OnError != nil {
		w.OnError(err)
	}
}
