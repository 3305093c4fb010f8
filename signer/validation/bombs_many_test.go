package validation_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

// wide is n megabytes that are a DER SEQUENCE of zeros.
func wide(t *testing.T, n int) []byte {
	t.Helper()
	return append([]byte{0x30, 0x84, byte(n >> 4), byte(n << 4), 0, 0}, make([]byte, n<<20)...)
}

// compressed is a stream of data, which takes little room.
func compressed(t *testing.T, data []byte, entries ...any) *pdf.Stream {
	t.Helper()
	return pdf.NewStream(pdf.NewDict(append(entries, "Filter", pdf.Name("FlateDecode"))...), deflated(t, data))
}

// repeated is n references to what one file holds once.
func repeated(o pdf.Object, n int) pdf.Array {
	list := make(pdf.Array, n)
	for i := range list {
		list[i] = o
	}
	return list
}

// TestManyTimesALittleIsBounded repeats what is cheap once: each bound of its own
// holds, and only a bound on all of it together helps.
func TestManyTimesALittleIsBounded(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("nothing runs side by side here, and the race detector makes it take minutes")
	}
	b := newBench(t)
	signed := b.sign(plain(), pades.Options{}, as{})
	store := func(doc []byte, make func(u *pdf.Update) *pdf.Dict) []byte {
		return b.update(doc, func(f *pdf.File, u *pdf.Update) {
			root := dictionary(t, f, 1).Clone()
			root.Set("DSS", make(u))
			u.Put(pdf.Ref{Num: 1}, root)
		})
	}
	metadata := bytes.Repeat([]byte("<a/>"), 2<<20)
	xmp := fmt.Appendf(nil, "<x>%s</x>", metadata[:2<<20-100])
	for name, doc := range map[string]func() []byte{
		"one large answer named ten thousand times": func() []byte {
			return store(signed, func(u *pdf.Update) *pdf.Dict {
				one := u.Add(compressed(t, wide(t, 60)))
				return pdf.NewDict("OCSPs", repeated(one, 9_000), "CRLs", repeated(one, 9_000))
			})
		},
		"fifty large answers": func() []byte {
			return store(signed, func(u *pdf.Update) *pdf.Dict {
				list, one := pdf.Array{}, compressed(t, wide(t, 60))
				for range 50 {
					list = append(list, u.Add(one))
				}
				return pdf.NewDict("OCSPs", list, "CRLs", list, "Certs", list)
			})
		},
		"metadata of two megabytes, written forty times": func() []byte {
			doc := b.sign(padestest.Simple(padestest.Classic, "1.7").With(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>").
				With(6, packed("/Type /Metadata /Subtype /XML ", string(deflated(t, xmp)))).Bytes(), pades.Options{}, as{})
			two := [2]*pdf.Stream{}
			for i := range two {
				two[i] = compressed(t, fmt.Appendf(bytes.Clone(xmp), "<!-- %d -->", i), "Type", pdf.Name("Metadata"), "Subtype", pdf.Name("XML"))
			}
			for i := range 40 {
				doc = b.update(doc, func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 6}, two[i%2]) })
			}
			return doc
		},
		"a hundred streams compressed anew": func() []byte {
			d := padestest.Simple(padestest.Classic, "1.7")
			data := string(deflated(t, make([]byte, 60<<20)))
			names := ""
			for i := range 100 {
				d = d.With(20+i, packed("", data))
				names += fmt.Sprintf("%d 0 R ", 20+i)
			}
			doc := b.sign(d.With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ["+names+"] >>").Bytes(), pades.Options{}, as{})
			again := pdf.NewStream(pdf.NewDict("Filter", pdf.Name("FlateDecode")), deflatedAt(t, make([]byte, 60<<20), zlib.DefaultCompression))
			return b.update(doc, func(_ *pdf.File, u *pdf.Update) {
				for i := range 100 {
					u.Put(pdf.Ref{Num: 20 + i}, again)
				}
			})
		},
		"thousands of annotations with one large look": func() []byte {
			return padestest.Simple(padestest.Classic, "1.7").
				With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots ["+strings.Repeat("20 0 R ", 200)+"] >>").
				With(2, "<< /Type /Pages /Kids ["+strings.Repeat("3 0 R ", 16)+"] /Count 16 >>").
				With(20, "<< /Type /Annot /Subtype /Stamp /Rect [0 0 500 700] /AP << /N 21 0 R >> >>").
				With(21, packed("/Type /XObject /Subtype /Form /BBox [0 0 500 700] ", string(deflated(t, bytes.Repeat([]byte("1 0 0 rg 0 0 9 9 re f\n"), 90_000))))).Bytes()
		},
		"annotations with one large look, later": func() []byte {
			return b.update(b.sign(plain(), pades.Options{Certify: 3}, as{}), func(f *pdf.File, u *pdf.Update) {
				look := u.Add(compressed(t, bytes.Repeat([]byte("1 0 0 rg 0 0 9 9 re f\n"), 90_000), "Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"),
					"BBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(500), pdf.Int(700)}))
				page := dictionary(t, f, 3).Clone()
				list := pdf.Array{}
				for range 3_000 {
					list = append(list, u.Add(pdf.NewDict("Type", pdf.Name("Annot"), "Subtype", pdf.Name("Stamp"), "AP", pdf.NewDict("N", look),
						"Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(500), pdf.Int(700)})))
				}
				page.Set("Annots", list)
				u.Put(pdf.Ref{Num: 3}, page)
			})
		},
		"forms that draw forms": func() []byte {
			d := padestest.Simple(padestest.Classic, "1.7").
				With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /X 20 0 R >> >> /Contents 4 0 R >>").
				With(2, "<< /Type /Pages /Kids ["+strings.Repeat("3 0 R ", 16)+"] /Count 16 >>").With(4, padestest.Body("", "/X Do"))
			for i := range 15 {
				d = d.With(20+i, padestest.Body(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >> ", 21+i), strings.Repeat("/X Do ", 30)))
			}
			return d.Bytes()
		},
		"a form of twenty thousand fields and sixty updates": func() []byte {
			d := padestest.Simple(padestest.Classic, "1.7")
			var list strings.Builder
			for i := range 20_000 {
				fmt.Fprintf(&list, "%d 0 R ", 100+i)
				d.Objects[100+i] = fmt.Sprintf("<< /FT /Tx /T (t%d) >>", i)
			}
			doc := b.sign(d.With(1, "<< /Type /Catalog /Pages 2 0 R /AcroForm 20 0 R >>").With(20, "<< /Fields ["+list.String()+"] >>").Bytes(), pades.Options{}, as{})
			for range 60 {
				doc = b.update(doc, func(f *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 1}, dictionary(t, f, 1).Clone()) })
			}
			return doc
		},
	} {
		t.Run(name, func(t *testing.T) {
			b.bounded(t, doc())
		})
	}
}
