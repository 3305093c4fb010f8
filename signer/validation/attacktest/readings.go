package attacktest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"antin/signer/pdf"
)

// readings give a file a second reading: what one program shows another does not.
func readings() []Attack {
	content := func(name string, make func(t *target, num int) ([]byte, error)) Attack {
		return Attack{Name: name, Class: "reading", make: func(t *target) ([]byte, error) {
			_, page, err := t.file.Page(1)
			if err != nil {
				return nil, err
			}
			ref, err := reference(page.Get("Contents"))
			if err != nil {
				return nil, err
			}
			if e, ok := t.file.Entry(ref.Num); !ok || e.Free || e.ObjStm != 0 || e.Gen != 0 {
				return nil, errNotHere
			}
			return make(t, ref.Num)
		}}
	}
	return []Attack{
		content("a number led to another signed object", func(t *target, num int) ([]byte, error) {
			for other := range t.file.Objects() {
				e, _ := t.file.Entry(other)
				if o, err := t.file.Load(pdf.Ref{Num: other, Gen: e.Gen}); other != num && e.ObjStm == 0 && err == nil {
					if _, stream := o.(*pdf.Stream); stream {
						return t.table("", map[int]int64{num: e.Offset}), nil
					}
				}
			}
			return nil, errNotHere
		}),
		content("a second definition that no table lists", func(t *target, num int) ([]byte, error) {
			spare := t.file.Trailer().Get("Size").(pdf.Number)
			free, _ := spare.Int64()
			out := append(bytes.Clone(t.doc), '\n')
			first := int64(len(out))
			objects := fmt.Sprintf("%d 0 obj\n<</Nothing true>>\nendobj\n%s", free, blackObject(num))
			return t.table("\n"+objects, map[int]int64{int(free): first}), nil
		}),
		content("a hybrid table against its stream", func(t *target, num int) ([]byte, error) {
			start, end, err := t.file.Span(pdf.Ref{Num: num})
			if err != nil {
				return nil, err
			}
			return t.hybrid(num, string(t.doc[start:end])), nil
		}),
	}
}

// blackObject is a content stream that hides everything, as object num.
func blackObject(num int) string {
	const content = "0 0 0 rg 0 0 9999 9999 re f\n"
	return fmt.Sprintf("%d 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n", num, len(content), content)
}

// table appends objects and a classic table with those entries.
func (t *target) table(objects string, entries map[int]int64) []byte {
	out := append(bytes.Clone(t.doc), objects...)
	if objects == "" {
		out = append(out, '\n')
	}
	at := len(out)
	var b strings.Builder
	b.WriteString("xref\n")
	for num, offset := range entries {
		fmt.Fprintf(&b, "%d 1\n%010d 00000 n \n", num, offset)
	}
	fmt.Fprintf(&b, "trailer\n<<%s/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", t.trailer(), t.file.StartXRef(), at)
	return append(out, b.String()...)
}

// hybrid appends a copy of object num that the table lists, and another one that the
// table's stream lists.
func (t *target) hybrid(num int, same string) []byte {
	out := append(bytes.Clone(t.doc), '\n')
	plain := int64(len(out))
	out = append(append(out, same...), '\n')
	black := len(out)
	out = append(out, blackObject(num)...)
	stream := len(out)
	entry := append([]byte{1}, binary.BigEndian.AppendUint32(nil, uint32(black))...)
	out = append(out, fmt.Sprintf("%d 0 obj\n<</Type/XRef/W[1 4 0]/Index[%d 1]%s/Length 5>>\nstream\n%s\nendstream\nendobj\n", t.size(), num, t.trailer(), entry)...)
	at := len(out)
	return append(out, fmt.Sprintf("xref\n%d 1\n%010d 00000 n \ntrailer\n<<%s/XRefStm %d/Prev %d>>\nstartxref\n%d\n%%%%EOF\n",
		num, plain, t.trailer(), stream, t.file.StartXRef(), at)...)
}

func (t *target) size() int64 {
	n, _ := t.file.Trailer().Get("Size").(pdf.Number)
	size, _ := n.Int64()
	return size
}

// trailer spells what every trailer of the file must repeat.
func (t *target) trailer() string {
	d := pdf.NewDict("Size", pdf.Int(t.size()+1))
	for _, k := range []pdf.Name{"Root", "ID", "Encrypt", "Info"} {
		if o := t.file.Trailer().Get(k); o != nil {
			d.Set(k, o)
		}
	}
	b := string(pdf.Append(nil, d))
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b), "<<"), ">>")
}
