package exchange_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
)

func letter(key string) exchange.NewDocument {
	return exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND", Subject: "Ban hành quy chế làm việc",
		Places: []string{"Như Điều 3", "Lưu: VT"}, Body: "Căn cứ Luật Tổ chức chính quyền địa phương;\nQUYẾT ĐỊNH:\nĐiều 1. Ban hành quy chế.\nĐiều 2. Quyết định có hiệu lực từ ngày ký.",
		Signatory: "leader", Key: key,
	}
}

func read(t *testing.T, r exchange.BlobReader, err error) []byte {
	t.Helper()
	must(t, err)
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	must(t, err)
	return b
}

func TestADocumentGoesFromDraftToAcceptance(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	ctx := t.Context()

	// A composes, signs, numbers, seals.
	d, err := a.outbox.Create(ctx, a.clerk, letter("1"))
	must(t, err)
	if d.Issuance.Stage() != exchange.StageDraft {
		t.Fatalf("a new document is %s", d.Issuance.Stage())
	}
	if _, err := a.outbox.Seal(ctx, a.clerk, d.ID); text.CodeOf(err) != text.SignatureRequired {
		t.Fatalf("sealed before the leader signed: %v", err)
	}
	d, err = a.outbox.Sign(ctx, a.leader, d.ID)
	must(t, err)
	again, err := a.outbox.Sign(ctx, a.leader, d.ID)
	must(t, err)
	if again.Issuance.Signed != d.Issuance.Signed {
		t.Error("signing twice made two signatures")
	}
	if _, err := a.outbox.Send(ctx, a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}}); text.CodeOf(err) != text.SignatureRequired {
		t.Fatalf("sent before the seal: %v", err)
	}
	d, err = a.outbox.Seal(ctx, a.clerk, d.ID)
	must(t, err)
	i := d.Issuance
	if i.Stage() != exchange.StageIssued || i.Verdict != exchange.VerdictValid || i.Number.String() != "01/QĐ-UBND" {
		t.Fatalf("issued as %s, %s, %s", i.Stage(), i.Verdict, i.Number)
	}
	if !strings.HasPrefix(d.DocumentID, "H15.01,") || !strings.HasSuffix(d.DocumentID, ",01/QĐ-UBND") {
		t.Errorf("document id %q", d.DocumentID)
	}
	_, f, err := a.outbox.Open(ctx, a.clerk, d.ID, exchange.FileSigned)
	signed := read(t, f, err)
	_, f, err = a.outbox.Open(ctx, a.clerk, d.ID, exchange.FileFinal)
	final := read(t, f, err)
	if !bytes.HasPrefix(final, signed) {
		t.Error("the sealed file does not continue the signed one")
	}

	// It travels; B validates; A hears 01.
	sent := a.send(t, d, b)
	settle(t, a, b)
	items := b.documents(t)
	if len(items) != 1 {
		t.Fatalf("B has %d documents", len(items))
	}
	item := items[0]
	if item.Verdict != exchange.VerdictValid || item.State != exchange.InboxWaiting || item.Header.Subject != d.Subject || item.Header.FullNumber() != "01/QĐ-UBND" {
		t.Fatalf("B sees %s, %s, %+v, %v", item.Verdict, item.State, item.Header, item.Problem)
	}
	_, f, err = b.inbox.OpenAttachment(ctx, b.clerk, item.ID, 0)
	if got := read(t, f, err); !bytes.Equal(got, final) {
		t.Error("the attachment differs from the file that A issued")
	}
	_, f, err = a.outbox.Open(ctx, a.clerk, d.ID, exchange.FileMessage)
	left := read(t, f, err)
	f, err = b.inbox.OpenRaw(ctx, b.clerk, item.ID)
	if got := read(t, f, err); !bytes.Equal(got, left) {
		t.Error("the message differs from what left A")
	}
	var report validation.Report
	body, err := b.inbox.Report(ctx, b.clerk, item.ID, 0)
	must(t, err)
	must(t, json.Unmarshal(body, &report))
	if len(report.Signatures) != 2 || report.Verdict != validation.Valid {
		t.Errorf("report: %s, %d signatures", report.Verdict, len(report.Signatures))
	}
	got := a.delivery(t, sent.ID)
	known, err := b.inbox.Receipt(ctx, b.clerk, item.ID)
	must(t, err)
	if got.State != exchange.DeliveryDelivered || !bytes.Equal(got.Receipt, known.Receipt) {
		t.Errorf("A: %s; receipts equal: %v", got.State, bytes.Equal(got.Receipt, known.Receipt))
	}
	if v, _ := a.outbox.Document(ctx, a.clerk, d.ID); v.Deliveries[0].Business.Code != exchange.StatusArrived {
		t.Errorf("A heard %q", v.Deliveries[0].Business.Code)
	}

	// B's văn thư accepts; A hears 03; handling follows.
	acc, err := b.inbox.Accept(ctx, b.clerk, exchange.Decision{Item: item.ID, Assignee: "Phòng Nội vụ", Key: "k"})
	must(t, err)
	if acc.Arrival != 1 || acc.State != exchange.InboxAccepted || acc.Business.Code != exchange.StatusAccepted {
		t.Errorf("accepted as %+v", acc)
	}
	repeat, err := b.inbox.Accept(ctx, b.clerk, exchange.Decision{Item: item.ID, Assignee: "Phòng Nội vụ", Key: "k"})
	if err != nil || repeat.Arrival != 1 || len(repeat.History) != len(acc.History) {
		t.Errorf("repeat with the same key: %v, %v", repeat, err)
	}
	_, err = b.inbox.Accept(ctx, b.clerk, exchange.Decision{Item: item.ID, Assignee: "Người khác", Key: "k"})
	wantCode(t, err, text.IdempotencyKeyReused)
	_, err = b.inbox.Accept(ctx, b.clerk, exchange.Decision{Item: item.ID})
	wantCode(t, err, text.StateConflict)
	_, err = b.inbox.Refuse(ctx, b.clerk, exchange.Decision{Item: item.ID, Reason: "muộn"})
	wantCode(t, err, text.StateConflict)
	if _, err := b.inbox.Handle(ctx, b.leader, exchange.StatusCompleted, exchange.Decision{Item: item.ID}); err != nil {
		t.Error(err)
	}
	settle(t, a, b)
	v, err := a.outbox.Document(ctx, a.clerk, d.ID)
	must(t, err)
	if bs := v.Deliveries[0]; bs.Business.Code != exchange.StatusCompleted || len(bs.History) != 3 {
		t.Errorf("A heard %+v", bs.History)
	}
	if item, _ := b.inbox.Item(ctx, b.clerk, item.ID); item.Told != exchange.DeliveryDelivered {
		t.Errorf("the sender is told: %s", item.Told)
	}
	want := []exchange.EventKind{exchange.EventDocumentCreated, exchange.EventSigningRefused, exchange.EventApproved, exchange.EventSigned,
		exchange.EventNumbered, exchange.EventSealed, exchange.EventIssued, exchange.EventSent, exchange.EventDelivered,
		exchange.EventStatusReceived, exchange.EventStatusReceived, exchange.EventStatusReceived}
	if k := a.kinds(t, d.ID); !slices.Equal(k, want) {
		t.Errorf("A's timeline: %v", k)
	}
	if k := b.kinds(t, item.ID); !slices.Contains(k, exchange.EventReceived) || !slices.Contains(k, exchange.EventValidated) || !slices.Contains(k, exchange.EventAccepted) {
		t.Errorf("B's timeline: %v", k)
	}
	a.checkEvidence(t)
	b.checkEvidence(t)
}

