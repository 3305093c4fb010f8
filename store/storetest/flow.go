package storetest

import (
	"errors"
	"testing"

	"antin/exchange"
	"antin/internal/text"
)

// flowTests are the suite's part about registers, searches, operations and
// verifications.
var flowTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"begins a register at the number set once", starts},
	{"enters a given number once", givenNumbers},
	{"gives a subject another number after a void", voids},
	{"finds rows by words, beginnings and stage", search},
	{"gives rows of many subjects in one go", batches},
	{"counts what waits by receiver and state", counts},
	{"keeps operations and verifications", keeps},
}

func entry(seq int, subject exchange.ID) exchange.Entry {
	return exchange.Entry{Agency: agency, Book: exchange.BookOutgoing, Year: 2026, Seq: seq, Subject: subject, At: at, By: exchange.System(agency)}
}

func starts(t *testing.T, e Engine) {
	s := exchange.Start{Agency: agency, Book: exchange.BookOutgoing, Year: 2026, First: 40, At: at, By: exchange.System(agency)}
	view(t, e, func(tx exchange.Tx) error {
		_, err := tx.Start(t.Context(), agency, s.Book, 2026)
		wantCode(t, err, text.NotFound)
		return nil
	})
	update(t, e, func(tx exchange.Tx) error {
		must(t, tx.SaveStart(t.Context(), s))
		if err := tx.SaveStart(t.Context(), s); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a second start: %v", err)
		}
		for want := 40; want < 43; want++ {
			got, err := tx.TakeNumber(t.Context(), entry(0, exchange.ID(rune('a'+want))))
			must(t, err)
			same(t, "number", got, want)
		}
		got, err := tx.Start(t.Context(), agency, s.Book, 2026)
		must(t, err)
		same(t, "start", got, s)
		return nil
	})
}

func givenNumbers(t *testing.T, e Engine) {
	update(t, e, func(tx exchange.Tx) error {
		got, err := tx.EnterNumber(t.Context(), entry(7, "vb_1"))
		must(t, err)
		same(t, "number", got, 7)
		got, err = tx.EnterNumber(t.Context(), entry(8, "vb_1"))
		must(t, err)
		same(t, "the number held", got, 7)
		if _, err := tx.EnterNumber(t.Context(), entry(7, "vb_2")); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a number given twice: %v", err)
		}
		got, err = tx.TakeNumber(t.Context(), entry(0, "vb_3"))
		must(t, err)
		same(t, "the next", got, 8)
		return nil
	})
}

func voids(t *testing.T, e Engine) {
	v := exchange.Void{Agency: agency, Book: exchange.BookOutgoing, Year: 2026, Seq: 1, Reason: "hủy", At: at, By: exchange.System(agency)}
	update(t, e, func(tx exchange.Tx) error {
		_, err := tx.TakeNumber(t.Context(), entry(0, "vb_1"))
		must(t, err)
		must(t, tx.AddVoid(t.Context(), v))
		if err := tx.AddVoid(t.Context(), v); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a second void: %v", err)
		}
		got, err := tx.TakeNumber(t.Context(), entry(0, "vb_1"))
		must(t, err)
		same(t, "number after the void", got, 2)
		lines, explained, err := tx.RegisterAfter(t.Context(), agency, v.Book, 2026, 0, 10)
		must(t, err)
		same(t, "lines", len(lines), 2)
		same(t, "voids", explained, []exchange.Void{v})
		_, explained, err = tx.RegisterAfter(t.Context(), agency, v.Book, 2026, 1, 10)
		must(t, err)
		same(t, "voids behind the first line", len(explained), 0)
		_, err = tx.RegisterEntry(t.Context(), agency, v.Book, 2026, 3)
		wantCode(t, err, text.NotFound)
		return nil
	})
}

