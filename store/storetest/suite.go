package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// Engine is what a driver offers.
type Engine interface {
	exchange.Store
	exchange.Blobs
	exchange.Queue
}

// Driver opens engines for the suite.
type Driver struct {
	// Open returns a fresh, empty engine that is closed when t ends.
	Open func(t *testing.T) Engine
	// Damage changes stored bytes behind the engine's back.
	Damage func(t *testing.T, e Engine, d exchange.Digest)
}

// at is the time of every row the suite makes: whole microseconds, UTC.
var at = time.Date(2026, 11, 23, 2, 3, 4, 567000, time.UTC)

const agency exchange.AgencyCode = "H15.01"

// Run runs the suite.
func Run(t *testing.T, d Driver) {
	tests := []struct {
		name string
		run  func(t *testing.T, e Engine)
	}{
		{"gives back every row as it was saved", rows},
		{"leaves no trace of an update that fails", atomicity},
		{"leaves an update usable after ErrExists", usableAfterExists},
		{"refuses to save what changed since it was read", versions},
		{"holds a transfer identity once", transferIdentity},
		{"numbers without gaps or doubles under concurrency", registers},
		{"gives a subject the same number again", sameNumber},
		{"keeps an unbroken evidence chain under concurrency", chain},
		{"adds to histories in order", histories},
		{"does not write in a view", readOnly},
		{"shows a view one consistent state", snapshot},
		{"finds due deliveries by priority, then age", due},
		{"keeps lanes' back-off beside their deliveries", lanes},
		{"pages lists from the newest", pages},
		{"keeps an idempotency key once", answers},
		{"stores bytes durably and once", blobs},
		{"stores nothing of a source that fails", failingSource},
		{"refuses a row that names absent bytes", absentBytes},
		{"stores the bytes announced and no others", exactBytes},
		{"discards bytes that no row names", discarded},
		{"sweeps only what no row names", sweep},
		{"runs a job that was committed and none that was not", jobs},
		{"runs a job when its time has come", scheduled},
	}
	for _, tc := range slices.Concat(tests, accessTests, flowTests, changeTests, turnTests, laneTests, wireTests, handoverTests, guardTests) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t, d.Open(t))
		})
	}
	t.Run("detects bytes that changed on disk", func(t *testing.T) {
		t.Parallel()
		e := d.Open(t)
		for _, size := range []int{100, 200_000} {
			b := put(t, e, bytes.Repeat([]byte("x"), size))
			must(t, e.Verify(t.Context(), b.Digest))
			d.Damage(t, e, b.Digest)
			if err := e.Verify(t.Context(), b.Digest); err == nil {
				t.Errorf("damage in a blob of %d bytes was not found", size)
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func update(t *testing.T, e exchange.Store, fn func(tx exchange.Tx) error) {
	t.Helper()
	must(t, e.Update(t.Context(), fn))
}

func view(t *testing.T, e exchange.Store, fn func(tx exchange.Tx) error) {
	t.Helper()
	must(t, e.View(t.Context(), fn))
}

func put(t *testing.T, e exchange.Blobs, b []byte) exchange.Blob {
	t.Helper()
	blob, err := e.Put(t.Context(), bytes.NewReader(b))
	must(t, err)
	return blob
}

func wantCode(t *testing.T, err error, code text.Code) {
	t.Helper()
	if text.CodeOf(err) != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
}

func newDocument(n int) exchange.Document {
	return exchange.Document{ID: exchange.NewID(exchange.PrefixDocument, at.Add(time.Duration(n)*time.Second)), Agency: agency,
		CreatedAt: at, Subject: fmt.Sprintf("Văn bản %d", n)}
}

func newDelivery(n int, to exchange.AgencyCode) exchange.Delivery {
	when := at.Add(time.Duration(n) * time.Second)
	return exchange.Delivery{ID: exchange.NewID(exchange.PrefixDelivery, when), Agency: agency, To: to, Kind: exchange.KindDocument,
		Subject: "vb_x", TransferID: exchange.NewTransferID(when), State: exchange.DeliveryReady, CreatedAt: when, Manifest: []byte("jws")}
}

func newItem(n int) exchange.InboxItem {
	when := at.Add(time.Duration(n) * time.Second)
	return exchange.InboxItem{ID: exchange.NewID(exchange.PrefixInbox, when), Agency: agency, From: "H15.02", Kind: exchange.KindDocument,
		TransferID: exchange.NewTransferID(when), ReceivedAt: when, State: exchange.InboxReceived,
		Header: exchange.DocumentHeader{From: "H15.02", DocumentID: "H15.02,2026/11/23,01/CV"}}
}

func newTransfer(receipt string) exchange.Transfer {
	return exchange.Transfer{Recipient: agency, Sender: "H15.02", ID: exchange.NewTransferID(at), Kind: exchange.KindDocument,
		Manifest: []byte("manifest"), Receipt: []byte(receipt), Answer: exchange.ReceiptAccepted, At: at}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s came back changed:\n got %s\nwant %s", what, g, w)
	}
}

func rows(t *testing.T, e Engine) {
	content := put(t, e, []byte("%PDF-1.7 nội dung"))
	doc := newDocument(1)
	doc.DocumentID, doc.Issuance.Draft, doc.Version = "H15.01,2026/11/23,01/CV", content, 1
	doc.Issuance.Number = exchange.Number{Year: 2026, Seq: 1, Notation: "CV", Date: at}
	doc.Issuance.Approved = exchange.Fact{At: at, By: exchange.System(agency)}
	res := exchange.Result{ID: exchange.NewID(exchange.PrefixResult, at), Agency: agency, CreatedAt: at, Token: "t", Version: 1,
		Form: exchange.ResultForm{Subject: "Cấp giấy phép", Places: []string{"Lưu: VT"}}}
	dl, item, tr := newDelivery(1, "H15.02"), newItem(1), newTransfer("r")
	dl.Version, item.Version = 1, 1
	item.Raw, item.Attachments = content, []exchange.Attachment{{Name: "a.pdf", Blob: content, Verdict: exchange.VerdictValid}}
	lane := exchange.LaneState{Lane: dl.Lane(), Failures: 3, RetryAt: at, Note: exchange.Note{Code: text.PeerUnavailable}}
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDocument(t.Context(), doc), tx.CreateResult(t.Context(), res), tx.CreateDelivery(t.Context(), dl),
			tx.CreateInboxItem(t.Context(), item), tx.CreateTransfer(t.Context(), tr), tx.SaveLane(t.Context(), lane))
	})
	view(t, e, func(tx exchange.Tx) error {
		ctx := t.Context()
		d, err := tx.Document(ctx, doc.ID)
		must(t, err)
		d.UpdatedAt = time.Time{} // the store's own
		same(t, "document", d, doc)
		d, err = tx.DocumentByNumber(ctx, agency, doc.DocumentID)
		must(t, err)
		same(t, "document by number", d.ID, doc.ID)
		r, err := tx.Result(ctx, res.ID)
		must(t, err)
		r.UpdatedAt = time.Time{}
		same(t, "result", r, res)
		r, err = tx.ResultByToken(ctx, "t")
		must(t, err)
		same(t, "result by token", r.ID, res.ID)
		dd, err := tx.Delivery(ctx, dl.ID)
		must(t, err)
		same(t, "delivery", dd, dl)
		i, err := tx.InboxItem(ctx, item.ID)
		must(t, err)
		i.UpdatedAt = time.Time{}
		same(t, "inbox item", i, item)
		x, err := tx.Transfer(ctx, tr.Key())
		must(t, err)
		same(t, "transfer", x, tr)
		l, err := tx.Lane(ctx, dl.Lane())
		must(t, err)
		same(t, "lane", l, lane)
		items, err := tx.InboxByDocument(ctx, agency, "H15.02", item.Header.DocumentID)
		must(t, err)
		same(t, "items by document", len(items), 1)
		_, err = tx.Document(ctx, "vb_none")
		wantCode(t, err, text.NotFound)
		_, err = tx.Transfer(ctx, exchange.TransferKey{})
		wantCode(t, err, text.NotFound)
		return nil
	})
}

