package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// turnTests are the suite's part about work that several processes share, and about
// writers that come at once.
var turnTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"gives a turn to one owner until it ends or runs out", turns},
	{"lets only the newest turn write", fences},
	{"gives each of many writers its own outcome", manyWriters},
	{"goes on after a closure that panics or ends its goroutine", brokenClosures},
	{"lets a cancelled writer go without a trace", cancelledWriters},
}

func takeTurn(t *testing.T, e Engine, key, owner string, now time.Time) (fence int64, ok bool) {
	t.Helper()
	update(t, e, func(tx exchange.Tx) (err error) {
		fence, ok, err = tx.TakeTurn(t.Context(), exchange.JobLane, key, owner, now, now.Add(5*time.Second))
		return err
	})
	return fence, ok
}

func turns(t *testing.T, e Engine) {
	first, ok := takeTurn(t, e, "A>B", "one", at)
	if !ok || first <= 0 {
		t.Fatalf("first turn: %d %v", first, ok)
	}
	if again, ok := takeTurn(t, e, "A>B", "one", at.Add(3*time.Second)); !ok || again != first {
		t.Errorf("prolonged: %d %v, had %d", again, ok, first)
	}
	if _, ok := takeTurn(t, e, "A>B", "two", at.Add(7*time.Second)); ok {
		t.Error("taken from who had prolonged it")
	}
	if other, ok := takeTurn(t, e, "A>C", "two", at); !ok || other <= first {
		t.Errorf("another lane's turn: %d %v", other, ok)
	}
	next, ok := takeTurn(t, e, "A>B", "two", at.Add(8*time.Second))
	if !ok || next <= first {
		t.Errorf("taken after it ran out: %d %v, had %d", next, ok, first)
	}
	update(t, e, func(tx exchange.Tx) error { return tx.EndTurn(t.Context(), exchange.JobLane, "A>B", first) }) // not the one any more
	if _, ok := takeTurn(t, e, "A>B", "three", at.Add(9*time.Second)); ok {
		t.Error("a turn was ended by who had lost it")
	}
	update(t, e, func(tx exchange.Tx) error { return tx.EndTurn(t.Context(), exchange.JobLane, "A>B", next) })
	if last, ok := takeTurn(t, e, "A>B", "three", at.Add(9*time.Second)); !ok || last <= next {
		t.Errorf("taken after it ended: %d %v", last, ok)
	}
}

