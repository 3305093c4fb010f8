package exchange_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
)

// signals makes b tell a about one document n times, and returns what it sent, oldest first.
func signals(t *testing.T, a, b *site) (doc exchange.Delivery, told []exchange.Delivery) {
	t.Helper()
	doc = a.send(t, a.unsigned(t, 1), b)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	b.admitAll(t) // 01
	item := b.documents(t)[0]
	for i, act := range []func() error{
		func() error {
			_, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: item.ID, Key: "1"})
			return err
		},
		func() error {
			_, err := b.inbox.Handle(t.Context(), b.clerk, exchange.StatusAssigned, exchange.Decision{Item: item.ID, Key: "2", Assignee: "Phòng Nội vụ"})
			return err
		},
	} {
		if err := act(); err != nil {
			t.Fatalf("act %d: %v", i, err)
		}
	}
	must(t, b.db.View(t.Context(), func(tx exchange.Tx) (err error) {
		told, err = tx.DueDeliveries(t.Context(), b.lane(a), b.Now(), 10)
		return err
	}))
	slices.SortFunc(told, func(x, y exchange.Delivery) int { return int(placeIn(t, x).Seq - placeIn(t, y).Seq) })
	return doc, told
}

func placeIn(t *testing.T, d exchange.Delivery) jws.Lane {
	t.Helper()
	m, _, err := jws.PeekManifest(d.Manifest)
	must(t, err)
	if m.Lane == nil {
		t.Fatalf("%s has no place", d.ID)
	}
	return *m.Lane
}

// statuses are the codes that a's history of doc holds.
func (s *site) statuses(t *testing.T, doc exchange.Delivery) (codes []exchange.StatusCode) {
	t.Helper()
	must(t, s.db.View(t.Context(), func(tx exchange.Tx) error {
		history, err := tx.History(t.Context(), doc.ID)
		for _, h := range history {
			codes = append(codes, h.Code)
		}
		return err
	}))
	return codes
}

func TestSignalsAreReleasedInTheOrderTheyWereSent(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			t.Parallel()
			a, b := newPair(t)
			doc, told := signals(t, a, b)
			if len(told) != 3 || placeIn(t, told[0]).Seq != 1 || placeIn(t, told[2]).Seq != 3 {
				t.Fatalf("%d signals", len(told))
			}
			for _, i := range order {
				_, err := a.inbox.Receive(t.Context(), b.incoming(t, told[i]))
				must(t, err)
				a.admitAll(t)
			}
			for range 3 {
				a.admitAll(t)
			}
			if got := a.statuses(t, doc); !slices.Equal(got, []exchange.StatusCode{"01", "03", "04"}) {
				t.Errorf("released as %v", got)
			}
		})
	}
}

func TestASignalIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	doc, told := signals(t, a, b)
	_, err := a.inbox.Receive(t.Context(), b.incoming(t, told[2]))
	must(t, err)
	a.admitAll(t)
	if got := a.statuses(t, doc); len(got) != 0 {
		t.Fatalf("released past a gap: %v", got)
	}
	a.advance(11 * time.Minute)
	a.admitAll(t)
	if got := a.statuses(t, doc); !slices.Equal(got, []exchange.StatusCode{"04"}) {
		t.Fatalf("after the wait: %v", got)
	}
	events, err := (&exchange.Evidence{Store: a.db}).Feed(t.Context(), a.clerk, 0, 500)
	must(t, err)
	if !slices.ContainsFunc(events, func(e exchange.Event) bool {
		return e.Kind == exchange.EventLaneGap && e.Data["from"] == "1" && e.Data["to"] == "2"
	}) {
		t.Error("the gap left no event")
	}
	for _, d := range told[:2] { // what comes late is taken, and holds nothing up
		_, err := a.inbox.Receive(t.Context(), b.incoming(t, d))
		must(t, err)
		a.admitAll(t)
	}
	if got := a.statuses(t, doc); len(got) != 3 {
		t.Errorf("in the end: %v", got)
	}
}

func TestAClosedTransferHoldsNoSignalUp(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	doc, told := signals(t, a, b)
	_, err := a.inbox.Receive(t.Context(), b.incoming(t, told[1]))
	must(t, err)
	a.admitAll(t)
	_, err = a.inbox.CloseTransfer(t.Context(), "H15.02", told[0].Manifest)
	must(t, err)
	a.admitAll(t)
	if got := a.statuses(t, doc); !slices.Equal(got, []exchange.StatusCode{"03"}) {
		t.Errorf("%v", got)
	}
}

func TestDocumentsNeverWait(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	a.send(t, a.unsigned(t, 1), b)
	second := a.send(t, a.unsigned(t, 2), b)
	if p := placeIn(t, second); p.Seq != 2 || p.Epoch != 1 || p.Class != "document" {
		t.Fatalf("%+v", p)
	}
	_, err := b.inbox.Receive(t.Context(), a.incoming(t, second))
	must(t, err)
	b.admitAll(t)
	if items := b.documents(t); len(items) != 1 || items[0].State != exchange.InboxWaiting {
		t.Errorf("%+v", items)
	}
}

func TestNonDeliveryIsStatedOverTheClosedReceiptAlone(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	a.advance(6 * 24 * time.Hour)
	a.outbox.Transport = unreachable{}
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryUnknownExpired || got.Stated != nil {
		t.Fatalf("unasked: %s, stated %v", got.State, got.Stated != nil)
	}
	a.outbox.Transport = a.wire
	a.advance(2 * time.Hour)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	got := a.delivery(t, d.ID)
	keys, err := jws.NewKeys(a.party.Key.Public())
	must(t, err)
	said, err := jws.VerifyNonDelivery(got.Stated, keys)
	must(t, err)
	if got.State != exchange.DeliveryNonDelivered || said.TransferID != string(d.TransferID) || said.ProofSHA256 != string(exchange.DigestOf(got.Receipt)) {
		t.Errorf("%s: %+v", got.State, said)
	}
	if !slices.Contains(a.kinds(t, d.Subject), exchange.EventNonDelivery) {
		t.Error("the statement left no event")
	}
}
