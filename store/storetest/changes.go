package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// changeTests are the suite's part about what changed when, drafts thrown away, and
// what an operator looks for by an id.
var changeTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"finds what changed after a moment, deliveries and histories included", changed},
	{"throws a draft away with all that led to it", deletes},
	{"throws the draft of a result away with all that led to it", deletesResult},
	{"goes on only with the version expected, within the transaction", expects},
	{"finds a transfer by its id alone", transfersByID},
	{"lists a lane's deliveries of one state, newest first", laneDeliveries},
	{"remembers the newest failures only", troubles},
}

// long is after everything that the suite does.
var long = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)

func changed(t *testing.T, e Engine) {
	one, two, item := newDocument(1), newDocument(2), newItem(1)
	d := newDelivery(1, "H15.02")
	d.Subject = one.ID
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDocument(t.Context(), one), tx.CreateDocument(t.Context(), two), tx.CreateInboxItem(t.Context(), item),
			tx.CreateDelivery(t.Context(), d))
	})
	mark := func() (last time.Time) {
		view(t, e, func(tx exchange.Tx) error {
			for _, id := range []exchange.ID{one.ID, two.ID} {
				d, err := tx.Document(t.Context(), id)
				must(t, err)
				if d.UpdatedAt.IsZero() {
					t.Fatalf("%s never changed", id)
				}
				if d.UpdatedAt.After(last) {
					last = d.UpdatedAt
				}
			}
			i, err := tx.InboxItem(t.Context(), item.ID)
			if i.UpdatedAt.After(last) {
				last = i.UpdatedAt
			}
			return err
		})
		return last
	}
	since := func(at time.Time) (ids []exchange.ID) {
		view(t, e, func(tx exchange.Tx) error {
			docs, err := tx.DocumentList(t.Context(), agency, exchange.DocumentFilter{UpdatedAfter: at})
			must(t, err)
			for _, d := range docs {
				ids = append(ids, d.ID)
			}
			items, err := tx.InboxItems(t.Context(), agency, exchange.InboxFilter{UpdatedAfter: at})
			for _, i := range items {
				ids = append(ids, i.ID)
			}
			return err
		})
		return ids
	}
	same(t, "all of them", len(since(at.AddDate(-50, 0, 0))), 3)
	same(t, "in the year 3000", len(since(long)), 0)
	last := mark()
	same(t, "after the last change", len(since(last)), 0)
	for _, act := range []struct {
		what string
		do   func(tx exchange.Tx) error
		seen exchange.ID
	}{
		{"a saved document", func(tx exchange.Tx) error {
			d, err := tx.Document(t.Context(), two.ID)
			return errors.Join(err, tx.SaveDocument(t.Context(), d))
		}, two.ID},
		{"a delivery's attempt", func(tx exchange.Tx) error {
			x, err := tx.Delivery(t.Context(), d.ID)
			x.Attempts++
			return errors.Join(err, tx.SaveDelivery(t.Context(), x))
		}, one.ID},
		{"what the receiver reported", func(tx exchange.Tx) error {
			return tx.AppendStatus(t.Context(), exchange.Status{Subject: d.ID, Code: exchange.StatusAccepted})
		}, one.ID},
		{"what was reported of an item", func(tx exchange.Tx) error {
			return tx.AppendStatus(t.Context(), exchange.Status{Subject: item.ID, Code: exchange.StatusAccepted})
		}, item.ID},
	} {
		last = mark()
		update(t, e, act.do)
		same(t, act.what, since(last), []exchange.ID{act.seen})
	}
}

