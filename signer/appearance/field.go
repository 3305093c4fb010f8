package appearance

import (
	"math"
	"strconv"
	"strings"

	"antin/signer/pdf"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// Align is where a field's text stands, with the numbers of /Q (ISO 32000-2,
// table 228). The zero value is left.
type Align int

// The places of text in a field.
const (
	Left   Align = 0
	Centre Align = 1
	Right  Align = 2
)

// FieldMark describes the value of a text field that is filled when the document
// is signed, such as number and date.
type FieldMark struct {
	Value string
	// Size is the size of the type in points, zero for 13, the size of number and
	// date lines.
	Size   float64
	Italic bool
	Align  Align
}

// fieldSize is the type size of number and date lines by the decree.
const fieldSize = 13

// FieldText returns the builder for the appearance of a filled text field. The
// baseline is where compose leaves it for its fields: a little above a quarter of
// the type size from the lower edge. The builder's errors are *text.Error
// (glyph-missing).
func FieldText(m FieldMark) Builder {
	return builder(func(c *content.Canvas, _ adder, w, h float64) (*pdf.Dict, error) {
		run := content.Run{Style: font.Regular, Size: m.Size, Text: m.Value}
		if m.Italic {
			run.Style = font.Italic
		}
		if run.Size <= 0 || math.IsNaN(run.Size) {
			run.Size = fieldSize
		}
		run, err := fit(run, w)
		if err != nil {
			return nil, err
		}
		width, err := run.Width()
		if err != nil {
			return nil, err
		}
		x := 0.0
		switch m.Align {
		case Left:
		case Centre:
			x = (w - width) / 2
		case Right:
			x = w - width
		}
		c.Raw([]byte("/Tx BMC\n"))
		c.Fill(black)
		if err := c.Show(run, x, FieldBaseline(h)); err != nil {
			return nil, err
		}
		c.Raw([]byte("EMC\n"))
		return nil, nil
	})
}

// FieldBaseline is the height of the baseline in a single-line field of h points.
func FieldBaseline(h float64) float64 { return 0.25 * h }

// Field returns the mark of a text field whose /DA and /Q are given: size and
// slope follow the default appearance as compose writes it.
func Field(value, da string, quadding int) FieldMark {
	m := FieldMark{Value: value}
	if quadding == int(Centre) || quadding == int(Right) {
		m.Align = Align(quadding)
	}
	words := strings.Fields(da)
	for i, w := range words {
		if w != "Tf" || i < 2 {
			continue
		}
		if size, err := strconv.ParseFloat(words[i-1], 64); err == nil && size > 0 && size < maxFieldSize {
			m.Size = size
		}
		m.Italic = words[i-2] == "/"+string(font.ResourceName(font.Italic))
	}
	return m
}

// maxFieldSize is the largest type in points that a default appearance is
// believed to ask for: larger ones come from damaged files.
const maxFieldSize = 144
