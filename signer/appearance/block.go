package appearance

import (
	"math"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// leading is the distance of lines in a text block, in sizes of the type.
const leading = 1.2

// padding is the room around a text block in points.
const padding = 3

type alignment int

const (
	alignLeft alignment = iota
	alignRight
)

// BlockMark describes the text block of a signature without image: the agency's
// signature on an attachment, on a copy, or on a document from outside.
type BlockMark struct {
	// Lines are written one below the other; NumberLines makes the decree's two.
	Lines []string
}

// NumberLines returns the two lines of an attachment's signature: the document's
// number and notation, and the signing time.
func NumberLines(number string, at time.Time) []string {
	return []string{text.Get("appearance.number", number).VI, text.Get("appearance.time", SigningTime(at)).VI}
}

// TextBlock returns the builder for a block of black, upright text of BlockSize
// points, as the decree sets it; only a rectangle too small for it makes it
// smaller. The builder's errors are *text.Error (glyph-missing).
func TextBlock(m BlockMark) Builder {
	return builder(func(c *content.Canvas, _ adder, w, h float64) (*pdf.Dict, error) {
		return nil, lines(c, m.Lines, black, [4]float64{0, 0, w, h}, alignLeft)
	})
}

// TextBlockSize returns the size in points that the lines need at BlockSize.
func TextBlockSize(rows []string) (w, h float64, err error) {
	for _, row := range rows {
		width, err := content.Run{Style: font.Regular, Size: BlockSize, Text: row}.Width()
		if err != nil {
			return 0, 0, err
		}
		w = math.Max(w, width)
	}
	return math.Ceil(w + 2*padding), math.Ceil(float64(len(rows))*BlockSize*leading + 2*padding), nil
}

// PlainMark describes the visible signature that the command line makes unless
// told otherwise: who signed, for whom, when.
type PlainMark struct {
	// Name is the signer; Agency and Reason are left out when empty.
	Name, Agency, Reason string
	// At is the claimed signing time; the zero time is left out.
	At time.Time
	// Lang is the language of the labels; empty is Vietnamese.
	Lang text.Lang
}

// Plain returns the builder for m: a thin frame with the lines inside. The
// builder's errors are *text.Error (glyph-missing).
func Plain(m PlainMark) Builder {
	rows := m.lines()
	return builder(func(c *content.Canvas, _ adder, w, h float64) (*pdf.Dict, error) {
		const line = 0.6
		c.Stroke(ink, line)
		c.Rect(line/2, line/2, w-line, h-line)
		return nil, lines(c, rows, ink, [4]float64{2, 0, w - 2, h}, alignLeft)
	})
}

// PlainSize returns the size in points that suits m.
func PlainSize(m PlainMark) (w, h float64, err error) {
	w, h, err = TextBlockSize(m.lines())
	return w + 4, h, err
}

func (m PlainMark) lines() []string {
	var rows []string
	add := func(key text.Key, value string) {
		if value = strings.TrimSpace(value); value != "" {
			rows = append(rows, text.Get(key, value).In(m.Lang))
		}
	}
	add("appearance.signer", m.Name)
	add("appearance.agency", m.Agency)
	add("appearance.reason", m.Reason)
	if !m.At.IsZero() {
		add("appearance.time", SigningTime(m.At))
	}
	return rows
}

// lines writes rows into box, in the middle of its height, in BlockSize or as
// much smaller as the box asks for.
func lines(c *content.Canvas, rows []string, col content.Color, box [4]float64, align alignment) error {
	w, h, err := TextBlockSize(rows)
	if err != nil {
		return err
	}
	room := [2]float64{box[2] - box[0], box[3] - box[1]}
	if len(rows) == 0 || room[0] <= 0 || room[1] <= 0 {
		return text.Detailed(text.InvalidInput, nil, "appearance.empty")
	}
	scale := math.Min(1, math.Min(room[0]/w, room[1]/h))
	size := BlockSize * scale
	top := box[1] + (room[1]+float64(len(rows))*size*leading)/2
	c.Fill(col)
	for i, row := range rows {
		run := content.Run{Style: font.Regular, Size: size, Text: row}
		y := top - (float64(i)+0.78)*size*leading
		x := box[0] + padding*scale
		if align == alignRight {
			width, err := run.Width()
			if err != nil {
				return err
			}
			x = box[2] - padding*scale - width
		}
		if err := c.Show(run, x, y); err != nil {
			return err
		}
	}
	return nil
}

// fit makes run smaller until it is at most w points wide.
func fit(run content.Run, w float64) (content.Run, error) {
	width, err := run.Width()
	if err == nil && width > w {
		run.Size *= w / width
	}
	return run, err
}

// centred draws run with the middle of its baseline at x, y.
func centred(c *content.Canvas, run content.Run, x, y float64) error {
	width, err := run.Width()
	if err != nil {
		return err
	}
	return c.Show(run, x-width/2, y)
}
