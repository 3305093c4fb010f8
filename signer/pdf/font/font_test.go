package font_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"

	"codeberg.org/go-fonts/liberation/liberationserifbold"
	"codeberg.org/go-fonts/liberation/liberationserifbolditalic"
	"codeberg.org/go-fonts/liberation/liberationserifitalic"
	"codeberg.org/go-fonts/liberation/liberationserifregular"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/font"
)

var styles = map[font.Style][]byte{
	font.Regular: liberationserifregular.TTF, font.Bold: liberationserifbold.TTF,
	font.Italic: liberationserifitalic.TTF, font.BoldItalic: liberationserifbolditalic.TTF,
}

// vietnamese is every letter of the Vietnamese alphabet that is not ASCII.
func vietnamese(t *testing.T) []rune {
	t.Helper()
	var letters []rune
	for _, vowel := range "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" {
		for _, tone := range []string{"", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"} {
			composed := norm.NFC.String(string(vowel) + tone)
			if utf8.RuneCountInString(composed) != 1 {
				t.Fatalf("%q has no composed form", composed)
			}
			if r := []rune(composed)[0]; r >= utf8.RuneSelf {
				letters = append(letters, r)
			}
		}
	}
	return append(letters, 'đ', 'Đ')
}

func TestEveryFaceHasEveryVietnameseLetter(t *testing.T) {
	t.Parallel()
	letters := vietnamese(t)
	if len(letters) != 134 {
		t.Fatalf("the list holds %d letters, want 134", len(letters))
	}
	for style := range styles {
		face, err := font.Load(style)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range letters {
			if _, err := face.Glyph(r); err != nil {
				t.Errorf("style %d: %q: %v", style, r, err)
			}
		}
	}
}

