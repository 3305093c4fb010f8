package pdf_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"antin/internal/text"
	"antin/signer/pdf"
)

// samples are one sound file for every kind of newest section.
func samples() map[pdf.SectionKind][]byte {
	return map[pdf.SectionKind][]byte{
		pdf.SectionTable:  minimal(),
		pdf.SectionStream: compressed(),
		pdf.SectionHybrid: hybridFile(),
	}
}

func TestUpdateKeepsTheOriginalAndTheKindOfSection(t *testing.T) {
	t.Parallel()
	for kind, original := range samples() {
		f := mustOpen(t, original)
		rootRef, root, err := f.Root()
		if err != nil {
			t.Fatal(err)
		}
		u := f.NewUpdate()
		added := u.Add(pdf.NewDict("Note", pdf.TextString("Số 12/QĐ")))
		root = root.Clone()
		root.Set("Added", added)
		u.Put(rootRef, root)
		data := joinBuilt(original, mustBuild(t, u))
		if !bytes.HasPrefix(data, original) {
			t.Errorf("%s: original bytes changed", kind)
		}
		g := mustOpen(t, data)
		want := kind
		if kind == pdf.SectionHybrid {
			want = pdf.SectionTable
		}
		if got := g.Sections()[0].Kind; got != want {
			t.Errorf("%s: new section is a %s", kind, got)
		}
		_, root, err = g.Root()
		if err != nil {
			t.Fatal(err)
		}
		d, err := g.Dict(root.Get("Added"))
		if err != nil {
			t.Fatal(err)
		}
		if s, _ := d.Get("Note").(pdf.String); s.Text() != "Số 12/QĐ" {
			t.Errorf("%s: new object holds %v", kind, d.Get("Note"))
		}
		if e, _ := g.Entry(rootRef.Num); e.ObjStm != 0 || e.Gen != 0 || e.Section != 0 {
			t.Errorf("%s: overridden catalog is %+v", kind, e)
		}
		if irr := g.Irregularities(); len(irr) > 0 {
			t.Errorf("%s: result is irregular: %v", kind, irr)
		}
		checkTrailers(t, f, g)
	}
}

// checkTrailers compares the trailer of an update with that of the file before.
func checkTrailers(t *testing.T, before, after *pdf.File) {
	t.Helper()
	old, now := before.Trailer(), after.Trailer()
	if now.Get("Root") != old.Get("Root") {
		t.Error("Root changed")
	}
	prev, _ := after.Int(now.Get("Prev"))
	if prev != before.StartXRef() {
		t.Errorf("Prev is %d, want %d", prev, before.StartXRef())
	}
	oldSize, _ := before.Int(old.Get("Size"))
	size, _ := after.Int(now.Get("Size"))
	if size <= oldSize {
		t.Errorf("Size is %d after %d", size, oldSize)
	}
	id, _ := now.Get("ID").(pdf.Array)
	if len(id) != 2 {
		t.Fatalf("ID is %v", now.Get("ID"))
	}
	if oldID, ok := old.Get("ID").(pdf.Array); ok {
		if first, was := id[0].(pdf.String), oldID[0].(pdf.String); !bytes.Equal(first.Value, was.Value) {
			t.Error("first part of ID changed")
		}
		if second, was := id[1].(pdf.String), oldID[1].(pdf.String); bytes.Equal(second.Value, was.Value) {
			t.Error("second part of ID did not change")
		}
	}
}

func TestTableOfAnUpdateHasTwentyByteEntriesInRuns(t *testing.T) {
	t.Parallel()
	original := bytes.TrimRight(minimal(), "\n")
	f := mustOpen(t, original)
	u := f.NewUpdate()
	u.Add(pdf.Int(4))
	u.Add(pdf.Int(5))
	u.Put(pdf.Ref{Num: 2}, pdf.Null{})
	u.Add(pdf.Int(6))
	b := mustBuild(t, u)
	if b.Data[0] != '\n' || b.Base != int64(len(original)) {
		t.Errorf("update begins with %q at %d", b.Data[0], b.Base)
	}
	data := joinBuilt(original, b)
	section := data[b.StartXRef:]
	want := regexp.MustCompile(`^xref\n2 1\n(\d{10}) 00000 n \n4 3\n(\d{10}) 00000 n \n(\d{10}) 00000 n \n(\d{10}) 00000 n \n` +
		`trailer\n<</Size 7 /Root 1 0 R /ID \[<01> <[0-9a-f]{32}>\] /Prev (\d+)>>\nstartxref\n(\d+)\n%%EOF\n$`)
	m := want.FindSubmatch(section)
	if m == nil {
		t.Fatalf("section is\n%s", section)
	}
	for i, num := range []int{2, 4, 5, 6} {
		at, _ := strconv.Atoi(string(m[i+1]))
		if head := fmt.Sprintf("%d 0 obj\n", num); !bytes.HasPrefix(data[at:], []byte(head)) {
			t.Errorf("entry of %d points at %q", num, data[at:at+10])
		}
	}
}

