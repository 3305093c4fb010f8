package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"antin/exchange"
	"antin/signer/validation/attacktest"
	"antin/web/render"
)

// forged is pdf after the attack of that name.
func forged(t *testing.T, name string, pdf []byte) []byte {
	t.Helper()
	for _, a := range attacktest.All() {
		if a.Name == name {
			if out := a.Make(pdf); out != nil {
				return out
			}
		}
	}
	t.Fatalf("the attack %q does not apply", name)
	return nil
}

// checked has the desk check a file and returns its page once the pictures stand.
func (s *site) checked(t *testing.T, h http.Handler, pdf []byte) (path, body string) {
	t.Helper()
	w := upload(t, h, s.desk.Prefix+"/verifications", "văn bản.pdf", bytes.NewReader(pdf), nil)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("checking: %d\n%s", w.Code, w.Body)
	}
	path = w.Header().Get("Location")
	return path, drawn(t, h, path)
}

// drawn asks for a page of ours until nothing on it is still being made. Each asking
// waits for the pictures itself.
func drawn(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	for range 60 {
		body := page(t, get(t, h, path), http.StatusOK)
		if !strings.Contains(body, "Đang dựng") {
			return body
		}
	}
	t.Fatal("the pictures are never finished")
	return ""
}

func TestPagesShowEachSignatureFramedWithItsVerdict(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.desk.Renderer = newRenderer(t)
	h := a.handler(t)
	_, body := a.checked(t, h, a.final(t, a.document(t, "Về việc phối hợp").ID))
	if n := strings.Count(body, `class="frame"`); n != 2 {
		t.Errorf("%d frames, want one for the leader and one for the seal", n)
	}
	wantAll(t, body, ">✓<tspan class=\"word\"> HỢP LỆ</tspan></text>", a.leader.Name, a.office.Agency.Name,
		"So với bản đã ký", "Khác bản mà "+a.leader.Name+" ký ở trang 1.", `id="hatch"`, `data-wipe`, `href="#change-`)
	if strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
		t.Error("the page holds inline style or script")
	}
}

var signedPicture = regexp.MustCompile(`<img class="was" src="([^"]+)"`)

func TestSignedVersionIsDrawnFromExactlyTheSignedBytes(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	a.desk.Renderer = newRenderer(t)
	h := a.handler(t)
	honest := a.final(t, a.document(t, "Về việc phối hợp").ID)
	path, body := a.checked(t, h, forged(t, "page content covered", honest))
	wantAll(t, body, "KHÔNG HỢP LỆ", "Khác bản mà "+a.office.Agency.Name+" ký ở trang 1.")
	m := signedPicture.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no picture of the signed version:\n%s", body)
	}
	got := get(t, h, html.UnescapeString(m[1]))
	want, err := a.desk.Renderer.Once(t.Context(), bytes.NewReader(honest), 1, 1100)
	must(t, err)
	if got.Code != http.StatusOK || !bytes.Equal(got.Body.Bytes(), want.PNG) {
		t.Error("the signed version looks otherwise than the file that was signed")
	}
	if !strings.Contains(body, `class="hatch"`) {
		t.Error("what differs is not hatched")
	}

	// No other length is a signed version, and nobody else sees the file.
	for _, bad := range []string{"1", "-5", "x", "99999999999999999999"} {
		if w := get(t, h, path+"/pages/1.png?signed="+bad); w.Code != http.StatusNotFound {
			t.Errorf("signed=%s: %d", bad, w.Code)
		}
	}
	b.desk.Verifications = a.desk.Verifications
	if w := get(t, b.handler(t), strings.Replace(path, "/a/", "/b/", 1)+"/pages/1.png"); w.Code != http.StatusNotFound {
		t.Errorf("another agency: %d", w.Code)
	}
}

func TestComparisonSaysPlainlyWhenThereIsNothingToCompare(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.desk.Renderer = newRenderer(t)
	h := a.handler(t)
	d, err := a.desk.Outbox.Create(t.Context(), a.clerk, exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND-VP", Subject: "Dự thảo", Signatory: "leader",
		Body: "Chưa ai ký.", Addressees: []string{"Cơ quan B"}, Places: []string{"Như trên"},
	})
	must(t, err)
	_, body := a.checked(t, h, a.draft(t, d.ID))
	wantAll(t, body, "Tệp không có chữ ký số, nên không có bản đã ký để so.")
	if strings.Contains(body, "data-wipe") {
		t.Error("a slider between one version")
	}
}

var pictures = regexp.MustCompile(`<img [^>]*src="([^"]{0,60})`)

func TestPublicAnswerHoldsItsPicturesAndKeepsNothing(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p := a.public(t)
	p.Renderer = newRenderer(t)
	h := p.Handler()
	pdf := a.final(t, a.document(t, "Về việc phối hợp").ID)
	body := page(t, upload(t, h, "/", "a.pdf", bytes.NewReader(forged(t, "page content covered", pdf)), nil), http.StatusOK)
	wantAll(t, body, "KHÔNG HỢP LỆ", `class="hatch"`, "data-wipe", "Chữ của trang 1")
	found := pictures.FindAllStringSubmatch(body, -1)
	if len(found) != 2 {
		t.Errorf("%d pictures, want the page as signed and as it is", len(found))
	}
	for _, m := range found {
		if !strings.HasPrefix(html.UnescapeString(m[1]), "data:image/png;base64,iVBOR") {
			t.Errorf("a picture that is not in the answer itself: %s", m[1])
		}
	}
	if strings.Contains(body, "signed=") || strings.Contains(body, "from=") {
		t.Error("the answer links to what is not kept")
	}
	// What the answer shows is nowhere in the renderer either.
	shown := regexp.MustCompile(`data:image/png;base64,([A-Za-z0-9+/=]+)`).FindStringSubmatch(html.UnescapeString(body))
	if _, err := base64.StdEncoding.DecodeString(shown[1]); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Renderer.Page(ctx, string(exchange.DigestOf(pdf)), bytes.NewReader(pdf), 1, 850); err == nil {
		t.Error("a page of the file is kept")
	}
}

func TestFileThatCannotBeDrawnCostsAPlaceholder(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	p := a.public(t)
	p.Renderer = render.NewPublic([]string{"/bin/false"}, t.TempDir()) // a child that dies, as one does of a hostile file
	pdf := a.final(t, a.document(t, "Về việc phối hợp").ID)
	body := page(t, upload(t, p.Handler(), "/", "a.pdf", bytes.NewReader(pdf), nil), http.StatusOK)
	wantAll(t, body, "Không hiện được trang của tệp này", "HỢP LỆ")
}

var buttons = regexp.MustCompile(`<a class="button" href="([^"]+)"`)

func TestDownloadsOfADocumentLeadToItsFiles(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.document(t, "Về việc phối hợp")
	a.sendTo(t, d, b)
	h := a.handler(t)
	found := 0
	for _, m := range buttons.FindAllStringSubmatch(page(t, get(t, h, "/a/documents/"+string(d.ID)), http.StatusOK), -1) {
		if to := html.UnescapeString(m[1]); strings.HasSuffix(to, "/file") || strings.HasSuffix(to, "/message") {
			found++
			if w := get(t, h, to); w.Code != http.StatusOK || w.Header().Get("Content-Disposition") == "" {
				t.Errorf("%s: %d", to, w.Code)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d downloads, want the PDF and the message", found)
	}
}