// embed writes a subset that shows s and returns the reopened file and its codes.
func embed(t *testing.T, style font.Style, s string) (*pdf.File, []byte, []uint16) {
	t.Helper()
	subset, err := font.NewSubset(style)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := subset.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	b := pdf.NewDocument("1.7")
	ref, err := subset.Embed(b)
	if err != nil {
		t.Fatal(err)
	}
	pages := b.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Pages"), pdf.Name("Count"), pdf.Int(0), pdf.Name("Kids"), pdf.Array{}))
	root := b.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Catalog"), pdf.Name("Pages"), pages, pdf.Name("TheFont"), ref))
	data, err := b.Build(root, pdf.Ref{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f, data, codes
}

// parts returns the Type0 font, its descendant and its descriptor.
func parts(t *testing.T, f *pdf.File) (composite, descendant, descriptor *pdf.Dict) {
	t.Helper()
	_, root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	dict := func(o pdf.Object) *pdf.Dict {
		d, err := f.Dict(o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	composite = dict(root.Get("TheFont"))
	list, err := f.Array(composite.Get("DescendantFonts"))
	if err != nil || len(list) != 1 {
		t.Fatalf("descendants %v: %v", list, err)
	}
	descendant = dict(list[0])
	return composite, descendant, dict(descendant.Get("FontDescriptor"))
}

func decoded(t *testing.T, f *pdf.File, o pdf.Object) []byte {
	t.Helper()
	s, err := f.Stream(o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.Decode(s, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestASubsetShowsTheGlyphsOfTheFace(t *testing.T) {
	t.Parallel()
	sample := "Số 15/QĐ-UBND " + string(vietnamese(t))
	for style, ttf := range styles {
		t.Run(fmt.Sprint(style), func(t *testing.T) {
			t.Parallel()
			f, _, codes := embed(t, style, sample)
			_, descendant, descriptor := parts(t, f)
			program := decoded(t, f, descriptor.Get("FontFile2"))
			if len(program) > 64<<10 {
				t.Errorf("subset of %d bytes", len(program))
			}
			cut, err := sfnt.Parse(program)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := sfnt.Parse(ttf)
			if err != nil {
				t.Fatal(err)
			}
			w, err := f.Array(descendant.Get("W"))
			if err != nil || len(w) != 2 {
				t.Fatalf("W: %v, %v", w, err)
			}
			widths, err := f.Array(w[1])
			if err != nil {
				t.Fatal(err)
			}
			em := fixed.I(int(whole.UnitsPerEm()))
			for i, r := range []rune(sample) {
				want, err := whole.GlyphIndex(nil, r)
				if err != nil {
					t.Fatal(err)
				}
				sameOutline(t, r, load(t, cut, sfnt.GlyphIndex(codes[i]), em), load(t, whole, want, em))
				advance, err := whole.GlyphAdvance(nil, want, fixed.I(1000), 0)
				if err != nil {
					t.Fatal(err)
				}
				got, err := f.Int(widths[codes[i]])
				if err != nil || got != int64(advance.Round()) {
					t.Errorf("%q is %d wide in /W, want %d", r, got, advance.Round())
				}
			}
		})
	}
}

func load(t *testing.T, f *sfnt.Font, g sfnt.GlyphIndex, em fixed.Int26_6) sfnt.Segments {
	t.Helper()
	s, err := f.LoadGlyph(nil, g, em, nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(sfnt.Segments(nil), s...)
}

func sameOutline(t *testing.T, r rune, got, want sfnt.Segments) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%q has %d segments, want %d", r, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%q differs in segment %d", r, i)
			return
		}
	}
}

func TestToUnicodeNamesEveryCode(t *testing.T) {
	t.Parallel()
	sample := string(vietnamese(t)) // more than one section of the map
	f, _, codes := embed(t, font.Regular, sample)
	composite, _, _ := parts(t, f)
	unicode := string(decoded(t, f, composite.Get("ToUnicode")))
	for i, r := range []rune(sample) {
		if line := fmt.Sprintf("<%04X> <%04X>\n", codes[i], r); !strings.Contains(unicode, line) {
			t.Errorf("no entry %q for %q", line, r)
		}
	}
	if got := strings.Count(unicode, "endbfchar"); got != 2 {
		t.Errorf("%d sections for 134 codes, want 2", got)
	}
}

func TestDecomposedTextGivesTheSameFile(t *testing.T) {
	t.Parallel()
	s := "Nguyễn Thị Thùy Dương, phường Bảy Hiền"
	_, composed, _ := embed(t, font.Regular, norm.NFC.String(s))
	_, decomposed, _ := embed(t, font.Regular, norm.NFD.String(s))
	if !bytes.Equal(composed, decomposed) {
		t.Error("NFC and NFD give different bytes")
	}
}

func TestTheTagFollowsTheContent(t *testing.T) {
	t.Parallel()
	name := func(s string) string {
		f, _, _ := embed(t, font.Bold, s)
		composite, _, _ := parts(t, f)
		n, err := f.Name(composite.Get("BaseFont"))
		if err != nil {
			t.Fatal(err)
		}
		return string(n)
	}
	first := name("Đà Nẵng")
	if tag, rest, _ := strings.Cut(first, "+"); len(tag) != 6 || strings.Trim(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || rest != "LiberationSerif-Bold" {
		t.Errorf("name %q", first)
	}
	if name("Đà Nẵng") != first || name("Huế") == first {
		t.Error("equal subsets need equal tags, different ones different tags")
	}
}

func TestAMissingGlyphIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, named string }{
		{"họp 会议", "“会” (U+4F1A)"},
		{"x\u0301\u0323", "U+0323"}, // marks that no composed letter takes up
		{"a\x00b", "U+0000"},
		{"a\xffb", "U+FFFD"},
		{"😀", "U+1F600"},
	} {
		subset, err := font.NewSubset(font.Regular)
		if err != nil {
			t.Fatal(err)
		}
		_, err = subset.Encode(c.in)
		var e *text.Error
		if !errors.As(err, &e) || e.Code != text.GlyphMissing || !strings.Contains(e.Message().VI, c.named) {
			t.Errorf("%q: %v, want glyph-missing naming %s", c.in, err, c.named)
		}
		if !subset.Empty() {
			t.Errorf("%q: a refused text left glyphs behind", c.in)
		}
	}
}

func TestMeasureIsInTimesMetrics(t *testing.T) {
	t.Parallel()
	face, err := font.Load(font.Regular)
	if err != nil {
		t.Fatal(err)
	}
	// Times New Roman: A 722, space 250, digits 500 thousandths.
	got, err := face.Measure("A 15", 1000)
	if err != nil || got < 1971 || got > 1973 {
		t.Errorf("width %v, want 1972: %v", got, err)
	}
	hidden, err := face.Measure("\ufeffA\u200b 1\u00ad5", 1000)
	if err != nil || hidden != got {
		t.Errorf("characters that show nothing take %v", hidden-got)
	}
}

func TestAnUnknownStyleIsRefused(t *testing.T) {
	t.Parallel()
	var set font.Set
	if _, err := set.Subset(font.Style(9)); err == nil {
		t.Error("style 9 exists")
	}
}
