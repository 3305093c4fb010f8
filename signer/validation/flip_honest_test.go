package validation_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"antin/certs"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

const (
	// wholeFile is the size up to which every byte of a file is tried, and
	// seededPlaces how many bytes of streams and padding in one that is larger.
	wholeFile    = 32 << 10
	seededPlaces = 5000
	// fewPlaces is how many places of one file are tried without ANTIN_LONG.
	fewPlaces = 60
	// leastHonest is how many files there must be.
	leastHonest = 50
)

// Where a flipped bit may lie. In the last two a file may stay valid, because no
// signature is meant to protect them.
const (
	placeRange  = "in what a signature signs"
	placeSigned = "in signed attributes or a signature value"
	placeCMS    = "in a CMS, outside of what it signs" // certificates, unsigned attributes
	placeBehind = "behind the last signature"          // evidence, document time-stamps
)

// TestAFlippedByteOfFiftyFilesIsSeen changes one bit at a time in fifty honest
// files. What a signature's ranges hold is then invalid, and so is a changed signed
// attribute or signature value; elsewhere a file may stay valid only where no
// signature is meant to protect it, which is counted by place. With ANTIN_LONG set
// every byte of files up to 32 KiB is tried, of larger ones all but the streams of
// the document and the padding, and 5,000 seeded places of those.
func TestAFlippedByteOfFiftyFilesIsSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	files := honestFiles(t, b)
	if len(files) < leastHonest && os.Getenv("ANTIN_CORPUS") != "" {
		t.Errorf("only %d honest files", len(files))
	}
	var mu sync.Mutex
	tried, still := 0, map[string]int{}
	t.Run("files", func(t *testing.T) {
		for name, doc := range files {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n, counts := flipped(t, b, doc)
				t.Logf("%d of %d places tried: %v", n, len(doc), counts)
				mu.Lock()
				defer mu.Unlock()
				tried += n
				for k, v := range counts {
					still[k] += v
				}
			})
		}
	})
	t.Logf("%d files, %d places tried", len(files), tried)
	for _, k := range slices.Sorted(maps.Keys(still)) {
		t.Logf("%-60s %d", k, still[k])
	}
}

// honestFiles are ours of every kind and level, and the corpus's intact ones.
func honestFiles(t *testing.T, b *bench) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	leader := pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock}
	for _, kind := range padestest.Kinds() {
		simple := padestest.Simple(kind, "1.7").Bytes()
		stamped := b.sign(simple, pades.Options{}, as{stamp: true})
		for name, doc := range map[string][]byte{
			"B-B":            b.sign(simple, pades.Options{}, as{}),
			"B-T":            stamped,
			"B-LT":           b.longTerm(stamped, b.Leader()),
			"B-LTA":          b.archive(b.longTerm(stamped, b.Leader())),
			"leader's":       b.sign(result(kind), leader, as{stamp: true}),
			"two signatures": b.sign(b.sign(simple, pades.Options{}, as{}), pades.Options{FieldName: "Hai"}, as{}),
			"certified 1":    b.sign(result(kind), pades.Options{Certify: 1}, as{}),
			"certified 2":    b.sign(result(kind), pades.Options{Certify: 2}, as{}),
			"certified 3":    b.sign(result(kind), pades.Options{Certify: 3}, as{}),
			"leaf only":      b.sign(simple, pades.Options{}, as{content: true}),
		} {
			all[string(kind)+" "+name] = doc
		}
	}
	all["sealed"], all["sealed, stamped"] = b.issued(false), b.issued(true)
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		return all
	}
	err := filepath.WalkDir(filepath.Join(root, "pdf"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		doc, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(doc, []byte("/ByteRange")) {
			return err
		}
		v, r := verdictOf(b, doc)
		if v == validation.Inconclusive && !slices.ContainsFunc(r.Signatures, func(s validation.Signature) bool { return s.Integrity != validation.IntegrityOK }) {
			all[d.Name()] = doc
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// remembered answers every question about a certificate as it did the first time.
type remembered struct {
	source
	mu  sync.Mutex
	all map[string][]certs.Evidence
}

// Revocation implements certs.RevocationSource.
func (r *remembered) Revocation(ctx context.Context, c, issuer *certs.Certificate) ([]certs.Evidence, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, known := r.all[string(c.Raw)]; known {
		return e, nil
	}
	e, err := r.source.Revocation(ctx, c, issuer)
	r.all[string(c.Raw)] = e
	return e, err
}

// flipped tries doc. It returns how many places it tried and what became of them, by
// place and verdict.
func flipped(t *testing.T, b *bench, doc []byte) (tried int, counts map[string]int) {
	t.Helper()
	v := b.offline()
	v.Revocation, v.Verified = &remembered{source: source{b}, all: map[string][]certs.Evidence{}}, &certs.Verified{}
	place := places(t, b, doc)
	honest, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc))}, b.clock())
	if err != nil {
		t.Fatal(err)
	}
	counts = map[string]int{}
	for _, at := range placesTried(t, b, doc) {
		changed := bytes.Clone(doc)
		changed[at] ^= 1
		tried++
		verdict, report := validation.Verdict("refused"), &validation.Report{}
		if r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(changed), Size: int64(len(changed))}, b.clock()); err == nil {
			verdict, report = r.Verdict, r
		}
		where, bad := place(at), false
		switch where {
		case placeRange: // an unknown SubFilter leaves the signature unverified, and so unaccepted
			bad = verdict != validation.Invalid && verdict != "refused" && !strings.Contains(codes(report), string(validation.ReasonUnsupported))
		case placeSigned:
			bad = verdict == validation.Valid || verdict == validation.ValidWithNotes || verdict == honest.Verdict && codes(report) == codes(honest)
		}
		if bad {
			t.Errorf("byte %d, %q: %s: %s", at, doc[max(at-20, 0):min(at+20, len(doc))], verdict, explain(report))
		}
		counts[fmt.Sprintf("%s: %s", where, verdict)]++
	}
	return tried, counts
}

