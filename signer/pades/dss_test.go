package pades_test

import (
	"bytes"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
)

func addDSS(t *testing.T, data []byte, d pades.DSS) []byte {
	t.Helper()
	built, err := pades.AddDSS(open(t, data), d)
	if err != nil {
		t.Fatal(err)
	}
	if built == nil {
		return data
	}
	return append(bytes.Clone(data), built.Data...)
}

func TestDSSOnlyGrowsAndHoldsEachEntryOnce(t *testing.T) {
	t.Parallel()
	forEachKind(t, func(t *testing.T, d padestest.Document) {
		one := addDSS(t, d.Bytes(), pades.DSS{Certs: [][]byte{{1}, {2}, {1}}, OCSPs: [][]byte{{3}}})
		two := addDSS(t, one, pades.DSS{Certs: [][]byte{{2}, {4}}, CRLs: [][]byte{{5}}})
		if !bytes.HasPrefix(two, one) {
			t.Fatal("earlier bytes changed")
		}
		first, err := pades.ReadDSS(open(t, one))
		if err != nil {
			t.Fatal(err)
		}
		got, err := pades.ReadDSS(open(t, two))
		if err != nil {
			t.Fatal(err)
		}
		if first.Ref.IsZero() || got.Ref != first.Ref {
			t.Errorf("store moved from %v to %v", first.Ref, got.Ref)
		}
		if want := [][]byte{{1}, {2}, {4}}; !equal(got.Certs, want) || !equal(got.OCSPs, [][]byte{{3}}) || !equal(got.CRLs, [][]byte{{5}}) {
			t.Errorf("store %v", got)
		}
		if three := addDSS(t, two, pades.DSS{Certs: [][]byte{{4}}}); len(three) != len(two) {
			t.Error("nothing new, yet an update was written")
		}
	})
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func TestDSSWithIndirectArraysGrowsInPlace(t *testing.T) {
	t.Parallel()
	d := padestest.Simple(padestest.Classic, "2.0").
		With(1, "<< /Type /Catalog /Pages 2 0 R /DSS << /Certs 20 0 R /X 1 >> >>").
		With(20, "[21 0 R]").With(21, padestest.Body("", "A"))
	out := addDSS(t, d.Bytes(), pades.DSS{Certs: [][]byte{[]byte("B")}})
	got, err := pades.ReadDSS(open(t, out))
	if err != nil || !equal(got.Certs, [][]byte{[]byte("A"), []byte("B")}) {
		t.Errorf("store %v, %v", got, err)
	}
}

func TestDSSReadsVRIAndCountsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	d := padestest.Simple(padestest.Classic, "2.0").
		With(1, "<< /Type /Catalog /Pages 2 0 R /DSS 19 0 R >>").
		With(19, "<< /Certs [21 0 R 99 0 R 5 0 R] /VRI << /AB << /Cert [21 0 R] /OCSP [22 0 R] >> >> >>").
		With(21, padestest.Body("", "A")).With(22, padestest.Body("", "O"))
	got, err := pades.ReadDSS(open(t, d.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Unreadable != 2 || !equal(got.Certs, [][]byte{[]byte("A")}) || !equal(got.VRI["AB"].OCSPs, [][]byte{[]byte("O")}) {
		t.Errorf("store %+v", got)
	}
}
