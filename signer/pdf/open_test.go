package pdf_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

func TestOpenTellsWhatKindOfDamage(t *testing.T) {
	t.Parallel()
	good := minimal()
	loop := newDraft()
	loop.pages("")
	loop.table(fmt.Sprintf("/Size 4/Root 1 0 R/Prev %d", loop.Len()), 1, 2, 3)
	twice := newDraft()
	twice.pages("")
	twice.table("/Size 4/Root 1 0 R", 1, 2, 3, 2)
	for name, c := range map[string]struct {
		data []byte
		want text.Code
	}{
		"an empty file":                         {nil, text.NotAPDF},
		"a text":                                {[]byte("hello"), text.NotAPDF},
		"a header after 1,024 bytes":            {append(bytes.Repeat([]byte(" "), 1100), good...), text.NotAPDF},
		"a header alone":                        {[]byte("%PDF-1.7\n"), text.PDFMalformed},
		"an upload cut off":                     {good[:len(good)/2], text.PDFRepairNeeded},
		"no offset behind startxref":            {replaceOnce(t, good, "startxref\n", "startxref\nx"), text.PDFRepairNeeded},
		"startxref past the end":                {replaceOnce(t, good, "startxref\n", "startxref\n9"), text.PDFRepairNeeded},
		"an entry that points elsewhere":        {shiftEntry(t, good), text.PDFRepairNeeded},
		"a loop of sections":                    {loop.Bytes(), text.PDFRepairNeeded},
		"two entries for one number":            {twice.Bytes(), text.PDFRepairNeeded},
		"a subsection longer than it says":      {replaceOnce(t, good, "0 1\n0000000000", "0 0\n0000000000"), text.PDFRepairNeeded},
		"a subsection that claims a million":    {replaceOnce(t, good, "\n0 1\n", "\n0 1000000\n"), text.PDFRepairNeeded},
		"a trailer without Root":                {replaceOnce(t, good, "/Root", "/Toor"), text.PDFRepairNeeded},
		"a catalog that is free":                {replaceOnce(t, good, "/Root 1 0 R", "/Root 0 0 R"), text.PDFRepairNeeded},
		"a catalog without page tree":           {replaceOnce(t, good, "/Pages 2 0 R", "/Segap 2 0 R"), text.PDFRepairNeeded},
		"a trailer whose Prev is a reference":   {replaceOnce(t, good, "/ID[<01><02>]", "/Prev 2 0 R"), text.PDFRepairNeeded},
		"a trailer whose Prev leads nowhere":    {replaceOnce(t, good, "/ID[<01><02>]", "/Prev 99999"), text.PDFRepairNeeded},
		"a cross-reference stream that is none": {replaceOnce(t, compressed(), "/Type/XRef", "/Type/ZRef"), text.PDFRepairNeeded},
		"entries of no width":                   {replaceOnce(t, compressed(), "/W[1 3 2]", "/W[0 0 0]"), text.PDFRepairNeeded},
		"entries of nine bytes":                 {replaceOnce(t, compressed(), "/W[1 3 2]", "/W[1 9 2]"), text.PDFRepairNeeded},
		"an object stream that is none":         {replaceOnce(t, compressed(), "/Type/ObjStm", "/Type/ObjXYZ"), text.PDFRepairNeeded},
		"an object stream of another number":    {replaceOnce(t, compressed(), "\n1 0 2", "\n9 0 2"), text.PDFRepairNeeded},
	} {
		_, err := open(c.data)
		if got := text.CodeOf(err); got != c.want {
			t.Errorf("%s: error is %v, want %s", name, err, c.want)
		}
	}
}

// shiftEntry moves the entry of the catalog by one byte.
func shiftEntry(t *testing.T, data []byte) []byte {
	t.Helper()
	return replaceOnce(t, data, "0000000015 00000 n", "0000000018 00000 n")
}

