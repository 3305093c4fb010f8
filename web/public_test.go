package web_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
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

func TestVerifyPageCanBeLimited(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p := a.public(t)
	p.Allow = func(*http.Request) bool { return false }
	h := p.Handler()
	wantAll(t, page(t, upload(t, h, "/", "a.pdf", strings.NewReader("x"), nil), http.StatusTooManyRequests), "Đợi khoảng một phút")
	wantAll(t, page(t, get(t, h, "/q/abc"), http.StatusTooManyRequests), "Đợi khoảng một phút")
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
