//go:build interop

package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEveryFormWorksWithoutScript goes through the working day as a browser without
// scripts does: it opens pages, fills in their forms as they stand and sends them.
func TestEveryFormWorksWithoutScript(t *testing.T) {
	d := liveDemo(t)
	v := newVisitor(t, d)
	v.get(d.start) // the ticket: its cookies open the start page and both desks

	v.send(d.desk+"/", "/start/prepare", url.Values{})
	document := field(v.page, "document")
	v.send(d.desk+"/", "/start/send", url.Values{"document": {document}})
	v.send(d.desk+"/", "/start/tamper", url.Values{"document": {document}})
	items := v.eventually(d.desk+"/b/inbox", func(page string) bool {
		return strings.Contains(page, "> HỢP LỆ") && strings.Contains(page, "KHÔNG HỢP LỆ")
	})
	links := itemLinks.FindAllStringSubmatch(items, -1)
	if len(links) != 2 {
		t.Fatalf("the inbox links %d items", len(links))
	}
	for _, l := range links {
		page := v.get(d.desk + l[1])
		if strings.Contains(page, "Tiếp nhận và lấy số đến") {
			v.send(d.desk+l[1], "/accept", url.Values{"assignee": {"Phòng Nội vụ"}})
			v.shows("Đã tiếp nhận, số đến 1.", "Phòng Nội vụ")
			v.send(d.desk+l[1], "/handle", url.Values{"code": {"05"}})
			v.shows("05 Đang xử lý")
			continue
		}
		// The preview is the same form, sent the other way.
		v.get(d.desk + l[1] + "?" + url.Values{"reason": {"invalid_signature"}, "note": {"Số bị sửa"}}.Encode())
		v.shows("Chữ ký số không hợp lệ. Số bị sửa")
		v.send("", "/refuse", url.Values{"reason": {"invalid_signature"}, "note": {"Số bị sửa"}})
		v.shows("Đã trả lại nơi gửi.")
	}
	v.get(d.desk + "/b/inbox?q=phoi+hop&tab=all")
	v.shows("Trích yếu")
	v.upload(d.desk+"/a/verifications", "/verifications", "khong.pdf", []byte("không phải PDF"), http.StatusUnprocessableEntity)
	v.shows("không phải là PDF")
	v.upload(d.public+"/", "/", "khong.pdf", []byte("không phải PDF"), http.StatusUnprocessableEntity)
	v.shows("không phải là PDF")
	v.get(d.public + "/q/khongco")
	v.shows("KHÔNG TÌM THẤY")
	v.send(d.desk+"/a/inbox", "/logout", url.Values{})
	v.shows("Đăng nhập")
}

var itemLinks = regexp.MustCompile(`href="(/b/inbox/vd_[0-9a-z]+)"`)

// running is a demo at work: the link that opens its start page, once, and its two
// origins.
type running struct{ start, desk, public string }

