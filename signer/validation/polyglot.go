package validation

import (
	"bytes"
	"encoding/binary"

	"antin/internal/text"
)

// zipTail is how far from the end of a file a ZIP reader looks for its directory:
// the record itself and the longest comment (APPNOTE, 4.3.16).
const zipTail = 22 + 65535

// checkPolyglot looks for a second reading of the whole file. Other formats with a
// beginning of their own are refused with the header; a ZIP archive (a program, an
// office document) is read from its end, and can share a file with a PDF.
func (v *validation) checkPolyglot() {
	if len(v.subjects) == 0 {
		return
	}
	if v.readsAsZIP() {
		v.report.because(ValidWithNotes, Reason{Code: ReasonPolyglot, Message: text.Get(reasonKey(ReasonPolyglot))})
	}
	if v.otherFormat() {
		v.report.because(ValidWithNotes, Reason{Code: ReasonPolyglot, Message: text.Get("validation.polyglot.head")})
	}
}

// readsAsZIP reports whether an end of central directory record stands in the tail
// whose comment is exactly the rest of the file and whose directory lies before it.
func (v *validation) readsAsZIP() bool {
	tail := room(&v.scratch, int(min(v.in.Size, zipTail)))
	start := v.in.Size - int64(len(tail))
	if n, err := v.in.Reader.ReadAt(tail, start); n < len(tail) && err != nil {
		return false
	}
	mark := []byte("PK\x05\x06")
	if !bytes.Contains(tail, mark) {
		return false // nearly always; forwards is many times faster than backwards
	}
	for i := bytes.LastIndex(tail, mark); i >= 0; i = bytes.LastIndex(tail[:i], mark) {
		r := tail[i:]
		if len(r) < 22 {
			continue
		}
		entries, size := binary.LittleEndian.Uint16(r[10:]), int64(binary.LittleEndian.Uint32(r[12:]))
		if comment := int(binary.LittleEndian.Uint16(r[20:])); 22+comment == len(r) && entries > 0 && size > 0 && size <= start+int64(i) {
			return true
		}
	}
	return false
}
