package exchange_test

import (
	"bytes"
	"testing"

	"antin/exchange"
	"antin/internal/text"
)

// arrived sends document n from a to b and returns both sides' view of it.
func arrived(t *testing.T, a, b *site, n int) (exchange.Document, exchange.ItemView) {
	t.Helper()
	d := a.unsigned(t, n)
	a.send(t, d, b)
	settle(t, a, b)
	for _, i := range b.documents(t) {
		if i.Header.DocumentID == d.DocumentID {
			return d, i
		}
	}
	t.Fatalf("%s did not arrive", d.DocumentID)
	return d, exchange.ItemView{}
}

func (s *site) recallOf(t *testing.T, id exchange.ID) exchange.RecallAnswer {
	t.Helper()
	v, err := s.outbox.Document(t.Context(), s.clerk, id)
	must(t, err)
	return v.Deliveries[len(v.Deliveries)-1].Business.RecallAnswer()
}

func TestARecallThatIsAgreedTakesTheDocumentOutOfReach(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d, item := arrived(t, a, b, 1)
	ask := exchange.RecallRequest{Document: d.ID, Reason: "Sai nội dung", Key: "r"}
	_, err := a.outbox.Recall(t.Context(), a.clerk, ask)
	must(t, err)
	_, err = a.outbox.Recall(t.Context(), a.clerk, ask)
	must(t, err) // the same key: one effect
	ask.Key = "another"
	_, err = a.outbox.Recall(t.Context(), a.clerk, ask)
	wantCode(t, err, text.StateConflict)
	if got := a.recallOf(t, d.ID); got != exchange.RecallUnanswered {
		t.Errorf("before the answer the sender sees %q", got)
	}
	settle(t, a, b)
	asked, err := b.inbox.Item(t.Context(), b.clerk, item.ID)
	must(t, err)
	if !asked.Recall.Open() || asked.Recall.Reason != "Sai nội dung" || asked.Business.Recall != exchange.StatusRecallRequested {
		t.Fatalf("the receiver sees %+v", asked.Recall)
	}
	_, err = b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: item.ID})
	wantCode(t, err, text.StateConflict)
	answer := exchange.Decision{Item: item.ID, Key: "x"}
	v, err := b.inbox.AnswerRecall(t.Context(), b.clerk, answer, true)
	must(t, err)
	if v.State != exchange.InboxRecalled || !v.Recall.Agreed {
		t.Errorf("after agreement: %s, %+v", v.State, v.Recall)
	}
	_, err = b.inbox.AnswerRecall(t.Context(), b.clerk, answer, true)
	must(t, err)
	_, err = b.inbox.AnswerRecall(t.Context(), b.clerk, exchange.Decision{Item: item.ID, Reason: "không"}, false)
	wantCode(t, err, text.StateConflict)
	_, err = b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: item.ID})
	wantCode(t, err, text.StateConflict)
	settle(t, a, b)
	if got := a.recallOf(t, d.ID); got != exchange.RecallAgreed {
		t.Errorf("the sender sees %q", got)
	}
	a.kinds(t, d.ID)
	b.kinds(t, item.ID)
	a.checkEvidence(t)
	b.checkEvidence(t)
}

