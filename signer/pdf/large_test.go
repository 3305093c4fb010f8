package pdf_test

import (
	"bytes"
	"fmt"
	"testing"

	"antin/signer/pdf"
)

// vast is a sound file of about size bytes under a cross-reference stream with wide
// fields: the usual objects in front, one stream that fills it, the rest at its end.
func vast(size int64) *sparse {
	d := newDraft()
	d.pages("/Big 4 0 R")
	d.at[4] = d.Len()
	d.WriteString("4 0 obj\n<</Length 5 0 R>>\nstream\n")
	front := bytes.Clone(d.Bytes())
	var tail bytes.Buffer
	tail.WriteString("\nendstream\nendobj\n")
	five := size + int64(tail.Len())
	fmt.Fprintf(&tail, "5 0 obj\n%d\nendobj\n", size-int64(len(front)))
	at := size + int64(tail.Len())
	var rows []byte
	for _, off := range []int64{0, int64(d.at[1]), int64(d.at[2]), int64(d.at[3]), int64(d.at[4]), five, at} {
		rows = append(rows, 1)
		for i := 7; i >= 0; i-- {
			rows = append(rows, byte(off>>(8*i)))
		}
		rows = append(rows, 0)
	}
	fmt.Fprintf(&tail, "6 0 obj\n<</Type/XRef/W[1 8 1]/Size 7/Root 1 0 R/Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF",
		len(rows), rows, at)
	return &sparse{size: size + int64(tail.Len()), parts: map[int64][]byte{0: front, size: tail.Bytes()}}
}

func TestStreamsGoOnWhereTheTableEnds(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{1<<32 - 300, 5 << 30, 9_999_999_000, 20_000_000_000} {
		s := vast(size)
		f, err := pdf.Open(s, s.size, pdf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ref, page, err := f.Page(1)
		if err != nil {
			t.Fatal(err)
		}
		u := f.NewUpdate()
		page = page.Clone()
		page.Set("Annots", pdf.Array{u.Add(pdf.NewStream(nil, make([]byte, 2000)))})
		u.Put(ref, page)
		b := mustBuild(t, u)
		r, total := b.Reader()
		g, err := pdf.Open(r, total, pdf.Options{Known: f})
		if err != nil {
			t.Fatal(err)
		}
		if revs := g.Revisions(); len(revs) != 2 || revs[0].EOF != s.size {
			t.Errorf("size %d: revisions are %+v", size, revs)
		}
		_, page, err = g.Page(1)
		if err != nil {
			t.Fatal(err)
		}
		annots, _ := page.Get("Annots").(pdf.Array)
		st, err := g.Stream(annots[0])
		if err != nil {
			t.Fatal(err)
		}
		if at, ok := st.Offset(); !ok || at < s.size {
			t.Errorf("size %d: the new stream stands at %d", size, at)
		}
		if read := s.read.Load(); read > 1<<20 {
			t.Errorf("size %d: %d bytes were read", size, read)
		}
	}
}

func TestAKnownFileGivesTheSameReading(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"table": minimal(), "stream": compressed(), "crowded": crowded(3000, true),
		"encrypted": cryptKinds()["AES-256 R6 packed"].make(t),
	} {
		f := openWith(t, data, "user")
		rootRef, root, err := f.Root()
		if err != nil {
			t.Fatal(err)
		}
		u := f.NewUpdate()
		root = root.Clone()
		root.Set("Note", pdf.TextString("changed"))
		u.Put(rootRef, root)
		out := joinBuilt(data, mustBuild(t, u))
		known, err := pdf.Open(bytes.NewReader(out), int64(len(out)), pdf.Options{Password: "user", Known: f})
		if err != nil {
			t.Fatal(err)
		}
		fresh := openWith(t, out, "user")
		for num := range fresh.Objects() {
			e, _ := fresh.Entry(num)
			ref := pdf.Ref{Num: num, Gen: e.Gen}
			a, errA := fresh.Load(ref)
			b, errB := known.Load(ref)
			if errA != nil || errB != nil || !bytes.Equal(pdf.Append(nil, a), pdf.Append(nil, b)) {
				t.Errorf("%s: object %s reads as %s, %v and %s, %v", name, ref, pdf.Append(nil, a), errA, pdf.Append(nil, b), errB)
			}
		}
		if a, b := len(fresh.Revisions()), len(known.Revisions()); a != b {
			t.Errorf("%s: %d and %d revisions", name, a, b)
		}
	}
}

// TestIndirectValuesOfAnObjectStreamCountPerRevision has an update that gives the
// container of the catalog another /First: what one revision read must not serve
// the other.
func TestIndirectValuesOfAnObjectStreamCountPerRevision(t *testing.T) {
	t.Parallel()
	d := newDraft()
	head := "1 0 2 40 "
	body := "<</Type/Catalog/Pages 2 0 R/A true >>    <</Type/Pages/Kids[3 0 R]/Count 1>>"
	d.obj(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
	d.stream(4, "/Type/ObjStm/N 2/First 6 0 R", head+"         "+body)
	d.obj(6, fmt.Sprint(len(head)+9))
	rows := row(0, 0, 65535) + row(2, 4, 0) + row(2, 4, 1) + row(1, d.at[3], 0) + row(1, d.at[4], 0) + row(1, d.Len()+len("6 0 obj"), 0) + row(1, d.at[6], 0)
	rows = rows[:5*6] + row(1, d.Len(), 0) + rows[6*6:]
	d.xrefStream(5, "/Size 7/Root 1 0 R", rows)
	data := d.Bytes()
	f := mustOpen(t, data)
	if _, root, err := f.Root(); err != nil || root.Get("A") == nil {
		t.Fatalf("catalog is %v, %v", root, err)
	}
	u := f.NewUpdate()
	u.Put(pdf.Ref{Num: 6}, pdf.Int(int64(len(head)))) // objects begin nine blanks earlier
	out := joinBuilt(data, mustBuild(t, u))
	g, err := pdf.Open(bytes.NewReader(out), int64(len(out)), pdf.Options{Known: f})
	fresh, errFresh := open(out)
	if (err == nil) != (errFresh == nil) {
		t.Fatalf("known: %v, fresh: %v", err, errFresh)
	}
	if err != nil {
		return
	}
	_, a, errA := g.Root()
	_, b, errB := fresh.Root()
	if (errA == nil) != (errB == nil) || !bytes.Equal(pdf.Append(nil, a), pdf.Append(nil, b)) {
		t.Errorf("known reads %s, %v; fresh %s, %v", pdf.Append(nil, a), errA, pdf.Append(nil, b), errB)
	}
}
