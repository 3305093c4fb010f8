package validation_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// swap replaces old by text of the same length, once.
func swap(t *testing.T, doc []byte, old, with string) []byte {
	t.Helper()
	if len(old) != len(with) || !bytes.Contains(doc, []byte(old)) {
		t.Fatalf("cannot swap %q", old)
	}
	return bytes.Replace(doc, []byte(old), []byte(with), 1)
}

func TestAttacksOnTheSignedBytes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{})
	ranges := string(regexp.MustCompile(`/ByteRange ?\[[^\]]*\] *`).Find(doc))
	pad := func(s string) string { return s + strings.Repeat(" ", len(ranges)-len(s)) }
	var start, gapEnd, rest int
	if _, err := fmt.Sscanf(strings.TrimSpace(strings.TrimPrefix(ranges, "/ByteRange")), "[0 %d %d %d]", &start, &gapEnd, &rest); err != nil {
		t.Fatal(err)
	}
	expect(t, b.judge(b.online(), doc), validation.Valid, "")
	cases := []struct {
		name string
		doc  []byte
		code validation.ReasonCode
	}{
		{"one digit changed", swap(t, doc, "So 12/QD", "So 13/QD"), validation.ReasonHash},
		{"no ByteRange", swap(t, doc, "/ByteRange", "/ByteRongo"), validation.ReasonFormat},
		{"ByteRange null", swap(t, doc, ranges, pad("/ByteRange null")), validation.ReasonFormat},
		{"ByteRange empty", swap(t, doc, ranges, pad("/ByteRange []")), validation.ReasonFormat},
		{"ByteRange negative", swap(t, doc, ranges, pad(fmt.Sprintf("/ByteRange[0 -1 %d %d]", gapEnd, rest))), validation.ReasonFormat},
		{"ByteRange overflowing", swap(t, doc, ranges, pad("/ByteRange[0 1 9223372036854775807 9223372036854775807]")), validation.ReasonFormat},
		{"gap widened", swap(t, doc, ranges, pad(fmt.Sprintf("/ByteRange[0 %d %d %d]", start-1, gapEnd, rest))), validation.ReasonFormat},
		{"gap shifted", swap(t, doc, ranges, pad(fmt.Sprintf("/ByteRange[0 %d %d %d]", start+2, gapEnd+2, rest-2))), validation.ReasonFormat},
		{"not from the beginning", swap(t, doc, ranges, pad(fmt.Sprintf("/ByteRange[1 %d %d %d]", start-1, gapEnd, rest))), validation.ReasonFormat},
		{"tail left out", swap(t, doc, ranges, pad(fmt.Sprintf("/ByteRange[0 %d %d %d]", start, gapEnd, rest-7))), validation.ReasonFormat},
		{"no Contents", swap(t, doc, "/Contents <", "/Contonts <"), validation.ReasonFormat},
		{"Contents all zero", zeroed(doc, start, gapEnd), validation.ReasonFormat},
		{"white space in the gap", swapAt(doc, gapEnd-3, ' '), validation.ReasonFormat},
		{"bytes after the end", append(bytes.Clone(doc), "\n<script>alert(1)</script>\n"...), validation.ReasonTrailingData},
		{"bytes before the header", append([]byte("#!/bin/sh\n"), doc...), ""},
	}
	for _, c := range cases {
		r := b.judge(b.online(), c.doc)
		if r.Verdict != validation.Invalid {
			t.Errorf("%s: %s: %s", c.name, r.Verdict, explain(r))
			continue
		}
		if c.code != "" {
			expect(t, r, validation.Invalid, c.code)
		}
	}
	// One more line end behind %%EOF is what transports add; it changes nothing.
	expect(t, b.judge(b.online(), append(bytes.Clone(doc), '\r', '\n')), validation.Valid, "")
}

func zeroed(doc []byte, from, to int) []byte {
	doc = bytes.Clone(doc)
	for i := from + 1; i < to-1; i++ {
		doc[i] = '0'
	}
	return doc
}