func TestOpenForgivesEverydayImperfections(t *testing.T) {
	t.Parallel()
	good := minimal()
	// The end-of-line markers of all entries made one byte: 19-byte entries.
	short := bytes.ReplaceAll(bytes.ReplaceAll(good, []byte(" n \n"), []byte(" n\n")), []byte(" f \n"), []byte(" f\n"))
	for name, c := range map[string]struct {
		data []byte
		want []pdf.Irregularity
	}{
		"a sound file":                    {good, nil},
		"a sound compressed file":         {compressed(), nil},
		"a Size too small":                {replaceOnce(t, good, "/Size 4", "/Size 2"), []pdf.Irregularity{pdf.WrongSize}},
		"a Size too large":                {replaceOnce(t, good, "/Size 4", "/Size 9"), nil},
		"no line end at the end":          {bytes.TrimRight(good, "\n"), nil},
		"no %%EOF":                        {bytes.TrimSuffix(good, []byte("%%EOF\n")), []pdf.Irregularity{pdf.NoEOFMarker}},
		"white space after the end":       {append(bytes.Clone(good), strings.Repeat(" \n", 2000)...), nil},
		"white space in front of xref":    {replaceOnce(t, good, "endobj\nxref", "endobj \n xref"), nil},
		"white space behind a count":      {replaceOnce(t, good, "xref\n0 1\n", "xref\n0 1  \r\n"), nil},
		"entries that end in CR LF":       {bytes.ReplaceAll(good, []byte(" n \n"), []byte(" n\r\n")), nil},
		"entries that end in LF LF":       {bytes.ReplaceAll(good, []byte(" n \n"), []byte(" n\n\n")), nil},
		"junk after the end":              {append(bytes.Clone(good), strings.Repeat("\x00junk\xff", 500)...), nil},
		"a linearisation gone stale":      {stale(t, good), nil},
		"entries of 19 bytes":             {short, []pdf.Irregularity{pdf.LooseEntries}},
		"a Prev of 0":                     {replaceOnce(t, good, "/ID[<01><02>]", "/Prev 0"), []pdf.Irregularity{pdf.PrevZero}},
		"a trailer on the keyword's line": {replaceOnce(t, good, "trailer\n<<", "trailer<<"), nil},
	} {
		// Where bytes were put in front of xref, startxref points at the white space.
		f, err := open(c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := f.Irregularities(); !slices.Equal(got, c.want) {
			t.Errorf("%s: irregularities are %v, want %v", name, got, c.want)
		}
		if _, _, err := f.Page(1); err != nil {
			t.Errorf("%s: page 1: %v", name, err)
		}
		unfit := f.SigningProblem() != nil
		if want := slices.Contains(c.want, pdf.LooseEntries); unfit != want {
			t.Errorf("%s: unfit for signing is %v", name, unfit)
		}
	}
}

// stale is good behind a linearisation dictionary that does not fit it any more.
func stale(t *testing.T, good []byte) []byte {
	t.Helper()
	d := newDraft()
	d.obj(4, "<</Linearized 1/L 99999/H[1 2]/O 3/E 4/N 1/T 5>>")
	d.pages("")
	d.table("/Size 5/Root 1 0 R", 1, 2, 3, 4)
	if d.Len() <= len(good) {
		t.Fatal("nothing was added")
	}
	return d.Bytes()
}

func TestHeaderBehindOtherBytesIsReadButNotSigned(t *testing.T) {
	t.Parallel()
	good := minimal()
	for name, data := range map[string][]byte{
		"offsets count from the header": append([]byte("junk\n"), good...),
		"offsets count from byte 0":     shifted("junk\n"),
	} {
		f := mustOpen(t, data)
		if f.HeaderOffset() != 5 {
			t.Errorf("%s: header is at %d", name, f.HeaderOffset())
		}
		if _, _, err := f.Page(1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantCode(t, f.SigningProblem(), text.PDFRepairNeeded)
		_, err := f.NewUpdate().Build()
		wantCode(t, err, text.PDFRepairNeeded)
	}
}

// shifted is a file with bytes before its header that its offsets count.
func shifted(junk string) []byte {
	d := &draft{at: map[int]int{}}
	d.WriteString(junk + "%PDF-1.4\n")
	d.pages("")
	d.table("/Size 4/Root 1 0 R", 1, 2, 3)
	return d.Bytes()
}

func TestVersionIsTheLaterOfHeaderAndCatalog(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"": "1.7", "/Version/2.0": "2.0", "/Version/1.4": "1.7", "/Version/odd": "1.7"} {
		d := newDraft()
		d.pages(version)
		d.table("/Size 4/Root 1 0 R", 1, 2, 3)
		if got := mustOpen(t, d.Bytes()).Version(); got != want {
			t.Errorf("catalog with %q: version is %q, want %q", version, got, want)
		}
	}
}

// hybridFile lists objects 4 and 5 free in its table and in its stream as what
// they are: 5 in an object stream, 4 that stream's own place.
func hybridFile() []byte {
	d := newDraft()
	d.pages("/Hidden 5 0 R")
	head := "5 0 "
	d.stream(4, fmt.Sprintf("/Type/ObjStm/N 1/First %d", len(head)), head+"(seen)")
	d.at[6] = d.Len()
	d.stream(6, "/Type/XRef/W[1 3 2]/Index[3 3]/Size 6", row(1, 1, 0)+row(1, d.at[4], 0)+row(2, 4, 0))
	at := d.Len()
	fmt.Fprintf(d, "xref\n0 6\n0000000004 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n0000000005 00000 f \n0000000000 00000 f \n",
		d.at[1], d.at[2], d.at[3])
	fmt.Fprintf(d, "trailer\n<</Size 6/Root 1 0 R/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", d.at[6], at)
	return d.Bytes()
}

func TestHybridSectionPutsItsStreamBetweenUsedAndFreeEntries(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, hybridFile())
	if k := f.Sections()[0].Kind; k != pdf.SectionHybrid {
		t.Fatalf("section is %s", k)
	}
	// Free in the table, in use in the stream: the stream counts.
	s, err := f.String(pdf.Ref{Num: 5})
	if err != nil || string(s.Value) != "seen" {
		t.Errorf("hidden object is %q, %v", s.Value, err)
	}
	// In use in the table, elsewhere in the stream: the table counts.
	if _, _, err := f.Page(1); err != nil {
		t.Errorf("page: %v", err)
	}
	// A later free entry hides both.
	u := f.NewUpdate()
	u.Add(pdf.Null{})
	data := joinBuilt(hybridFile(), mustBuild(t, u))
	if g := mustOpen(t, data); g.Sections()[0].Kind != pdf.SectionTable || g.Trailer().Has("XRefStm") {
		t.Error("an update of a hybrid file is not a plain table")
	}
}