// liveDemo starts the demo and stops it when the test ends; it must end in order.
func liveDemo(t *testing.T) running {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 15*time.Minute)
	cmd := exec.CommandContext(ctx, buildAntin(t, shared), "demo", "--dir", shared.scratch(t), "--addr", "127.0.0.1:0")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+\S*`)
	lines := bufio.NewScanner(said)
	var found []string // the start page, A, B, the public pages
	for len(found) < 4 && lines.Scan() {
		found = append(found, address.FindAllString(lines.Text(), -1)...)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	t.Cleanup(func() {
		defer cancel()
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo did not stop in order: %v", err)
		}
	})
	if len(found) < 4 {
		t.Fatal("the demo did not say where it listens")
	}
	u, err := url.Parse(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return running{start: found[0], desk: "http://" + u.Host, public: strings.TrimSuffix(found[3], "/")}
}

// visitor fills in forms as a person would.
type visitor struct {
	t    *testing.T
	http *http.Client
	at   string // the address of the page last seen
	page string
}

func newVisitor(t *testing.T, _ running) *visitor {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &visitor{t: t, http: &http.Client{Timeout: 60 * time.Second, Jar: jar}}
}

func (v *visitor) get(address string) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req, 0)
}

// shows fails unless the page last seen says all words.
func (v *visitor) shows(words ...string) {
	v.t.Helper()
	for _, w := range words {
		if !strings.Contains(html.UnescapeString(v.page), w) {
			v.t.Errorf("%s does not show %q", v.at, w)
		}
	}
}

// send opens a page (empty: stays on the one last seen) and sends its form whose
// action ends in action, with values for its fields beside the hidden ones.
func (v *visitor) send(address, action string, values url.Values) {
	v.t.Helper()
	form, to := v.form(address, action)
	for _, m := range hiddenFields.FindAllStringSubmatch(form, -1) {
		if !values.Has(m[1]) {
			values.Set(m[1], html.UnescapeString(m[2]))
		}
	}
	body, contentType := encode(values, strings.Contains(form, "multipart/form-data"))
	v.post(to, body, contentType, 0)
}

// upload sends the form with a file; the answer has the status.
func (v *visitor) upload(address, action, name string, data []byte, status int) {
	v.t.Helper()
	_, to := v.form(address, action)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		v.t.Fatal(err)
	}
	_, _ = part.Write(data) // a buffer takes everything
	_ = w.Close()
	v.post(to, &b, w.FormDataContentType(), status)
}

var (
	forms        = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	actions      = regexp.MustCompile(`\baction="([^"]*)"`)
	hiddenFields = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// form finds a form by the end of its action, without the query.
func (v *visitor) form(address, action string) (form, to string) {
	v.t.Helper()
	if address != "" {
		v.get(address)
	}
	for _, m := range forms.FindAllStringSubmatch(v.page, -1) {
		a := actions.FindStringSubmatch(m[1])
		if a == nil || !strings.Contains(m[1], `method="post"`) {
			continue
		}
		path, _, _ := strings.Cut(html.UnescapeString(a[1]), "?")
		if !strings.HasSuffix(path, action) {
			continue
		}
		base, err := url.Parse(v.at)
		if err != nil {
			v.t.Fatal(err)
		}
		ref, err := base.Parse(html.UnescapeString(a[1]))
		if err != nil {
			v.t.Fatal(err)
		}
		return m[0], ref.String()
	}
	v.t.Fatalf("%s has no form for %s", v.at, action)
	return "", ""
}

func (v *visitor) post(to string, body io.Reader, contentType string, status int) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, to, body)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
	v.do(req, status)
}

// encode writes the values in the form's encoding.
func encode(values url.Values, multi bool) (io.Reader, string) {
	if !multi {
		return strings.NewReader(values.Encode()), "application/x-www-form-urlencoded"
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name := range values {
		_ = w.WriteField(name, values.Get(name)) // a buffer takes everything
	}
	_ = w.Close()
	return &b, w.FormDataContentType()
}

// do asks for a page and remembers it; status 0 is any that a person can go on from.
func (v *visitor) do(req *http.Request, status int) string {
	v.t.Helper()
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	good := res.StatusCode == status || status == 0 && (res.StatusCode == http.StatusOK || res.StatusCode == http.StatusNotFound)
	if err != nil || !good {
		v.t.Fatalf("%s %s: %d %v %.300s", req.Method, req.URL, res.StatusCode, err, body)
	}
	v.at, v.page = res.Request.URL.String(), string(body)
	return v.page
}

// eventually asks for a page until it shows what is awaited.
func (v *visitor) eventually(address string, holds func(string) bool) string {
	v.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 300 {
		if page := v.get(address); holds(page) {
			return page
		}
		<-tick.C
	}
	v.t.Fatalf("%s did not show what was awaited", address)
	return ""
}

func field(page, name string) string {
	m := regexp.MustCompile(fmt.Sprintf(`name="%s" value="([^"]*)"`, name)).FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return m[1]
}
