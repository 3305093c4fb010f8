package pdf

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// TextString returns s as a text string (ISO 32000-2, 7.9.2.2): in PDFDocEncoding
// where that is plain ASCII, else in UTF-16BE with its byte order mark, which every
// reader of PDF 1.x understands.
func TextString(s string) String {
	ascii := true
	for i := range len(s) {
		c := s[i]
		if c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			ascii = false
			break
		}
	}
	if ascii {
		return String{Value: []byte(s)}
	}
	v := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(s)) {
		v = append(v, byte(u>>8), byte(u))
	}
	return String{Value: v}
}

// Text returns the text of a text string: UTF-16BE or UTF-8 when it begins with
// that mark, UTF-16LE too since some writers produce it, and else PDFDocEncoding.
// Bytes without meaning become U+FFFD. Language escapes (7.9.2.2) are taken out.
func (s String) Text() string {
	v := s.Value
	switch {
	case bytes.HasPrefix(v, []byte{0xfe, 0xff}):
		return utf16Text(v[2:], 1, 0)
	case bytes.HasPrefix(v, []byte{0xff, 0xfe}):
		return utf16Text(v[2:], 0, 1)
	case bytes.HasPrefix(v, []byte{0xef, 0xbb, 0xbf}):
		return string(bytes.ToValidUTF8(v[3:], []byte("\uFFFD")))
	}
	b := make([]byte, 0, len(v))
	for _, c := range v {
		b = utf8.AppendRune(b, docEncoding(c))
	}
	return string(b)
}

func utf16Text(v []byte, low, high int) string {
	u := make([]uint16, 0, len(v)/2)
	escaped := false
	for i := 0; i+1 < len(v); i += 2 {
		c := uint16(v[i+high])<<8 | uint16(v[i+low])
		if c == 0x1b { // a language code stands between two of these
			escaped = !escaped
			continue
		}
		if !escaped {
			u = append(u, c)
		}
	}
	return string(utf16.Decode(u))
}

// docEncoding maps a byte of PDFDocEncoding (ISO 32000-2, Annex D.3).
func docEncoding(c byte) rune {
	switch {
	case c >= 0x18 && c <= 0x1f:
		return []rune("\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc")[c-0x18]
	case c >= 0x80 && c <= 0x9e:
		return []rune("\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018" +
			"\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e")[c-0x80]
	case c == 0xa0:
		return '\u20ac'
	case c == 0x7f, c == 0x9f, c == 0xad:
		return utf8.RuneError
	}
	return rune(c)
}
