package content_test

import (
	"math"
	"strings"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

func TestNumbersAreWrittenPlainly(t *testing.T) {
	t.Parallel()
	var c content.Canvas
	c.Op("x", 1, -0.00001, 0.1+0.2, 1e7, 1e-9, math.NaN(), math.Inf(-1), -12.34567)
	if got, want := string(c.Bytes()), "1 0 0.3 10000000 0 0 0 -12.3457 x\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAGapWidensSpacesOnly(t *testing.T) {
	t.Parallel()
	c := content.Canvas{Fonts: &font.Set{}}
	run := content.Run{Size: 10, Text: "a b c"}
	plain, err := run.Width()
	if err != nil {
		t.Fatal(err)
	}
	run.Gap = 2
	wide, err := run.Width()
	if err != nil || math.Abs(wide-plain-4) > 1e-9 {
		t.Errorf("width grew by %v, want 4: %v", wide-plain, err)
	}
	if err := c.Show(run, 1, 2); err != nil {
		t.Fatal(err)
	}
	// Two spaces, each followed by 2/10 of an em to the right.
	if got := string(c.Bytes()); !strings.Contains(got, "[<00010002> -200 <00030002> -200 <0004>] TJ") {
		t.Error(got)
	}
}

func TestTextThatCannotBeShownLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	c := content.Canvas{Fonts: &font.Set{}}
	if err := c.Show(content.Run{Size: 10, Text: "印"}, 0, 0); text.CodeOf(err) != text.GlyphMissing {
		t.Errorf("%v, want glyph-missing", err)
	}
	if err := c.Show(content.Run{Size: 10}, 0, 0); err != nil {
		t.Error(err)
	}
	if len(c.Bytes()) != 0 {
		t.Errorf("content %q", c.Bytes())
	}
}
