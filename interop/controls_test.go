//go:build interop

package interop_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// TestJudgesCanSayNo makes sure that the judges' yes means something: one changed
// byte must turn every one of them.
func TestJudgesCanSayNo(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(dir, "original.pdf")
	if err := os.WriteFile(original, seedPDF(), 0o600); err != nil {
		t.Fatal(err)
	}
	c := combination{document: document{name: "control", path: original, kind: padestest.Classic}, key: keyRSA, level: ades.BLT}
	good, bad := filepath.Join(dir, "good.pdf"), filepath.Join(dir, "bad.pdf")
	if err := signOurs(s, c, good); err != nil {
		t.Fatal(err)
	}
	if complaints := w.judgeOurs(c, good); len(complaints) > 0 {
		t.Fatalf("the untouched file: %v", complaints)
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(data, []byte("(So 12/QD-UBND)"), []byte("(So 13/QD-UBND)"), 1)
	if bytes.Equal(changed, data) {
		t.Fatal("nothing was changed")
	}
	if err := os.WriteFile(bad, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	fields := []string{ourField}
	for judge, err := range map[string]error{
		"pdfsig":  pdfsigJudge(bad, fields),
		"mutool":  mutoolJudge(bad, 1),
		"pyHanko": w.pyHankoAccepts(bad, fields, ades.BLT, true),
		"openssl": w.opensslAccepts(bad, w.root, fields),
		"qpdf":    qpdfJudge(good, cutShort(t, bad)),
	} {
		if err == nil {
			t.Errorf("%s accepts a changed file", judge)
		}
	}
	if r, err := w.validate(changed, true); err != nil || r.Verdict != validation.Invalid {
		t.Errorf("we call a changed file %v (%v)", r, err)
	}
}

// TestOfflineNeedsEmbeddedData makes sure that the offline judgement asks nobody:
// without embedded data it must fail.
func TestOfflineNeedsEmbeddedData(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	original, signed := filepath.Join(dir, "original.pdf"), filepath.Join(dir, "signed.pdf")
	if err := os.WriteFile(original, seedPDF(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := signOurs(s, combination{document: document{path: original}, key: keyRSA, level: ades.BT}, signed); err != nil {
		t.Fatal(err)
	}
	got, err := w.pyJudge(signed, w.root, true, true)
	if err != nil {
		t.Fatal(err)
	}
	if one := got[ourField]; !one.Intact || one.Indication == pyPassed {
		t.Errorf("pyHanko without a network on B-T: %+v", one)
	}
	data, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := w.validate(data, false); err != nil || r.Verdict != validation.Inconclusive {
		t.Errorf("we without a network on B-T: %+v (%v)", r, err)
	}
}

// cutShort writes the first part of a file beside it.
func cutShort(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	short := path + ".short.pdf"
	if err := os.WriteFile(short, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	return short
}
