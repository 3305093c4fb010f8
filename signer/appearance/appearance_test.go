package appearance_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"antin/internal/text"
	"antin/signer/appearance"
	"antin/signer/pdf"
)

// signingTime is 16:15:04 in Vietnam.
var signingTime = time.Date(2026, 11, 23, 9, 15, 4, 0, time.UTC)

// drawn builds the appearance in an update of a one-page file and returns the
// reopened file, the bytes of the update and the form.
func drawn(t testing.TB, b appearance.Builder, w, h float64) (*pdf.File, []byte, *pdf.Stream, error) {
	t.Helper()
	doc := pdf.NewDocument("1.7")
	tree := doc.Reserve()
	page := doc.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Page"), pdf.Name("Parent"), tree,
		pdf.Name("MediaBox"), pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(595), pdf.Int(842)}))
	doc.Put(tree, pdf.NewDict(pdf.Name("Type"), pdf.Name("Pages"), pdf.Name("Count"), pdf.Int(1), pdf.Name("Kids"), pdf.Array{page}))
	root := doc.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Catalog"), pdf.Name("Pages"), tree))
	data, err := doc.Build(root, pdf.Ref{})
	if err != nil {
		t.Fatal(err)
	}
	f := reopen(t, data)
	u := f.NewUpdate()
	ref, err := b(u, w, h)
	if err != nil {
		return nil, nil, nil, err
	}
	built, err := u.Build()
	if err != nil {
		t.Fatal(err)
	}
	f = reopen(t, append(bytes.Clone(data), built.Data...))
	form, err := f.Stream(ref)
	if err != nil {
		t.Fatal(err)
	}
	return f, built.Data, form, nil
}

func reopen(t testing.TB, data []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func content(t testing.TB, f *pdf.File, s *pdf.Stream) string {
	t.Helper()
	data, err := f.Decode(s, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func builders() map[string]func(name string) appearance.Builder {
	return map[string]func(name string) appearance.Builder{
		"person": func(s string) appearance.Builder {
			return appearance.Person(appearance.PersonMark{Name: s, Line: s})
		},
		"seal": func(s string) appearance.Builder {
			return appearance.Seal(appearance.SealMark{Agency: s, Parent: s, Caption: []string{s}})
		},
		"seal with star": func(s string) appearance.Builder { return appearance.Seal(appearance.SealMark{Agency: s}) },
		"block": func(s string) appearance.Builder {
			return appearance.TextBlock(appearance.BlockMark{Lines: []string{s}})
		},
		"plain": func(s string) appearance.Builder {
			return appearance.Plain(appearance.PlainMark{Name: s, Agency: s, Reason: s, At: signingTime})
		},
		"field": func(s string) appearance.Builder { return appearance.FieldText(appearance.FieldMark{Value: s}) },
	}
}

func TestEveryAppearanceIsAFormWithItsBox(t *testing.T) {
	t.Parallel()
	for name, build := range builders() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _, form, err := drawn(t, build("Nguyễn Thị Thùy Dương"), 170.5, 102)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(pdf.Append(nil, form.Dict.Get("BBox"))); !strings.Contains(got, "0 0 170.5 102") {
				t.Errorf("BBox %s", got)
			}
			if n, _ := f.Name(form.Dict.Get("Subtype")); n != "Form" {
				t.Errorf("subtype %s", n)
			}
			if s := content(t, f, form); len(s) == 0 || strings.Count(s, "q\n") != strings.Count(s, "Q\n") {
				t.Errorf("content %.80q", s)
			}
		})
	}
}

func TestTheSameMarkGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	for name, build := range builders() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, first, _, err := drawn(t, build(norm.NFC.String("Sở Nội vụ Đắk Lắk")), 170, 102)
			if err != nil {
				t.Fatal(err)
			}
			_, again, _, err := drawn(t, build(norm.NFD.String("Sở Nội vụ Đắk Lắk")), 170, 102)
			if err != nil || !bytes.Equal(first, again) {
				t.Errorf("decomposed input gives other bytes: %v", err)
			}
			_, other, _, err := drawn(t, build("Sở Nội vụ Lâm Đồng"), 170, 102)
			if err != nil || bytes.Equal(first, other) {
				t.Errorf("another name gives the same bytes: %v", err)
			}
		})
	}
}

func TestAMissingGlyphIsAnErrorOfTheBuilder(t *testing.T) {
	t.Parallel()
	for name, build := range builders() {
		_, _, _, err := drawn(t, build("印"), 170, 102)
		if text.CodeOf(err) != text.GlyphMissing {
			t.Errorf("%s: %v, want glyph-missing", name, err)
		}
	}
}

