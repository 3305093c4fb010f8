package render

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"slices"
)

const (
	// cell is the side, in pixels, of the squares in which two images are compared:
	// about the height of a letter, so that one changed digit is one mark.
	cell = 10
	// tolerance is how far a channel may differ before a pixel counts as another:
	// the same drawing comes out the same, so that this is for rounding only.
	tolerance = 24
	// maxPlaces bounds the marks on one page; a page with more differs as a whole.
	maxPlaces = 40
)

// errNotComparable says that two images are no versions of one page.
var errNotComparable = errors.New("images have different sizes")

// Differences says where two images of a page differ, as boxes in pixels; none when
// they look the same. It works in the memory of the two images, which Renderer
// bounds. Images of different size are an error: then the whole page differs.
func Differences(a, b []byte) ([]image.Rectangle, error) {
	if bytes.Equal(a, b) {
		return nil, nil
	}
	was, err := decode(a)
	if err != nil {
		return nil, err
	}
	is, err := decode(b)
	if err != nil {
		return nil, err
	}
	if was.Rect != is.Rect {
		return nil, errNotComparable
	}
	return places(cells(was, is), is.Rect), nil
}

// decode reads an image within the bounds of Renderer.
func decode(b []byte) (*image.RGBA, error) {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("reading a page image: %w", err)
	}
	if c.Width > MaxWidth || c.Height > maxHeight {
		return nil, errors.New("page image is too large to compare")
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("reading a page image: %w", err)
	}
	if rgba, ok := img.(*image.RGBA); ok {
		return rgba, nil
	}
	out := image.NewRGBA(img.Bounds())
	for y := out.Rect.Min.Y; y < out.Rect.Max.Y; y++ {
		for x := out.Rect.Min.X; x < out.Rect.Max.X; x++ {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out, nil
}

// grid is which cells of an image differ.
type grid struct {
	wide, high int
	differs    []bool
}

func cells(a, b *image.RGBA) grid {
	g := grid{wide: (a.Rect.Dx() + cell - 1) / cell, high: (a.Rect.Dy() + cell - 1) / cell}
	g.differs = make([]bool, g.wide*g.high)
	for y := range a.Rect.Dy() {
		rowA, rowB := a.Pix[y*a.Stride:y*a.Stride+4*a.Rect.Dx()], b.Pix[y*b.Stride:y*b.Stride+4*b.Rect.Dx()]
		if bytes.Equal(rowA, rowB) {
			continue
		}
		for x := range a.Rect.Dx() {
			if apart(rowA[4*x:4*x+4], rowB[4*x:4*x+4]) {
				g.differs[y/cell*g.wide+x/cell] = true
			}
		}
	}
	return g
}

func apart(a, b []byte) bool {
	for i := range a {
		if d := int(a[i]) - int(b[i]); d > tolerance || d < -tolerance {
			return true
		}
	}
	return false
}

// places joins the cells that differ to boxes: what lies within two cells of each
// other is one place, as the letters of a word are.
func places(g grid, within image.Rectangle) []image.Rectangle {
	var out []image.Rectangle
	seen := make([]bool, len(g.differs))
	for start := range g.differs {
		if !g.differs[start] || seen[start] {
			continue
		}
		box := g.fill(start, seen)
		out = append(out, image.Rect(box.Min.X*cell, box.Min.Y*cell, box.Max.X*cell, box.Max.Y*cell).Add(within.Min).Intersect(within))
	}
	if len(out) > maxPlaces {
		whole := out[0]
		for _, r := range out[1:] {
			whole = whole.Union(r)
		}
		return []image.Rectangle{whole}
	}
	return slices.Clip(out)
}

// fill marks what hangs together with the cell at start and returns its bounds, in
// cells.
func (g grid) fill(start int, seen []bool) image.Rectangle {
	const reach = 2
	todo := []int{start}
	seen[start] = true
	box := image.Rectangle{}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		x, y := at%g.wide, at/g.wide
		box = box.Union(image.Rect(x, y, x+1, y+1))
		for ny := max(0, y-reach); ny <= min(g.high-1, y+reach); ny++ {
			for nx := max(0, x-reach); nx <= min(g.wide-1, x+reach); nx++ {
				if n := ny*g.wide + nx; g.differs[n] && !seen[n] {
					seen[n] = true
					todo = append(todo, n)
				}
			}
		}
	}
	return box
}
