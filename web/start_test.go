package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/web"
)

// story tells the demo's acts over a pair of sites.
type story struct {
	t        *testing.T
	a, b     *site
	prepared int
	file     []byte
}

func (s *story) Prepare(context.Context) (exchange.ID, error) {
	s.prepared++
	return s.a.document(s.t, "Văn bản mẫu").ID, nil
}

func (s *story) PrepareFile(_ context.Context, _ string, pdf io.Reader) (exchange.ID, error) {
	var err error
	s.file, err = io.ReadAll(pdf)
	return "", err
}

func (s *story) Send(ctx context.Context, id exchange.ID) error {
	_, err := s.a.desk.Outbox.Send(ctx, s.a.clerk, exchange.SendRequest{Document: id, To: []exchange.AgencyCode{s.b.office.Agency.Code}})
	return err
}

func (s *story) Tamper(ctx context.Context, id exchange.ID) (exchange.ID, error) {
	d := s.a.imported(s.t, "Văn bản mẫu", altered(s.t, s.a.final(s.t, id)), 99)
	return d.ID, s.Send(ctx, d.ID)
}

func TestStartPageTellsTheStory(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	s := &story{t: t, a: a, b: b}
	h := web.Start{Story: s, A: &a.desk, B: &b.desk, Public: "http://127.0.0.1:9/", Now: time.Now, Sandbox: true,
		Commands: []web.Command{{Title: text.Message{VI: "Gửi tệp", EN: "Send a file"}, Command: `curl -H "X: <1>" http://127.0.0.1/a/v1/files`}}}.Handler()
	wantAll(t, page(t, get(t, h, "/"), http.StatusOK), "Ký văn bản mẫu", "Chưa có văn bản nào.", "curl", "&lt;1&gt;", "DỮ LIỆU THỬ", `href="/a/documents"`)

	for range 2 { // the second press of the same form is the same act
		w := upload(t, h, "/start/prepare", "", nil, map[string]string{"key": "k"})
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	}
	if s.prepared != 1 {
		t.Errorf("the sample was made %d times", s.prepared)
	}
	docs, err := a.desk.Outbox.List(t.Context(), a.clerk, exchange.Page{})
	must(t, err)
	id := string(docs[0].ID)
	wantAll(t, page(t, get(t, h, "/"), http.StatusOK), "01/UBND-VP", "/a/documents/"+id+"/pages/1.png", "Ký một văn bản mẫu khác", "Đóng dấu cơ quan")

	post(t, h, "/start/send", url.Values{"key": {"k2"}, "document": {id}})
	settle(t, a, b)
	wantAll(t, page(t, get(t, h, "/"), http.StatusOK), "Đã tới", "Mở văn bản ở B", "/b/inbox/vd_", "A được báo:", "01 Đã đến")

	post(t, h, "/start/tamper", url.Values{"key": {"k3"}, "document": {id}})
	settle(t, a, b)
	wantAll(t, page(t, get(t, h, "/?lang=en"), http.StatusOK), "NOT VALID", "altered after signature", "Open the altered copy at B",
		`before: </span>01</del>`, `after: </span>00</ins>`)

	w := upload(t, h, "/start/prepare", "của tôi.pdf", bytes.NewReader([]byte("%PDF-1.7")), map[string]string{"key": "k4", "own": "1"})
	if w.Code != http.StatusSeeOther || string(s.file) != "%PDF-1.7" {
		t.Errorf("%d, file %q", w.Code, s.file)
	}
	wantAll(t, page(t, upload(t, h, "/start/prepare", "", nil, map[string]string{"key": "k5", "own": "1"}), http.StatusUnprocessableEntity), "Chưa chọn tệp PDF")
	wantAll(t, page(t, upload(t, h, "/start/prepare", "to.pdf", io.LimitReader(zeros{}, 31<<20), map[string]string{"key": "k6"}), http.StatusRequestEntityTooLarge), "tối đa 30 MB")
	wantAll(t, page(t, post(t, h, "/start/send", url.Values{"key": {"k7"}, "document": {"vb_none"}}), http.StatusNotFound), "Không tìm thấy.")
	w = post(t, h, "/start/send", url.Values{"key": {strings.Repeat("k", 100<<10)}})
	wantAll(t, page(t, w, http.StatusUnprocessableEntity), "Dữ liệu nhập chưa đúng.")
}
