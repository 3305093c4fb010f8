package find

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"

	"antin/signer/pdf"
)

const (
	// maxCMap bounds a ToUnicode program, in bytes; one of all 65,536 codes has one megabyte.
	maxCMap = 4 << 20
	// maxMapped bounds the codes that one program maps.
	maxMapped = 1 << 16
)

// readCMap reads the bfchar and bfrange sections of a ToUnicode program (ISO
// 32000-2, 9.10.3).
func readCMap(data []byte) map[int]string {
	m := map[int]string{}
	s := &scanner{data: data}
	for {
		op := s.next()
		switch op {
		case "":
			return m
		case "beginbfchar", "beginbfrange":
			// What follows are operands of the end, of which a scanner keeps a few only:
			// they are taken as they come.
			s.section(m, op == "beginbfrange")
		}
		if len(m) > maxMapped {
			return m
		}
	}
}

// section reads the entries of one section up to its end.
func (s *scanner) section(m map[int]string, ranges bool) {
	for len(m) <= maxMapped {
		s.skip()
		if len(s.data) == 0 || isOperator(s.data[0]) {
			return
		}
		from, ok := s.object().(pdf.String)
		if !ok {
			return
		}
		to := from
		if ranges {
			if to, ok = s.object().(pdf.String); !ok {
				return
			}
		}
		s.mapTo(m, codeOf(from.Value), codeOf(to.Value), s.object())
	}
}

// mapTo maps the codes first to last: to texts of a list, or to a text whose last
// unit counts up.
func (s *scanner) mapTo(m map[int]string, first, last int, target pdf.Object) {
	if last-first > maxCID {
		return
	}
	switch v := target.(type) {
	case pdf.Array:
		for i, e := range v[:min(len(v), max(0, last-first+1))] {
			if t, ok := e.(pdf.String); ok {
				m[first+i] = utf16Text(t.Value, 0)
			}
		}
	case pdf.String:
		for c := first; c <= last && len(m) <= maxMapped; c++ {
			m[c] = utf16Text(v.Value, c-first)
		}
	}
}

func (s *scanner) object() pdf.Object {
	s.skip()
	o, n, err := pdf.ParseObject(s.data)
	if err != nil || n <= 0 {
		s.data = nil
		return nil
	}
	s.data = s.data[n:]
	return o
}

func codeOf(b []byte) int {
	c := 0
	for _, x := range b[:min(len(b), 4)] {
		c = c<<8 | int(x)
	}
	return c
}

// utf16Text decodes UTF-16BE with add added to the last unit.
func utf16Text(b []byte, add int) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	if len(units) == 0 {
		return unknown
	}
	units[len(units)-1] += uint16(add) // wraps, as the program's own arithmetic does
	return norm.NFC.String(string(utf16.Decode(units)))
}

// accents are the marks that glyph names are made of, in the order in which the
// longer of two that begin alike comes first.
var accents = []struct{ name, mark string }{
	{"circumflex", "\u0302"}, {"dieresis", "\u0308"}, {"dotaccent", "\u0307"}, {"dotbelow", "\u0323"}, {"hookabove", "\u0309"},
	{"hungarumlaut", "\u030B"}, {"acute", "\u0301"}, {"grave", "\u0300"}, {"tilde", "\u0303"}, {"breve", "\u0306"},
	{"caron", "\u030C"}, {"cedilla", "\u0327"}, {"macron", "\u0304"}, {"ogonek", "\u0328"}, {"ring", "\u030A"}, {"horn", "\u031B"},
}

// named are the glyph names of signs and digits, as fonts use them.
var named = map[string]string{
	"space": " ", "nbspace": " ", "exclam": "!", "quotedbl": "\"", "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&",
	"quotesingle": "'", "parenleft": "(", "parenright": ")", "asterisk": "*", "plus": "+", "comma": ",", "hyphen": "-", "minus": "−",
	"period": ".", "slash": "/", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
	"seven": "7", "eight": "8", "nine": "9", "colon": ":", "semicolon": ";", "less": "<", "equal": "=", "greater": ">",
	"question": "?", "at": "@", "bracketleft": "[", "backslash": "\\", "bracketright": "]", "underscore": "_", "braceleft": "{",
	"bar": "|", "braceright": "}", "quoteleft": "‘", "quoteright": "’", "quotedblleft": "“", "quotedblright": "”", "endash": "–",
	"emdash": "—", "bullet": "•", "ellipsis": "…", "degree": "°", "section": "§", "paragraph": "¶", "copyright": "©",
	"dcroat": "đ", "Dcroat": "Đ", "eth": "ð", "Eth": "Ð", "oslash": "ø", "Oslash": "Ø", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ",
	"germandbls": "ß", "dotlessi": "ı", "lslash": "ł", "Lslash": "Ł", "thorn": "þ", "Thorn": "Þ", "fi": "fi", "fl": "fl", "Euro": "€",
}

// glyphText is what a glyph name means: a letter with its marks, a sign, or a code
// spelled out ("uni1EA4", "u1EA4").
func glyphText(name string) string {
	name, _, _ = strings.Cut(name, ".") // "a.sc" is an "a"
	if s, ok := named[name]; ok {
		return s
	}
	if hex, ok := strings.CutPrefix(name, "uni"); ok && len(hex) >= 4 {
		return hexRune(hex[:4])
	}
	if hex, ok := strings.CutPrefix(name, "u"); ok && len(hex) >= 4 && len(hex) <= 6 {
		return hexRune(hex)
	}
	if name == "" || !isOperator(name[0]) { // a letter, as operators begin with
		return unknown
	}
	letter, rest := name[:1], name[1:]
	for rest != "" {
		before := rest
		for _, a := range accents {
			if tail, ok := strings.CutPrefix(rest, a.name); ok {
				letter, rest = letter+a.mark, tail
				break
			}
		}
		if rest == before {
			return unknown
		}
	}
	return norm.NFC.String(letter)
}

func hexRune(hex string) string {
	n, err := strconv.ParseUint(hex, 16, 21)
	if err != nil {
		return unknown
	}
	return string(rune(n))
}
