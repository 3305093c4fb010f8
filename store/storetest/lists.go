package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func due(t *testing.T, e Engine) {
	var want []exchange.ID
	lane := exchange.Lane{From: agency, To: "H15.02"}
	update(t, e, func(tx exchange.Tx) error {
		want = nil
		var normal []exchange.ID
		for i := range 6 {
			d := newDelivery(i, "H15.02")
			d.Subject = exchange.ID(fmt.Sprintf("vb_%d", i))
			switch i {
			case 4:
				d.Priority = 3
				want = append(want, d.ID)
			case 3:
				d.NextAt = at.Add(time.Hour) // later
			case 2:
				d.State = exchange.DeliveryDelivered
			default:
				normal = append(normal, d.ID)
			}
			must(t, tx.CreateDelivery(t.Context(), d))
		}
		want = append(want, normal...)
		return tx.CreateDelivery(t.Context(), newDelivery(9, "H15.03"))
	})
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.DueDeliveries(t.Context(), lane, at, 10)
		must(t, err)
		var ids []exchange.ID
		for _, d := range got {
			ids = append(ids, d.ID)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("due %v, want %v", ids, want)
		}
		got, err = tx.DueDeliveries(t.Context(), lane, at, 2)
		if len(got) != 2 {
			t.Errorf("limit gave %d", len(got))
		}
		return err
	})
}

func lanes(t *testing.T, e Engine) {
	d := newDelivery(1, "H15.02")
	d.NextAt = at.Add(time.Minute)
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDelivery(t.Context(), d),
			tx.SaveLane(t.Context(), exchange.LaneState{Lane: d.Lane(), Failures: 1, RetryAt: at.Add(time.Hour)}))
	})
	view(t, e, func(tx exchange.Tx) error {
		open, err := tx.OpenLanes(t.Context())
		must(t, err)
		if len(open) != 1 || open[0].Lane != d.Lane() || !open[0].At.Equal(at.Add(time.Hour)) {
			t.Errorf("open lanes %v", open)
		}
		next, ok, err := tx.NextInLane(t.Context(), d.Lane())
		if !ok || !next.Equal(d.NextAt) {
			t.Errorf("next %v %v", next, ok)
		}
		if _, ok, _ := tx.NextInLane(t.Context(), exchange.Lane{From: agency, To: "none"}); ok {
			t.Error("an empty lane has a next delivery")
		}
		return err
	})
}

func pages(t *testing.T, e Engine) {
	var ids []exchange.ID
	for i := range 7 {
		d := newDocument(i)
		ids = append([]exchange.ID{d.ID}, ids...)
		update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), d) })
	}
	var got []exchange.ID
	var p = exchange.Page{Limit: 3}
	for range 3 {
		view(t, e, func(tx exchange.Tx) error {
			docs, err := tx.Documents(t.Context(), agency, p)
			for _, d := range docs {
				got = append(got, d.ID)
				p.After = d.ID
			}
			return err
		})
	}
	if !slices.Equal(got, ids) {
		t.Errorf("pages gave %v, want %v", got, ids)
	}
	view(t, e, func(tx exchange.Tx) error {
		docs, err := tx.Documents(t.Context(), "H15.77", exchange.Page{})
		if len(docs) != 0 {
			t.Error("an agency sees another's documents")
		}
		return err
	})
}

func answers(t *testing.T, e Engine) {
	a := exchange.Answer{Agency: agency, Key: "k", Request: exchange.DigestOf([]byte("q")), Subject: "vb_1", At: at}
	update(t, e, func(tx exchange.Tx) error { return tx.SaveAnswer(t.Context(), a) })
	err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.SaveAnswer(t.Context(), a) })
	if !errors.Is(err, exchange.ErrExists) {
		t.Errorf("second answer: %v", err)
	}
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.Answer(t.Context(), agency, "k")
		same(t, "answer", got, a)
		_, other := tx.Answer(t.Context(), "H15.02", "k")
		wantCode(t, other, text.NotFound)
		return err
	})
}