func deletes(t *testing.T, e Engine) {
	content := put(t, e, []byte("%PDF-1.7 dự thảo"))
	d := newDocument(1)
	d.Issuance.Draft = content
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDocument(t.Context(), d),
			tx.CreateSigning(t.Context(), exchange.Signing{ID: "ks_1", Agency: agency, Subject: d.ID, Kind: exchange.SigningPerson, CreatedAt: at}))
	})
	wantCode(t, e.Update(t.Context(), func(tx exchange.Tx) error {
		old := d
		old.Version = 7
		return tx.DeleteDocument(t.Context(), old)
	}), text.StateConflict)
	update(t, e, func(tx exchange.Tx) error {
		got, err := tx.Document(t.Context(), d.ID)
		return errors.Join(err, tx.DeleteDocument(t.Context(), got))
	})
	view(t, e, func(tx exchange.Tx) error {
		_, err := tx.Document(t.Context(), d.ID)
		wantCode(t, err, text.NotFound)
		found, err := tx.DocumentList(t.Context(), agency, exchange.DocumentFilter{Text: "van ban"})
		must(t, err)
		same(t, "found by its words", len(found), 0)
		_, err = tx.OpenSigning(t.Context(), d.ID, exchange.SigningPerson)
		wantCode(t, err, text.NotFound)
		return nil
	})
	n, err := e.Sweep(t.Context(), long)
	must(t, err)
	same(t, "files given up with it", n, 1)
}

func deletesResult(t *testing.T, e Engine) {
	content := put(t, e, []byte("%PDF-1.7 dự thảo kết quả"))
	r := exchange.Result{ID: exchange.NewID(exchange.PrefixResult, at), Agency: agency, CreatedAt: at, Token: "code",
		Form: exchange.ResultForm{Dossier: "H15.01-0001", Subject: "Cấp giấy phép"}}
	r.Issuance.Draft = content
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateResult(t.Context(), r),
			tx.CreateSigning(t.Context(), exchange.Signing{ID: "ks_2", Agency: agency, Subject: r.ID, Kind: exchange.SigningPerson, CreatedAt: at}))
	})
	wantCode(t, e.Update(t.Context(), func(tx exchange.Tx) error {
		old := r
		old.Version = 7
		return tx.DeleteResult(t.Context(), old)
	}), text.StateConflict)
	update(t, e, func(tx exchange.Tx) error {
		got, err := tx.Result(t.Context(), r.ID)
		return errors.Join(err, tx.DeleteResult(t.Context(), got))
	})
	view(t, e, func(tx exchange.Tx) error {
		_, err := tx.Result(t.Context(), r.ID)
		wantCode(t, err, text.NotFound)
		_, err = tx.ResultByToken(t.Context(), r.Token)
		wantCode(t, err, text.NotFound)
		found, err := tx.ResultList(t.Context(), agency, exchange.ResultFilter{Text: r.Form.Dossier})
		must(t, err)
		same(t, "found by its words", len(found), 0)
		_, err = tx.OpenSigning(t.Context(), r.ID, exchange.SigningPerson)
		wantCode(t, err, text.NotFound)
		return nil
	})
	n, err := e.Sweep(t.Context(), long)
	must(t, err)
	same(t, "files given up with it", n, 1)
}

func laneDeliveries(t *testing.T, e Engine) {
	var ids []exchange.ID
	for n := range 4 {
		d := newDelivery(n+1, "H15.02")
		if n == 1 {
			d.State = exchange.DeliveryHeld
		}
		ids = append(ids, d.ID)
		update(t, e, func(tx exchange.Tx) error { return tx.CreateDelivery(t.Context(), d) })
	}
	update(t, e, func(tx exchange.Tx) error { return tx.CreateDelivery(t.Context(), newDelivery(9, "H15.03")) })
	listed := func(to exchange.AgencyCode, state exchange.DeliveryState, p exchange.Page) (out []exchange.ID) {
		view(t, e, func(tx exchange.Tx) error {
			ds, err := tx.LaneDeliveries(t.Context(), exchange.Lane{From: agency, To: to}, state, p)
			for _, d := range ds {
				out = append(out, d.ID)
			}
			return err
		})
		return out
	}
	same(t, "waiting", listed("H15.02", exchange.DeliveryReady, exchange.Page{}), []exchange.ID{ids[3], ids[2], ids[0]})
	same(t, "one page", listed("H15.02", exchange.DeliveryReady, exchange.Page{Limit: 1, After: ids[3]}), []exchange.ID{ids[2]})
	same(t, "held", listed("H15.02", exchange.DeliveryHeld, exchange.Page{}), []exchange.ID{ids[1]})
	same(t, "of nobody", len(listed("H15.04", exchange.DeliveryReady, exchange.Page{})), 0)
}