func TestNewerFreeEntryHidesAnOlderObject(t *testing.T) {
	t.Parallel()
	d := newDraft()
	d.pages("")
	d.obj(4, "(old)")
	prev := d.table("/Size 5/Root 1 0 R", 1, 2, 3, 4)
	at := d.Len()
	fmt.Fprintf(d, "xref\n4 1\n0000000000 00001 f \ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", prev, at)
	f := mustOpen(t, d.Bytes())
	if o, err := f.Load(pdf.Ref{Num: 4}); err != nil || o != (pdf.Null{}) {
		t.Errorf("freed object is %v, %v", o, err)
	}
	if slices.Contains(slices.Collect(f.Objects()), 4) {
		t.Error("freed object is listed")
	}
	old, err := f.At(0)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := old.String(pdf.Ref{Num: 4}); err != nil || string(s.Value) != "old" {
		t.Errorf("first revision has %q, %v", s.Value, err)
	}
}

func TestHostileFilesGiveErrorsAndNoLoops(t *testing.T) {
	t.Parallel()
	// Every object but the first three is hostile in its own way.
	d := newDraft()
	d.pages("")
	d.obj(4, "4 0 R")
	d.obj(5, "6 0 R")
	d.obj(6, "5 0 R")
	d.obj(7, "<</Length 7 0 R>>\nstream\nabc\nendstream")
	d.obj(8, "<</Length 99999999>>\nstream\nabc\nendstream")
	d.obj(9, "<</Length 3>>\nstream\nabc")
	d.stream(10, "/Type/ObjStm/N 1/First 5", "11 0 (in)")
	rows := row(0, 0, 65535)
	for n := 1; n <= 10; n++ {
		rows += row(1, d.at[n], 0)
	}
	rows += row(2, 12, 0)      // 11 in 12
	rows += row(2, 12, 0)      // 12 in itself
	rows += row(2, 11, 0)      // 13 in 11, which lies in 12
	rows += row(2, 1, 0)       // 14 in the catalog
	rows += row(2, 10, 5)      // 15 at an index past the end
	rows += row(1, 99, 0)      // 16 in the middle of something
	rows += row(1, 1<<23, 0)   // 17 past the end of the file
	rows += row(1, d.Len(), 0) // 18 the section
	d.xrefStream(18, "/Size 19/Root 1 0 R", rows)
	f := mustOpen(t, d.Bytes())
	for num, want := range map[int]text.Code{
		11: text.PDFMalformed, 12: text.PDFMalformed, 13: text.PDFMalformed, 14: text.PDFMalformed,
		15: text.PDFMalformed, 16: text.PDFRepairNeeded, 17: text.PDFRepairNeeded,
	} {
		_, err := f.Load(pdf.Ref{Num: num})
		if got := text.CodeOf(err); got != want {
			t.Errorf("object %d: error is %v, want %s", num, err, want)
		}
	}
	for _, num := range []int{4, 5, 6} {
		_, err := f.Resolve(pdf.Ref{Num: num})
		wantCode(t, err, text.PDFMalformed)
	}
	for _, num := range []int{7, 8} { // a length that lies is made good by looking
		s, err := f.Stream(pdf.Ref{Num: num})
		if err != nil || s.Len() != 3 {
			t.Errorf("stream %d: %v", num, err)
		}
	}
	if !slices.Contains(f.Irregularities(), pdf.WrongLength) {
		t.Error("a wrong length is not reported")
	}
	if n, bad := walk(f); n != 18 || bad != 7 {
		t.Errorf("walk finds %d objects, %d bad", n, bad)
	}
}

