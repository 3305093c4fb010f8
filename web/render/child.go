package render

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klippa-app/go-pdfium"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Request is what the child is asked for.
type Request struct {
	// Page counts from 1.
	Page int
	// Width of the image in pixels, at most MaxWidth.
	Width int
	// CacheDir keeps PDFium's compiled form between children; empty compiles each time.
	CacheDir string
}

// Serve is the child: it reads one PDF from in, renders the page asked for and
// writes the answer to out. An error about the document is part of the answer; a
// returned error means that no answer could be given.
func Serve(ctx context.Context, req Request, in io.Reader, out io.Writer) error {
	debug.SetMemoryLimit(goMemory)
	limitProcess()
	page, err := serve(ctx, req, in)
	h := header{Page: page, Image: len(page.PNG)}
	if err != nil {
		h = header{Error: err.Error(), Locked: errors.Is(err, pdfiumerrors.ErrPassword)}
		page.PNG = nil
	}
	w := bufio.NewWriter(out)
	if err := json.NewEncoder(w).Encode(h); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if _, err := w.Write(page.PNG); err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	return w.Flush()
}

func serve(ctx context.Context, req Request, in io.Reader) (page Page, err error) {
	defer func() { // PDFium's glue panics when the module traps
		if r := recover(); r != nil {
			err = fmt.Errorf("page renderer stopped: %v", r)
		}
	}()
	if req.Page < 1 || req.Width < 16 || req.Width > MaxWidth {
		return Page{}, fmt.Errorf("page %d at width %d cannot be asked for", req.Page, req.Width)
	}
	data, err := io.ReadAll(io.LimitReader(in, MaxDocument+1))
	if err != nil {
		return Page{}, fmt.Errorf("reading the document: %w", err)
	}
	if len(data) > MaxDocument {
		return Page{}, errors.New("document is too large to show")
	}
	pool, err := newPool(ctx, req.CacheDir)
	if err != nil {
		return Page{}, fmt.Errorf("starting the page renderer: %w", err)
	}
	defer func() { _ = pool.Close() }()
	inst, err := pool.GetInstance(time.Minute)
	if err != nil {
		return Page{}, fmt.Errorf("starting the page renderer: %w", err)
	}
	doc, err := inst.OpenDocument(&requests.OpenDocument{File: &data})
	if err != nil {
		return Page{}, fmt.Errorf("opening the document: %w", err)
	}
	return renderPage(inst, doc.Document, req)
}

func renderPage(inst pdfium.Pdfium, doc references.FPDF_DOCUMENT, req Request) (Page, error) {
	count, err := inst.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc})
	if err != nil {
		return Page{}, fmt.Errorf("counting the pages: %w", err)
	}
	if req.Page > count.PageCount {
		return Page{}, fmt.Errorf("there is no page %d of %d", req.Page, count.PageCount)
	}
	at := requests.Page{ByIndex: &requests.PageByIndex{Document: doc, Index: req.Page - 1}}
	res, err := inst.RenderPageInPixels(&requests.RenderPageInPixels{
		Page: at, Width: req.Width, Height: maxHeight, RenderForm: true, Document: &doc,
	})
	if err != nil {
		return Page{}, fmt.Errorf("drawing page %d: %w", req.Page, err)
	}
	defer res.Cleanup()
	img, err := encode(res.Result.RenderedImage)
	if err != nil {
		return Page{}, fmt.Errorf("encoding page %d: %w", req.Page, err)
	}
	page := Page{Pages: count.PageCount, Width: res.Result.Width, Height: res.Result.Height, PNG: img}
	page.Box, page.Rotate = geometry(inst, at)
	if t, err := inst.GetPageText(&requests.GetPageText{Page: at}); err == nil {
		page.Text = cleanText(strings.TrimRight(t.Text, " \r\n") + "\n" + formText(inst, at))
	} // a page whose text cannot be read is still shown
	return page, nil
}

func encode(img image.Image) ([]byte, error) {
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&buf, img); err != nil {
		return nil, err
	}
	if buf.Len() > maxImage {
		return nil, errors.New("image is too large")
	}
	return buf.Bytes(), nil
}

// cleanText keeps what a page may show as text: no control characters but line
// ends, and no more than maxText bytes.
func cleanText(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// newPool starts PDFium without any file system and with bounded memory.
func newPool(ctx context.Context, cacheDir string) (pdfium.Pool, error) {
	rc := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(wasmPages).
		WithCloseOnContextDone(true)
	if cacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
		if err != nil {
			return nil, fmt.Errorf("opening the compile cache: %w", err)
		}
		rc = rc.WithCompilationCache(cache)
	}
	return webassembly.Init(webassembly.Config{
		Context: ctx, MinIdle: 1, MaxIdle: 1, MaxTotal: 1,
		RuntimeConfig: rc, FSConfig: wazero.NewFSConfig().WithFSMount(emptyFS{}, "/"),
		Stdout: io.Discard, Stderr: io.Discard,
	})
}

// emptyFS is the file system that PDFium sees: nothing.
type emptyFS struct{}

func (emptyFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