// places tells of each byte where it lies.
func places(t *testing.T, b *bench, doc []byte) func(at int) string {
	t.Helper()
	all, err := pades.Signatures(b.open(doc))
	if err != nil {
		t.Fatal(err)
	}
	inRange := signedBytes(t, b, doc)
	var guarded, inside [][2]int // of hexadecimal digits
	for _, s := range all {
		if !s.Signed() || s.DocumentTimestamp() {
			continue
		}
		from := int(s.ContentsStart) + 1
		inside = append(inside, [2]int{int(s.ContentsStart), int(s.ContentsEnd)})
		sd, err := cms.Parse(s.Contents)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range [][]byte{sd.Signers[0].RawSignedAttrs, sd.Signers[0].Signature} {
			if at := bytes.Index(s.Contents, part); at >= 0 && len(part) > 0 {
				guarded = append(guarded, [2]int{from + 2*at, from + 2*(at+len(part))})
			}
		}
	}
	within := func(list [][2]int, at int) bool {
		return slices.ContainsFunc(list, func(r [2]int) bool { return r[0] <= at && at < r[1] })
	}
	return func(at int) string {
		switch {
		case inRange(at):
			return placeRange
		case within(guarded, at):
			return placeSigned
		case within(inside, at):
			return placeCMS
		}
		return placeBehind
	}
}

// placesTried are the bytes to be flipped, the same every time.
func placesTried(t *testing.T, b *bench, doc []byte) []int {
	t.Helper()
	random := rand.New(rand.NewPCG(7, uint64(len(doc))))
	all := random.Perm(len(doc))
	switch {
	case os.Getenv("ANTIN_LONG") == "":
		return all[:min(fewPlaces, len(all))]
	case len(doc) <= wholeFile:
		return all
	}
	seeded := fillings(t, b, doc)
	var chosen []int
	few := 0
	for _, at := range all {
		if seeded[at] {
			if few++; few > seededPlaces {
				continue
			}
		}
		chosen = append(chosen, at)
	}
	return chosen
}

// fillings marks what is neither structure nor /ByteRange, CMS nor evidence: the
// data of the document's own streams, and the padding in /Contents.
func fillings(t *testing.T, b *bench, doc []byte) []bool {
	t.Helper()
	marks := make([]bool, len(doc))
	mark := func(from, to int) {
		for i := from; i < to; i++ {
			marks[i] = true
		}
	}
	all, err := pades.Signatures(b.open(doc))
	if err != nil {
		t.Fatal(err)
	}
	first := len(doc)
	for _, s := range all {
		if !s.Signed() || s.ContentsEnd == 0 {
			continue
		}
		first = min(first, int(s.ContentsStart))
		gap := doc[s.ContentsStart+1 : s.ContentsEnd-1]
		used := len(bytes.TrimRight(gap, "0"))
		mark(int(s.ContentsStart)+1+used, int(s.ContentsEnd)-1)
	}
	for at := 0; ; {
		from := bytes.Index(doc[at:first], []byte("stream\r\n"))
		if other := bytes.Index(doc[at:first], []byte("stream\n")); from < 0 || other >= 0 && other < from {
			from = other
		}
		if from < 0 {
			return marks
		}
		from += at + len("stream\r\n")
		length := bytes.Index(doc[from:first], []byte("endstream"))
		if length < 0 {
			return marks
		}
		mark(from, from+length)
		at = from + length + len("endstream")
	}
}
