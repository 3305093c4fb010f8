// Package find tells where a text stands on the pages of a PDF: it runs the content
// of a page as far as text is concerned and compares what its fonts say the glyphs
// mean. It reads no fonts' outlines and guesses nothing: a glyph whose meaning the
// file does not state matches no text.
package find

import (
	"errors"
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"antin/signer/pdf"
)

// ErrNotFound says that no page searched shows the text in a way that can be read.
var ErrNotFound = errors.New("find: text not found")

const (
	// maxPages bounds the pages searched, from the last one back: a signature's place
	// is near the end, and every page costs the decoding of its content.
	maxPages = 200
	// maxContent bounds the content of one page, in bytes; a page of text has some
	// tens of kilobytes, one of drawings a few megabytes.
	maxContent = 32 << 20
	// maxPageContent bounds what one page decodes in all, forms drawn again and again
	// included, in bytes.
	maxPageContent = 8 * maxContent
	// maxGlyphs bounds the glyphs of one page; a newspaper page has twenty thousand.
	maxGlyphs = 500_000
	// maxText bounds the text searched for, in bytes.
	maxText = 1024
)

// Place is where a text stands.
type Place struct {
	// Page is the page, from 1.
	Page int
	// Rotation is how the page is shown: 0, 90, 180 or 270 degrees clockwise.
	Rotation int
	// Box is the text's box in the page's default user space: left, bottom, right,
	// top in points. It reaches from the baseline to the height of the font's size.
	Box [4]float64
	// Visible is the part of the page that is shown, in the same space.
	Visible [4]float64
}

// Last finds the last occurrence of s: on the given page from 1, or with page 0 on
// the last page that has one. Runs of white space count as one space, letters are
// compared as composed characters, and case counts. The error is ErrNotFound, or
// tells why the file cannot be read.
func Last(f *pdf.File, s string, page int) (Place, error) {
	want := fold(s)
	if want == "" || len(s) > maxText {
		return Place{}, ErrNotFound
	}
	total, err := f.NumPages()
	if err != nil {
		return Place{}, err
	}
	first, last := max(1, total-maxPages+1), total
	if page != 0 {
		first, last = page, page
	}
	for n := last; n >= first && n <= total; n-- {
		_, d, err := f.Page(n)
		if err != nil {
			return Place{}, err
		}
		p := newPage(f, d)
		if err := p.run(); err != nil {
			return Place{}, err
		}
		if box, ok := lastIn(p.glyphs, want); ok {
			return Place{Page: n, Rotation: p.rotation(), Box: box, Visible: p.visible()}, nil
		}
	}
	return Place{}, ErrNotFound
}

// fold gives texts that read alike one spelling.
func fold(s string) string {
	return strings.Join(strings.FieldsFunc(norm.NFC.String(s), unicode.IsSpace), " ")
}

// glyph is one shown glyph.
type glyph struct {
	text string // what it means; "\uFFFD" when the file does not say
	// origin is where it starts on its baseline, end where the next one would; up
	// points from the baseline to the height of the font's size.
	origin, end, up [2]float64
	size            float64 // of the font on the page, points
}

// lastIn finds want in the glyphs in the order of the content, and its box.
func lastIn(glyphs []glyph, want string) ([4]float64, bool) {
	var text strings.Builder
	var starts []int // offset in text at which glyph i begins
	for i, g := range glyphs {
		if i > 0 && apart(glyphs[i-1], g) && !strings.HasSuffix(text.String(), " ") {
			text.WriteByte(' ')
		}
		starts = append(starts, text.Len())
		for _, r := range g.text {
			if unicode.IsSpace(r) {
				if n := text.Len(); n > 0 && text.String()[n-1] != ' ' {
					text.WriteByte(' ')
				}
				continue
			}
			text.WriteRune(r)
		}
	}
	whole := text.String()
	// A letter and its mark may be two glyphs, so that composing moves offsets; the
	// search is for the text as the glyphs spell it, in either form.
	for _, spelled := range []string{want, norm.NFD.String(want)} {
		at := strings.LastIndex(whole, spelled)
		if at < 0 {
			continue
		}
		from, _ := slices.BinarySearch(starts, at+1)
		to, _ := slices.BinarySearch(starts, at+len(spelled))
		return boxOf(glyphs[max(0, from-1):to]), true
	}
	return [4]float64{}, false
}

// apart reports whether a space or a line end lies between two glyphs.
func apart(a, b glyph) bool {
	dx, dy := b.origin[0]-a.end[0], b.origin[1]-a.end[1]
	size := max(a.size, b.size)
	return math.Hypot(dx, dy) > 0.2*size
}

func boxOf(glyphs []glyph) [4]float64 {
	box := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, g := range glyphs {
		for _, p := range [][2]float64{g.origin, g.end, {g.origin[0] + g.up[0], g.origin[1] + g.up[1]}, {g.end[0] + g.up[0], g.end[1] + g.up[1]}} {
			box[0], box[1] = min(box[0], p[0]), min(box[1], p[1])
			box[2], box[3] = max(box[2], p[0]), max(box[3], p[1])
		}
	}
	return box
}