func TestReferencesToNothingReadAsNull(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, minimal())
	for _, ref := range []pdf.Ref{{Num: 0}, {Num: 99}, {Num: 1, Gen: 1}, {Num: -1}, {Num: 1 << 30}} {
		if o, err := f.Load(ref); err != nil || o != (pdf.Null{}) {
			t.Errorf("%v reads as %v, %v", ref, o, err)
		}
	}
}

func TestSpansAreExact(t *testing.T) {
	t.Parallel()
	d := newDraft()
	d.pages("")
	d.obj(4, "<</Type/Sig /Contents <00aB 0> % no\n/ByteRange[0 1 2 3]/In<</Contents(x)>>/Ref 1 0 R/Twice 1/Twice 2>>")
	d.stream(5, "", "endstream endobj")
	d.table("/Size 6/Root 1 0 R", 1, 2, 3, 4, 5)
	f := mustOpen(t, d.Bytes())
	for key, want := range map[pdf.Name]string{"Contents": "<00aB 0>", "ByteRange": "[0 1 2 3]", "Ref": "1 0 R", "In": "<</Contents(x)>>"} {
		start, end, direct, err := f.SignatureSpan(pdf.Ref{Num: 4}, key)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if got := string(d.Bytes()[start:end]); got != want || direct != (key != "Ref") {
			t.Errorf("%s is %q, direct %v", key, got, direct)
		}
	}
	for _, key := range []pdf.Name{"Twice", "Absent"} {
		_, _, _, err := f.SignatureSpan(pdf.Ref{Num: 4}, key)
		wantCode(t, err, text.PDFMalformed)
	}
	start, end, err := f.Span(pdf.Ref{Num: 5})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(d.Bytes()[start:end]), "5 0 obj\n<< /Length 16>>\nstream\nendstream endobj\nendstream\nendobj"; got != want {
		t.Errorf("span is %q", got)
	}
	c := mustOpen(t, compressed())
	_, _, err = c.Span(pdf.Ref{Num: 1})
	wantCode(t, err, text.PDFMalformed)
	_, _, _, err = c.SignatureSpan(pdf.Ref{Num: 1}, "Type")
	wantCode(t, err, text.PDFMalformed)
}
