package validation_test

import (
	"testing"

	"antin/certs/certstest"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// TestHabitsOfOtherProgramsAreNotCriedOver saves a signed document in the ways of
// other programs: nothing of it changes what the document says.
func TestHabitsOfOtherProgramsAreNotCriedOver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true}, as{})
	xmp := func(inner string) *pdf.Stream {
		return pdf.NewStream(pdf.NewDict("Type", pdf.Name("Metadata"), "Subtype", pdf.Name("XML")),
			[]byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">`+
				inner+`</rdf:Description></rdf:RDF></x:xmpmeta>`))
	}
	rootOf := func(doc []byte, edit func(f *pdf.File, u *pdf.Update, d *pdf.Dict)) []byte {
		return b.update(doc, func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 1).Clone()
			edit(f, u, d)
			u.Put(pdf.Ref{Num: 1}, d)
		})
	}
	root := func(edit func(f *pdf.File, u *pdf.Update, d *pdf.Dict)) []byte { return rootOf(signed, edit) }
	form := func(f *pdf.File, d *pdf.Dict) *pdf.Dict {
		a, err := f.Dict(d.Get("AcroForm"))
		if err != nil {
			t.Fatal(err)
		}
		return a.Clone()
	}
	for name, doc := range map[string][]byte{
		"metadata added": root(func(_ *pdf.File, u *pdf.Update, d *pdf.Dict) {
			d.Set("Metadata", u.Add(xmp("<xmp:MetadataDate>2026-11-23T09:00:00Z</xmp:MetadataDate><pdf:Producer>x</pdf:Producer>")))
		}),
		"an empty default appearance and empty resources": rootOf(b.sign(plain(), pades.Options{}, as{}), func(f *pdf.File, u *pdf.Update, d *pdf.Dict) {
			a := form(f, d)
			a.Set("DA", pdf.TextString(""))
			a.Set("DR", pdf.NewDict())
			if ref, ok := d.Get("AcroForm").(pdf.Ref); ok {
				u.Put(ref, a)
				return
			}
			d.Set("AcroForm", a)
		}),
		"the form moved into an object": root(func(f *pdf.File, u *pdf.Update, d *pdf.Dict) { d.Set("AcroForm", u.Add(form(f, d))) }),
		"everything written again": b.update(signed, func(f *pdf.File, u *pdf.Update) {
			for num := range f.Objects() {
				e, _ := f.Entry(num)
				o, err := f.Load(pdf.Ref{Num: num, Gen: e.Gen})
				d, plain := o.(*pdf.Dict)
				if err != nil || !plain || d.Has("ByteRange") {
					continue // the signature itself stays where it is
				}
				u.Put(pdf.Ref{Num: num, Gen: e.Gen}, d.Clone())
			}
		}),
		"an update of nothing": b.update(signed, func(*pdf.File, *pdf.Update) {}),
		"an appearance written in place": b.update(signed, func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, personField).Clone()
			ap, err := f.Dict(d.Get("AP"))
			if err != nil {
				t.Fatal(err)
			}
			if ap != nil {
				d.Set("AP", ap.Clone())
			}
			u.Put(pdf.Ref{Num: personField}, d)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, b.judge(b.online(), doc), validation.Valid, "")
		})
	}
}

// TestFillingAsABrowserDoes writes what a browser saves with a filled field: its value,
// a look, and when.
func TestFillingAsABrowserDoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(result(padestest.Classic), pades.Options{Certify: 2}, as{})
	r := b.judge(b.online(), b.update(signed, func(f *pdf.File, u *pdf.Update) {
		d := dictionary(t, f, numberField).Clone()
		d.Set("V", pdf.TextString("12"))
		d.Set("AP", pdf.NewDict("N", u.Add(look("12"))))
		d.Set("M", pdf.TextString("D:20261123090000Z"))
		u.Put(pdf.Ref{Num: numberField}, d)
	}))
	expect(t, r, validation.ValidWithNotes, validation.ReasonChangeAllowed)
}

// TestWhoCoversAVisibleChange is derived by hand from the contract, since other
// validators call all of these valid.
func TestWhoCoversAVisibleChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stranger := newBench(t).Leader()
	const (
		fill = iota
		note
	)
	make := func(permission, what int, cover *as) []byte {
		doc := b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true, Certify: permission}, as{})
		if what == fill {
			doc = b.update(doc, change(t, numberField, "V", pdf.TextString("12")))
		} else {
			doc = b.update(doc, addAnnotation(t, "FreeText"))
		}
		if cover != nil {
			doc = b.sign(doc, pades.Options{FieldName: "CoQuan", Existing: true}, *cover)
		}
		return doc
	}
	trusted, untrusted := &as{who: b.Signer(certstest.RoleSealA)}, &as{who: stranger}
	for _, c := range []struct {
		name       string
		permission int
		what       int
		cover      *as
		policy     string
		want       validation.Verdict
		code       validation.ReasonCode
	}{
		{"nothing stated, a fill, nobody", 0, fill, nil, "vn-2026", validation.Invalid, validation.ReasonUncovered},
		{"nothing stated, a fill, nobody, strict", 0, fill, nil, "strict", validation.Invalid, validation.ReasonUncovered},
		{"nothing stated, a fill, nobody, lenient", 0, fill, nil, "eidas-like", validation.ValidWithNotes, validation.ReasonUncovered},
		{"nothing stated, a fill, a stranger", 0, fill, untrusted, "vn-2026", validation.Inconclusive, validation.ReasonCoverUntrusted},
		{"nothing stated, a fill, trusted", 0, fill, trusted, "vn-2026", validation.ValidWithNotes, validation.ReasonChangeCovered},
		{"nothing stated, an annotation, nobody", 0, note, nil, "vn-2026", validation.Invalid, validation.ReasonUncovered},
		{"nothing stated, an annotation, nobody, lenient", 0, note, nil, "eidas-like", validation.ValidWithNotes, validation.ReasonUncovered},
		{"nothing stated, an annotation, a stranger", 0, note, untrusted, "vn-2026", validation.Inconclusive, validation.ReasonCoverUntrusted},
		{"nothing stated, an annotation, trusted", 0, note, trusted, "vn-2026", validation.ValidWithNotes, validation.ReasonChangeCovered},
		{"forms permitted, a fill, nobody", 2, fill, nil, "strict", validation.ValidWithNotes, validation.ReasonChangeAllowed},
		{"forms permitted, an annotation, nobody", 2, note, nil, "vn-2026", validation.Invalid, validation.ReasonChanged},
		{"forms permitted, an annotation, trusted", 2, note, trusted, "vn-2026", validation.Invalid, validation.ReasonChanged},
		{"annotations permitted, an annotation, nobody", 3, note, nil, "vn-2026", validation.ValidWithNotes, validation.ReasonChangeAllowed},
		{"nothing permitted, a fill, nobody", 1, fill, nil, "eidas-like", validation.Invalid, validation.ReasonChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := b.online()
			var err error
			if v.Policy, err = validation.PolicyByName(c.policy); err != nil {
				t.Fatal(err)
			}
			r := b.judge(v, make(c.permission, c.what, c.cover))
			if r.Verdict != c.want && (c.policy != "strict" || c.want == validation.Invalid) {
				t.Errorf("%s, want %s: %s", r.Verdict, c.want, explain(r))
			}
			found := false
			for _, reason := range r.Reasons {
				found = found || reason.Code == c.code
			}
			if !found {
				t.Errorf("%s, want %s", codes(r), c.code)
			}
		})
	}
}
