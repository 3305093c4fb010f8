package validation_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// inflating is n megabytes of white space, compressed about a thousandfold.
func inflating(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte{' '}, 1<<20)
	for range n {
		if _, err := z.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// deflated is data, compressed.
func deflated(t *testing.T, data []byte) []byte {
	t.Helper()
	return deflatedAt(t, data, zlib.BestSpeed)
}

func deflatedAt(t *testing.T, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// named validates doc and returns what is said: a verdict, or the code of an error. It
// fails when nothing is, within a time that no working machine needs.
func (b *bench) named(t *testing.T, doc []byte) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	begin := time.Now()
	r, err := b.online().Validate(ctx, validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: "a.pdf"}, b.clock())
	t.Logf("%d bytes: %s", len(doc), time.Since(begin).Round(time.Millisecond))
	b.bounded(t, doc)
	if err != nil {
		if code := text.CodeOf(err); code != text.Internal {
			return string(code)
		}
		t.Fatal(err)
	}
	return string(r.Verdict)
}

// packed is a stream that inflates to gigabytes.
func packed(entries, data string) string {
	return fmt.Sprintf("<< %s/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", entries, len(data), data)
}

func TestStreamThatInflatesToGigabytesIsBounded(t *testing.T) {
	b := newBench(t)
	bomb := inflating(t, 2<<10)
	stream := func(entries ...any) *pdf.Stream {
		return pdf.NewStream(pdf.NewDict(append(entries, "Filter", pdf.Name("FlateDecode"))...), []byte(bomb))
	}
	signed := b.sign(plain(), pades.Options{}, as{})
	catalog := func(key pdf.Name, value func(u *pdf.Update) pdf.Object) []byte {
		return b.update(signed, func(f *pdf.File, u *pdf.Update) {
			root := dictionary(t, f, 1).Clone()
			root.Set(key, value(u))
			u.Put(pdf.Ref{Num: 1}, root)
		})
	}
	doc := padestest.Simple(padestest.Classic, "1.7")
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"as a page's content, signed": {b.sign(doc.With(4, packed("", bomb)).Bytes(), pades.Options{}, as{}), "valid"},
		"as a page's content, later": {b.update(signed, func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 4}, stream()) }),
			"invalid"},
		"as evidence": {catalog("DSS", func(u *pdf.Update) pdf.Object { return pdf.NewDict("Certs", pdf.Array{u.Add(stream())}) }), "invalid"},
		"as metadata": {catalog("Metadata", func(u *pdf.Update) pdf.Object {
			return u.Add(stream("Type", pdf.Name("Metadata"), "Subtype", pdf.Name("XML")))
		}), "invalid"},
		"as a picture on an unsigned page": {doc.With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /X 6 0 R >> >> /Contents 4 0 R >>").
			With(4, padestest.Body("", "q 90 0 0 90 300 100 cm /X Do Q")).
			With(6, packed("/Type /XObject /Subtype /Image /Width 2000 /Height 2000 /ColorSpace /DeviceRGB /BitsPerComponent 8 ", bomb)).Bytes(), "unsigned"},
	} {
		if got := b.named(t, c.doc); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTenThousandSignaturesAreALimitByName(t *testing.T) {
	b := newBench(t)
	const n = 10_000
	d := padestest.Simple(padestest.Classic, "1.7")
	var fields strings.Builder
	for i := range n {
		fmt.Fprintf(&fields, "%d 0 R ", 100+2*i)
		d.Objects[100+2*i] = fmt.Sprintf("<< /FT /Sig /T (S%d) /V %d 0 R >>", i, 101+2*i)
		d.Objects[101+2*i] = "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 10 20 30] /Contents <00> >>"
	}
	doc := d.With(1, "<< /Type /Catalog /Pages 2 0 R /AcroForm << /SigFlags 3 /Fields ["+fields.String()+"] >> >>").Bytes()
	if got := b.named(t, doc); got != string(text.LimitExceeded) {
		t.Error(got)
	}
}

func TestMillionObjectsAreJudged(t *testing.T) {
	b := newBench(t)
	const n = 1_000_000
	var out bytes.Buffer
	offsets := make([]int, 0, n+4)
	put := func(format string, args ...any) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, format, args...)
	}
	out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	put("1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")
	put("2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n")
	put("3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Next 4 0 R>>\nendobj\n")
	for i := 4; i < n; i++ {
		put("%d 0 obj\n[%d 0 R]\nendobj\n", i, i+1) // a chain: the worst for whoever recurses
	}
	put("%d 0 obj\nnull\nendobj\n", n)
	at := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", n+1)
	for _, o := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&out, "trailer\n<</Size %d/Root 1 0 R/ID[<00><00>]>>\nstartxref\n%d\n%%%%EOF\n", n+1, at)
	signed := b.sign(out.Bytes(), pades.Options{}, as{})
	if got := b.named(t, signed); got != "valid" {
		t.Errorf("signed: %s", got)
	}
	// Changed where only a walk over all of it can tell what uses the object.
	changed := b.update(signed, func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: n}, pdf.Int(1)) })
	if got := b.named(t, changed); got != "invalid" && got != "inconclusive" {
		t.Errorf("changed: %s", got)
	}
}

func TestLoopsOfReferencesEnd(t *testing.T) {
	b := newBench(t)
	signed := b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true}, as{})
	loop := func(f *pdf.File, u *pdf.Update) pdf.Ref {
		a, c := u.Reserve(), u.Reserve()
		u.Put(a, pdf.NewDict("Kids", pdf.Array{c}, "Parent", c, "Next", a, "T", pdf.TextString("a")))
		u.Put(c, pdf.NewDict("Kids", pdf.Array{a}, "Parent", a, "Next", c, "T", pdf.TextString("b")))
		return a
	}
	for name, edit := range map[string]func(f *pdf.File, u *pdf.Update){
		"of fields": func(f *pdf.File, u *pdf.Update) { b.addField(u, loop(f, u)) },
		"of pages": func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 2).Clone()
			d.Set("Kids", pdf.Array{pdf.Ref{Num: 3}, pdf.Ref{Num: 2}})
			u.Put(pdf.Ref{Num: 2}, d)
		},
		"of evidence": func(f *pdf.File, u *pdf.Update) {
			root := dictionary(t, f, 1).Clone()
			root.Set("DSS", loop(f, u))
			u.Put(pdf.Ref{Num: 1}, root)
		},
		"of a field's appearance": func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, numberField).Clone()
			form := u.Reserve()
			u.Put(form, pdf.NewStream(pdf.NewDict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"), "BBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(9), pdf.Int(9)},
				"Resources", pdf.NewDict("XObject", pdf.NewDict("X", form))), []byte("/X Do /X Do")))
			d.Set("AP", pdf.NewDict("N", form))
			u.Put(pdf.Ref{Num: numberField}, d)
		},
		"of a reference to itself": func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 4}, pdf.Ref{Num: 4}) },
	} {
		if got := b.named(t, b.update(signed, edit)); got != "invalid" && got != "inconclusive" && got != string(text.PDFMalformed) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
