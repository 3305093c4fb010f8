package signer_test

import (
	"bytes"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

// What signing read of the original is what the self-check goes on with, so that
// preparing a signature must not change a single object that it was given.
func TestPreparingChangesNoObjectOfTheOriginal(t *testing.T) {
	t.Parallel()
	for _, kind := range padestest.Kinds() {
		data := padestest.Simple(kind, "1.7").Bytes()
		f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{Keep: true})
		if err != nil {
			t.Fatal(err)
		}
		spell := func(f *pdf.File) (all []byte) {
			for num := range f.Objects() {
				if o, err := f.Load(pdf.Ref{Num: num}); err == nil {
					all = append(pdf.Append(all, o), '\n')
				}
			}
			return all
		}
		before := spell(f)
		for _, o := range []pades.Options{
			{}, {Page: 1, Rect: [4]float64{10, 10, 100, 60}}, {Certify: 2}, {FieldName: "a.b.c"},
			{Lock: &pades.Lock{Action: pades.LockAll}}, {LongTerm: true, Timestamp: true},
		} {
			if _, err := pades.Prepare(f, o); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
		}
		if after := spell(f); !bytes.Equal(before, after) {
			t.Errorf("%s: an object of the original changed while it was signed", kind)
		}
	}
}
