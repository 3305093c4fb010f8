package exchange_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/internal/text"
)

// script puts faults on a's way to b.
func (s *site) script(to *site, faults ...exchangetest.Fault) {
	s.wire = exchangetest.NewScripted(exchangetest.Direct{Receiver: to.inbox}, to.party, faults...)
	s.outbox.Transport = s.wire
}

func TestManifestIsCommittedBeforeTheFirstByteLeaves(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	if a.wire.Attempts() != 0 || len(d.Manifest) == 0 || d.State != exchange.DeliveryReady {
		t.Fatalf("%d attempts, state %s", a.wire.Attempts(), d.State)
	}
	a.script(b, exchangetest.LoseRequest, exchangetest.LoseAnswer)
	for range 3 {
		must(t, a.outbox.Drain(t.Context(), a.lane(b)))
		if got := a.delivery(t, d.ID); !bytes.Equal(got.Manifest, d.Manifest) || got.TransferID != d.TransferID {
			t.Fatal("an attempt changed the transfer's identity")
		}
		a.advance(time.Minute)
	}
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered || len(b.documents(t)) != 1 {
		t.Errorf("state %s, %d items", got.State, len(b.documents(t)))
	}
}

func TestADownPeerCostsNoAttemptAndBacksOff(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d, second := a.send(t, a.unsigned(t, 1), b), a.send(t, a.unsigned(t, 2), b)
	faults := slices.Repeat([]exchangetest.Fault{exchangetest.LoseRequest}, 12)
	a.script(b, faults...)
	var last time.Duration
	for i := range len(faults) {
		must(t, a.outbox.Drain(t.Context(), a.lane(b)))
		if got := a.wire.Attempts(); got != i+1 {
			t.Fatalf("after %d rounds %d attempts: the rest of the lane must wait", i+1, got)
		}
		must(t, a.outbox.Drain(t.Context(), a.lane(b))) // too early: nothing happens
		lane, err := a.outbox.Lane(t.Context(), a.clerk, "H15.02")
		must(t, err)
		pause := lane.RetryAt.Sub(a.Now())
		if pause > 73*time.Minute || pause < last*6/10 && pause < 40*time.Minute || lane.Failures != i+1 {
			t.Fatalf("pause %d is %s after %s", i+1, pause, last)
		}
		last = pause
		a.advance(pause + time.Second)
	}
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	for _, id := range []exchange.ID{d.ID, second.ID} {
		if got := a.delivery(t, id); got.State != exchange.DeliveryDelivered || got.Attempts != 0 {
			t.Errorf("%s after %d attempts", got.State, got.Attempts)
		}
	}
	if lane, _ := a.outbox.Lane(t.Context(), a.clerk, "H15.02"); lane.Failures != 0 {
		t.Errorf("the lane remembers %d failures", lane.Failures)
	}
}

func TestFalseReceiptsDoNotDeliver(t *testing.T) {
	t.Parallel()
	for _, lie := range []exchangetest.Fault{exchangetest.OtherTransfer, exchangetest.OtherDigest, exchangetest.OtherKey,
		exchangetest.SpoiledReceipt, exchangetest.Nonsense} {
		t.Run(string(lie), func(t *testing.T) {
			t.Parallel()
			a, b := newPair(t)
			d := a.send(t, a.unsigned(t, 1), b)
			a.script(b, lie)
			must(t, a.outbox.Drain(t.Context(), a.lane(b)))
			got := a.delivery(t, d.ID)
			if got.State != exchange.DeliveryReady || got.Attempts != 1 || len(got.Receipt) != 0 || got.Note.IsZero() {
				t.Fatalf("%s after %d attempts, note %+v", got.State, got.Attempts, got.Note)
			}
			a.advance(time.Minute)
			must(t, a.outbox.Drain(t.Context(), a.lane(b)))
			if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered {
				t.Errorf("honest answer: %s", got.State)
			}
		})
	}
}

func TestATransferThatFailsByItselfIsQuarantinedAndTheLaneGoesOn(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	bad := a.send(t, a.unsigned(t, 1), b)
	a.script(b, slices.Repeat([]exchangetest.Fault{exchangetest.SpoilByte}, 8)...)
	for range 8 {
		must(t, a.outbox.Drain(t.Context(), a.lane(b)))
		a.advance(2 * time.Hour)
	}
	if got := a.delivery(t, bad.ID); got.State != exchange.DeliveryQuarantined || got.Attempts != 8 {
		t.Fatalf("%s after %d attempts", got.State, got.Attempts)
	}
	good := a.send(t, a.unsigned(t, 2), b)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, good.ID); got.State != exchange.DeliveryDelivered {
		t.Errorf("the next one is %s", got.State)
	}
	if got := a.delivery(t, bad.ID); got.State != exchange.DeliveryQuarantined {
		t.Errorf("a quarantined transfer was tried: %s", got.State)
	}
	must(t, a.outbox.Resume(t.Context(), a.clerk, bad.ID))
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, bad.ID); got.State != exchange.DeliveryDelivered {
		t.Errorf("resumed: %s", got.State)
	}
	a.checkEvidence(t)
}

