package validation_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// flips is how many seeded places of one file are tried; ANTIN_LONG tries every byte.
const flips = 200

// TestAFlippedByteIsSeen changes one bit at a time. Under a signature the file is
// then invalid, always. What no signature protects is counted: the padding and the
// unsigned parts of a CMS, and the revisions behind the last signature.
func TestAFlippedByteIsSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	leader := pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}
	for name, doc := range map[string][]byte{
		"classic":             b.sign(plain(), pades.Options{}, as{}),
		"object streams":      b.sign(padestest.Simple(padestest.ObjectStreams, "2.0").Bytes(), pades.Options{}, as{stamp: true}),
		"a form, signed":      b.sign(result(padestest.Stream), leader, as{}),
		"sealed, long-term":   b.issued(true),
		"certified":           b.sign(result(padestest.Hybrid), pades.Options{Certify: 2}, as{}),
		"archived":            b.archive(b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader())),
		"evidence at its end": b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			protected := signedBytes(t, b, doc)
			places := rand.New(rand.NewPCG(1, uint64(len(doc)))).Perm(len(doc)) // the same places every time
			if os.Getenv("ANTIN_LONG") == "" {
				places = places[:min(flips, len(places))]
			}
			counts := map[validation.Verdict]int{}
			for _, at := range places {
				changed := bytes.Clone(doc)
				changed[at] ^= 1
				v, r := verdictOf(b, changed)
				// An unknown SubFilter leaves the signature unverified, and so unaccepted.
				if protected(at) && v != validation.Invalid && v != "refused" && !strings.Contains(codes(r), string(validation.ReasonUnsupported)) {
					t.Errorf("byte %d, %q: %s: %s", at, doc[max(at-20, 0):min(at+20, len(doc))], v, explain(r))
				}
				if !protected(at) {
					counts[v]++
				}
			}
			t.Logf("%d places tried; where nothing protects: %v", len(places), counts)
		})
	}
}

// signedBytes reports which bytes some signature's ranges hold.
func signedBytes(t *testing.T, b *bench, doc []byte) func(at int) bool {
	t.Helper()
	all, err := pades.Signatures(b.open(doc))
	if err != nil {
		t.Fatal(err)
	}
	return func(at int) bool {
		for _, s := range all {
			r := s.ByteRange
			if s.Signed() && !s.DocumentTimestamp() && (int64(at) < r[1] || (int64(at) >= r[2] && int64(at) < r[2]+r[3])) {
				return true
			}
		}
		return false
	}
}
