package web_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/web"
)

// public is the public pages over the results of s.
func (s *site) public(t *testing.T) web.Public {
	return web.Public{Validator: s.validator, Now: time.Now, Sandbox: true,
		OnError: func(trace string, err error) { t.Errorf("internal failure %s: %v", trace, err) },
		Results: func(ctx context.Context, token string) (exchange.Result, exchange.Office, bool, error) {
			r, err := s.desk.Results.ByToken(ctx, token)
			if text.CodeOf(err) == text.NotFound {
				return r, s.office, false, nil
			}
			return r, s.office, err == nil, err
		}}
}

// upload posts data as the file of a form.
func upload(t *testing.T, h http.Handler, path, name string, data io.Reader, fields map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range fields {
		must(t, m.WriteField(k, v))
	}
	if data != nil {
		part, err := m.CreateFormFile("file", name)
		must(t, err)
		_, err = io.Copy(part, data)
		must(t, err)
	}
	must(t, m.Close())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestVerifyPageGivesAVerdict(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.public(t).Handler()
	pdf := a.final(t, a.document(t, "Về việc phối hợp").ID)

	wantAll(t, page(t, get(t, h, "/"), http.StatusOK), "Chọn tệp PDF", "30 MB", "DỮ LIỆU THỬ")
	body := page(t, upload(t, h, "/", `<b>"văn bản".pdf`, bytes.NewReader(pdf), nil), http.StatusOK)
	wantAll(t, body, "HỢP LỆ", "Ai ký", a.leader.Name, a.office.Agency.Name, "Không. Nội dung đúng như lúc ký.", "Từng chữ ký")
	if strings.Contains(body, "<b>") {
		t.Error("the file's name is live markup")
	}
	body = page(t, upload(t, h, "/?lang=en", "a.pdf", bytes.NewReader(pdf), nil), http.StatusOK)
	wantAll(t, body, "VALID", "Who signed", "No. The content is as it was signed.", `<html lang="en">`)

	body = page(t, upload(t, h, "/", "a.pdf", bytes.NewReader(altered(t, pdf)), nil), http.StatusOK)
	wantAll(t, body, "KHÔNG HỢP LỆ", "CÓ. ", "Vì sao")
	wantAll(t, page(t, upload(t, h, "/", "a.txt", strings.NewReader("Đây không phải PDF"), nil), http.StatusUnprocessableEntity), "không phải là PDF", "xuất lại")
	wantAll(t, page(t, upload(t, h, "/", "", nil, nil), http.StatusUnprocessableEntity), "Chưa chọn tệp PDF")
}

func TestVerifyPageRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.public(t).Handler()
	big := io.LimitReader(zeros{}, 31<<20)
	wantAll(t, page(t, upload(t, h, "/", "to.pdf", big, nil), http.StatusRequestEntityTooLarge), "Tệp quá lớn.", "tối đa 30 MB")

	// The same when the length was not announced.
	pr, pw := io.Pipe()
	m := multipart.NewWriter(pw)
	go func() {
		part, err := m.CreateFormFile("file", "to.pdf")
		if err == nil {
			_, err = io.Copy(part, io.LimitReader(zeros{}, 31<<20))
		}
		_ = pw.CloseWithError(err)
	}()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", pr)
	r.ContentLength = -1
	r.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	wantAll(t, page(t, w, http.StatusRequestEntityTooLarge), "tối đa 30 MB")
	if w.Header().Get("Connection") != "close" {
		t.Error("the connection is kept although the rest of the body was not read")
	}
}

func TestEachAddressMayCheckSoManyFilesAMinute(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p := a.public(t)
	now, client := time.Now(), netip.MustParseAddr("2001:db8::1")
	p.Now = func() time.Time { return now }
	p.Client = func(*http.Request) netip.Addr { return client }
	h := p.Handler()
	check := func() int { return upload(t, h, "/", "a.pdf", strings.NewReader("x"), nil).Code }
	for range 20 {
		if code := check(); code != http.StatusUnprocessableEntity {
			t.Fatalf("a file within the limit: %d", code)
		}
	}
	wantAll(t, page(t, upload(t, h, "/", "a.pdf", strings.NewReader("x"), nil), http.StatusTooManyRequests), "Quá nhiều yêu cầu")
	client = netip.MustParseAddr("2001:db8::ffff") // the same subscriber
	if code := check(); code != http.StatusTooManyRequests {
		t.Errorf("another address of the same network: %d", code)
	}
	client = netip.MustParseAddr("192.0.2.7")
	if code := check(); code != http.StatusUnprocessableEntity {
		t.Errorf("another client: %d", code)
	}
	client, now = netip.MustParseAddr("2001:db8::1"), now.Add(4*time.Second)
	if code := check(); code != http.StatusUnprocessableEntity {
		t.Errorf("one more after a twentieth of a minute: %d", code)
	}
	if w := get(t, h, "/"); w.Code != http.StatusOK {
		t.Errorf("looking at the page counts: %d", w.Code)
	}
}