func swapAt(doc []byte, at int, c byte) []byte {
	doc = bytes.Clone(doc)
	doc[at] = c
	return doc
}

func TestSignatureWrappedIntoAnotherRangeFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{})
	ranges := regexp.MustCompile(`\[0 (\d+) (\d+) (\d+)\]`).FindSubmatch(doc)
	var start, gapEnd, rest int
	if _, err := fmt.Sscan(fmt.Sprintf("%s %s %s", ranges[1], ranges[2], ranges[3]), &start, &gapEnd, &rest); err != nil {
		t.Fatal(err)
	}
	// The honest tail moves to the end of the file, something else takes its place.
	const room = 400
	moved := gapEnd + room
	evil := append(bytes.Clone(doc[:gapEnd]), bytes.Repeat([]byte(" "), room)...)
	evil = append(evil, doc[gapEnd:]...)
	now := fmt.Sprintf("[0 %d %d %d]", start, moved, rest)
	old := string(ranges[0])
	evil = bytes.Replace(evil, []byte(old+strings.Repeat(" ", max(len(now)-len(old), 0))), []byte(now+strings.Repeat(" ", max(len(old)-len(now), 0))), 1)
	r := b.judge(b.online(), evil)
	if r.Verdict != validation.Invalid {
		t.Errorf("%s: %s", r.Verdict, explain(r))
	}
}

