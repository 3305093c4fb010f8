package find

import (
	"strings"

	"golang.org/x/text/encoding/charmap"

	"antin/signer/pdf"
)

// unknown stands for a glyph whose meaning the file does not state.
const unknown = "\uFFFD"

// font is what a font says about its codes.
type font struct {
	wide     bool // codes of two bytes
	widths   map[int]float64
	fallback float64 // width of codes that are not listed
	unicode  map[int]string
	simple   func(c int) string // without a ToUnicode entry
}

// averageWidth is taken, in units of the size, where neither font nor viewer states
// a width: half an em is what most letters come to.
const averageWidth = 0.5

// fixedWidth is that of every glyph of Courier.
const fixedWidth = 0.6

// helvetica are the widths of its characters from space to tilde, in thousandths: it
// is the commonest of the fourteen fonts that every viewer has, which need state none.
var helvetica = [...]int16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
	584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
	667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
	278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// standard gives a font without widths those that every viewer knows by its name.
func (t *font) standard(name pdf.Name) {
	switch {
	case strings.HasPrefix(string(name), "Courier"):
		t.fallback = fixedWidth
	case name == "Helvetica", name == "Helvetica-Oblique", name == "Arial":
		for i, w := range helvetica {
			t.widths[' '+i] = float64(w) / 1000
		}
	}
}

func readFont(f *pdf.File, d *pdf.Dict) *font {
	t := &font{widths: map[int]float64{}, fallback: averageWidth, simple: func(int) string { return unknown }}
	if s, err := f.Stream(d.Get("ToUnicode")); err == nil && s != nil {
		if data, err := f.Decode(s, maxCMap); err == nil {
			t.unicode = readCMap(data)
		}
	}
	if subtype, _ := f.Name(d.Get("Subtype")); subtype == "Type0" {
		t.composite(f, d)
		return t
	}
	first, _ := f.Int(d.Get("FirstChar"))
	if widths, err := f.Array(d.Get("Widths")); err == nil && first >= 0 && first < 256 {
		for i, o := range widths[:min(len(widths), 256)] {
			if w, err := f.Number(o); err == nil {
				t.widths[int(first)+i] = w / 1000
			}
		}
		descriptor, _ := f.Dict(d.Get("FontDescriptor"))
		missing, _ := f.Number(descriptor.Get("MissingWidth"))
		if len(widths) > 0 {
			t.fallback = missing / 1000
		}
	}
	if len(t.widths) == 0 {
		name, _ := f.Name(d.Get("BaseFont"))
		t.standard(name)
	}
	if subtype, _ := f.Name(d.Get("Subtype")); subtype == "Type3" {
		t.type3(readMatrix(f, d.Get("FontMatrix")))
	}
	t.encoding(f, d)
	return t
}

// type3 turns widths in glyph space into units of the size.
func (t *font) type3(m matrix) {
	for c, w := range t.widths {
		t.widths[c] = w * 1000 * m[0]
	}
}

// composite reads a Type0 font with codes of two bytes that are glyph identifiers;
// other encodings need tables that the file does not hold.
func (t *font) composite(f *pdf.File, d *pdf.Dict) {
	t.wide, t.fallback = true, 1
	if name, _ := f.Name(d.Get("Encoding")); name != "Identity-H" {
		t.unicode = nil
		return
	}
	descendants, _ := f.Array(d.Get("DescendantFonts"))
	if len(descendants) == 0 {
		return
	}
	cid, _ := f.Dict(descendants[0])
	if dw, err := f.Number(cid.Get("DW")); err == nil && cid.Get("DW") != nil {
		t.fallback = dw / 1000
	}
	list, _ := f.Array(cid.Get("W"))
	t.cidWidths(f, list)
}

// maxCID is the highest glyph identifier of two bytes.
const maxCID = 0xFFFF

// cidWidths reads /W: "c [w w …]" and "first last w" (ISO 32000-2, 9.7.4.3).
func (t *font) cidWidths(f *pdf.File, list pdf.Array) {
	for i := 0; i+1 < len(list); {
		first, err := f.Int(list[i])
		if err != nil || first < 0 || first > maxCID {
			return
		}
		if widths, err := f.Array(list[i+1]); err == nil && widths != nil {
			for j, o := range widths[:min(len(widths), maxCID)] {
				if w, err := f.Number(o); err == nil {
					t.widths[int(first)+j] = w / 1000
				}
			}
			i += 2
			continue
		}
		if i+2 >= len(list) {
			return
		}
		last, err := f.Int(list[i+1])
		w, errW := f.Number(list[i+2])
		if err != nil || errW != nil || last > maxCID {
			return
		}
		for c := int(first); c <= int(last); c++ {
			t.widths[c] = w / 1000
		}
		i += 3
	}
}

// encoding reads what the codes of a simple font mean.
func (t *font) encoding(f *pdf.File, d *pdf.Dict) {
	o, _ := f.Resolve(d.Get("Encoding"))
	name, _ := o.(pdf.Name)
	differences := map[int]string{}
	if e, ok := o.(*pdf.Dict); ok {
		name, _ = f.Name(e.Get("BaseEncoding"))
		list, _ := f.Array(e.Get("Differences"))
		c := 0
		for _, entry := range list {
			switch v := entry.(type) {
			case pdf.Number:
				n, _ := v.Int64()
				c = int(max(0, min(n, 256)))
			case pdf.Name:
				differences[c] = glyphText(string(v))
				c++
			}
		}
	}
	base := baseEncoding(name)
	t.simple = func(c int) string {
		if s, ok := differences[c]; ok {
			return s
		}
		return base(c)
	}
}

// baseEncoding is one of the named encodings. Without a name it is what all
// Latin encodings agree on, ASCII letters and digits.
func baseEncoding(name pdf.Name) func(int) string {
	table := charmap.Windows1252
	switch name {
	case "WinAnsiEncoding":
	case "MacRomanEncoding":
		table = charmap.Macintosh
	default:
		return func(c int) string {
			if c < ' ' || c > '~' || c == '\'' || c == '`' {
				return unknown
			}
			return string(rune(c))
		}
	}
	return func(c int) string {
		if c < ' ' || c > 255 {
			return unknown
		}
		return string(table.DecodeByte(byte(c)))
	}
}

func (t *font) code(s []byte) (c, n int) {
	if t.wide && len(s) >= 2 {
		return int(s[0])<<8 | int(s[1]), 2
	}
	return int(s[0]), 1
}

func (t *font) width(c int) float64 {
	if w, ok := t.widths[c]; ok {
		return w
	}
	return t.fallback
}

func (t *font) text(c int) string {
	if s, ok := t.unicode[c]; ok {
		return s
	}
	if t.wide {
		return unknown
	}
	return t.simple(c)
}
