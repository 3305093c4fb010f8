package font

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"antin/internal/text"
)

// Normalise returns s as it is set: in NFC, so that composed and decomposed
// Vietnamese give the same glyphs; tabs and no-break spaces become spaces; and
// characters that show nothing and word processors leave behind (zero-width
// space and joiners, byte order mark, soft hyphen) are dropped.
func Normalise(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\t', '\u00a0', '\u202f':
			return ' '
		case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
			return -1
		}
		return r
	}, norm.NFC.String(s))
}

// Glyph returns the glyph of r. One that the face lacks is a *text.Error
// glyph-missing that names the character. A combining mark is missing too: what
// NFC cannot join to its letter would be drawn beside it.
func (f *Face) Glyph(r rune) (uint16, error) {
	if unicode.Is(unicode.Mn, r) || unicode.IsControl(r) || r == unicode.ReplacementChar {
		return 0, missing(r)
	}
	glyph, err := f.characters.GlyphIndex(nil, r)
	if err != nil || glyph == 0 {
		return 0, missing(r)
	}
	return uint16(glyph), nil
}

func missing(r rune) error {
	shown := string(r)
	if !unicode.IsGraphic(r) || unicode.Is(unicode.M, r) {
		shown = "?"
	}
	return text.Detailed(text.GlyphMissing, nil, "appearance.glyph", shown, fmt.Sprintf("U+%04X", r))
}

// Advance returns the width of r in points when set at size points. Errors are
// those of Glyph.
func (f *Face) Advance(r rune, size float64) (float64, error) {
	glyph, err := f.Glyph(r)
	if err != nil {
		return 0, err
	}
	return f.scale(f.advance(glyph), size), nil
}

// Measure returns the width of s in points when set at size points, after Normalise.
func (f *Face) Measure(s string, size float64) (float64, error) {
	units := 0
	for _, r := range Normalise(s) {
		glyph, err := f.Glyph(r)
		if err != nil {
			return 0, err
		}
		units += f.advance(glyph)
	}
	return f.scale(units, size), nil
}
