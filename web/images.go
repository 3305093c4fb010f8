package web

import (
	"bytes"
	"context"
	"errors"
	"html"
	"html/template"
	"image"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
	"antin/web/render"
)

const (
	// pageWidth is the width of a page image, in pixels: sharp on a screen of double
	// density at the width of the reading column.
	pageWidth = 1100
	// thumbWidth is that of a small picture.
	thumbWidth = 420
	// firstWait is how long a document's page waits for its first image before it is
	// shown without: the image follows by itself.
	firstWait = 1500 * time.Millisecond
	// leastWait is how long each further image is waited for: what the cache holds is
	// there at once.
	leastWait = 20 * time.Millisecond
	// imageWait is how long a request for one image waits.
	imageWait = 60 * time.Second
	// maxRendering bounds the images in the making; each holds an open file.
	maxRendering = 24
	// shownPages bounds the images on one page of ours.
	shownPages = 20
)

var (
	errRendering  = errors.New("the image is still being made")
	errNoRenderer = errors.New("no page renderer")
	errManyImages = errors.New("too many images are being made")
)

// source is a PDF to be shown.
type source struct {
	digest exchange.Digest
	open   func(ctx context.Context) (exchange.BlobReader, error)
}

// imager makes page images, each once however many ask for it. A request that
// stops waiting does not stop the work: the next one finds it done.
type imager struct {
	renderer *render.Renderer

	looks looks

	mu      sync.Mutex
	running map[string]*imageJob
}

type imageJob struct {
	done chan struct{}
	page render.Page
	err  error
}

func newImager(r *render.Renderer) *imager {
	return &imager{renderer: r, running: map[string]*imageJob{}}
}

// page returns page n (from 1) of src, or errRendering when it takes longer than
// wait.
func (m *imager) page(ctx context.Context, src source, n, width int, wait time.Duration) (render.Page, error) {
	if m.renderer == nil {
		return render.Page{}, errNoRenderer
	}
	job, err := m.start(ctx, src, n, width)
	if err != nil {
		return render.Page{}, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-job.done:
		return job.page, job.err
	case <-timer.C:
		return render.Page{}, errRendering
	case <-ctx.Done():
		return render.Page{}, ctx.Err()
	}
}

func (m *imager) start(ctx context.Context, src source, n, width int) (*imageJob, error) {
	key := string(src.digest) + "/" + strconv.Itoa(n) + "/" + strconv.Itoa(width)
	m.mu.Lock()
	defer m.mu.Unlock()
	if job, ok := m.running[key]; ok {
		return job, nil
	}
	if len(m.running) >= maxRendering {
		return nil, errManyImages
	}
	job := &imageJob{done: make(chan struct{})}
	m.running[key] = job
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), imageWait)
	go func() {
		defer cancel()
		job.page, job.err = m.make(ctx, src, n, width)
		m.mu.Lock()
		delete(m.running, key) // what is done lies in the renderer's cache
		m.mu.Unlock()
		close(job.done)
	}()
	return job, nil
}

func (m *imager) make(ctx context.Context, src source, n, width int) (render.Page, error) {
	r, err := src.open(ctx)
	if err != nil {
		return render.Page{}, err
	}
	defer func() { _ = r.Close() }()
	return m.renderer.Page(ctx, string(src.digest), r, n, width)
}

// paper prepares the view of src, whose images are served below url.
func (m *imager) paper(ctx context.Context, p *page, src source, name, url string) paperView {
	return m.judged(ctx, p, src, name, url, nil, sender{})
}

// judged is paper with what was found about the file marked on its pages.
func (m *imager) judged(ctx context.Context, p *page, src source, name, url string, report *validation.Report, from sender) paperView {
	deadline := time.Now().Add(firstWait)
	at := func(n int, length int64, kind string) string {
		address := url + strconv.Itoa(n) + kind + "?v=" + short(src.digest)
		if length > 0 {
			address += "&signed=" + strconv.FormatInt(length, 10)
		}
		return withLang(address, p.Lang)
	}
	x := exhibit{name: name, report: report, from: from, pages: shownPages, compared: comparedPages, paged: true,
		draw: func(n int, length int64) (render.Page, error) {
			return m.page(ctx, src.upTo(length), n, pageWidth, max(time.Until(deadline), leastWait))
		},
		picture: func(n int, length int64, _ *render.Page) template.URL {
			return template.URL(at(n, length, ".png")) //nolint:gosec // our own path and numbers
		},
		words: func(n int, length int64) string { return at(n, length, ".txt") },
		differences: func(n int, length int64, was, now render.Page) ([]image.Rectangle, error) {
			return m.looks.differences(lookKey(src, n, length), was, now)
		},
		ink: inkOf,
	}
	return x.paper(p)
}

// upTo is src as it was when it was length bytes long; 0 is all of it.
func (src source) upTo(length int64) source {
	if length <= 0 {
		return src
	}
	return source{digest: exchange.Digest(string(src.digest) + "@" + strconv.FormatInt(length, 10)), open: func(ctx context.Context) (exchange.BlobReader, error) {
		r, err := src.open(ctx)
		if err != nil {
			return nil, err
		}
		return version{io.NewSectionReader(r, 0, min(length, r.Size())), r}, nil
	}}
}

// version is the first bytes of a file.
type version struct {
	*io.SectionReader
	io.Closer
}

// signedSource is src, or the signed version of it that r asks for; report, which is
// asked only then, must know such a version.
func signedSource(r *http.Request, src source, report func() (*validation.Report, error)) (source, error) {
	asked := r.URL.Query().Get("signed")
	if asked == "" {
		return src, nil
	}
	length, err := strconv.ParseInt(asked, 10, 64)
	if err != nil {
		return source{}, text.Errorf(text.NotFound, err)
	}
	known, err := report()
	if err != nil {
		return source{}, err
	}
	if known == nil || !slices.ContainsFunc(signedVersions(known), func(s validation.Signature) bool { return s.Covers.Bytes == length }) {
		return source{}, text.Errorf(text.NotFound, nil)
	}
	return src.upTo(length), nil
}

// short is the part of a digest that tells versions of one file apart.
func short(d exchange.Digest) string { return string(d[:min(len(d), 16)]) }

// servePage answers {…}/pages/{n}.png and {n}.txt.
func (m *imager) servePage(w http.ResponseWriter, r *http.Request, src source) {
	name := r.PathValue("page")
	number, kind, _ := strings.Cut(name, ".")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || kind != "png" && kind != "txt" {
		http.NotFound(w, r)
		return
	}
	width := pageWidth
	if r.URL.Query().Get("w") == "small" {
		width = thumbWidth
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	page, err := m.page(r.Context(), src, n, width, imageWait)
	h := w.Header()
	if err != nil {
		h.Set("Cache-Control", "no-store")
		placeholder(w, kind, text.Get("web.paper.page.problem", n).In(lang))
		return
	}
	h.Set("Cache-Control", "private, no-cache")
	if r.URL.Query().Get("v") == short(src.digest) {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if kind == "txt" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(page.Text))
		return
	}
	h.Set("Content-Type", "image/png")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(page.PNG))
}

// placeholder stands where a page image would be, and says so in words.
func placeholder(w http.ResponseWriter, kind, words string) {
	if kind == "txt" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(words)) //nolint:gosec // the catalogue's words, as plain text
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml; charset=utf-8")
	_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 240" width="600" height="240">` +
		`<rect width="600" height="240" fill="#eef1f4"/>` +
		`<text x="300" y="126" text-anchor="middle" font-family="sans-serif" font-size="17" fill="#33404d">` +
		html.EscapeString(words) + `</text></svg>`))
}
