package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"antin/exchange"
)

func TestTheDraftOfAResultIsDeletedAfterASecondLookAndOnce(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	_, leader, officer := a.staffed(t)
	at := post(t, officer, "/a/results/new", resultForm(a.signatory(t))).Header().Get("Location")
	body := page(t, get(t, officer, at), http.StatusOK)
	wantAll(t, body, "Xóa dự thảo", "Không lấy lại được.", "Xóa hẳn dự thảo này")
	if page(t, get(t, leader, at), http.StatusOK); regexp.MustCompile(`/delete"`).MatchString(get(t, leader, at).Body.String()) {
		t.Error("who makes no results is offered to delete one")
	}
	version := regexp.MustCompile(`(?s)/delete">.*?name="version" value="(\d+)"`).FindStringSubmatch(body)
	if version == nil {
		t.Fatal("the form does not say which version it deletes")
	}
	wantAll(t, page(t, post(t, officer, at+"/delete", url.Values{"key": {"old"}, "version": {"99"}}), http.StatusPreconditionFailed), "đã được người khác sửa")
	twicePosted(t, officer, at+"/delete", url.Values{"key": {"d"}, "version": {version[1]}}, "/a/results")
	page(t, get(t, officer, at), http.StatusNotFound)
	events, err := a.desk.Evidence.Timeline(t.Context(), exchange.System(a.office.Agency.Code), idIn(t, at))
	must(t, err)
	deleted := 0
	for _, e := range events {
		if e.Kind == exchange.EventResultDeleted {
			deleted++
		}
	}
	if deleted != 1 {
		t.Errorf("the log holds %d deletions", deleted)
	}

	// What is before a signer is no draft any more.
	again := resultForm(a.signatory(t))
	again.Set("key", "again")
	at = post(t, officer, "/a/results/new", again).Header().Get("Location")
	twicePosted(t, officer, "/a/press/"+string(idIn(t, at))+"/ask", url.Values{"key": {"ask"}}, at)
	if body := page(t, get(t, officer, at), http.StatusOK); regexp.MustCompile(`/delete"`).MatchString(body) {
		t.Error("a result before its signer can be deleted")
	}
	wantAll(t, page(t, post(t, officer, at+"/delete", url.Values{"key": {"x"}, "version": {"2"}}), http.StatusConflict), "Chỉ xóa được bản dự thảo chưa trình ký.")
}

func TestADeletedReplacementLeavesTheResultToBeReplacedByAnother(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	x, err := a.desk.Results.Create(t.Context(), a.clerk, exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{Dossier: "H98.21-1",
		Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QD", Subject: "Bản sao", Body: "Điều 1."}})
	must(t, err)
	_, err = a.desk.Results.Sign(t.Context(), a.leader, x.ID)
	must(t, err)
	_, err = a.desk.Results.Seal(t.Context(), a.clerk, x.ID)
	must(t, err)
	_, _, officer := a.staffed(t)
	replace := "/a/results/" + string(x.ID) + "/replace"
	for _, key := range []string{"one", "two"} {
		form := resultForm(a.signatory(t))
		form.Set("reason", "Sai tên")
		form.Set("key", key)
		at := post(t, officer, replace, form).Header().Get("Location")
		if at == "" {
			t.Fatalf("%s: no replacement is made", key)
		}
		twicePosted(t, officer, at+"/delete", url.Values{"key": {"d" + key}, "version": {"1"}}, "/a/results")
	}
	got, err := a.desk.Results.Result(t.Context(), a.clerk, x.ID)
	must(t, err)
	if got.ReplacedBy != "" || got.State() != exchange.ResultIssued {
		t.Errorf("it is %s, replaced by %q", got.State(), got.ReplacedBy)
	}
}