func TestAnEmptyBoxOrMarkIsRefused(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]appearance.Builder{
		"no room":  appearance.TextBlock(appearance.BlockMark{Lines: []string{"a"}}),
		"no lines": appearance.TextBlock(appearance.BlockMark{}),
		"no name":  appearance.Seal(appearance.SealMark{}),
	} {
		h := 20.0
		if name == "no room" {
			h = 0
		}
		if _, _, _, err := drawn(t, b, 100, h); text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v, want invalid-input", name, err)
		}
	}
}

func TestColoursAreThoseOfTheDecree(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		b       appearance.Builder
		colours string
	}{
		"person blue": {appearance.Person(appearance.PersonMark{Name: "A"}), "0.05 0.16 0.66"},
		"seal red":    {appearance.Seal(appearance.SealMark{Agency: "A"}), "0.84 0.05 0.08"},
		"block black": {appearance.TextBlock(appearance.BlockMark{Lines: []string{"A"}}), "0 0 0"},
	} {
		f, _, form, err := drawn(t, c.b, 170, 85)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?i)([\d. ]+) rg\n`).FindAllStringSubmatch(content(t, f, form), -1)
		for _, m := range found {
			if strings.TrimSpace(m[1]) != c.colours {
				t.Errorf("%s: colour %s", name, m[1])
			}
		}
		if len(found) == 0 {
			t.Errorf("%s: no colour", name)
		}
	}
}

func TestTheSealIsDrawnAtTrueSize(t *testing.T) {
	t.Parallel()
	// The outer ring's centre line and half its width make the radius.
	ring := regexp.MustCompile(`(?s)([\d.]+) w\n([\d.]+) ([\d.]+) m\n`)
	for _, mm := range []float64{0, 30, 36} {
		w := appearance.SealMark{Agency: "Sở Nội vụ", DiameterMM: mm}
		side, height, err := appearance.SealBlock(w)
		if err != nil || side != height {
			t.Fatalf("block %v × %v: %v", side, height, err)
		}
		f, _, form, err := drawn(t, appearance.Seal(w), 200, 150) // a larger box does not stretch it
		if err != nil {
			t.Fatal(err)
		}
		m := ring.FindStringSubmatch(content(t, f, form))
		if m == nil {
			t.Fatal("no ring")
		}
		if mm == 0 {
			mm = 36
		}
		width, right := number(t, m[1]), number(t, m[2])
		if diameter := 2 * (right + width/2 - 100); math.Abs(diameter-mm*72/25.4) > 0.02 {
			t.Errorf("diameter %.2f points, want %.2f", diameter, mm*72/25.4)
		}
	}
}

func TestACaptionLeavesTheSealItsSize(t *testing.T) {
	t.Parallel()
	ring := regexp.MustCompile(`(?s)([\d.]+) w\n([\d.]+) ([\d.]+) m\n`)
	m := appearance.SealMark{Agency: "Sở Nội vụ", Caption: appearance.NumberLines("15/QĐ-UBND", signingTime)}
	w, h, err := appearance.SealBlock(m)
	if err != nil {
		t.Fatal(err)
	}
	f, _, form, err := drawn(t, appearance.Seal(m), w, h)
	if err != nil {
		t.Fatal(err)
	}
	found := ring.FindStringSubmatch(content(t, f, form))
	radius := 18 * 72 / 25.4
	// The ring touches the right edge, and its middle is a radius below the top.
	if right := number(t, found[2]) + number(t, found[1])/2; math.Abs(right-w) > 0.02 {
		t.Errorf("the ring ends at %.2f of %.2f", right, w)
	}
	if y := number(t, found[3]); math.Abs(y-(h-radius)) > 0.02 {
		t.Errorf("the middle is at %.2f, want %.2f", y, h-radius)
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := pdfNumber(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTimesAreIsoInTheZoneOfVietnam(t *testing.T) {
	t.Parallel()
	if got := appearance.SigningTime(signingTime); got != "2026-11-23T16:15:04+07:00" {
		t.Error(got)
	}
	lines := appearance.NumberLines("15/QĐ-UBND", signingTime)
	if len(lines) != 2 || !strings.Contains(lines[0], "15/QĐ-UBND") || !strings.HasSuffix(lines[1], "2026-11-23T16:15:04+07:00") {
		t.Errorf("lines %q", lines)
	}
}

func TestTextBlocksKeepTenPointsWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	size := regexp.MustCompile(`/LSR ([\d.]+) Tf`)
	lines := appearance.NumberLines("15/QĐ-UBND", signingTime)
	w, h, err := appearance.TextBlockSize(lines)
	if err != nil {
		t.Fatal(err)
	}
	for scale, want := range map[float64]float64{1: 10, 2: 10, 0.5: 5} {
		f, _, form, err := drawn(t, appearance.TextBlock(appearance.BlockMark{Lines: lines}), w*scale, h*scale)
		if err != nil {
			t.Fatal(err)
		}
		found := size.FindAllStringSubmatch(content(t, f, form), -1)
		if len(found) != 2 || math.Abs(number(t, found[0][1])-want) > 0.01 {
			t.Errorf("box × %v: sizes %v, want %v", scale, found, want)
		}
	}
}

func TestFieldsFollowTheirDefaultAppearance(t *testing.T) {
	t.Parallel()
	for da, want := range map[string]appearance.FieldMark{
		"/LSI 13 Tf 0 g":   {Value: "7", Size: 13, Italic: true, Align: appearance.Centre},
		"/LSR 12.5 Tf 0 g": {Value: "7", Size: 12.5, Align: appearance.Centre},
		"0 g":              {Value: "7", Align: appearance.Centre},
		"/Helv 0 Tf":       {Value: "7", Align: appearance.Centre},
		"Tf":               {Value: "7", Align: appearance.Centre},
		"/X 1e9 Tf":        {Value: "7", Align: appearance.Centre},
	} {
		if got := appearance.Field("7", da, 1); got != want {
			t.Errorf("%q: %+v, want %+v", da, got, want)
		}
	}
	if got := appearance.Field("7", "", 9).Align; got != appearance.Left {
		t.Errorf("unknown /Q gives %v", got)
	}
}

func picture(t testing.TB, w, h int, c color.Color) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnImageKeepsItsColoursAndTransparency(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		colour color.NRGBA
		masked bool
	}{
		"transparent": {color.NRGBA{20, 40, 170, 128}, true},
		"opaque":      {color.NRGBA{20, 40, 170, 255}, false},
	} {
		f, _, form, err := drawn(t, appearance.Person(appearance.PersonMark{Image: picture(t, 6, 4, c.colour)}), 60, 60)
		if err != nil {
			t.Fatal(err)
		}
		resources, err := f.Dict(form.Dict.Get("Resources"))
		if err != nil {
			t.Fatal(err)
		}
		images, err := f.Dict(resources.Get("XObject"))
		if err != nil || images.Len() != 1 {
			t.Fatalf("%s: images %v: %v", name, images, err)
		}
		s, err := f.Stream(images.Get(images.Keys()[0]))
		if err != nil {
			t.Fatal(err)
		}
		if got := content(t, f, s); got != strings.Repeat("\x14\x28\xaa", 24) {
			t.Errorf("%s: pixels % x", name, got)
		}
		if s.Dict.Has("SMask") != c.masked {
			t.Errorf("%s: soft mask %v", name, s.Dict.Has("SMask"))
		}
		if c.masked {
			mask, err := f.Stream(s.Dict.Get("SMask"))
			if err != nil || content(t, f, mask) != strings.Repeat("\x80", 24) {
				t.Errorf("%s: mask: %v", name, err)
			}
		}
		if !strings.Contains(content(t, f, form), "60 0 0 40 0 10 cm") { // in proportion, centred
			t.Errorf("%s: %s", name, content(t, f, form))
		}
	}
}

// claim is a PNG whose header claims w × h pixels and that ends there.
func claim(w, h uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = binary.BigEndian.AppendUint32(head, h)
	head = append(head, 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func TestBadImagesAreRefusedBeforeTheyAreDecoded(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"not a PNG":     []byte("GIF89a"),
		"huge claim":    claim(60_000, 60_000),
		"many pixels":   claim(4000, 4000),
		"no pixels":     claim(0, 10),
		"cut off":       picture(t, 50, 50, color.Black)[:60],
		"too many byte": append(picture(t, 2, 2, color.Black), make([]byte, appearance.MaxImageBytes)...),
	} {
		_, _, _, err := drawn(t, appearance.Person(appearance.PersonMark{Image: data}), 60, 60)
		var e *text.Error
		if !errors.As(err, &e) || e.Code != text.InvalidInput {
			t.Errorf("%s: %v, want invalid-input", name, err)
		}
	}
}
