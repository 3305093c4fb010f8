package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"antin/exchange"
)

// hostile is a subject that must come out as text alone.
const hostile = `Về việc <script>alert("x")</script> & 'cộng'`

func TestEmptyDeskRendersEveryList(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.handler(t)
	for path, want := range map[string]string{
		"/a/documents": "Chưa có văn bản đi nào", "/a/inbox": "Không có văn bản nào chờ", "/a/results": "Chưa có kết quả nào",
		"/a/documents?lang=en": "There are no outgoing documents yet", "/a/inbox?lang=en": "Nothing waits", "/a/results?lang=en": "There are no results yet",
	} {
		body := page(t, get(t, h, path), http.StatusOK)
		wantAll(t, body, want)
		lang := "vi"
		if strings.HasSuffix(path, "en") {
			lang = "en"
			wantAll(t, body, "TEST DATA", "/a/inbox?lang=en")
		}
		wantAll(t, body, `<html lang="`+lang+`">`)
	}
	for _, path := range []string{"/a/documents/vb_none", "/a/inbox/vd_none", "/a/results/kq_none", "/a/nothing", "/a/inbox/vd_none/files/0/pages/1.png"} {
		wantAll(t, page(t, get(t, h, path), http.StatusNotFound), "Không tìm thấy")
	}
	if w := get(t, h, "/a/"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/a/inbox" {
		t.Errorf("the desk begins at %q (%d)", w.Header().Get("Location"), w.Code)
	}
}

func TestDocumentGoesFromDeskToDesk(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	ha, hb := a.handler(t), b.handler(t)
	d := a.document(t, hostile)

	body := page(t, get(t, ha, "/a/documents/"+string(d.ID)), http.StatusOK)
	wantAll(t, body, "HỢP LỆ", "01/UBND-VP", "Gửi văn bản", "(+07:00)", "Lê Thị Văn Thư")
	if strings.Contains(body, "<script>alert") {
		t.Fatal("the subject's markup is live")
	}
	wantAll(t, body, "&lt;script&gt;alert")

	// The send button, pressed twice at once, sends once.
	send := url.Values{"key": {"k1"}, "to": {string(b.office.Agency.Code)}}
	twicePosted(t, ha, "/a/documents/"+string(d.ID)+"/send", send, "/a/documents/"+string(d.ID)+"#deliveries")
	v, err := a.desk.Outbox.Document(t.Context(), a.clerk, d.ID)
	must(t, err)
	if len(v.Deliveries) != 1 {
		t.Fatalf("%d deliveries", len(v.Deliveries))
	}
	settle(t, a, b)
	item := b.arrived(t, v.Deliveries[0].TransferID)

	body = page(t, get(t, hb, "/b/inbox"), http.StatusOK)
	wantAll(t, body, "HỢP LỆ", "Chờ xử lý", a.office.Agency.Name, "&lt;script&gt;")
	itemURL := "/b/inbox/" + string(item.ID)
	body = page(t, get(t, hb, itemURL), http.StatusOK)
	wantAll(t, body, "Ai ký", "Cơ quan nào đóng dấu", "Khi nào", "theo dấu thời gian của", "Không. Nội dung đúng như lúc ký.", "Có. Gửi tới H98.35",
		"Tiếp nhận và lấy số đến", "Nơi gửi sẽ đọc đúng những chữ này")
	if before, _, _ := strings.Cut(body, `<details class="technical">`); strings.Contains(before, "TOTAL-PASSED") {
		t.Error("machine words stand outside the technical details")
	}

	twicePosted(t, hb, itemURL+"/accept", url.Values{"key": {"k2"}, "assignee": {"Phòng <b>Một</b>"}}, itemURL+"#decision")
	settle(t, a, b)
	body = page(t, get(t, hb, itemURL), http.StatusOK)
	wantAll(t, body, "Đã tiếp nhận, số đến 1.", "Phòng &lt;b&gt;Một&lt;/b&gt;", "Về danh sách")
	entries, err := b.desk.Outbox.Register(t.Context(), b.clerk, exchange.BookIncoming, item.ReceivedAt.In(exchange.Vietnam).Year())
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("%d lines in the register of incoming documents", len(entries))
	}
	wantAll(t, page(t, get(t, ha, "/a/documents/"+string(d.ID)), http.StatusOK), "Đã tới", "03 Đã tiếp nhận")
	wantAll(t, page(t, get(t, ha, "/a/documents"), http.StatusOK), "Đã tới", "03 Đã tiếp nhận")

	// Deciding again is refused in words, on the page of the item.
	wantAll(t, page(t, post(t, hb, itemURL+"/refuse", url.Values{"key": {"k9"}, "reason": {"duplicate"}}), http.StatusConflict), "Tải lại trang")
}