func TestChangesAfterSigning(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form := b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}, as{})
	name := func(s string) pdf.Object { return pdf.Name(s) }
	content := func(_ *pdf.File, u *pdf.Update) {
		u.Put(pdf.Ref{Num: 4}, pdf.NewStream(pdf.NewDict(), []byte("BT /F1 24 Tf 72 700 Td (So 99/QD-UBND) Tj ET\n")))
	}
	cases := []struct {
		name string
		edit func(*pdf.File, *pdf.Update)
		want validation.Verdict
		code validation.ReasonCode
	}{
		{"page content replaced", content, validation.Invalid, validation.ReasonChanged},
		{"font replaced", change(t, 5, "BaseFont", name("Courier")), validation.Invalid, validation.ReasonChanged},
		{"page box changed", change(t, 3, "MediaBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(100), pdf.Int(100)}), validation.Invalid, validation.ReasonChanged},
		{"page rotated", change(t, 3, "Rotate", pdf.Int(90)), validation.Invalid, validation.ReasonChanged},
		{"page removed", change(t, 2, "Kids", pdf.Array{}), validation.Invalid, validation.ReasonChanged},
		{"annotations removed", change(t, 3, "Annots", nil), validation.Invalid, validation.ReasonChanged},
		{"open action added", change(t, 1, "OpenAction", pdf.NewDict("S", pdf.Name("JavaScript"))), validation.Invalid, validation.ReasonChanged},
		{"outlines added", change(t, 1, "Outlines", pdf.NewDict("Count", pdf.Int(0))), validation.Invalid, validation.ReasonChanged},
		{"form dropped", change(t, 1, "AcroForm", nil), validation.Invalid, validation.ReasonChanged},
		{"NeedAppearances set", change(t, 9, "NeedAppearances", pdf.Bool(true)), validation.Invalid, validation.ReasonChanged},
		{"signed field moved", change(t, personField, "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(9), pdf.Int(9)}), validation.Invalid, validation.ReasonChanged},
		{"signature removed", change(t, personField, "V", nil), validation.Invalid, validation.ReasonChanged},
		{"number filled, nobody covers", change(t, numberField, "V", pdf.TextString("12")), validation.Invalid, validation.ReasonUncovered},
		{"number field renamed", change(t, numberField, "T", pdf.TextString("so2")), validation.Invalid, validation.ReasonChanged},
		{"number field gets an action", change(t, numberField, "AA", pdf.NewDict("F", pdf.NewDict("S", pdf.Name("JavaScript")))), validation.Invalid, validation.ReasonChanged},
		{"text annotation added", addAnnotation(t, "FreeText"), validation.Invalid, validation.ReasonUncovered},
		{"text field added", addField(b, pdf.NewDict("FT", pdf.Name("Tx"), "T", pdf.TextString("moi"))), validation.Invalid, validation.ReasonChanged},
		{"empty look for the seal", change(t, sealField, "AP", pdf.NewDict("N", pdf.Ref{Num: 4})), validation.Invalid, validation.ReasonChanged},
		{"something in the trailer", func(_ *pdf.File, u *pdf.Update) {
			u.SetTrailer("Evil", u.Add(pdf.Int(1)))
		}, validation.Invalid, validation.ReasonChanged},
		{"author invented", func(_ *pdf.File, u *pdf.Update) {
			u.SetTrailer("Info", u.Add(pdf.NewDict("Author", pdf.TextString("Ai"))))
		}, validation.Invalid, validation.ReasonChanged},

		{"nothing but a rewritten page", func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 3).Clone()
			d.Set("MediaBox", pdf.Array{pdf.Int(0), pdf.Real(0), pdf.Real(595), pdf.Int(842)})
			u.Put(pdf.Ref{Num: 3}, d)
		}, validation.Valid, ""},
		{"numbers spelled as reals", func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 3).Clone()
			d.Set("MediaBox", b.real("[0.0 0 595.000 842.0]"))
			u.Put(pdf.Ref{Num: 3}, d)
		}, validation.Valid, ""},
		{"annotation list made an object", func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 3).Clone()
			d.Set("Annots", u.Add(d.Get("Annots")))
			u.Put(pdf.Ref{Num: 3}, d)
		}, validation.Valid, ""},
		{"content re-compressed", func(_ *pdf.File, u *pdf.Update) {
			u.Put(pdf.Ref{Num: 4}, pdf.NewFlateStream(pdf.NewDict(), []byte("BT /F1 24 Tf 72 700 Td (So 12/QD-UBND) Tj ET\n")))
		}, validation.Valid, ""},
		{"producer and date in a new Info", func(_ *pdf.File, u *pdf.Update) {
			u.SetTrailer("Info", u.Add(pdf.NewDict("Producer", pdf.TextString("x"), "ModDate", pdf.TextString("D:20261123090000Z"))))
		}, validation.Valid, ""},
		{"unreferenced rubbish", func(_ *pdf.File, u *pdf.Update) { u.Add(pdf.NewDict("Rác", pdf.Int(1))) }, validation.Valid, ""},
		{"extension added", extend(t, "ESIC", "1.7", 2), validation.Valid, ""},
		{"extension level raised", extend(t, "ADBE", "1.7", 9), validation.Valid, ""},
		{"extension level lowered", extend(t, "ADBE", "1.7", 3), validation.Invalid, validation.ReasonChanged},
	}
	for _, c := range cases {
		r := b.judge(b.online(), b.update(form, c.edit))
		if r.Verdict != c.want {
			t.Errorf("%s: %s: %s", c.name, r.Verdict, explain(r))
		}
		expect(t, r, c.want, c.code)
		if c.want == validation.Invalid && len(r.Changes) == 0 {
			t.Errorf("%s: no change is listed", c.name)
		}
		for _, change := range r.Changes {
			if change.Message.VI == "" || strings.Contains(change.Message.VI+change.Message.EN, "%!") || strings.HasPrefix(change.Message.VI, "change.") {
				t.Errorf("%s: message %+v", c.name, change.Message)
			}
		}
	}
}

