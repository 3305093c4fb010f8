package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"antin/exchange"
)

func registers(t *testing.T, e Engine) {
	const n = 40
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []int
	for i := range n {
		wg.Go(func() {
			var seq int
			err := e.Update(t.Context(), func(tx exchange.Tx) (err error) {
				seq, err = tx.TakeNumber(t.Context(), exchange.Entry{Agency: agency, Book: exchange.BookIncoming, Year: 2026,
					Subject: exchange.ID(fmt.Sprintf("vd_%d", i)), At: at})
				if err == nil && i%4 == 0 {
					return errors.New("given up") // its number goes to the next
				}
				return err
			})
			if err == nil {
				mu.Lock()
				got = append(got, seq)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	for i, seq := range got {
		if seq != i+1 {
			t.Fatalf("numbers %v have a gap or a double", got)
		}
	}
	if len(got) != n-n/4 {
		t.Errorf("%d numbers given", len(got))
	}
	view(t, e, func(tx exchange.Tx) error {
		lines, err := tx.Register(t.Context(), agency, exchange.BookIncoming, 2026)
		if len(lines) != len(got) {
			t.Errorf("register holds %d lines", len(lines))
		}
		return err
	})
}

func sameNumber(t *testing.T, e Engine) {
	take := func(subject exchange.ID, book exchange.Book, year int) (seq int) {
		update(t, e, func(tx exchange.Tx) (err error) {
			seq, err = tx.TakeNumber(t.Context(), exchange.Entry{Agency: agency, Book: book, Year: year, Subject: subject, At: at})
			return err
		})
		return seq
	}
	first, again, next := take("vb_1", exchange.BookOutgoing, 2026), take("vb_1", exchange.BookOutgoing, 2027), take("vb_2", exchange.BookOutgoing, 2026)
	if first != 1 || again != 1 || next != 2 {
		t.Errorf("numbers %d, %d, %d", first, again, next)
	}
	if n := take("vb_3", exchange.BookOutgoing, 2027); n != 1 {
		t.Errorf("a new year begins with %d", n)
	}
	if n := take("vd_1", exchange.BookIncoming, 2026); n != 1 {
		t.Errorf("the other book begins with %d", n)
	}
}

func chain(t *testing.T, e Engine) {
	const n = 30
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			who := agency
			if i%3 == 0 {
				who = "H15.99" // chains of agencies do not meet
			}
			err := e.Update(t.Context(), func(tx exchange.Tx) error {
				_, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: who, At: at.Add(time.Duration(i)), Kind: exchange.EventSent,
					Subject: "dl_1", Parent: "vb_1", Data: map[string]string{"n": fmt.Sprint(i)}})
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	view(t, e, func(tx exchange.Tx) error {
		for who, count := range map[exchange.AgencyCode]int{agency: 20, "H15.99": 10} {
			events, err := tx.EventsAfter(t.Context(), who, 0, 100)
			must(t, err)
			if len(events) != count {
				t.Fatalf("%s has %d events", who, len(events))
			}
			var prev exchange.Event
			for _, ev := range events {
				if !ev.Intact(prev) {
					t.Fatalf("chain of %s breaks at %d", who, ev.Seq)
				}
				prev = ev
			}
		}
		events, err := tx.EventsOf(t.Context(), "vb_1")
		if len(events) != n {
			t.Errorf("parent finds %d events", len(events))
		}
		return err
	})
}

func histories(t *testing.T, e Engine) {
	codes := []exchange.StatusCode{exchange.StatusAccepted, exchange.StatusArrived, exchange.StatusAccepted}
	for _, c := range codes {
		update(t, e, func(tx exchange.Tx) error {
			return tx.AppendStatus(t.Context(), exchange.Status{Subject: "dl_1", Code: c, At: at, RecordedAt: at, Reason: "lý do"})
		})
	}
	view(t, e, func(tx exchange.Tx) error {
		h, err := tx.History(t.Context(), "dl_1")
		must(t, err)
		var got []exchange.StatusCode
		for _, s := range h {
			got = append(got, s.Code)
		}
		if !slices.Equal(got, codes) {
			t.Errorf("history %v", got)
		}
		return nil
	})
}