func TestLookUpTellsTheFactsAndNeverTheFile(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.public(t).Handler()
	r, err := a.desk.Results.Create(t.Context(), a.clerk, exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{
		Dossier: "H98.21-261123-0001", Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND",
		Subject: "Về việc cấp bản sao", Body: "Điều 1. Cấp bản sao.", Owner: "Lê Thị Hồng Nhung"}})
	must(t, err)
	wantAll(t, page(t, get(t, h, "/q/"+r.Token), http.StatusNotFound), "KHÔNG TÌM THẤY") // not issued yet
	_, err = a.desk.Results.Sign(t.Context(), a.leader, r.ID)
	must(t, err)
	_, err = a.desk.Results.Seal(t.Context(), a.clerk, r.ID)
	must(t, err)
	body := page(t, get(t, h, "/q/"+r.Token), http.StatusOK)
	wantAll(t, body, "ĐÚNG: kết quả do "+a.office.Agency.Name, "01/QĐ-UBND", "L*** T*** H*** Nhung", time.Now().In(exchange.Vietnam).Format("02/01/2006"), "example.com")
	for _, secret := range []string{"Hồng", "/file", string(r.ID), "0001"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page tells %q", secret)
		}
	}
	for _, token := range []string{"khong-co", strings.Repeat("a", 5000), "%3Cscript%3E"} {
		wantAll(t, page(t, get(t, h, "/q/"+token), http.StatusNotFound), "có thể là giấy giả")
	}
}

// zeros reads as zero bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// hrefs finds where a page's links lead.
var hrefs = regexp.MustCompile(`href="([^"]+)"`)

// issued has s issue a result about owner, in place of another when old is given.
func (s *site) issued(t *testing.T, owner string, old exchange.ID) exchange.Result {
	t.Helper()
	req := exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{Dossier: "H98.21-261123-0001", Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"},
		Notation: "QĐ-UBND", Subject: "Về việc cấp bản sao", Body: "Điều 1. Cấp bản sao.", Owner: owner}}
	var r exchange.Result
	var err error
	if old == "" {
		r, err = s.desk.Results.Create(t.Context(), s.clerk, req)
	} else {
		r, err = s.desk.Results.Replace(t.Context(), s.clerk, old, req, "Sai tên")
	}
	must(t, err)
	_, err = s.desk.Results.Sign(t.Context(), s.leader, r.ID)
	must(t, err)
	r, err = s.desk.Results.Seal(t.Context(), s.clerk, r.ID)
	must(t, err)
	return r
}

func TestLookUpHasFourAnswersThatCannotBeMistaken(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p := a.public(t)
	p.Result = func(ctx context.Context, _ exchange.AgencyCode, id exchange.ID) (exchange.Result, error) {
		return a.desk.Results.Result(ctx, a.clerk, id)
	}
	h := p.Handler()
	good, old, taken := a.issued(t, "An", ""), a.issued(t, "Bình", ""), a.issued(t, "Chi", "")
	next := a.issued(t, "Bình", old.ID)
	_, err := a.desk.Results.Revoke(t.Context(), a.clerk, taken.ID, "Cấp nhầm", "k")
	must(t, err)
	headlines := map[string]string{good.Token: "ĐÚNG: kết quả do", old.Token: "ĐÃ ĐƯỢC THAY THẾ bởi số " + next.Issuance.Number.String(), taken.Token: "ĐÃ BỊ THU HỒI ngày", "khongco": "KHÔNG TÌM THẤY"}
	for token, want := range headlines {
		status := http.StatusOK
		if token == "khongco" {
			status = http.StatusNotFound
		}
		body := page(t, get(t, h, "/q/"+token), status)
		for _, other := range headlines {
			if said := strings.Contains(body, other); said != (other == want) {
				t.Errorf("%s: says %q: %v", want, other, said)
			}
		}
	}
	wantAll(t, page(t, get(t, h, "/q/"+next.Token), http.StatusOK), "ĐÚNG: kết quả do")
	for token, want := range map[string]string{good.Token: "CONFIRMED", old.Token: "REPLACED by number", taken.Token: "WITHDRAWN on", "khongco": "NOT FOUND"} {
		if body := get(t, h, "/q/"+token+"?lang=en").Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s in English: %s", want, body)
		}
	}
}

func TestLookUpIsSmallAndSetsNothing(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p := a.public(t)
	p.Sandbox = false
	h := p.Handler()
	r := a.issued(t, "Lê Thị Hồng Nhung", "")
	if bits := len(r.Token) * 5; bits < 128 {
		t.Errorf("the code has %d bits", bits)
	}
	w := get(t, h, "/q/"+r.Token)
	if w.Header().Get("Set-Cookie") != "" || strings.Contains(w.Body.String(), "login") {
		t.Error("the page wants to know who looks")
	}
	total := w.Body.Len()
	for _, m := range regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(w.Body.String(), -1) {
		total += get(t, h, m[1]).Body.Len()
	}
	if total > 50_000 {
		t.Errorf("the page and what it loads have %d bytes", total)
	}
	for _, m := range hrefs.FindAllStringSubmatch(w.Body.String(), -1) {
		if !strings.HasPrefix(m[1], "/") && m[1] != "#main" && m[1] != "data:," {
			t.Errorf("the page leads to another origin: %s", m[1])
		}
	}
	t.Logf("%d bytes", total)
}

func TestNamesAreMaskedByOneRule(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	h := a.public(t).Handler()
	for name, want := range map[string]string{
		"Lê Thị Hồng Nhung":       "L*** T*** H*** Nhung",
		"Nhung":                   "N***",
		"Ý":                       "***",
		"Jane van der Berg-Smith": "J*** v*** d*** B*** Smith",
		"Иван Петров":             "И*** Петров",
		strings.Repeat("Công Tằng ", 20) + "Nữ": "C*** T*** C*** T*** C*** T*** C*** Nữ",
		"Ngô " + strings.Repeat("a", 60):        "N*** a***",
	} {
		body := page(t, get(t, h, "/q/"+a.issued(t, name, "").Token), http.StatusOK)
		if !strings.Contains(body, ">"+want+"<") {
			t.Errorf("%q is not masked as %q:\n%s", name, want, body[strings.Index(body, "facts"):])
		}
	}
}
