package exchange_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func (s *site) registers() *exchange.Registers {
	return &exchange.Registers{Store: s.db, Offices: exchange.OfficeList{s.office}, Now: s.Now}
}

func (s *site) paper(n int, key string) exchange.PaperDocument {
	return exchange.PaperDocument{Number: n, Date: s.Now(), Kind: exchange.DocumentKind{Name: "Quyết định"}, Notation: "QĐ-UBND", Subject: "Về việc giấy",
		Signer: "Nguyễn Văn Ký", Receivers: "Sở Nội vụ", Keeper: "Văn thư", Copies: 3, Channel: "giấy", Key: key}
}

func TestARegisterBeginsAtTheNumberSetOnce(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	year := a.Now().In(exchange.Vietnam).Year()
	r := a.registers()
	wantCode(t, r.SetFirst(t.Context(), a.leader, exchange.BookOutgoing, year, 101), text.NotAllowed)
	wantCode(t, r.SetFirst(t.Context(), a.clerk, exchange.BookOutgoing, year, 0), text.InvalidInput)
	wantCode(t, r.SetFirst(t.Context(), a.clerk, "khác", year, 1), text.InvalidInput)
	must(t, r.SetFirst(t.Context(), a.clerk, exchange.BookOutgoing, year, 101))
	wantCode(t, r.SetFirst(t.Context(), a.clerk, exchange.BookOutgoing, year, 201), text.StateConflict)
	for want := 101; want < 104; want++ {
		d, err := a.outbox.Record(t.Context(), a.clerk, a.paper(0, ""))
		must(t, err)
		if d.Issuance.Number.Seq != want {
			t.Errorf("number %d, want %d", d.Issuance.Number.Seq, want)
		}
	}
	_, err := a.outbox.Record(t.Context(), a.clerk, a.paper(102, ""))
	wantCode(t, err, text.NumberTaken)
	lines, err := r.Lines(t.Context(), a.clerk, exchange.BookOutgoing, year, exchange.RegisterPage{After: 101})
	must(t, err)
	if len(lines) != 2 || lines[0].Columns.Number != "102/QĐ-UBND" || !lines[0].ByHand || lines[0].Columns.Copies != 3 || lines[0].Columns.Receivers != "Sở Nội vụ" {
		t.Errorf("lines %+v", lines)
	}
	_, err = b.outbox.Record(t.Context(), b.clerk, b.paper(5, ""))
	must(t, err)
	wantCode(t, b.registers().SetFirst(t.Context(), b.clerk, exchange.BookOutgoing, year, 9), text.StateConflict)
}

func TestFiftyClerksAtOnceTakeFiftyNumbers(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	const clerks = 50
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := map[int]int{}
	for n := range clerks {
		wg.Go(func() {
			// Two clerks press each button twice: a key has one effect.
			d, err := a.outbox.Record(t.Context(), a.clerk, a.paper(0, fmt.Sprintf("k%d", n)))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			taken[d.Issuance.Number.Seq]++
			mu.Unlock()
		})
	}
	wg.Wait()
	for n := 1; n <= clerks; n++ {
		if taken[n] != 1 {
			t.Errorf("number %d was taken %d times", n, taken[n])
		}
	}
}

func TestAVoidedNumberStaysAndItsDocumentTakesAnother(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	year := a.Now().In(exchange.Vietnam).Year()
	d, err := a.outbox.Create(t.Context(), a.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "VP",
		Subject: "Sẽ hủy", Body: "Một.", Signatory: "leader"})
	must(t, err)
	entry := exchange.Entry{Agency: "H15.01", Book: exchange.BookOutgoing, Year: year, Subject: d.ID, At: a.Now().UTC(), By: a.clerk}
	take := func() (seq int) {
		must(t, a.db.Update(t.Context(), func(tx exchange.Tx) (err error) {
			seq, err = tx.TakeNumber(t.Context(), entry)
			return err
		}))
		return seq
	}
	first := take()
	if again := take(); again != first {
		t.Fatalf("held %d, then %d", first, again)
	}
	r := a.registers()
	wantCode(t, r.Void(t.Context(), a.clerk, exchange.BookOutgoing, year, first, " "), text.InvalidInput)
	wantCode(t, r.Void(t.Context(), a.clerk, exchange.BookOutgoing, year, 99, "x"), text.NotFound)
	must(t, r.Void(t.Context(), a.clerk, exchange.BookOutgoing, year, first, "Không ban hành"))
	wantCode(t, r.Void(t.Context(), a.clerk, exchange.BookOutgoing, year, first, "Lần hai"), text.StateConflict)
	if next := take(); next != first+1 {
		t.Errorf("after the void the document holds %d", next)
	}
	lines, err := r.Lines(t.Context(), a.clerk, exchange.BookOutgoing, year, exchange.RegisterPage{})
	must(t, err)
	if len(lines) != 2 || lines[0].Void == nil || lines[0].Void.Reason != "Không ban hành" || lines[1].Void != nil {
		t.Errorf("lines %+v", lines)
	}
	issued, err := a.outbox.Record(t.Context(), a.clerk, a.paper(0, ""))
	must(t, err)
	wantCode(t, r.Void(t.Context(), a.clerk, exchange.BookOutgoing, year, issued.Issuance.Number.Seq, "x"), text.StateConflict)
}

