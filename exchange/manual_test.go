package exchange_test

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func TestAReceiverWithoutAChannelIsServedByHand(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	village := exchange.Agency{Code: "H15.99", Name: "UBND xã Vùng Cao"}
	a.outbox.Directory = exchange.AgencyList{a.office.Agency, b.office.Agency, village}
	doc := a.unsigned(t, 1)
	made, err := a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: doc.ID, To: []exchange.AgencyCode{"H15.02", "H15.99"}, Key: "s"})
	must(t, err)
	// Made in one millisecond, the two stand in any order.
	slices.SortFunc(made, func(x, y exchange.Delivery) int { return cmp.Compare(x.To, y.To) })
	if len(made) != 2 || made[1].State != exchange.DeliveryManual {
		t.Fatalf("deliveries %+v", made)
	}
	settle(t, a, b)
	must(t, a.outbox.Drain(t.Context(), exchange.Lane{From: "H15.01", To: "H15.99"}))
	hand := made[1].ID
	if d := a.delivery(t, hand); d.State != exchange.DeliveryManual || d.Attempts != 0 {
		t.Fatalf("a lane tried it: %+v", d)
	}
	for kind, starts := range map[exchange.ExportKind]string{exchange.ExportEdXML: "<?xml", exchange.ExportPDF: "%PDF", exchange.ExportSlip: "%PDF"} {
		x, err := a.outbox.OpenExport(t.Context(), a.clerk, hand, kind)
		must(t, err)
		body, err := io.ReadAll(x.Body)
		must(t, err)
		must(t, x.Body.Close())
		if !bytes.HasPrefix(body, []byte(starts)) || x.Name == "" || int64(len(body)) != x.Body.Size() {
			t.Errorf("%s: %q of %d bytes, begins %.10q", kind, x.Name, len(body), body)
		}
	}
	_, err = a.outbox.OpenExport(t.Context(), a.clerk, made[0].ID, exchange.ExportPDF)
	wantCode(t, err, text.StateConflict)
	_, err = a.outbox.OpenExport(t.Context(), b.clerk, hand, exchange.ExportPDF)
	wantCode(t, err, text.NotFound)
	_, err = a.outbox.OpenExport(t.Context(), a.clerk, hand, "zip")
	wantCode(t, err, text.InvalidInput)
	_, err = a.outbox.Recall(t.Context(), a.clerk, exchange.RecallRequest{Document: doc.ID, To: []exchange.AgencyCode{"H15.99"}, Reason: "x"})
	wantCode(t, err, text.NoChannel)

	at := a.Now().Add(-time.Hour)
	_, err = a.outbox.MarkDelivered(t.Context(), a.clerk, hand, "Trao tay", a.Now().Add(time.Hour), "k0")
	wantCode(t, err, text.InvalidInput)
	_, err = a.outbox.MarkDelivered(t.Context(), a.clerk, made[0].ID, "Trao tay", at, "k1")
	wantCode(t, err, text.StateConflict)
	d, err := a.outbox.MarkDelivered(t.Context(), a.clerk, hand, "Trao tay cho ông Bình", at, "k")
	must(t, err)
	if d.State != exchange.DeliveryByHand || !d.State.Final() || d.Handed.How != "Trao tay cho ông Bình" {
		t.Errorf("after handing over: %+v", d)
	}
	_, err = a.outbox.MarkDelivered(t.Context(), a.clerk, hand, "Trao tay cho ông Bình", at, "k")
	must(t, err)
	_, err = a.outbox.MarkDelivered(t.Context(), a.clerk, hand, "Lần hai", at, "k")
	wantCode(t, err, text.IdempotencyKeyReused)
	_, err = a.outbox.MarkDelivered(t.Context(), a.clerk, hand, "Lần hai", at, "")
	wantCode(t, err, text.StateConflict)
	a.kinds(t, doc.ID)
}