func TestPermanentRefusalEndsTheDelivery(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	doc := a.unsigned(t, 1)
	d := a.send(t, doc, b)
	a.script(b, exchangetest.Refuse)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	got := a.delivery(t, d.ID)
	if got.State != exchange.DeliveryRefused || got.Note.Code != text.PeerRefused {
		t.Fatalf("%s: %+v", got.State, got.Note)
	}
	// What was refused may be sent again, as a new transfer.
	out, err := a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: doc.ID, To: []exchange.AgencyCode{"H15.02"}, Key: "again"})
	must(t, err)
	if len(out) != 2 || out[1].TransferID == d.TransferID {
		t.Errorf("%d deliveries", len(out))
	}
	_, err = a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: doc.ID, To: []exchange.AgencyCode{"H15.02"}, Key: "third"})
	wantCode(t, err, text.StateConflict)
}

func TestLostTrustStopsTheLaneAndAlarms(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	a.script(b, exchangetest.Distrust, exchangetest.Distrust)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	lane, err := a.outbox.Lane(t.Context(), a.clerk, "H15.02")
	must(t, err)
	if got := a.delivery(t, d.ID); !lane.Halted || got.Attempts != 0 || got.State != exchange.DeliveryReady {
		t.Errorf("halted %v, %d attempts", lane.Halted, got.Attempts)
	}
	a.advance(16 * time.Minute)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	var halts int
	must(t, a.db.View(t.Context(), func(tx exchange.Tx) error {
		events, err := tx.EventsAfter(t.Context(), "H15.01", 0, 100)
		for _, e := range events {
			if e.Kind == exchange.EventLaneHalted {
				halts++
			}
		}
		return err
	}))
	if halts != 1 {
		t.Errorf("%d alarms for one stop", halts)
	}
	must(t, a.outbox.Resume(t.Context(), a.clerk, d.ID))
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered {
		t.Errorf("after trust is mended: %s", got.State)
	}
}

func TestExpiryAsksThePeerBeforeStatingNonDelivery(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	seen, unseen := a.send(t, a.unsigned(t, 1), b), a.send(t, a.unsigned(t, 2), b)
	_, err := b.inbox.Receive(t.Context(), a.incoming(t, seen)) // its answer was lost
	must(t, err)
	a.advance(6 * 24 * time.Hour)
	a.outbox.Transport = unreachable{}
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, seen.ID); got.State != exchange.DeliveryUnknownExpired {
		t.Errorf("peer silent: %s", got.State)
	}
	a.script(b)
	for range 3 {
		a.advance(2 * time.Hour)
		must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	}
	if got := a.delivery(t, seen.ID); got.State != exchange.DeliveryDeliveredLate {
		t.Errorf("the one that had arrived: %s", got.State)
	}
	if got := a.delivery(t, unseen.ID); got.State != exchange.DeliveryNonDelivered || len(got.Receipt) == 0 {
		t.Errorf("the one that had not: %s", got.State)
	}
	if r, err := b.inbox.Receive(t.Context(), a.incoming(t, unseen)); err != nil || r.Kind != exchange.ReceiptClosed {
		t.Errorf("B afterwards: %s, %v", r.Kind, err)
	}
}

func TestLanesTakeUrgentFirst(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	for i := range 3 {
		a.send(t, a.unsigned(t, i+1), b)
	}
	d := a.unsigned(t, 9)
	urgent := exchange.NewDocument{Kind: d.Kind, Notation: "VP", Subject: "Hỏa tốc", PDF: bytes.NewReader(plainPDF(t, "u")), Priority: 3,
		FileName: "u.pdf", Final: &exchange.Number{Seq: 50, Date: a.Now()}, Confirmed: true}
	u, err := a.outbox.Create(t.Context(), a.clerk, urgent)
	must(t, err)
	a.send(t, u, b)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	items := b.documents(t)
	first := items[len(items)-1]
	if first.Header.Priority != 3 {
		t.Errorf("first came priority %d", first.Header.Priority)
	}
}

func TestSendToManyIsOneMessageAndOneDeliveryEach(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	directory := exchange.AgencyList{a.office.Agency}
	var to []exchange.AgencyCode
	for i := range 40 {
		p := exchangetest.NewParty(exchange.AgencyCode(fmt.Sprintf("H15.R%02d", i)))
		directory = append(directory, p.Agency)
		to = append(to, p.Agency.Code, p.Agency.Code) // named twice
	}
	a.outbox.Directory = directory
	d := a.unsigned(t, 1)
	out, err := a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: to})
	must(t, err)
	ids := map[exchange.TransferID]bool{}
	for _, dl := range out {
		ids[dl.TransferID] = true
		if dl.Payload != out[0].Payload {
			t.Error("a second message")
		}
	}
	if len(out) != 40 || len(ids) != 40 {
		t.Errorf("%d deliveries, %d transfers", len(out), len(ids))
	}
	_, err = a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H99"}})
	wantCode(t, err, text.ReceiverUnknown)
	_, err = a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.01"}})
	wantCode(t, err, text.InvalidInput)
	_, err = a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID})
	wantCode(t, err, text.InvalidInput)
}