func TestStreamOfAnUpdateCountsItself(t *testing.T) {
	t.Parallel()
	original := compressed()
	u := mustOpen(t, original).NewUpdate()
	u.Put(pdf.Ref{Num: 1}, pdf.NewDict("Type", pdf.Name("Catalog"), "Pages", pdf.Ref{Num: 2}))
	ref := u.Add(pdf.Int(1))
	g := mustOpen(t, joinBuilt(original, mustBuild(t, u)))
	s := g.Sections()[0]
	if s.Ref.Num != ref.Num+1 {
		t.Fatalf("section is object %v", s.Ref)
	}
	if e, ok := g.Entry(s.Ref.Num); !ok || e.Offset != s.Offset {
		t.Errorf("entry of the section itself is %+v, %v", e, ok)
	}
	if got := string(pdf.Append(nil, s.Trailer)); !strings.Contains(got, "/Size 8 /Index [1 1 6 2] /W [1 4 2] ") {
		t.Errorf("dictionary is %s", got)
	}
}

func TestUpdateKeepsEveryDocumentKeyOfTheTrailer(t *testing.T) {
	t.Parallel()
	d := newDraft()
	d.pages("")
	d.obj(4, "<</Title(x)>>")
	d.table("/Size 40/Root 1 0 R/Info 4 0 R/DocChecksum/AB12", 1, 2, 3, 4)
	u := mustOpen(t, d.Bytes()).NewUpdate()
	u.SetTrailer("Extra", pdf.Bool(true))
	u.SetID([]byte("sixteen bytes!!!"))
	if ref := u.Add(pdf.Null{}); ref.Num != 40 {
		t.Errorf("new object is %v: a number below Size was used", ref)
	}
	got := string(pdf.Append(nil, mustOpen(t, joinBuilt(d.Bytes(), mustBuild(t, u))).Trailer()))
	id := fmt.Sprintf("%x", "sixteen bytes!!!")
	want := regexp.MustCompile(`^<</Size 41 /Root 1 0 R /Info 4 0 R /DocChecksum /AB12 /Extra true /ID \[<` + id + `> <` + id + `>\] /Prev \d+>>$`)
	if !want.MatchString(got) {
		t.Errorf("trailer is %s", got)
	}
}