// real parses an array as a file would spell it.
func (b *bench) real(spelling string) pdf.Object {
	b.t.Helper()
	doc := padestest.Simple(padestest.Classic, "1.7").With(6, spelling).Bytes()
	o, err := b.open(doc).Load(pdf.Ref{Num: 6})
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

func addAnnotation(t *testing.T, subtype string) func(*pdf.File, *pdf.Update) {
	return func(f *pdf.File, u *pdf.Update) {
		d := dictionary(t, f, 3).Clone()
		old, _ := f.Array(d.Get("Annots"))
		a := u.Add(pdf.NewDict("Type", pdf.Name("Annot"), "Subtype", pdf.Name(subtype), "Rect", pdf.Array{pdf.Int(1), pdf.Int(1), pdf.Int(90), pdf.Int(90)}))
		d.Set("Annots", append(old[:len(old):len(old)], a))
		u.Put(pdf.Ref{Num: 3}, d)
	}
}

// extend sets a developer extension beside those that signing declared.
func extend(t *testing.T, developer pdf.Name, base string, level int64) func(*pdf.File, *pdf.Update) {
	return func(f *pdf.File, u *pdf.Update) {
		root := dictionary(t, f, 1).Clone()
		all, err := f.Dict(root.Get("Extensions"))
		if err != nil || all == nil {
			t.Fatalf("signing declared no extension: %v", err)
		}
		all = all.Clone()
		all.Set(developer, pdf.NewDict("BaseVersion", pdf.Name(base), "ExtensionLevel", pdf.Int(level)))
		root.Set("Extensions", all)
		u.Put(pdf.Ref{Num: 1}, root)
	}
}

func addField(b *bench, d *pdf.Dict) func(*pdf.File, *pdf.Update) {
	return func(_ *pdf.File, u *pdf.Update) { b.addField(u, u.Add(d)) }
}

func TestFillingUnderTheLeadersSignature(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	seal := as{who: b.Signer(certstest.RoleSealA)}
	sealing := pades.Options{FieldName: "CoQuan", Existing: true, Lock: sealLock}
	signed := func(lock *pades.Lock) []byte {
		return b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true, Lock: lock}, as{})
	}
	fill := func(doc []byte, value string) []byte {
		return b.update(doc, change(t, numberField, "V", pdf.TextString(value)))
	}
	filledBefore := b.update(result(padestest.Classic), change(t, numberField, "V", pdf.TextString("11")))
	stranger := newBench(t).Leader()
	cases := []struct {
		name string
		doc  []byte
		want validation.Verdict
		code validation.ReasonCode
	}{
		{"filled once and sealed", b.issued(false), validation.Valid, ""},
		{"filled in a revision of its own, then sealed", b.sign(fill(signed(personLock), "12"), sealing, seal), validation.Valid, ""},
		{"filled again after the seal", fill(b.issued(false), "13"), validation.Invalid, validation.ReasonChanged},
		{"filled twice before the seal", b.sign(fill(fill(signed(personLock), "12"), "13"), sealing, seal), validation.Invalid, validation.ReasonChanged},
		{"not covered", fill(signed(personLock), "12"), validation.Invalid, validation.ReasonUncovered},
		{"filled before the leader signed, then changed", b.sign(fill(b.sign(filledBefore,
			pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}, as{}), "12"), sealing, seal), validation.Invalid, validation.ReasonChanged},
		{"locked for the leader", b.sign(fill(signed(&pades.Lock{Action: pades.LockInclude, Fields: []string{"so"}}), "12"), sealing, seal),
			validation.Invalid, validation.ReasonChanged},
		{"open without a word of the leader", b.sign(fill(signed(nil), "12"), sealing, seal), validation.ValidWithNotes, validation.ReasonChangeCovered},
		{"covered by a stranger", b.sign(fill(signed(personLock), "12"), sealing, as{who: stranger}), validation.Inconclusive, validation.ReasonCoverUntrusted},
	}
	for _, c := range cases {
		r := b.judge(b.online(), c.doc)
		if r.Verdict != c.want {
			t.Errorf("%s:", c.name)
		}
		expect(t, r, c.want, c.code)
	}
	r := b.judge(b.online(), b.issued(false))
	said := false
	for _, c := range r.Changes {
		said = said || (strings.Contains(c.Message.VI, "văn thư") && strings.Contains(c.Message.VI, "12/QD-UBND") && strings.Contains(c.Message.VI, "CoQuan"))
	}
	if !said {
		t.Errorf("nobody says who filled the number: %+v", r.Changes)
	}
}