func atomicity(t *testing.T, e Engine) {
	boom := errors.New("boom")
	doc, ran := newDocument(1), make(chan exchange.Job, 1)
	err := e.Update(t.Context(), func(tx exchange.Tx) error {
		ctx := t.Context()
		must(t, tx.CreateDocument(ctx, doc))
		must(t, tx.AppendStatus(ctx, exchange.Status{Subject: doc.ID, Code: exchange.StatusArrived}))
		_, err := tx.TakeNumber(ctx, exchange.Entry{Agency: agency, Book: exchange.BookOutgoing, Year: 2026, Subject: doc.ID})
		must(t, err)
		_, err = tx.AppendEvent(ctx, exchange.Event{Agency: agency, At: at, Subject: doc.ID})
		must(t, err)
		must(t, tx.Enqueue(ctx, exchange.Job{Kind: exchange.JobAdmit, Key: "rolled-back"}))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("update returned %v", err)
	}
	update(t, e, func(tx exchange.Tx) error {
		return tx.Enqueue(t.Context(), exchange.Job{Kind: exchange.JobAdmit, Key: "kept"})
	})
	view(t, e, func(tx exchange.Tx) error {
		_, err := tx.Document(t.Context(), doc.ID)
		wantCode(t, err, text.NotFound)
		h, err := tx.History(t.Context(), doc.ID)
		must(t, err)
		ev, err := tx.EventsAfter(t.Context(), agency, 0, 10)
		must(t, err)
		reg, err := tx.Register(t.Context(), agency, exchange.BookOutgoing, 2026)
		must(t, err)
		if len(h)+len(ev)+len(reg) != 0 {
			t.Errorf("left behind: %v %v %v", h, ev, reg)
		}
		return nil
	})
	work(t, e, func(j exchange.Job) { ran <- j })
	if j := <-ran; j.Key != "kept" {
		t.Errorf("ran job %q of an update that failed", j.Key)
	}
}

func usableAfterExists(t *testing.T, e Engine) {
	first, second := newTransfer("1"), newDocument(1)
	update(t, e, func(tx exchange.Tx) error { return tx.CreateTransfer(t.Context(), first) })
	update(t, e, func(tx exchange.Tx) error {
		if err := tx.CreateTransfer(t.Context(), first); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("second transfer: %v", err)
		}
		return tx.CreateDocument(t.Context(), second)
	})
	view(t, e, func(tx exchange.Tx) error { _, err := tx.Document(t.Context(), second.ID); return err })
}

