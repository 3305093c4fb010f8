package font

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"unicode/utf16"

	"antin/signer/pdf"
)

// Adder takes an object into the file being written and says where it is:
// a *pdf.Builder or a *pdf.Update.
type Adder interface {
	Add(o pdf.Object) pdf.Ref
}

// Subset collects the characters that one face has to show. It is not safe for
// concurrent use.
type Subset struct {
	face   *Face
	glyphs []uint16          // by code; code 0 is .notdef
	runes  []rune            // by code; the first character shown with it
	codes  map[uint16]uint16 // by glyph
}

// NewSubset returns an empty subset of the face of style.
func NewSubset(style Style) (*Subset, error) {
	face, err := Load(style)
	if err != nil {
		return nil, err
	}
	return &Subset{face: face, glyphs: []uint16{0}, runes: []rune{0}, codes: map[uint16]uint16{0: 0}}, nil
}

// Face is the face that the subset is of.
func (s *Subset) Face() *Face { return s.face }

// Encode returns the codes that show t after Normalise, and adds their glyphs.
// A character that the face lacks is a *text.Error glyph-missing; nothing is
// added then.
func (s *Subset) Encode(t string) ([]uint16, error) {
	normal := Normalise(t)
	for _, r := range normal {
		if _, err := s.face.Glyph(r); err != nil {
			return nil, err
		}
	}
	var codes []uint16
	for _, r := range normal {
		glyph, err := s.face.Glyph(r)
		if err != nil {
			return nil, err
		}
		codes = append(codes, s.code(glyph, r))
	}
	return codes, nil
}

func (s *Subset) code(glyph uint16, r rune) uint16 {
	if code, ok := s.codes[glyph]; ok {
		return code
	}
	code := uint16(len(s.glyphs)) // a face numbers its glyphs in 16 bits
	s.codes[glyph] = code
	s.glyphs = append(s.glyphs, glyph)
	s.runes = append(s.runes, r)
	return code
}

// Empty reports whether nothing was encoded yet.
func (s *Subset) Empty() bool { return len(s.glyphs) == 1 }

// Embed writes the subset into a and returns the Type0 font. It is called once,
// after the last Encode.
func (s *Subset) Embed(a Adder) (pdf.Ref, error) {
	program, count, err := s.face.subset(s.glyphs)
	if err != nil {
		return pdf.Ref{}, fmt.Errorf("subsetting %s: %w", s.face.postScript, err)
	}
	name := pdf.Name(tag(program) + "+" + s.face.postScript)
	file := a.Add(pdf.NewFlateStream(pdf.NewDict(pdf.Name("Length1"), pdf.Int(int64(len(program)))), program))
	description := s.face.descriptor(name, file)
	description.Set("CIDSet", a.Add(pdf.NewFlateStream(pdf.NewDict(), cidSet(count))))
	descriptor := a.Add(description)
	widths := make(pdf.Array, len(s.glyphs))
	for i, g := range s.glyphs {
		widths[i] = pdf.Int(s.face.thousandths(s.face.advance(g)))
	}
	descendant := a.Add(pdf.NewDict(
		pdf.Name("Type"), pdf.Name("Font"), pdf.Name("Subtype"), pdf.Name("CIDFontType2"), pdf.Name("BaseFont"), name,
		pdf.Name("CIDSystemInfo"), pdf.NewDict(pdf.Name("Registry"), pdf.String{Value: []byte("Adobe")},
			pdf.Name("Ordering"), pdf.String{Value: []byte("Identity")}, pdf.Name("Supplement"), pdf.Int(0)),
		pdf.Name("FontDescriptor"), descriptor, pdf.Name("DW"), pdf.Int(s.face.thousandths(s.face.advance(0))),
		pdf.Name("W"), pdf.Array{pdf.Int(0), widths}, pdf.Name("CIDToGIDMap"), pdf.Name("Identity")))
	unicode := a.Add(pdf.NewFlateStream(pdf.NewDict(), s.toUnicode()))
	return a.Add(pdf.NewDict(
		pdf.Name("Type"), pdf.Name("Font"), pdf.Name("Subtype"), pdf.Name("Type0"), pdf.Name("BaseFont"), name,
		pdf.Name("Encoding"), pdf.Name("Identity-H"), pdf.Name("DescendantFonts"), pdf.Array{descendant},
		pdf.Name("ToUnicode"), unicode)), nil
}

// cidSet says that the codes 0 to count-1 are there, all that the program holds
// (ISO 32000-2, table 122). PDF/A-1 asks for it; later parts want it to be right.
func cidSet(count int) []byte {
	bits := make([]byte, (count+7)/8)
	for i := range count {
		bits[i/8] |= 0x80 >> (i % 8)
	}
	return bits
}

// tag is the six letters before the name of a subset (ISO 32000-2, 9.9.2), taken
// from its content so that different subsets differ and equal ones do not.
func tag(program []byte) string {
	sum := sha256.Sum256(program)
	letters := make([]byte, 6)
	for i := range letters {
		letters[i] = 'A' + sum[i]%26
	}
	return string(letters)
}

// Flags of a font descriptor (ISO 32000-2, table 121).
const (
	flagSerif    = 1 << 1
	flagSymbolic = 1 << 2
	flagItalic   = 1 << 6
)

func (f *Face) descriptor(name pdf.Name, file pdf.Ref) *pdf.Dict {
	flags, stem := int64(flagSerif|flagSymbolic), int64(80)
	if f.style == Bold || f.style == BoldItalic {
		stem = 140
	}
	if f.style == Italic || f.style == BoldItalic {
		flags |= flagItalic
	}
	box := make(pdf.Array, 4)
	for i, v := range f.bounds {
		box[i] = pdf.Int(f.thousandths(int(v)))
	}
	return pdf.NewDict(
		pdf.Name("Type"), pdf.Name("FontDescriptor"), pdf.Name("FontName"), name, pdf.Name("Flags"), pdf.Int(flags),
		pdf.Name("FontBBox"), box, pdf.Name("ItalicAngle"), pdf.Real(f.angle),
		pdf.Name("Ascent"), pdf.Int(f.thousandths(int(f.ascent))), pdf.Name("Descent"), pdf.Int(f.thousandths(int(f.descent))),
		pdf.Name("CapHeight"), pdf.Int(f.thousandths(int(f.capHeight))), pdf.Name("StemV"), pdf.Int(stem),
		pdf.Name("FontFile2"), file)
}

// bfcharLimit is the most lines that one bfchar section may hold (CMap specification).
const bfcharLimit = 100

func (s *Subset) toUnicode() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for from := 1; from < len(s.runes); from += bfcharLimit {
		to := min(from+bfcharLimit, len(s.runes))
		fmt.Fprintf(&b, "%d beginbfchar\n", to-from)
		for code := from; code < to; code++ {
			fmt.Fprintf(&b, "<%04X> <", code)
			for _, unit := range utf16.Encode(s.runes[code : code+1]) {
				fmt.Fprintf(&b, "%04X", unit)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}
