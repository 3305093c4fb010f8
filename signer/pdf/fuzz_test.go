package pdf_test

import (
	"bytes"
	"fmt"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

// fuzzLimits keep one input of the fuzzer cheap.
func fuzzLimits() pdf.Options {
	return pdf.Options{Limits: pdf.Limits{Decoded: 4 << 20, Items: 1 << 14, Sections: 64, Pages: 1 << 10}}
}

func FuzzOpen(f *testing.F) {
	for _, data := range samples() {
		f.Add(data)
	}
	f.Add(linearised())
	f.Add(shifted("junk\n"))
	for _, k := range cryptKinds() {
		if k.user == "" {
			f.Add(k.make(f))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := pdf.Open(bytes.NewReader(data), int64(len(data)), fuzzLimits())
		if err != nil {
			if text.CodeOf(err) == text.Internal {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		for num := range file.Objects() {
			e, _ := file.Entry(num)
			ref := pdf.Ref{Num: num, Gen: e.Gen}
			o, err := file.Load(ref)
			if err != nil {
				continue
			}
			if s, ok := o.(*pdf.Stream); ok {
				_, _ = file.Decode(s, 1<<20)
			}
			if start, end, err := file.Span(ref); err == nil && (start < 0 || end > int64(len(data)) || start >= end) {
				t.Fatalf("span of %v is %d to %d", ref, start, end)
			}
			_, _, _, _ = file.SignatureSpan(ref, "Type")
		}
		for p := range file.Pages() {
			_, _ = file.Inherited(p.Dict, "MediaBox")
		}
		for _, r := range file.Revisions() {
			if r.End > int64(len(data)) || r.EOF > r.End {
				t.Fatalf("revision ends at %d", r.End)
			}
			_, _ = file.AtRevision(r)
		}
		updateReadsBack(t, file)
	})
}

// updateReadsBack adds an object to file and finds it in the result.
func updateReadsBack(t *testing.T, file *pdf.File) {
	u := file.NewUpdate()
	ref := u.Add(pdf.Name("added"))
	b, err := u.Build()
	if err != nil {
		if text.CodeOf(err) == text.Internal {
			t.Fatalf("no code: %v", err)
		}
		return
	}
	r, size := b.Reader()
	g, err := pdf.Open(r, size, fuzzLimits())
	if err != nil {
		if text.CodeOf(err) == text.LimitExceeded {
			return
		}
		t.Fatalf("updated file: %v", err)
	}
	if o, err := g.Load(ref); err != nil || o != pdf.Object(pdf.Name("added")) {
		t.Fatalf("added object %v is %v, %v", ref, o, err)
	}
}

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{"<</A[1 0 R(x\\051)<4a>]/B#20 null>>", "[--1 .5 true]", "(a(b)\\\r\n\\777)", "<<<<>>", "1 0 R", "%\n/"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, n, err := pdf.ParseObject(data)
		if err != nil {
			return
		}
		if n < 1 || n > len(data) {
			t.Fatalf("took %d of %d bytes", n, len(data))
		}
		once := pdf.Append(nil, o)
		back, _, err := pdf.ParseObject(once)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", data, once, err)
		}
		if twice := pdf.Append(nil, back); !bytes.Equal(once, twice) {
			t.Fatalf("%q is written as %q and then %q", data, once, twice)
		}
	})
}

func FuzzXRefStream(f *testing.F) {
	f.Add("/W[1 3 2]/Index[0 2]", []byte(row(0, 0, 65535)+row(1, 15, 0)))
	f.Add("/W[0 2 0]/Filter/FlateDecode", []byte(deflate("\x00\x00\x00\x0f")))
	f.Add("/W[1 3 2]/Filter/DCTDecode", []byte("x"))
	f.Add("/W[8 8 8]/Index[0 1 0 1]", make([]byte, 48))
	f.Add("/W[1 2 1]/DecodeParms<</Predictor 12/Columns 4>>/Filter/FlateDecode/Prev 9", []byte(deflate("\x02\x01\x00\x0f\x00")))
	f.Fuzz(func(t *testing.T, entries string, data []byte) {
		d := newDraft()
		d.pages("")
		at := d.Len()
		fmt.Fprintf(d, "9 0 obj\n<</Type/XRef/Size 10/Root 1 0 R%s/Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", entries, len(data), data, at)
		file, err := pdf.Open(bytes.NewReader(d.Bytes()), int64(d.Len()), fuzzLimits())
		if err != nil {
			if text.CodeOf(err) == text.Internal {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		for _, s := range file.Sections() {
			for e := range s.Entries() {
				if got, ok := file.Entry(e.Num); !ok || got != e && got.Section == 0 {
					t.Fatalf("entry %+v is found as %+v", e, got)
				}
			}
		}
	})
}

func FuzzRewritten(f *testing.F) {
	for _, data := range samples() {
		f.Add(data)
		f.Add(bytes.Replace(data, []byte("startxref"), []byte("startxfer"), 1))
	}
	f.Add(shifted("junk\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := pdf.Rewritten(bytes.NewReader(data), int64(len(data)), fuzzLimits())
		if err != nil {
			if text.CodeOf(err) == text.Internal {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		file, err := open(out)
		if err != nil || file.SigningProblem() != nil {
			t.Fatalf("the result: %v, %v", err, file)
		}
		again, err := pdf.Rewritten(bytes.NewReader(data), int64(len(data)), fuzzLimits())
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("other bytes the second time: %v", err)
		}
	})
}
