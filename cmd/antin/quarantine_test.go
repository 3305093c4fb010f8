package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"antin/certs/fetch"
	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// twoNodes is the demo's two agencies, open and at work nowhere yet.
func twoNodes(t *testing.T) (*demo, *env, *fetch.Client) {
	t.Helper()
	bench := newBench(t)
	e := testEnv(io.Discard)
	client, err := fetch.New(fetch.Options{AllowHosts: []string{bench.allow}, Now: e.now})
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{dir: t.TempDir(), pki: bench.services}
	t.Cleanup(d.close)
	if err := d.openNodes(t.Context(), e, "http://"+bench.allow, client); err != nil {
		t.Fatal(err)
	}
	d.story = &story{a: d.a, b: d.b, now: e.now}
	return d, e, client
}

// issue makes, signs, numbers and seals a document of A.
func issue(t *testing.T, d *demo) exchange.Document {
	t.Helper()
	doc, err := d.story.Document(t.Context(), "")
	if err == nil {
		doc, err = d.story.Sign(t.Context(), doc.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// sendIt has A send a document and waits until it has arrived.
func sendIt(t *testing.T, d *demo, doc exchange.Document) exchange.Delivery {
	t.Helper()
	delivery, err := d.story.Send(t.Context(), doc.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view, err := d.story.delivered(t.Context(), delivery); err != nil || view.State != exchange.DeliveryDelivered {
		t.Fatalf("%s: %v", view.State, err)
	}
	return delivery
}

// restoreA gives A a data directory that holds what the backup does, as antin restore
// leaves it.
func restoreA(t *testing.T, d *demo, e *env, client *fetch.Client, backup []byte) {
	t.Helper()
	dir := filepath.Join(d.dir, "a", "restored")
	s, err := store.Restore(t.Context(), bytes.NewReader(backup), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	code := d.a.office.Agency.Code
	if err := markRestored(t.Context(), store.Options{Dir: dir, Now: e.now}, code, s.CreatedAt); err != nil {
		t.Fatal(err)
	}
	if err := d.a.open(t.Context(), e, dir, exchange.AgencyList{d.a.office.Agency, d.b.office.Agency}, d.pki, client); err != nil {
		t.Fatal(err)
	}
	d.story.a = d.a
}

func TestARestoredSenderHearsWhatItLostBeforeItSendsOrNumbers(t *testing.T) {
	t.Parallel()
	d, e, client := twoNodes(t)
	a, b := runNode(t, d.a), runNode(t, d.b)
	kept := issue(t, d)
	waiting := issue(t, d) // numbered, and sent only after the backup
	sendIt(t, d, kept)
	var backup bytes.Buffer
	if err := d.a.db.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	after := sendIt(t, d, waiting)
	lost := issue(t, d)
	gone := sendIt(t, d, lost)
	a.end(t)
	if err := d.a.core.close(); err != nil {
		t.Fatal(err)
	}
	b.end(t) // B is away at first

	restoreA(t, d, e, client, backup.Bytes())
	address := d.a.listener.Addr().String()
	var err error
	if d.a.listener, err = listen(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	a = runNode(t, d.a)
	// It takes in documents, and neither numbers nor seals them, nor sends anything.
	draft, err := d.story.Document(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.story.Sign(t.Context(), draft.ID); text.CodeOf(err) != text.StateConflict {
		t.Errorf("it numbers or seals: %v", err)
	}
	if err := d.a.quarantine.Gate(t.Context()); text.CodeOf(err) != text.StateConflict {
		t.Errorf("the gate is open: %v", err)
	}
	silent, err := d.a.quarantine.Waiting(t.Context())
	if err != nil || len(silent) != 1 || silent[0] != d.b.office.Agency.Code {
		t.Errorf("it waits for %v: %v", silent, err)
	}

	bAddress := d.b.listener.Addr().String()
	if d.b.listener, err = listen(t.Context(), bAddress); err != nil {
		t.Fatal(err)
	}
	b = runNode(t, d.b)
	if err := waitFor(t.Context(), time.Minute, "the quarantine to end", func(ctx context.Context) (bool, error) {
		return d.a.quarantine.Gate(ctx) == nil, d.a.quarantine.Run(ctx)
	}); err != nil {
		t.Fatal(err)
	}

	checkReturned(t, d, waiting, after, gone)
	next, err := d.a.outbox.Seal(t.Context(), d.a.clerk, draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := next.Issuance.Number.Seq, lost.Issuance.Number.Seq+1; got != want {
		t.Errorf("the next number is %d, want %d", got, want)
	}
	sendIt(t, d, next)
	// Sent again by hand, a document that came back goes nowhere twice.
	if _, err := d.story.Send(t.Context(), waiting.ID); text.CodeOf(err) != text.StateConflict {
		t.Errorf("sent twice: %v", err)
	}
	items, err := d.b.inbox.List(t.Context(), d.b.clerk, exchange.InboxFilter{Kind: exchange.KindDocument})
	if err != nil || len(items) != 4 {
		t.Errorf("B has %d documents, want 4: %v", len(items), err)
	}
	report, err := (&exchange.Audit{Store: d.a.db, Verify: d.a.db.Verify}).Check(t.Context(), d.a.office.Agency.Code)
	if err != nil || !report.OK() {
		t.Errorf("audit: %+v, %v", report.Faults, err)
	}
	a.end(t)
	b.end(t)
}

// checkReturned looks for what came back: both deliveries with B's very receipts, and
// ledgers that agree.
func checkReturned(t *testing.T, d *demo, known exchange.Document, sent ...exchange.Delivery) {
	t.Helper()
	ownCode, peerCode := d.a.office.Agency.Code, d.b.office.Agency.Code
	for i, s := range sent {
		var back exchange.Delivery
		var theirs exchange.Transfer
		view := func(db exchange.Store, fn func(tx exchange.Tx) error) {
			t.Helper()
			if err := db.View(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		view(d.a.db, func(tx exchange.Tx) (err error) {
			back, err = tx.DeliveryOf(t.Context(), ownCode, peerCode, s.TransferID)
			return err
		})
		view(d.b.db, func(tx exchange.Tx) (err error) {
			theirs, err = tx.Transfer(t.Context(), exchange.TransferKey{Recipient: peerCode, Sender: ownCode, ID: s.TransferID})
			return err
		})
		if back.State != exchange.DeliveryDelivered || !bytes.Equal(back.Receipt, theirs.Receipt) || !bytes.Equal(back.Manifest, theirs.Manifest) {
			t.Errorf("transfer %d came back as %s", i, back.State)
		}
		if i == 0 && back.Subject != known.ID {
			t.Errorf("the document of the backup has not got its delivery, but %s", back.Subject)
		}
	}
	q := exchange.DayQuery{Sender: ownCode, Recipient: peerCode, Day: time.Now()}
	ours, err := (&exchange.Ledger{Store: d.a.db, Offices: d.a.offices}).Day(t.Context(), peerCode, q)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := (&exchange.Ledger{Store: d.b.db, Offices: d.b.offices}).Day(t.Context(), ownCode, q)
	if err != nil || ours.Root != theirs.Root || ours.Count != theirs.Count {
		t.Errorf("ledgers differ: %d %s, %d %s, %v", ours.Count, ours.Root, theirs.Count, theirs.Root, err)
	}
}

func TestAnOperatorGoesOnWithoutAPeerByNameAndReason(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	own := exchange.Agency{Code: "H98.1", Name: "us"}
	directory := exchange.AgencyList{own, {Code: "H98.2", Endpoint: "https://b"}, {Code: "H98.3", Pull: true}, {Code: "H98.4"}}
	q := &exchange.Quarantine{Store: db, Offices: exchange.OfficeList{{Agency: own}}, Directory: directory, Now: func() time.Time { return now }}
	operator := exchange.Actor{ID: "u", Name: "Nguyễn Văn A", Role: exchange.RoleOperator, Agency: "H98.1"}
	if err := q.Override(t.Context(), operator, "H98.2", "x"); text.CodeOf(err) != text.StateConflict {
		t.Errorf("outside a quarantine: %v", err)
	}
	update := func(fn func(tx exchange.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	entry := exchange.Entry{Agency: "H98.1", Book: exchange.BookOutgoing, Year: 2026, At: now}
	update(func(tx exchange.Tx) error {
		for i := range 3 {
			entry.Subject = exchange.ID(fmt.Sprintf("vb_%d", i))
			if _, err := tx.TakeNumber(t.Context(), entry); err != nil {
				return err
			}
		}
		return exchange.MarkRestored(t.Context(), tx, "H98.1", now.Add(-time.Hour), now)
	})
	waiting := func() []exchange.AgencyCode {
		t.Helper()
		list, err := q.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := waiting(); !slices.Equal(got, []exchange.AgencyCode{"H98.2", "H98.3"}) {
		t.Errorf("it waits for %v; who has no channel got nothing", got)
	}
	clerk := operator
	clerk.Role = exchange.RoleClerk
	for name, try := range map[string]func() error{
		"a clerk":        func() error { return q.Override(t.Context(), clerk, "H98.2", "x") },
		"no reason":      func() error { return q.Override(t.Context(), operator, "H98.2", " ") },
		"nobody known":   func() error { return q.Override(t.Context(), operator, "H98.9", "x") },
		"a number given": func() error { return q.RaiseRegister(t.Context(), operator, 2026, 3) },
	} {
		if err := try(); err == nil {
			t.Errorf("%s is let through", name)
		}
	}
	if err := q.RaiseRegister(t.Context(), operator, 2026, 6); err != nil {
		t.Fatal(err)
	}
	for _, peer := range []exchange.AgencyCode{"H98.2", "H98.3"} {
		if err := q.Override(t.Context(), operator, peer, "bên đó ngừng hoạt động"); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Run(t.Context()); err != nil || q.Gate(t.Context()) != nil {
		t.Fatalf("the quarantine has not ended: %v", err)
	}
	var voids []exchange.Void
	var next int
	update(func(tx exchange.Tx) (err error) {
		if _, voids, err = tx.RegisterAfter(t.Context(), "H98.1", exchange.BookOutgoing, 2026, 0, 100); err != nil {
			return err
		}
		entry.Subject = "vb_new"
		next, err = tx.TakeNumber(t.Context(), entry)
		return err
	})
	if next != 7 || len(voids) != 3 {
		t.Errorf("the next number is %d with %d explained before it, want 7 and 3", next, len(voids))
	}
	var said []string
	if err := db.View(t.Context(), func(tx exchange.Tx) error {
		events, err := tx.EventsOf(t.Context(), "restored")
		for _, e := range events {
			said = append(said, string(e.Kind)+" "+string(e.Peer)+" "+e.By.Name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{"restored  Antin", "quarantine.overridden H98.2 Nguyễn Văn A", "quarantine.overridden H98.3 Nguyễn Văn A", "quarantine.ended  Antin"}
	if !slices.Equal(said, want) {
		t.Errorf("evidence: %q", said)
	}
}
