package validation_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// after puts s behind the header line of a document and moves its table along.
func after(t *testing.T, doc []byte, s string) []byte {
	t.Helper()
	f, err := pades.Signatures((&bench{t: t}).open(doc))
	if err != nil || len(f) > 0 {
		t.Fatal("only for documents not signed yet")
	}
	n := bytes.IndexByte(doc, '\n') + 1
	// The comment takes the place of the binary one, which has its length.
	m := n + bytes.IndexByte(doc[n:], '\n')
	if len(s) > m-n {
		t.Fatalf("room for %d bytes only", m-n)
	}
	out := bytes.Clone(doc)
	copy(out[n:m], s+strings.Repeat(" ", m-n-len(s)))
	return out
}

func TestAttachedObjectsAreNoSecondDefinitions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	attached := string(plain())
	expect(t, b.judge(b.online(), b.sign(withStream(attached), pades.Options{}, as{})), validation.Valid, "")
	// In what is appended as well.
	doc := b.sign(plain(), pades.Options{}, as{})
	for range 2 {
		doc = b.sign(doc, pades.Options{}, as{stamp: true})
	}
	expect(t, b.judge(b.online(), doc), validation.Valid, "")
}

func TestSecondDefinitionInTheSignedBytesIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	double := func(object string) []byte {
		body := padestest.Simple(padestest.Classic, "1.7").Bytes()
		at := bytes.Index(body, []byte("xref\n"))
		doc := append(append(bytes.Clone(body[:at]), object...), body[at:]...)
		end := bytes.LastIndex(doc, []byte("startxref\n"))
		return append(doc[:end:end], []byte("startxref\n"+strconv.Itoa(at+len(object))+"\n%%EOF\n")...)
	}
	start := bytes.Index(plain(), []byte("4 0 obj"))
	end := start + bytes.Index(plain()[start:], []byte("endobj")) + len("endobj")
	for name, c := range map[string]struct {
		object string
		want   validation.Verdict
		code   validation.ReasonCode
	}{
		"another content": {"4 0 obj\n<< /Length 8 >>\nstream\n(99) Tj \nendstream\nendobj\n", validation.ValidWithNotes, validation.ReasonReaders},
		"a copy":          {string(plain()[start:end]) + "\n", validation.Valid, ""},
		"a number unused": {"77 0 obj\n<< >>\nendobj\n", validation.Valid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, b.judge(b.online(), b.sign(double(c.object), pades.Options{}, as{})), c.want, c.code)
		})
	}
}

func TestBeginningThatReadsAsAnotherFormatIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := plain()
	n := bytes.IndexByte(head, '\n') + 1
	room := bytes.IndexByte(head[n:], '\n')
	if room < 5 {
		t.Skipf("no room for a mark: %d", room)
	}
	for mark, want := range map[string]validation.Verdict{"%!PS": validation.ValidWithNotes, "%abc": validation.Valid} {
		expectVerdict(t, b.judge(b.online(), b.sign(after(t, plain(), mark), pades.Options{}, as{})), want)
	}
}

func expectVerdict(t *testing.T, r *validation.Report, want validation.Verdict) {
	t.Helper()
	if r.Verdict != want {
		t.Errorf("%s, want %s: %s", r.Verdict, want, explain(r))
	}
}
