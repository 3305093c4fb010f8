package appearance

import "math"

// SealDiameter is the seal's diameter in millimetres unless the agency's settings
// say otherwise.
const SealDiameter = 36

// sealShare is how much of the person's signature the seal's square covers. The
// decree says about a third; at 0.34 of the square the disc itself covers 0.31.
const sealShare = 0.34

// SealRect returns the square for a round seal of diameterMM millimetres that
// covers about a third of the person's signature on its left side (Decree
// 30/2020, Annex I), centred on it in height. Rectangles are [x1 y1 x2 y2] in
// points of the page's own space, the page upright. The square is moved, never
// shrunk, to stay inside page; a page smaller than the seal gets it at its lower
// left corner. A diameter of zero or less is SealDiameter.
func SealRect(person [4]float64, diameterMM float64, page [4]float64) [4]float64 {
	person = ordered(person)
	if !(diameterMM > 0) {
		diameterMM = SealDiameter
	}
	d := diameterMM * PointsPerMM
	width, height := person[2]-person[0], person[3]-person[1]
	cover := sealShare * width
	if height > d { // a low seal has to reach further to cover as much
		cover = math.Min(cover*height/d, math.Min(d, width))
	}
	x := person[0] + cover - d
	y := (person[1]+person[3])/2 - d/2
	return Clamp([4]float64{x, y, x + d, y + d}, page)
}

// SealRectRotated is SealRect for a page that is shown turned clockwise by rotate
// degrees: left is then what the reader sees as left.
func SealRectRotated(person [4]float64, diameterMM float64, page [4]float64, rotate int) [4]float64 {
	quarter := ((rotate/90)%4 + 4) % 4
	return turn(SealRect(turn(person, quarter), diameterMM, turn(page, quarter)), 4-quarter)
}

// turn turns a rectangle clockwise around the origin by quarters of a circle.
func turn(r [4]float64, quarters int) [4]float64 {
	for range quarters {
		r = [4]float64{r[1], -r[2], r[3], -r[0]}
	}
	return ordered(r)
}

// Clamp moves rect inside page without changing its size. What does not fit
// starts at the page's lower left corner.
func Clamp(rect, page [4]float64) [4]float64 {
	rect, page = ordered(rect), ordered(page)
	for i := range 2 {
		size := rect[i+2] - rect[i]
		low := math.Max(page[i], math.Min(rect[i], page[i+2]-size))
		rect[i], rect[i+2] = low, low+size
	}
	return rect
}

// TopRight returns the rectangle of w by h points at the top right of page, where
// the decree puts the text of an attachment's or a copy's signature; 20 mm stay
// free above and 15 mm beside it.
func TopRight(w, h float64, page [4]float64) [4]float64 {
	page = ordered(page)
	x, y := page[2]-15*PointsPerMM-w, page[3]-20*PointsPerMM-h
	return Clamp([4]float64{x, y, x + w, y + h}, page)
}

func ordered(r [4]float64) [4]float64 {
	return [4]float64{math.Min(r[0], r[2]), math.Min(r[1], r[3]), math.Max(r[0], r[2]), math.Max(r[1], r[3])}
}