func TestAResultIsIssued(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	ctx := t.Context()
	req := exchange.NewResult{Signatory: "leader", Key: "kq", Form: exchange.ResultForm{
		Dossier: "H15.01-261123-0001", Procedure: "2.000635", ProcedureName: "Cấp bản sao", Owner: "Đặng Thị Ấn",
		Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND", Subject: "Cấp giấy phép xây dựng",
		Body: "Điều 1. Cấp phép.", Places: []string{"Lưu: VT"}}}
	r, err := a.results.Create(ctx, a.officer, req)
	must(t, err)
	again, err := a.results.Create(ctx, a.officer, req)
	if err != nil || again.ID != r.ID {
		t.Errorf("same key, other result: %v %v", again.ID, err)
	}
	if _, err := a.results.ByToken(ctx, r.Token); text.CodeOf(err) != text.NotFound {
		t.Errorf("a draft is public: %v", err)
	}
	if _, err := a.results.Sign(ctx, a.leader, r.ID); err != nil {
		t.Fatal(err)
	}
	r, err = a.results.Seal(ctx, a.clerk, r.ID)
	must(t, err)
	if r.Issuance.Verdict != exchange.VerdictValid || r.Issuance.Number.Seq != 1 {
		t.Errorf("issued %s as number %d", r.Issuance.Verdict, r.Issuance.Number.Seq)
	}
	for what, f := range map[string]exchange.Fact{"approved": r.Issuance.Approved, "signed": r.Issuance.Signing, "numbered": r.Issuance.Numbered,
		"sealed": r.Issuance.Sealed, "issued": r.Issuance.Issued} {
		if !f.Done() || f.By.ID == "" {
			t.Errorf("fact %s has no time or actor", what)
		}
	}
	typed := strings.ToUpper(r.Token[:5]) + "-" + r.Token[5:10] + " " + r.Token[10:]
	if public, err := a.results.ByToken(ctx, typed); err != nil || public.ID != r.ID {
		t.Errorf("typed from paper: %v %v", public.ID, err)
	}
	if public, err := a.results.ByToken(ctx, r.Token); err != nil || public.ID != r.ID {
		t.Errorf("by token: %v", err)
	}
	_, f, err := a.results.Open(ctx, a.clerk, r.ID)
	if body := read(t, f, err); exchange.DigestOf(body) != r.Issuance.Final.Digest {
		t.Error("another file than the final one")
	}
	if _, err := a.results.Result(ctx, b.clerk, r.ID); text.CodeOf(err) != text.NotFound {
		t.Errorf("another agency's clerk: %v", err)
	}
	// The register is one series for everything issued.
	d, err := a.outbox.Create(ctx, a.clerk, letter("after"))
	must(t, err)
	_, err = a.outbox.Sign(ctx, a.leader, d.ID)
	must(t, err)
	d, err = a.outbox.Seal(ctx, a.clerk, d.ID)
	must(t, err)
	if d.Issuance.Number.Seq != 2 {
		t.Errorf("the next number is %d", d.Issuance.Number.Seq)
	}
}