func versions(t *testing.T, e Engine) {
	doc := newDocument(1)
	update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), doc) })
	doc.Version = 1
	update(t, e, func(tx exchange.Tx) error { return tx.SaveDocument(t.Context(), doc) })
	err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.SaveDocument(t.Context(), doc) })
	wantCode(t, err, text.StateConflict)
	item := newItem(1)
	update(t, e, func(tx exchange.Tx) error { return tx.CreateInboxItem(t.Context(), item) })
	err = e.Update(t.Context(), func(tx exchange.Tx) error { item.Version = 7; return tx.SaveInboxItem(t.Context(), item) })
	wantCode(t, err, text.StateConflict)
}

func transferIdentity(t *testing.T, e Engine) {
	const n = 50
	base := newTransfer("")
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range n {
		wg.Go(func() {
			mine := base
			mine.Receipt = fmt.Appendf(nil, "receipt %d", i)
			err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.CreateTransfer(t.Context(), mine) })
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, exchange.ErrExists):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d of %d got the identity", won, n)
	}
	other := base
	other.Recipient = "H15.03"
	update(t, e, func(tx exchange.Tx) error { return tx.CreateTransfer(t.Context(), other) })
}

func readOnly(t *testing.T, e Engine) {
	doc := newDocument(1)
	err := e.View(t.Context(), func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), doc) })
	if err == nil {
		t.Error("a view created a document")
	}
	err = e.View(t.Context(), func(tx exchange.Tx) error {
		return tx.Enqueue(t.Context(), exchange.Job{Kind: exchange.JobAdmit, Key: "x"})
	})
	if err == nil {
		t.Error("a view queued a job")
	}
	view(t, e, func(tx exchange.Tx) error {
		_, err := tx.Document(t.Context(), doc.ID)
		wantCode(t, err, text.NotFound)
		return nil
	})
}

func snapshot(t *testing.T, e Engine) {
	a, b := newDocument(1), newDocument(2)
	update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), a) })
	view(t, e, func(tx exchange.Tx) error {
		before, err := tx.Documents(t.Context(), agency, exchange.Page{})
		must(t, err)
		update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), b) })
		after, err := tx.Documents(t.Context(), agency, exchange.Page{})
		must(t, err)
		if len(before) != len(after) {
			t.Error("a view saw a commit made while it was open")
		}
		return nil
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