func TestPermissionOfACertifiedDocument(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	certified := func(p int) []byte {
		return b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true, Certify: p}, as{})
	}
	fill := change(t, numberField, "V", pdf.TextString("12"))
	note := addAnnotation(t, "Text")
	for _, c := range []struct {
		name string
		doc  []byte
		want validation.Verdict
		code validation.ReasonCode
	}{
		{"P=1, evidence", b.longTerm(certified(1), b.Leader()), validation.Valid, ""},
		{"P=1, document time-stamp", b.archive(certified(1)), validation.Valid, ""},
		{"P=1, filled", b.update(certified(1), fill), validation.Invalid, validation.ReasonChanged},
		{"P=2, filled", b.update(certified(2), fill), validation.ValidWithNotes, validation.ReasonChangeAllowed},
		{"P=2, annotated", b.update(certified(2), note), validation.Invalid, validation.ReasonChanged},
		{"P=3, annotated", b.update(certified(3), note), validation.ValidWithNotes, validation.ReasonChangeAllowed},
		{"P=3, redacted", b.update(certified(3), addAnnotation(t, "Redact")), validation.Invalid, validation.ReasonChanged},
		{"P=2, sealed", b.sign(certified(2), pades.Options{FieldName: "CoQuan", Existing: true}, as{who: b.Signer(certstest.RoleSealA)}), validation.Valid, ""},
	} {
		r := b.judge(b.online(), c.doc)
		if r.Verdict != c.want {
			t.Errorf("%s:", c.name)
		}
		expect(t, r, c.want, c.code)
		if r.Signatures[0].Type != validation.CertificationSignature {
			t.Errorf("%s: type %s", c.name, r.Signatures[0].Type)
		}
	}
	lenient, err := validation.PolicyByName("eidas-like")
	if err != nil {
		t.Fatal(err)
	}
	v := b.online()
	v.Policy = lenient
	doc := b.update(b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true}, as{}), fill)
	expect(t, b.judge(v, doc), validation.ValidWithNotes, validation.ReasonUncovered)
	expect(t, b.judge(b.online(), doc), validation.Invalid, validation.ReasonUncovered)
}