func expects(t *testing.T, e Engine) {
	d := newDocument(1)
	update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), d) })
	save := func(tx exchange.Tx) error {
		got, err := tx.Document(t.Context(), d.ID)
		return errors.Join(err, tx.SaveDocument(t.Context(), got))
	}
	version := func() (n int) {
		view(t, e, func(tx exchange.Tx) error {
			got, err := tx.Document(t.Context(), d.ID)
			n = got.Version
			return err
		})
		return n
	}
	ctx := exchange.Expect(t.Context(), d.ID, 1)
	boom := errors.New("boom")
	if err := e.Update(ctx, func(exchange.Tx) error { return boom }); !errors.Is(err, boom) {
		t.Fatalf("the first try: %v", err)
	}
	update(t, e, save) // someone else comes between
	ran := false
	err := e.Update(ctx, func(tx exchange.Tx) error { ran = true; return save(tx) })
	wantCode(t, err, text.PreconditionFailed)
	var stale *exchange.StaleError
	if !errors.As(err, &stale) || stale.Have != 2 || ran || version() != 2 {
		t.Errorf("refused as %v, ran: %v, version %d", stale, ran, version())
	}
	ctx = exchange.Expect(t.Context(), d.ID, 7, 2)
	must(t, e.Update(ctx, save))
	must(t, e.Update(ctx, save)) // what the act changed itself does not stop it
	same(t, "version", version(), 4)
	wantCode(t, e.Update(exchange.Expect(t.Context(), "vb_none", 1), save), text.NotFound)
}

func transfersByID(t *testing.T, e Engine) {
	d, x := newDelivery(1, "H15.02"), newTransfer("r")
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDelivery(t.Context(), d), tx.CreateTransfer(t.Context(), x))
	})
	view(t, e, func(tx exchange.Tx) error {
		out, err := tx.DeliveriesByTransfer(t.Context(), agency, d.TransferID)
		must(t, err)
		same(t, "deliveries", len(out), 1)
		in, err := tx.TransfersByID(t.Context(), x.Recipient, x.ID)
		must(t, err)
		same(t, "transfers", in, []exchange.Transfer{x})
		out, err = tx.DeliveriesByTransfer(t.Context(), "H99", d.TransferID)
		must(t, err)
		same(t, "deliveries of another agency", len(out), 0)
		in, err = tx.TransfersByID(t.Context(), "H99", x.ID)
		same(t, "transfers to another agency", len(in), 0)
		return err
	})
}

func troubles(t *testing.T, e Engine) {
	const keep, made = 5, 12
	for n := range made {
		x := exchange.Trouble{Agency: agency, Trace: fmt.Sprint("trace", n), At: at.Add(time.Duration(n) * time.Minute), Where: "page", What: "boom"}
		update(t, e, func(tx exchange.Tx) error { return tx.AddTrouble(t.Context(), x, keep) })
		if err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.AddTrouble(t.Context(), x, keep) }); !errors.Is(err, exchange.ErrExists) {
			t.Fatalf("the same id again: %v", err)
		}
	}
	view(t, e, func(tx exchange.Tx) error {
		for n := range made {
			x, err := tx.Trouble(t.Context(), agency, fmt.Sprint("trace", n))
			if n < made-keep {
				wantCode(t, err, text.NotFound)
				continue
			}
			must(t, err)
			same(t, "failure", x.At.Equal(at.Add(time.Duration(n)*time.Minute)) && x.What == "boom", true)
		}
		_, err := tx.Trouble(t.Context(), "H99", "trace11")
		wantCode(t, err, text.NotFound)
		return nil
	})
}
