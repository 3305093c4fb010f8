package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/exchange"
	"antin/store/storetest"
)

// onBothEngines runs test on SQLite and on PostgreSQL.
func onBothEngines(t *testing.T, test func(t *testing.T, open func(o Options) *DB)) {
	t.Parallel()
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := ""
			if name == "PostgreSQL" {
				url = storetest.PostgresTables(t)
			}
			test(t, func(o Options) *DB {
				t.Helper()
				o.Database, o.Dir = url, t.TempDir()
				db, err := Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
				return db
			})
		})
	}
}

// crowd runs n closures of which all but the first come while the first is at work, and
// returns what each was told.
func crowd(t *testing.T, db *DB, n int, closure func(i int, t *tx) error) []error {
	t.Helper()
	errs := make([]error, n)
	inside, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	var once sync.Once
	wg.Go(func() {
		errs[0] = db.update(t.Context(), func(x *tx) error {
			once.Do(func() { close(inside) }) // it may run again
			<-release
			return closure(0, x)
		})
	})
	<-inside
	for i := 1; i < n; i++ {
		wg.Go(func() { errs[i] = db.update(t.Context(), func(x *tx) error { return closure(i, x) }) })
	}
	for waiting := 0; waiting < n-1; runtime.Gosched() {
		db.writers.mu.Lock()
		waiting = len(db.writers.line)
		db.writers.mu.Unlock()
	}
	close(release)
	wg.Wait()
	return errs
}

// standing is a clock that stands, so that only their number ends a batch.
func standing() time.Time { return time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC) }

// count counts the transactions that db begins.
func count(db *DB) *atomic.Int64 {
	begin, n := db.writers.begin, &atomic.Int64{}
	db.writers.begin = func(ctx context.Context) (*sql.Tx, error) { n.Add(1); return begin(ctx) }
	return n
}

func event(x *tx, i int) error {
	_, err := x.AppendEvent(context.Background(), exchange.Event{Agency: "A", Subject: exchange.ID(fmt.Sprintf("vb_%d", i))})
	return err
}

func TestWritersThatComeTogetherShareACommitAndAreToldAfterIt(t *testing.T) {
	onBothEngines(t, func(t *testing.T, open func(o Options) *DB) {
		var told, ran atomic.Int64
		const n, bad = batchMost + 3, 7
		db := open(Options{Now: standing, OnEvent: func(exchange.AgencyCode) {
			if ran.Load() < batchMost {
				t.Error("told before the commit")
			}
			told.Add(1)
		}})
		begun := count(db)
		boom := errors.New("boom")
		errs := crowd(t, db, n, func(i int, x *tx) error {
			ran.Add(1)
			if err := event(x, i); err != nil || i != bad {
				return err
			}
			return boom
		})
		for i, err := range errs {
			if i == bad && !errors.Is(err, boom) || i != bad && err != nil {
				t.Errorf("closure %d was told %v", i, err)
			}
		}
		if begun.Load() != 2 || told.Load() != n-1 {
			t.Errorf("%d closures took %d transactions, %d were told", n, begun.Load(), told.Load())
		}
		log, err := allEvents(t, db)
		if err != nil || len(log) != n-1 {
			t.Errorf("%d events of %d: %v", len(log), n-1, err)
		}
	})
}

func allEvents(t *testing.T, db *DB) (out []exchange.Event, err error) {
	t.Helper()
	err = db.View(t.Context(), func(tx exchange.Tx) (err error) {
		out, err = tx.EventsAfter(t.Context(), "A", 0, 1000)
		return err
	})
	var last exchange.Event
	for _, e := range out {
		if !e.Intact(last) {
			t.Errorf("the chain breaks at %d", e.Seq)
		}
		last = e
	}
	return out, err
}

func TestACommitThatFailsFailsAllThatShareIt(t *testing.T) {
	onBothEngines(t, func(t *testing.T, open func(o Options) *DB) {
		var told atomic.Int64
		db := open(Options{Now: standing, OnEvent: func(exchange.AgencyCode) { told.Add(1) }})
		// A rule that is looked at only when the transaction is committed.
		for _, q := range []string{`CREATE TABLE stub (id BIGINT PRIMARY KEY)`,
			`CREATE TABLE leaf (stub BIGINT REFERENCES stub (id) DEFERRABLE INITIALLY DEFERRED)`} {
			if _, err := db.write.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		errs := crowd(t, db, 20, func(i int, x *tx) error {
			if err := event(x, i); err != nil || i != 11 {
				return err
			}
			_, err := x.ExecContext(context.Background(), `INSERT INTO leaf (stub) VALUES (1)`)
			return err
		})
		for i, err := range errs {
			if !errors.Is(err, errCommit) {
				t.Errorf("closure %d was told %v", i, err)
			}
		}
		if log, err := allEvents(t, db); err != nil || len(log) != 0 || told.Load() != 0 {
			t.Errorf("%d events, %d told, %v", len(log), told.Load(), err)
		}
		if err := db.update(t.Context(), func(x *tx) error { return event(x, 1) }); err != nil {
			t.Errorf("the next update: %v", err)
		}
	})
}

func TestABatchIsNotHeldOpenForACrowd(t *testing.T) {
	onBothEngines(t, func(t *testing.T, open func(o Options) *DB) {
		var passed atomic.Int64 // each look at the clock is a millisecond later
		db := open(Options{Now: func() time.Time { return standing().Add(time.Duration(passed.Add(1)) * time.Millisecond) }})
		begun := count(db)
		for i, err := range crowd(t, db, 40, func(i int, x *tx) error { return event(x, i) }) {
			if err != nil {
				t.Errorf("closure %d was told %v", i, err)
			}
		}
		if n := begun.Load(); n < 40/int64(batchSpan/time.Millisecond+1) {
			t.Errorf("40 closures, one each millisecond, took %d transactions", n)
		}
	})
}

// A transaction that the engine gives up takes others along: those are done again.
func TestWhoSharedATransactionThatWasGivenUpIsDoneAgain(t *testing.T) {
	onBothEngines(t, func(t *testing.T, open func(o Options) *DB) {
		db := open(Options{Now: standing})
		runs := make([]int, 6)
		errs := crowd(t, db, len(runs), func(i int, x *tx) error {
			runs[i]++
			if err := event(x, i); err != nil {
				return err
			}
			if i == 3 && runs[i] == 1 {
				if _, err := x.Exec(`ROLLBACK`); err != nil { //nolint:noctx // as an engine does of itself
					return err
				}
				return errors.New("given up")
			}
			return nil
		})
		for i, err := range errs {
			if (err != nil) != (i == 3) {
				t.Errorf("closure %d was told %v", i, err)
			}
		}
		if log, err := allEvents(t, db); err != nil || len(log) != len(runs)-1 {
			t.Errorf("%d events: %v", len(log), err)
		}
	})
}
