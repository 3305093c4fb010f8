package pdf_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"antin/signer/pdf"
)

// counted counts the reads of a file.
type counted struct {
	*bytes.Reader
	mu    sync.Mutex
	reads int
}

// ReadAt implements io.ReaderAt.
func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.mu.Lock()
	c.reads++
	c.mu.Unlock()
	return c.Reader.ReadAt(p, off)
}

func openKept(t *testing.T, data []byte) (*pdf.File, *counted) {
	t.Helper()
	r := &counted{Reader: bytes.NewReader(data)}
	f, err := pdf.Open(r, int64(len(data)), pdf.Options{Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	return f, r
}

func written(t *testing.T, f *pdf.File, num int) string {
	t.Helper()
	o, err := f.Load(pdf.Ref{Num: num})
	if err != nil {
		t.Fatal(err)
	}
	return string(pdf.Append(nil, o))
}

// twoRevisions is a document whose second revision says another thing of object 3 and
// leaves the others where they are.
func twoRevisions(t *testing.T) []byte {
	t.Helper()
	d := newDraft()
	d.pages("")
	d.obj(4, "<</Contents<30310000000000000000000041>/N[1 2 3]>>")
	d.table("/Root 1 0 R/Size 5", 1, 2, 3, 4)
	data := d.Bytes()
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u := f.NewUpdate()
	u.Put(pdf.Ref{Num: 3}, pdf.NewDict("Type", pdf.Name("Page"), "Parent", pdf.Ref{Num: 2}, "Rotate", pdf.Int(90)))
	built, err := u.Build()
	if err != nil {
		t.Fatal(err)
	}
	return append(data[:len(data):len(data)], built.Data...)
}

func TestAKeptObjectIsReadOnceForAllRevisions(t *testing.T) {
	t.Parallel()
	f, r := openKept(t, twoRevisions(t))
	first, err := f.At(0)
	if err != nil {
		t.Fatal(err)
	}
	want := written(t, f, 4)
	before := r.reads
	if got := written(t, first, 4); got != want {
		t.Errorf("the older revision reads %s, the newer %s", got, want)
	}
	from, to, direct, err := first.SignatureSpan(pdf.Ref{Num: 4}, "Contents")
	if err != nil || !direct {
		t.Fatal(direct, err)
	}
	if r.reads != before {
		t.Errorf("%d reads of what was read before", r.reads-before)
	}
	plain, err := pdf.Open(r, r.Size(), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b, _, err := plain.SignatureSpan(pdf.Ref{Num: 4}, "Contents"); err != nil || a != from || b != to {
		t.Errorf("kept span %d–%d, read span %d–%d: %v", from, to, a, b, err)
	}
}

func TestAKeptObjectIsTheRevisionsOwn(t *testing.T) {
	t.Parallel()
	f, _ := openKept(t, twoRevisions(t))
	first, err := f.At(0)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := written(t, f, 3), written(t, first, 3); a == b || a != written(t, f, 3) || b != written(t, first, 3) {
		t.Errorf("newer %s, older %s", a, b)
	}
}

func TestWhatLiesBehindARevisionIsNotKeptForIt(t *testing.T) {
	t.Parallel()
	// The first revision lists object 3 where only the second one has written it.
	d := newDraft()
	d.obj(1, "<</Type/Catalog/Pages 2 0 R>>")
	d.obj(2, "<</Type/Pages/Kids[]/Count 0>>")
	d.at[3] = 400
	first := d.table("/Root 1 0 R/Size 4", 1, 2, 3)
	for d.Len() < 400 {
		d.WriteByte('\n')
	}
	d.obj(3, "(later)")
	d.table(fmt.Sprintf("/Root 1 0 R/Size 4/Prev %d", first), 3)
	f, _ := openKept(t, d.Bytes())
	if got := written(t, f, 3); got != "(later)" {
		t.Fatal(got)
	}
	old, err := f.At(0)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := old.Load(pdf.Ref{Num: 3}); err == nil {
		t.Errorf("the older revision reads %s, which lies behind its end", pdf.Append(nil, o))
	}
}

func TestKeptArraysAreCopiedByAppending(t *testing.T) {
	t.Parallel()
	f, _ := openKept(t, twoRevisions(t))
	d, err := f.Dict(pdf.Ref{Num: 4})
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Array(d.Get("N"))
	if err != nil {
		t.Fatal(err)
	}
	one, two := append(a, pdf.Int(7)), append(a, pdf.Int(8))
	if string(pdf.Append(nil, one)) != "[1 2 3 7]" || string(pdf.Append(nil, two)) != "[1 2 3 8]" {
		t.Error(one, two)
	}
}

func TestKeptObjectsAreTheSameForManyReadersAtOnce(t *testing.T) {
	t.Parallel()
	f, _ := openKept(t, twoRevisions(t))
	want := written(t, f, 3)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for num := range 5 {
				if o, err := f.Load(pdf.Ref{Num: num}); err != nil || num == 3 && string(pdf.Append(nil, o)) != want {
					t.Error(num, err)
				}
			}
		})
	}
	group.Wait()
}

func TestPlacesIsEntry(t *testing.T) {
	t.Parallel()
	f, _ := openKept(t, twoRevisions(t))
	for num := range 7 {
		e, ok := f.Entry(num)
		in := ok && !e.Free
		if f.Places(num, e.Offset) != in || f.Places(num, e.Offset+1) {
			t.Errorf("object %d at %d, in use %v", num, e.Offset, in)
		}
	}
}

func TestHexadecimalStringsWithZerosAreReadLikeOthers(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for _, c := range []string{"0", "0 ", "a", "00\n0"} {
			spelling := "<41" + string(bytes.Repeat([]byte("0"), n)) + c + "42>"
			o, _, err := pdf.ParseObject([]byte(spelling))
			if err != nil {
				t.Fatal(err)
			}
			digits := bytes.NewBuffer(nil)
			for _, d := range []byte(spelling[1 : len(spelling)-1]) {
				if d != ' ' && d != '\n' {
					digits.WriteByte(d)
				}
			}
			if digits.Len()%2 != 0 {
				digits.WriteByte('0')
			}
			s, _ := o.(pdf.String)
			if got := fmt.Sprintf("%x", s.Value); got != digits.String() {
				t.Errorf("%s reads as %s", spelling, got)
			}
		}
	}
}