func TestADraftIsEditedOnlyInItsNewestVersion(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d, err := a.outbox.Create(t.Context(), a.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "VP",
		Subject: "Về việc cũ", Body: "Một.", Signatory: "leader"})
	must(t, err)
	subject := "Về việc mới"
	made, err := a.outbox.Edit(t.Context(), a.clerk, d.ID, d.Version, exchange.EditDocument{Subject: &subject})
	must(t, err)
	source, err := a.outbox.Source(t.Context(), a.clerk, d.ID)
	must(t, err)
	if made.Subject != subject || made.Issuance.Draft == d.Issuance.Draft || source.Body != "Một." || made.Version == d.Version {
		t.Errorf("edited: %q, draft changed: %v, body %q", made.Subject, made.Issuance.Draft != d.Issuance.Draft, source.Body)
	}
	_, err = a.outbox.Edit(t.Context(), a.clerk, d.ID, d.Version, exchange.EditDocument{Subject: &subject})
	wantCode(t, err, text.PreconditionFailed)
	bad := "Sai\u202ehướng"
	_, err = a.outbox.Edit(t.Context(), a.clerk, d.ID, made.Version, exchange.EditDocument{Subject: &bad})
	wantCode(t, err, text.InvalidInput)
	_, err = a.outbox.Edit(t.Context(), b.clerk, d.ID, made.Version, exchange.EditDocument{})
	wantCode(t, err, text.NotFound)
	sent := a.unsigned(t, 5)
	_, err = a.outbox.Edit(t.Context(), a.clerk, sent.ID, sent.Version, exchange.EditDocument{Subject: &subject})
	wantCode(t, err, text.StateConflict)
	a.kinds(t, d.ID)
}

func TestTypedTextIsKeptComposedAndVisible(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	make := func(subject string) (exchange.Document, error) {
		return a.outbox.Create(t.Context(), a.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Name: "Công văn"}, Notation: "VP",
			Subject: subject, PDF: bytes.NewReader(plainPDF(t, "x")), FileName: "x.pdf"})
	}
	d, err := make("  Vê\u0300 viê\u0323c nga\u0300y  ")
	must(t, err)
	if d.Subject != "Về việc ngày" {
		t.Errorf("kept as %+q", d.Subject)
	}
	for _, bad := range []string{"a\u202eb", "a\u2066b", "a\u200eb", "a\u200bb", "a\ufeffb", "a\x00b", "a\x1bb", "\xff", " \u00a0"} {
		_, err := make(bad)
		wantCode(t, err, text.InvalidInput)
	}
	key := exchange.Actor{ID: "ak_1", Name: " ", Role: exchange.RoleIntegrator, Agency: "H15.01"}
	_, err = a.outbox.Send(t.Context(), key, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}})
	wantCode(t, err, text.InvalidInput) // a key that names nobody
}

func TestListsAreFoundWithoutDiacritics(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d, item := arrived(t, a, b, 7)
	a.unsigned(t, 8)
	for search, want := range map[string]int{"VE VIEC": 2, "co quan h15.02": 1, "07/VP": 1, "Về việc số 8": 1, "không có": 0, "co qu": 1, "--": 0} {
		got, err := a.outbox.List(t.Context(), a.clerk, exchange.DocumentFilter{Text: search})
		must(t, err)
		if len(got) != want {
			t.Errorf("%q finds %d documents, want %d", search, len(got), want)
		}
	}
	got, err := a.outbox.List(t.Context(), a.clerk, exchange.DocumentFilter{Stage: exchange.StageIssued, Text: "so 7"})
	must(t, err)
	if len(got) != 1 || got[0].ID != d.ID {
		t.Errorf("by stage and text: %d", len(got))
	}
	in, err := b.inbox.List(t.Context(), b.clerk, exchange.InboxFilter{Text: "viec so 7"})
	must(t, err)
	if len(in) != 1 || in[0].ID != item.ID {
		t.Errorf("inbox by text: %d", len(in))
	}
}
