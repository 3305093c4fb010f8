package exchange

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// admitWorkers is how many messages are read and checked at a time: checking is work
	// for processors, and waiting for a revocation service should not stop it.
	admitWorkers = 8
	// maxAdmits bounds the items that wait in memory; more wait in the queue's rows.
	maxAdmits = 10_000
	// turnFor is how long a turn lasts that is not prolonged, and turnProlong how often
	// it is: a killed process holds a lane for seconds.
	turnFor, turnProlong = 5 * time.Second, 2 * time.Second
)

// admissions are the items that wait to be read and those that are being read.
type admissions struct {
	known   map[ID]bool
	waiting []ID
	running int
}

// panicked makes an error of what a recover caught.
func panicked(p any) error { return fmt.Errorf("%v\n%s", p, debug.Stack()) }

func (w *Worker) start(ctx context.Context) {
	w.mu.Lock()
	w.run = ctx
	w.mu.Unlock()
	w.Waker.attach(w)
}

// stop ends the taking of jobs and waits for those under way.
func (w *Worker) stop() {
	w.Waker.attach(nil)
	w.mu.Lock()
	w.run, w.admits.waiting, w.admits.known = nil, nil, nil
	w.mu.Unlock()
	w.jobs.Wait()
}

// takes reports whether wake would do j.
func (w *Worker) takes(j Job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.run != nil && w.run.Err() == nil && (j.Kind == JobLane || len(w.admits.waiting) < maxAdmits)
}

// wake does j in a goroutine of its own, or leaves word with the one that is at it.
func (w *Worker) wake(j Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run == nil || w.run.Err() != nil {
		return
	}
	ctx := w.run
	if j.Kind == JobAdmit {
		w.wakeAdmit(ctx, ID(j.Key))
		return
	}
	if word, ok := w.busy[j.Key]; ok {
		leaveWord(word)
		return
	}
	w.jobs.Go(func() { _ = w.do(ctx, j) })
}

// wakeAdmit queues id, and has one more goroutine read while there may be. The caller
// holds w.mu.
func (w *Worker) wakeAdmit(ctx context.Context, id ID) {
	a := &w.admits
	if a.known[id] || len(a.waiting) >= maxAdmits {
		return
	}
	if a.known == nil {
		a.known = map[ID]bool{}
	}
	a.known[id] = true
	a.waiting = append(a.waiting, id)
	if a.running == admitWorkers {
		return
	}
	a.running++
	w.jobs.Go(func() {
		for {
			w.mu.Lock()
			if len(a.waiting) == 0 || ctx.Err() != nil {
				a.running--
				w.mu.Unlock()
				return
			}
			next := a.waiting[0]
			a.waiting = a.waiting[1:]
			w.mu.Unlock()
			_ = w.do(ctx, Job{Kind: JobAdmit, Key: string(next)})
			w.mu.Lock()
			delete(a.known, next)
			w.mu.Unlock()
		}
	})
}

// handle does one job of the queue.
func (w *Worker) handle(ctx context.Context, j Job) error {
	if err := w.Store.Update(ctx, func(tx Tx) error { return tx.Started(ctx, j, w.Now()) }); err != nil {
		return err
	}
	return w.do(ctx, j)
}

// do does one job. A panic ends the job, not the process: whatever made it is one
// message of many.
func (w *Worker) do(ctx context.Context, j Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s %s: %w", j.Kind, j.Key, panicked(p))
		}
		if err != nil && ctx.Err() == nil {
			w.report(err)
		}
	}()
	switch j.Kind {
	case JobLane:
		lane, ok := parseLane(j.Key)
		if !ok {
			return fmt.Errorf("job of no lane: %q", j.Key)
		}
		return w.drain(ctx, lane)
	case JobAdmit:
		return w.inTurn(ctx, j, func(ctx context.Context, _ int64) error { return w.admit(ctx, ID(j.Key)) })
	case JobHandover: // never queued: the takers of the evidence log take turns by it
	}
	return fmt.Errorf("job of unknown kind %q", j.Kind)
}

