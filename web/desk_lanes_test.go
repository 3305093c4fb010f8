package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"antin/exchange"
)

func TestWhoLooksAfterTheExchangeSeesWaysAndActsOnThem(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.document(t, "Về việc phối hợp")
	ds, err := a.desk.Outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{b.office.Agency.Code}})
	must(t, err)
	operator, clerk := a.as(t, exchange.RoleOperator), a.handler(t)
	lane, one := "/a/lanes/H98.35", "/a/deliveries/"+string(ds[0].ID)
	wantAll(t, page(t, get(t, operator, "/a/lanes"), http.StatusOK), b.office.Agency.Name, "H98.35", "Đang gửi", "chưa đến 1 phút", lane)
	wantAll(t, page(t, get(t, operator, lane), http.StatusOK), string(ds[0].TransferID), one, "Dừng đường này")
	body := page(t, get(t, operator, one), http.StatusOK)
	wantAll(t, body, "chưa ký gì về lần gửi này", "Bên này", "Tạm dừng lần gửi này", "Để riêng để xem lại", "/a/search/"+string(d.ID))
	wantNone(t, body, d.Subject)
	wantAll(t, page(t, get(t, clerk, one), http.StatusOK), "/a/documents/"+string(d.ID))

	twicePosted(t, operator, lane+"/hold", url.Values{"key": {"h"}, "reason": {"Đang chuyển trụ sở"}}, lane)
	wantAll(t, page(t, get(t, clerk, "/a/lanes"), http.StatusOK), "Người dừng", "Đang chuyển trụ sở", "Vũ Văn Quản Trị")
	twicePosted(t, clerk, lane+"/release", url.Values{"key": {"r"}}, lane)
	twicePosted(t, clerk, one+"/hold", url.Values{"key": {"dh"}, "reason": {"Chờ đính chính"}}, one)
	wantAll(t, page(t, get(t, operator, lane+"?tab=HELD"), http.StatusOK), string(ds[0].TransferID), "Chờ đính chính")
	twicePosted(t, clerk, one+"/resume", url.Values{"key": {"dr"}}, one)
	settle(t, a, b)
	wantAll(t, page(t, get(t, operator, one), http.StatusOK), "ký nhận: đã giữ đủ và nguyên vẹn", "Bên kia", "01 Đã đến")
	wantAll(t, page(t, post(t, clerk, one+"/hold", url.Values{"key": {"late"}, "reason": {"muộn"}}), http.StatusConflict), "ký nhận")

	// One timeline over both sides, on either side.
	wantAll(t, page(t, get(t, operator, "/a/search/"+string(d.ID)), http.StatusOK), "Bên kia", b.office.Agency.Name+" ký nhận")
	item := b.arrived(t, ds[0].TransferID)
	wantAll(t, page(t, get(t, b.as(t, exchange.RoleOperator), "/b/search/"+string(item.ID)), http.StatusOK), a.office.Agency.Name+" ký và gửi gói tin này")
	wantAll(t, page(t, get(t, operator, "/a/search?q=h98.35"), http.StatusOK), lane)
	if w := get(t, operator, "/a/search?q="+string(ds[0].ID)); w.Code != http.StatusSeeOther || w.Header().Get("Location") != one {
		t.Errorf("the id of a delivery leads to %d %q", w.Code, w.Header().Get("Location"))
	}
	page(t, get(t, operator, "/a/lanes/H99.99"), http.StatusNotFound)
	page(t, get(t, operator, "/a/deliveries/dl_none"), http.StatusNotFound)
	page(t, get(t, a.as(t, exchange.RoleLeader), one), http.StatusForbidden)
}

func TestAReportIsKeptOnPaperAtTheDesk(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.handler(t)
	path, body := a.checked(t, h, a.final(t, a.document(t, "Về việc phối hợp").ID))
	wantAll(t, body, path+"/report.pdf", path+"/report.xml")
	for end, begins := range map[string]string{"/report.pdf": "%PDF-", "/report.xml": "<?xml"} {
		w := get(t, h, path+end)
		if w.Code != http.StatusOK || len(w.Body.String()) < 500 || w.Body.String()[:5] != begins {
			t.Errorf("%s: %d %.40q", end, w.Code, w.Body)
		}
	}
}

// wantNone says which of words a page says that it must not.
func wantNone(t *testing.T, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(body, w) {
			t.Errorf("the page says %q", w)
		}
	}
}
