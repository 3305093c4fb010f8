package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"antin/exchange"
)

func TestInboxIsSortedByUrgencyAndSplitIntoTabs(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	pdf := a.final(t, a.document(t, "Văn bản gốc").ID)
	plain := a.sendTo(t, a.imported(t, "Việc thường", pdf, 11), b)
	d, err := a.desk.Outbox.Create(t.Context(), a.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "VP", Priority: 3,
		Subject: "Việc gấp", PDF: bytes.NewReader(pdf), FileName: "gap.pdf", Final: &exchange.Number{Seq: 12, Date: time.Now()}, Confirmed: true})
	must(t, err)
	urgent := a.sendTo(t, d, b)
	h := b.handler(t)

	body := page(t, get(t, h, "/b/inbox"), http.StatusOK)
	wantAll(t, body, "HỎA TỐC", "Chờ xử lý", "Đã tiếp nhận", "Đã trả lại", "Tất cả")
	if strings.Index(body, "Việc gấp") > strings.Index(body, "Việc thường") {
		t.Error("what is most urgent does not stand on top")
	}
	wantAll(t, page(t, get(t, h, "/b/inbox/"+string(urgent.ID)), http.StatusOK), "HỎA TỐC")

	twicePosted(t, h, "/b/inbox/"+string(plain.ID)+"/accept", url.Values{"key": {"1"}}, "/b/inbox/"+string(plain.ID)+"#decision")
	twicePosted(t, h, "/b/inbox/"+string(urgent.ID)+"/refuse", url.Values{"key": {"2"}, "reason": {"not_competent"}}, "/b/inbox/"+string(urgent.ID)+"#decision")
	for tab, want := range map[string][2]string{"open": {"Không có văn bản nào chờ", "Việc"}, "accepted": {"Việc thường", "Việc gấp"},
		"returned": {"Việc gấp", "Việc thường"}, "all": {"Việc gấp", "no"}, "nonsense": {"Không có văn bản nào chờ", "Việc"}} {
		body := page(t, get(t, h, "/b/inbox?tab="+tab), http.StatusOK)
		list := body[strings.Index(body, `id="list"`):]
		wantAll(t, list, want[0])
		if want[1] != "no" && strings.Contains(list, want[1]) {
			t.Errorf("tab %s shows %q", tab, want[1])
		}
	}
	wantAll(t, page(t, get(t, h, "/b/inbox?tab=accepted"), http.StatusOK), "số đến 1")
}

func TestInboxIsSearchedWithoutDiacritics(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	pdf := a.final(t, a.document(t, "Văn bản gốc").ID)
	a.sendTo(t, a.imported(t, "Kế hoạch Đà Nẵng", pdf, 11), b)
	a.sendTo(t, a.imported(t, "Báo cáo quý", pdf, 12), b)
	h := b.handler(t)
	for query, want := range map[string]string{"ke hoach da nang": "Kế hoạch Đà Nẵng", "Báo cáo": "Báo cáo quý", "12/VP": "Báo cáo quý"} {
		for _, tab := range []string{"open", "all"} {
			body := page(t, get(t, h, "/b/inbox?"+url.Values{"q": {query}, "tab": {tab}}.Encode()), http.StatusOK)
			wantAll(t, body, want, fmt.Sprintf("value=%q", query), "Bỏ tìm")
			if n := strings.Count(body, `class="row"`); n != 1 {
				t.Errorf("%q under %s finds %d", query, tab, n)
			}
		}
	}
	wantAll(t, page(t, get(t, h, "/b/inbox?"+url.Values{"q": {`<b>"không có"`}}.Encode()), http.StatusOK), "Không tìm thấy gì cho", "&lt;b&gt;")
}

func TestLaterStatusesAreReported(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.document(t, "Về việc phối hợp")
	item := a.sendTo(t, d, b)
	h, path := b.handler(t), "/b/inbox/"+string(item.ID)
	wantAll(t, page(t, post(t, h, path+"/handle", url.Values{"key": {"0"}, "code": {"05"}}), http.StatusConflict), "Tải lại trang")
	post(t, h, path+"/accept", url.Values{"key": {"1"}})
	wantAll(t, page(t, get(t, h, path), http.StatusOK), "Phân công xử lý (04)", "Đang xử lý (05)", "Hoàn thành (06)")
	for _, code := range []string{"04", "05", "06"} {
		twicePosted(t, h, path+"/handle", url.Values{"key": {"h" + code}, "code": {code}, "assignee": {"Phòng Nội vụ"}}, path+"#decision")
		settle(t, a, b)
		wantAll(t, page(t, get(t, a.handler(t), "/a/documents/"+string(d.ID)), http.StatusOK), code+" ")
	}
	body := page(t, get(t, h, path), http.StatusOK)
	wantAll(t, body, "Phòng Nội vụ", "06 Hoàn thành")
	if strings.Contains(body, "Tình hình xử lý") {
		t.Error("what is handled still asks how far it is")
	}
	wantAll(t, page(t, post(t, h, path+"/handle", url.Values{"key": {"x"}, "code": {"13"}}), http.StatusUnprocessableEntity), "Trạng thái: chưa đúng.")
}

