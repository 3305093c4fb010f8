package validation

import (
	"math"

	"antin/signer/pades"
)

// placeOf is where a signature stands: its page from 1, and the box of its widget.
// A box without area is none: an invisible signature has a page at most.
func placeOf(sig *pades.Signature) (page int, box []float64) {
	r := sig.Rect
	for _, n := range r {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return sig.Page, []float64{}
		}
	}
	if sig.Page == 0 || areaOf(r) == 0 {
		return sig.Page, []float64{}
	}
	return sig.Page, r[:]
}
