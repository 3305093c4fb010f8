package pdf

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxHashedPassword is the most bytes of a password of version 5 that count
// (ISO 32000-2, 7.6.4.3.3).
const maxHashedPassword = 127

// spellings returns the bytes that a password may have been turned into by the
// writer of the file, likeliest first. Version 5 takes UTF-8 prepared by SASLprep;
// earlier ones take PDFDocEncoding, but writers that take UTF-8 or Latin-1 abound.
func (h *security) spellings(password string) [][]byte {
	list := [][]byte{[]byte(prepared(password)), []byte(password)}
	if h.version < 5 {
		list = [][]byte{docEncoded(password), []byte(password), latin1(password)}
	}
	var unique [][]byte
	for _, b := range list {
		if b != nil && !slices.ContainsFunc(unique, func(u []byte) bool { return bytes.Equal(u, b) }) {
			unique = append(unique, b)
		}
	}
	return unique
}

// prepared maps s as SASLprep does (RFC 4013, 2.1 and 2.2). What that profile
// prohibits is let through: the password then fits nothing.
func prepared(s string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case r == '\u00ad', r == '\u034f', r == '\u1806', r >= '\u180b' && r <= '\u180d', r >= '\u200b' && r <= '\u200d',
			r == '\u2060', r >= '\ufe00' && r <= '\ufe0f', r == '\ufeff':
			return -1 // commonly mapped to nothing
		case r > unicode.MaxASCII && unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s))
}

// docEncoded returns s in PDFDocEncoding, nil when it has no place there.
func docEncoded(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		i := slices.IndexFunc(docBytes, func(d rune) bool { return d == r })
		if i < 0 || r == utf8.RuneError {
			return nil
		}
		b = append(b, byte(i))
	}
	return b
}

// docBytes is the character of every byte of PDFDocEncoding.
var docBytes = func() []rune {
	list := make([]rune, 256)
	for i := range list {
		list[i] = docEncoding(byte(i))
	}
	return list
}()

func latin1(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > unicode.MaxLatin1 {
			return nil
		}
		b = append(b, byte(r))
	}
	return b
}