func TestRecallRequestIsAnswered(t *testing.T) {
	t.Parallel()
	for _, agree := range []bool{true, false} {
		a, b := newPair(t)
		d := a.document(t, "Gửi nhầm")
		item := a.sendTo(t, d, b)
		_, err := a.desk.Outbox.Recall(t.Context(), a.clerk, exchange.RecallRequest{Document: d.ID, Reason: "Gửi nhầm nơi"})
		must(t, err)
		settle(t, a, b)
		h, path := b.handler(t), "/b/inbox/"+string(item.ID)
		wantAll(t, page(t, get(t, h, path), http.StatusOK), "đề nghị lấy lại văn bản này", "Gửi nhầm nơi", "Đồng ý cho lấy lại (15)", "Không đồng ý (16)")
		if body := page(t, get(t, b.as(t, exchange.RoleLeader), path), http.StatusOK); strings.Contains(body, "(15)") || strings.Contains(body, "Tiếp nhận và lấy số") {
			t.Error("a leader is offered the acts of the văn thư")
		}
		wantAll(t, page(t, post(t, h, path+"/recall", url.Values{"key": {"a"}}), http.StatusUnprocessableEntity), "Chưa chọn")
		wantAll(t, page(t, post(t, h, path+"/recall", url.Values{"key": {"b"}, "agree": {"no"}}), http.StatusUnprocessableEntity), "phải ghi lý do")
		answer, said := url.Values{"key": {"c"}, "agree": {"yes"}}, "15 "
		if !agree {
			answer, said = url.Values{"key": {"c"}, "agree": {"no"}, "reason": {"Đã phân công"}}, "16 "
		}
		twicePosted(t, h, path+"/recall", answer, path+"#decision")
		settle(t, a, b)
		body := page(t, get(t, h, path), http.StatusOK)
		wantAll(t, body, "Trả lời đề nghị lấy lại: "+said)
		if strings.Contains(body, "Tiếp nhận và lấy số đến") == agree {
			t.Errorf("agreed %v, and acceptance offered %v", agree, !agree)
		}
		wantAll(t, page(t, get(t, a.handler(t), "/a/documents/"+string(d.ID)), http.StatusOK), said)
	}
}

func TestReplacementShowsItsChain(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	old := a.document(t, "Bản đầu")
	oldItem := a.sendTo(t, old, b)
	d, err := a.desk.Outbox.Replace(t.Context(), a.clerk, exchange.ReplaceRequest{Document: old.ID, Reason: "Sai số liệu", New: exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND-VP", Subject: "Bản thay", Signatory: "leader", Body: "Nội dung đúng."}})
	must(t, err)
	_, err = a.desk.Outbox.Sign(t.Context(), a.leader, d.ID)
	must(t, err)
	d, err = a.desk.Outbox.Seal(t.Context(), a.clerk, d.ID)
	must(t, err)
	newItem := a.sendTo(t, d, b)
	h := b.handler(t)
	wantAll(t, page(t, get(t, h, "/b/inbox/"+string(newItem.ID)), http.StatusOK), "Văn bản này thay thế", "01/UBND-VP", "/b/inbox/"+string(oldItem.ID), "Sai số liệu")
	wantAll(t, page(t, get(t, h, "/b/inbox/"+string(oldItem.ID)), http.StatusOK), "đã được thay thế bởi", "02/UBND-VP", "/b/inbox/"+string(newItem.ID))
}

func TestAFileIsCheckedInsideTheDeskAndItsReportKept(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	pdf := a.final(t, a.document(t, "Về việc phối hợp").ID)
	h := a.handler(t)
	wantAll(t, page(t, get(t, h, "/a/verifications"), http.StatusOK), "Chọn tệp PDF", "Báo cáo được giữ lại")
	w := upload(t, h, "/a/verifications", `C:\x\<b>của ai.pdf`, bytes.NewReader(altered(t, pdf)), nil)
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/a/verifications/kt_") {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	at := w.Header().Get("Location")
	wantAll(t, page(t, get(t, h, at), http.StatusOK), "KHÔNG HỢP LỆ", "&lt;b&gt;của ai.pdf", "Báo cáo đã lưu", a.clerk.Name)
	report := get(t, h, at+"/report")
	if report.Code != http.StatusOK || !strings.Contains(report.Body.String(), `"verdict":"invalid"`) || !strings.HasPrefix(report.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v %.200s", report.Code, report.Header(), report.Body)
	}
	if w := get(t, b.handler(t), strings.Replace(at, "/a/", "/b/", 1)); w.Code != http.StatusNotFound {
		t.Errorf("another agency reads the report: %d", w.Code)
	}
	wantAll(t, page(t, upload(t, h, "/a/verifications", "", nil, nil), http.StatusUnprocessableEntity), "Chưa chọn tệp PDF")
	wantAll(t, page(t, upload(t, h, "/a/verifications", "a.txt", strings.NewReader("chữ"), nil), http.StatusUnprocessableEntity), "không phải là PDF")
}
