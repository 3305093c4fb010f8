package signer_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/pades/padestest"
)

// bulk is how long the filler of a large document is: past the size from which the
// original is looked at on another core.
const bulk = 300_000

// withLoose puts an object that the table does not lead to before the table of body.
func withLoose(body []byte, object string) []byte {
	at := bytes.LastIndex(body, []byte("xref\n0"))
	doc := append(append(bytes.Clone(body[:at]), object...), body[at:]...)
	end := bytes.LastIndex(doc, []byte("startxref\n"))
	return fmt.Appendf(doc[:end:end], "startxref\n%d\n%%%%EOF\n", at+len(object))
}

// document is an unsigned one, small or large.
func document(large bool) []byte {
	f := padestest.Simple(padestest.Classic, "1.7")
	if large {
		f = f.With(30, "<< /Length "+fmt.Sprint(bulk)+" >>\nstream\n"+strings.Repeat("x", bulk)+"\nendstream")
	}
	return f.Bytes()
}

// appended is doc with a revision behind it that changes nothing and holds an object of a
// number in use, which nothing leads to.
func appended(t *testing.T, doc []byte) []byte {
	t.Helper()
	prev := bytes.LastIndex(doc, []byte("startxref\n")) + len("startxref\n")
	var offset int
	if _, err := fmt.Sscanf(string(doc[prev:]), "%d", &offset); err != nil {
		t.Fatal(err)
	}
	trailer := doc[bytes.LastIndex(doc, []byte("trailer")):]
	trailer = trailer[:bytes.Index(trailer, []byte("startxref"))]
	kept := strings.Replace(string(trailer), "<<", fmt.Sprintf("<< /Prev %d", offset), 1)
	if i := strings.Index(kept[12:], "/Prev"); i >= 0 { // the earlier one goes
		rest := strings.TrimLeft(kept[12+i+len("/Prev"):], " 0123456789")
		kept = kept[:12+i] + rest
	}
	out := append(bytes.Clone(doc), "4 0 obj\n<< /Length 8 >>\nstream\n(99) Tj \nendstream\nendobj\n"...)
	at := len(out)
	return fmt.Appendf(out, "xref\n0 1\n0000000000 65535 f \n%sstartxref\n%d\n%%%%EOF\n", kept, at)
}

// What readers take differently is known before the key is used: the preparation that
// stops there says it, and signing says it of a document that its key then refuses.
func TestWhatReadersTakeDifferentlyIsKnownBeforeTheKey(t *testing.T) {
	t.Parallel()
	other := "4 0 obj\n<< /Length 8 >>\nstream\n(99) Tj \nendstream\nendobj\n"
	for _, large := range []bool{false, true} {
		plain := document(large)
		mark := bytes.Clone(plain)
		n := bytes.IndexByte(mark, '\n') + 1
		copy(mark[n:n+4], "%!PS")
		for name, c := range map[string]struct {
			doc  []byte
			want bool
		}{
			"plain": {plain, false}, "a second definition": {withLoose(plain, other), true}, "a page description's beginning": {mark, true},
		} {
			a := newAuthorities(t)
			p, err := a.signer().Prepare(context.Background(), input(c.doc), signer.Request{Key: certstest.RoleLeader})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := slices.Contains(p.Warnings, signer.WarnReadersDiffer); got != c.want || a.used != 0 {
				t.Errorf("%s, large %v: warnings %v, key used %d times", name, large, p.Warnings, a.used)
			}
			_, res := sign(t, a.signer(), c.doc, signer.Request{Key: certstest.RoleLeader})
			if got := slices.Contains(res.Warnings, signer.WarnReadersDiffer); got != c.want || a.used != 1 {
				t.Errorf("%s, large %v: warnings %v after signing, key used %d times", name, large, res.Warnings, a.used)
			}
		}
	}
}

// An appended revision of two readings behind a signature would make every signature that
// follows invalid: it is refused, and no key is used.
func TestASecondReadingBehindASignatureIsRefusedBeforeTheKey(t *testing.T) {
	t.Parallel()
	for _, large := range []bool{false, true} {
		a := newAuthorities(t)
		one, _ := sign(t, a.signer(), document(large), signer.Request{Key: certstest.RoleLeader})
		twice := appended(t, one)
		if r := a.validate(t, twice); r.Verdict != "invalid" {
			t.Fatalf("the document is %s: %+v", r.Verdict, r.Reasons)
		}
		a.used = 0
		refused(t, a.signer(), twice, signer.Request{Key: certstest.RoleSealA}, text.PDFMalformed)
		if _, err := a.signer().Prepare(context.Background(), input(twice), signer.Request{Key: certstest.RoleSealA}); text.CodeOf(err) != text.PDFMalformed {
			t.Errorf("prepared: %v", err)
		}
		if a.used != 0 {
			t.Errorf("key used %d times", a.used)
		}
	}
}

// What is broken already is told before the key is used as well.
func TestABrokenEarlierSignatureIsKnownBeforeTheKey(t *testing.T) {
	t.Parallel()
	for _, large := range []bool{false, true} {
		a := newAuthorities(t)
		one, _ := sign(t, a.signer(), document(large), signer.Request{Key: certstest.RoleLeader})
		a.used = 0
		for doc, want := range map[string]bool{string(one): false, strings.Replace(string(one), "12/QD", "13/QD", 1): true} {
			p, err := a.signer().Prepare(context.Background(), input([]byte(doc)), signer.Request{Key: certstest.RoleSealA})
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(p.Warnings, signer.WarnEarlierInvalid); got != want || a.used != 0 {
				t.Errorf("large %v: warnings %v, key used %d times", large, p.Warnings, a.used)
			}
		}
	}
}
