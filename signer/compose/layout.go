package compose

import (
	"strings"
	"unicode/utf8"

	"antin/internal/text"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// The page and its type by Annex I of the decree, in points unless named
// otherwise: A4 upright, margins of 20 mm above and below, 30 mm at the left and
// 15 mm at the right; body of 14 points.
const (
	mm         = 72 / 25.4
	pageWidth  = 595.276
	pageHeight = 841.89
	marginTop  = 20 * mm
	marginFoot = 20 * mm
	marginLeft = 30 * mm
	textWidth  = 165 * mm

	bodySize    = 14.0
	bodyLeading = 18.5
	bodySpace   = 6.0 // between paragraphs
	bodyIndent  = 12.7 * mm
	numberSize  = 13.0 // number, date and page numbers
)

// item is a piece of the page that is never split: a line, a table row, a block.
type item struct {
	space  float64 // above, unless at the top of a page
	height float64
	keep   bool // stay on the page of the next item
	// draw draws the item with its upper edge at top.
	draw func(p *page, top float64) error
	// repeat is drawn first where the item begins a page: the titles of its table.
	repeat *item
}

// page is one page being drawn.
type page struct {
	canvas content.Canvas
	fields []field
}

// paginate draws the items onto pages. Items that keep together move together,
// unless they fill more than a page.
func paginate(fonts *font.Set, items []item) ([]*page, error) {
	var pages []*page
	y := 0.0
	open := func() error {
		if len(pages) == maxPages {
			return text.Detailed(text.LimitExceeded, nil, "compose.limit.pages", maxPages)
		}
		pages = append(pages, &page{canvas: content.Canvas{Fonts: fonts}})
		y = pageHeight - marginTop
		if len(pages) > 1 {
			return pages[len(pages)-1].number(len(pages))
		}
		return nil
	}
	if err := open(); err != nil {
		return nil, err
	}
	for i := 0; i < len(items); i++ {
		top := y == pageHeight-marginTop
		if !top && y-needed(items[i:]) < marginFoot {
			if err := open(); err != nil {
				return nil, err
			}
			top = true
		}
		it := items[i]
		p := pages[len(pages)-1]
		if top && it.repeat != nil {
			if err := it.repeat.draw(p, y); err != nil {
				return nil, err
			}
			y -= it.repeat.height
		}
		if !top {
			y -= it.space
		}
		if y-it.height < marginFoot-bodyLeading { // a line of tolerance for rounding up
			return nil, text.Detailed(text.LimitExceeded, nil, "compose.limit.header")
		}
		if err := it.draw(p, y); err != nil {
			return nil, err
		}
		y -= it.height
	}
	return pages, nil
}

// needed is the height of the first item with all that has to stay with it; of a
// chain longer than a page only the first item counts.
func needed(items []item) float64 {
	total := 0.0
	for _, it := range items {
		total += it.space + it.height
		if !it.keep {
			break
		}
	}
	if total > pageHeight-marginTop-marginFoot {
		return items[0].space + items[0].height
	}
	return total
}

// number writes the page number in the middle of the upper margin.
func (p *page) number(n int) error {
	return p.centred(run(font.Regular, numberSize, itoa(n)), marginLeft+textWidth/2, pageHeight-marginTop/2-numberSize/3)
}

func run(style font.Style, size float64, s string) content.Run {
	return content.Run{Style: style, Size: size, Text: s}
}

// centred draws r with the middle of its baseline at x, y.
func (p *page) centred(r content.Run, x, y float64) error {
	w, err := r.Width()
	if err != nil {
		return err
	}
	return p.canvas.Show(r, x-w/2, y)
}

// word is a piece of text without spaces in one style.
type word struct {
	text  string
	style font.Style
	width float64
}

// wrap breaks the runs, which flow one after the other, into lines of at most
// width points, the first one shorter by indent. A word that is wider than a line
// is broken where it has to be.
func wrap(runs []content.Run, width, indent float64) ([][]word, error) {
	words, err := split(runs, width)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	space, err := run(font.Regular, runs[0].Size, " ").Width()
	if err != nil {
		return nil, err
	}
	var lines [][]word
	var line []word
	room := width - indent
	for _, w := range words {
		if len(line) > 0 && room < space+w.width {
			lines = append(lines, line)
			line, room = nil, width
		}
		if len(line) > 0 {
			room -= space
		}
		line = append(line, w)
		room -= w.width
	}
	return append(lines, line), nil
}

// balance is wrap for centred text: as few lines, but of about the same width, so
// that no last word stands alone.
func balance(r content.Run, width float64) ([][]word, error) {
	best, err := wrap([]content.Run{r}, width, 0)
	if err != nil || len(best) < 2 {
		return best, err
	}
	narrow, wide := 0.0, width
	for range balanceSteps {
		middle := (narrow + wide) / 2
		lines, err := wrap([]content.Run{r}, middle, 0)
		if err != nil {
			return nil, err
		}
		if len(lines) > len(best) || brokenWords(lines, r) {
			narrow = middle
		} else {
			best, wide = lines, middle
		}
	}
	return best, nil
}

// balanceSteps halve a line's width to less than a point.
const balanceSteps = 9

// brokenWords reports whether a word of r had to be broken.
func brokenWords(lines [][]word, r content.Run) bool {
	count := 0
	for _, words := range lines {
		count += len(words)
	}
	return count > len(strings.Fields(font.Normalise(r.Text)))
}

func split(runs []content.Run, width float64) ([]word, error) {
	var words []word
	for _, r := range runs {
		for _, s := range strings.Fields(font.Normalise(r.Text)) {
			for s != "" {
				part, w, err := longest(s, r.Style, r.Size, width)
				if err != nil {
					return nil, err
				}
				words = append(words, word{part, r.Style, w})
				s = s[len(part):]
			}
		}
	}
	return words, nil
}

// longest returns the start of s that fits into width, at least one character,
// and its width. It looks at no more of s than that, so that breaking a very long
// word costs no more than its length.
func longest(s string, style font.Style, size, width float64) (string, float64, error) {
	face, err := font.Load(style)
	if err != nil {
		return "", 0, err
	}
	used, end := 0.0, 0
	dash, dashUsed := 0, 0.0 // the last place where a number or a code may be broken
	for i, ch := range s {
		one, err := face.Advance(ch, size)
		if err != nil {
			return "", 0, err
		}
		if i > 0 && used+one > width {
			if dash > 0 {
				return s[:dash], dashUsed, nil
			}
			return s[:end], used, nil
		}
		used, end = used+one, i+utf8.RuneLen(ch)
		if ch == '-' || ch == '/' {
			dash, dashUsed = end, used
		}
	}
	return s, used, nil
}

// flow draws words from x along a baseline, with gap points more than usual in
// every space. Words of one style are shown together.
func (p *page) flow(words []word, size, x, y, gap float64) error {
	for len(words) > 0 {
		n := 1
		for n < len(words) && words[n].style == words[0].style {
			n++
		}
		parts := make([]string, 0, n+1)
		for _, w := range words[:n] {
			parts = append(parts, w.text)
		}
		if n < len(words) {
			parts = append(parts, "") // the space before the next style
		}
		r := content.Run{Style: words[0].style, Size: size, Text: strings.Join(parts, " "), Gap: gap}
		if err := p.canvas.Show(r, x, y); err != nil {
			return err
		}
		w, err := r.Width()
		if err != nil {
			return err
		}
		x += w
		words = words[n:]
	}
	return nil
}

// lineWidth is the width of words with plain spaces between them.
func lineWidth(words []word, size float64) (float64, error) {
	space, err := run(font.Regular, size, " ").Width()
	total := space * float64(len(words)-1)
	for _, w := range words {
		total += w.width
	}
	return total, err
}
