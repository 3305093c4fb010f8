package attacktest

import (
	"antin/signer/pdf"
)

// looks make a field show something else than what was signed, its value left alone.
func looks() []Attack {
	widget := func(name string, permitted int, edit func(u *pdf.Update, d *pdf.Dict) error) Attack {
		return Attack{Name: name, Class: "annotation", Permitted: permitted, make: func(t *target) ([]byte, error) { return t.widget("Tx", edit) }}
	}
	form := func(name string, edit func(t *target, u *pdf.Update, d *pdf.Dict) error) Attack {
		return Attack{Name: name, Class: "annotation", make: func(t *target) ([]byte, error) { return t.form(edit) }}
	}
	set := func(key pdf.Name, value pdf.Object) func(u *pdf.Update, d *pdf.Dict) error {
		return func(_ *pdf.Update, d *pdf.Dict) error { d.Set(key, value); return nil }
	}
	return []Attack{
		widget("a field's look chosen among states", 2, func(u *pdf.Update, d *pdf.Dict) error {
			d.Set("AP", pdf.NewDict("N", pdf.NewDict("Mot", u.Add(shown()), "Hai", u.Add(shown()))))
			d.Set("AS", pdf.Name("Hai"))
			return nil
		}),
		widget("a field's look under the mouse", 2, func(u *pdf.Update, d *pdf.Dict) error {
			d.Set("AP", pdf.NewDict("R", u.Add(shown()), "D", u.Add(shown())))
			return nil
		}),
		widget("a field's background", 2, set("MK", pdf.NewDict("BG", pdf.Array{pdf.Int(0)}, "BC", pdf.Array{pdf.Int(0)}))),
		widget("a field's caption", 2, set("MK", pdf.NewDict("CA", pdf.TextString("8.000.000"), "R", pdf.Int(180)))),
		widget("a field's font and size", 0, set("DA", pdf.String{Value: []byte("/Helv 0.1 Tf 1 g")})),
		widget("a field's alignment", 0, set("Q", pdf.Int(2))),
		widget("a field's rich text", 0, set("RV", pdf.TextString("<body><p>8.000.000</p></body>"))),
		widget("a field's default value", 0, set("DV", pdf.TextString("8.000.000"))),
		widget("a field hidden", 0, set("F", pdf.Int(2))),
		widget("a field that is not printed", 0, set("F", pdf.Int(0))),
		widget("a field of another kind of text", 0, set("Ff", pdf.Int(1<<13))),
		widget("a field cut at some letters", 0, set("MaxLen", pdf.Int(1))),
		widget("a field with a script", 0, set("AA", pdf.NewDict("F", pdf.NewDict("S", pdf.Name("JavaScript"), "JS", pdf.TextString("event.value='8'"))))),
		widget("a field's border drawn over it", 0, set("BS", pdf.NewDict("W", pdf.Int(99)))),
		widget("a field moved onto another place", 0, set("Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(500), pdf.Int(500)})),
		form("viewers asked to draw all values", func(_ *target, _ *pdf.Update, d *pdf.Dict) error {
			if d.Get("NeedAppearances") == pdf.Object(pdf.Bool(true)) {
				return errNotHere
			}
			d.Set("NeedAppearances", pdf.Bool(true))
			return nil
		}),
		form("the form's default font", func(_ *target, _ *pdf.Update, d *pdf.Dict) error {
			d.Set("DA", pdf.String{Value: []byte("/ZaDb 12 Tf 1 g")})
			return nil
		}),
		form("the form's alignment", func(_ *target, _ *pdf.Update, d *pdf.Dict) error { d.Set("Q", pdf.Int(2)); return nil }),
		form("a form of another language", func(_ *target, _ *pdf.Update, d *pdf.Dict) error {
			d.Set("XFA", pdf.String{Value: []byte("<xdp/>")})
			return nil
		}),
		form("an order of calculation", func(t *target, _ *pdf.Update, d *pdf.Dict) error {
			fields, err := t.file.Array(d.Get("Fields"))
			if err != nil || len(fields) == 0 {
				return errNotHere
			}
			d.Set("CO", pdf.Array{fields[0]})
			return nil
		}),
		form("a font of the form exchanged", func(t *target, u *pdf.Update, d *pdf.Dict) error {
			resources, err := t.file.Dict(d.Get("DR"))
			if err != nil || resources == nil {
				return errNotHere
			}
			fonts, err := t.file.Dict(resources.Get("Font"))
			if err != nil || fonts.Len() == 0 {
				return errNotHere
			}
			f, r := fonts.Clone(), resources.Clone()
			f.Set(fonts.Keys()[0], u.Add(pdf.NewDict("Type", pdf.Name("Font"), "Subtype", pdf.Name("Type1"), "BaseFont", pdf.Name("Symbol"))))
			r.Set("Font", f)
			d.Set("DR", r)
			return nil
		}),
		form("the fields in another order", func(t *target, _ *pdf.Update, d *pdf.Dict) error {
			fields, err := t.file.Array(d.Get("Fields"))
			if err != nil || len(fields) < 2 {
				return errNotHere
			}
			turned := append(pdf.Array{fields[len(fields)-1]}, fields[:len(fields)-1]...)
			d.Set("Fields", turned)
			return nil
		}),
		{Name: "the look of a signature chosen among states", Class: "signature", make: func(t *target) ([]byte, error) {
			if t.sig.WidgetRef == (pdf.Ref{}) {
				return nil, errNotHere
			}
			return t.update(func(u *pdf.Update) error {
				d, err := t.file.Dict(t.sig.WidgetRef)
				if err != nil || d == nil {
					return errNotHere
				}
				d = d.Clone()
				d.Set("AP", pdf.NewDict("N", pdf.NewDict("Mot", u.Add(shown()))))
				d.Set("AS", pdf.Name("Mot"))
				u.Put(t.sig.WidgetRef, d)
				return nil
			})
		}},
		{Name: "the stream of a signature's look overridden", Class: "signature", make: func(t *target) ([]byte, error) {
			d, err := t.file.Dict(t.sig.WidgetRef)
			if err != nil || d == nil {
				return nil, errNotHere
			}
			ap, err := t.file.Dict(d.Get("AP"))
			if err != nil || ap == nil {
				return nil, errNotHere
			}
			ref, err := reference(ap.Get("N"))
			if err != nil {
				return nil, err
			}
			return t.update(func(u *pdf.Update) error { u.Put(ref, shown()); return nil })
		}},
	}
}

// shown is an appearance that covers what lies below it.
func shown() *pdf.Stream {
	return pdf.NewStream(pdf.NewDict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"),
		"BBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(60), pdf.Int(16)}), []byte("0 g 0 0 60 16 re f"))
}

// widget edits the first field of a kind that shows on a page.
func (t *target) widget(kind pdf.Name, edit func(u *pdf.Update, d *pdf.Dict) error) ([]byte, error) {
	for num := range t.file.Objects() {
		e, _ := t.file.Entry(num)
		ref := pdf.Ref{Num: num, Gen: e.Gen}
		old, err := t.file.Dict(ref)
		if err != nil || old.Get("FT") != kind || !old.Has("Rect") {
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

// form edits the interactive form's dictionary.
func (t *target) form(edit func(t *target, u *pdf.Update, d *pdf.Dict) error) ([]byte, error) {
	_, root, err := t.file.Root()
	if err != nil {
		return nil, err
	}
	old, err := t.file.Dict(root.Get("AcroForm"))
	if err != nil || old == nil {
		return nil, errNotHere
	}
	return t.catalog(func(u *pdf.Update, root *pdf.Dict) error {
		d := old.Clone()
		if err := edit(t, u, d); err != nil {
			return err
		}
		if ref, err := reference(root.Get("AcroForm")); err == nil {
			u.Put(ref, d)
			return nil
		}
		root.Set("AcroForm", d)
		return nil
	})
}
