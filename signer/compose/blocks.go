package compose

import (
	"strconv"

	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

func itoa(n int) string { return strconv.Itoa(n) }

// body returns the items of the body's blocks.
func body(blocks []Block) ([]item, error) {
	var items []item
	for _, b := range blocks {
		var more []item
		var err error
		switch b := b.(type) {
		case Paragraph:
			more, err = b.items()
		case Heading:
			more, err = centredLines(run(font.Bold, bodySize, b.Text), marginLeft+textWidth/2, textWidth)
			for i := range more {
				more[i].keep = true
			}
		case Table:
			more, err = b.items()
		}
		if err != nil {
			return nil, err
		}
		if len(more) > 0 {
			more[0].space = bodySpace
		}
		items = append(items, more...)
	}
	return items, nil
}

func (b Paragraph) items() ([]item, error) {
	style := font.Regular
	if b.Italic {
		style = font.Italic
	}
	lines, err := wrap([]content.Run{run(font.Bold, bodySize, b.Lead), run(style, bodySize, b.Text)}, textWidth, bodyIndent)
	if err != nil {
		return nil, err
	}
	items := make([]item, len(lines))
	for i, words := range lines {
		// Two lines stay together at either end of a paragraph.
		keep := i == 0 && len(lines) > 1 || i == len(lines)-2
		items[i] = item{height: bodyLeading, keep: keep, draw: paragraphLine(words, i == 0, i == len(lines)-1)}
	}
	return items, nil
}

func paragraphLine(words []word, first, last bool) func(*page, float64) error {
	return func(p *page, top float64) error {
		x, room := marginLeft, textWidth
		if first {
			x, room = x+bodyIndent, room-bodyIndent
		}
		gap := 0.0
		if !last && len(words) > 1 {
			natural, err := lineWidth(words, bodySize)
			if err != nil {
				return err
			}
			gap = (room - natural) / float64(len(words)-1)
		}
		return p.flow(words, bodySize, x, baseline(top, bodySize, bodyLeading), gap)
	}
}

// baseline is the height of the baseline of a line of type whose upper edge is at top.
func baseline(top, size, leading float64) float64 {
	const ascent, descent = 0.891, 0.216 // of Liberation Serif, in sizes
	return top - (leading-(ascent+descent)*size)/2 - ascent*size
}

// centredLines breaks r into lines of at most width points, centred at x.
func centredLines(r content.Run, x, width float64) ([]item, error) {
	lines, err := balance(r, width)
	if err != nil {
		return nil, err
	}
	leading := r.Size * bodyLeading / bodySize
	items := make([]item, len(lines))
	for i, words := range lines {
		items[i] = item{height: leading, draw: func(p *page, top float64) error {
			w, err := lineWidth(words, r.Size)
			if err != nil {
				return err
			}
			return p.flow(words, r.Size, x-w/2, baseline(top, r.Size, leading), 0)
		}}
	}
	return items, nil
}

// leftLines breaks r into lines of at most width points from x; lines after the
// first are moved in by hanging.
func leftLines(r content.Run, x, width, hanging float64) ([]item, error) {
	lines, err := wrap([]content.Run{r}, width-hanging, -hanging)
	if err != nil {
		return nil, err
	}
	leading := r.Size * bodyLeading / bodySize
	items := make([]item, len(lines))
	for i, words := range lines {
		at := x
		if i > 0 {
			at += hanging
		}
		items[i] = item{height: leading, draw: func(p *page, top float64) error {
			return p.flow(words, r.Size, at, baseline(top, r.Size, leading), 0)
		}}
	}
	return items, nil
}

// stack is the height of items set one below the other.
func stack(items []item) float64 {
	h := 0.0
	for _, it := range items {
		h += it.space + it.height
	}
	return h
}

// drawStack draws items one below the other from top.
func drawStack(p *page, items []item, top float64) error {
	for _, it := range items {
		top -= it.space
		if err := it.draw(p, top); err != nil {
			return err
		}
		top -= it.height
	}
	return nil
}

// factLabel is the width of the labels of a dossier's facts.
const factLabel = 42 * mm

// factItems are the facts of a dossier: label, and value beside it.
func factItems(facts [][2]string) ([]item, error) {
	var items []item
	for i, f := range facts {
		label, err := leftLines(run(font.Regular, numberSize, f[0]), marginLeft+bodyIndent, factLabel, 0)
		if err != nil {
			return nil, err
		}
		x := marginLeft + bodyIndent + factLabel
		value, err := leftLines(run(font.Bold, numberSize, f[1]), x, marginLeft+textWidth-x, 0)
		if err != nil {
			return nil, err
		}
		it := item{height: max(stack(label), stack(value)), keep: i < len(facts)-1, draw: func(p *page, top float64) error {
			if err := drawStack(p, label, top); err != nil {
				return err
			}
			return drawStack(p, value, top)
		}}
		if i == 0 {
			it.space = bodySpace
		}
		items = append(items, it)
	}
	return items, nil
}
