package find_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/pdf/find"
)

func open(t *testing.T, d padestest.Document) *pdf.File {
	t.Helper()
	data := d.Bytes()
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// page is a document whose page has this content and these objects as fonts F1, F2 …
func page(content string, fonts ...string) padestest.Document {
	d := padestest.Simple(padestest.Classic, "1.7").With(4, padestest.Body("", content))
	for i, f := range fonts {
		d = d.With(5+i, f)
	}
	return d
}

const winAnsi = "<< /Type /Font /Subtype /Type1 /BaseFont /X /Encoding /WinAnsiEncoding /FirstChar 32 /Widths [" // then widths

func widths(n int) string { return strings.Repeat("500 ", n) + "] >>" }

func near(a, b [4]float64) bool {
	for i := range a {
		if math.Abs(a[i]-b[i]) > 0.01 {
			return false
		}
	}
	return true
}

func TestTextIsFoundWhereItStands(t *testing.T) {
	t.Parallel()
	simple := winAnsi + widths(95)
	for name, c := range map[string]struct {
		content, want string
		box           [4]float64
	}{
		"at a position":            {"BT /F1 10 Tf 72 700 Td (Ky ten) Tj ET", "Ky ten", [4]float64{72, 700, 102, 710}},
		"inside a string":          {"BT /F1 10 Tf 72 700 Td (xx Ky ten yy) Tj ET", "Ky ten", [4]float64{87, 700, 117, 710}},
		"in pieces":                {"BT /F1 10 Tf 72 700 Td [(Ky) -500 (ten)] TJ ET", "Ky ten", [4]float64{72, 700, 102, 710}},
		"kerned":                   {"BT /F1 10 Tf 72 700 Td [(K) 50 (y)] TJ ET", "Ky", [4]float64{72, 700, 81.5, 710}},
		"over two lines":           {"BT /F1 10 Tf 12 TL 72 700 Td (Ky) Tj T* (ten) Tj ET", "Ky ten", [4]float64{72, 688, 87, 710}},
		"by the line operators":    {"BT /F1 10 Tf 12 TL 72 700 Td (a) ' 1 2 (Ky) \" ET", "Ky", [4]float64{72, 676, 86, 686}},
		"scaled by the matrix":     {"q 2 0 0 2 10 20 cm BT /F1 10 Tf 1 0 0 1 5 5 Tm (Ky) Tj ET Q", "Ky", [4]float64{20, 30, 40, 50}},
		"turned":                   {"BT /F1 10 Tf 0 1 -1 0 100 100 Tm (Ky) Tj ET", "Ky", [4]float64{90, 100, 100, 110}},
		"squeezed, spaced, raised": {"BT /F1 10 Tf 50 Tz 2 Tc 3 Ts 72 700 Td (Ky) Tj ET", "Ky", [4]float64{72, 703, 79, 713}},
		"after saved states":       {"q 9 0 0 9 9 9 cm Q Q BT /F1 10 Tf 72 700 Td (Ky) Tj ET", "Ky", [4]float64{72, 700, 82, 710}},
		"after an inline image":    {"BI /W 1 /H 1 ID xEIx (Ky) EI BT /F1 10 Tf 72 700 Td (Ky) Tj ET", "Ky", [4]float64{72, 700, 82, 710}},
		"the last of several":      {"BT /F1 10 Tf 72 700 Td (Ky) Tj 0 -100 Td (Ky) Tj ET", "Ky", [4]float64{72, 600, 82, 610}},
		"white space differs":      {"BT /F1 10 Tf 72 700 Td (Ky   ten) Tj ET", " Ky\tten ", [4]float64{72, 700, 112, 710}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := find.Last(open(t, page(c.content, simple)), c.want, 0)
			if err != nil || got.Page != 1 || !near(got.Box, c.box) || got.Visible != [4]float64{0, 0, 595, 842} {
				t.Errorf("%+v, %v, want %v", got, err, c.box)
			}
		})
	}
}

