package render

import "image"

// Ink is which parts of a page image hold anything but white, coarsely. The zero
// value is a page without ink. It is read-only.
type Ink struct{ g grid }

// light is how bright every channel of an empty place is at least.
const light = 0xe8

// InkOf reads a page image within the bounds of Renderer.
func InkOf(b []byte) (Ink, error) {
	img, err := decode(b)
	if err != nil {
		return Ink{}, err
	}
	g := grid{wide: (img.Rect.Dx() + cell - 1) / cell, high: (img.Rect.Dy() + cell - 1) / cell}
	g.differs = make([]bool, g.wide*g.high)
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride : y*img.Stride+4*img.Rect.Dx()]
		for x := range img.Rect.Dx() {
			if row[4*x] < light || row[4*x+1] < light || row[4*x+2] < light {
				g.differs[y/cell*g.wide+x/cell] = true
			}
		}
	}
	return Ink{g}, nil
}

// Free reports whether nothing is printed within r.
func (k Ink) Free(r image.Rectangle) bool {
	for y := max(0, r.Min.Y/cell); y <= min(k.g.high-1, (r.Max.Y-1)/cell); y++ {
		for x := max(0, r.Min.X/cell); x <= min(k.g.wide-1, (r.Max.X-1)/cell); x++ {
			if k.g.differs[y*k.g.wide+x] {
				return false
			}
		}
	}
	return true
}
