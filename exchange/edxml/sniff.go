package edxml

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// sniffLength is how much of a file's head is looked at: PDF readers allow its
// header anywhere in the first 1024 bytes.
const sniffLength = 1024

var magics = []struct{ head, mediaType string }{
	{"PK\x03\x04", "application/zip"},
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "application/x-ole-storage"}, // .doc, .xls, .ppt
	{"\x89PNG\r\n\x1A\n", "image/png"},
	{"\xFF\xD8\xFF", "image/jpeg"},
	{"GIF8", "image/gif"},
	{"II*\x00", "image/tiff"},
	{"MM\x00*", "image/tiff"},
	{"{\\rtf", "application/rtf"},
	{"Rar!\x1A\x07", "application/vnd.rar"},
	{"7z\xBC\xAF\x27\x1C", "application/x-7z-compressed"},
	{"<?xml", "application/xml"},
	{"MZ", "application/vnd.microsoft.portable-executable"},
}

func sniff(head []byte) string {
	if bytes.Contains(head, []byte("%PDF-")) {
		return "application/pdf"
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.head)) {
			return m.mediaType
		}
	}
	return "application/octet-stream"
}

func isPDF(name, contentType string) bool {
	return strings.EqualFold(path.Ext(name), ".pdf") || strings.EqualFold(contentType, "application/pdf")
}

// binaryNames are formats in which U+FFFD in UTF-8 has no business.
const binaryNames = " .pdf .doc .docx .xls .xlsx .ppt .pptx .zip .rar .7z .png .jpg .jpeg .tif .tiff .gif .odt .ods .p7m .p7s "

func isBinary(name, contentType string) bool {
	ext := strings.ToLower(path.Ext(name))
	return isPDF(name, contentType) || ext != "" && strings.Contains(binaryNames, " "+ext+" ") ||
		strings.HasPrefix(contentType, "image/")
}

// lossCounter counts U+FFFD in UTF-8, what a decoder leaves for bytes that were
// no text. It works across the borders of reads.
type lossCounter struct {
	found int64
	last  []byte // up to two bytes of the read before that may begin one
}

const replacement = "\xEF\xBF\xBD"

func (l *lossCounter) write(b []byte) {
	const border = len(replacement) - 1
	joint := slices.Concat(l.last, b[:min(len(b), border)])
	if len(l.last) > 0 {
		l.found += int64(bytes.Count(joint, []byte(replacement)))
	}
	l.found += int64(bytes.Count(b, []byte(replacement)))
	tail := joint
	if len(b) >= border {
		tail = b[len(b)-border:]
	}
	l.last = l.last[:0]
	for n := min(len(tail), border); n > 0; n-- {
		if strings.HasPrefix(replacement, string(tail[len(tail)-n:])) {
			l.last = append(l.last, tail[len(tail)-n:]...)
			return
		}
	}
}

// ruined separates a ruined file from one that merely has the character: in
// ruined ones most of the bytes are replacements, in compressed data they turn
// up once in sixteen million bytes.
func (l *lossCounter) ruined(size int64) bool {
	const least, percent = 16, 1
	return l.found >= least && l.found*int64(len(replacement))*100 >= size*percent
}
