// Package font sets text in Liberation Serif, whose advance widths equal those of
// Times New Roman: it normalises and measures text, and writes subsets of the
// four faces into a PDF as Type0 fonts (ISO 32000-2, 9.7) with Identity-H
// encoding and a ToUnicode map. The same text in the same order gives the same
// bytes. It knows nothing of pages; compose and appearance call it.
package font

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationserifbold"
	"codeberg.org/go-fonts/liberation/liberationserifbolditalic"
	"codeberg.org/go-fonts/liberation/liberationserifitalic"
	"codeberg.org/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font/sfnt"
)

// Style is one of the four faces of the family. The zero value is Regular.
type Style int

// The faces.
const (
	Regular Style = iota
	Bold
	Italic
	BoldItalic
	styleCount
)

// Face is one parsed face. It never changes and is safe for concurrent use.
type Face struct {
	style      Style
	postScript string
	unitsPerEm int
	bounds     [4]int16
	ascent     int16
	descent    int16
	capHeight  int16
	angle      float64

	characters *sfnt.Font // the character map only
	advances   []uint16   // by glyph; the last one repeats for those beyond
	offsets    []uint32   // of each glyph in outlines, one more than there are glyphs
	outlines   []byte     // the glyf table
	header     []byte     // the head table
	horizontal []byte     // the hhea table
	maxima     []byte     // the maxp table
}

// faces parses each face once, when it is first asked for.
var faces = [styleCount]func() (*Face, error){
	Regular:    parseOnce(Regular, liberationserifregular.TTF),
	Bold:       parseOnce(Bold, liberationserifbold.TTF),
	Italic:     parseOnce(Italic, liberationserifitalic.TTF),
	BoldItalic: parseOnce(BoldItalic, liberationserifbolditalic.TTF),
}

func parseOnce(style Style, ttf []byte) func() (*Face, error) {
	return sync.OnceValues(func() (*Face, error) { return parseFace(style, ttf) })
}

// Load returns the face of style. An error means that the program was built with
// a font it cannot read.
func Load(style Style) (*Face, error) {
	if style < 0 || style >= styleCount {
		return nil, fmt.Errorf("font style %d does not exist", style)
	}
	return faces[style]()
}

// Style is which of the four faces f is.
func (f *Face) Style() Style { return f.style }

// Ascent is the height above the baseline that a line needs at size points, in points.
func (f *Face) Ascent(size float64) float64 { return f.scale(int(f.ascent), size) }

// Descent is the depth below the baseline that a line needs at size points, in
// points; it is positive.
func (f *Face) Descent(size float64) float64 { return -f.scale(int(f.descent), size) }

// CapHeight is the height of a capital without diacritics at size points, in points.
func (f *Face) CapHeight(size float64) float64 { return f.scale(int(f.capHeight), size) }

func (f *Face) scale(units int, size float64) float64 {
	return float64(units) * size / float64(f.unitsPerEm)
}

// thousandths converts font units to the thousandths of an em that a PDF font uses.
func (f *Face) thousandths(units int) int64 {
	n := units * 1000
	if n < 0 {
		return int64((n - f.unitsPerEm/2) / f.unitsPerEm)
	}
	return int64((n + f.unitsPerEm/2) / f.unitsPerEm)
}

func (f *Face) advance(glyph uint16) int {
	if int(glyph) >= len(f.advances) {
		return int(f.advances[len(f.advances)-1])
	}
	return int(f.advances[glyph])
}

// outline returns the bytes of one glyph; nil for one without contours.
func (f *Face) outline(glyph uint16) ([]byte, error) {
	if int(glyph)+1 >= len(f.offsets) {
		return nil, fmt.Errorf("glyph %d is out of range", glyph)
	}
	from, to := f.offsets[glyph], f.offsets[glyph+1]
	if from > to || int64(to) > int64(len(f.outlines)) {
		return nil, fmt.Errorf("glyph %d lies outside its table", glyph)
	}
	return f.outlines[from:to], nil
}

var postScriptNames = [styleCount]string{
	Regular: "LiberationSerif", Bold: "LiberationSerif-Bold",
	Italic: "LiberationSerif-Italic", BoldItalic: "LiberationSerif-BoldItalic",
}

// Sizes of the fixed parts of the tables that are read (OpenType 1.9).
const (
	headSize = 54
	hheaSize = 36
	maxpSize = 32
	os2Size  = 90 // up to and with sCapHeight, version 2 and later
	postSize = 8
)

func parseFace(style Style, ttf []byte) (*Face, error) {
	tables, err := directory(ttf)
	if err != nil {
		return nil, err
	}
	for name, size := range map[string]int{"head": headSize, "hhea": hheaSize, "maxp": maxpSize, "OS/2": os2Size, "post": postSize} {
		if len(tables[name]) < size {
			return nil, fmt.Errorf("font table %s is missing or short", name)
		}
	}
	characters, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("reading the font's character map: %w", err)
	}
	head, hhea, os2 := tables["head"], tables["hhea"], tables["OS/2"]
	f := &Face{
		style: style, postScript: postScriptNames[style], characters: characters,
		unitsPerEm: int(u16(head, 18)),
		ascent:     i16(hhea, 4), descent: i16(hhea, 6), capHeight: i16(os2, 88),
		angle:    float64(int32(binary.BigEndian.Uint32(tables["post"][4:]))) / (1 << 16), // a signed 16.16 number by definition
		outlines: tables["glyf"], header: head[:headSize], horizontal: hhea[:hheaSize], maxima: tables["maxp"][:maxpSize],
	}
	for i := range f.bounds {
		f.bounds[i] = i16(head, 36+2*i)
	}
	if f.unitsPerEm == 0 {
		return nil, errors.New("font has no units per em")
	}
	return f, f.readMetrics(tables)
}

func (f *Face) readMetrics(tables map[string][]byte) error {
	glyphs, long := int(u16(f.maxima, 4)), int(u16(f.horizontal, 34))
	if hmtx := tables["hmtx"]; long == 0 || len(hmtx) < 4*long {
		return errors.New("font table hmtx is short")
	}
	for i := range long {
		f.advances = append(f.advances, u16(tables["hmtx"], 4*i))
	}
	loca := tables["loca"]
	if i16(f.header, 50) != 1 || len(loca) < 4*(glyphs+1) {
		return errors.New("font table loca is short or not in its long form")
	}
	for i := range glyphs + 1 {
		f.offsets = append(f.offsets, binary.BigEndian.Uint32(loca[4*i:]))
	}
	return nil
}

// directory returns the tables of an sfnt file by name.
func directory(ttf []byte) (map[string][]byte, error) {
	if len(ttf) < 12 {
		return nil, errors.New("font file is too short")
	}
	tables := make(map[string][]byte)
	for i := range int(u16(ttf, 4)) {
		at := 12 + 16*i
		if at+16 > len(ttf) {
			return nil, errors.New("font directory is cut off")
		}
		from := uint64(binary.BigEndian.Uint32(ttf[at+8:]))
		size := uint64(binary.BigEndian.Uint32(ttf[at+12:]))
		if from+size > uint64(len(ttf)) {
			return nil, fmt.Errorf("font table %q lies outside the file", ttf[at:at+4])
		}
		tables[string(ttf[at:at+4])] = ttf[from : from+size]
	}
	return tables, nil
}

func u16(b []byte, at int) uint16 { return binary.BigEndian.Uint16(b[at:]) }
func i16(b []byte, at int) int16 {
	return int16(binary.BigEndian.Uint16(b[at:])) // signed by definition
}
