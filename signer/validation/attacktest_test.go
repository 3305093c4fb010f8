package validation_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
	"antin/signer/validation/attacktest"
)

// verdictOf validates doc; a refusal without a report counts as its own word.
func verdictOf(b *bench, doc []byte) (validation.Verdict, *validation.Report) {
	r, err := b.online().Validate(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: "a.pdf"}, b.clock())
	if err != nil {
		return "refused", &validation.Report{}
	}
	return r.Verdict, r
}

// mayNote reports whether the newest certification, or nothing at all, permits a.
func mayNote(r *validation.Report, a attacktest.Attack) bool {
	if a.Permitted == 0 {
		return false
	}
	for _, s := range r.Signatures {
		switch s.Permission {
		case validation.PermissionAnnotations:
			return true
		case validation.PermissionFormFilling:
			return a.Permitted <= 2
		case validation.PermissionNone, validation.PermissionNoChanges:
		}
	}
	return false
}

// unverified reports whether some signature was found not to be one that can be checked.
func unverified(r *validation.Report) bool {
	return slices.ContainsFunc(r.Signatures, func(s validation.Signature) bool { return s.Integrity != validation.IntegrityOK })
}

// attack makes every forgery of doc and fails for each that is not called what it
// is. It returns how many were made.
func attack(t *testing.T, b *bench, name string, doc []byte) (made int) {
	t.Helper()
	_, honest := verdictOf(b, doc)
	for _, a := range attacktest.All() {
		forged := a.Make(doc)
		if forged == nil {
			continue
		}
		made++
		verdict, r := verdictOf(b, forged)
		switch {
		case verdict == validation.Invalid, verdict == "refused":
		case a.Class == "cms" && verdict == validation.Inconclusive && unverified(r):
		case verdict != validation.Valid && (a.Evidence || mayNote(honest, a)):
		default:
			t.Errorf("%s: %s (%s) is %s: %s", name, a.Name, a.Class, verdict, explain(r))
		}
	}
	return made
}

// layered is a document with optional content, configured by config.
func layered(config string) []byte {
	return padestest.Simple(padestest.Classic, "1.7").
		With(1, "<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [11 0 R] /D "+config+" >> >>").
		With(11, "<< /Type /OCG /Name (So tien) >>").With(12, "<< /ON [11 0 R] >>").Bytes()
}

// membered is a document whose page uses a membership of a layer.
func membered() []byte {
	return padestest.Simple(padestest.Classic, "1.7").
		With(1, "<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [11 0 R] /D << /ON [11 0 R] >> >> >>").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> /Properties << /MC 12 0 R >> >> /Contents 4 0 R >>").
		With(4, padestest.Body("", "/OC /MC BDC BT /F1 12 Tf 72 700 Td (3.000.000) Tj ET EMC")).
		With(11, "<< /Type /OCG /Name (So tien) >>").With(12, "<< /Type /OCMD /OCGs [11 0 R] /P /AllOn >>").Bytes()
}

// lettered is a document whose font consists of parts that are objects of their own.
func lettered() []byte {
	return padestest.Simple(padestest.Classic, "1.7").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 11 0 R >> >> /Contents 4 0 R >>").
		With(4, padestest.Body("", "BT /F1 12 Tf 72 700 Td (3.000.000) Tj ET")).
		With(11, "<< /Type /Font /Subtype /TrueType /BaseFont /Antin /Encoding 12 0 R /ToUnicode 13 0 R /FontDescriptor 14 0 R /Widths 15 0 R /FirstChar 48 /LastChar 57 >>").
		With(12, "<< /Type /Encoding /BaseEncoding /WinAnsiEncoding >>").With(13, padestest.Body("", "1 beginbfchar <33> <0033> endbfchar")).
		With(14, "<< /Type /FontDescriptor /FontName /Antin /Flags 32 >>").With(15, "[500 500 500 500 500 500 500 500 500 500]").Bytes()
}

// awaiting is a document whose page refers to what it does not hold.
func awaiting() []byte {
	return padestest.Simple(padestest.Classic, "1.7").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> /XObject << /X 77 0 R >> >> /Contents 4 0 R /Annots [78 0 R] >>").
		With(90, "null").Bytes() // so that the numbers lie below /Size
}

