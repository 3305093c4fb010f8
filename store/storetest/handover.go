package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// handoverTests are the suite's part about what is handed to an agency's own systems.
var handoverTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"remembers how far each taker of the log has come", handovers},
	{"keeps webhooks under their versions", webhooks},
	{"keeps the events that a webhook did not take in order", parkedEvents},
	{"finds what belongs to a trace", traced},
}

func handovers(t *testing.T, e Engine) {
	h := exchange.Handover{Agency: agency, Name: "folder", Seq: 7, Attempts: 2, FailingSince: at, NextAt: at.Add(time.Minute),
		Note: exchange.NoteOf(text.Errorf(text.StorageFull, nil)), TakenAt: at, Parking: true}
	view(t, e, func(tx exchange.Tx) error {
		none, err := tx.Handover(t.Context(), agency, "folder")
		same(t, "before the first", none, exchange.Handover{Agency: agency, Name: "folder"})
		return err
	})
	for range 2 { // the second replaces the first
		update(t, e, func(tx exchange.Tx) error { return tx.SaveHandover(t.Context(), h) })
		view(t, e, func(tx exchange.Tx) error {
			got, err := tx.Handover(t.Context(), agency, "folder")
			same(t, "handover", got, h)
			other, oerr := tx.Handover(t.Context(), "H26.18", "folder")
			same(t, "of another agency", other.Seq, int64(0))
			return errors.Join(err, oerr)
		})
		h.Seq, h.Parked = 8, at
	}
}

func newWebhook(n int, of exchange.AgencyCode) exchange.Webhook {
	return exchange.Webhook{ID: exchange.NewID(exchange.PrefixWebhook, at.Add(time.Duration(n)*time.Second)), Agency: of, Name: "Hệ thống",
		URL: "https://qlvb.example/antin", Kinds: []string{"accepted"}, Secret: "whsec_one", OldSecret: "whsec_two", OldUntil: at, CreatedAt: at}
}

func webhooks(t *testing.T, e Engine) {
	first, second := newWebhook(1, agency), newWebhook(2, agency)
	for _, w := range []exchange.Webhook{second, first, newWebhook(3, "H26.18")} {
		update(t, e, func(tx exchange.Tx) error { return tx.CreateWebhook(t.Context(), w) })
	}
	update(t, e, func(tx exchange.Tx) error {
		if err := tx.CreateWebhook(t.Context(), first); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a second of the same id: %v", err)
		}
		return nil
	})
	first.Version, second.Version = 1, 1
	first.Name = "Hệ thống khác"
	update(t, e, func(tx exchange.Tx) error { return tx.SaveWebhook(t.Context(), first) })
	wantCode(t, e.Update(t.Context(), func(tx exchange.Tx) error { return tx.SaveWebhook(t.Context(), first) }), text.StateConflict)
	first.Version = 2
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.Webhook(t.Context(), first.ID)
		same(t, "webhook", got, first)
		all, lerr := tx.Webhooks(t.Context(), agency)
		same(t, "of the agency", all, []exchange.Webhook{first, second})
		_, none := tx.Webhook(t.Context(), "wh_none")
		wantCode(t, none, text.NotFound)
		return errors.Join(err, lerr)
	})
}

func parkedEvents(t *testing.T, e Engine) {
	var all []exchange.ParkedEvent
	for _, seq := range []int64{9, 3, 12} {
		p := exchange.ParkedEvent{Webhook: "wh_1", Seq: seq, At: at, Note: exchange.NoteOf(text.Errorf(text.PeerRefused, nil))}
		update(t, e, func(tx exchange.Tx) error { return tx.ParkEvent(t.Context(), p) })
		all = append(all, p)
	}
	all[0], all[1] = all[1], all[0]
	all[1].Again = true
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.ParkEvent(t.Context(), all[1]), tx.ParkEvent(t.Context(), exchange.ParkedEvent{Webhook: "wh_2", Seq: 1}))
	})
	list := func(after int64, limit int) (out []exchange.ParkedEvent) {
		view(t, e, func(tx exchange.Tx) (err error) {
			out, err = tx.ParkedEvents(t.Context(), "wh_1", after, limit)
			return err
		})
		return out
	}
	same(t, "all", list(0, 10), all)
	same(t, "a page", list(3, 1), all[1:2])
	for range 2 { // the second finds none
		update(t, e, func(tx exchange.Tx) error { return tx.UnparkEvent(t.Context(), "wh_1", 9) })
	}
	same(t, "the rest", list(0, 10), []exchange.ParkedEvent{all[0], all[2]})
}

func traced(t *testing.T, e Engine) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	d := newDelivery(1, "H26.18")
	d.State, d.Trace = exchange.DeliveryReady, "00-"+id+"-00f067aa0ba902b7-01"
	d.Payload = put(t, e, []byte("x"))
	other := newDelivery(2, "H26.18")
	other.State, other.Payload = exchange.DeliveryReady, d.Payload
	item := exchange.InboxItem{ID: exchange.NewID(exchange.PrefixInbox, at), Agency: agency, From: "H26.18", TransferID: exchange.NewTransferID(at),
		Kind: exchange.KindDocument, State: exchange.InboxReceived, Raw: d.Payload, Trace: d.Trace}
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDelivery(t.Context(), d), tx.CreateDelivery(t.Context(), other), tx.CreateInboxItem(t.Context(), item))
	})
	find := func(ctx context.Context, tx exchange.Tx, of exchange.AgencyCode, id string) (out []exchange.ID) {
		deliveries, items, err := tx.SubjectsByTrace(ctx, of, id, 10)
		must(t, err)
		for _, d := range deliveries {
			out = append(out, d.ID)
		}
		return append(out, items...)
	}
	view(t, e, func(tx exchange.Tx) error {
		same(t, "by trace", find(t.Context(), tx, agency, id), []exchange.ID{d.ID, item.ID})
		same(t, "of another agency", len(find(t.Context(), tx, "H26.18", id)), 0)
		same(t, "without a trace", len(find(t.Context(), tx, agency, "")), 0)
		got, err := tx.Delivery(t.Context(), d.ID)
		same(t, "trace of a delivery", got.Trace, d.Trace)
		return err
	})
}
