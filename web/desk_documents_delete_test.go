package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"antin/exchange"
)

func TestADraftIsDeletedAfterASecondLookAndOnce(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	clerk, leader, _ := a.staffed(t)
	at := post(t, clerk, "/a/documents/new", composed("Soạn nhầm", a.signatory(t))).Header().Get("Location")
	body := page(t, get(t, clerk, at), http.StatusOK)
	wantAll(t, body, "Xóa dự thảo", "Không lấy lại được.", "Xóa hẳn dự thảo này")
	version := regexp.MustCompile(`(?s)/delete">.*?name="version" value="(\d+)"`).FindStringSubmatch(body)
	if version == nil {
		t.Fatal("the form does not say which version it deletes")
	}
	old := url.Values{"key": {"old"}, "version": {"99"}}
	wantAll(t, page(t, post(t, clerk, at+"/delete", old), http.StatusPreconditionFailed), "đã được người khác sửa", "Soạn nhầm")
	twicePosted(t, clerk, at+"/delete", url.Values{"key": {"d"}, "version": {version[1]}}, "/a/documents")
	page(t, get(t, clerk, at), http.StatusNotFound)
	events, err := a.desk.Evidence.Timeline(t.Context(), exchange.System(a.office.Agency.Code), idIn(t, at))
	must(t, err)
	deleted := 0
	for _, e := range events {
		if e.Kind == exchange.EventDocumentDeleted {
			deleted++
		}
	}
	if deleted != 1 {
		t.Errorf("the log holds %d deletions", deleted)
	}

	// What is before a signer is no draft any more.
	at = post(t, clerk, "/a/documents/new", composed("Đã trình", a.signatory(t))).Header().Get("Location")
	id := string(idIn(t, at))
	twicePosted(t, clerk, "/a/press/"+id+"/ask", url.Values{"key": {"ask"}}, at)
	if body := page(t, get(t, leader, at), http.StatusOK); regexp.MustCompile(`/delete"`).MatchString(body) {
		t.Error("a document before its signer can be deleted")
	}
	wantAll(t, page(t, post(t, clerk, at+"/delete", url.Values{"key": {"x"}, "version": {"2"}}), http.StatusConflict), "Chỉ xóa được bản dự thảo chưa trình ký.")
}

func TestReplacementPressedTwiceMakesOneDocument(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	clerk := a.as(t, exchange.RoleClerk)
	d := a.document(t, "Văn bản cũ")
	a.sendTo(t, d, b)
	at := "/a/documents/" + string(d.ID)
	form := composed("Văn bản mới", "leader")
	form.Set("reason", "Sửa số liệu")
	first := post(t, clerk, at+"/replace", form).Header().Get("Location")
	if first == "" {
		t.Fatal("no replacement is made")
	}
	twicePosted(t, clerk, at+"/replace", form, first)
	docs, err := a.desk.Outbox.List(t.Context(), a.clerk, exchange.DocumentFilter{})
	must(t, err)
	if len(docs) != 2 {
		t.Errorf("%d documents after one replacement", len(docs))
	}
	// Recall and handing over: the log holds each once.
	twicePosted(t, clerk, at+"/recall", url.Values{"key": {"c"}, "to": {string(b.office.Agency.Code)}, "reason": {"Sai số liệu"}}, at+"#deliveries")
	events, err := a.desk.Evidence.Timeline(t.Context(), exchange.System(a.office.Agency.Code), d.ID)
	must(t, err)
	asked := 0
	for _, e := range events {
		if e.Kind == exchange.EventRecallRequested {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the log holds %d requests to give it back", asked)
	}
}
