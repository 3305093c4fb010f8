package signbench

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// The sizes of the documents, in bytes.
const (
	small = 20 << 10
	large = 1 << 20
	huge  = 100 << 20
)

const (
	// smallObjects is the number of objects of the document of many objects.
	smallObjects = 12_000
	// perStream is how many objects an object stream holds, as most writers have it.
	perStream = 200
	// pages of every document; signing touches one of them.
	pages = 10
	// pngUp is the row filter that most writers use for cross-reference streams.
	pngUp = 2
	// seed makes the same documents in every run.
	seed = 0x616e74696e
)

// document writes a PDF object by object and remembers where each began.
type document struct {
	bytes.Buffer
	random  *rand.ChaCha8
	offsets []int // by object number; 0 for one in an object stream
	// inside holds, for an object in an object stream, the stream and the index.
	inside map[int][2]int
}

func newDocument(size int) *document {
	d := &document{random: rand.NewChaCha8([32]byte{0: seed & 0xff, 1: seed >> 8 & 0xff}), offsets: []int{0}, inside: map[int][2]int{}}
	d.Grow(size + size/8)
	_, _ = d.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return d
}

// noise is n bytes that do not compress, as scanned pages are.
func (d *document) noise(n int) []byte {
	b := make([]byte, n)
	_, _ = d.random.Read(b) // never fails
	return b
}

// add writes the next object and returns its number.
func (d *document) add(body string) int {
	n := len(d.offsets)
	d.offsets = append(d.offsets, d.Len())
	fmt.Fprintf(d, "%d 0 obj\n%s\nendobj\n", n, body)
	return n
}

// addStream writes the next object as a stream.
func (d *document) addStream(entries string, data []byte) int {
	n := len(d.offsets)
	d.offsets = append(d.offsets, d.Len())
	fmt.Fprintf(d, "%d 0 obj\n<< /Length %d %s>>\nstream\n", n, len(data), entries)
	_, _ = d.Write(data) // memory never fails
	_, _ = d.WriteString("\nendstream\nendobj\n")
	return n
}

// skeleton are the bodies of catalog, page tree and pages, objects 1 to 2+pages;
// every page shows the image of that number.
func skeleton(image int) []string {
	list := []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids ["}
	for i := range pages {
		list[1] += fmt.Sprintf("%d 0 R ", 3+i)
		list = append(list, fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /I %d 0 R >> >> >>", image))
	}
	list[1] += fmt.Sprintf("] /Count %d >>", pages)
	return list
}

// Scanned is a document of about size bytes: pages over one large image.
func Scanned(size int) []byte { return scanned(size) }

// Sizes of documents, in bytes.
const (
	Small = small
	Large = large
	Huge  = huge
)

func scanned(size int) []byte {
	d := newDocument(size)
	for _, body := range skeleton(3 + pages) {
		d.add(body)
	}
	d.image(size - d.Len() - 1024)
	return d.table()
}

func (d *document) image(n int) {
	d.addStream(fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray ", n), d.noise(n))
}

// manyObjects is 1 MB of smallObjects dictionaries.
func manyObjects() []byte {
	d := newDocument(large)
	for _, body := range skeleton(3) {
		d.add(body)
	}
	for len(d.offsets) < smallObjects {
		d.add(littleObject(len(d.offsets), 12))
	}
	return d.table()
}

func littleObject(n, pad int) string {
	return fmt.Sprintf("<< /S /Span /K %d /P %d 0 R /T (%0*d) >>", n, 2+n%pages, pad, n)
}

// objectStreams is 1 MB of compressed object streams under a cross-reference stream.
func objectStreams() []byte {
	d := newDocument(large)
	bodies := skeleton(3)
	for d.Len() < large {
		d.pack(&bodies)
	}
	return d.stream()
}

// pack writes one object stream: the bodies given, then others full of noise.
func (d *document) pack(bodies *[]string) {
	var head, data bytes.Buffer
	container := len(d.offsets) + perStream
	for i := range perStream {
		body := fmt.Sprintf("<< /S /Span /T <%x> >>", d.noise(64))
		if len(*bodies) > 0 {
			body, *bodies = (*bodies)[0], (*bodies)[1:]
		}
		d.inside[len(d.offsets)] = [2]int{container, i}
		fmt.Fprintf(&head, "%d %d ", len(d.offsets), data.Len())
		d.offsets = append(d.offsets, 0)
		data.WriteString(body + "\n")
	}
	first := head.Len()
	head.Write(data.Bytes())
	d.addStream(fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode ", perStream, first), deflate(head.Bytes()))
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b) // memory never fails
	_ = w.Close()
	return out.Bytes()
}

// table ends the document with a cross-reference table.
func (d *document) table() []byte {
	d.tableAt(0)
	return d.Bytes()
}

// tableAt is table for a document that stands before bytes further on.
func (d *document) tableAt(before int64) {
	start := before + int64(d.Len())
	fmt.Fprintf(d, "xref\n0 %d\n0000000000 65535 f \n", len(d.offsets))
	for _, at := range d.offsets[1:] {
		fmt.Fprintf(d, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(d, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(d.offsets), start)
}

// HugeSparse are the two ends of a document of size bytes whose middle is a hole of
// zeros, so that it takes no room on a disk: head at its beginning, tail at the
// offset at, and about size bytes in all.
func HugeSparse(size int64) (head, tail []byte, at int64) {
	d := newDocument(small)
	for _, body := range skeleton(3 + pages) {
		d.add(body)
	}
	hole := size - int64(d.Len())
	n := len(d.offsets)
	d.offsets = append(d.offsets, d.Len())
	fmt.Fprintf(d, "%d 0 obj\n<< /Length %d /Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray >>\nstream\n", n, hole)
	head = bytes.Clone(d.Bytes())
	at = int64(len(head)) + hole
	d.Reset()
	_, _ = d.WriteString("\nendstream\nendobj\n")
	d.tableAt(at)
	return head, d.Bytes(), at
}

// stream ends the document with a cross-reference stream.
func (d *document) stream() []byte {
	start := d.Len()
	d.offsets = append(d.offsets, start)
	var rows bytes.Buffer
	var above [7]byte
	for n, at := range d.offsets {
		row := [7]byte{1}
		binary.BigEndian.PutUint32(row[1:], uint32(at))
		if in, packed := d.inside[n]; packed {
			row[0] = 2
			binary.BigEndian.PutUint32(row[1:], uint32(in[0]))
			binary.BigEndian.PutUint16(row[5:], uint16(in[1]))
		} else if n == 0 {
			row[0] = 0
		}
		rows.WriteByte(pngUp)
		for i := range row {
			rows.WriteByte(row[i] - above[i])
		}
		above = row
	}
	d.offsets = d.offsets[:len(d.offsets)-1]
	d.addStream(fmt.Sprintf("/Type /XRef /Size %d /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 7 >> ", len(d.offsets)+1), deflate(rows.Bytes()))
	fmt.Fprintf(d, "startxref\n%d\n%%%%EOF\n", start)
	return d.Bytes()
}
