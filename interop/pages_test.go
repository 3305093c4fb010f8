//go:build interop

package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPagesInABrowser walks through the demo's cards and looks at every page that
// they lead to in a real browser, whose word is the page as its scripts left it.
func TestPagesInABrowser(t *testing.T) {
	desk, public := liveDemo(t)
	b := &visitor{t: t, base: desk, http: &http.Client{Timeout: 60 * time.Second}}
	b.http.Jar, _ = cookiejar.New(nil) // never fails without options

	b.post("/start/prepare", url.Values{})
	start := b.get(desk + "/")
	document := field(start, "document")
	b.post("/start/send", url.Values{"document": {document}})
	b.post("/start/tamper", url.Values{"document": {document}})
	items := b.eventually(desk+"/b/inbox", func(page string) bool {
		return strings.Contains(page, "HỢP LỆ") && strings.Contains(page, "KHÔNG HỢP LỆ")
	})
	links := regexp.MustCompile(`href="(/b/inbox/vd_[0-9a-z]+)"`).FindAllStringSubmatch(items, -1)
	if len(links) < 2 {
		t.Fatalf("the inbox links %d items", len(links))
	}
	for _, page := range []struct {
		url  string
		want []string
	}{
		{desk + "/", []string{"DỮ LIỆU THỬ", "HỢP LỆ", "KHÔNG HỢP LỆ", "Nhà phát triển"}},
		{desk + "/a/documents", []string{"DỮ LIỆU THỬ", "Văn bản đi", "02/UBND-VP"}},
		{desk + "/a/documents/" + document, []string{"DỮ LIỆU THỬ", "02/UBND-VP", "pages/1.png"}},
		{desk + "/a/results", []string{"DỮ LIỆU THỬ", "01/QĐ-UBND"}},
		{desk + "/b/inbox", []string{"DỮ LIỆU THỬ", "HỢP LỆ", "KHÔNG HỢP LỆ", "Chờ văn thư"}},
		{desk + links[0][1], []string{"DỮ LIỆU THỬ", "Ai ký", "Có bị sửa không", "pages/1.png"}},
		{desk + links[1][1], []string{"DỮ LIỆU THỬ", "Ai ký", "Có bị sửa không", "pages/1.png"}},
		{desk + "/?lang=en", []string{"TEST DATA", "NOT VALID"}},
		{public + "/", []string{"DỮ LIỆU THỬ", "PDF"}},
		{public + "/q/khongco", []string{"KHÔNG TÌM THẤY"}},
	} {
		dom, said := browse(t, page.url)
		for _, w := range page.want {
			if !strings.Contains(dom, w) {
				t.Errorf("%s does not show %q", page.url, w)
			}
		}
		if strings.Contains(said, "Refused to") || strings.Contains(said, "Uncaught") {
			t.Errorf("%s: the browser complains: %s", page.url, said)
		}
	}
	// The script ran under the page's own policy: it shows the copy buttons.
	if dom, _ := browse(t, desk+"/"); strings.Contains(dom, `hidden="" data-copy`) || !strings.Contains(dom, "data-copy") {
		t.Error("the script did not run on the start page")
	}
	t.Logf("counts: pages in a browser 10")
}

// liveDemo starts the demo and stops it when the test ends; it must end in order.
func liveDemo(t *testing.T) (desk, public string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	cmd := exec.CommandContext(ctx, buildAntin(t, shared), "demo", "--dir", shared.scratch(t), "--addr", "127.0.0.1:0")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	lines := bufio.NewScanner(said)
	var found []string
	for len(found) < 2 && lines.Scan() {
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
	if len(found) < 2 {
		t.Fatal("the demo did not say where it listens")
	}
	return found[0], found[1]
}

// visitor fills in forms as a person would.
type visitor struct {
	t    *testing.T
	base string
	http *http.Client
}

func (v *visitor) get(address string) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req)
}

// post sends the form of the start page that has this action.
func (v *visitor) post(action string, values url.Values) {
	v.t.Helper()
	page := v.get(v.base + "/")
	at := regexp.MustCompile(`<form[^>]* action="` + action + `"[^>]*>`).FindStringIndex(page)
	if at == nil {
		v.t.Fatalf("the start page has no form for %s", action)
	}
	values.Set("key", field(page[at[0]:], "key"))
	body, contentType := encode(values, strings.Contains(page[at[0]:at[1]], "multipart/form-data"))
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.base+action, body)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Origin", v.base)
	v.do(req)
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

func (v *visitor) do(req *http.Request) string {
	v.t.Helper()
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil || res.StatusCode != http.StatusOK {
		v.t.Fatalf("%s %s: %d %v %.300s", req.Method, req.URL, res.StatusCode, err, body)
	}
	return string(body)
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

// browse opens a page in headless Chromium and returns the document as it then
// stands, and what the browser said.
func browse(t *testing.T, address string) (dom, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolTimeout)
	defer cancel()
	profile := filepath.Join(t.TempDir(), "profile")
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0",
		"--user-data-dir="+profile, "--virtual-time-budget=5000", "--dump-dom", address)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	var out, msg strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &msg
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v %.500s", address, err, msg.String())
	}
	var console []string
	for _, line := range strings.Split(msg.String(), "\n") {
		if strings.Contains(line, "CONSOLE") {
			console = append(console, line)
		}
	}
	return out.String(), strings.Join(console, "\n")
}
