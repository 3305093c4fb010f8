package render

import (
	"bufio"
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// ErrPage means that the document itself cannot be shown: damaged, protected,
// too large or too slow. A page says so in words and shows a placeholder.
var ErrPage = errors.New("page cannot be shown")

// ErrLocked is an ErrPage of a document that opens by a password only.
var ErrLocked = fmt.Errorf("%w: it opens by a password only", ErrPage)

// cacheBytes bounds the finished pages kept in memory.
const cacheBytes = 32 << 20

// Renderer asks children for pages. It is safe for concurrent use; at most two
// children (one of NewPublic) run at once, the others wait. Make one with New.
type Renderer struct {
	command []string
	cache   string
	timeout time.Duration
	slots   chan struct{}

	mu    sync.Mutex
	pages map[string]*list.Element
	order *list.List // newest first
	size  int
}

type cached struct {
	key  string
	page Page
}

// New returns a Renderer whose children are started as command (the program and
// the verb that runs Serve) followed by the page, the width and cacheDir. cacheDir
// must exist and be the process's own; it keeps PDFium's compiled form.
func New(command []string, cacheDir string) *Renderer { return newRenderer(command, cacheDir, 2) }

// NewPublic is New with one child at a time, for pages that anybody may ask for.
func NewPublic(command []string, cacheDir string) *Renderer { return newRenderer(command, cacheDir, 1) }

func newRenderer(command []string, cacheDir string, children int) *Renderer {
	return &Renderer{command: command, cache: cacheDir, timeout: defaultTimeout, slots: make(chan struct{}, children),
		pages: map[string]*list.Element{}, order: list.New()}
}

// Page renders page n (from 1) of the PDF read from r at the width in pixels. id
// names the bytes (their SHA-256) for the cache. An error wrapping ErrPage is about
// the document; any other says that rendering itself could not run.
func (r *Renderer) Page(ctx context.Context, id string, pdf io.Reader, n, width int) (Page, error) {
	key := id + "/" + strconv.Itoa(n) + "/" + strconv.Itoa(width)
	if p, ok := r.cachedPage(key); ok {
		return p, nil
	}
	p, err := r.Once(ctx, pdf, n, width)
	if err != nil {
		return Page{}, fmt.Errorf("page of %s: %w", id, err)
	}
	r.keep(key, p)
	return p, nil
}

// Once is Page for a document of which nothing is to be kept: its pages do not
// enter the cache.
func (r *Renderer) Once(ctx context.Context, pdf io.Reader, n, width int) (Page, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return Page{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	p, err := r.ask(ctx, pdf, n, width)
	if err != nil {
		return Page{}, fmt.Errorf("rendering page %d: %w", n, err)
	}
	return p, nil
}

func (r *Renderer) ask(ctx context.Context, pdf io.Reader, n, width int) (Page, error) {
	args := append(r.command[1:len(r.command):len(r.command)], strconv.Itoa(n), strconv.Itoa(width), r.cache)
	cmd := exec.CommandContext(ctx, r.command[0], args...) //nolint:gosec // our own program with numbers and our own folder
	cmd.Stdin = pdf
	cmd.Env = []string{"HOME=" + r.cache, "TMPDIR=" + r.cache, "GOMAXPROCS=2"}
	cmd.Dir = r.cache
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Page{}, fmt.Errorf("starting the page renderer: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return Page{}, fmt.Errorf("starting the page renderer: %w", err)
	}
	p, readErr := readAnswer(out)
	_, _ = io.Copy(io.Discard, io.LimitReader(out, 1)) // a child that says more is cut off by Wait
	waitErr := cmd.Wait()
	switch {
	case readErr == nil:
		return p, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Page{}, fmt.Errorf("%w: it took too long", ErrPage)
	case ctx.Err() != nil:
		return Page{}, ctx.Err()
	case waitErr != nil && !errors.Is(readErr, ErrPage):
		return Page{}, fmt.Errorf("%w: the page renderer died: %w", ErrPage, waitErr)
	}
	return Page{}, readErr
}

// readAnswer reads what a child wrote, within the limits whatever it claims.
func readAnswer(out io.Reader) (Page, error) {
	br := bufio.NewReader(io.LimitReader(out, maxImage+8*maxText))
	line, err := readLine(br, 8*maxText)
	if err != nil {
		return Page{}, fmt.Errorf("reading the page renderer's answer: %w", err)
	}
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return Page{}, fmt.Errorf("reading the page renderer's answer: %w", err)
	}
	if h.Locked {
		return Page{}, ErrLocked
	}
	if h.Error != "" {
		return Page{}, fmt.Errorf("%w: %s", ErrPage, h.Error)
	}
	if h.Image <= 0 || h.Image > maxImage {
		return Page{}, fmt.Errorf("%w: image of %d bytes", ErrPage, h.Image)
	}
	h.PNG = make([]byte, h.Image)
	if _, err := io.ReadFull(br, h.PNG); err != nil {
		return Page{}, fmt.Errorf("reading the page renderer's image: %w", err)
	}
	return h.Page, nil
}

func readLine(br *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > limit:
			return nil, errors.New("line is too long")
		}
	}
}

func (r *Renderer) cachedPage(key string) (Page, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.pages[key]
	if !ok {
		return Page{}, false
	}
	r.order.MoveToFront(e)
	return e.Value.(*cached).page, true
}

func (r *Renderer) keep(key string, p Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.pages[key]; ok {
		return
	}
	r.pages[key] = r.order.PushFront(&cached{key, p})
	r.size += len(p.PNG) + len(p.Text)
	for r.size > cacheBytes && r.order.Len() > 1 {
		e := r.order.Back()
		c := r.order.Remove(e).(*cached)
		delete(r.pages, c.key)
		r.size -= len(c.page.PNG) + len(c.page.Text)
	}
}
