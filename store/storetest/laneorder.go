package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"antin/exchange"
)

// laneTests are the suite's part about lanes with much in them, their order, and what
// an audit reads.
var laneTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"leaves out what is under way already", except},
	{"names every open lane once and no lane that is held", openLanes},
	{"gives the places of a lane without gaps or doubles", places},
	{"keeps how far a receiver has come", laneOrders},
	{"lists all that an audit compares", audited},
}

func except(t *testing.T, e Engine) {
	var made []exchange.Delivery
	for i := range 5 {
		d := newDelivery(i, "H15.02")
		d.Priority = i % 2
		made = append(made, d)
		update(t, e, func(tx exchange.Tx) error { return tx.CreateDelivery(t.Context(), d) })
	}
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.DueDeliveries(t.Context(), made[0].Lane(), at.Add(time.Hour), 2, made[3].ID, made[0].ID)
		if len(got) != 2 || got[0].ID != made[1].ID || got[1].ID != made[2].ID {
			t.Errorf("%v", got)
		}
		return err
	})
}

func openLanes(t *testing.T, e Engine) {
	for i, to := range []exchange.AgencyCode{"H15.03", "H15.02", "H15.02", "H15.04"} {
		d := newDelivery(i, to)
		d.NextAt = at.Add(time.Duration(10-i) * time.Minute)
		update(t, e, func(tx exchange.Tx) error { return tx.CreateDelivery(t.Context(), d) })
	}
	held := exchange.LaneState{Lane: exchange.Lane{From: agency, To: "H15.04"}, Held: exchange.Fact{At: at, By: exchange.System(agency)}}
	update(t, e, func(tx exchange.Tx) error { return tx.SaveLane(t.Context(), held) })
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.OpenLanes(t.Context())
		want := []exchange.DueLane{{Lane: exchange.Lane{From: agency, To: "H15.02"}, At: at.Add(8 * time.Minute)},
			{Lane: exchange.Lane{From: agency, To: "H15.03"}, At: at.Add(10 * time.Minute)}}
		if !slices.EqualFunc(got, want, func(a, b exchange.DueLane) bool { return a.Lane == b.Lane && a.At.Equal(b.At) }) {
			t.Errorf("%v", got)
		}
		return err
	})
}

func places(t *testing.T, e Engine) {
	lane := exchange.Lane{From: agency, To: "H15.02"}
	next := func(class exchange.TransferKind) (p exchange.LanePlace) {
		update(t, e, func(tx exchange.Tx) (err error) {
			p, err = tx.NextPlace(t.Context(), lane, class)
			return err
		})
		return p
	}
	broken := errors.New("given up")
	for i := range int64(3) {
		err := e.Update(t.Context(), func(tx exchange.Tx) error {
			_, err := tx.NextPlace(t.Context(), lane, exchange.KindStatus)
			return errors.Join(err, broken)
		})
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if p := next(exchange.KindStatus); p != (exchange.LanePlace{Epoch: 1, Seq: i + 1}) {
			t.Errorf("place %v", p)
		}
	}
	if p := next(exchange.KindDocument); p.Seq != 1 {
		t.Errorf("another class goes on at %v", p)
	}
	update(t, e, func(tx exchange.Tx) error { return tx.RaiseEpochs(t.Context()) })
	if p := next(exchange.KindStatus); p != (exchange.LanePlace{Epoch: 2, Seq: 1}) {
		t.Errorf("in a new epoch: %v", p)
	}
}

func laneOrders(t *testing.T, e Engine) {
	want := exchange.LaneOrder{Recipient: agency, Sender: "H15.02", Class: exchange.KindStatus}
	for range 2 {
		view(t, e, func(tx exchange.Tx) error {
			got, err := tx.LaneOrder(t.Context(), agency, "H15.02", exchange.KindStatus)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v", got)
			}
			return err
		})
		want.Epoch, want.Seq, want.Passed, want.Waiting = 2, 7, []int64{9, 12}, map[int64]exchange.ID{10: "in_1"}
		update(t, e, func(tx exchange.Tx) error { return tx.SaveLaneOrder(t.Context(), want) })
	}
}

func audited(t *testing.T, e Engine) {
	ctx := t.Context()
	for i := range 5 {
		d := newDelivery(i, "H15.02")
		x := exchange.Transfer{Recipient: agency, Sender: exchange.AgencyCode(fmt.Sprintf("H15.%d", 9-i)), ID: exchange.NewTransferID(at), Kind: exchange.KindDocument,
			Answer: exchange.ReceiptClosed, At: at}
		update(t, e, func(tx exchange.Tx) error {
			_, err := tx.AppendEvent(ctx, exchange.Event{Agency: exchange.AgencyCode(fmt.Sprintf("H1%d", i%2)), At: at, Kind: exchange.EventSent, Subject: d.ID})
			return errors.Join(err, tx.CreateDelivery(ctx, d), tx.CreateTransfer(ctx, x))
		})
	}
	view(t, e, func(tx exchange.Tx) error {
		agencies, err := tx.EvidenceAgencies(ctx)
		if err != nil || !slices.Equal(agencies, []exchange.AgencyCode{"H10", "H11"}) {
			t.Errorf("%v, %v", agencies, err)
		}
		return errors.Join(pagedDeliveries(ctx, t, tx), pagedTransfers(ctx, t, tx))
	})
}

func pagedDeliveries(ctx context.Context, t *testing.T, tx exchange.Tx) error {
	var ids []exchange.ID
	for {
		var after exchange.ID
		if len(ids) > 0 {
			after = ids[len(ids)-1]
		}
		page, err := tx.DeliveriesAfter(ctx, agency, after, 2)
		if err != nil {
			return err
		}
		for _, d := range page {
			ids = append(ids, d.ID)
		}
		if len(page) < 2 {
			break
		}
	}
	if len(ids) != 5 || !slices.IsSorted(ids) {
		t.Errorf("deliveries %v", ids)
	}
	return nil
}

func pagedTransfers(ctx context.Context, t *testing.T, tx exchange.Tx) error {
	var at exchange.TransferKey
	seen := 0
	for {
		page, err := tx.TransfersAfter(ctx, agency, at.Sender, at.ID, 2)
		if err != nil {
			return err
		}
		for _, x := range page {
			if x.Sender <= at.Sender {
				t.Errorf("%s after %s", x.Sender, at.Sender)
			}
			at = x.Key()
			seen++
		}
		if len(page) < 2 {
			break
		}
	}
	if seen != 5 {
		t.Errorf("%d transfers", seen)
	}
	return nil
}
