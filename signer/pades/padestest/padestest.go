// Package padestest makes small PDF files of every cross-reference kind, for
// tests of signing and validation. It writes them by hand and does not use
// package pdf, so that a mistake there is not made twice.
package padestest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the kind of cross-reference of a document.
type Kind string

// The kinds.
const (
	Classic       Kind = "classic"        // a table
	Stream        Kind = "stream"         // a cross-reference stream, objects in the open
	ObjectStreams Kind = "object-streams" // a cross-reference stream, objects in object streams
	Hybrid        Kind = "hybrid"         // a table with /XRefStm for objects in an object stream
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Classic, Stream, ObjectStreams, Hybrid} }

// Document is a PDF to be written. Objects hold the bodies between "obj" and
// "endobj"; object 1 is the catalog.
type Document struct {
	Kind    Kind
	Version string
	Objects map[int]string
	// NoFinalEOL leaves out the line end after %%EOF.
	NoFinalEOL bool
}

// Simple is a document of one A4 page with a line of text. Objects 1 to 5 are
// catalog, page tree, page, content and font.
func Simple(kind Kind, version string) Document {
	return Document{Kind: kind, Version: version, Objects: map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		4: Body("", "BT /F1 24 Tf 72 700 Td (So 12/QD-UBND) Tj ET\n"),
		5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}}
}

// Body is the body of a stream object with further dictionary entries.
func Body(entries, data string) string {
	return fmt.Sprintf("<< /Length %d %s>>\nstream\n%s\nendstream", len(data), entries, data)
}

// WithForm adds an interactive form with the given field objects (object number
// to body) as /Fields, all widgets of page 3, and further entries of the form.
func (d Document) WithForm(entries string, fields map[int]string) Document {
	d.Objects = maps.Clone(d.Objects)
	var refs strings.Builder
	for _, n := range slices.Sorted(maps.Keys(fields)) {
		d.Objects[n] = fields[n]
		fmt.Fprintf(&refs, "%d 0 R ", n)
	}
	d.Objects[1] = "<< /Type /Catalog /Pages 2 0 R /AcroForm 9 0 R >>"
	d.Objects[9] = fmt.Sprintf("<< /Fields [%s] /DR << /Font << /Helv 5 0 R >> >> /DA (/Helv 12 Tf 0 g) %s >>", refs.String(), entries)
	d.Objects[3] = fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [%s] >>", refs.String())
	return d
}

// With returns d with object n replaced.
func (d Document) With(n int, body string) Document {
	d.Objects = maps.Clone(d.Objects)
	d.Objects[n] = body
	return d
}

// SigField is the body of an empty signature field of page 3.
func SigField(name, entries string) string {
	return fmt.Sprintf("<< /FT /Sig /T (%s) /Type /Annot /Subtype /Widget /Rect [300 100 500 160] /P 3 0 R /F 4 %s >>", name, entries)
}

// TextField is the body of an empty text field of page 3.
func TextField(name, entries string) string {
	return fmt.Sprintf("<< /FT /Tx /T (%s) /Type /Annot /Subtype /Widget /Rect [100 600 160 616] /P 3 0 R /F 4 %s >>", name, entries)
}

// entry is one cross-reference entry: type, second and third field.
type entry struct{ kind, a, b int64 }

// writer assembles a file.
type writer struct {
	bytes.Buffer
	entries map[int]entry
}

// Bytes writes the document.
func (d Document) Bytes() []byte {
	w := &writer{entries: map[int]entry{0: {0, 0, 65535}}}
	fmt.Fprintf(w, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", d.Version)
	numbers := slices.Sorted(maps.Keys(d.Objects))
	next := numbers[len(numbers)-1] + 1
	packed := d.packed(numbers)
	for _, n := range numbers {
		if !slices.Contains(packed, n) {
			w.object(n, d.Objects[n])
		}
	}
	if len(packed) > 0 {
		w.objectStream(next, packed, d.Objects)
		next++
	}
	start := w.Len()
	switch d.Kind {
	case Classic:
		w.table(next, packed, "")
	case Stream, ObjectStreams:
		w.xrefStream(next, "/Root 1 0 R "+fileID)
	case Hybrid:
		w.xrefStream(next, "")
		xrefStm := start
		start = w.Len()
		w.table(next+1, packed, fmt.Sprintf("/XRefStm %d ", xrefStm)) // the stream object itself is in the table
	}
	fmt.Fprintf(w, "startxref\n%d\n%%%%EOF", start)
	if !d.NoFinalEOL {
		fmt.Fprintln(w)
	}
	return w.Bytes()
}

const fileID = "/ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>] "

// packed are the objects that go into an object stream.
func (d Document) packed(numbers []int) []int {
	var in []int
	for _, n := range numbers {
		stream := strings.HasSuffix(d.Objects[n], "endstream")
		if (d.Kind == ObjectStreams && !stream) || (d.Kind == Hybrid && n == 5) {
			in = append(in, n)
		}
	}
	return in
}

func (w *writer) object(n int, body string) {
	w.entries[n] = entry{1, int64(w.Len()), 0}
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (w *writer) objectStream(n int, packed []int, objects map[int]string) {
	var head, body strings.Builder
	for i, k := range packed {
		fmt.Fprintf(&head, "%d %d ", k, body.Len())
		body.WriteString(objects[k] + "\n")
		w.entries[k] = entry{2, int64(n), int64(i)}
	}
	w.object(n, Body(fmt.Sprintf("/Type /ObjStm /N %d /First %d ", len(packed), head.Len()), head.String()+body.String()))
}

func (w *writer) xrefStream(n int, trailer string) {
	w.entries[n] = entry{1, int64(w.Len()), 0}
	var data bytes.Buffer
	for i := range n + 1 {
		e := w.entries[i]
		data.WriteByte(byte(e.kind))
		data.Write(binary.BigEndian.AppendUint32(nil, uint32(e.a)))
		data.Write(binary.BigEndian.AppendUint16(nil, uint16(e.b)))
	}
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", n,
		Body(fmt.Sprintf("/Type /XRef /W [1 4 2] /Size %d %s", n+1, trailer), data.String()))
}

// table writes the table and the trailer; packed objects are free to old readers.
func (w *writer) table(size int, packed []int, trailer string) {
	fmt.Fprintf(w, "xref\n0 %d\n", size)
	for i := range size {
		switch e, used := w.entries[i]; {
		case i == 0:
			fmt.Fprint(w, "0000000000 65535 f \n")
		case !used || e.kind != 1 || slices.Contains(packed, i):
			fmt.Fprint(w, "0000000000 00000 f \n")
		default:
			fmt.Fprintf(w, "%010d 00000 n \n", e.a)
		}
	}
	fmt.Fprintf(w, "trailer\n<< /Size %d /Root 1 0 R %s%s>>\n", size, fileID, trailer)
}