func fences(t *testing.T, e Engine) {
	const owners = 8
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[int64]int{}
	for i := range owners {
		wg.Go(func() {
			err := e.Update(t.Context(), func(tx exchange.Tx) error {
				fence, ok, err := tx.TakeTurn(t.Context(), exchange.JobAdmit, "den_1", fmt.Sprint(i), at, at.Add(time.Minute))
				if ok {
					mu.Lock()
					defer mu.Unlock()
					won[fence]++
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d of %d got the turn: %v", len(won), owners, won)
	}
	holds := func(fence int64) (ok bool) {
		view(t, e, func(tx exchange.Tx) (err error) {
			ok, err = tx.HoldsTurn(t.Context(), exchange.JobAdmit, "den_1", fence)
			return err
		})
		return ok
	}
	var old, fresh int64
	for old = range won {
	}
	if !holds(old) || holds(old+1) || holds(old-1) {
		t.Error("the turn held is not the one taken")
	}
	update(t, e, func(tx exchange.Tx) (err error) {
		fresh, _, err = tx.TakeTurn(t.Context(), exchange.JobAdmit, "den_1", "late", at.Add(time.Hour), at.Add(2*time.Hour))
		return err
	})
	if holds(old) || !holds(fresh) {
		t.Error("the old turn still holds")
	}
}

// manyWriters has 64 closures at once, one of which fails after it has written: it
// leaves no trace, all others stand, and the chain of evidence has no gap.
func manyWriters(t *testing.T, e Engine) {
	const n, bad = 64, 17
	boom := errors.New("boom")
	docs := make([]exchange.Document, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		docs[i] = newDocument(i)
		wg.Go(func() {
			errs[i] = e.Update(t.Context(), func(tx exchange.Tx) error {
				ctx := t.Context()
				if err := tx.CreateDocument(ctx, docs[i]); err != nil {
					return err
				}
				if _, err := tx.TakeNumber(ctx, exchange.Entry{Agency: agency, Book: exchange.BookOutgoing, Year: 2026, Subject: docs[i].ID}); err != nil {
					return err
				}
				if _, err := tx.AppendEvent(ctx, exchange.Event{Agency: agency, At: at, Subject: docs[i].ID}); err != nil {
					return err
				}
				if i == bad {
					return boom
				}
				return nil
			})
		})
	}
	wg.Wait()
	view(t, e, func(tx exchange.Tx) error {
		for i, d := range docs {
			_, err := tx.Document(t.Context(), d.ID)
			if i == bad {
				wantCode(t, err, text.NotFound)
				if !errors.Is(errs[i], boom) {
					t.Errorf("who failed was told %v", errs[i])
				}
			} else if err != nil || errs[i] != nil {
				t.Errorf("document %d: %v, told %v", i, err, errs[i])
			}
		}
		events, err := tx.EventsAfter(t.Context(), agency, 0, 2*n)
		must(t, err)
		var last exchange.Event
		for _, ev := range events {
			if !ev.Intact(last) || ev.Subject == docs[bad].ID {
				t.Errorf("event %d of %s breaks the chain, or should not be", ev.Seq, ev.Subject)
			}
			last = ev
		}
		lines, err := tx.Register(t.Context(), agency, exchange.BookOutgoing, 2026)
		must(t, err)
		if len(events) != n-1 || len(lines) != n-1 || lines[n-2].Seq != n-1 {
			t.Errorf("%d events, %d numbers, want %d of each without a gap", len(events), len(lines), n-1)
		}
		return nil
	})
}

func brokenClosures(t *testing.T, e Engine) {
	const n = 24
	docs := make([]exchange.Document, n)
	var wg sync.WaitGroup
	for i := range n {
		docs[i] = newDocument(i)
		wg.Go(func() {
			defer func() { _ = recover() }() // as a server does for a request
			_ = e.Update(t.Context(), func(tx exchange.Tx) error {
				if err := tx.CreateDocument(t.Context(), docs[i]); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					panic("in a closure")
				case 2:
					runtime.Goexit() // as a test does that fails
				}
				return nil
			})
		})
	}
	wg.Wait()
	view(t, e, func(tx exchange.Tx) error {
		for i, d := range docs {
			_, err := tx.Document(t.Context(), d.ID)
			if (err == nil) != (i%3 == 0) {
				t.Errorf("document %d: %v", i, err)
			}
		}
		return nil
	})
}

func cancelledWriters(t *testing.T, e Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	kept, dropped := newDocument(1), newDocument(2)
	var wg sync.WaitGroup
	inside := make(chan struct{})
	wg.Go(func() {
		update(t, e, func(tx exchange.Tx) error {
			close(inside)
			<-ctx.Done()
			return tx.CreateDocument(t.Context(), kept)
		})
	})
	<-inside
	wg.Go(func() {
		if err := e.Update(ctx, func(tx exchange.Tx) error { return tx.CreateDocument(ctx, dropped) }); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled writer was told %v", err)
		}
	})
	cancel()
	wg.Wait()
	err := e.Update(ctx, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), dropped) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a writer with a cancelled context was told %v", err)
	}
	view(t, e, func(tx exchange.Tx) error {
		if _, err := tx.Document(t.Context(), kept.ID); err != nil {
			t.Error(err)
		}
		_, err := tx.Document(t.Context(), dropped.ID)
		wantCode(t, err, text.NotFound)
		return nil
	})
}
