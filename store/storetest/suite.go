package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
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
		{"sweeps only what no row names", sweep},
		{"runs a job that was committed and none that was not", jobs},
		{"runs a job when its time has come", scheduled},
	}
	for _, tc := range tests {
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
		same(t, "document", d, doc)
		d, err = tx.DocumentByNumber(ctx, agency, doc.DocumentID)
		must(t, err)
		same(t, "document by number", d.ID, doc.ID)
		r, err := tx.Result(ctx, res.ID)
		must(t, err)
		same(t, "result", r, res)
		r, err = tx.ResultByToken(ctx, "t")
		must(t, err)
		same(t, "result by token", r.ID, res.ID)
		dd, err := tx.Delivery(ctx, dl.ID)
		must(t, err)
		same(t, "delivery", dd, dl)
		i, err := tx.InboxItem(ctx, item.ID)
		must(t, err)
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

func registers(t *testing.T, e Engine) {
	const n = 40
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []int
	for i := range n {
		wg.Go(func() {
			var seq int
			err := e.Update(t.Context(), func(tx exchange.Tx) (err error) {
				seq, err = tx.TakeNumber(t.Context(), exchange.Entry{Agency: agency, Book: exchange.BookIncoming, Year: 2026,
					Subject: exchange.ID(fmt.Sprintf("vd_%d", i)), At: at})
				if err == nil && i%4 == 0 {
					return errors.New("given up") // its number goes to the next
				}
				return err
			})
			if err == nil {
				mu.Lock()
				got = append(got, seq)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	for i, seq := range got {
		if seq != i+1 {
			t.Fatalf("numbers %v have a gap or a double", got)
		}
	}
	if len(got) != n-n/4 {
		t.Errorf("%d numbers given", len(got))
	}
	view(t, e, func(tx exchange.Tx) error {
		lines, err := tx.Register(t.Context(), agency, exchange.BookIncoming, 2026)
		if len(lines) != len(got) {
			t.Errorf("register holds %d lines", len(lines))
		}
		return err
	})
}

func sameNumber(t *testing.T, e Engine) {
	take := func(subject exchange.ID, book exchange.Book, year int) (seq int) {
		update(t, e, func(tx exchange.Tx) (err error) {
			seq, err = tx.TakeNumber(t.Context(), exchange.Entry{Agency: agency, Book: book, Year: year, Subject: subject, At: at})
			return err
		})
		return seq
	}
	first, again, next := take("vb_1", exchange.BookOutgoing, 2026), take("vb_1", exchange.BookOutgoing, 2027), take("vb_2", exchange.BookOutgoing, 2026)
	if first != 1 || again != 1 || next != 2 {
		t.Errorf("numbers %d, %d, %d", first, again, next)
	}
	if n := take("vb_3", exchange.BookOutgoing, 2027); n != 1 {
		t.Errorf("a new year begins with %d", n)
	}
	if n := take("vd_1", exchange.BookIncoming, 2026); n != 1 {
		t.Errorf("the other book begins with %d", n)
	}
}

func chain(t *testing.T, e Engine) {
	const n = 30
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			who := agency
			if i%3 == 0 {
				who = "H15.99" // chains of agencies do not meet
			}
			err := e.Update(t.Context(), func(tx exchange.Tx) error {
				_, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: who, At: at.Add(time.Duration(i)), Kind: exchange.EventSent,
					Subject: "dl_1", Parent: "vb_1", Data: map[string]string{"n": fmt.Sprint(i)}})
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	view(t, e, func(tx exchange.Tx) error {
		for who, count := range map[exchange.AgencyCode]int{agency: 20, "H15.99": 10} {
			events, err := tx.EventsAfter(t.Context(), who, 0, 100)
			must(t, err)
			if len(events) != count {
				t.Fatalf("%s has %d events", who, len(events))
			}
			var prev exchange.Event
			for _, ev := range events {
				if !ev.Intact(prev) {
					t.Fatalf("chain of %s breaks at %d", who, ev.Seq)
				}
				prev = ev
			}
		}
		events, err := tx.EventsOf(t.Context(), "vb_1")
		if len(events) != n {
			t.Errorf("parent finds %d events", len(events))
		}
		return err
	})
}

func histories(t *testing.T, e Engine) {
	codes := []exchange.StatusCode{exchange.StatusAccepted, exchange.StatusArrived, exchange.StatusAccepted}
	for _, c := range codes {
		update(t, e, func(tx exchange.Tx) error {
			return tx.AppendStatus(t.Context(), exchange.Status{Subject: "dl_1", Code: c, At: at, RecordedAt: at, Reason: "lý do"})
		})
	}
	view(t, e, func(tx exchange.Tx) error {
		h, err := tx.History(t.Context(), "dl_1")
		must(t, err)
		var got []exchange.StatusCode
		for _, s := range h {
			got = append(got, s.Code)
		}
		if !slices.Equal(got, codes) {
			t.Errorf("history %v", got)
		}
		return nil
	})
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

func blobs(t *testing.T, e Engine) {
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		want := bytes.Repeat([]byte("ấn"), size/4+1)[:size]
		b := put(t, e, want)
		if b.Digest != exchange.DigestOf(want) || b.Size != int64(size) {
			t.Fatalf("put %d bytes gave %+v", size, b)
		}
		if again := put(t, e, want); again != b {
			t.Errorf("same bytes, other name: %+v", again)
		}
		r, err := e.Open(t.Context(), b.Digest)
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, err)
		if !bytes.Equal(got, want) || r.Size() != int64(size) {
			t.Errorf("read %d of %d bytes back", len(got), size)
		}
		if size > 4 {
			part := make([]byte, 2)
			if _, err := r.ReadAt(part, int64(size)-2); err != nil || !bytes.Equal(part, want[size-2:]) {
				t.Errorf("reading at the end: %q, %v", part, err)
			}
		}
		must(t, r.Close())
		must(t, e.Verify(t.Context(), b.Digest))
	}
	_, err := e.Open(t.Context(), exchange.DigestOf([]byte("never stored")))
	wantCode(t, err, text.NotFound)
	_, err = e.Open(t.Context(), "../../etc/passwd")
	wantCode(t, err, text.NotFound)
}

func failingSource(t *testing.T, e Engine) {
	// A cut HTTP body ends in io.ErrUnexpectedEOF: no end of the bytes, but a failure.
	for _, broken := range []error{errors.New("source broke"), io.ErrUnexpectedEOF, fmt.Errorf("connection cut: %w", io.EOF)} {
		for _, size := range []int{10, 300_000} {
			body := strings.Repeat("y", size)
			_, err := e.Put(t.Context(), io.MultiReader(strings.NewReader(body), failing{broken}))
			if !errors.Is(err, broken) {
				t.Errorf("put of a source that ends in %q returned %v", broken, err)
			}
			_, err = e.Open(t.Context(), exchange.DigestOf([]byte(body)))
			wantCode(t, err, text.NotFound)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func absentBytes(t *testing.T, e Engine) {
	doc := newDocument(1)
	doc.Issuance.Draft = exchange.Blob{Digest: exchange.DigestOf([]byte("nowhere")), Size: 7}
	err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), doc) })
	wantCode(t, err, text.NotFound)
}

func sweep(t *testing.T, e Engine) {
	named := put(t, e, bytes.Repeat([]byte("n"), 100_000))
	small := put(t, e, []byte("named and small"))
	orphan, orphanSmall := put(t, e, bytes.Repeat([]byte("o"), 100_000)), put(t, e, []byte("orphan"))
	doc := newDocument(1)
	doc.Issuance.Draft, doc.Issuance.Signed = named, small
	update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), doc) })
	if n, err := e.Sweep(t.Context(), time.Now().Add(-time.Hour)); err != nil || n != 0 {
		t.Errorf("swept %d young blobs, %v", n, err)
	}
	if n, err := e.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 2 {
		t.Errorf("swept %d blobs, %v; want 2", n, err)
	}
	for _, b := range []exchange.Blob{named, small} {
		must(t, e.Verify(t.Context(), b.Digest))
	}
	for _, b := range []exchange.Blob{orphan, orphanSmall} {
		_, err := e.Open(t.Context(), b.Digest)
		wantCode(t, err, text.NotFound)
	}
}
