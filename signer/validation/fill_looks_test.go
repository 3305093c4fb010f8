package validation_test

import (
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// formed is a document with a form, one of whose text fields may hold a value.
func formed(value string) []byte {
	entries := ""
	if value != "" {
		entries = "/V (" + value + ") "
	}
	return padestest.Simple(padestest.Classic, "1.7").WithForm("", map[int]string{
		numberField: padestest.TextField("so", ""),
		dateField:   padestest.TextField("ngay", entries),
	}).Bytes()
}

// askForLooks fills the number, where value is not empty, and asks viewers to draw
// the values of all fields anew.
func askForLooks(b *bench, doc []byte, value string) []byte {
	return b.update(doc, func(f *pdf.File, u *pdf.Update) {
		if value != "" {
			change(b.t, numberField, "V", pdf.TextString(value))(f, u)
		}
		rootRef, root, err := f.Root()
		if err != nil {
			b.t.Fatal(err)
		}
		form, err := f.Dict(root.Get("AcroForm"))
		if err != nil {
			b.t.Fatal(err)
		}
		form = form.Clone()
		form.Set("NeedAppearances", pdf.Bool(true))
		if ref, ok := root.Get("AcroForm").(pdf.Ref); ok {
			u.Put(ref, form)
			return
		}
		root = root.Clone()
		root.Set("AcroForm", form)
		u.Put(rootRef, root)
	})
}

func TestAskingForLooksGoesWithTheFirstFilling(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(formed(""), pades.Options{Certify: 2}, as{})
	r := b.judge(b.online(), askForLooks(b, signed, "12/QĐ-UBND"))
	expect(t, r, validation.ValidWithNotes, validation.ReasonChangeAllowed)
	for _, c := range r.Changes {
		if !c.Allowed {
			t.Errorf("forbidden: %s", c.Message.EN)
		}
	}
}

func TestAskingForLooksOfSignedValuesIsForbidden(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, doc := range map[string][]byte{
		"nothing filled":        askForLooks(b, b.sign(formed(""), pades.Options{Certify: 2}, as{}), ""),
		"another field's value": askForLooks(b, b.sign(formed("23"), pades.Options{Certify: 2}, as{}), "12/QĐ-UBND"),
	} {
		if r := b.judge(b.online(), doc); r.Verdict != validation.Invalid {
			t.Errorf("%s: %s: %s", name, r.Verdict, explain(r))
		}
	}
}
