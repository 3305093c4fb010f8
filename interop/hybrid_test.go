//go:build interop

package interop_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"antin/signer/pades/padestest"
)

// hybridWord is the kind of hybrid file that word processors write: a first
// section with a plain table that lists the hidden objects as free, then a second
// with an empty table whose /XRefStm names them. padestest writes the other kind,
// one section with both, which poppler and MuPDF open without the hidden objects.
const hybridWord padestest.Kind = "hybrid-word"

// hidden are the objects that go into the object stream: font, field, form, link.
var hidden = []int{5, 8, 9, 10}

// hybridWordPDF writes d as a hybrid file of two sections.
func hybridWordPDF(d padestest.Document) []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", d.Version)
	numbers := slices.Sorted(maps.Keys(d.Objects))
	objStm := numbers[len(numbers)-1] + 1
	xrefStm := objStm + 1
	offsets := map[int]int{}
	object := func(n int, body string) {
		offsets[n] = w.Len()
		fmt.Fprintf(&w, "%d 0 obj\n%s\nendobj\n", n, body)
	}
	for _, n := range numbers {
		if !slices.Contains(hidden, n) {
			object(n, d.Objects[n])
		}
	}
	var head, body strings.Builder
	for _, n := range hidden {
		fmt.Fprintf(&head, "%d %d ", n, body.Len())
		body.WriteString(d.Objects[n] + "\n")
	}
	object(objStm, padestest.Body(fmt.Sprintf("/Type /ObjStm /N %d /First %d ", len(hidden), head.Len()), head.String()+body.String()))

	var index, entries bytes.Buffer
	for i, n := range hidden {
		fmt.Fprintf(&index, "%d 1 ", n)
		entries.WriteByte(2)
		entries.Write(binary.BigEndian.AppendUint32(nil, uint32(objStm)))
		entries.WriteByte(byte(i))
	}
	object(xrefStm, padestest.Body(fmt.Sprintf("/Type /XRef /W [1 4 1] /Size %d /Index [%s] ", xrefStm+1, index.String()), entries.String()))

	first := w.Len()
	fmt.Fprintf(&w, "xref\n0 %d\n0000000000 65535 f \n", xrefStm+1)
	for n := 1; n <= xrefStm; n++ {
		if at, ok := offsets[n]; ok {
			fmt.Fprintf(&w, "%010d 00000 n \n", at)
		} else {
			fmt.Fprint(&w, "0000000000 65535 f \n")
		}
	}
	trailer := fmt.Sprintf("/Size %d /Root 1 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]", xrefStm+1)
	fmt.Fprintf(&w, "trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n", trailer, first)
	second := w.Len()
	fmt.Fprintf(&w, "xref\n0 0\ntrailer\n<< %s /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n", trailer, first, offsets[xrefStm], second)
	return w.Bytes()
}
