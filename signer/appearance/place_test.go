package appearance_test

import (
	"math"
	"strconv"
	"testing"

	"antin/signer/appearance"
)

func pdfNumber(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

var a4 = [4]float64{0, 0, 595.28, 841.89}

func overlap(a, b [4]float64) float64 {
	return math.Max(0, math.Min(a[2], b[2])-math.Max(a[0], b[0])) * math.Max(0, math.Min(a[3], b[3])-math.Max(a[1], b[1]))
}

func area(r [4]float64) float64 { return (r[2] - r[0]) * (r[3] - r[1]) }

func TestTheSealCoversAThirdOnTheLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		person   [4]float64
		diameter float64
	}{
		{[4]float64{350, 200, 520, 285}, 36},
		{[4]float64{350, 200, 520, 285}, 0},
		{[4]float64{350, 200, 520, 285}, 30},
		{[4]float64{520, 285, 350, 200}, 36}, // corners the other way round
		{[4]float64{300, 300, 420, 340}, 42},
		{[4]float64{300, 300, 400, 440}, 40}, // higher than the seal
	} {
		seal := appearance.SealRect(c.person, c.diameter, a4)
		person := [4]float64{math.Min(c.person[0], c.person[2]), math.Min(c.person[1], c.person[3]), math.Max(c.person[0], c.person[2]), math.Max(c.person[1], c.person[3])}
		if share := overlap(person, seal) / area(person); share < 0.30 || share > 0.37 {
			t.Errorf("%v, %v mm: covers %.3f", c.person, c.diameter, share)
		}
		if seal[0] >= person[0] || seal[2] >= person[2] {
			t.Errorf("%v: seal at %v is not on the left", c.person, seal)
		}
		want := c.diameter
		if want == 0 {
			want = 36
		}
		if math.Abs(seal[2]-seal[0]-want*72/25.4) > 1e-9 || math.Abs(seal[3]-seal[1]-want*72/25.4) > 1e-9 {
			t.Errorf("%v: seal %v is not of true size", c.person, seal)
		}
	}
}

func TestASealWithCaptionStandsWhereTheSealAloneWould(t *testing.T) {
	t.Parallel()
	person := [4]float64{350, 200, 520, 285}
	mark := appearance.SealMark{Agency: "Sở Nội vụ", Caption: appearance.NumberLines("15/QĐ-UBND", signingTime)}
	block, err := appearance.SealBlockRect(mark, person, a4)
	if err != nil {
		t.Fatal(err)
	}
	seal := appearance.SealRect(person, 36, a4)
	if math.Abs(block[2]-seal[2]) > 1e-9 || math.Abs(block[3]-seal[3]) > 1e-9 || block[0] >= seal[0] || block[1] >= seal[1] {
		t.Errorf("block %v, seal %v", block, seal)
	}
	if share := overlap(person, block) / area(person); share < 0.30 || share > 0.37 {
		t.Errorf("the block covers %.3f of the signature", share)
	}
	low, err := appearance.SealBlockRect(mark, [4]float64{10, 10, 60, 40}, a4)
	if err != nil || low[0] != 0 || low[1] != 0 {
		t.Errorf("near the corner the block is at %v: %v", low, err)
	}
}

// TestTheDiscItselfCoversAThird samples the round seal, not its square.
func TestTheDiscItselfCoversAThird(t *testing.T) {
	t.Parallel()
	person := [4]float64{350, 200, 350 + 60*72/25.4, 200 + 30*72/25.4}
	seal := appearance.SealRect(person, 36, a4)
	x, y, r := (seal[0]+seal[2])/2, (seal[1]+seal[3])/2, (seal[2]-seal[0])/2
	const steps = 400
	covered := 0
	for i := range steps {
		for j := range steps {
			px := person[0] + (float64(i)+0.5)/steps*(person[2]-person[0])
			py := person[1] + (float64(j)+0.5)/steps*(person[3]-person[1])
			if math.Hypot(px-x, py-y) <= r {
				covered++
			}
		}
	}
	if share := float64(covered) / (steps * steps); share < 0.30 || share > 0.37 {
		t.Errorf("the disc covers %.3f", share)
	}
}

func TestTheSealStaysOnThePage(t *testing.T) {
	t.Parallel()
	for _, person := range [][4]float64{{5, 5, 175, 90}, {500, 780, 590, 840}, {-50, -50, 10, 10}, {580, 2, 700, 60}} {
		seal := appearance.SealRect(person, 36, a4)
		if seal[0] < 0 || seal[1] < 0 || seal[2] > a4[2] || seal[3] > a4[3] {
			t.Errorf("%v: seal at %v leaves the page", person, seal)
		}
		if d := seal[2] - seal[0]; math.Abs(d-36*72/25.4) > 1e-9 {
			t.Errorf("%v: clamping changed the size to %v", person, d)
		}
	}
	tiny := [4]float64{10, 20, 60, 70}
	if seal := appearance.SealRect([4]float64{10, 20, 30, 40}, 36, tiny); seal[0] != 10 || seal[1] != 20 {
		t.Errorf("on a page smaller than the seal it is at %v", seal)
	}
}

func TestOnATurnedPageLeftIsTheReadersLeft(t *testing.T) {
	t.Parallel()
	person := [4]float64{250, 400, 335, 490}
	centre := func(r [4]float64) (x, y float64) { return (r[0] + r[2]) / 2, (r[1] + r[3]) / 2 }
	px, py := centre(person)
	for rotate, away := range map[int][2]float64{0: {-1, 0}, 90: {0, -1}, 180: {1, 0}, 270: {0, 1}, -90: {0, 1}, 450: {0, -1}} {
		seal := appearance.SealRectRotated(person, 36, a4, rotate)
		x, y := centre(seal)
		if math.Abs(math.Hypot(x-px, y-py)*away[0]-(x-px)) > 1e-6 || math.Abs(math.Hypot(x-px, y-py)*away[1]-(y-py)) > 1e-6 {
			t.Errorf("turned by %d: seal lies at %+.1f, %+.1f", rotate, x-px, y-py)
		}
		if share := overlap(person, seal) / area(person); share < 0.30 || share > 0.37 {
			t.Errorf("turned by %d: covers %.3f", rotate, share)
		}
	}
}

func TestTheTopRightBlockKeepsTheMargins(t *testing.T) {
	t.Parallel()
	r := appearance.TopRight(170, 30, a4)
	if math.Abs(r[2]-(595.28-15*72/25.4)) > 1e-9 || math.Abs(r[3]-(841.89-20*72/25.4)) > 1e-9 || math.Abs(area(r)-170*30) > 1e-6 {
		t.Errorf("block at %v", r)
	}
	if r := appearance.TopRight(170, 30, [4]float64{0, 0, 100, 100}); r[0] != 0 {
		t.Errorf("on a small page the block is at %v", r)
	}
}