func TestAlteredDocumentIsBlockedAndReturned(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	hb := b.handler(t)
	d := a.document(t, "Về việc phối hợp")
	bad := a.imported(t, "Về việc phối hợp", altered(t, a.final(t, d.ID)), 77)
	item := a.sendTo(t, bad, b)
	itemURL := "/b/inbox/" + string(item.ID)

	body := page(t, get(t, hb, itemURL), http.StatusOK)
	wantAll(t, body, "KHÔNG HỢP LỆ", "CÓ. ", "Không tiếp nhận được.", "Chữ ký số không hợp lệ")
	if strings.Contains(body, "Tiếp nhận và lấy số đến") {
		t.Error("an invalid document offers acceptance")
	}
	wantAll(t, page(t, post(t, hb, itemURL+"/accept", url.Values{"key": {"a"}}), http.StatusForbidden), "Không được phép.")
	wantAll(t, page(t, post(t, hb, itemURL+"/refuse", url.Values{"key": {"b"}}), http.StatusUnprocessableEntity), "Chưa chọn lý do trả lại.")
	wantAll(t, page(t, post(t, hb, itemURL+"/refuse", url.Values{"key": {"b"}, "reason": {"other"}, "note": {" "}}), http.StatusUnprocessableEntity), "phải ghi rõ")

	// Without script the preview is a page of its own that keeps what was filled in.
	body = page(t, get(t, hb, itemURL+"?reason=wrong_receiver&note=Gửi+Sở+X"), http.StatusOK)
	wantAll(t, body, "Sai nơi nhận. Gửi Sở X", ">Gửi Sở X</textarea>")

	twicePosted(t, hb, itemURL+"/refuse", url.Values{"key": {"c"}, "reason": {"invalid_signature"}, "note": {"Số tiền bị sửa"}}, itemURL+"#decision")
	settle(t, a, b)
	const said = "Chữ ký số không hợp lệ. Số tiền bị sửa"
	wantAll(t, page(t, get(t, hb, itemURL), http.StatusOK), "Đã trả lại nơi gửi.", said)
	wantAll(t, page(t, get(t, a.handler(t), "/a/documents/"+string(bad.ID)), http.StatusOK), "02 Từ chối tiếp nhận", said)
}

func TestNextWaitingItemIsOffered(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	pdf := a.final(t, a.document(t, "Văn bản gốc").ID)
	first := a.sendTo(t, a.imported(t, "Thứ nhất", pdf, 11), b)
	second := a.sendTo(t, a.imported(t, "Thứ hai", pdf, 12), b)
	hb := b.handler(t)
	body := page(t, get(t, hb, "/b/inbox/"+string(first.ID)), http.StatusOK)
	wantAll(t, body, "Để sau, xem văn bản kế tiếp", "/b/inbox/"+string(second.ID))
	post(t, hb, "/b/inbox/"+string(first.ID)+"/accept", url.Values{"key": {"x"}})
	wantAll(t, page(t, get(t, hb, "/b/inbox/"+string(first.ID)), http.StatusOK), "Nhận tiếp", "/b/inbox/"+string(second.ID))
}