func TestAnIncomingPaperTakesItsNumberAndTellsNobody(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	req := exchange.PaperItem{Arrived: b.Now(), FromName: "Bưu điện tỉnh", Number: "12/BĐ", Date: b.Now().Add(-48 * time.Hour), Subject: "Thư mời",
		Handler: "Phòng Hành chính", Channel: "giấy", Key: "p"}
	v, err := b.inbox.Record(t.Context(), b.clerk, req)
	must(t, err)
	again, err := b.inbox.Record(t.Context(), b.clerk, req)
	must(t, err)
	if v.ID != again.ID || v.Arrival != 1 || v.State != exchange.InboxAccepted {
		t.Errorf("recorded %+v", v)
	}
	_, item := arrived(t, a, b, 1)
	acc, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: item.ID})
	must(t, err)
	if acc.Arrival != 2 {
		t.Errorf("the next số đến is %d", acc.Arrival)
	}
	done, err := b.inbox.Handle(t.Context(), b.clerk, exchange.StatusCompleted, exchange.Decision{Item: v.ID})
	must(t, err)
	if done.State != exchange.InboxCompleted || done.Told != "" {
		t.Errorf("handled: %s, told %q", done.State, done.Told)
	}
	req.Key, req.Arrival = "q", 2
	_, err = b.inbox.Record(t.Context(), b.clerk, req)
	wantCode(t, err, text.NumberTaken)
	req.Arrival, req.Arrived = 0, b.Now().Add(24*time.Hour)
	_, err = b.inbox.Record(t.Context(), b.clerk, req)
	wantCode(t, err, text.InvalidInput)
	lines, err := b.registers().Lines(t.Context(), b.clerk, exchange.BookIncoming, b.Now().In(exchange.Vietnam).Year(), exchange.RegisterPage{})
	must(t, err)
	if len(lines) != 2 || lines[0].Columns.From != "Bưu điện tỉnh" || lines[0].Columns.Handler != "Phòng Hành chính" || lines[1].ByHand {
		t.Errorf("lines %+v", lines)
	}
	b.kinds(t, v.ID)
}

func TestAnExternalRegisterTakesOnlyTheNumbersItIsGiven(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	office := b.office
	office.Numbering = exchange.NumberingExternal
	b.inbox.Offices = exchange.OfficeList{office}
	_, one := arrived(t, a, b, 1)
	_, two := arrived(t, a, b, 2)
	_, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: one.ID})
	wantCode(t, err, text.InvalidInput)
	v, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: one.ID, Number: 4711})
	must(t, err)
	if v.Arrival != 4711 {
		t.Errorf("số đến %d", v.Arrival)
	}
	_, err = b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: two.ID, Number: 4711})
	wantCode(t, err, text.NumberTaken)
	still, err := b.inbox.Item(t.Context(), b.clerk, two.ID)
	must(t, err)
	if still.State != exchange.InboxWaiting {
		t.Errorf("refused number left the item %s", still.State)
	}
}

func TestVerificationsOperationsFeedAndTasks(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	vs := &exchange.Verifications{Store: a.db, Blobs: a.db, Now: a.Now}
	v, err := vs.Save(t.Context(), a.clerk, []byte(`{"verdict":"valid"}`), "tệp.pdf", exchange.DigestOf([]byte("x")))
	must(t, err)
	got, err := vs.Verification(t.Context(), a.clerk, v.ID)
	must(t, err)
	if string(got.Report) != `{"verdict":"valid"}` || got.Name != "tệp.pdf" {
		t.Errorf("kept %+v", got)
	}
	_, err = vs.Verification(t.Context(), b.clerk, v.ID)
	wantCode(t, err, text.NotFound)
	_, err = vs.Save(t.Context(), a.clerk, []byte(`{`), "x", exchange.DigestOf(nil))
	wantCode(t, err, text.InvalidInput)

	d, _ := arrived(t, a, b, 1)
	op := exchange.Operation{ID: exchange.NewID(exchange.PrefixOperation, a.Now()), Agency: "H15.01", Kind: exchange.OperationSend, Subject: d.ID, CreatedAt: a.Now().UTC()}
	must(t, a.db.Update(t.Context(), func(tx exchange.Tx) error { return tx.CreateOperation(t.Context(), op) }))
	ops := &exchange.Operations{Store: a.db}
	now, err := ops.Operation(t.Context(), a.clerk, op.ID)
	must(t, err)
	if now.State != exchange.OperationDone {
		t.Errorf("operation %s", now.State)
	}
	_, err = ops.Operation(t.Context(), b.clerk, op.ID)
	wantCode(t, err, text.NotFound)

	ev := &exchange.Evidence{Store: a.db}
	var seq int64
	for {
		page, err := ev.Feed(t.Context(), a.clerk, seq, 2)
		must(t, err)
		if len(page) == 0 {
			break
		}
		if page[0].Seq != seq+1 {
			t.Fatalf("feed leaps from %d to %d", seq, page[0].Seq)
		}
		seq = page[len(page)-1].Seq
	}
	if n, _, err := ev.Verify(t.Context(), "H15.01"); err != nil || n != seq {
		t.Errorf("the feed gave %d events of %d, %v", seq, n, err)
	}

	tasks := &exchange.Tasks{Store: a.db, Directory: a.outbox.Directory, Now: a.Now}
	operator := exchange.Actor{ID: "it", Name: "Quản trị", Role: exchange.RoleOperator, Agency: "H15.01"}
	if list, err := tasks.List(t.Context(), operator); err != nil || len(list) != 0 {
		t.Errorf("nothing is to be done, yet %v, %v", list, err)
	}
	a.outbox.Transport = unreachable{}
	a.send(t, a.unsigned(t, 2), b)
	for range 4 {
		must(t, a.outbox.Drain(t.Context(), a.lane(b)))
		a.advance(10 * time.Minute)
	}
	list, err := tasks.List(t.Context(), operator)
	must(t, err)
	if len(list) != 1 || list[0].Kind != exchange.TaskLaneDown || list[0].Count != 1 || list[0].Peer != "H15.02" {
		t.Errorf("tasks %+v", list)
	}
	_, err = tasks.List(t.Context(), a.leader)
	wantCode(t, err, text.NotAllowed)
}
