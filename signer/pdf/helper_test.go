package pdf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

// draft writes a PDF by hand, byte by byte, and remembers where objects begin.
type draft struct {
	bytes.Buffer
	at map[int]int
}

func newDraft() *draft {
	d := &draft{at: map[int]int{}}
	d.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return d
}

// obj writes object num of generation 0.
func (d *draft) obj(num int, body string) {
	d.at[num] = d.Len()
	fmt.Fprintf(d, "%d 0 obj\n%s\nendobj\n", num, body)
}

// stream writes object num as a stream with the given dictionary entries.
func (d *draft) stream(num int, entries, data string) {
	d.obj(num, fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", entries, len(data), data))
}

// pages writes the catalog (1), the page tree (2) and one page (3).
func (d *draft) pages(catalog string) {
	d.obj(1, "<</Type/Catalog/Pages 2 0 R"+catalog+">>")
	d.obj(2, "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>")
	d.obj(3, "<</Type/Page/Parent 2 0 R>>")
}

// table writes a cross-reference table of the given objects, one subsection for
// every run of numbers, the trailer and the end. It returns the offset of the table.
func (d *draft) table(trailer string, nums ...int) int {
	at := d.Len()
	d.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for i, n := range nums {
		if i == 0 || nums[i-1]+1 != n {
			run := 1
			for i+run < len(nums) && nums[i+run] == n+run {
				run++
			}
			fmt.Fprintf(d, "%d %d\n", n, run)
		}
		fmt.Fprintf(d, "%010d 00000 n \n", d.at[n])
	}
	fmt.Fprintf(d, "trailer\n<<%s>>\nstartxref\n%d\n%%%%EOF\n", trailer, at)
	return at
}

// row is one entry of a cross-reference stream of three one-, three- and
// two-byte fields.
func row(kind, a, b int) string {
	return string([]byte{byte(kind), byte(a >> 16), byte(a >> 8), byte(a), byte(b >> 8), byte(b)})
}

// xrefStream writes a cross-reference stream as object num with the given rows and
// the end.
func (d *draft) xrefStream(num int, entries, rows string) int {
	at := d.Len()
	d.stream(num, "/Type/XRef/W[1 3 2]"+entries, rows)
	fmt.Fprintf(d, "startxref\n%d\n%%%%EOF\n", at)
	return at
}

// minimal is a sound file of one page.
func minimal() []byte {
	d := newDraft()
	d.pages("")
	d.table("/Size 4/Root 1 0 R/ID[<01><02>]", 1, 2, 3)
	return d.Bytes()
}

// compressed is a sound file whose catalog and page tree lie in an object stream
// and whose cross-reference is a stream.
func compressed() []byte {
	d := newDraft()
	catalog, pages := "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>"
	head := fmt.Sprintf("1 0 2 %d ", len(catalog)+1)
	d.obj(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
	d.stream(4, fmt.Sprintf("/Type/ObjStm/N 2/First %d", len(head)), head+catalog+" "+pages)
	rows := row(0, 0, 65535) + row(2, 4, 0) + row(2, 4, 1) + row(1, d.at[3], 0) + row(1, d.at[4], 0) + row(1, d.Len(), 0)
	d.xrefStream(5, "/Size 6/Root 1 0 R", rows)
	return d.Bytes()
}

func open(data []byte) (*pdf.File, error) {
	return pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
}

func mustOpen(t testing.TB, data []byte) *pdf.File {
	t.Helper()
	f, err := open(data)
	if err != nil {
		t.Fatalf("opening: %v\n%s", err, data[max(0, len(data)-600):])
	}
	return f
}

// joinBuilt returns the whole updated file.
func joinBuilt(original []byte, b *pdf.Built) []byte {
	return append(bytes.Clone(original[:b.Base]), b.Data...)
}

func mustBuild(t testing.TB, u *pdf.Update) *pdf.Built {
	t.Helper()
	b, err := u.Build()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantCode(t testing.TB, err error, want text.Code) {
	t.Helper()
	if got := text.CodeOf(err); got != want {
		t.Errorf("error is %v, want code %s", err, want)
	}
}

// replaceOnce replaces the one occurrence of old in data.
func replaceOnce(t testing.TB, data []byte, old, repl string) []byte {
	t.Helper()
	if n := bytes.Count(data, []byte(old)); n != 1 {
		t.Fatalf("%q stands %d times", old, n)
	}
	return []byte(strings.Replace(string(data), old, repl, 1))
}
