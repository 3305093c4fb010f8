package pdf_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

// sparse is a file that is mostly zeros: parts of it stand at offsets. It counts
// the bytes read.
type sparse struct {
	size  int64
	parts map[int64][]byte
	read  atomic.Int64
}

// ReadAt implements io.ReaderAt.
func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.size-off))
	clear(p[:n])
	for at, b := range s.parts {
		if at < off+int64(n) && off < at+int64(len(b)) {
			if at >= off {
				copy(p[at-off:n], b)
			} else {
				copy(p[:n], b[off-at:])
			}
		}
	}
	s.read.Add(int64(n))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// big is a sound file of about size bytes: the usual objects in front, one stream
// that fills it, and the cross-reference at its end.
func big(size int64) *sparse {
	d := newDraft()
	d.pages("/Big 4 0 R")
	d.at[4] = d.Len()
	d.WriteString("4 0 obj\n<</Length 5 0 R>>\nstream\n")
	front := bytes.Clone(d.Bytes())
	length := size - int64(len(front))
	tail := &bytes.Buffer{}
	base := size
	tail.WriteString("\nendstream\nendobj\n")
	five := base + int64(tail.Len())
	fmt.Fprintf(tail, "5 0 obj\n%d\nendobj\n", length)
	at := base + int64(tail.Len())
	fmt.Fprintf(tail, "xref\n0 6\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n",
		d.at[1], d.at[2], d.at[3], d.at[4], five)
	fmt.Fprintf(tail, "trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", at)
	return &sparse{size: base + int64(tail.Len()), parts: map[int64][]byte{0: front, base: tail.Bytes()}}
}

func TestUpdatingAGigabyteReadsLittleOfIt(t *testing.T) {
	s := big(1 << 30)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f, err := pdf.Open(s, s.size, pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ref, page, err := f.Page(1)
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.Stream(pdf.Ref{Num: 4})
	if err != nil || st.Len() < 1<<29 {
		t.Fatalf("stream: %v", err)
	}
	u := f.NewUpdate()
	page = page.Clone()
	page.Set("Annots", pdf.Array{u.Add(pdf.NewDict("Contents", pdf.HexPlaceholder(16<<10)))})
	u.Put(ref, page)
	b := mustBuild(t, u)
	runtime.ReadMemStats(&after)
	if read := s.read.Load(); read > 1<<20 {
		t.Errorf("read %d bytes", read)
	}
	if total := after.TotalAlloc - before.TotalAlloc; total > 8<<20 {
		t.Errorf("allocated %d bytes in all", total)
	}
	r, size := b.Reader()
	g, err := pdf.Open(r, size, pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if revs := g.Revisions(); len(revs) != 2 || revs[0].End != s.size {
		t.Errorf("revisions are %+v", revs)
	}
}

func TestOffsetsPastTenDigitsDoNotFitATable(t *testing.T) {
	t.Parallel()
	s := big(9_999_999_000)
	f, err := pdf.Open(s, s.size, pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u := f.NewUpdate()
	u.Add(pdf.NewStream(nil, make([]byte, 2000)))
	if _, err := u.Build(); err != nil {
		t.Errorf("an object below the limit: %v", err)
	}
	u.Add(pdf.Null{})
	_, err = u.Build()
	wantCode(t, err, text.LimitExceeded)
}

func TestOneFileServesManyAtOnce(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, crowded(3000, true))
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range 300 {
				num := 10 + r.IntN(3000)
				n, err := f.Int(pdf.Ref{Num: num})
				if err != nil || int(n) != num {
					t.Errorf("object %d is %d, %v", num, n, err)
					return
				}
			}
			f.Irregularities()
			f.Revisions()
		})
	}
	wg.Wait()
}

// crowded is a sound file with n numbers as objects 10 and on, each its own number,
// in object streams of 100 when compact.
func crowded(n int, compact bool) []byte {
	d := newDraft()
	d.pages("")
	rows := map[int]string{0: row(0, 0, 65535)}
	for i := 1; i <= 3; i++ {
		rows[i] = row(1, d.at[i], 0)
	}
	if !compact {
		nums := []int{1, 2, 3}
		for num := 10; num < 10+n; num++ {
			d.obj(num, fmt.Sprint(num))
			nums = append(nums, num)
		}
		d.table(fmt.Sprintf("/Size %d/Root 1 0 R", 10+n), nums...)
		return d.Bytes()
	}
	container := 10 + n
	for first := 10; first < 10+n; first += 100 {
		var head, body bytes.Buffer
		count := min(100, 10+n-first)
		for i := range count {
			fmt.Fprintf(&head, "%d %d ", first+i, body.Len())
			fmt.Fprintf(&body, "%d ", first+i)
			rows[first+i] = row(2, container, i)
		}
		d.stream(container, fmt.Sprintf("/Type/ObjStm/N %d/First %d/Filter/FlateDecode", count, head.Len()), deflate(head.String()+body.String()))
		rows[container] = row(1, d.at[container], 0)
		container++
	}
	rows[container] = row(1, d.Len(), 0)
	var all bytes.Buffer
	for num := range container + 1 {
		if r, ok := rows[num]; ok {
			all.WriteString(r)
		} else {
			all.WriteString(row(0, 0, 0))
		}
	}
	d.xrefStream(container, fmt.Sprintf("/Size %d/Root 1 0 R/Filter/FlateDecode", container+1), deflate(all.String()))
	return d.Bytes()
}

func TestAllObjectsOfACrowdedFileAreFound(t *testing.T) {
	t.Parallel()
	for _, compact := range []bool{false, true} {
		f := mustOpen(t, crowded(12_000, compact))
		nums := slices.Collect(f.Objects())
		if n, bad := walk(f); n < 12_003 || bad != 0 || n != len(nums) {
			t.Errorf("compact %v: %d objects, %d bad", compact, n, bad)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	table := crowded(12_000, false)
	table = padded(table, 1<<20)
	compact := crowded(12_000, true)
	for name, data := range map[string][]byte{"table-12000": table, "stream-12000": compact} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := open(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	s := big(100 << 20)
	b.Run("100MB", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pdf.Open(s, s.size, pdf.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// padded appends an update with one stream, so that the file has size bytes.
func padded(data []byte, size int) []byte {
	f, err := open(data)
	if err != nil || len(data) >= size {
		return data
	}
	u := f.NewUpdate()
	u.Add(pdf.NewStream(nil, make([]byte, size-len(data))))
	b, err := u.Build()
	if err != nil {
		return data
	}
	return joinBuilt(data, b)
}

func BenchmarkLoadAll(b *testing.B) {
	for _, compact := range []bool{false, true} {
		f, err := open(crowded(12_000, compact))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("compact=%v", compact), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				walk(f)
			}
		})
	}
}