func TestShadowAttacks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	// Hide: the signer sees an overlay; afterwards its object goes away.
	overlay := padestest.Simple(padestest.Classic, "1.7").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents [4 0 R 6 0 R] /Resources << /Font << /F1 5 0 R >> >> >>").
		With(6, padestest.Body("", "1 g 0 0 595 842 re f\n")).Bytes()
	hidden := b.update(b.sign(overlay, pades.Options{}, as{}), func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 6}, pdf.Null{}) })
	r := b.judge(b.online(), hidden)
	expect(t, r, validation.Invalid, validation.ReasonChanged)

	// Replace: a number that the page refers to and nothing defines gets defined.
	dangling := padestest.Simple(padestest.Classic, "1.7").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents [4 0 R 60 0 R] /Resources << /Font << /F1 5 0 R >> >> >>").Bytes()
	open := b.sign(dangling, pades.Options{}, as{})
	object := "60 0 obj\n<< /Length 7 >>\nstream\n(99) Tj\nendstream\nendobj\n"
	f := b.open(open)
	defined := append(append(bytes.Clone(open), object...), fmt.Appendf(nil,
		"xref\n60 1\n%010d 00000 n \ntrailer\n<< /Size 99 /Root 1 0 R /Prev %d %s>>\nstartxref\n%d\n%%%%EOF\n",
		len(open), f.StartXRef(), id(f), len(open)+len(object))...)
	expect(t, b.judge(b.online(), defined), validation.Invalid, validation.ReasonChanged)

	// The same, with the page itself lawfully gaining a signature meanwhile, and with
	// what looks like evidence.
	page := b.sign(defined, pades.Options{}, as{who: b.Signer(certstest.RoleSealA)})
	expect(t, b.judge(b.online(), page), validation.Invalid, validation.ReasonChanged)
	asEvidence := append(bytes.Clone(open), fmt.Appendf(nil, "1 0 obj\n<< /Type /Catalog /Pages 2 0 R /AcroForm %s /Extensions %s /DSS << /Certs [60 0 R] >> >>\nendobj\n",
		pdf.Append(nil, dictionary(t, f, 1).Get("AcroForm")), pdf.Append(nil, dictionary(t, f, 1).Get("Extensions")))...)
	at60 := len(asEvidence)
	asEvidence = append(asEvidence, fmt.Appendf(nil, "60 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(b.Root().Raw), b.Root().Raw)...)
	asEvidence = append(asEvidence, fmt.Appendf(nil,
		"xref\n1 1\n%010d 00000 n \n60 1\n%010d 00000 n \ntrailer\n<< /Size 99 /Root 1 0 R /Prev %d %s>>\nstartxref\n%d\n%%%%EOF\n",
		len(open), at60, f.StartXRef(), id(f), len(asEvidence))...)
	expect(t, b.judge(b.online(), asEvidence), validation.Invalid, validation.ReasonChanged)

	// Page content under the type of a container stays page content.
	disguised := padestest.Simple(padestest.Classic, "1.7").With(4, padestest.Body("/Type /ObjStm /N 0 /First 0 ", "BT (12) Tj ET\n")).Bytes()
	expect(t, b.judge(b.online(), b.update(b.sign(disguised, pades.Options{}, as{}), func(_ *pdf.File, u *pdf.Update) {
		u.Put(pdf.Ref{Num: 4}, pdf.NewStream(pdf.NewDict("Type", pdf.Name("ObjStm"), "N", pdf.Int(0), "First", pdf.Int(0)), []byte("BT (99) Tj ET\n")))
	})), validation.Invalid, validation.ReasonChanged)

	// Hide and replace: a second object 4 lies in the signed bytes, where the signed
	// cross-reference does not look; a later table points at it.
	body := plain()
	secret := "4 0 obj\n<< /Length 8 >>\nstream\n(99) Tj \nendstream\nendobj\n"
	at := bytes.Index(body, []byte("xref\n"))
	shadow := append(append(bytes.Clone(body[:at]), secret...), body[at:]...)
	shadow = bytes.Replace(shadow, fmt.Appendf(nil, "startxref\n%d\n", at), fmt.Appendf(nil, "startxref\n%d\n", at+len(secret)), 1)
	signed := b.sign(shadow, pades.Options{}, as{})
	expect(t, b.judge(b.online(), signed), validation.ValidWithNotes, validation.ReasonReaders)
	f = b.open(signed)
	revived := append(bytes.Clone(signed), fmt.Appendf(nil, "xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 99 /Root 1 0 R /Prev %d %s>>\nstartxref\n%d\n%%%%EOF\n",
		at, f.StartXRef(), id(f), len(signed))...)
	r = b.judge(b.online(), revived)
	expect(t, r, validation.Invalid, validation.ReasonChanged)
	if len(r.Changes) == 0 || !strings.Contains(r.Changes[0].Message.EN, "hidden") {
		t.Errorf("%+v", r.Changes)
	}

	// A later revision that leaves the signed one out altogether shows a file without
	// signatures; it is not plainly unsigned.
	apart := append(bytes.Clone(signed), fmt.Appendf(nil, "xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 99 /Root 1 0 R /Prev %d %s>>\nstartxref\n%d\n%%%%EOF\n",
		at, at+len(secret), id(f), len(signed))...)
	expect(t, b.judge(b.online(), apart), validation.Invalid, validation.ReasonFormat)
}

func id(f *pdf.File) string {
	if o := f.Trailer().Get("ID"); o != nil {
		return "/ID " + string(pdf.Append(nil, o)) + " "
	}
	return ""
}

func TestMetadataMayOnlySayWhenAndByWhat(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	packet := func(title, date string) string {
		return `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
			`<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:ModifyDate="` + date + `"><dc:title>` +
			title + `</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
	}
	signed := b.sign(padestest.Simple(padestest.Classic, "2.0").With(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>").
		With(6, padestest.Body("/Type /Metadata /Subtype /XML ", packet("Quyết định", "2026-11-23"))).Bytes(), pades.Options{}, as{})
	put := func(p string) []byte {
		return b.update(signed, func(_ *pdf.File, u *pdf.Update) {
			u.Put(pdf.Ref{Num: 6}, pdf.NewFlateStream(pdf.NewDict("Type", pdf.Name("Metadata"), "Subtype", pdf.Name("XML")), []byte(p)))
		})
	}
	expect(t, b.judge(b.online(), put(packet("Quyết định", "2027-01-01"))), validation.Valid, "")
	expect(t, b.judge(b.online(), put(packet("Thông báo", "2027-01-01"))), validation.Invalid, validation.ReasonChanged)
	expect(t, b.judge(b.online(), put("not a packet")), validation.Invalid, validation.ReasonChanged)
}

func TestSneakyAdditions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}, as{})
	f := b.open(signed)
	value, _ := dictionary(t, f, personField).Get("V").(pdf.Ref)
	sig := func(name string) *pdf.Dict {
		return pdf.NewDict("FT", pdf.Name("Sig"), "T", pdf.TextString(name), "Type", pdf.Name("Annot"), "Subtype", pdf.Name("Widget"),
			"Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(0), pdf.Int(0)}, "P", pdf.Ref{Num: 3})
	}
	reused, twin, action := sig("Moi"), sig("NguoiKy"), sig("Khac")
	reused.Set("V", value)
	action.Set("AA", pdf.NewDict("E", pdf.NewDict("S", pdf.Name("JavaScript"))))
	visible := sig("Hien")
	visible.Set("Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(300), pdf.Int(300)})
	visible.Set("AP", pdf.NewDict("N", pdf.Ref{Num: 4}))
	for _, c := range []struct {
		name string
		edit func(*pdf.File, *pdf.Update)
		says string
	}{
		{"old value in a new field", addField(b, reused), "no new signature"},
		{"second field of one name", addField(b, twin), "name that exists"},
		{"signature field that acts", addField(b, action), "no plain signature field"},
		{"look without a signature", addField(b, visible), "look without a signature"},
		{"old object listed as a field", func(f *pdf.File, u *pdf.Update) { b.addField(u, pdf.Ref{Num: 4}) }, "stood in the document already"},
		{"old value in the seal", change(t, sealField, "V", value), "no new signature"},
		{"look for the empty seal", change(t, sealField, "MK", pdf.NewDict("CA", pdf.TextString("Đã ký"))), "look without a signature"},
		{"signed field with another look", change(t, personField, "MK", pdf.NewDict("CA", pdf.TextString("x"))), "signed and then altered"},
		{"rubbish as evidence", change(t, 1, "DSS", pdf.NewDict("Certs", pdf.Array{pdf.Ref{Num: 4}})), "hold something else"},
		{"evidence with an extra key", change(t, 1, "DSS", pdf.NewDict("Script", pdf.TextString("x"))), "hold something else"},
	} {
		r := b.judge(b.online(), b.update(signed, c.edit))
		said := false
		for _, change := range r.Changes {
			said = said || (!change.Allowed && strings.Contains(change.Message.EN, c.says))
		}
		if r.Verdict != validation.Invalid || !said {
			t.Errorf("%s: %s: %s", c.name, r.Verdict, explain(r))
		}
	}
	// An empty, invisible signature field is what signing software prepares.
	expect(t, b.judge(b.online(), b.update(signed, addField(b, sig("Trong")))), validation.Valid, "")
}

func TestEvidenceSharedWithAPageIsContent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	// The array of certificates is also the page's list of contents.
	doc := padestest.Simple(padestest.Classic, "1.7").
		With(1, "<< /Type /Catalog /Pages 2 0 R /DSS << /Certs 7 0 R >> >>").With(7, "[8 0 R]").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 7 0 R >>").
		With(8, padestest.Body("", string(b.Root().Raw))).Bytes()
	signed := b.sign(doc, pades.Options{}, as{})
	expect(t, b.judge(b.online(), signed), validation.Valid, "")
	grown := b.update(signed, func(_ *pdf.File, u *pdf.Update) {
		u.Put(pdf.Ref{Num: 7}, pdf.Array{pdf.Ref{Num: 8}, u.Add(pdf.NewStream(pdf.NewDict(), b.TSA().Certificate.Raw))})
	})
	expect(t, b.judge(b.online(), grown), validation.Invalid, validation.ReasonChanged)
}

