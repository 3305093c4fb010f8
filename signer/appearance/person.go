package appearance

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"antin/signer/pdf"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// PersonMark describes the signature of a competent person: the image of the
// handwritten signature and, by the decree, nothing else.
type PersonMark struct {
	// Name is the signer's name. Without Image a pen stroke in blue is drawn whose
	// shape depends on the name alone.
	Name string
	// Image is the image of the handwritten signature, PNG or JPEG, best a
	// PNG on a transparent ground.
	// It is shown as it is, centred, in its own proportions.
	Image []byte
	// Line is one line of small text under the image; usually empty.
	Line string
}

// Person returns the builder for a competent person's signature. The builder's
// errors are *text.Error: glyph-missing for Line, invalid-input for an image that
// is neither PNG nor JPEG within the limits.
func Person(m PersonMark) Builder {
	return builder(func(c *content.Canvas, a adder, w, h float64) (*pdf.Dict, error) {
		floor := 0.0
		if m.Line != "" {
			size := math.Min(BlockSize, h/4)
			fitted, err := fit(content.Run{Style: font.Regular, Size: size, Text: m.Line}, w)
			if err != nil {
				return nil, err
			}
			c.Fill(black)
			if err := centred(c, fitted, w/2, size*0.3); err != nil {
				return nil, err
			}
			floor = size * 1.3
		}
		if len(m.Image) > 0 {
			return drawImage(c, a, m.Image, [4]float64{0, floor, w, h})
		}
		penStroke(c, font.Normalise(m.Name), [4]float64{w * 0.04, floor + h*0.06, w * 0.96, h * 0.94})
		return nil, nil
	})
}

// point is a place of the pen, in a box of 1 by 1.
type point struct{ x, y float64 }

// penStroke draws a signature-like line that depends on name alone: a tall first
// loop, a row of smaller ones, one for each letter up to a limit, and a line
// swept back under them.
func penStroke(c *content.Canvas, name string, box [4]float64) {
	chance := chooser(name)
	letters := min(max(len([]rune(name))/2, 4), 9)
	path := firstLoop(chance)
	x, step := 0.26, 0.60/float64(letters)
	for range letters {
		path = append(path, loop(chance, x, step)...)
		x += step
	}
	path = append(path, point{0.93, 0.50}, point{0.97, 0.62 + 0.1*chance()}, point{0.90, 0.34})
	path = append(path, point{0.62, 0.14 + 0.04*chance()}, point{0.30, 0.12 + 0.05*chance()}, point{0.12, 0.20},
		point{0.22, 0.25}, point{0.60, 0.20 + 0.03*chance()}, point{0.99, 0.30 + 0.1*chance()})
	for i, p := range path {
		path[i] = point{box[0] + p.x*(box[2]-box[0]), box[1] + p.y*(box[3]-box[1])}
	}
	c.Save()
	c.Op("J", 1) // round ends and joins, as a pen leaves them
	c.Op("j", 1)
	drawThrough(c, path, math.Max(0.6, (box[3]-box[1])/58))
	c.Restore()
}

func firstLoop(chance func() float64) []point {
	lean := 0.05 * chance()
	return []point{{0.05, 0.48}, {0.10 + lean, 0.80}, {0.19 + lean, 0.97}, {0.23 + lean, 0.86},
		{0.15, 0.52}, {0.10, 0.30 - 0.05*chance()}, {0.08, 0.38}, {0.17, 0.50}}
}

// loop is one letter: up, over, and down again to the line of writing.
func loop(chance func() float64, x, step float64) []point {
	base := 0.40 + 0.05*(chance()-0.5)
	top := base + 0.14 + 0.12*chance()
	if chance() > 0.72 {
		top = 0.84 + 0.08*chance() // an ascender
	}
	if chance() > 0.8 {
		base = 0.30 // a descender
	}
	back := 0.35 * step * chance()
	return []point{{x + 0.45*step, (base + top) / 2}, {x + 0.75*step, top}, {x + 0.50*step - back, top - 0.03},
		{x + 0.55*step - back, base + 0.04}, {x + 0.85*step, base}}
}

// drawThrough draws a smooth curve through the points (Catmull-Rom as Bézier
// curves); the line is thinner where the pen moves fast, as ink is.
func drawThrough(c *content.Canvas, p []point, width float64) {
	at := func(i int) point { return p[min(max(i, 0), len(p)-1)] }
	mean := 0.0
	for i := 1; i < len(p); i++ {
		mean += math.Hypot(p[i].x-p[i-1].x, p[i].y-p[i-1].y) / float64(len(p)-1)
	}
	for i := range len(p) - 1 {
		a, b, d, e := at(i-1), at(i), at(i+1), at(i+2)
		speed := math.Hypot(d.x-b.x, d.y-b.y) / mean
		c.Stroke(ink, width*math.Max(0.55, math.Min(1.35, 1.45-0.4*speed)))
		c.Op("m", b.x, b.y)
		c.Op("c", b.x+(d.x-a.x)/6, b.y+(d.y-a.y)/6, d.x-(e.x-b.x)/6, d.y-(e.y-b.y)/6, d.x, d.y)
		c.Op("S")
	}
}

// chooser returns numbers from 0 to 1 that follow from seed.
func chooser(seed string) func() float64 {
	state := sha256.Sum256([]byte(seed))
	next := 0
	return func() float64 {
		if next+2 > len(state) {
			state, next = sha256.Sum256(state[:]), 0
		}
		v := binary.BigEndian.Uint16(state[next:])
		next += 2
		return float64(v) / math.MaxUint16
	}
}