func TestFontsSayWhatTheirCodesMean(t *testing.T) {
	t.Parallel()
	cmap := padestest.Body("", "begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange "+
		"2 beginbfchar <0001> <1EF9> <0002> <004B0079> endbfchar 2 beginbfrange <0010> <0012> <0061> <0020> <0021> [<0078> <0079>] endbfrange")
	composite := "<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /DescendantFonts [<< /DW 500 /W [1 [700 600] 16 18 400] >>] /ToUnicode 8 0 R >>"
	for name, c := range map[string]struct {
		codes, font, want string
		width             float64
	}{
		"a composite letter":        {"<0001>", composite, "ỹ", 7},
		"one code, two letters":     {"<0002>", composite, "Ky", 6},
		"a range":                   {"<001000110012>", composite, "abc", 12},
		"a range with a list":       {"<00200021>", composite, "xy", 10},
		"names of glyphs":           {"(ABCDE)", "<< /Type /Font /Subtype /Type1 /Encoding << /Differences [65 /acircumflexacute /uni1EF9 /dcroat /one /u1EA4] >> >>", "ấỹđ1Ấ", 25},
		"the Mac's encoding":        {"(\\216)", "<< /Type /Font /Subtype /TrueType /Encoding /MacRomanEncoding >>", "é", 5},
		"plain letters of any font": {"(Ky)", "<< /Type /Font /Subtype /Type1 /BaseFont /X >>", "Ky", 10},
		"widths that viewers know":  {"(Ky)", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", "Ky", 11.67},
		"one width for all":         {"(Ky)", "<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold >>", "Ky", 12},
		"a drawn font": {"(Ky)", "<< /Type /Font /Subtype /Type3 /FontMatrix [0.01 0 0 0.01 0 0] /FirstChar 75 /Widths [50] /Encoding << /Differences [75 /K 121 /y] >> >>",
			"K", 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := page("BT /F1 10 Tf 72 700 Td "+c.codes+" Tj ET", c.font).With(8, cmap)
			got, err := find.Last(open(t, d), c.want, 1)
			if want := [4]float64{72, 700, 72 + c.width, 710}; err != nil || !near(got.Box, want) {
				t.Errorf("%+v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestWhatTheFileDoesNotSayIsNotFound(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]padestest.Document{
		"no such text":              page("BT /F1 10 Tf (Ki) Tj ET"),
		"other case":                page("BT /F1 10 Tf (KY) Tj ET"),
		"letters apart":             page("BT /F1 10 Tf (K) Tj 50 0 Td (y) Tj ET"),
		"no font":                   page("BT (Ky) Tj ET"),
		"a font that is not there":  page("BT /F7 10 Tf (Ky) Tj ET"),
		"codes without a meaning":   page("BT /F1 10 Tf (Ky) Tj ET", "<< /Type /Font /Subtype /Type0 /Encoding /Identity-H >>"),
		"codes of another encoding": page("BT /F1 10 Tf <00010002> Tj ET", "<< /Type /Font /Subtype /Type0 /Encoding /90ms-RKSJ-H >>"),
		"unknown names":             page("BT /F1 10 Tf (Ky) Tj ET", "<< /Type /Font /Subtype /Type1 /Encoding << /Differences [75 /g1 121 /g2] >> >>"),
		"no content":                page(""),
		"a form that draws itself":  page("/X Do").With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /X 6 0 R >> >> >>").With(6, padestest.Body("/Subtype /Form ", "/X Do")),
		"broken content":            page("BT /F1 10 Tf (Ky"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := find.Last(open(t, d), "Ky", 0); !errors.Is(err, find.ErrNotFound) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	f := open(t, page("BT /F1 10 Tf (Ky) Tj ET"))
	for _, want := range []string{"", " \n", strings.Repeat("x", 2000)} {
		if _, err := find.Last(f, want, 0); !errors.Is(err, find.ErrNotFound) {
			t.Errorf("%.5q: %v", want, err)
		}
	}
	if _, err := find.Last(f, "Ky", 2); !errors.Is(err, find.ErrNotFound) {
		t.Errorf("a page that is not there: %v", err)
	}
}

func TestTextInAFormIsFound(t *testing.T) {
	t.Parallel()
	d := page("q 1 0 0 1 100 100 cm /X Do Q", winAnsi+widths(95)).
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate 450 /CropBox [10 10 900 400] /Contents 4 0 R /Resources << /XObject << /X 6 0 R >> /Font << /F1 5 0 R >> >> >>").
		With(6, padestest.Body("/Subtype /Form /Matrix [1 0 0 1 5 5] ", "BT /F1 10 Tf (Ky) Tj ET"))
	got, err := find.Last(open(t, d), "Ky", 0)
	want := find.Place{Page: 1, Rotation: 90, Box: [4]float64{105, 105, 115, 115}, Visible: [4]float64{10, 10, 595, 400}}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAPageOfTooMuchIsGivenUp(t *testing.T) {
	t.Parallel()
	var content strings.Builder
	for i := range 40 {
		fmt.Fprintf(&content, "/X%d Do\n", i%4)
	}
	resources := "/Resources << /XObject << /X0 6 0 R /X1 7 0 R /X2 8 0 R /X3 9 0 R >> >> "
	d := page(content.String()).With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R "+resources+">>")
	for n := 6; n <= 9; n++ {
		d = d.With(n, padestest.Body("/Subtype /Form "+resources, content.String()))
	}
	if _, err := find.Last(open(t, d), "Ky", 0); err == nil || errors.Is(err, find.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func FuzzLast(f *testing.F) {
	f.Add([]byte("q 2 0 0 2 10 20 cm BT /F1 10 Tf 1 0 0 1 5 5 Tm [(Ky) 50 <0102>] TJ ET Q BI ID x EI /X Do"))
	f.Add([]byte("1 beginbfrange <00> <FF> [<0041>] endbfrange"))
	f.Fuzz(func(t *testing.T, content []byte) {
		d := page(string(content), "<< /Type /Font /Subtype /Type1 /ToUnicode 4 0 R /Widths [1] /FirstChar 32 >>")
		data := d.Bytes()
		file, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
		if err != nil {
			return
		}
		if at, err := find.Last(file, "K", 0); err == nil && at.Page != 1 {
			t.Errorf("page %d", at.Page)
		}
	})
}
