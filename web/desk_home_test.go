package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/web"
)

func TestEachRoleBeginsWhereItsWorkIs(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for role, want := range map[exchange.Role]string{exchange.RoleClerk: "/a/inbox", exchange.RoleLeader: "/a/sign", exchange.RoleOfficer: "/a/results", exchange.RoleOperator: "/a/home"} {
		if w := get(t, a.as(t, role), "/a/"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("%s begins at %q (%d)", role, w.Header().Get("Location"), w.Code)
		}
	}
}

func TestNavigationOffersOnlyWhatARoleMayOpen(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for _, role := range exchange.AccountRoles() {
		h := a.as(t, role)
		first := get(t, h, "/a/").Header().Get("Location")
		body := page(t, get(t, h, first), http.StatusOK)
		nav := body[strings.Index(body, `id="nav"`):strings.Index(body, `</nav>`)]
		links := hrefs.FindAllStringSubmatch(nav, -1)
		if len(links) < 2 {
			t.Errorf("%s: %d links", role, len(links))
		}
		for _, m := range links {
			w := get(t, h, m[1])
			if to := w.Header().Get("Location"); w.Code == http.StatusSeeOther && strings.HasPrefix(to, m[1]+"/") {
				w = get(t, h, to)
			}
			if w.Code != http.StatusOK {
				t.Errorf("%s: %s answers %d", role, m[1], w.Code)
			}
		}
	}
}

func TestOperatorSeesWhatIsToBeDoneInOrderOfHarm(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	wantAll(t, page(t, get(t, a.as(t, exchange.RoleOperator), "/a/home"), http.StatusOK), "Không có việc gì cần làm")
	a.desk.Probes = func(context.Context) []web.Probe {
		say := func(s string) text.Message { return text.Message{VI: s, EN: "en " + s} }
		return []web.Probe{
			{Name: say("Đồng hồ"), OK: true, Detail: say("lệch 0,1 giây")},
			{Name: say("Đĩa"), Harm: 1, Detail: say("còn 40 ngày"), Fix: say("Thêm đĩa")},
			{Name: say("Dấu thời gian"), Harm: 3, Detail: say("không trả lời"), Fix: say("Hỏi nơi cung cấp")},
		}
	}
	a.session(t, exchange.RoleLeader) // an account without a certificate
	body := page(t, get(t, a.as(t, exchange.RoleOperator), "/a/home"), http.StatusOK)
	wantAll(t, body, "không trả lời", "Hỏi nơi cung cấp", "chưa gắn chứng thư", "1 mục đã kiểm tra", "lệch 0,1 giây", "/a/accounts/")
	at := []int{strings.Index(body, "Dấu thời gian"), strings.Index(body, "chưa gắn chứng thư"), strings.Index(body, "còn 40 ngày")}
	if !slices.IsSorted(at) {
		t.Error("the most harmful does not stand first")
	}
}

func TestOperatorFindsADocumentAndNeverReadsIt(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.document(t, "Bí mật đời tư")
	item := a.sendTo(t, d, b)
	for _, c := range []struct {
		*site
		at, query, id string
	}{{a, "/a", "01/UBND-VP", string(d.ID)}, {b, "/b", "01/UBND-VP", string(item.ID)}} {
		h := c.as(t, exchange.RoleOperator)
		found := page(t, get(t, h, c.at+"/search?q="+url.QueryEscape(c.query)), http.StatusOK)
		wantAll(t, found, "01/UBND-VP", c.at+"/search/"+c.id)
		trace := page(t, get(t, h, c.at+"/search/"+c.id), http.StatusOK)
		wantAll(t, trace, "Diễn biến")
		for _, body := range []string{found, trace} {
			if strings.Contains(body, "Bí mật") {
				t.Error("the operator reads what a document is about")
			}
		}
		if w := get(t, h, c.at+"/search?q="+c.id); w.Code != http.StatusSeeOther || w.Header().Get("Location") != c.at+"/search/"+c.id {
			t.Errorf("an id leads to %q", w.Header().Get("Location"))
		}
	}
	h := a.as(t, exchange.RoleOperator)
	for _, path := range []string{"/a/documents/" + string(d.ID), "/a/documents/" + string(d.ID) + "/file", "/a/inbox", "/a/verifications"} {
		wantAll(t, page(t, get(t, h, path), http.StatusForbidden), "không thuộc nhiệm vụ")
	}
	wantAll(t, page(t, get(t, h, "/a/search/vb_none"), http.StatusNotFound), "Không tìm thấy")
	wantAll(t, page(t, get(t, h, "/a/search?q=khongco"), http.StatusOK), "Không tìm thấy gì cho")
}

func TestAStuckDeliveryIsTriedAgainByTheOperator(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.document(t, "Gửi đi")
	a.desk.Outbox.Transport = nil // the line is cut: nothing leaves
	ds, err := a.desk.Outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{b.office.Agency.Code}})
	must(t, err)
	h := a.as(t, exchange.RoleOperator)
	w := post(t, h, "/a/search/"+string(d.ID)+"/resume", url.Values{"delivery": {string(ds[0].ID)}})
	if w.Code != http.StatusSeeOther && w.Code != http.StatusConflict {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantAll(t, page(t, post(t, h, "/a/search/"+string(d.ID)+"/resume", url.Values{"delivery": {"dl_none"}}), http.StatusNotFound), "Không tìm thấy")
}

func TestOperatorFindsWhatAnIDReadOutOnTheTelephoneStandsFor(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.document(t, "Bí mật đời tư")
	item := a.sendTo(t, d, b)
	transfer := string(item.TransferID)
	for _, c := range []struct {
		*site
		at, id string
	}{{a, "/a", string(d.ID)}, {b, "/b", string(item.ID)}} {
		for _, query := range []string{transfer, " " + strings.ToUpper(transfer)} {
			w := get(t, c.as(t, exchange.RoleOperator), c.at+"/search?lang=en&q="+url.QueryEscape(query))
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != c.at+"/search/"+c.id+"?lang=en" {
				t.Errorf("the transfer's id leads to %d %q", w.Code, w.Header().Get("Location"))
			}
		}
	}
	wantAll(t, page(t, get(t, a.as(t, exchange.RoleOperator), "/a/search/"+string(d.ID)), http.StatusOK), transfer)

	must(t, b.db.Update(t.Context(), func(tx exchange.Tx) error {
		return tx.CreateTransfer(t.Context(), exchange.Transfer{Recipient: b.office.Agency.Code, Sender: a.office.Agency.Code, ID: "refused-1", At: time.Now(), Answer: exchange.ReceiptRejected})
	}))
	must(t, b.desk.Finder.Note(t.Context(), b.office.Agency.Code, "K7XQ2", "page", errors.New("disk <on> fire")))
	h := b.as(t, exchange.RoleOperator)
	wantAll(t, page(t, get(t, h, "/b/search?q=refused-1"), http.StatusOK), a.office.Agency.Name, "Gói tin bị từ chối, không giữ lại gì")
	body := page(t, get(t, h, "/b/search?q=k7xq2"), http.StatusOK)
	wantAll(t, body, "mã k7xq2", "disk <on> fire")
	if strings.Contains(body, "<on>") || strings.Contains(body, "Không tìm thấy gì") {
		t.Error("a failure comes out as markup, or beside the word that nothing was found")
	}
}
