package attacktest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"antin/signer/cms"
)

// ranges is where the newest signature's /ByteRange stands in the file.
func (t *target) ranges() (from, to int, err error) {
	want := regexp.MustCompile(fmt.Sprintf(`/ByteRange\s*\[\s*%d\s+%d\s+%d\s+%d\s*\]`,
		t.sig.ByteRange[0], t.sig.ByteRange[1], t.sig.ByteRange[2], t.sig.ByteRange[3]))
	at := want.FindIndex(t.doc)
	if at == nil {
		return 0, 0, errNotHere
	}
	return at[0], at[1], nil
}

// rewrite puts text in the place of the /ByteRange, padded to its length; text that
// is longer may take the white space that signers leave behind it.
func (t *target) rewrite(text string) ([]byte, error) {
	from, to, err := t.ranges()
	if err != nil {
		return nil, err
	}
	for to < len(t.doc) && t.doc[to] == ' ' {
		to++
	}
	if len(text) > to-from {
		return nil, errNotHere
	}
	out := bytes.Clone(t.doc)
	copy(out[from:to], text+strings.Repeat(" ", to-from-len(text)))
	return out, nil
}

func (t *target) byteRange(a, b, c, d int64) string {
	return fmt.Sprintf("/ByteRange[%d %d %d %d]", a, b, c, d)
}

// forgeries take away what a signature is judged by.
func forgeries() []Attack {
	text := func(name, s string) Attack {
		return Attack{Name: name, Class: "forgery", make: func(t *target) ([]byte, error) { return t.rewrite(s) }}
	}
	ranges := func(name string, f func(r [4]int64) [4]int64) Attack {
		return Attack{Name: name, Class: "forgery", make: func(t *target) ([]byte, error) {
			r := f(t.sig.ByteRange)
			return t.rewrite(t.byteRange(r[0], r[1], r[2], r[3]))
		}}
	}
	contents := func(name string, f func(hex []byte)) Attack {
		return Attack{Name: name, Class: "forgery", make: func(t *target) ([]byte, error) {
			out := bytes.Clone(t.doc)
			f(out[t.sig.ContentsStart+1 : t.sig.ContentsEnd-1])
			return out, nil
		}}
	}
	return []Attack{
		text("ByteRange left out", ""), text("ByteRange null", "/ByteRange null"), text("ByteRange empty", "/ByteRange[]"),
		text("ByteRange a number", "/ByteRange 0"), text("ByteRange of one value", "/ByteRange[0]"),
		ranges("ByteRange all zero", func([4]int64) [4]int64 { return [4]int64{} }),
		ranges("ByteRange without the tail", func(r [4]int64) [4]int64 { return [4]int64{r[0], r[1], r[2], 0} }),
		ranges("ByteRange negative", func(r [4]int64) [4]int64 { return [4]int64{0, -r[1], r[2], r[3]} }),
		ranges("ByteRange not from the beginning", func(r [4]int64) [4]int64 { return [4]int64{1, r[1] - 1, r[2], r[3]} }),
		ranges("ByteRange of the gap alone", func(r [4]int64) [4]int64 { return [4]int64{0, r[1], r[1], r[2] - r[1] + r[3]} }),
		ranges("gap one byte wider", func(r [4]int64) [4]int64 { return [4]int64{0, r[1] - 1, r[2], r[3]} }),
		ranges("gap one byte narrower", func(r [4]int64) [4]int64 { return [4]int64{0, r[1] + 1, r[2], r[3]} }),
		ranges("tail one byte shorter", func(r [4]int64) [4]int64 { return [4]int64{0, r[1], r[2], r[3] - 1} }),
		contents("Contents all zero", func(hex []byte) { fill(hex, '0') }),
		contents("Contents blank", func(hex []byte) { fill(hex, ' ') }),
		contents("Contents no hexadecimal", func(hex []byte) { fill(hex, 'z') }),
		{Name: "signature value altered", Class: "forgery", make: func(t *target) ([]byte, error) {
			sd, err := cms.Parse(t.sig.Contents)
			if err != nil || len(sd.Signers) == 0 {
				return nil, errNotHere
			}
			at := bytes.Index(t.sig.Contents, sd.Signers[0].Signature)
			if at < 0 || 2*at+10 > int(t.sig.ContentsEnd-t.sig.ContentsStart) {
				return nil, errNotHere
			}
			out := bytes.Clone(t.doc)
			digit := &out[t.sig.ContentsStart+1+int64(2*(at+len(sd.Signers[0].Signature))-1)]
			if *digit = lower(*digit); *digit == '0' {
				*digit = '1'
			} else {
				*digit = '0'
			}
			return out, nil
		}},
		contents("CMS cut short", func(hex []byte) { fill(hex[len(hex)/4:], '0') }),
		{Name: "Contents under another name", Class: "forgery", make: func(t *target) ([]byte, error) {
			at := bytes.LastIndex(t.doc[:t.sig.ContentsStart], []byte("/Contents"))
			if at < 0 {
				return nil, errNotHere
			}
			out := bytes.Clone(t.doc)
			copy(out[at:], "/Contants")
			return out, nil
		}},
	}
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'F' {
		return b + 'a' - 'A'
	}
	return b
}

func fill(b []byte, with byte) {
	for i := range b {
		b[i] = with
	}
}

// wrappings move what was signed aside and put something else in its place.
func wrappings() []Attack {
	wrap := func(name, filling string) Attack {
		return Attack{Name: name, Class: "wrapping", make: func(t *target) ([]byte, error) {
			r := t.sig.ByteRange
			if r[2]+r[3] != int64(len(t.doc)) {
				return nil, errNotHere
			}
			moved := r[2] + int64(len(filling))
			out, err := t.rewrite(t.byteRange(0, r[1], moved, r[3]))
			if err != nil {
				return nil, err
			}
			tail := bytes.Clone(out[r[2]:])
			return append(append(out[:r[2]:r[2]], filling...), tail...), nil
		}}
	}
	return []Attack{
		wrap("tail moved behind white space", strings.Repeat(" ", 512)),
		wrap("tail moved behind an object", "\n9999 0 obj\n<</Evil true>>\nendobj\n"),
		wrap("tail moved behind a second end", "\nstartxref\n0\n%%EOF\n"),
	}
}

// structures break the one reading of the file.
func structures() []Attack {
	behind := func(name, s string) Attack {
		return Attack{Name: name, Class: "structure", make: func(t *target) ([]byte, error) {
			return append(bytes.Clone(t.doc), s...), nil
		}}
	}
	return []Attack{
		behind("markup behind the end", "\n<html><script>alert(1)</script></html>\n"),
		behind("an object behind the end", "\n1 0 obj\n<</Type/Catalog>>\nendobj\n"),
		behind("a second startxref that leads nowhere", "\nstartxref\n7\n%%EOF\n"),
		{Name: "a script before the header", Class: "structure", make: func(t *target) ([]byte, error) {
			return append([]byte("#!/bin/sh\nexit\n"), t.doc...), nil
		}},
		{Name: "an archive behind the end", Class: "structure", make: func(t *target) ([]byte, error) {
			return append(bytes.Clone(t.doc), "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00"...), nil
		}},
	}
}
