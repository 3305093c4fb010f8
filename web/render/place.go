package render

import (
	"image"
	"math"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/requests"
)

// geometry says which part of a page its image shows, and how it is turned. A page
// whose geometry cannot be read is shown without marks.
func geometry(inst pdfium.Pdfium, at requests.Page) (box [4]float64, turns int) {
	shown, err := inst.FPDF_GetPageBoundingBox(&requests.FPDF_GetPageBoundingBox{Page: at})
	if err != nil {
		return box, 0
	}
	r := shown.Rect
	box = [4]float64{float64(min(r.Left, r.Right)), float64(min(r.Bottom, r.Top)), float64(max(r.Left, r.Right)), float64(max(r.Bottom, r.Top))}
	rotation, err := inst.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: at})
	if err != nil {
		return [4]float64{}, 0
	}
	return box, int(rotation.PageRotation)
}

// Pixels is where a box in points of the page's own space (left, bottom, right,
// top) lies in the image, whatever way the page is turned; false when it lies
// outside or cannot be told.
func (p Page) Pixels(box []float64) (image.Rectangle, bool) {
	w, h := p.Box[2]-p.Box[0], p.Box[3]-p.Box[1]
	if len(box) != 4 || !(w > 0) || !(h > 0) || p.Width <= 0 || p.Height <= 0 {
		return image.Rectangle{}, false
	}
	x0, y0 := p.turned((box[0]-p.Box[0])/w, (p.Box[3]-box[3])/h)
	x1, y1 := p.turned((box[2]-p.Box[0])/w, (p.Box[3]-box[1])/h)
	at := func(share float64, of int) int {
		if !(share > 0) { // also what is no number
			return 0
		}
		return int(math.Round(min(share, 1) * float64(of)))
	}
	r := image.Rect(at(x0, p.Width), at(y0, p.Height), at(x1, p.Width), at(y1, p.Height))
	return r, !r.Empty()
}

// turned moves a place, in shares of the unturned page from its top left, to where
// it lies on the page as shown.
func (p Page) turned(x, y float64) (float64, float64) {
	switch p.Rotate & 3 {
	case 1:
		return 1 - y, x
	case 2:
		return 1 - x, 1 - y
	case 3:
		return y, 1 - x
	}
	return x, y
}