func TestEvidenceIsOnlyEverAdded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader())
	root := dictionary(t, b.open(doc), 1)
	store, _ := root.Get("DSS").(pdf.Ref)
	expect(t, b.judge(b.online(), b.update(doc, change(t, 1, "DSS", nil))), validation.Invalid, validation.ReasonChanged)
	expect(t, b.judge(b.online(), b.update(doc, change(t, store.Num, "Certs", pdf.Array{}))), validation.Invalid, validation.ReasonChanged)
	entries := dictionary(t, b.open(doc), store.Num)
	answers, _ := entries.Get("OCSPs").(pdf.Array)
	expect(t, b.judge(b.online(), b.update(doc, change(t, store.Num, "OCSPs", answers[1:]))), validation.Invalid, validation.ReasonChanged)
	// A certificate may be found superfluous by who writes the store anew.
	certificates, _ := entries.Get("Certs").(pdf.Array)
	expect(t, b.judge(b.online(), b.update(doc, change(t, store.Num, "Certs", certificates[1:]))), validation.Valid, "")
	r := b.judge(b.offline(), doc)
	expect(t, r, validation.Valid, "")
	if r.Signatures[0].Modifications != validation.ModificationEvidence || len(r.Changes) != 1 || r.Changes[0].Kind != validation.ChangeEvidence {
		t.Errorf("%+v", r.Changes)
	}
}

func TestEveryCrossReferenceKindIsComparedAlike(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, kind := range padestest.Kinds() {
		first := b.sign(result(kind), pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}, as{})
		both := b.sign(first, pades.Options{FieldName: "CoQuan", Existing: true, Lock: sealLock, Fill: map[string]string{"so": "7"}},
			as{who: b.Signer(certstest.RoleSealA)})
		third := b.sign(both, pades.Options{Page: 1, Rect: [4]float64{10, 10, 90, 40}}, as{who: b.Signer(certstest.RoleSealB)})
		expect(t, b.judge(b.online(), third), validation.Valid, "")
		evil := b.update(third, func(_ *pdf.File, u *pdf.Update) {
			u.Put(pdf.Ref{Num: 5}, pdf.NewDict("Type", pdf.Name("Font"), "Subtype", pdf.Name("Type1"), "BaseFont", pdf.Name("Symbol")))
		})
		r := b.judge(b.online(), evil)
		expect(t, r, validation.Invalid, validation.ReasonChanged)
		if last := r.Changes[len(r.Changes)-1]; len(last.ForbiddenBy) != 3 || last.Page != 1 || last.Object != "5 0" {
			t.Errorf("%s: %+v", kind, last)
		}
	}
}
