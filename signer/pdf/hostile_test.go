package pdf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"antin/internal/text"
	"antin/signer/pdf"
)

// hostileTime is the longest that a small hostile file may take: far more than it
// does, far less than the square of its size would.
const hostileTime = slower * 20 * time.Second

func TestSmallHostileFilesCostLittle(t *testing.T) {
	for name, data := range map[string][]byte{
		"20,000 streams without an end":        endlessStreams(20_000),
		"a dictionary of 500,000 keys":         withObject("<<" + keys(500_000) + ">>"),
		"an array of a million numbers":        withObject("[" + strings.Repeat("1 ", 1<<20) + "]"),
		"references that all lead to the next": chainOfReferences(5000),
		"lengths that all need the next":       chainOfLengths(5000),
		"60,000 sections":                      manySections(60_000),
		"more sections than are followed":      manySections(70_000),
		"entries of a compressed million":      manyEntries(1 << 20),
		"subsections of one entry each":        manySubsections(100_000),
	} {
		begin := time.Now()
		f, err := open(data)
		if err == nil {
			walk(f)
			f.Revisions()
		}
		if d := time.Since(begin); d > hostileTime {
			t.Errorf("%s (%d bytes) take %s", name, len(data), d)
		}
		if err != nil && text.CodeOf(err) == text.Internal {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %d bytes, %s, %v", name, len(data), time.Since(begin).Round(time.Millisecond), err)
	}
}

func withObject(body string) []byte {
	d := newDraft()
	d.pages("")
	d.obj(4, body)
	d.table("/Size 5/Root 1 0 R", 1, 2, 3, 4)
	return d.Bytes()
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "/K%d 0", i)
	}
	return b.String()
}

// numbered writes objects 4 and on, n of them, and lists them.
func numbered(n int, body func(num int) string) []byte {
	d := newDraft()
	d.pages("")
	nums := []int{1, 2, 3}
	for num := 4; num < 4+n; num++ {
		d.obj(num, body(num))
		nums = append(nums, num)
	}
	d.table(fmt.Sprintf("/Size %d/Root 1 0 R", 4+n), nums...)
	return d.Bytes()
}

func endlessStreams(n int) []byte {
	return numbered(n, func(int) string { return "<</Length 9999999>>\nstream\nx" })
}

func chainOfReferences(n int) []byte {
	return numbered(n, func(num int) string { return fmt.Sprintf("%d 0 R", num+1) })
}

func chainOfLengths(n int) []byte {
	return numbered(n, func(num int) string {
		return fmt.Sprintf("<</Length %d 0 R>>\nstream\nx\nendstream", num+1)
	})
}

func manySections(n int) []byte {
	d := newDraft()
	d.pages("")
	prev := d.table("/Size 4/Root 1 0 R", 1, 2, 3)
	for range n {
		at := d.Len()
		fmt.Fprintf(d, "xref\n3 1\n%010d 00000 n \ntrailer\n<</Size 4/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", d.at[3], prev, at)
		prev = at
	}
	return d.Bytes()
}

func bombs(n int) []byte {
	d := newDraft()
	d.pages("")
	rows := row(0, 0, 65535)
	for i := 1; i <= 3; i++ {
		rows += row(1, d.at[i], 0)
	}
	bomb := deflate(strings.Repeat(" ", 1<<20))
	for num := 4; num < 4+n; num++ {
		d.stream(num, "/Type/ObjStm/N 0/First 0/Filter/FlateDecode", bomb)
		rows += row(1, d.at[num], 0)
	}
	for num := 4; num < 4+n; num++ {
		rows += row(2, num, 0)
	}
	rows += row(1, d.Len(), 0)
	d.xrefStream(4+2*n, fmt.Sprintf("/Size %d/Root 1 0 R", 5+2*n), rows)
	return d.Bytes()
}

// swallowed holds n streams of two filters: the first puts out many empty blocks, of
// which the second makes nothing.
func swallowed(n int) []byte {
	empty := deflate("\x78\x9c" + strings.Repeat("\x00\x00\x00\xff\xff", 1<<17))
	return numbered(n, func(int) string {
		return fmt.Sprintf("<</Filter[/Fl/Fl]/Length %d>>\nstream\n%s\nendstream", len(empty), empty)
	})
}

func manyEntries(n int) []byte {
	d := newDraft()
	d.pages("")
	rows := row(0, 0, 65535)
	for i := 1; i <= 3; i++ {
		rows += row(1, d.at[i], 0)
	}
	rows += strings.Repeat(row(1, 17, 0), n)
	d.xrefStream(4, fmt.Sprintf("/Size %d/Root 1 0 R/Filter/FlateDecode", n+4), deflate(rows))
	return d.Bytes()
}

func manySubsections(n int) []byte {
	d := newDraft()
	d.pages("")
	at := d.Len()
	fmt.Fprintf(d, "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n", d.at[1], d.at[2], d.at[3])
	for i := n; i > 0; i-- {
		fmt.Fprintf(d, "%d 1\n0000000015 00000 n \n", 10+2*i)
	}
	fmt.Fprintf(d, "trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", at)
	return d.Bytes()
}

func TestStreamsAreNotDecodedWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data        []byte
		first, last int
	}{
		"object streams that are bombs":   {bombs(40), 44, 83},
		"filters that swallow each other": {swallowed(40), 4, 43},
	} {
		f, err := pdf.Open(bytes.NewReader(c.data), int64(len(c.data)), pdf.Options{Limits: pdf.Limits{Total: 1 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for num := c.first; num <= c.last && text.CodeOf(last) != text.LimitExceeded; num++ {
			var o pdf.Object
			o, last = f.Load(pdf.Ref{Num: num})
			if s, ok := o.(*pdf.Stream); ok {
				_, last = f.Decode(s, 0)
			}
		}
		if text.CodeOf(last) != text.LimitExceeded {
			t.Errorf("%s: all were decoded: %v", name, last)
		}
	}
}

func TestAReadErrorIsNotADamagedFile(t *testing.T) {
	t.Parallel()
	data := minimal()
	// A file that ends before the size that its caller gives.
	_, err := pdf.Open(bytes.NewReader(data), int64(len(data))+100, pdf.Options{})
	wantCode(t, err, text.FileUnreadable)
}
