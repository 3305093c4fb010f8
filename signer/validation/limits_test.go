package validation_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// crowded is a document with n more objects that the catalog reaches.
func crowded(n int) padestest.Document {
	d := padestest.Simple(padestest.Classic, "1.7")
	var refs strings.Builder
	for i := range n {
		d.Objects[100+i] = fmt.Sprintf("<< /Next %d 0 R /Value (%d) /Deep [1 2 [3 4 << /K /V >>]] >>", 100+(i+1)%n, i)
		fmt.Fprintf(&refs, "%d 0 R ", 100+i)
	}
	d.Objects[90] = "[" + refs.String() + "]"
	return d.With(1, "<< /Type /Catalog /Pages 2 0 R /Names << /Many 90 0 R >> >>")
}

// counting counts the bytes read.
type counting struct {
	io.ReaderAt
	mu sync.Mutex
	n  int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.mu.Lock()
	c.n += int64(n)
	c.mu.Unlock()
	return n, err
}

func TestTwelveThousandObjectsAreReadOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.longTerm(b.sign(crowded(12_000).Bytes(), pades.Options{}, as{stamp: true}), b.Leader())
	begin := time.Now()
	in := &counting{ReaderAt: bytes.NewReader(doc)}
	r, err := b.offline().Validate(context.Background(), validation.Input{Reader: in, Size: int64(len(doc))}, b.clock())
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	expect(t, r, validation.Valid, "")
	t.Logf("%d bytes in %s, %d bytes read", len(doc), took, in.n)
	if in.n > 18<<20 { // about a kilobyte for each object, and the pass for the digests
		t.Errorf("%d bytes were read: objects are read more than once", in.n)
	}
	// A change deep inside is still found.
	evil := b.update(doc, change(t, 7_777, "Value", pdf.TextString("!")))
	r = b.judge(b.offline(), evil)
	expect(t, r, validation.Invalid, validation.ReasonChanged)
	if r.Changes[len(r.Changes)-1].Object != "7777 0" {
		t.Errorf("%+v", r.Changes)
	}
}

// padded is a document followed by a huge blank stream that is made up on reading.
type padded struct {
	head, tail []byte
	hole       int64
}

func (p padded) size() int64 { return int64(len(p.head)) + p.hole + int64(len(p.tail)) }

func (p padded) ReadAt(out []byte, off int64) (int, error) {
	n := 0
	for n < len(out) {
		at := off + int64(n)
		var part []byte
		switch in := at - int64(len(p.head)); {
		case in < 0:
			part = p.head[at:]
		case in < p.hole:
			part = blanks[:min(int64(len(blanks)), p.hole-in)]
		case in-p.hole < int64(len(p.tail)):
			part = p.tail[in-p.hole:]
		default:
			return n, io.EOF
		}
		n += copy(out[n:], part)
	}
	return n, nil
}

var blanks = bytes.Repeat([]byte(" "), 64<<10)

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	b := newBench(t)
	const hole = 200 << 20
	p := padded{head: fmt.Appendf(nil, "%%PDF-1.7\n6 0 obj\n<< /Length %d >>\nstream\n", hole), hole: hole}
	tail := bytes.NewBufferString("\nendstream\nendobj\n")
	begin := int64(len(p.head)) + hole
	var at [4]int64
	for n, body := range []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 6 0 R >>"} {
		at[n] = begin + int64(tail.Len())
		fmt.Fprintf(tail, "%d 0 obj\n%s\nendobj\n", n+1, body)
	}
	at[3] = begin + int64(tail.Len())
	fmt.Fprintf(tail, "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n6 1\n%010d 00000 n \ntrailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n",
		at[0], at[1], at[2], len("%PDF-1.7\n"), at[3])
	p.tail = tail.Bytes()
	f, err := pdf.Open(p, p.size(), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := pades.Prepare(f, pades.Options{M: b.clock()})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := prepared.Digest(context.Background(), p, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := prepared.Embed(b.cms(digest, as{who: b.Leader()})); err != nil {
		t.Fatal(err)
	}
	p.tail = append(p.tail, prepared.Update...)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := b.online().Validate(context.Background(), validation.Input{Reader: p, Size: p.size(), Name: "lon.pdf"}, b.clock())
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	expect(t, r, validation.Valid, "")
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("%d MB were allocated for a file of %d MB", grown>>20, p.size()>>20)
	}
}

func TestOneValidatorServesManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.issued(true)
	v := b.online()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc))}, b.clock())
			if err != nil || r.Verdict != validation.Valid {
				t.Errorf("%v %v", r, err)
			}
		})
	}
	group.Wait()
}

func TestCancelledValidationIsAnError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	doc := b.sign(plain(), pades.Options{}, as{})
	if _, err := b.offline().Validate(ctx, validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc))}, day0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

type failing struct{ io.ReaderAt }

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off < 512 && len(p) > 100_000 {
		return 0, errors.New("disk gone")
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestUnreadableInputIsAnErrorAndNoVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(crowded(3_000).Bytes(), pades.Options{}, as{})
	if r, err := b.offline().Validate(context.Background(), validation.Input{Reader: failing{bytes.NewReader(doc)}, Size: int64(len(doc))}, day0); err == nil {
		t.Errorf("judged %s", r.Verdict)
	}
}

func FuzzValidate(f *testing.F) {
	p, err := certstest.New(certstest.Options{LeafKey: certstest.P256, Now: func() time.Time { return day0 }})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain())
	f.Add(result(padestest.Hybrid))
	f.Add(result(padestest.ObjectStreams))
	f.Add([]byte("%PDF-1.7\n1 0 obj\n<< /ByteRange [0 1 2 3] /Contents <00> >>\nendobj\n%%EOF"))
	b := &bench{PKI: p, t: &testing.T{}, now: day0}
	signed := b.sign(result(padestest.Classic), pades.Options{FieldName: "NguoiKy", Existing: true, Lock: personLock, ContentsSize: 2048}, as{})
	f.Add(signed)
	f.Add(b.sign(signed, pades.Options{FieldName: "CoQuan", Existing: true, Fill: map[string]string{"so": "1"}, ContentsSize: 2048}, as{}))
	v := &validation.Validator{Trust: p.Anchors(), AllowSandbox: true}
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc))}, day0)
		if err != nil {
			return
		}
		for _, s := range r.Signatures {
			if s.Indication == "" {
				t.Errorf("no indication: %+v", s)
			}
			if s.Integrity == validation.IntegrityOK && s.Covers.Revision == 0 {
				t.Errorf("intact without covering anything: %+v", s)
			}
		}
	})
}
