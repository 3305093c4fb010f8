package exchange

import (
	"context"
	"fmt"
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
	// Waker, where set, brings jobs that this process committed, past the queue.
	Waker *Waker
	// Owner names this process among several on one database, which take turns at
	// lanes and items; empty where it is the only one.
	Owner string
	// Errands are done beside, each by its own clock.
	Errands []Errand

	mu     sync.Mutex
	run    context.Context //nolint:containedctx // of Run, for the jobs that Waker brings; nil while it does not run
	jobs   sync.WaitGroup
	busy   map[string]chan struct{} // by lane at work: says that more came
	admits admissions
}

// Run works until ctx is done and returns nil then. It begins by waking everything
// that an earlier process left unfinished.
func (w *Worker) Run(ctx context.Context) error {
	w.start(ctx)
	defer w.stop()
	if err := w.Recover(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("recovering: %w", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { w.sweep(ctx) })
	w.runErrands(ctx, &wg)
	err := w.Queue.Work(ctx, w.handle)
	wg.Wait()
	return err
}

// Recover enqueues every lane that has something to send and every item that was
// not admitted yet.
func (w *Worker) Recover(ctx context.Context) error { return w.recover(ctx, time.Time{}) }

// recover is Recover for what is due by the given time, zero for all: what is due
// later has its job in the queue, and an idle installation writes nothing.
func (w *Worker) recover(ctx context.Context, by time.Time) error {
	var found []Job
	err := w.Store.View(ctx, func(tx Tx) (err error) {
		found, err = w.unfinished(ctx, tx, by)
		return err
	})
	if err != nil || len(found) == 0 {
		return err
	}
	return w.Store.Update(ctx, func(tx Tx) error {
		for _, j := range found {
			if err := tx.Enqueue(ctx, j); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *Worker) unfinished(ctx context.Context, tx Tx, by time.Time) (out []Job, err error) {
	lanes, err := tx.OpenLanes(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range lanes {
		if by.IsZero() || !l.At.After(by) {
			out = append(out, Job{Kind: JobLane, Key: l.Lane.key(), At: l.At})
		}
	}
	items, err := tx.InboxItems(ctx, "", InboxFilter{State: InboxReceived, Page: Page{Limit: recoverPage}})
	for _, i := range items {
		out = append(out, Job{Kind: JobAdmit, Key: string(i.ID)})
	}
	return out, err
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
			if err := w.recover(ctx, w.Now()); err != nil && ctx.Err() == nil {
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
