package exchange_test

import (
	"testing"

	"antin/exchange"
	"antin/internal/text"
)

func (s *site) issueResult(t *testing.T, dossier string) exchange.Result {
	t.Helper()
	r, err := s.results.Create(t.Context(), s.officer, newResult(dossier))
	must(t, err)
	return s.sealResult(t, r)
}

func (s *site) sealResult(t *testing.T, r exchange.Result) exchange.Result {
	t.Helper()
	_, err := s.results.Sign(t.Context(), s.leader, r.ID)
	must(t, err)
	r, err = s.results.Seal(t.Context(), s.clerk, r.ID)
	must(t, err)
	return r
}

func newResult(dossier string) exchange.NewResult {
	return exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{Dossier: dossier, Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"},
		Notation: "QĐ-UBND", Subject: "Về việc cấp phép", Body: "Điều 1.", Owner: "Nguyễn Văn Dân"}}
}

func (s *site) public(t *testing.T, r exchange.Result) exchange.ResultState {
	t.Helper()
	got, err := s.results.ByToken(t.Context(), r.Token)
	must(t, err)
	return got.State()
}

func TestThePublicPageKnowsReplacedAndWithdrawnResults(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	old := a.issueResult(t, "H15-1")
	if got := a.public(t, old); got != exchange.ResultIssued {
		t.Errorf("issued: %s", got)
	}
	next, err := a.results.Replace(t.Context(), a.officer, old.ID, newResult("H15-1"), "Sai họ tên")
	must(t, err)
	if got := a.public(t, old); got != exchange.ResultIssued {
		t.Errorf("while the replacement is a draft: %s", got)
	}
	_, err = a.results.Replace(t.Context(), a.officer, old.ID, newResult("H15-1"), "Lần hai")
	wantCode(t, err, text.StateConflict)
	_, err = a.results.Revoke(t.Context(), a.clerk, next.ID, "Chưa ban hành", "")
	wantCode(t, err, text.StateConflict)
	next = a.sealResult(t, next)
	if got := a.public(t, old); got != exchange.ResultReplaced {
		t.Errorf("once the replacement is issued: %s", got)
	}
	_, err = a.results.Revoke(t.Context(), a.clerk, next.ID, "", "k")
	wantCode(t, err, text.InvalidInput)
	_, err = a.results.Revoke(t.Context(), a.officer, next.ID, "x", "k")
	wantCode(t, err, text.NotAllowed)
	_, err = a.results.Revoke(t.Context(), b.clerk, next.ID, "x", "k")
	wantCode(t, err, text.NotFound)
	for range 2 {
		r, err := a.results.Revoke(t.Context(), a.clerk, next.ID, "Cấp sai thẩm quyền", "k")
		must(t, err)
		if r.RevokeReason != "Cấp sai thẩm quyền" {
			t.Errorf("reason %q", r.RevokeReason)
		}
	}
	if got := a.public(t, next); got != exchange.ResultWithdrawn {
		t.Errorf("revoked: %s", got)
	}
	list, err := a.results.List(t.Context(), a.clerk, exchange.ResultFilter{Stage: exchange.StageIssued, Text: "cap phep dan"})
	must(t, err)
	if len(list) != 2 {
		t.Errorf("%d results found", len(list))
	}
	a.kinds(t, old.ID)
	a.kinds(t, next.ID)
}
