package edxml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// isChar is the Char production of XML 1.0.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// isNameByte finds the end of a name; validName judges what was found.
func isNameByte(b byte) bool {
	switch {
	case b >= utf8.RuneSelf, b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		return true
	}
	return b == '_' || b == '-' || b == '.' || b == ':'
}

// validName is a name of Namespaces in XML: at most one colon, with a part on
// each side. Letters outside ASCII are taken from the NameStartChar ranges.
func validName(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	prefix, local, found := strings.Cut(string(b), ":")
	if found {
		return validPart(prefix) && validPart(local)
	}
	return validPart(prefix)
}

func validPart(s string) bool {
	if s == "" {
		return false
	}
	for i, r := range s {
		if isNameStart(r) {
			continue
		}
		later := r == '-' || r == '.' || r >= '0' && r <= '9' || r == 0xB7 ||
			r >= 0x300 && r <= 0x36F || r >= 0x203F && r <= 0x2040
		if i == 0 || !later {
			return false
		}
	}
	return true
}

func isNameStart(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	for _, p := range nameStart {
		if r >= p[0] && r <= p[1] {
			return true
		}
	}
	return false
}

// nameStart is NameStartChar of XML 1.0 (fifth edition) without ASCII and the colon.
var nameStart = [][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D},
	{0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}

// resolveReference knows the five entities of XML and numeric references.
func resolveReference(ref string) (rune, bool) {
	switch ref {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, base := strings.CutPrefix(ref, "#")
	if !base || digits == "" || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	radix := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, radix = hex, 16
	}
	if strings.ContainsAny(digits, "_+-") {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, radix, 32)
	if err != nil || n > utf8.MaxRune || !isChar(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

// visible makes a fragment of hostile input fit for a message.
func visible(b []byte) string {
	const most = 40 // enough to recognise it
	if len(b) > most {
		b = b[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F || r == utf8.RuneError {
			return '?'
		}
		return r
	}, string(b))
}
