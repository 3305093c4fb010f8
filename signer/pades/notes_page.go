package pades

import (
	"slices"
	"strings"

	"antin/signer/pdf"
)

// The notes about what a page shows.
const (
	// NoteExternalStream: part of what a page shows lies in another file (/F of a stream,
	// ISO 32000-2, 7.3.8), which the signature does not cover.
	NoteExternalStream Note = "external-stream"
	// NoteFontsNotEmbedded: text is set in a font that is not in the file, so that every
	// reader shows it by a font of its own. The standard fonts do not count.
	NoteFontsNotEmbedded Note = "fonts-not-embedded"
)

// maxNotedFonts and maxNotedObjects bound what is looked through of one page: a page of
// an office has some ten fonts and pictures, and opening is not to cost by the page.
const (
	maxNotedFonts   = 64
	maxNotedObjects = 64
)

// standardFonts begin the names of the 14 fonts that every reader brings along
// (ISO 32000-1, 9.6.2.2), under which they also go by other makers' names.
var standardFonts = []string{"Helvetica", "Times", "Courier", "Symbol", "ZapfDingbats", "Arial", "CourierNew", "TimesNewRoman"}

// pageNotes looks at the first page and at the one to be signed.
func (p *plan) pageNotes() (external, fonts bool) {
	pages := []int{1}
	if n := p.Page; n > 1 {
		pages = append(pages, n)
	}
	for _, n := range pages {
		_, page, err := p.form.file.Page(n)
		if err != nil || page == nil {
			continue // said where it matters
		}
		external = external || p.externalContent(page)
		inherited, err := p.form.file.Inherited(page, "Resources")
		resources := p.form.dict(inherited)
		if err != nil || resources == nil {
			continue
		}
		fonts = fonts || p.lacksFont(p.form.dict(resources.Get("Font")))
		external = external || p.externalObject(p.form.dict(resources.Get("XObject")))
	}
	return external, fonts
}

// externalContent reports whether a content stream of page lies in another file.
func (p *plan) externalContent(page *pdf.Dict) bool {
	switch c := p.form.resolve(page.Get("Contents")).(type) {
	case *pdf.Stream:
		return c.Dict.Has("F")
	case pdf.Array:
		return slices.ContainsFunc(c[:min(len(c), maxNotedObjects)], p.isExternal)
	}
	return false
}

func (p *plan) externalObject(objects *pdf.Dict) bool {
	if objects == nil {
		return false
	}
	for i, k := range objects.Keys() {
		if i == maxNotedObjects {
			break
		}
		if p.isExternal(objects.Get(k)) {
			return true
		}
	}
	return false
}

func (p *plan) isExternal(o pdf.Object) bool {
	s, ok := p.form.resolve(o).(*pdf.Stream)
	return ok && s.Dict.Has("F")
}

// lacksFont reports whether one of fonts is neither in the file nor a standard one.
func (p *plan) lacksFont(fonts *pdf.Dict) bool {
	if fonts == nil {
		return false
	}
	for i, k := range fonts.Keys() {
		if i == maxNotedFonts {
			break
		}
		if f := p.form.dict(fonts.Get(k)); f != nil && !p.embedded(f) {
			return true
		}
	}
	return false
}

func (p *plan) embedded(font *pdf.Dict) bool {
	switch p.form.name(font.Get("Subtype")) {
	case "Type3":
		return true // its glyphs are content streams
	case "Type0":
		list, _ := p.form.resolve(font.Get("DescendantFonts")).(pdf.Array)
		if len(list) == 0 {
			return false
		}
		if font = p.form.dict(list[0]); font == nil {
			return false
		}
	}
	d := p.form.dict(font.Get("FontDescriptor"))
	if d != nil && (d.Has("FontFile") || d.Has("FontFile2") || d.Has("FontFile3")) {
		return true
	}
	name := string(p.form.name(font.Get("BaseFont")))
	return slices.ContainsFunc(standardFonts, func(s string) bool { return strings.HasPrefix(name, s) })
}
