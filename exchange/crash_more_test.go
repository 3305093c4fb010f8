package exchange_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/internal/text"
	"antin/store/storetest"
)

// everyFewWrites is everyWrite for acts of one small transaction.
func everyFewWrites(t *testing.T, s *site, least int, act func(n int) error, check func(n int)) {
	t.Helper()
	for n := 1; ; n++ {
		s.db.FailAt(n)
		err := act(n)
		died := s.db.Heal()
		if died && !errors.Is(err, storetest.ErrFault) {
			t.Fatalf("write %d failed and nobody said so: %v", n, err)
		}
		if died {
			must(t, act(n))
		}
		check(n)
		if !died {
			must(t, err)
			if n <= least {
				t.Fatalf("only %d writes were seen", n-1)
			}
			s.checkEvidence(t)
			return
		}
	}
}

func TestRegistersSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	registers := a.registers()
	lines := func(book exchange.Book, year int) int {
		l, err := registers.Lines(t.Context(), a.clerk, book, year, exchange.RegisterPage{Limit: 500})
		must(t, err)
		return len(l)
	}
	// The first number of a year, set once.
	everyFewWrites(t, a, 2, func(n int) error {
		err := registers.SetFirst(t.Context(), a.clerk, exchange.BookIncoming, 2030+n, 7)
		if text.CodeOf(err) == text.StateConflict { // the act was done before its answer died
			return nil
		}
		return err
	}, func(n int) {
		if err := registers.SetFirst(t.Context(), a.clerk, exchange.BookIncoming, 2030+n, 9); text.CodeOf(err) != text.StateConflict {
			t.Fatalf("round %d: set again: %v", n, err)
		}
	})
	// A document that went out on paper, under its key.
	today := a.Now()
	year := today.In(exchange.Vietnam).Year()
	everyFewWrites(t, a, 4, func(n int) error {
		_, err := a.outbox.Record(t.Context(), a.clerk, exchange.PaperDocument{Date: today, Kind: exchange.DocumentKind{Name: "Công văn"}, Notation: "VP",
			Subject: "Về việc họp", Signer: "Lê Văn C", Receivers: "UBND tỉnh", Channel: "giấy", Key: fmt.Sprint("giay", n)})
		return err
	}, func(n int) {
		if got := lines(exchange.BookOutgoing, year); got != n {
			t.Fatalf("%d lines after %d documents", got, n)
		}
	})
	// A number explained as void: of a signed document that will not be issued.
	numbered := 0
	everyFewWrites(t, a, 2, func(n int) error {
		if numbered < n {
			a.db.Heal()
			d, err := a.outbox.Create(t.Context(), a.clerk, letter(fmt.Sprint("void", n)))
			if err == nil {
				_, err = a.outbox.Sign(t.Context(), a.leader, d.ID)
			}
			if err == nil {
				_, err = a.outbox.Press.Number(t.Context(), a.clerk, d.ID, 0)
			}
			must(t, err)
			numbered = n
			a.db.FailAt(n)
		}
		err := registers.Void(t.Context(), a.clerk, exchange.BookOutgoing, year, lines(exchange.BookOutgoing, year), "không ban hành")
		if text.CodeOf(err) == text.StateConflict {
			return nil
		}
		return err
	}, func(n int) {
		l, err := registers.Lines(t.Context(), a.clerk, exchange.BookOutgoing, year, exchange.RegisterPage{Limit: 500})
		must(t, err)
		if last := l[len(l)-1]; last.Void == nil || last.Void.Reason != "không ban hành" {
			t.Fatalf("round %d: not explained: %+v", n, last)
		}
	})
}

func TestAskingAndDeletingSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	ids, made := map[int]exchange.ID{}, 0
	draft := func(n int) exchange.ID {
		if ids[n] == "" {
			a.db.Heal()
			made++
			d, err := a.outbox.Create(t.Context(), a.clerk, letter(fmt.Sprint("draft", made)))
			must(t, err)
			ids[n] = d.ID
			a.db.FailAt(n)
		}
		return ids[n]
	}
	operations := &exchange.Operations{Store: a.db}
	asked := map[int]exchange.ID{}
	everyFewWrites(t, a, 3, func(n int) error {
		op, err := a.outbox.Press.Ask(t.Context(), a.clerk, draft(n), exchange.SigningPerson, fmt.Sprint("ask", n))
		asked[n] = op.ID
		return err
	}, func(n int) {
		op, err := operations.Operation(t.Context(), a.clerk, asked[n])
		if err != nil || op.State != exchange.OperationAwaitingSignature {
			t.Fatalf("round %d: %+v, %v", n, op, err)
		}
	})
	ids = map[int]exchange.ID{}
	everyFewWrites(t, a, 2, func(n int) error {
		err := a.outbox.Delete(t.Context(), a.clerk, draft(n), 1)
		if text.CodeOf(err) == text.NotFound {
			return nil
		}
		return err
	}, func(n int) {
		if _, err := a.outbox.Document(t.Context(), a.clerk, ids[n]); text.CodeOf(err) != text.NotFound {
			t.Fatalf("round %d: %v", n, err)
		}
		if kinds := a.kinds(t, ids[n]); len(kinds) != 2 || kinds[1] != exchange.EventDocumentDeleted {
			t.Fatalf("round %d: evidence %v", n, kinds)
		}
	})
	results := map[int]exchange.ID{}
	everyFewWrites(t, a, 2, func(n int) error {
		if results[n] == "" {
			a.db.Heal()
			r, err := a.results.Create(t.Context(), a.clerk, exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{Dossier: fmt.Sprint("H15.01-", n),
				Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ", Subject: "Cấp bản sao", Body: "Điều 1."}})
			must(t, err)
			results[n] = r.ID
			a.db.FailAt(n)
		}
		err := a.results.Delete(t.Context(), a.clerk, results[n], 1)
		if text.CodeOf(err) == text.NotFound {
			return nil
		}
		return err
	}, func(n int) {
		if _, err := a.results.Result(t.Context(), a.clerk, results[n]); text.CodeOf(err) != text.NotFound {
			t.Fatalf("round %d: %v", n, err)
		}
		if kinds := a.kinds(t, results[n]); len(kinds) != 2 || kinds[1] != exchange.EventResultDeleted {
			t.Fatalf("round %d: evidence %v", n, kinds)
		}
	})
}

func TestWhoLooksAfterTheGatewayIsToldOfAQuarantinedDelivery(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	operator := exchange.Actor{ID: "it", Name: "Vận hành", Role: exchange.RoleOperator, Agency: "H15.01"}
	tasks := &exchange.Tasks{Store: a.db, Directory: a.outbox.Directory, Now: a.Now}
	quarantined := func() (n int) {
		list, err := tasks.List(t.Context(), operator)
		must(t, err)
		for _, task := range list {
			if task.Kind == exchange.TaskQuarantined && task.Peer == "H15.02" && !task.Fix.IsZero() {
				n += task.Count
			}
		}
		return n
	}
	d := a.send(t, a.unsigned(t, 1), b)
	a.script(b, slices.Repeat([]exchangetest.Fault{exchangetest.SpoilByte}, 8)...)
	for range 8 {
		if quarantined() != 0 {
			t.Fatal("held back before its last try")
		}
		must(t, a.outbox.Drain(t.Context(), a.lane(b)))
		a.advance(2 * time.Hour)
	}
	if n := quarantined(); n != 1 {
		t.Fatalf("%d are told of", n)
	}
	finder := &exchange.Finder{Store: a.db, Now: a.Now}
	found, err := finder.Find(t.Context(), operator, " "+string(d.TransferID)+" ")
	if err != nil || len(found.Subjects) != 1 || found.Subjects[0] != d.Subject {
		t.Errorf("by its transfer id: %+v, %v", found, err)
	}
	must(t, a.outbox.Resume(t.Context(), operator, d.ID))
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if n := quarantined(); n != 0 || a.delivery(t, d.ID).State != exchange.DeliveryDelivered {
		t.Errorf("after it was sent on: %d, %s", n, a.delivery(t, d.ID).State)
	}
	receiver := exchange.Actor{ID: "it", Name: "Vận hành", Role: exchange.RoleOperator, Agency: "H15.02"}
	found, err = (&exchange.Finder{Store: b.db, Now: b.Now}).Find(t.Context(), receiver, string(d.TransferID))
	if err != nil || len(found.Subjects) != 1 || len(found.Transfers) != 1 || found.Transfers[0].Item != found.Subjects[0] {
		t.Errorf("at its receiver: %+v, %v", found, err)
	}
}

func TestFailuresAreFoundByTheIDThatWasShownAndByNobodyElse(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	finder := &exchange.Finder{Store: a.db, Now: a.Now}
	operator := exchange.Actor{ID: "it", Name: "Vận hành", Role: exchange.RoleOperator, Agency: "H15.01"}
	must(t, finder.Note(t.Context(), "H15.01", "K7XQ2", "page", errors.New("disk on fire")))
	must(t, finder.Note(t.Context(), "H15.01", "K7XQ2", "page", errors.New("told twice")))
	must(t, finder.Note(t.Context(), "H15.02", "OTHER", "page", errors.New("another agency's")))
	found, err := finder.Find(t.Context(), operator, "k7xq2 ")
	if err != nil || found.Trouble == nil || found.Trouble.What != "disk on fire" || found.Trouble.Where != "page" {
		t.Errorf("%+v, %v", found, err)
	}
	for _, id := range []string{"other", "", "no such", "\x00", string(make([]byte, 1000))} {
		if found, err := finder.Find(t.Context(), operator, id); err != nil || !found.IsZero() {
			t.Errorf("%.20q finds %+v, %v", id, found, err)
		}
	}
	_, err = finder.Find(t.Context(), a.clerk, "k7xq2")
	wantCode(t, err, text.NotAllowed)
}

func TestAnUploadedDraftGetsAnotherFile(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	first, second := plainPDF(t, "Một"), plainPDF(t, "Hai")
	req := letter("pdf")
	req.Body, req.Addressees, req.PDF, req.FileName = "", nil, bytes.NewReader(first), "một.pdf"
	d, err := a.outbox.Create(t.Context(), a.clerk, req)
	must(t, err)
	old := d.Issuance.Draft
	subject := "Về việc khác"
	d, err = a.outbox.Edit(t.Context(), a.clerk, d.ID, d.Version, exchange.EditDocument{Subject: &subject})
	must(t, err)
	if d.Issuance.Draft != old || d.Subject != subject {
		t.Errorf("another subject changed the file: %+v", d.Issuance.Draft)
	}
	d, err = a.outbox.Edit(t.Context(), a.clerk, d.ID, d.Version, exchange.EditDocument{PDF: bytes.NewReader(second), FileName: "hai.pdf"})
	must(t, err)
	if d.Issuance.Draft.Digest != exchange.DigestOf(second) || d.FileName != "hai.pdf" || d.Issuance.Prepared {
		t.Errorf("after the edit: %+v, %s", d.Issuance.Draft, d.FileName)
	}
	_, f, err := a.outbox.Open(t.Context(), a.clerk, d.ID, exchange.FileNewest)
	if got := read(t, f, err); string(got) != string(second) {
		t.Error("the file shown is not the new one")
	}
	restricted, err := os.ReadFile("testdata/restricted.pdf") // encrypted, opens without a password
	must(t, err)
	_, err = a.outbox.Edit(t.Context(), a.clerk, d.ID, d.Version, exchange.EditDocument{PDF: bytes.NewReader(restricted), FileName: "x.pdf"})
	wantCode(t, err, text.EncryptionUnsupported)
	for name, bad := range map[string][]byte{"no PDF": []byte("xin chào"), "half": second[:len(second)/2]} {
		_, err := a.outbox.Edit(t.Context(), a.clerk, d.ID, d.Version, exchange.EditDocument{PDF: bytes.NewReader(bad), FileName: "x.pdf"})
		if text.CodeOf(err) == text.Internal || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, a.outbox.Press.Sign(t.Context(), a.leader, d.ID)) // what is signed is the new file
	_, f, err = a.outbox.Open(t.Context(), a.clerk, d.ID, exchange.FileSigned)
	if got := read(t, f, err); len(got) < len(second) || string(got[:len(second)]) != string(second) {
		t.Error("what was signed does not continue the new file")
	}
	v, err := a.outbox.Document(t.Context(), a.clerk, d.ID)
	must(t, err)
	_, err = a.outbox.Edit(t.Context(), a.clerk, d.ID, v.Version, exchange.EditDocument{PDF: bytes.NewReader(first), FileName: "x.pdf"})
	wantCode(t, err, text.StateConflict)
}
