package validation_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"testing"

	"antin/certs/certstest"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// judged is the report over doc, spelled out, with what was found out before.
func judged(t *testing.T, b *bench, doc []byte, pre *validation.Preread, s *validation.Survey) string {
	t.Helper()
	in := validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Preread: pre, Survey: s}
	r, err := b.offline().Validate(context.Background(), in, b.clock())
	if err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// opened is doc as an Input that is open already.
func opened(t *testing.T, doc []byte) validation.Input {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)), pdf.Options{Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	return validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Known: f}
}

// What was found out about a document before it was signed once more changes nothing of
// the report over the result, whether it held signatures or none, is small or large, ends
// with an end of line or without, and whichever digest is used.
func TestForeseeingChangesNoReport(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1 << 10, 300 << 10, 6 << 20} {
		b := newBenchWith(t, certstest.P256)
		original := bytes.TrimSuffix(bulky(size), []byte("\n"))
		for signatures := range 3 {
			doc := original
			for i := range signatures {
				doc = b.sign(doc, pades.Options{FieldName: string(rune('A' + i))}, as{})
			}
			next := b.sign(doc, pades.Options{FieldName: "Z"}, as{})
			spoilt := bytes.Clone(next)
			spoilt[len(spoilt)-len("%%EOF\n")-3]++ // a digit of the last startxref
			for _, kind := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
				var pre *validation.Preread
				var survey *validation.Survey
				var err error
				if signatures == 0 {
					survey, err = b.offline().Survey(context.Background(), opened(t, doc))
				} else {
					_, pre, survey, err = b.offline().Foresee(context.Background(), opened(t, doc), b.clock(), kind)
				}
				if err != nil || survey == nil {
					t.Fatal(err)
				}
				for name, d := range map[string][]byte{"honest": next, "spoilt": spoilt} {
					if got, want := judged(t, b, d, pre, survey), judged(t, b, d, nil, nil); got != want {
						t.Errorf("%d bytes, %d signatures, %s, %s: the report differs:\n%s\n%s", size, signatures, kind, name, got, want)
					}
				}
			}
		}
	}
}

// A survey speaks of what it saw: an update that defines an object twice is found out.
func TestASurveyDoesNotSpeakForWhatFollows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := plain()
	survey, err := b.offline().Survey(context.Background(), opened(t, doc))
	if err != nil || len(survey.Reasons()) > 0 || survey.HidesSignature() {
		t.Fatalf("%v %v", survey, err)
	}
	// The same document with an object before its table that nothing leads to.
	at := bytes.Index(doc, []byte("xref\n"))
	loose := "4 0 obj\n<< /Length 8 >>\nstream\n(99) Tj \nendstream\nendobj\n"
	shifted := append(append(bytes.Clone(doc[:at]), loose...), doc[at:]...)
	if _, err := b.offline().Survey(context.Background(), validation.Input{Reader: bytes.NewReader(shifted), Size: int64(len(shifted)), Known: opened(t, doc).Known}); err == nil {
		t.Error("surveyed a document by another one's table")
	}
	if _, err := b.offline().Survey(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc))}); err == nil {
		t.Error("surveyed a document that is not open")
	}
}

// A signature that a later revision took out of the form is seen by its dictionary.
func TestASurveySeesThatAnEarlierRevisionWasSigned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(plain(), pades.Options{}, as{})
	f, err := pdf.Open(bytes.NewReader(signed), int64(len(signed)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u := f.NewUpdate()
	ref, root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	root = root.Clone()
	root.Delete("AcroForm")
	u.Put(ref, root)
	page, dict, err := f.Page(1)
	if err != nil {
		t.Fatal(err)
	}
	dict = dict.Clone()
	dict.Delete("Annots")
	u.Put(page, dict)
	built, err := u.Build()
	if err != nil {
		t.Fatal(err)
	}
	for doc, want := range map[string]bool{string(signed) + string(built.Data): true, string(plain()): false, string(padestest.Simple(padestest.Stream, "1.7").Bytes()): false} {
		survey, err := b.offline().Survey(context.Background(), opened(t, []byte(doc)))
		if err != nil || survey.HidesSignature() != want {
			t.Errorf("hides a signature: %v, want %v; %v", survey.HidesSignature(), want, err)
		}
	}
}
