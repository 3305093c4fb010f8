package pdf_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

// updated returns original with n further revisions, each of which sets the title
// of the catalog to its number, and the end of every revision.
func updated(t testing.TB, original []byte, n int) (data []byte, ends []int64) {
	t.Helper()
	data = bytes.Clone(original)
	ends = []int64{int64(len(data))}
	for i := range n {
		f := mustOpen(t, data)
		ref, root, err := f.Root()
		if err != nil {
			t.Fatal(err)
		}
		u := f.NewUpdate()
		root = root.Clone()
		root.Set("Number", pdf.Int(int64(i+1)))
		u.Put(ref, root)
		data = append(data, mustBuild(t, u).Data...)
		ends = append(ends, int64(len(data)))
	}
	return data, ends
}

func TestRevisionsEndWhereTheirUpdatesEnded(t *testing.T) {
	t.Parallel()
	for kind, original := range samples() {
		data, ends := updated(t, original, 5)
		f := mustOpen(t, data)
		revs := f.Revisions()
		if len(revs) != len(ends) {
			t.Fatalf("%s: %d revisions, want %d", kind, len(revs), len(ends))
		}
		for i, r := range revs {
			if r.End != ends[i] || !bytes.HasSuffix(data[:r.EOF], []byte("%%EOF")) || len(r.Sections) != 1 {
				t.Errorf("%s: revision %d ends at %d, want %d", kind, i, r.End, ends[i])
			}
			g, err := f.At(i)
			if err != nil {
				t.Errorf("%s: revision %d: %v", kind, i, err)
				continue
			}
			alone := mustOpen(t, data[:r.End])
			_, root, _ := g.Root()
			_, want, _ := alone.Root()
			if string(pdf.Append(nil, root)) != string(pdf.Append(nil, want)) || g.Size() != r.End {
				t.Errorf("%s: revision %d differs from its bytes read alone", kind, i)
			}
			if n, _ := g.Int(root.Get("Number")); int(n) != i {
				t.Errorf("%s: revision %d has number %d", kind, i, n)
			}
			if len(g.Revisions()) != i+1 {
				t.Errorf("%s: revision %d has %d revisions", kind, i, len(g.Revisions()))
			}
		}
		_, err := f.At(len(revs))
		wantCode(t, err, text.PDFMalformed)
	}
}

func TestLinearisedOriginalIsOneRevision(t *testing.T) {
	t.Parallel()
	data := linearised()
	f := mustOpen(t, data)
	if n, revs := len(f.Sections()), f.Revisions(); n != 2 || len(revs) != 1 || revs[0].End != int64(len(data)) || len(revs[0].Sections) != 2 {
		t.Fatalf("%d sections, revisions %+v", n, revs)
	}
	data, ends := updated(t, data, 2)
	revs := mustOpen(t, data).Revisions()
	if len(revs) != 3 {
		t.Fatalf("%d revisions after two updates", len(revs))
	}
	for i, r := range revs {
		if r.End != ends[i] {
			t.Errorf("revision %d ends at %d, want %d", i, r.End, ends[i])
		}
	}
}

// linearised has its newest section at the front, as ISO 32000-2, Annex F orders.
func linearised() []byte {
	d := newDraft()
	place := d.Len()
	const room = 300
	d.WriteString(string(bytes.Repeat([]byte(" "), room)))
	d.pages("")
	main := d.Len()
	fmt.Fprintf(d, "xref\n0 3\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \ntrailer\n<</Size 3>>\nstartxref\n%d\n%%%%EOF\n", d.at[1], d.at[2], place)
	data := d.Bytes()
	copy(data[place:], fmt.Sprintf("xref\n3 1\n%010d 00000 n \ntrailer\n<</Size 4/Root 1 0 R/Prev %d>>\nstartxref\n0\n%%%%EOF\n", d.at[3], main))
	return data
}

func TestRevisionWhoseSectionLiesBehindItsEndIsNoFile(t *testing.T) {
	t.Parallel()
	// The section between the first and the last names no revision of its own, and
	// the first revision would need it.
	d := newDraft()
	d.pages("")
	d.obj(4, "(x)")
	at := d.Len()
	fmt.Fprintf(d, "xref\n0 5\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n", d.at[1], d.at[2], d.at[3], d.at[4])
	fmt.Fprintf(d, "trailer\n<</Size 5/Root 1 0 R/Prev %08d>>\nstartxref\n%d\n%%%%EOF\n", 0, at)
	end := d.Len()
	d.WriteString("% behind\n")
	late := d.Len()
	d.WriteString("xref\n0 0\ntrailer\n<</Size 5/Root 1 0 R>>\n")
	next := d.Len()
	fmt.Fprintf(d, "xref\n0 0\ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", at, next)
	data := replaceOnce(t, d.Bytes(), "/Prev 00000000", fmt.Sprintf("/Prev %08d", late))
	f := mustOpen(t, data)
	if f.Revisions()[0].End != int64(end) {
		t.Fatalf("revisions are %+v", f.Revisions())
	}
	_, err := f.At(0)
	wantCode(t, err, text.PDFMalformed)
}

func TestThousandsOfRevisionsAreReadQuickly(t *testing.T) {
	t.Parallel()
	const n = 3000
	original := minimal()
	var b bytes.Buffer
	b.Write(original)
	prev := mustOpen(t, original).StartXRef()
	for i := range n { // by hand: opening the file for each would take the test's time
		obj := b.Len()
		fmt.Fprintf(&b, "1 0 obj\n<</Type/Catalog/Pages 2 0 R/Number %d>>\nendobj\n", i+1)
		at := b.Len()
		fmt.Fprintf(&b, "xref\n1 1\n%010d 00000 n \ntrailer\n<</Size 4/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", obj, prev, at)
		prev = int64(at)
	}
	f := mustOpen(t, b.Bytes())
	revs := f.Revisions()
	if len(revs) != n+1 {
		t.Fatalf("%d revisions", len(revs))
	}
	for i, r := range revs {
		g, err := f.AtRevision(r)
		if err != nil {
			t.Fatalf("revision %d: %v", i, err)
		}
		_, root, err := g.Root()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := g.Int(root.Get("Number")); int(got) != i {
			t.Fatalf("revision %d has number %d", i, got)
		}
	}
}

func TestMoreSectionsThanTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	data, _ := updated(t, minimal(), 4)
	_, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{Limits: pdf.Limits{Sections: 4}})
	wantCode(t, err, text.LimitExceeded)
}

func TestCorpusFilesSignedTwiceHaveTheirRevisions(t *testing.T) {
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: no corpus to read")
	}
	for name, want := range map[string]int{
		"minimal-two-fields-signed-twice.pdf": 2, // three sections: its original is linearised
		"minimal-hybrid-xref.pdf":             2,
		"minimal.pdf":                         1,
	} {
		data, err := os.ReadFile(filepath.Join(root, "pdf", "pyhanko", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(mustOpen(t, data).Revisions()); got != want {
			t.Errorf("%s has %d revisions, want %d", name, got, want)
		}
	}
}
