package signer_test

import (
	"math"
	"testing"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
)

// anchored is a page that shows "So 12/QD-UBND" at 72,700 in 24 points.
func anchored(page string) []byte {
	return padestest.Simple(padestest.Classic, "1.7").With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "+
		"/Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> "+page+" >>").Bytes()
}

func TestTheSignatureStandsBesideItsAnchor(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	// The text begins after "So ", which in Helvetica is 1,501 thousandths wide, and is
	// 6,056 wide itself: it stands at 108.024 to 253.368, 700 to 724.
	below := [4]float64{0, -64, 200, -4}
	for name, c := range map[string]struct {
		page       string
		rect, want [4]float64
	}{
		"below":              {"", below, [4]float64{108.024, 636, 308.024, 696}},
		"above":              {"", [4]float64{0, 30, 200, 90}, [4]float64{108.024, 730, 308.024, 790}},
		"kept on the page":   {"", [4]float64{500, 0, 700, 60}, [4]float64{395, 700, 595, 760}},
		"kept within a crop": {"/CropBox [60 660 400 800]", below, [4]float64{108.024, 660, 308.024, 720}},
		// Shown a quarter turn clockwise the text runs down the page, which ends after 142 points.
		"turned clockwise":        {"/Rotate 90", below, [4]float64{257.368, 642, 317.368, 842}},
		"turned upside down":      {"/Rotate 180", below, [4]float64{53.368, 728, 253.368, 788}},
		"turned counterclockwise": {"/Rotate 270", [4]float64{0, -64, 20, -4}, [4]float64{44.024, 704, 104.024, 724}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _ := sign(t, a.signer(), anchored(c.page), signer.Request{Key: certstest.RoleLeader, Anchor: "12/QD-UBND", Page: pades.LastPage, Rect: c.rect})
			_, s := signerInfo(t, out)
			for i, v := range s.Rect {
				if s.Page != 1 || math.Abs(v-c.want[i]) > 0.001 {
					t.Fatalf("page %d, %v, want %v", s.Page, s.Rect, c.want)
				}
			}
		})
	}
}

func TestAnAnchorThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := anchored("")
	refused(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader, Anchor: "13/QD", Rect: [4]float64{0, 0, 9, 9}}, text.NotFound)
	refused(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader, Anchor: "12/QD", Rect: [4]float64{0, 0, 900, 9}}, text.InvalidInput)
	if a.used != 0 {
		t.Error("key was used")
	}
}