func TestPlaceholdersAreFoundAndPatchedInPlace(t *testing.T) {
	t.Parallel()
	for kind, original := range samples() {
		u := mustOpen(t, original).NewUpdate()
		contents, numbers := pdf.HexPlaceholder(8), pdf.SpacePlaceholder(20)
		ref := u.Add(pdf.NewDict("ByteRange", pdf.Array{pdf.Int(0), numbers}, "Contents", contents))
		b := mustBuild(t, u)
		before := joinBuilt(original, b)
		at := b.Offset(contents)
		if string(before[at:at+int64(contents.Len())]) != "<0000000000000000>" {
			t.Fatalf("%s: hole holds %q", kind, before[at:at+18])
		}
		for hole, content := range map[*pdf.Placeholder]string{contents: "ab12", numbers: "17"} {
			if err := b.Patch(hole, []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		after := joinBuilt(original, b)
		if len(after) != len(before) {
			t.Errorf("%s: length changed", kind)
		}
		f := mustOpen(t, after)
		start, end, _, err := f.SignatureSpan(ref, "Contents")
		if err != nil || start != at || string(after[start:end]) != "<ab12000000000000>" {
			t.Errorf("%s: Contents is %q, %v", kind, after[start:end], err)
		}
		d, _ := f.Dict(ref)
		if a, _ := d.Get("ByteRange").(pdf.Array); len(a) != 2 || a[1] != pdf.Object(pdf.Int(17)) {
			t.Errorf("%s: ByteRange is %v", kind, a)
		}
		wantCode(t, b.Patch(numbers, bytes.Repeat([]byte("1"), 21)), text.Internal)
		wantCode(t, b.Patch(pdf.HexPlaceholder(1), nil), text.Internal)
		if b.Offset(pdf.HexPlaceholder(1)) != -1 {
			t.Error("a foreign placeholder has an offset")
		}
		r, size := b.Reader()
		joined, err := io.ReadAll(io.NewSectionReader(r, 0, size))
		if err != nil || !bytes.Equal(joined, after) {
			t.Errorf("%s: Reader gives %d bytes, %v", kind, len(joined), err)
		}
	}
}

func TestUpdateRefusesWhatWouldNotReadBack(t *testing.T) {
	t.Parallel()
	d := newDraft()
	d.pages("")
	at := d.Len()
	fmt.Fprintf(d, "xref\n0 5\n0000000004 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n0000000000 00003 f \n", d.at[1], d.at[2], d.at[3])
	fmt.Fprintf(d, "trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", at)
	for name, c := range map[string]struct {
		do   func(u *pdf.Update)
		want text.Code
	}{
		"a free number":           {func(u *pdf.Update) { u.Put(pdf.Ref{Num: 4, Gen: 3}, pdf.Null{}) }, text.PDFMalformed},
		"another generation":      {func(u *pdf.Update) { u.Put(pdf.Ref{Num: 1, Gen: 1}, pdf.Null{}) }, text.PDFMalformed},
		"a number never reserved": {func(u *pdf.Update) { u.Put(pdf.Ref{Num: 9}, pdf.Null{}) }, text.PDFMalformed},
		"object 0":                {func(u *pdf.Update) { u.Put(pdf.Ref{}, pdf.Null{}) }, text.PDFMalformed},
		"a placeholder twice": {func(u *pdf.Update) {
			p := pdf.HexPlaceholder(1)
			u.Add(pdf.Array{p, p})
		}, text.Internal},
	} {
		u := mustOpen(t, d.Bytes()).NewUpdate()
		c.do(u)
		_, err := u.Build()
		if got := text.CodeOf(err); got != c.want {
			t.Errorf("%s: error is %v, want %s", name, err, c.want)
		}
	}
}

func TestTheSameUpdateGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	for kind, original := range samples() {
		var results [2][]byte
		for i := range results {
			u := mustOpen(t, original).NewUpdate()
			u.Add(pdf.NewFlateStream(nil, bytes.Repeat([]byte("q Q "), 500)))
			results[i] = mustBuild(t, u).Data
		}
		if !bytes.Equal(results[0], results[1]) {
			t.Errorf("%s: two runs differ", kind)
		}
	}
}

func TestAnyObjectsSurviveUpdates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := samples()[rapid.SampledFrom([]pdf.SectionKind{pdf.SectionTable, pdf.SectionStream, pdf.SectionHybrid}).Draw(t, "kind")]
		want := map[pdf.Ref]pdf.Object{}
		for range rapid.IntRange(1, 4).Draw(t, "updates") {
			f, err := open(data)
			if err != nil {
				t.Fatal(err)
			}
			u := f.NewUpdate()
			for range rapid.IntRange(0, 5).Draw(t, "new") {
				o := objects().Draw(t, "object")
				if _, ref := o.(pdf.Ref); ref {
					continue // an object that is a reference is resolved on reading
				}
				want[u.Add(o)] = o
			}
			b, err := u.Build()
			if err != nil {
				t.Fatal(err)
			}
			data = joinBuilt(data, b)
		}
		f, err := open(data)
		if err != nil {
			t.Fatal(err)
		}
		for ref, o := range want {
			got, err := f.Load(ref)
			if err != nil || string(pdf.Append(nil, got)) != string(pdf.Append(nil, o)) {
				t.Fatalf("%v: %v, %v", ref, got, err)
			}
		}
	})
}

func TestBuilderMakesASoundDocument(t *testing.T) {
	t.Parallel()
	make1 := func() []byte {
		b := pdf.NewDocument("1.7")
		pages := b.Reserve()
		unused := b.Reserve()
		page := b.Add(pdf.NewDict("Type", pdf.Name("Page"), "Parent", pages,
			"Contents", b.Add(pdf.NewFlateStream(nil, []byte("BT ET")))))
		b.Put(pages, pdf.NewDict("Type", pdf.Name("Pages"), "Kids", pdf.Array{page}, "Count", pdf.Int(1), "Odd", unused))
		root := b.Add(pdf.NewDict("Type", pdf.Name("Catalog"), "Pages", pages))
		data, err := b.Build(root, b.Add(pdf.NewDict("Title", pdf.TextString("Quyết định"))))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	data := make1()
	if !bytes.Equal(data, make1()) {
		t.Error("two runs differ")
	}
	f := mustOpen(t, data)
	_, page, err := f.Page(1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Stream(page.Get("Contents"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Decode(s, 0); err != nil || string(got) != "BT ET" {
		t.Errorf("content is %q, %v", got, err)
	}
	if irr := f.Irregularities(); len(irr) > 0 || f.SigningProblem() != nil {
		t.Errorf("document is irregular: %v", irr)
	}
	if _, bad := walk(f); bad > 0 {
		t.Errorf("%d objects cannot be read", bad)
	}
	_, err = pdf.NewDocument("1.7").Build(pdf.Ref{Num: 1}, pdf.Ref{})
	wantCode(t, err, text.PDFMalformed)
}
