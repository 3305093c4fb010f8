package pades_test

import (
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
)

// A text field that a damaged form reaches twice is still no signature.
func TestABrokenFieldOfAnotherKindIsNoSignature(t *testing.T) {
	t.Parallel()
	base := padestest.Simple(padestest.Classic, "1.7")
	d := base.WithForm("", map[int]string{10: padestest.TextField("a", "/V (x)"),
		11: "<< /FT /Btn /T (b) /V /1 /Kids [12 0 R] >>"}).With(12, "<< /Parent 11 0 R /Kids [10 0 R] >>")
	if found := signatures(t, d.Bytes()); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	d = d.With(10, padestest.SigField("a", "/V 20 0 R")).With(20, sigValue)
	if found := signatures(t, d.Bytes()); len(found) == 0 || !found[0].Has(pades.ProblemFieldTree) {
		t.Errorf("a signature reached twice: %+v", found)
	}
	// The kind is that of those above: a signature one way, a button the other.
	d = base.WithForm("", map[int]string{10: "<< /FT /Sig /T (s) /V 20 0 R /Kids [13 0 R] >>",
		11: "<< /FT /Btn /T (b) /Kids [13 0 R] >>"}).With(13, "<< /T (k) /Parent 10 0 R >>").With(20, sigValue)
	if found := signatures(t, d.Bytes()); len(found) == 0 || !found[0].Has(pades.ProblemFieldTree) {
		t.Errorf("a field of two kinds: %+v", found)
	}
}
