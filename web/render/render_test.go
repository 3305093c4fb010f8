package render_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"antin/web/render"
)

// TestMain lets the test binary play the child, as the program does.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == "render-child" {
		page, _ := strconv.Atoi(os.Args[2])
		width, _ := strconv.Atoi(os.Args[3])
		if err := render.Serve(context.Background(), render.Request{Page: page, Width: width, CacheDir: os.Args[4]}, os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func newRenderer(t *testing.T, verb string) *render.Renderer {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "antin-render-test-cache") // shared between runs: compiling takes seconds
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return render.New([]string{os.Args[0], verb}, dir)
}

// onePage is a PDF with one small page that says text.
func onePage(text string) []byte {
	content := fmt.Sprintf("BT /F1 24 Tf 20 50 Td (%s) Tj ET", text)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

func TestPageGivesAnImageAndItsText(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, "render-child")
	for range 2 { // the second time from the cache
		p, err := r.Page(t.Context(), "one", bytes.NewReader(onePage("Hello seal")), 1, 400)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(p.PNG))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != 400 || b.Dy() != 200 || p.Pages != 1 {
			t.Errorf("image %v, %d pages", b, p.Pages)
		}
		if !strings.Contains(p.Text, "Hello seal") {
			t.Errorf("text %q", p.Text)
		}
		dark := 0
		for y := range 200 {
			for x := range 400 {
				if r, _, _, _ := img.At(x, y).RGBA(); r < 0x8000 {
					dark++
				}
			}
		}
		if dark < 50 {
			t.Errorf("only %d dark pixels: nothing was drawn", dark)
		}
	}
}

func TestDocumentThatCannotBeShownIsAPageError(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, "render-child")
	for name, c := range map[string]struct {
		pdf  []byte
		page int
	}{
		"not a PDF":    {[]byte("hello"), 1},
		"empty":        {nil, 1},
		"no such page": {onePage("x"), 7},
	} {
		if _, err := r.Page(t.Context(), name, bytes.NewReader(c.pdf), c.page, 300); !errors.Is(err, render.ErrPage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChildThatDiesCostsThePageOnly(t *testing.T) {
	t.Parallel()
	r := render.New([]string{"/bin/false"}, t.TempDir())
	if _, err := r.Page(t.Context(), "x", bytes.NewReader(onePage("x")), 1, 300); !errors.Is(err, render.ErrPage) {
		t.Errorf("got %v", err)
	}
}

func TestCancelledRequestEndsTheChild(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newRenderer(t, "render-child").Page(ctx, "cancelled", bytes.NewReader(onePage("x")), 1, 300); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