func TestAPDFMadeElsewhereIsSignedAndSealed(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	ctx := t.Context()
	req := letter("up")
	req.Body, req.PDF, req.FileName = "", bytes.NewReader(plainPDF(t, "từ nơi khác")), "báo cáo.pdf"
	d, err := a.outbox.Create(ctx, a.clerk, req)
	must(t, err)
	_, err = a.outbox.Sign(ctx, a.leader, d.ID)
	must(t, err)
	d, err = a.outbox.Seal(ctx, a.clerk, d.ID)
	must(t, err)
	if d.Issuance.Verdict != exchange.VerdictValid {
		t.Errorf("verdict %s", d.Issuance.Verdict)
	}
	a.send(t, d, b)
	settle(t, a, b)
	if items := b.documents(t); len(items) != 1 || items[0].Verdict != exchange.VerdictValid || items[0].Attachments[0].Name != "báo cáo.pdf" {
		t.Errorf("B has %+v", items)
	}
}

func TestARevokedSignerIsRefused(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	req := letter("rev")
	req.Signatory = "revoked"
	d, err := a.outbox.Create(t.Context(), a.clerk, req)
	must(t, err)
	_, err = a.outbox.Sign(t.Context(), a.leader, d.ID)
	wantCode(t, err, text.NotAllowed) // the name on the page is another's
	revoked := exchange.Actor{ID: "revoked", Name: "Trần Thị Thu Hồi", Role: exchange.RoleLeader, Agency: a.office.Agency.Code}
	_, err = a.outbox.Sign(t.Context(), revoked, d.ID)
	wantCode(t, err, text.CertificateRevoked)
	if k := a.kinds(t, d.ID); !slices.Contains(k, exchange.EventSigningRefused) {
		t.Errorf("timeline %v", k)
	}
	if v, _ := a.outbox.Document(t.Context(), a.clerk, d.ID); v.Issuance.Stage() != exchange.StageDraft {
		t.Errorf("stage %s", v.Issuance.Stage())
	}
}