func TestARecallThatIsRefusedLeavesTheDocumentAndMayBeAskedAgain(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d, item := arrived(t, a, b, 1)
	_, err := b.inbox.AnswerRecall(t.Context(), b.clerk, exchange.Decision{Item: item.ID}, true)
	wantCode(t, err, text.StateConflict) // nobody asked
	_, err = a.outbox.Recall(t.Context(), a.clerk, exchange.RecallRequest{Document: d.ID, Reason: "Nhầm"})
	must(t, err)
	settle(t, a, b)
	_, err = b.inbox.AnswerRecall(t.Context(), b.clerk, exchange.Decision{Item: item.ID}, false)
	wantCode(t, err, text.InvalidInput) // a refusal says why
	v, err := b.inbox.AnswerRecall(t.Context(), b.clerk, exchange.Decision{Item: item.ID, Reason: "Đã xử lý"}, false)
	must(t, err)
	if v.State != exchange.InboxWaiting {
		t.Errorf("a refused recall left the item %s", v.State)
	}
	settle(t, a, b)
	if got := a.recallOf(t, d.ID); got != exchange.RecallRefused {
		t.Errorf("the sender sees %q", got)
	}
	a.advance(2e9)
	_, err = a.outbox.Recall(t.Context(), a.clerk, exchange.RecallRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}, Reason: "Xin hỏi lại"})
	must(t, err)
	settle(t, a, b)
	again, err := b.inbox.Item(t.Context(), b.clerk, item.ID)
	must(t, err)
	if !again.Recall.Open() || again.Recall.Reason != "Xin hỏi lại" {
		t.Errorf("the second request: %+v", again.Recall)
	}
}

func TestRecallWithoutAReceiverToAskIsRefused(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.unsigned(t, 1)
	_, err := a.outbox.Recall(t.Context(), a.clerk, exchange.RecallRequest{Document: d.ID, Reason: "x"})
	wantCode(t, err, text.StateConflict)
	_, err = a.outbox.Recall(t.Context(), a.clerk, exchange.RecallRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}, Reason: "x"})
	wantCode(t, err, text.StateConflict)
	_, err = a.outbox.Recall(t.Context(), a.clerk, exchange.RecallRequest{Document: d.ID})
	wantCode(t, err, text.InvalidInput)
	_, err = a.outbox.Recall(t.Context(), a.leader, exchange.RecallRequest{Document: d.ID, Reason: "x"})
	wantCode(t, err, text.NotAllowed)
	_, err = b.outbox.Recall(t.Context(), b.clerk, exchange.RecallRequest{Document: d.ID, Reason: "x"})
	wantCode(t, err, text.NotFound)
}

func TestAReplacementLinksBothDocumentsOnBothSides(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	old, item := arrived(t, a, b, 1)
	req := exchange.ReplaceRequest{Document: old.ID, Reason: "Sửa số liệu", Key: "rep", New: exchange.NewDocument{
		Kind: old.Kind, Notation: "VP", Subject: "Bản thay thế", PDF: bytes.NewReader(plainPDF(t, "thay")), FileName: "thay.pdf",
		Final: &exchange.Number{Seq: 2, Date: a.Now()}, Confirmed: true}}
	next, err := a.outbox.Replace(t.Context(), a.clerk, req)
	must(t, err)
	req.New.PDF = bytes.NewReader(plainPDF(t, "thay"))
	again, err := a.outbox.Replace(t.Context(), a.clerk, req)
	must(t, err)
	if again.ID != next.ID {
		t.Errorf("the same key made %s and %s", next.ID, again.ID)
	}
	req.Key, req.New.Final, req.New.PDF = "", &exchange.Number{Seq: 3, Date: a.Now()}, bytes.NewReader(plainPDF(t, "ba"))
	_, err = a.outbox.Replace(t.Context(), a.clerk, req)
	wantCode(t, err, text.StateConflict)
	v, err := a.outbox.Document(t.Context(), a.clerk, old.ID)
	must(t, err)
	if v.ReplacedBy != next.ID || next.Replaces != old.ID {
		t.Errorf("chain %s -> %s", v.ReplacedBy, next.Replaces)
	}
	a.send(t, next, b)
	settle(t, a, b)
	before, err := b.inbox.Item(t.Context(), b.clerk, item.ID)
	must(t, err)
	after, err := b.inbox.Item(t.Context(), b.clerk, before.ReplacedBy)
	must(t, err)
	if len(after.Replaces) != 1 || after.Replaces[0] != item.ID || after.Header.ReplaceReason != "Sửa số liệu" || after.Header.Business != 3 {
		t.Errorf("the receiver links %+v, header %+v", after.Replaces, after.Header)
	}
	a.kinds(t, old.ID)
	b.kinds(t, item.ID)
}
