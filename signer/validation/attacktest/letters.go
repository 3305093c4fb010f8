package attacktest

import (
	"antin/signer/pdf"
)

// letters give the codes of a text another meaning or another shape: what is shown, or
// what is read out and copied, is then not what was signed.
func letters() []Attack {
	font := func(name string, edit func(u *pdf.Update, d *pdf.Dict) error) Attack {
		return Attack{Name: name, Class: "shadow", make: func(t *target) ([]byte, error) { return t.fontOf(edit) }}
	}
	overridden := func(name string, key pdf.Name, with func() pdf.Object) Attack {
		return Attack{Name: name, Class: "shadow", make: func(t *target) ([]byte, error) { return t.fontPart(key, with) }}
	}
	cmap := func(text string) *pdf.Stream { return pdf.NewStream(pdf.NewDict(), []byte(text)) }
	return []Attack{
		font("a text map given to a font", func(u *pdf.Update, d *pdf.Dict) error {
			d.Set("ToUnicode", u.Add(cmap("1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <33> <0038> endbfchar")))
			return nil
		}),
		font("the text map of a font taken away", func(_ *pdf.Update, d *pdf.Dict) error {
			if !d.Has("ToUnicode") {
				return errNotHere
			}
			d.Delete("ToUnicode")
			return nil
		}),
		font("letters of an encoding exchanged", func(_ *pdf.Update, d *pdf.Dict) error {
			d.Set("Encoding", pdf.NewDict("BaseEncoding", pdf.Name("WinAnsiEncoding"), "Differences", pdf.Array{pdf.Int(51), pdf.Name("eight")}))
			return nil
		}),
		font("a predefined map of codes", func(_ *pdf.Update, d *pdf.Dict) error { d.Set("Encoding", pdf.Name("UniJIS-UCS2-H")); return nil }),
		font("a map of codes of its own", func(u *pdf.Update, d *pdf.Dict) error {
			d.Set("Encoding", u.Add(cmap("1 begincidrange <0000> <ffff> 8 endcidrange")))
			return nil
		}),
		font("widths of a font exchanged", func(_ *pdf.Update, d *pdf.Dict) error {
			d.Set("Widths", pdf.Array{pdf.Int(0)})
			d.Set("FirstChar", pdf.Int(51))
			d.Set("LastChar", pdf.Int(51))
			return nil
		}),
		font("glyphs drawn by the file itself", func(u *pdf.Update, d *pdf.Dict) error {
			d.Set("Subtype", pdf.Name("Type3"))
			d.Set("CharProcs", pdf.NewDict("three", u.Add(black())))
			d.Set("FontMatrix", pdf.Array{pdf.Int(1), pdf.Int(0), pdf.Int(0), pdf.Int(1), pdf.Int(0), pdf.Int(0)})
			return nil
		}),
		overridden("the stream of a text map overridden", "ToUnicode", func() pdf.Object { return cmap("1 beginbfchar <33> <0038> endbfchar") }),
		overridden("the object of an encoding overridden", "Encoding", func() pdf.Object {
			return pdf.NewDict("Differences", pdf.Array{pdf.Int(51), pdf.Name("eight")})
		}),
		overridden("the descriptor of a font overridden", "FontDescriptor", func() pdf.Object {
			return pdf.NewDict("Type", pdf.Name("FontDescriptor"), "FontName", pdf.Name("Symbol"), "Flags", pdf.Int(4))
		}),
		overridden("the descendants of a font overridden", "DescendantFonts", func() pdf.Object { return pdf.Array{pdf.NewDict()} }),
		overridden("the widths of a font overridden", "Widths", func() pdf.Object { return pdf.Array{pdf.Int(0), pdf.Int(0)} }),
	}
}

// fonts lists the fonts of the first page that are objects of their own.
func (t *target) fonts() []pdf.Ref {
	_, page, err := t.file.Page(1)
	if err != nil {
		return nil
	}
	o, _ := t.file.Inherited(page, "Resources")
	resources, _ := t.file.Dict(o)
	named, _ := t.file.Dict(resources.Get("Font"))
	var list []pdf.Ref
	for _, k := range named.Keys() {
		if ref, err := reference(named.Get(k)); err == nil {
			list = append(list, ref)
		}
	}
	return list
}

// fontOf edits the first font of the first page.
func (t *target) fontOf(edit func(u *pdf.Update, d *pdf.Dict) error) ([]byte, error) {
	for _, ref := range t.fonts() {
		old, err := t.file.Dict(ref)
		if err != nil || old == nil {
			continue
		}
		return t.update(func(u *pdf.Update) error {
			d := old.Clone()
			if err := edit(u, d); err != nil {
				return err
			}
			u.Put(ref, d)
			return nil
		})
	}
	return nil, errNotHere
}

// fontPart overrides what a font of the first page refers to by key.
func (t *target) fontPart(key pdf.Name, with func() pdf.Object) ([]byte, error) {
	for _, font := range t.fonts() {
		d, err := t.file.Dict(font)
		if err != nil {
			continue
		}
		if ref, err := reference(d.Get(key)); err == nil {
			return t.update(func(u *pdf.Update) error { u.Put(ref, with()); return nil })
		}
	}
	return nil, errNotHere
}
