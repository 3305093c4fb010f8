package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"html/template"
	"image"
	"time"

	"antin/signer/validation"
	"antin/web/render"
)

const (
	// publicWidth is the width of a page image in a public answer, in pixels: the
	// image is part of the answer.
	publicWidth = 850
	// publicPages bounds the pages that one public answer shows, and publicCompared
	// those that it shows in both versions.
	publicPages, publicCompared = 4, 2
	// publicTime bounds the making of all of them; what is not done by then is left
	// out, and the answer says so.
	publicTime = 12 * time.Second
	// publicImage bounds one image in an answer, in bytes.
	publicImage = 2 << 20
)

// pagesOf draws the pages of a file that someone had checked, into the answer
// itself: nothing of the file outlives it.
func (h *public) pagesOf(ctx context.Context, p *page, u uploaded, report *validation.Report) *paperView {
	if h.Renderer == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publicTime)
	defer cancel()
	type asked struct {
		n      int
		length int64
	}
	made := map[asked]render.Page{} // of this one answer
	x := exhibit{name: u.name, report: report, pages: publicPages, compared: publicCompared, whole: true,
		draw: func(n int, length int64) (render.Page, error) {
			if pg, ok := made[asked{n, length}]; ok {
				return pg, nil
			}
			data := u.data
			if length > 0 && length < int64(len(data)) {
				data = data[:length]
			}
			pg, err := h.Renderer.Once(ctx, bytes.NewReader(data), n, publicWidth)
			if err == nil {
				made[asked{n, length}] = pg
			}
			return pg, err
		},
		picture: func(_ int, _ int64, drawn *render.Page) template.URL {
			if drawn == nil || len(drawn.PNG) > publicImage {
				return ""
			}
			return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(drawn.PNG)) //nolint:gosec // our own renderer's image, in letters that close nothing
		},
		words: func(int, int64) string { return "" },
		differences: func(_ int, _ int64, was, now render.Page) ([]image.Rectangle, error) {
			return render.Differences(was.PNG, now.PNG)
		},
		ink: inkOf,
	}
	v := x.paper(p)
	return &v
}
