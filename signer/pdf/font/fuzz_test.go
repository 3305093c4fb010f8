package font_test

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"codeberg.org/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font/sfnt"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/font"
)

// FuzzFace damages the face in two places and makes a subset of what can still be
// read: there is an error or a font, never a panic.
func FuzzFace(f *testing.F) {
	f.Add(uint32(0), []byte{}, uint32(0), []byte{}, uint16(36))
	f.Add(uint32(4), []byte{0xff, 0xff}, uint32(12), []byte("glyf"), uint16(0))
	f.Add(uint32(300), []byte{0xff, 0xff, 0xff, 0xff}, uint32(70_000), []byte{0xff, 0xff}, uint16(200))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, at2 uint32, patch2 []byte, glyph uint16) {
		ttf := bytes.Clone(liberationserifregular.TTF)
		copy(ttf[int(at)%len(ttf):], patch)
		copy(ttf[int(at2)%len(ttf):], patch2)
		program, count, err := font.SubsetOf(ttf, []uint16{0, glyph})
		if err != nil {
			return
		}
		if count < 2 || len(program) == 0 || len(program) > 2*len(ttf) {
			t.Fatalf("%d glyphs in %d bytes", count, len(program))
		}
	})
}

// FuzzText embeds a subset for any text: either a character is missing and named, or
// the file opens, and its font is one.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "Quyết định số 12/QĐ-UBND", "Nguyê\u0303n", "\u200b\u0000\ufffd", "漢字", "\xff"} {
		f.Add(s, 0)
	}
	f.Fuzz(func(t *testing.T, s string, style int) {
		subset, err := font.NewSubset(font.Style(style))
		if err != nil {
			return
		}
		codes, err := subset.Encode(s)
		if err != nil {
			if text.CodeOf(err) != text.GlyphMissing {
				t.Fatal(err)
			}
			return
		}
		if n := utf8.RuneCountInString(s); len(codes) > n {
			t.Fatalf("%d codes for %d characters", len(codes), n)
		}
		b := pdf.NewDocument("1.7")
		ref, err := subset.Embed(b)
		if err != nil {
			t.Fatal(err)
		}
		pages := b.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Pages"), pdf.Name("Count"), pdf.Int(0), pdf.Name("Kids"), pdf.Array{}))
		data, err := b.Build(b.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Catalog"), pdf.Name("Pages"), pages, pdf.Name("TheFont"), ref)), pdf.Ref{})
		if err != nil {
			t.Fatal(err)
		}
		file, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for num := range file.Objects() {
			stream, err := file.Stream(pdf.Ref{Num: num})
			if err != nil || !stream.Dict.Has("Length1") {
				continue
			}
			program, err := file.Decode(stream, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sfnt.Parse(program); err != nil {
				t.Fatalf("the font of %q is none: %v", s, err)
			}
		}
	})
}
