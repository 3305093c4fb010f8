package attacktest

import (
	"antin/signer/pdf"
)

// annotations put something onto the page that was not there.
func annotations() []Attack {
	add := func(subtype pdf.Name, permitted int, more ...any) Attack {
		return Attack{Name: string(subtype) + " annotation added", Class: "annotation", Permitted: permitted, make: func(t *target) ([]byte, error) {
			return t.annotate(func(u *pdf.Update) pdf.Object {
				d := pdf.NewDict(more...)
				d.Set("Type", pdf.Name("Annot"))
				d.Set("Subtype", subtype)
				d.Set("Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(500), pdf.Int(700)})
				d.Set("F", pdf.Int(4))
				d.Set("AP", pdf.NewDict("N", u.Add(pdf.NewStream(pdf.NewDict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"),
					"BBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(500), pdf.Int(700)}), []byte("1 g 0 0 500 700 re f")))))
				return d
			})
		}}
	}
	return []Attack{
		add("FreeText", 3, "Contents", pdf.TextString("8.000.000 đồng")), add("Stamp", 3), add("Square", 3), add("Ink", 3),
		add("Redact", 0), add("Link", 0, "A", pdf.NewDict("S", pdf.Name("Launch"), "F", pdf.TextString("a.exe"))),
		add("Screen", 0), add("Widget", 0),
		{Name: "all annotations removed", Class: "annotation", make: func(t *target) ([]byte, error) {
			return t.page(func(_ *pdf.Update, page *pdf.Dict) error {
				if !page.Has("Annots") {
					return errNotHere
				}
				page.Delete("Annots")
				return nil
			})
		}},
	}
}

// annotate appends to the first page's annotations.
func (t *target) annotate(make func(u *pdf.Update) pdf.Object) ([]byte, error) {
	return t.page(func(u *pdf.Update, page *pdf.Dict) error {
		old, err := t.file.Array(page.Get("Annots"))
		if err != nil {
			return err
		}
		page.Set("Annots", append(old[:len(old):len(old)], u.Add(make(u))))
		return nil
	})
}

// signatures abuse the fields of the form.
func signatures() []Attack {
	value := func(name string, edit func(t *target, d *pdf.Dict)) Attack {
		return Attack{Name: name, Class: "signature", make: func(t *target) ([]byte, error) { return t.override(t.sig.ValueRef, edit) }}
	}
	field := func(name string, edit func(t *target, d *pdf.Dict)) Attack {
		return Attack{Name: name, Class: "signature", make: func(t *target) ([]byte, error) { return t.override(t.sig.FieldRef, edit) }}
	}
	return []Attack{
		value("another name in the signature", func(_ *target, d *pdf.Dict) { d.Set("Name", pdf.TextString("Chủ tịch")) }),
		value("another reason in the signature", func(_ *target, d *pdf.Dict) { d.Set("Reason", pdf.TextString("Đồng ý")) }),
		value("another time in the signature", func(_ *target, d *pdf.Dict) { d.Set("M", pdf.TextString("D:20200101000000Z")) }),
		value("another filter", func(_ *target, d *pdf.Dict) { d.Set("SubFilter", pdf.Name("adbe.x509.rsa_sha1")) }),
		field("value taken away", func(_ *target, d *pdf.Dict) { d.Delete("V") }),
		field("field moved", func(_ *target, d *pdf.Dict) {
			d.Set("Rect", pdf.Array{pdf.Int(7), pdf.Int(7), pdf.Int(77), pdf.Int(77)})
		}),
		field("field renamed", func(_ *target, d *pdf.Dict) { d.Set("T", pdf.TextString("Khac")) }),
		field("field made a text field", func(_ *target, d *pdf.Dict) { d.Set("FT", pdf.Name("Tx")) }),
		field("another look of the signature", func(_ *target, d *pdf.Dict) {
			d.Set("AP", pdf.NewDict("N", pdf.NewDict()))
		}),
		{Name: "a second field with the same value", Class: "signature", make: func(t *target) ([]byte, error) {
			if t.sig.ValueRef == (pdf.Ref{}) {
				return nil, errNotHere
			}
			return t.addField(pdf.NewDict("FT", pdf.Name("Sig"), "T", pdf.TextString("ChuKyThem"), "V", t.sig.ValueRef, "Type", pdf.Name("Annot"),
				"Subtype", pdf.Name("Widget"), "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(200), pdf.Int(100)}, "F", pdf.Int(132)))
		}},
		{Name: "an empty field that looks signed", Class: "signature", make: func(t *target) ([]byte, error) {
			return t.addField(pdf.NewDict("FT", pdf.Name("Sig"), "T", pdf.TextString("ChuKyGia"), "Type", pdf.Name("Annot"),
				"Subtype", pdf.Name("Widget"), "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(200), pdf.Int(100)}, "F", pdf.Int(132),
				"AP", pdf.NewDict("N", pdf.NewDict("Off", pdf.NewDict()))))
		}},
		{Name: "another look of a form field", Class: "annotation", Permitted: 2, make: relook},
		{Name: "a second field of the same name", Class: "signature", make: func(t *target) ([]byte, error) {
			return t.addField(pdf.NewDict("FT", pdf.Name("Sig"), "T", pdf.TextString(t.sig.Field), "Type", pdf.Name("Annot"),
				"Subtype", pdf.Name("Widget"), "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(0), pdf.Int(0)}, "F", pdf.Int(132)))
		}},
		{Name: "a copied signature in a field of its own", Class: "signature", make: func(t *target) ([]byte, error) {
			return t.addField(pdf.NewDict("FT", pdf.Name("Sig"), "T", pdf.TextString("ChuKySao"), "V", t.sig.Value.Clone(), "Type", pdf.Name("Annot"),
				"Subtype", pdf.Name("Widget"), "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(200), pdf.Int(100)}, "F", pdf.Int(132)))
		}},
		{Name: "a text field filled", Class: "signature", Permitted: 2, make: func(t *target) ([]byte, error) {
			return t.addField(pdf.NewDict("FT", pdf.Name("Tx"), "T", pdf.TextString("SoTien"), "V", pdf.TextString("8.000.000"), "Type", pdf.Name("Annot"),
				"Subtype", pdf.Name("Widget"), "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(200), pdf.Int(100)}, "F", pdf.Int(4)))
		}},
	}
}

// override edits the dictionary ref.
func (t *target) override(ref pdf.Ref, edit func(t *target, d *pdf.Dict)) ([]byte, error) {
	if ref == (pdf.Ref{}) {
		return nil, errNotHere
	}
	old, err := t.file.Dict(ref)
	if err != nil || old == nil {
		return nil, errNotHere
	}
	return t.update(func(u *pdf.Update) error {
		d := old.Clone()
		edit(t, d)
		u.Put(ref, d)
		return nil
	})
}

// addField puts a merged field and widget onto the form and the first page.
func (t *target) addField(d *pdf.Dict) ([]byte, error) {
	rootRef, root, err := t.file.Root()
	if err != nil {
		return nil, err
	}
	form, err := t.file.Dict(root.Get("AcroForm"))
	if err != nil || form == nil {
		return nil, errNotHere
	}
	fields, err := t.file.Array(form.Get("Fields"))
	if err != nil {
		return nil, err
	}
	return t.page(func(u *pdf.Update, page *pdf.Dict) error {
		old, err := t.file.Array(page.Get("Annots"))
		if err != nil {
			return err
		}
		added := u.Add(d)
		page.Set("Annots", append(old[:len(old):len(old)], added))
		f := form.Clone()
		f.Set("Fields", append(fields[:len(fields):len(fields)], added))
		if ref, isRef := root.Get("AcroForm").(pdf.Ref); isRef {
			u.Put(ref, f)
			return nil
		}
		r := root.Clone()
		r.Set("AcroForm", f)
		u.Put(rootRef, r)
		return nil
	})
}

// relook draws the first text field anew and leaves its value alone.
func relook(t *target) ([]byte, error) {
	for num := range t.file.Objects() {
		e, _ := t.file.Entry(num)
		ref := pdf.Ref{Num: num, Gen: e.Gen}
		d, err := t.file.Dict(ref)
		if err != nil || d.Get("FT") != pdf.Name("Tx") || !d.Has("Rect") {
			continue
		}
		return t.update(func(u *pdf.Update) error {
			c := d.Clone()
			c.Set("AP", pdf.NewDict("N", u.Add(pdf.NewStream(pdf.NewDict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"),
				"BBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(60), pdf.Int(16)}), []byte("0 g 0 0 60 16 re f")))))
			u.Put(ref, c)
			return nil
		})
	}
	return nil, errNotHere
}
