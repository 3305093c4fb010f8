package exchange_test

import (
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func TestWhoLooksAfterTheExchangeFindsByNumberAgencyPersonAndId(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.unsigned(t, 1)
	ds, err := a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}})
	must(t, err)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	finder := &exchange.Finder{Store: a.db, Directory: a.outbox.Directory, Now: a.Now}
	operator := exchange.Actor{ID: "it", Name: "Vận hành", Role: exchange.RoleOperator, Agency: "H15.01"}
	find := func(actor exchange.Actor, query string) map[exchange.ID]exchange.Hit {
		t.Helper()
		found, err := finder.Search(t.Context(), actor, query)
		must(t, err)
		out := map[exchange.ID]exchange.Hit{}
		for _, h := range found.Hits {
			out[h.ID] = h
		}
		return out
	}
	doc, err := a.outbox.Document(t.Context(), a.clerk, d.ID)
	must(t, err)
	agency, err := a.outbox.Directory.Agency(t.Context(), "H15.02")
	must(t, err)
	for _, query := range []string{doc.Issuance.Number.String(), "VIEC SO 1", string(d.ID), string(ds[0].TransferID)} {
		for _, actor := range []exchange.Actor{a.clerk, operator} {
			if h := find(actor, query)[d.ID]; h.Kind != exchange.HitDocument || h.Number != doc.Issuance.Number.String() {
				t.Errorf("%s looking for %q: %+v", actor.Role, query, h)
			}
		}
	}
	for _, query := range []string{"H15.02", "h15.02", agency.Name, exchange.Fold(agency.Name)} {
		if h := find(operator, query)["H15.02"]; h.Kind != exchange.HitLane || h.Peers != agency.Name {
			t.Errorf("looking for %q: %+v", query, h)
		}
	}
	if h := find(operator, string(ds[0].ID))[ds[0].ID]; h.Kind != exchange.HitDelivery || h.State != string(exchange.DeliveryDelivered) {
		t.Errorf("the delivery by its id: %+v", h)
	}
	b.admitAll(t)
	item := b.documents(t)[0]
	_, err = b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: item.ID, Assignee: "Trần Thị Bình"})
	must(t, err)
	elsewhere := &exchange.Finder{Store: b.db, Directory: b.outbox.Directory, Now: b.Now}
	found, err := elsewhere.Search(t.Context(), b.clerk, "tran thi binh")
	must(t, err)
	if len(found.Hits) != 1 || found.Hits[0].ID != item.ID || found.Hits[0].Kind != exchange.HitInbox {
		t.Errorf("by the person who handles it: %+v", found)
	}
	for _, nothing := range []string{"", "không có gì như vậy", "\x00", "dl_0", "vb_none"} {
		if got := find(operator, nothing); len(got) != 0 {
			t.Errorf("%q finds %v", nothing, got)
		}
	}
	if got := find(b.clerk, string(d.ID)); len(got) != 0 {
		t.Errorf("another agency finds %v", got)
	}
	_, err = finder.Search(t.Context(), a.leader, "UBND")
	wantCode(t, err, text.NotAllowed)
}

func TestAFailureIsToldToOperatorsOnly(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	finder := &exchange.Finder{Store: a.db, Now: a.Now}
	must(t, finder.Note(t.Context(), "H15.01", "k7xq2", "page", text.Errorf(text.Internal, nil)))
	operator := exchange.Actor{ID: "it", Name: "Vận hành", Role: exchange.RoleOperator, Agency: "H15.01"}
	for actor, told := range map[exchange.Actor]bool{operator: true, a.clerk: false} {
		found, err := finder.Search(t.Context(), actor, "K7XQ2")
		must(t, err)
		if (found.Trouble != nil) != told {
			t.Errorf("%s is told %v", actor.Role, found.Trouble)
		}
	}
}

func TestAReceiptProvesWhatTheOtherSideDidAndAForgedOneNothing(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.ready(t, "H15.02", 1, 0)[0]
	if _, ok := a.outbox.Proof(t.Context(), a.delivery(t, d.ID)); ok {
		t.Error("something is proven before anything was answered")
	}
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	sent := a.delivery(t, d.ID)
	p, ok := a.outbox.Proof(t.Context(), sent)
	if !ok || !p.Good || p.Kind != exchange.ReceiptAccepted || p.At.IsZero() || p.Peer != "H15.02" {
		t.Fatalf("%+v, %v", p, ok)
	}
	other := a.ready(t, "H15.02", 1, 1)[0]
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	swapped := sent
	swapped.Receipt = a.delivery(t, other.ID).Receipt
	if p, ok := a.outbox.Proof(t.Context(), swapped); !ok || p.Good {
		t.Errorf("the receipt of another transfer proves %+v", p)
	}
	swapped.Receipt = []byte("e30.e30.AAAA")
	if p, ok := a.outbox.Proof(t.Context(), swapped); !ok || p.Good {
		t.Errorf("a forged receipt proves %+v", p)
	}
	items, err := b.inbox.List(t.Context(), b.clerk, exchange.InboxFilter{})
	must(t, err)
	s, ok, err := b.inbox.SentBy(t.Context(), b.clerk, items[0].ID)
	must(t, err)
	if !ok || s.Peer != "H15.01" || s.At.IsZero() {
		t.Errorf("the sender is told as %+v, %v", s, ok)
	}
	_, _, err = b.inbox.SentBy(t.Context(), a.clerk, items[0].ID)
	wantCode(t, err, text.NotFound)
}

func TestALaneListsItsDeliveriesByState(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	ds := a.ready(t, "H15.02", 3, 0)
	must(t, a.outbox.Hold(t.Context(), a.clerk, ds[1].ID, "chờ"))
	list := func(s exchange.DeliveryState) (ids []exchange.ID) {
		t.Helper()
		views, err := a.outbox.LaneDeliveries(t.Context(), a.clerk, "H15.02", s, exchange.Page{})
		must(t, err)
		for _, v := range views {
			ids = append(ids, v.ID)
		}
		return ids
	}
	if got := list(exchange.DeliveryReady); len(got) != 2 || got[0] != ds[2].ID || got[1] != ds[0].ID {
		t.Errorf("waiting %v of %v", got, ds)
	}
	if got := list(exchange.DeliveryHeld); len(got) != 1 || got[0] != ds[1].ID {
		t.Errorf("held %v", got)
	}
	way, err := a.outbox.WayTo(t.Context(), a.clerk, "H15.02")
	must(t, err)
	if way.Waiting != 2 || way.Held != 1 || time.Since(way.Oldest) < 0 {
		t.Errorf("%+v", way)
	}
	quiet, err := b.outbox.WayTo(t.Context(), b.clerk, "H15.01")
	must(t, err)
	if quiet.Name == "" || quiet.Waiting != 0 {
		t.Errorf("%+v", quiet)
	}
	_, err = a.outbox.WayTo(t.Context(), a.clerk, "H99.99")
	wantCode(t, err, text.ReceiverUnknown)
	_, err = a.outbox.LaneDeliveries(t.Context(), a.leader, "H15.02", exchange.DeliveryReady, exchange.Page{})
	wantCode(t, err, text.NotAllowed)
}
