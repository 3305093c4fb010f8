package validation_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// bulky is a document with a stream of n bytes that no page shows.
func bulky(n int) []byte {
	body := "% " + strings.Repeat("/ByteRang xyz", n/13) + "\n"
	return padestest.Simple(padestest.Classic, "1.7").With(30, "<< /Length "+strconv.Itoa(len(body))+" >>\nstream\n"+body+"endstream").Bytes()
}

// reportOf is the report over doc, whose first bytes may have been read before.
func reportOf(t *testing.T, b *bench, doc []byte, pre *validation.Preread) string {
	t.Helper()
	in := validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Preread: pre}
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

// What was read ahead changes nothing of the report, whether it can be used (one
// signature) or not (two, or another digest), below and above the size from which
// reading and hashing go side by side.
func TestReadingAheadChangesNoReport(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1 << 10, 300 << 10, 6 << 20} {
		b := newBenchWith(t, certstest.P256)
		original := bulky(size)
		one := b.sign(original, pades.Options{FieldName: "A"}, as{})
		two := b.sign(one, pades.Options{FieldName: "B"}, as{})
		broken := bytes.Clone(one)
		broken[len(broken)-len("%%EOF\n")-3]++ // a digit of the last startxref
		spoilt := bytes.Clone(one)
		spoilt[len(original)/2]++
		for name, doc := range map[string][]byte{"one": one, "two": two, "broken": broken, "spoilt": spoilt} {
			plain := reportOf(t, b, doc, nil)
			for _, kind := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
				pre, err := validation.ReadAhead(context.Background(), bytes.NewReader(doc), int64(len(original)), kind)
				if err != nil {
					t.Fatal(err)
				}
				if got := reportOf(t, b, doc, pre); got != plain {
					t.Errorf("%d bytes, %s, %s: the report differs:\n%s\n%s", size, name, kind, got, plain)
				}
			}
		}
	}
}

// A mark that lies across the end of what was read ahead is counted: a signature
// dictionary that nothing leads to must not slip through there.
func TestAMarkAcrossTheEndOfWhatWasReadAheadCounts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.sign(bulky(300<<10), pades.Options{FieldName: "A"}, as{})
	at := bytes.LastIndex(one, []byte("/ByteRange")) + len("/Byte")
	pre, err := validation.ReadAhead(context.Background(), bytes.NewReader(one), int64(at), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if got, plain := reportOf(t, b, one, pre), reportOf(t, b, one, nil); got != plain {
		t.Errorf("the report differs:\n%s\n%s", got, plain)
	}
}

// A reading ahead that is given up says so.
func TestReadingAheadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	data := bulky(6 << 20)
	if _, err := validation.ReadAhead(ctx, bytes.NewReader(data), int64(len(data)), crypto.SHA256); err == nil {
		t.Error("read on without a context")
	}
}