func TestDownloadsAreAttachments(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	pdf := a.final(t, a.document(t, "Văn bản gốc").ID)
	d := a.imported(t, "Gửi đi", pdf, 5)
	item := a.sendTo(t, d, b)
	for path, h := range map[string]http.Handler{
		"/a/documents/" + string(d.ID) + "/file":          a.handler(t),
		"/a/documents/" + string(d.ID) + "/message":       a.handler(t),
		"/b/inbox/" + string(item.ID) + "/message":        b.handler(t),
		"/b/inbox/" + string(item.ID) + "/receipt":        b.handler(t),
		"/b/inbox/" + string(item.ID) + "/files/0":        b.handler(t),
		"/b/inbox/" + string(item.ID) + "/files/0/report": b.handler(t),
	} {
		w := get(t, h, path)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment; filename=") ||
			w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Body.Len() == 0 {
			t.Errorf("%s: %d %v, %d bytes", path, w.Code, w.Header(), w.Body.Len())
		}
	}
	w := get(t, b.handler(t), "/b/inbox/"+string(item.ID)+"/files/0")
	if w.Body.String() != string(pdf) {
		t.Error("the file downloaded is not the one that was sent")
	}
	if got := w.Header().Get("Content-Disposition"); !strings.Contains(got, "filename*=UTF-8''v%C4%83n%20b%E1%BA%A3n.pdf") {
		t.Errorf("the file's name is %s", got)
	}
	for _, n := range []string{"1", "-1", "x"} {
		if w := get(t, b.handler(t), "/b/inbox/"+string(item.ID)+"/files/"+n); w.Code != http.StatusNotFound {
			t.Errorf("file %s: %d", n, w.Code)
		}
	}
}

func TestResultPages(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.handler(t)
	r, err := a.desk.Results.Create(t.Context(), a.clerk, exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{
		Dossier: "H98.21-261123-0001", Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND",
		Subject: hostile, Body: "Điều 1. Cấp bản sao.", Owner: "Lê Thị Hồng Nhung"}})
	must(t, err)
	url := "/a/results/" + string(r.ID)
	wantAll(t, page(t, get(t, h, url), http.StatusOK), "Dự thảo, chưa trình ký")
	_, err = a.desk.Results.Sign(t.Context(), a.leader, r.ID)
	must(t, err)
	wantAll(t, page(t, get(t, h, url), http.StatusOK), "Số và ngày")
	a.sealed(t, h, r.ID, url)
	wantAll(t, page(t, get(t, h, url), http.StatusOK), "HỢP LỆ", "01/QĐ-UBND", "/q/"+r.Token, "&lt;script&gt;")
	wantAll(t, page(t, get(t, h, "/a/results"), http.StatusOK), "H98.21-261123-0001", "01/QĐ-UBND")
}

func TestPageImagesAreShownWithTheirText(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.desk.Renderer = newRenderer(t)
	h := a.handler(t)
	d := a.document(t, "Về việc phối hợp")
	base := "/a/documents/" + string(d.ID)
	w := get(t, h, base+"/pages/1.png?v="+string(d.Issuance.Final.Digest[:16]))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if w := get(t, h, base+"/pages/1.png"); strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Error("an address that does not name the version is kept for good")
	}
	wantAll(t, get(t, h, base+"/pages/1.txt").Body.String(), "phối hợp")
	// The image is in the cache now: the page holds it, and its text for who cannot see it.
	body := page(t, get(t, h, base), http.StatusOK)
	wantAll(t, body, `alt="Hình trang 1 trên 1"`, "Chữ của trang 1", "đề nghị quý cơ quan")
	w = get(t, h, base+"/pages/9.png")
	wantAll(t, w.Body.String(), "Không hiện được trang 9")
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "image/svg+xml") {
		t.Error("the placeholder is no image")
	}
}

var formKeys = regexp.MustCompile(`name="key" value="([^"]+)"`)

func TestEveryFormHasAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	item := a.sendTo(t, a.document(t, "Gửi đi"), b)
	seen := map[string]bool{}
	for range 2 {
		for _, m := range formKeys.FindAllStringSubmatch(get(t, b.handler(t), "/b/inbox/"+string(item.ID)).Body.String(), -1) {
			if len(m[1]) < 20 || seen[m[1]] {
				t.Errorf("key %q", m[1])
			}
			seen[m[1]] = true
		}
	}
	if len(seen) != 6 { // to accept, to refuse and to log out, twice
		t.Errorf("%d keys", len(seen))
	}
}

// twicePosted posts the same form twice at once: both presses lead to the page.
func twicePosted(t *testing.T, h http.Handler, path string, form url.Values, location string) {
	t.Helper()
	answers := make([]*httptest.ResponseRecorder, 2)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = post(t, h, path, form) })
	}
	wg.Wait()
	for _, w := range answers {
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != location {
			t.Errorf("posting %s: %d to %q:\n%s", path, w.Code, w.Header().Get("Location"), w.Body)
		}
	}
}
