// Package content writes the operators of a PDF content stream (ISO 32000-2, 8
// and 9.4): text in the faces of package font, lines and curves. Coordinates and
// sizes are in points from the lower left corner. It lays nothing out.
package content

import (
	"bytes"
	"math"
	"strconv"

	"antin/signer/pdf/font"
)

// Color is an RGB colour, each part from 0 to 1. The zero value is black.
type Color struct{ R, G, B float64 }

// Canvas collects the operators of one content stream. Fonts must be set; several
// canvases of one document share it. A canvas is not safe for concurrent use.
type Canvas struct {
	// Fonts receives the characters that the canvas shows.
	Fonts *font.Set
	b     bytes.Buffer
}

// Bytes is the content stream so far.
func (c *Canvas) Bytes() []byte { return c.b.Bytes() }

// Raw appends operators made elsewhere.
func (c *Canvas) Raw(operators []byte) { c.b.Write(operators) }

// Op appends an operator with its numbers.
func (c *Canvas) Op(operator string, numbers ...float64) {
	for _, n := range numbers {
		c.b.WriteString(decimal(n))
		c.b.WriteByte(' ')
	}
	c.b.WriteString(operator)
	c.b.WriteByte('\n')
}

// decimals is how fine numbers are written: a thousandth of a point is finer
// than any printer, and four keep the angles of small type exact.
const decimals = 4

func decimal(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	scale := math.Pow10(decimals)
	return strconv.FormatFloat(math.Round(v*scale)/scale+0, 'f', -1, 64)
}

// Fill sets the colour of text and filled areas.
func (c *Canvas) Fill(col Color) { c.Op("rg", col.R, col.G, col.B) }

// Stroke sets the colour and the width of lines.
func (c *Canvas) Stroke(col Color, width float64) {
	c.Op("RG", col.R, col.G, col.B)
	c.Op("w", width)
}

// Save and Restore bracket a change of the graphics state.
func (c *Canvas) Save() { c.Op("q") }

// Restore undoes what changed since the matching Save.
func (c *Canvas) Restore() { c.Op("Q") }

// Line draws a line.
func (c *Canvas) Line(x1, y1, x2, y2 float64) {
	c.Op("m", x1, y1)
	c.Op("l", x2, y2)
	c.Op("S")
}

// Rect draws the outline of a rectangle.
func (c *Canvas) Rect(x, y, w, h float64) {
	c.Op("re", x, y, w, h)
	c.Op("S")
}

// Circle draws the outline of a circle in four Bézier curves.
func (c *Canvas) Circle(x, y, r float64) {
	const k = 0.5522847498 // the control points of a quarter circle of radius 1
	c.Op("m", x+r, y)
	c.Op("c", x+r, y+k*r, x+k*r, y+r, x, y+r)
	c.Op("c", x-k*r, y+r, x-r, y+k*r, x-r, y)
	c.Op("c", x-r, y-k*r, x-k*r, y-r, x, y-r)
	c.Op("c", x+k*r, y-r, x+r, y-k*r, x+r, y)
	c.Op("s")
}

// Run is a piece of text of one style and size.
type Run struct {
	Style font.Style
	Size  float64 // points
	Text  string
	// Gap is added to every space, in points, to justify a line.
	Gap float64
}

// Width returns the width of r in points.
func (r Run) Width() (float64, error) {
	face, err := font.Load(r.Style)
	if err != nil {
		return 0, err
	}
	w, err := face.Measure(r.Text, r.Size)
	if err != nil {
		return 0, err
	}
	for _, ch := range font.Normalise(r.Text) {
		if ch == ' ' {
			w += r.Gap
		}
	}
	return w, nil
}

// Show draws r with the left end of its baseline at x, y.
func (c *Canvas) Show(r Run, x, y float64) error { return c.ShowAt(r, [6]float64{1, 0, 0, 1, x, y}) }

// ShowAt draws r with the text matrix m, which may turn it.
func (c *Canvas) ShowAt(r Run, m [6]float64) error {
	subset, err := c.Fonts.Subset(r.Style)
	if err != nil {
		return err
	}
	codes, err := subset.Encode(r.Text)
	if err != nil {
		return err
	}
	if len(codes) == 0 {
		return nil
	}
	c.b.WriteString("BT\n/" + string(font.ResourceName(r.Style)) + " ")
	c.Op("Tf", r.Size)
	c.Op("Tm", m[:]...)
	c.b.WriteByte('[')
	c.glyphs(codes, []rune(font.Normalise(r.Text)), r)
	c.b.WriteString("] TJ\nET\n")
	return nil
}

// glyphs writes the elements of a TJ array: strings, broken after a space where
// the space has to grow.
func (c *Canvas) glyphs(codes []uint16, runes []rune, r Run) {
	const digits = "0123456789ABCDEF"
	open := false
	for i, code := range codes {
		if !open {
			c.b.WriteByte('<')
			open = true
		}
		for shift := 12; shift >= 0; shift -= 4 {
			c.b.WriteByte(digits[code>>shift&15])
		}
		if runes[i] == ' ' && r.Gap != 0 {
			c.b.WriteString("> " + decimal(-r.Gap*1000/r.Size) + " ")
			open = false
		}
	}
	if open {
		c.b.WriteByte('>')
	}
}