func TestAnAlteredDocumentIsReceivedFoundInvalidAndReturned(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	ctx := t.Context()
	d, err := a.outbox.Create(ctx, a.clerk, letter("x"))
	must(t, err)
	_, err = a.outbox.Sign(ctx, a.leader, d.ID)
	must(t, err)
	d, err = a.outbox.Seal(ctx, a.clerk, d.ID)
	must(t, err)
	_, f, err := a.outbox.Open(ctx, a.clerk, d.ID, exchange.FileFinal)
	altered := read(t, f, err)
	at := bytes.Index(altered, []byte("/MediaBox"))
	at += bytes.IndexAny(altered[at:], "58")
	altered[at] ^= 1 // one digit
	req := letter("altered")
	req.Body, req.PDF, req.FileName, req.Final = "", bytes.NewReader(altered), "x.pdf", &exchange.Number{Seq: 99, Date: a.Now()}
	if _, err := a.outbox.Create(ctx, a.clerk, req); text.CodeOf(err) != text.SignatureRequired {
		t.Fatalf("an invalid file is taken over without a word: %v", err)
	}
	req.PDF, req.Confirmed, req.Key = bytes.NewReader(altered), true, "altered-2"
	bad, err := a.outbox.Create(ctx, a.clerk, req)
	must(t, err)
	a.send(t, bad, b)
	settle(t, a, b)
	item := b.documents(t)[0]
	if item.Verdict != exchange.VerdictInvalid || item.Blocked.IsZero() {
		t.Fatalf("B's verdict: %s, blocked %v", item.Verdict, item.Blocked)
	}
	_, err = b.inbox.Accept(ctx, b.clerk, exchange.Decision{Item: item.ID})
	wantCode(t, err, text.NotAllowed)
	_, err = b.inbox.Refuse(ctx, b.clerk, exchange.Decision{Item: item.ID})
	wantCode(t, err, text.InvalidInput)
	const reason = "Văn bản bị sửa sau khi ký"
	_, err = b.inbox.Refuse(ctx, b.clerk, exchange.Decision{Item: item.ID, Reason: reason})
	must(t, err)
	settle(t, a, b)
	v, err := a.outbox.Document(ctx, a.clerk, bad.ID)
	must(t, err)
	if got := v.Deliveries[0].Business; got.Code != exchange.StatusReturned || got.Reason != reason {
		t.Errorf("A heard %+v", got)
	}
	if n := len(b.documents(t)); n != 1 {
		t.Errorf("B has %d documents", n)
	}
	lines, err := b.outbox.Register(ctx, b.clerk, exchange.BookIncoming, a.Now().In(exchange.Vietnam).Year())
	if err != nil || len(lines) != 0 {
		t.Errorf("a returned document took a number: %v %v", lines, err)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	ctx := t.Context()
	d := a.unsigned(t, 1)
	a.send(t, d, b)
	settle(t, a, b)
	item := b.documents(t)[0].ID
	nobody := exchange.Actor{}
	for name, try := range map[string]func() error{
		"a leader does not seal":   func() error { _, err := a.outbox.Seal(ctx, a.leader, d.ID); return err },
		"a clerk does not sign":    func() error { _, err := a.outbox.Sign(ctx, a.clerk, d.ID); return err },
		"a leader does not send":   func() error { _, err := a.outbox.Send(ctx, a.leader, exchange.SendRequest{Document: d.ID}); return err },
		"a leader does not accept": func() error { _, err := b.inbox.Accept(ctx, b.leader, exchange.Decision{Item: item}); return err },
		"an officer does not refuse": func() error {
			_, err := b.inbox.Refuse(ctx, b.officer, exchange.Decision{Item: item, Reason: "r"})
			return err
		},
		"nobody creates nothing": func() error { _, err := a.outbox.Create(ctx, nobody, letter("")); return err },
		"the gateway does not accept": func() error {
			_, err := b.inbox.Accept(ctx, exchange.System("H15.02"), exchange.Decision{Item: item})
			return err
		},
		"an unlisted leader does not sign": func() error {
			_, err := a.outbox.Sign(ctx, exchange.Actor{ID: "other", Role: exchange.RoleLeader, Agency: "H15.01"}, d.ID)
			return err
		},
	} {
		if err := try(); text.CodeOf(err) != text.NotAllowed {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, try := range map[string]func() error{
		"document": func() error { _, err := a.outbox.Document(ctx, b.clerk, d.ID); return err },
		"item":     func() error { _, err := b.inbox.Item(ctx, a.clerk, item); return err },
		"accept":   func() error { _, err := b.inbox.Accept(ctx, a.clerk, exchange.Decision{Item: item}); return err },
		"timeline": func() error { _, err := (&exchange.Evidence{Store: a.db}).Timeline(ctx, b.clerk, d.ID); return err },
	} {
		if err := try(); text.CodeOf(err) != text.NotFound && text.CodeOf(err) != text.NotForUs {
			t.Errorf("another agency's %s: %v", name, err)
		}
	}
}

func TestBadRequestsNameTheirField(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for name, change := range map[string]func(*exchange.NewDocument){
		"subject": func(d *exchange.NewDocument) { d.Subject = " " }, "notation": func(d *exchange.NewDocument) { d.Notation = "A,B" },
		"priority": func(d *exchange.NewDocument) { d.Priority = 9 }, "signatory": func(d *exchange.NewDocument) { d.Signatory = "" },
		"security": func(d *exchange.NewDocument) { d.Security = "x" }, "body": func(d *exchange.NewDocument) { d.Body = "" },
		"final": func(d *exchange.NewDocument) { d.Final = &exchange.Number{Seq: 1, Date: day} },
	} {
		req := letter("")
		change(&req)
		_, err := a.outbox.Create(t.Context(), a.clerk, req)
		var e *text.Error
		if !errors.As(err, &e) || e.Code != text.InvalidInput || !strings.Contains(e.Detail.EN, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	req := letter("")
	req.Body, req.PDF = "", strings.NewReader("not a pdf at all")
	_, err := a.outbox.Create(t.Context(), a.clerk, req)
	wantCode(t, err, text.NotAPDF)
}

func TestStateSecretsAreNotSent(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for _, s := range []exchange.Security{exchange.SecurityConfidential, exchange.SecuritySecret, exchange.SecurityTopSecret} {
		req := letter(string(s))
		req.Security = s
		d, err := a.outbox.Create(t.Context(), a.clerk, req)
		must(t, err)
		_, err = a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}})
		wantCode(t, err, text.NotAllowed)
		if k := a.kinds(t, d.ID); !slices.Contains(k, exchange.EventSendRefused) {
			t.Errorf("%s: timeline %v", s, k)
		}
	}
}

func TestTwoClerksSealingAtOnceIssueOnce(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	d, err := a.outbox.Create(t.Context(), a.clerk, letter("1"))
	must(t, err)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := a.outbox.Sign(t.Context(), a.leader, d.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for range 3 {
		wg.Go(func() {
			if _, err := a.outbox.Seal(t.Context(), a.clerk, d.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want := []exchange.EventKind{exchange.EventDocumentCreated, exchange.EventApproved, exchange.EventSigned, exchange.EventNumbered,
		exchange.EventSealed, exchange.EventIssued}
	if k := a.kinds(t, d.ID); !slices.Equal(k, want) {
		t.Errorf("timeline %v", k)
	}
}

func TestAFileIsOpenOnlyToWhoUploadedIt(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	files := &exchange.Files{Store: a.db, Blobs: a.db, Now: a.Now}
	blob, err := files.Upload(t.Context(), a.clerk, strings.NewReader("của A"))
	must(t, err)
	f, err := files.Open(t.Context(), a.clerk, blob.Digest)
	if got := read(t, f, err); string(got) != "của A" {
		t.Errorf("read %q", got)
	}
	_, err = files.Open(t.Context(), b.clerk, blob.Digest)
	wantCode(t, err, text.NotFound)
	// An idempotency key of B's choice opens nothing.
	req := letter("upload:" + string(blob.Digest))
	outbox := &exchange.Outbox{Store: a.db, Blobs: a.db, Directory: b.outbox.Directory, Offices: b.outbox.Offices, Press: b.outbox.Press, Now: b.Now}
	_, err = outbox.Create(t.Context(), b.clerk, req)
	must(t, err)
	_, err = files.Open(t.Context(), b.clerk, blob.Digest)
	wantCode(t, err, text.NotFound)
}
