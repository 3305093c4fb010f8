package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"antin/exchange"
)

const (
	// fetchCooldown is the queue's pause between fetches; its default of 100 ms is
	// a ceiling on throughput.
	fetchCooldown = 5 * time.Millisecond
	// jobTimeout ends a job that hangs. Work is cut in pieces well below it.
	jobTimeout = 5 * time.Minute
	// stopTimeout is how long jobs under way may take to end when work stops.
	stopTimeout = 10 * time.Second
	// lostAfter is how long past its time a queued job may stay without being started
	// before it counts as lost and is queued anew; less where another process may have
	// died with it. A busy queue is doubled at worst.
	lostAfter, lostAfterShared = time.Minute, 3 * time.Second
	// jobRetention bounds the queue's table; a finished job tells nothing that the
	// evidence does not.
	jobRetention = time.Hour
)

// wakeArgs is a job as the queue stores it.
type wakeArgs struct {
	What exchange.JobKind `json:"what"`
	Key  string           `json:"key"`
}

// Kind implements river.JobArgs.
func (wakeArgs) Kind() string { return "antin_wake" }

// jobWorker hands jobs to the function that Work was given.
type jobWorker struct {
	river.WorkerDefaults[wakeArgs]
	handle func(context.Context, exchange.Job) error
}

// Work implements river.Worker. A job that failed is not tried again by the
// queue: what it was to do is in the rows, and the sweeper wakes it.
func (w *jobWorker) Work(ctx context.Context, j *river.Job[wakeArgs]) error {
	if err := w.handle(ctx, exchange.Job{Kind: j.Args.What, Key: j.Args.Key}); err != nil {
		return river.JobCancel(err)
	}
	return nil
}

func (db *DB) openQueue() error {
	db.worker = &jobWorker{}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, db.worker); err != nil {
		return fmt.Errorf("setting up queue: %w", err)
	}
	client, err := river.NewClient(db.engine.driver(db.write), &river.Config{
		CancelledJobRetentionPeriod: jobRetention,
		CompletedJobRetentionPeriod: jobRetention,
		DiscardedJobRetentionPeriod: jobRetention,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           max(db.opts.PollInterval, fetchCooldown),
		JobTimeout:                  jobTimeout,
		Logger:                      db.opts.Logger,
		MaxAttempts:                 1,
		PollOnly:                    true,
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: db.opts.Workers}},
		RescueStuckJobsAfter:        jobTimeout + time.Minute,
		Workers:                     workers,
	})
	if err != nil {
		return fmt.Errorf("setting up queue: %w", err)
	}
	db.river = client
	return nil
}

// forgetJobs clears the queue of what an earlier process left: its running jobs
// have no one to end them, and every job that is still needed is woken anew from
// the rows when work starts. The queue's leader, which alone starts scheduled jobs,
// may be a process that was killed: its lease would hold back every retry for as
// long as it lasts. Whoever holds the directory's lock is the only one there is.
func (db *DB) forgetJobs(ctx context.Context) error {
	for _, q := range []string{
		`DELETE FROM wake`,
		`DELETE FROM river_leader`,
		`DELETE FROM river_job WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`,
	} {
		if _, err := db.write.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("clearing queue: %w", err)
		}
	}
	return nil
}

// Enqueue implements exchange.Jobs.
func (t *tx) Enqueue(ctx context.Context, j exchange.Job) error {
	now := t.db.opts.Now()
	at := now
	if j.At.After(now) {
		at = j.At
	}
	if !at.After(now) && t.b != nil && t.db.opts.Awake(j) {
		t.woken = append(t.woken, j)
		return nil
	}
	lost := lostAfter
	if t.db.Shared() {
		lost = lostAfterShared
	}
	res, err := t.ExecContext(ctx, `INSERT INTO wake (kind, key, at) VALUES ($1, $2, $3)
		ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at WHERE excluded.at < wake.at OR wake.at < $4`,
		j.Kind, j.Key, micros(at), micros(now.Add(-lost)))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	opts := &river.InsertOpts{}
	if at.After(now) {
		opts.ScheduledAt = at
	}
	if _, err := t.db.river.InsertTx(t.unbroken(ctx), t.Tx, wakeArgs{What: j.Kind, Key: j.Key}, opts); err != nil {
		return fmt.Errorf("queueing %s %s: %w", j.Kind, j.Key, err)
	}
	return nil
}

// Started implements exchange.Jobs.
func (t *tx) Started(ctx context.Context, j exchange.Job, now time.Time) error {
	_, err := t.ExecContext(ctx, `DELETE FROM wake WHERE kind = $1 AND key = $2 AND at <= $3`, j.Kind, j.Key, micros(now))
	return err
}

// Work implements exchange.Queue. It may be called once.
func (db *DB) Work(ctx context.Context, handle func(context.Context, exchange.Job) error) error {
	db.worker.handle = handle
	// The queue outlives ctx a little, so that jobs under way end in order.
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if err := db.river.Start(run); err != nil {
		return fmt.Errorf("starting queue: %w", err)
	}
	<-ctx.Done()
	soft, done := context.WithTimeout(run, stopTimeout)
	defer done()
	if err := db.river.Stop(soft); err == nil {
		return nil
	}
	hard, done := context.WithTimeout(run, stopTimeout)
	defer done()
	if err := db.river.StopAndCancel(hard); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("stopping queue: %w", err)
	}
	return nil
}
