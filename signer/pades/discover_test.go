package pades_test

import (
	"bytes"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

func zeros(n int) string { return strings.Repeat("0", n) }

func replaceOnce(t *testing.T, data []byte, old, with string) []byte {
	t.Helper()
	if bytes.Count(data, []byte(old)) != 1 {
		t.Fatalf("%q is not there once", old)
	}
	return bytes.Replace(data, []byte(old), []byte(with), 1)
}

const sigValue = "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 10 20 30] /Contents <3080> >>"

func TestSignaturesFlags(t *testing.T) {
	t.Parallel()
	base := padestest.Simple(padestest.Classic, "1.7")
	one := func(value string) padestest.Document {
		return base.WithForm("", map[int]string{10: padestest.SigField("A", "/V 20 0 R")}).With(20, value)
	}
	cases := map[string]struct {
		document padestest.Document
		want     pades.Problem
	}{
		"a value used by two fields": {base.WithForm("", map[int]string{
			10: padestest.SigField("A", "/V 20 0 R"), 11: padestest.SigField("B", "/V 20 0 R")}).With(20, sigValue), pades.ProblemValueShared},
		"two fields with one name": {base.WithForm("", map[int]string{
			10: padestest.SigField("A", "/V 20 0 R"), 11: padestest.SigField("A", "")}).With(20, sigValue), pades.ProblemNameShared},
		"a value inherited by two fields": {base.WithForm("", map[int]string{10: "<< /FT /Sig /T (P) /V 20 0 R /Kids [11 0 R 12 0 R] >>"}).
			With(11, "<< /T (a) /Parent 10 0 R >>").With(12, "<< /T (b) /Parent 10 0 R >>").With(20, sigValue), pades.ProblemValueShared},
		"a direct value":          {base.WithForm("", map[int]string{10: padestest.SigField("A", "/V "+sigValue)}), pades.ProblemValueDirect},
		"a value of another type": {one("(x)"), pades.ProblemValueNotDictionary},
		"no ByteRange":            {one("<< /SubFilter /ETSI.CAdES.detached /Contents <30> >>"), pades.ProblemByteRangeMissing},
		"a null ByteRange":        {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange null /Contents <30> >>"), pades.ProblemByteRangeMissing},
		"an indirect ByteRange":   {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange 21 0 R /Contents <30> >>").With(21, "[0 1 2 3]"), pades.ProblemByteRangeIndirect},
		"three numbers":           {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2] /Contents <30> >>"), pades.ProblemByteRangeMalformed},
		"a fraction":              {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3.5] /Contents <30> >>"), pades.ProblemByteRangeMalformed},
		"no Contents":             {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] >>"), pades.ProblemContentsMissing},
		"empty Contents":          {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] /Contents <> >>"), pades.ProblemContentsMissing},
		"indirect Contents":       {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] /Contents 21 0 R >>").With(21, "<3080>"), pades.ProblemContentsIndirect},
		"literal Contents":        {one("<< /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] /Contents (ab) >>"), pades.ProblemContentsNotHex},
		"an unknown SubFilter":    {one("<< /SubFilter /X /ByteRange [0 1 2 3] /Contents <30> >>"), pades.ProblemSubFilterUnknown},
		"a widget outside Fields": {base.With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [10 0 R] >>").
			With(10, padestest.SigField("A", "/V 20 0 R")).With(20, sigValue), pades.ProblemNotInFields},
		"a value only Perms names": {base.With(1, "<< /Type /Catalog /Pages 2 0 R /Perms << /DocMDP 20 0 R >> >>").With(20, sigValue), pades.ProblemNoField},
		"a cycle in the tree": {base.WithForm("", map[int]string{10: "<< /FT /Sig /T (P) /Kids [11 0 R] >>"}).
			With(11, "<< /T (a) /Parent 10 0 R /Kids [10 0 R] >>"), pades.ProblemFieldTree},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := signatures(t, c.document.Bytes())
			if len(found) == 0 {
				t.Fatal("no signature listed")
			}
			for _, s := range found {
				if s.Has(c.want) {
					return
				}
			}
			t.Errorf("problems %v", found[0].Problems)
		})
	}
}

func TestSignaturesReadsTheTree(t *testing.T) {
	t.Parallel()
	d := padestest.Simple(padestest.Stream, "1.7").WithForm("", map[int]string{10: "<< /FT /Sig /T (Nhom) /Kids [11 0 R 12 0 R] >>"}).
		With(11, "<< /T (a) /Parent 10 0 R /V 20 0 R /Kids [13 0 R] >>").
		With(12, "<< /T (b) /Parent 10 0 R /Type /Annot /Subtype /Widget /Rect [60 50 10 20] /Lock << /Action /All /P 2 >> >>").
		With(13, "<< /Parent 11 0 R /Type /Annot /Subtype /Widget /Rect [1 2 3 4] >>").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [12 0 R 13 0 R] >>").
		With(20, sigValue)
	found := signatures(t, d.Bytes())
	if len(found) != 2 || found[0].Field != "Nhom.a" || found[1].Field != "Nhom.b" {
		t.Fatalf("found %+v", found)
	}
	a, b := found[0], found[1]
	if !a.Signed() || a.ValueRef.Num != 20 || a.WidgetRef.Num != 13 || a.Page != 1 || a.Rect != [4]float64{1, 2, 3, 4} || len(a.Problems) > 0 {
		t.Errorf("a: %+v", a)
	}
	if b.Signed() || b.Page != 1 || b.Rect != [4]float64{10, 20, 60, 50} || b.Lock == nil || b.Lock.P != 2 {
		t.Errorf("b: %+v", b)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"D:20261123091244+07'00'": "2026-11-23T02:12:44Z",
		"D:20261123091244+07'00":  "2026-11-23T02:12:44Z",
		"D:20261123091244-0530":   "",
		"D:20261123091244Z":       "2026-11-23T09:12:44Z",
		"D:2026":                  "2026-01-01T00:00:00Z",
		"20261123":                "2026-11-23T00:00:00Z",
		"D:202613":                "",
		"hom nay":                 "",
	} {
		got, ok := pades.ParseDate(in)
		if in == "D:20261123091244-0530" {
			continue // minutes without an apostrophe: either reading will do
		}
		if ok != (want != "") || (ok && got.UTC().Format("2006-01-02T15:04:05Z07:00") != want) {
			t.Errorf("%s: %v %v", in, got, ok)
		}
	}
	if s := pades.FormatDate(signedAt); s != "D:20261123091244+07'00'" {
		t.Error(s)
	}
}

func FuzzSignatures(f *testing.F) {
	for _, kind := range padestest.Kinds() {
		f.Add(padestest.Simple(kind, "1.7").WithForm("", map[int]string{10: padestest.SigField("A", "/V 20 0 R")}).With(20, sigValue).Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
		if err != nil {
			return
		}
		_, _ = pades.Signatures(file)
		_, _ = pades.ReadDSS(file)
		p, err := pades.Prepare(file, pades.Options{M: signedAt, ContentsSize: 64})
		if err == nil && p.Check() != nil {
			t.Error("prepared revision does not fit itself")
		}
	})
}
