package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
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
	st := web.Start{Story: s, Enter: enter(t, a, b), A: &a.desk, B: &b.desk, Public: "http://127.0.0.1:9/", Now: time.Now, Sandbox: true,
		Commands: []web.Command{{Title: text.Message{VI: "Gửi tệp", EN: "Send a file"}, Command: `curl -H "X: <1>" http://127.0.0.1/a/v1/files`}}}
	h := entered(t, st)
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
	docs, err := a.desk.Outbox.List(t.Context(), a.clerk, exchange.DocumentFilter{})
	must(t, err)
	id := string(docs[0].ID)
	wantAll(t, page(t, get(t, h, "/"), http.StatusOK), "01/UBND-VP", "/start/pages/"+id+".png", "Ký một văn bản mẫu khác", "Đóng dấu cơ quan")

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

// enter makes tickets as the demo does.
func enter(t *testing.T, sites ...*site) func(context.Context, exchange.AgencyCode, exchange.Role) (string, error) {
	return func(ctx context.Context, agency exchange.AgencyCode, role exchange.Role) (string, error) {
		for _, s := range sites {
			if s.office.Agency.Code != agency {
				continue
			}
			s.session(t, role) // makes the account
			acc, err := s.desk.Access.AccountByLogin(ctx, agency, string(role))
			if err != nil {
				return "", err
			}
			ticket, err := s.desk.Access.Ticket(ctx, acc.Actor())
			return s.desk.Prefix + "/enter?ticket=" + ticket, err
		}
		return "", text.Errorf(text.NotFound, nil)
	}
}

// entered is the start page as seen by who came by a ticket.
func entered(t *testing.T, st web.Start) http.Handler {
	t.Helper()
	h := st.Handler()
	address, err := st.Enter(t.Context(), st.A.Office.Agency.Code, exchange.RoleClerk)
	must(t, err)
	w := get(t, h, strings.TrimPrefix(address, st.A.Prefix))
	if w.Code != http.StatusSeeOther {
		t.Fatalf("entering: %d %s", w.Code, w.Body)
	}
	cookies := w.Result().Cookies()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range cookies {
			if c.Path == "/" {
				r.AddCookie(c)
			}
		}
		h.ServeHTTP(w, r)
	})
}

func TestStartPageOpensByItsTicketAlone(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	st := web.Start{Story: &story{t: t, a: a, b: b}, Enter: enter(t, a, b), A: &a.desk, B: &b.desk, Now: time.Now, Sandbox: true}
	h := st.Handler()
	for _, w := range []*httptest.ResponseRecorder{get(t, h, "/"), post(t, h, "/start/prepare", nil), post(t, h, "/start/role", url.Values{"agency": {"H98.21"}, "role": {"it"}}),
		get(t, h, "/enter?ticket=guess")} {
		wantAll(t, page(t, w, http.StatusUnauthorized), "Phiên làm việc đã hết hạn")
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("a stranger gets a cookie")
		}
	}
	address, err := st.Enter(t.Context(), a.office.Agency.Code, exchange.RoleClerk)
	must(t, err)
	ticket := strings.TrimPrefix(address, "/a")
	w := get(t, h, ticket)
	paths := map[string]bool{}
	for _, c := range w.Result().Cookies() {
		paths[c.Name+c.Path] = c.HttpOnly && c.SameSite == http.SameSiteStrictMode
	}
	if w.Code != http.StatusSeeOther || !paths["antin_start/"] || !paths["antin_session/a"] || !paths["antin_session/b"] {
		t.Fatalf("%d %v", w.Code, w.Result().Cookies())
	}
	if w := get(t, h, ticket); w.Code != http.StatusUnauthorized {
		t.Errorf("the ticket works twice: %d", w.Code)
	}

	// The roles: each button leads to the door of that agency with a fresh ticket.
	in := entered(t, st)
	wantAll(t, page(t, get(t, in, "/"), http.StatusOK), "Làm việc trong một vai", "Lãnh đạo", "Quản trị")
	w = post(t, in, "/start/role", url.Values{"agency": {string(b.office.Agency.Code)}, "role": {string(exchange.RoleOperator)}})
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/b/enter?ticket=") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if w := get(t, b.desk.Handler(), w.Header().Get("Location")); w.Code != http.StatusSeeOther || w.Header().Get("Set-Cookie") == "" {
		t.Errorf("the ticket opens nothing: %d", w.Code)
	}
}
