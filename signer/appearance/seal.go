package appearance

import (
	"math"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// SealMark describes the image of an agency's seal.
type SealMark struct {
	// Agency is the name in the seal: in the middle when Parent is set, else along
	// the ring around a star. It is set in capitals.
	Agency string
	// Parent is the superior agency, written along the ring; may be empty.
	Parent string
	// DiameterMM is the true diameter in millimetres; zero is SealDiameter. The seal
	// is drawn at that size whatever the rectangle is, unless the rectangle is smaller.
	DiameterMM float64
	// Image is the image of the agency's own seal, PNG or JPEG; it takes the place of the drawn one.
	Image []byte
	// Caption is black text under the seal, in BlockSize, for documents from outside
	// whose number stands in the seal's own block. The rectangle has to be larger
	// than the seal for it: SealBlock tells how large, SealBlockRect where. By the
	// decree the seal of a document that has its number is the image alone.
	Caption []string
}

// captionGap is the room between the seal and its caption in points.
const captionGap = 2

func (m SealMark) diameter() float64 {
	if m.DiameterMM <= 0 || math.IsNaN(m.DiameterMM) {
		return SealDiameter * PointsPerMM
	}
	return m.DiameterMM * PointsPerMM
}

// Seal returns the builder for an agency's seal: in the middle of its rectangle,
// or, with a caption, in the upper right corner and the caption below, flush
// right. The builder's errors are *text.Error: glyph-missing, or invalid-input for
// a bad image.
func Seal(m SealMark) Builder {
	return builder(func(c *content.Canvas, a adder, w, h float64) (*pdf.Dict, error) {
		foot := 0.0
		if len(m.Caption) > 0 {
			_, th, err := TextBlockSize(m.Caption)
			if err != nil {
				return nil, err
			}
			foot = math.Min(th+captionGap, h/2)
			if err := lines(c, m.Caption, black, [4]float64{0, 0, w, foot - captionGap*foot/(th+captionGap)}, alignRight); err != nil {
				return nil, err
			}
		}
		d := min(m.diameter(), w, h-foot)
		x, y := (w-d)/2, (h-d)/2
		if foot > 0 {
			x, y = w-d, h-d
		}
		if len(m.Image) > 0 {
			return drawImage(c, a, m.Image, [4]float64{x, y, x + d, y + d})
		}
		return nil, drawSeal(c, m, x+d/2, y+d/2, d/2)
	})
}

// SealBlock returns the size in points of the rectangle that holds the seal of m
// at its true size and its caption.
func SealBlock(m SealMark) (w, h float64, err error) {
	d := m.diameter()
	if len(m.Caption) == 0 {
		return d, d, nil
	}
	tw, th, err := TextBlockSize(m.Caption)
	if err != nil {
		return 0, 0, err
	}
	return math.Max(d, tw), d + captionGap + th, nil
}

// SealBlockRect returns the rectangle for m, seal and caption, that puts the seal
// where SealRect puts it for the signature person on page. The caption reaches
// down and to the left, so that the rectangle covers no more of the signature
// than the seal does; near the page's edge the whole moves inside.
func SealBlockRect(m SealMark, person, page [4]float64) ([4]float64, error) {
	w, h, err := SealBlock(m)
	if err != nil {
		return [4]float64{}, err
	}
	anywhere := [4]float64{math.Inf(-1), math.Inf(-1), math.Inf(1), math.Inf(1)}
	seal := SealRect(person, m.diameter()/PointsPerMM, anywhere)
	return Clamp([4]float64{seal[2] - w, seal[3] - h, seal[2], seal[3]}, page), nil
}

// drawSeal draws the seal around x, y. All measures follow from the radius, so
// that the drawing is the same at every size.
func drawSeal(c *content.Canvas, m SealMark, x, y, r float64) error {
	agency, parent := capitals(m.Agency), capitals(m.Parent)
	if agency == "" && parent == "" {
		return text.Detailed(text.InvalidInput, nil, "appearance.empty")
	}
	c.Stroke(red, r*0.045)
	c.Circle(x, y, r*0.9775) // the outer edge of the line is the true size
	c.Stroke(red, r*0.015)
	c.Circle(x, y, r*0.915)
	c.Circle(x, y, r*0.62)
	c.Fill(red)
	if parent == "" || agency == "" {
		star(c, x, y, r*0.42)
		star(c, x, y-r*0.765, r*0.08)
		return arc(c, agency+parent, x, y, r)
	}
	star(c, x, y-r*0.765, r*0.08)
	if err := arc(c, parent, x, y, r); err != nil {
		return err
	}
	return inCircle(c, agency, x, y, r*0.54)
}

func capitals(s string) string {
	return strings.ToUpper(strings.Join(strings.Fields(font.Normalise(s)), " "))
}

// The ring of the seal: the radius of the line of writing, the height of the
// letters, and how much of the circle text may take (the rest is the star's).
const (
	arcBaseline = 0.675
	arcSize     = 0.20
	arcSpan     = 1.62 * math.Pi
)

// arc writes s along the upper part of the ring, centred at the top, in letters
// as large as they fit.
func arc(c *content.Canvas, s string, x, y, r float64) error {
	size := r * arcSize
	whole := content.Run{Style: font.Bold, Size: size, Text: s}
	width, err := whole.Width()
	if err != nil {
		return err
	}
	radius := r * arcBaseline
	if limit := arcSpan * radius; width > limit {
		size *= limit / width
		width = limit
		radius += (r*arcSize - size) * 0.33 // smaller letters stay in the middle of the ring
	}
	angle := math.Pi/2 + width/radius/2
	for _, ch := range s {
		one := content.Run{Style: font.Bold, Size: size, Text: string(ch)}
		advance, err := one.Width()
		if err != nil {
			return err
		}
		angle -= advance / radius / 2
		sin, cos := math.Sincos(angle - math.Pi/2)
		cx, cy := x+radius*math.Cos(angle), y+radius*math.Sin(angle)
		if ch != ' ' {
			err = c.ShowAt(one, [6]float64{cos, sin, -sin, cos, cx - cos*advance/2, cy - sin*advance/2})
		}
		if err != nil {
			return err
		}
		angle -= advance / radius / 2
	}
	return nil
}

// inCircle writes s in centred lines inside a circle of radius r, in letters as
// large as they fit.
func inCircle(c *content.Canvas, s string, x, y, r float64) error {
	words := strings.Fields(s)
	for size := r * 0.40; ; size *= 0.94 {
		rows, err := wrapCircle(words, size, r)
		if err != nil {
			return err
		}
		if rows == nil && size > r*0.05 {
			continue
		}
		if rows == nil {
			rows = []string{s}
		}
		top := y + float64(len(rows))*size*circleLeading/2
		for i, row := range rows {
			run := content.Run{Style: font.Bold, Size: size, Text: row}
			if err := centred(c, run, x, top-(float64(i)+0.78)*size*circleLeading); err != nil {
				return err
			}
		}
		return nil
	}
}

const circleLeading = 1.16

// wrapCircle breaks words into rows that all lie within a circle of radius r, nil
// when they do not fit at this size. It takes as few rows as it can and makes
// them about equally full.
func wrapCircle(words []string, size, r float64) ([]string, error) {
	for count := 1; count <= min(len(words), maxCircleRows); count++ {
		for _, share := range [...]float64{0.6, 0.7, 0.8, 0.9, 1} {
			rows, err := fillRows(words, count, share, size, r)
			if err != nil || rows != nil {
				return rows, err
			}
		}
	}
	return nil, nil
}

// maxCircleRows is how many rows of text a seal's middle can hold legibly.
const maxCircleRows = 6

// fillRows puts words into count rows, each of which takes at most share of the
// width that the circle has at its height; nil when they do not fit.
func fillRows(words []string, count int, share, size, r float64) ([]string, error) {
	rows := make([]string, 0, count)
	for i := range count {
		edge := math.Max(math.Abs(float64(2*i-count)), math.Abs(float64(2*i+2-count))) / 2 * size * circleLeading
		if edge >= r {
			return nil, nil
		}
		room := 2 * math.Sqrt(r*r-edge*edge) * share
		row := ""
		for len(words) > 0 {
			longer := strings.TrimSpace(row + " " + words[0])
			width, err := content.Run{Style: font.Bold, Size: size, Text: longer}.Width()
			if err != nil {
				return nil, err
			}
			if width > room {
				break
			}
			row, words = longer, words[1:]
		}
		if row == "" {
			return nil, nil
		}
		rows = append(rows, row)
	}
	if len(words) > 0 {
		return nil, nil
	}
	return rows, nil
}

// star fills a five-pointed star whose points lie at distance r from x, y.
func star(c *content.Canvas, x, y, r float64) {
	const inner = 0.381966 // the ratio at which the edges of a pentagram line up
	for i := range 10 {
		d, op := r, "l"
		if i%2 == 1 {
			d *= inner
		}
		if i == 0 {
			op = "m"
		}
		sin, cos := math.Sincos(math.Pi/2 + float64(i)*math.Pi/5)
		c.Op(op, x+d*cos, y+d*sin)
	}
	c.Op("f")
}
