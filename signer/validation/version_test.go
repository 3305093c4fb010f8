package validation_test

import (
	"testing"

	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// Signers raise the catalog's /Version with the extensions that they declare.
func TestTheVersionMayOnlyRise(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{})
	for version, want := range map[pdf.Object]validation.Verdict{
		pdf.Name("1.7"): validation.Valid,
		pdf.Name("2.0"): validation.Valid,
		pdf.Name("1.4"): validation.Invalid,
		pdf.Name("9.9"): validation.Invalid,
		pdf.Bool(true):  validation.Invalid,
	} {
		r := b.judge(b.online(), b.update(doc, change(t, 1, "Version", version)))
		if r.Verdict != want {
			t.Errorf("%v: %s: %s", version, r.Verdict, explain(r))
		}
	}
	raised := b.update(doc, change(t, 1, "Version", pdf.Name("2.0")))
	twice := b.sign(raised, pades.Options{FieldName: "Second"}, as{})
	expect(t, b.judge(b.online(), b.update(twice, change(t, 1, "Version", pdf.Name("1.7")))), validation.Invalid, validation.ReasonChanged)
	expect(t, b.judge(b.online(), b.update(twice, change(t, 1, "Version", nil))), validation.Invalid, validation.ReasonChanged)
}