// drawing is a document whose form draws its values with fonts of its own.
func drawing() []byte {
	return padestest.Simple(padestest.Classic, "1.7").WithForm("", map[int]string{
		numberField: padestest.TextField("so", "/V (3.000.000) "), dateField: padestest.TextField("ngay", ""),
	}).Bytes()
}

func TestEveryAttackOnOurOwnFilesIsSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	leader := pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}
	made := 0
	for name, doc := range map[string][]byte{
		"classic":                      b.sign(plain(), pades.Options{}, as{}),
		"stream":                       b.sign(padestest.Simple(padestest.Stream, "1.7").Bytes(), pades.Options{}, as{}),
		"object streams":               b.sign(padestest.Simple(padestest.ObjectStreams, "2.0").Bytes(), pades.Options{}, as{}),
		"hybrid":                       b.sign(padestest.Simple(padestest.Hybrid, "1.5").Bytes(), pades.Options{}, as{}),
		"a form, signed by the leader": b.sign(result(padestest.Classic), leader, as{}),
		"sealed and long-term":         b.issued(true),
		"a form, filled and sealed":    b.issued(false),
		"certified, nothing allowed":   b.sign(result(padestest.Classic), pades.Options{Certify: 1}, as{}),
		"certified, forms allowed":     b.sign(result(padestest.Classic), pades.Options{Certify: 2}, as{}),
		"layers":                       b.sign(layered("<< /ON [11 0 R] >>"), pades.Options{}, as{}),
		"layers apart":                 b.sign(layered("12 0 R"), pades.Options{Certify: 3}, as{}),
		"memberships":                  b.sign(membered(), pades.Options{}, as{}),
		"parts of a font":              b.sign(lettered(), pades.Options{Certify: 3}, as{}),
		"what is not there":            b.sign(awaiting(), pades.Options{}, as{}),
		"what is not there, certified": b.sign(awaiting(), pades.Options{Certify: 3}, as{}),
		"a form that draws":            b.sign(drawing(), pades.Options{}, as{}),
		"a form that draws, for forms": b.sign(drawing(), pades.Options{Certify: 2}, as{}),
		"certified, notes allowed":     b.sign(result(padestest.Classic), pades.Options{Certify: 3}, as{}),
		"archived":                     b.archive(b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader())),
	} {
		if v, r := verdictOf(b, doc); v != validation.Valid && v != validation.ValidWithNotes {
			t.Errorf("%s: the honest file is %s: %s", name, v, explain(r))
			continue
		}
		made += attack(t, b, name, doc)
	}
	if made < 300 {
		t.Errorf("only %d forgeries were made", made)
	}
	t.Logf("%d forgeries, each called what it is", made)
}

// TestALookOfALockedFieldIsForbiddenThoughFormsMayBeFilled makes what a certification
// for filling in permits, of a field that its lock names.
func TestALookOfALockedFieldIsForbiddenThoughFormsMayBeFilled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(drawing(), pades.Options{Certify: 2, Lock: &pades.Lock{Action: pades.LockAll}}, as{})
	made := 0
	for _, a := range attacktest.All() {
		forged := a.Make(doc)
		if a.Permitted != 2 || forged == nil {
			continue
		}
		made++
		if v, r := verdictOf(b, forged); v != validation.Invalid {
			t.Errorf("%s is %s: %s", a.Name, v, explain(r))
		}
	}
	if made < 5 {
		t.Errorf("only %d looks were made", made)
	}
}

// TestEveryAttackOnTheCorpusIsSeen forges other people's signed files. Their
// signers are nobody's here: what counts is that no forgery stays what the honest
// file was.
func TestEveryAttackOnTheCorpusIsSeen(t *testing.T) {
	t.Parallel()
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: the corpus of PDFs is not at hand")
	}
	b := newBench(t)
	files, made := 0, 0
	err := filepath.WalkDir(filepath.Join(root, "pdf"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		doc, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(doc, []byte("/ByteRange")) {
			return err
		}
		v, honest := verdictOf(b, doc)
		if v != validation.Inconclusive || slices.ContainsFunc(honest.Signatures, func(s validation.Signature) bool { return s.Integrity != validation.IntegrityOK }) {
			return nil // broken already, or not verified here: an attack on it says nothing
		}
		files++
		made += attack(t, b, d.Name(), doc)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 || made < 300 {
		t.Errorf("%d forgeries of %d files", made, files)
	}
	t.Logf("%d forgeries of %d files", made, files)
}
