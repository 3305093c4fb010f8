package validation_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// The quick reading of "n 0 " says what the thorough one says.
func TestNumbersOfObjectsAreTheSameQuickOrLoose(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	const letters = "0123456789   \nx"
	for range 200_000 {
		b := make([]byte, rng.IntN(16))
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		b = append(b, " 0 "...)
		num, begin, ok := validation.Numbered(b)
		wantNum, wantBegin, wantOK := validation.NumberedLoosely(b)
		if ok != wantOK || ok && (num != wantNum || begin != wantBegin) {
			t.Fatalf("%q: %d at %d %v, loosely %d at %d %v", b, num, begin, ok, wantNum, wantBegin, wantOK)
		}
	}
}

// Large files are searched on another core while this one hashes.
func TestSecondDefinitionInALargeFileIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, pad := range []int{0, 300_000} {
		body := padestest.Simple(padestest.Classic, "1.7").Bytes()
		at := bytes.Index(body, []byte("xref\n"))
		second := fmt.Sprintf("4  0\nobj\n<< /Other %0*d >>\nendobj\n", 1+pad, 0)
		doc := append(append(bytes.Clone(body[:at]), second...), body[at:]...)
		end := bytes.LastIndex(doc, []byte("startxref\n"))
		doc = fmt.Appendf(doc[:end:end], "startxref\n%d\n%%%%EOF\n", at+len(second))
		report := b.judge(b.online(), b.sign(doc, pades.Options{}, as{}))
		expect(t, report, validation.ValidWithNotes, validation.ReasonReaders)
	}
}