func search(t *testing.T, e Engine) {
	one, two := newDocument(1), newDocument(2)
	one.Subject, two.Subject = "Đề nghị phối hợp", "Đề án chuyển đổi số"
	two.Issuance.Issued = exchange.Fact{At: at, By: exchange.System(agency)}
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDocument(t.Context(), one), tx.CreateDocument(t.Context(), two))
	})
	find := func(f exchange.DocumentFilter) (n int) {
		view(t, e, func(tx exchange.Tx) error {
			got, err := tx.DocumentList(t.Context(), agency, f)
			n = len(got)
			return err
		})
		return n
	}
	for text, want := range map[string]int{"": 2, "de": 2, "DE AN": 1, "phối": 1, "chuyen doi": 1, "nghi so": 0, "!": 0} {
		same(t, "found by "+text, find(exchange.DocumentFilter{Text: text}), want)
	}
	same(t, "issued", find(exchange.DocumentFilter{Stage: exchange.StageIssued, Text: "de"}), 1)
	update(t, e, func(tx exchange.Tx) error {
		d, err := tx.Document(t.Context(), one.ID)
		must(t, err)
		d.Subject = "Khác hẳn"
		return tx.SaveDocument(t.Context(), d)
	})
	same(t, "found by a word given up", find(exchange.DocumentFilter{Text: "phoi"}), 0)
	same(t, "found by a new word", find(exchange.DocumentFilter{Text: "han"}), 1)
}

func batches(t *testing.T, e Engine) {
	one, two := newDocument(1), newDocument(2)
	d := newDelivery(1, "H15.02")
	d.Subject = one.ID
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDocument(t.Context(), one), tx.CreateDocument(t.Context(), two), tx.CreateDelivery(t.Context(), d),
			tx.AppendStatus(t.Context(), exchange.Status{Subject: d.ID, Code: exchange.StatusArrived}),
			tx.AppendStatus(t.Context(), exchange.Status{Subject: d.ID, Code: exchange.StatusAccepted}))
	})
	view(t, e, func(tx exchange.Tx) error {
		docs, err := tx.DocumentsIn(t.Context(), []exchange.ID{one.ID, two.ID, "vb_none"})
		must(t, err)
		same(t, "documents", len(docs), 2)
		deliveries, err := tx.DeliveriesIn(t.Context(), []exchange.ID{one.ID, two.ID})
		must(t, err)
		same(t, "deliveries", len(deliveries[one.ID])+len(deliveries[two.ID]), 1)
		history, err := tx.HistoriesIn(t.Context(), []exchange.ID{d.ID})
		must(t, err)
		same(t, "history", []exchange.StatusCode{history[d.ID][0].Code, history[d.ID][1].Code}, []exchange.StatusCode{"01", "03"})
		none, err := tx.ItemsIn(t.Context(), nil)
		must(t, err)
		same(t, "items of nothing", len(none), 0)
		return nil
	})
}

func counts(t *testing.T, e Engine) {
	update(t, e, func(tx exchange.Tx) error {
		for n := range 3 {
			d := newDelivery(n, "H15.02")
			d.State = exchange.DeliveryManual
			must(t, tx.CreateDelivery(t.Context(), d))
		}
		return nil
	})
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.DeliveryCounts(t.Context(), agency, exchange.DeliveryManual, exchange.DeliveryReady)
		must(t, err)
		if len(got) != 1 || got[0].Count != 3 || got[0].To != "H15.02" || got[0].State != exchange.DeliveryManual {
			t.Errorf("counts %+v", got)
		}
		lanes, err := tx.OpenLanes(t.Context())
		must(t, err)
		same(t, "lanes with something to send", len(lanes), 0)
		return nil
	})
}

func keeps(t *testing.T, e Engine) {
	blob := put(t, e, []byte("{}"))
	op := exchange.Operation{ID: "op_1", Agency: agency, Kind: exchange.OperationSeal, Subject: "vb_1", CreatedAt: at}
	v := exchange.Verification{ID: "kt_1", Agency: agency, At: at, Name: "a.pdf", Digest: blob.Digest, Stored: blob}
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateOperation(t.Context(), op), tx.CreateVerification(t.Context(), v))
	})
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.Operation(t.Context(), op.ID)
		must(t, err)
		same(t, "operation", got, op)
		kept, err := tx.Verification(t.Context(), v.ID)
		must(t, err)
		same(t, "verification", kept, v)
		_, err = tx.Operation(t.Context(), "op_none")
		wantCode(t, err, text.NotFound)
		return nil
	})
	n, err := e.Sweep(t.Context(), at.AddDate(100, 0, 0))
	must(t, err)
	same(t, "reports swept", n, 0)
}
