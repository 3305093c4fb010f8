package exchange_test

import (
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func TestAHeldDeliveryWaitsUntilItIsResumed(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	held, other := a.ready(t, "H15.02", 1, 0)[0], a.ready(t, "H15.02", 1, 1)[0]
	wantCode(t, a.outbox.Hold(t.Context(), a.clerk, held.ID, ""), text.InvalidInput)
	wantCode(t, a.outbox.Hold(t.Context(), a.leader, held.ID, "chờ"), text.NotAllowed)
	wantCode(t, a.outbox.Hold(t.Context(), b.clerk, held.ID, "chờ"), text.NotFound)
	must(t, a.outbox.Hold(t.Context(), a.clerk, held.ID, "chờ bản đính chính"))
	must(t, a.outbox.Hold(t.Context(), a.clerk, held.ID, "chờ bản đính chính"))
	a.advance(30 * 24 * time.Hour)
	a.outbox.Expiry = 60 * 24 * time.Hour
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, held.ID); got.State != exchange.DeliveryHeld {
		t.Fatalf("held, it is %s", got.State)
	}
	if got := a.delivery(t, other.ID); !got.State.Final() {
		t.Errorf("the one behind it is %s", got.State)
	}
	must(t, a.outbox.Resume(t.Context(), a.clerk, held.ID))
	if got := a.delivery(t, held.ID); got.State != exchange.DeliveryReady || got.TransferID != held.TransferID {
		t.Errorf("resumed, it is %s", got.State)
	}
	a.checkEvidence(t)
}

func TestAHeldLaneSendsNothingUntilItIsReleased(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.ready(t, "H15.02", 1, 0)[0]
	must(t, a.outbox.HoldLane(t.Context(), a.clerk, "H15.02", "đơn vị chuyển trụ sở"))
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if a.wire.Attempts() != 0 {
		t.Fatal("a held lane was used")
	}
	lanes, err := a.outbox.Lanes(t.Context(), a.clerk)
	must(t, err)
	if len(lanes) != 1 || !lanes[0].State.Held.Done() || lanes[0].State.HeldWhy == "" || lanes[0].Waiting != 1 || lanes[0].Oldest.IsZero() {
		t.Fatalf("%+v", lanes)
	}
	must(t, a.outbox.ReleaseLane(t.Context(), a.clerk, "H15.02"))
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered {
		t.Errorf("released, it is %s", got.State)
	}
	if lanes, _ := a.outbox.Lanes(t.Context(), a.clerk); len(lanes) != 0 {
		t.Errorf("%+v", lanes)
	}
	kinds := a.kinds(t, exchange.ID("H15.01>H15.02"))
	if len(kinds) != 2 || kinds[0] != exchange.EventLaneHeld || kinds[1] != exchange.EventLaneReleased {
		t.Errorf("%v", kinds)
	}
}

func TestAPersonSetsADeliveryAside(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.ready(t, "H15.02", 1, 0)[0]
	must(t, a.outbox.Quarantine(t.Context(), a.clerk, d.ID, "nghi gửi nhầm"))
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryQuarantined || a.wire.Attempts() != 0 {
		t.Fatalf("%s", got.State)
	}
	must(t, a.outbox.Resume(t.Context(), a.clerk, d.ID))
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered {
		t.Errorf("%s", got.State)
	}
	wantCode(t, a.outbox.Quarantine(t.Context(), a.clerk, d.ID, "muộn"), text.StateConflict)
	wantCode(t, a.outbox.Hold(t.Context(), a.clerk, d.ID, "muộn"), text.StateConflict)
}
