//go:build interop

package interop_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"antin/signer/ades"
	"antin/signer/validation"
)

// control signs a PDF/A document at level, for the judges to be tried on.
func control(t *testing.T, w *world, level ades.Level) (r row, path string) {
	t.Helper()
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	d := documentKinds()[0]
	for _, other := range documentKinds() {
		if other.flavour == "1b" {
			d = other
		}
	}
	if d, err = newLibrary(t, w).get(d, noForm); err != nil {
		t.Fatal(err)
	}
	r = row{document: d, level: level, sort: sorts()[0], algorithm: algorithms()[0]}
	path = filepath.Join(w.scratch(t), "control.pdf")
	if err := signRow(s, r, path); err != nil {
		t.Fatal(err)
	}
	return r, path
}

// changed writes the file at path with one word replaced by another of its length.
func changed(t *testing.T, path, from, to string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(data, []byte(from), []byte(to), 1)
	if bytes.Equal(other, data) || len(from) != len(to) {
		t.Fatalf("%q is not in the file", from)
	}
	bad := path + ".changed.pdf"
	if err := os.WriteFile(bad, other, 0o600); err != nil {
		t.Fatal(err)
	}
	return bad
}

// TestJudgesCanSayNo makes sure that the judges' yes means something: they accept
// the file as it is, and one changed word turns every one of them. qpdf and
// veraPDF, which do not look at signatures, get what they do look at.
func TestJudgesCanSayNo(t *testing.T) {
	w := shared
	r, path := control(t, w, ades.BLTA)
	for _, j := range rowJudges(r) {
		if err := j.judge(w, r, path); err != nil {
			t.Errorf("%s on the untouched file: %v", j.name, err)
		}
	}
	bad := changed(t, path, "72 600 200 100 re", "72 600 200 900 re")
	spoilt := map[string]string{
		judgeQpdf: cutShort(t, path),
		judgeVera: changed(t, copied(t, path), "/DestOutputProfile", "/DestOutputProfilz"),
	}
	for _, j := range rowJudges(r) {
		file := bad
		if other, own := spoilt[j.name]; own {
			file = other
		}
		if err := j.judge(w, r, file); err == nil {
			t.Errorf("%s accepts a changed file", j.name)
		}
	}
	data, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	if report, err := w.validate(data, true); err != nil || report.Verdict != validation.Invalid {
		t.Errorf("we call a changed file %v (%v)", report, err)
	}
}

// TestOfflineNeedsEmbeddedData makes sure that the offline judgement asks nobody:
// without embedded data it must fail.
func TestOfflineNeedsEmbeddedData(t *testing.T) {
	w := shared
	_, signed := control(t, w, ades.BT)
	got, err := w.pyJudge(signed, w.root, true, true)
	if err != nil {
		t.Fatal(err)
	}
	if one := got[ourField]; !one.Intact || one.Indication == pyPassed {
		t.Errorf("pyHanko without a network on B-T: %+v", one)
	}
	a, err := w.dssJudge(signed, dssQuestion{root: w.root})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.passed(ourField, ""); err == nil {
		t.Errorf("DSS without a network on B-T: %+v", a)
	}
	data, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := w.validate(data, false); err != nil || r.Verdict != validation.Inconclusive {
		t.Errorf("we without a network on B-T: %+v (%v)", r, err)
	}
}

// copied makes a copy of a file, so that two can be made of it.
func copied(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := path + ".copy.pdf"
	if err := os.WriteFile(other, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return other
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
