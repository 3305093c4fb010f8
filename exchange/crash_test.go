package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"antin/exchange"
	"antin/store"
	"antin/store/storetest"
)

// everyWrite runs act for n = 1, 2, … with s dying at its nth write, lets it come
// back, runs act again, which must succeed, and then check, until act survives.
// subject makes what the nth round works on.
func everyWrite[T any](t *testing.T, s *site, subject func(n int) T, act func(T) error, check func(n int, v T)) {
	t.Helper()
	for n := 1; ; n++ {
		v := subject(n)
		s.db.FailAt(n)
		err := act(v)
		died := s.db.Heal()
		if died && !errors.Is(err, storetest.ErrFault) {
			t.Fatalf("write %d failed and nobody said so: %v", n, err)
		}
		must(t, act(v))
		check(n, v)
		if !died {
			if n < 5 {
				t.Fatalf("only %d writes were seen", n-1)
			}
			must(t, err)
			s.checkEvidence(t)
			return
		}
	}
}

func TestCreateSurvivesDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	everyWrite(t, a, func(n int) int { return n },
		func(n int) error {
			_, err := a.outbox.Create(t.Context(), a.clerk, letter(fmt.Sprint("key", n)))
			return err
		},
		func(n int, _ int) {
			docs, err := a.outbox.List(t.Context(), a.clerk, exchange.DocumentFilter{})
			must(t, err)
			if len(docs) != n {
				t.Fatalf("%d documents after %d creations", len(docs), n)
			}
		})
}

func TestSigningAndSealingSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	create := func(n int) exchange.ID {
		d, err := a.outbox.Create(t.Context(), a.clerk, letter(fmt.Sprint("key", n)))
		must(t, err)
		return d.ID
	}
	everyWrite(t, a, create,
		func(id exchange.ID) error {
			if _, err := a.outbox.Sign(t.Context(), a.leader, id); err != nil {
				return err
			}
			_, err := a.outbox.Seal(t.Context(), a.clerk, id)
			return err
		},
		func(n int, id exchange.ID) {
			v, err := a.outbox.Document(t.Context(), a.clerk, id)
			must(t, err)
			if v.Issuance.Verdict != exchange.VerdictValid || v.Issuance.Number.Seq != n {
				t.Fatalf("round %d: %s, number %d", n, v.Issuance.Verdict, v.Issuance.Number.Seq)
			}
			counts := map[exchange.EventKind]int{}
			for _, k := range a.kinds(t, id) {
				counts[k]++
			}
			for _, k := range []exchange.EventKind{exchange.EventApproved, exchange.EventSigned, exchange.EventNumbered, exchange.EventSealed, exchange.EventIssued} {
				if counts[k] != 1 {
					t.Fatalf("round %d: %s happened %d times", n, k, counts[k])
				}
			}
		})
}

func TestSendSurvivesDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	everyWrite(t, a, func(n int) exchange.Document { return a.unsigned(t, n) },
		func(d exchange.Document) error {
			_, err := a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}, Key: "k" + string(d.ID)})
			return err
		},
		func(_ int, d exchange.Document) {
			if v, err := a.outbox.Document(t.Context(), a.clerk, d.ID); err != nil || len(v.Deliveries) != 1 {
				t.Fatalf("%d deliveries, %v", len(v.Deliveries), err)
			}
		})
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
}

func TestReceiveSurvivesDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	var receipts [][]byte
	everyWrite(t, b, func(n int) exchange.Delivery { return a.send(t, a.unsigned(t, n), b) },
		func(d exchange.Delivery) error {
			r, err := b.inbox.Receive(t.Context(), a.incoming(t, d))
			if err == nil {
				receipts = append(receipts, r.JWS)
			}
			return err
		},
		func(n int, d exchange.Delivery) {
			again, err := b.inbox.Receive(t.Context(), a.incoming(t, d))
			must(t, err)
			for _, r := range receipts {
				if !bytes.Equal(r, again.JWS) {
					t.Fatal("two receipts for one transfer are in the world")
				}
			}
			receipts = nil
			if items := b.documents(t); len(items) != n {
				t.Fatalf("%d items after %d transfers", len(items), n)
			}
		})
}

func TestRelaySurvivesDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	everyWrite(t, a, func(n int) exchange.Delivery { return a.send(t, a.unsigned(t, n), b) },
		func(exchange.Delivery) error { return a.outbox.Drain(t.Context(), a.lane(b)) },
		func(n int, d exchange.Delivery) {
			got := a.delivery(t, d.ID)
			known, err := b.inbox.Known(t.Context(), exchange.TransferKey{Recipient: "H15.02", Sender: "H15.01", ID: d.TransferID})
			must(t, err)
			if got.State != exchange.DeliveryDelivered || !bytes.Equal(got.Receipt, known.JWS) {
				t.Fatalf("round %d: %s", n, got.State)
			}
			if items := b.documents(t); len(items) != n {
				t.Fatalf("%d items after %d transfers", len(items), n)
			}
		})
}

func TestAdmissionSurvivesDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	everyWrite(t, b,
		func(n int) exchange.ID {
			a.send(t, a.unsigned(t, n), b)
			must(t, a.outbox.Drain(t.Context(), a.lane(b)))
			return b.documents(t)[0].ID
		},
		func(id exchange.ID) error { return b.inbox.Admit(t.Context(), id) },
		func(n int, id exchange.ID) {
			v, err := b.inbox.Item(t.Context(), b.clerk, id)
			must(t, err)
			if v.State != exchange.InboxWaiting || len(v.History) != 1 || v.Told != exchange.DeliveryReady {
				t.Fatalf("round %d: %s, history %v, told %q", n, v.State, v.History, v.Told)
			}
		})
	// The statuses go back, A dying at each write while it takes them in.
	must(t, b.outbox.Drain(t.Context(), b.lane(a)))
	filter := exchange.InboxFilter{Kind: exchange.KindStatus, State: exchange.InboxReceived}
	everyWrite(t, a,
		func(int) exchange.ID {
			items, err := a.inbox.List(t.Context(), a.clerk, filter)
			must(t, err)
			// A later one waits for those sent before it, in whatever order they came.
			return slices.MinFunc(items, func(x, y exchange.ItemView) int { return int(x.Place.Seq - y.Place.Seq) }).ID
		},
		func(id exchange.ID) error { return a.inbox.Admit(t.Context(), id) },
		func(n int, _ exchange.ID) {
			docs, err := a.outbox.List(t.Context(), a.clerk, exchange.DocumentFilter{})
			must(t, err)
			heard := 0
			for _, d := range docs {
				heard += len(d.Deliveries[0].History)
			}
			if heard != n {
				t.Fatalf("%d statuses heard after %d messages", heard, n)
			}
		})
}

func TestAcceptanceSurvivesDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	everyWrite(t, b,
		func(n int) exchange.ID {
			a.send(t, a.unsigned(t, n), b)
			settle(t, a, b)
			return b.documents(t)[0].ID
		},
		func(id exchange.ID) error {
			_, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: id, Key: "k" + string(id)})
			return err
		},
		func(n int, id exchange.ID) {
			v, err := b.inbox.Item(t.Context(), b.clerk, id)
			must(t, err)
			if v.Arrival != n || len(v.History) != 2 || v.Business.Code != exchange.StatusAccepted {
				t.Fatalf("round %d: number %d, history %v", n, v.Arrival, v.History)
			}
		})
}

// TestWorkersDeliverWhatWasLeft starts real workers over directories that a dead
// process left behind, and waits until the sender has heard that it arrived.
func TestWorkersDeliverWhatWasLeft(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	const n = 5
	var docs []exchange.ID
	for i := range n {
		d := a.unsigned(t, i+1)
		a.send(t, d, b)
		docs = append(docs, d.ID)
	}
	_, err := b.inbox.Receive(t.Context(), a.incoming(t, a.send(t, a.unsigned(t, n+1), b)))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	heard := &told{Store: a.db, c: make(chan struct{}, 1)}
	a.inbox.Store = heard
	a.reopen(t)
	b.reopen(t)
	for _, s := range []*site{a, b} {
		s.worker.OnError = func(err error) { t.Error(err) }
		go func() { done <- s.worker.Run(ctx) }()
	}
	deadline := time.After(30 * time.Second)
	for _, id := range docs {
		for {
			v, err := a.outbox.Document(t.Context(), a.clerk, id)
			must(t, err)
			if v.Deliveries[0].Business.Code == exchange.StatusArrived {
				break
			}
			select {
			case <-heard.c:
			case <-deadline:
				t.Fatalf("%s: %s, %q", id, v.Deliveries[0].State, v.Deliveries[0].Business.Code)
			}
		}
	}
	cancel()
	must(t, errors.Join(<-done, <-done))
	if items := b.documents(t); len(items) != n+1 {
		t.Errorf("B has %d documents", len(items))
	}
	a.checkEvidence(t)
	b.checkEvidence(t)
}

// told says on c that something was committed.
type told struct {
	exchange.Store
	c chan struct{}
}

func (s *told) Update(ctx context.Context, fn func(exchange.Tx) error) error {
	err := s.Store.Update(ctx, fn)
	select {
	case s.c <- struct{}{}:
	default: // said already
	}
	return err
}

// reopen closes the site's store and opens it again, as a new process does.
func (s *site) reopen(t *testing.T) {
	t.Helper()
	must(t, s.db.Engine.(*store.DB).Close())
	db, err := store.Open(t.Context(), store.Options{Dir: s.dir, Database: s.database, Now: s.Now})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	s.db.Engine = db
}