// admit runs Inbox.Admit; a panic in it counts as a failed try, so that a message
// that breaks the reader is set aside in the end.
func (w *Worker) admit(ctx context.Context, id ID) (err error) {
	defer func() {
		if p := recover(); p != nil {
			cause := fmt.Errorf("admitting %s: %w", id, panicked(p))
			err = errors.Join(cause, w.Inbox.failed(ctx, id, cause))
		}
	}()
	return w.Inbox.Admit(ctx, id)
}

// drain runs Outbox.Drain for lane, one at a time: a job that finds the lane busy
// leaves word, and whoever is at it looks again.
func (w *Worker) drain(ctx context.Context, lane Lane) error {
	key := lane.key()
	word := make(chan struct{}, 1)
	w.mu.Lock()
	if at, running := w.busy[key]; running {
		leaveWord(at)
		w.mu.Unlock()
		return nil
	}
	if w.busy == nil {
		w.busy = map[string]chan struct{}{}
	}
	w.busy[key] = word
	w.mu.Unlock()
	done := false
	defer func() {
		if !done { // a panic on the way must not leave the lane busy for ever
			w.left(key, word, false)
		}
	}()
	for {
		err := w.inTurn(ctx, Job{Kind: JobLane, Key: key}, func(ctx context.Context, fence int64) error {
			return w.Outbox.drain(ctx, lane, fence, word)
		})
		if again := w.left(key, word, err == nil && ctx.Err() == nil); !again {
			done = true
			return err
		}
	}
}

func leaveWord(word chan struct{}) {
	select {
	case word <- struct{}{}:
	default: // word is there already
	}
}

// left ends the work at a lane unless goOn and more came meanwhile.
func (w *Worker) left(key string, word chan struct{}, goOn bool) (again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if goOn {
		select {
		case <-word:
			return true
		default:
		}
	}
	delete(w.busy, key)
	return false
}

// inTurn does what job stands for while the turn at it is ours. Where another process
// has it, nothing is done: that one, or the sweep after its death, sees what is new.
func (w *Worker) inTurn(ctx context.Context, j Job, do func(ctx context.Context, fence int64) error) error {
	if w.Owner == "" {
		return do(ctx, 0)
	}
	fence, ok, err := w.takeTurn(ctx, j)
	if err != nil {
		return err
	}
	if !ok {
		return w.lookLater(ctx, j)
	}
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	w.jobs.Go(func() { w.prolong(work, cancel, j, fence) })
	err = do(work, fence)
	cancel()
	// Ended also when ctx has: the next process need not wait for the turn to run out.
	end := context.WithoutCancel(ctx)
	return errors.Join(err, w.Store.Update(end, func(tx Tx) error { return tx.EndTurn(end, j.Kind, j.Key, fence) }))
}

func (w *Worker) takeTurn(ctx context.Context, j Job) (fence int64, ok bool, err error) {
	err = w.Store.Update(ctx, func(tx Tx) (err error) {
		now := w.Now()
		fence, ok, err = tx.TakeTurn(ctx, j.Kind, j.Key, w.Owner, now, now.Add(turnFor))
		return err
	})
	return fence, ok, err
}

// lookLater queues a lane that another process is at: it may have looked before what
// is new was there.
func (w *Worker) lookLater(ctx context.Context, j Job) error {
	if j.Kind != JobLane {
		return nil
	}
	return w.Store.Update(ctx, func(tx Tx) error {
		return tx.Enqueue(ctx, Job{Kind: j.Kind, Key: j.Key, At: w.Now().Add(turnProlong)})
	})
}

// prolong keeps the turn until ctx ends, or ends the work when the turn is lost.
func (w *Worker) prolong(ctx context.Context, cancel context.CancelFunc, j Job, fence int64) {
	tick := time.NewTicker(turnProlong)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now, ok, err := w.takeTurn(ctx, j)
			if err != nil || ok && now == fence {
				continue
			}
			cancel() // another had the turn meanwhile
			if end := context.WithoutCancel(ctx); ok {
				err = w.Store.Update(end, func(tx Tx) error { return tx.EndTurn(end, j.Kind, j.Key, now) })
			}
			if err != nil {
				w.report(err)
			}
			return
		}
	}
}
