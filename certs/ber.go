package certs

import (
	"bytes"
	"math/bits"
	"slices"
)

const (
	// maxBERDepth bounds nesting in bytes that are not DER: a certificate needs 12.
	maxBERDepth = 32
	// maxBERElements bounds their elements, which bounds time: a CRL of
	// 400,000 entries has as many.
	maxBERElements = 2 << 20
)

// toDER rewrites the elements in data in DER as far as it changes how they are
// parsed: lengths definite and shortest, strings in one piece, integers without
// padding, TRUE as 0xff. ok is false for what is no BER within the limits. data is
// not changed, and returned as it is when it was DER already.
func toDER(data []byte) (der []byte, ok bool) {
	w := &derWriter{left: maxBERElements}
	if !w.all(data, 0) {
		return nil, false
	}
	if bytes.Equal(w.out, data) {
		return data, true
	}
	return w.out, true
}

type derWriter struct {
	out  []byte
	left int // elements that may still be read
}

// berHeader is an element's identifier and length.
type berHeader struct {
	tag        byte
	size       int // of the header itself
	length     int // of the content; not set when indefinite
	indefinite bool
}

const berConstructed = 0x20

// readBERHeader reads the header at the start of in. Tag numbers above 30, which
// none of our formats has, are not read.
func readBERHeader(in []byte) (h berHeader, ok bool) {
	if len(in) < 2 || in[0]&0x1f == 0x1f {
		return h, false
	}
	h.tag, h.size = in[0], 2
	switch first := in[1]; {
	case first < 0x80:
		h.length = int(first)
	case first == 0x80:
		h.indefinite = true
		return h, h.tag&berConstructed != 0
	default:
		n := int(first & 0x7f)
		if len(in) < 2+n {
			return h, false
		}
		for _, b := range in[2 : 2+n] {
			if h.length >= 1<<31 {
				return h, false
			}
			h.length = h.length<<8 | int(b)
		}
		h.size += n
	}
	return h, h.length <= len(in)-h.size
}

// all writes every element of in, which must end with the last of them.
func (w *derWriter) all(in []byte, depth int) bool {
	for len(in) > 0 {
		rest, ok := w.element(in, depth)
		if !ok {
			return false
		}
		in = rest
	}
	return true
}

// element writes the first element of in and returns what is behind it.
func (w *derWriter) element(in []byte, depth int) (rest []byte, ok bool) {
	h, ok := readBERHeader(in)
	if w.left--; !ok || w.left < 0 || depth > maxBERDepth {
		return nil, false
	}
	start := len(w.out)
	tag := h.tag
	write := func(in []byte) ([]byte, bool) { return w.element(in, depth+1) }
	if joined(h.tag) {
		tag &^= berConstructed
		if tag == tagBitString {
			w.out = append(w.out, 0) // the count of unused bits, which the last piece sets
		}
		write = func(in []byte) ([]byte, bool) { return w.segment(in, tag, start, depth+1) }
	}
	if rest, ok = w.content(in, h, write); !ok {
		return nil, false
	}
	if tag&berConstructed == 0 {
		w.out = append(w.out[:start], shortest(tag, w.out[start:])...)
	}
	var header [6]byte
	w.out = slices.Insert(w.out, start, lengthHeader(header[:0], tag, len(w.out)-start)...)
	return rest, true
}

// content writes what h announces: bytes as they are, or elements by write.
func (w *derWriter) content(in []byte, h berHeader, write func([]byte) ([]byte, bool)) (rest []byte, ok bool) {
	body := in[h.size:]
	if h.indefinite {
		for {
			if len(body) >= 2 && body[0] == 0 && body[1] == 0 {
				return body[2:], true
			}
			if body, ok = write(body); !ok {
				return nil, false
			}
		}
	}
	body, rest = body[:h.length], body[h.length:]
	if h.tag&berConstructed == 0 {
		w.out = append(w.out, body...)
		return rest, true
	}
	for len(body) > 0 {
		if body, ok = write(body); !ok {
			return nil, false
		}
	}
	return rest, true
}

const tagBitString = 3

// joined reports whether tag is that of a string in pieces.
func joined(tag byte) bool {
	return tag&0xc0 == 0 && tag&berConstructed != 0 && tag != 0x30 && tag != 0x31
}

// segment appends the content of one piece of a string of that tag, which began at
// start; pieces of BIT STRINGs begin with their unused bits, 0 but in the last.
func (w *derWriter) segment(in []byte, tag byte, start, depth int) (rest []byte, ok bool) {
	h, ok := readBERHeader(in)
	if w.left--; !ok || w.left < 0 || depth > maxBERDepth || h.tag&^berConstructed != tag {
		return nil, false
	}
	before := len(w.out)
	rest, ok = w.content(in, h, func(in []byte) ([]byte, bool) { return w.segment(in, tag, start, depth+1) })
	if ok && tag == tagBitString && h.tag == tagBitString {
		if before == len(w.out) || w.out[start] != 0 {
			return nil, false
		}
		w.out[start] = w.out[before]
		w.out = slices.Delete(w.out, before, before+1)
	}
	return rest, ok
}

// shortest is the DER content of a primitive element.
func shortest(tag byte, content []byte) []byte {
	switch tag {
	case 1: // BOOLEAN
		if len(content) == 1 && content[0] != 0 {
			return []byte{0xff}
		}
	case 2, 10: // INTEGER, ENUMERATED
		return trimInteger(content)
	}
	return content
}

// trimInteger cuts the octets that DER leaves out of an integer.
func trimInteger(b []byte) []byte {
	for len(b) > 1 && !minimal(b) {
		b = b[1:]
	}
	return b
}

// lengthHeader appends tag with a length in its shortest form.
func lengthHeader(to []byte, tag byte, n int) []byte {
	if n < 0x80 {
		return append(to, tag, byte(n))
	}
	size := (bits.Len(uint(n)) + 7) / 8
	to = append(to, tag, 0x80|byte(size))
	for i := size - 1; i >= 0; i-- {
		to = append(to, byte(n>>(8*i)))
	}
	return to
}

// firstInside is the first element inside the element that data begins with, as it
// was received: what a signer hashed who does not write DER.
func firstInside(data []byte) []byte {
	outer, ok := readBERHeader(data)
	if !ok {
		return nil
	}
	in := data[outer.size:]
	h, ok := readBERHeader(in)
	if !ok {
		return nil
	}
	if !h.indefinite {
		return in[:h.size+h.length]
	}
	w := &derWriter{left: maxBERElements}
	rest, ok := w.element(in, 0)
	if !ok {
		return nil
	}
	return in[:len(in)-len(rest)]
}

// asReceived is the first element inside raw where raw is not in DER, else nil.
func asReceived(ber bool, raw []byte) []byte {
	if !ber {
		return nil
	}
	return firstInside(raw)
}

// verifySigned verifies sig over tbs, and where that fails over received, when
// there is such: signatures cover DER by RFC 5280, 4.1.1.3, but who does not write
// DER may have signed what it wrote.
func (c *Certificate) verifySigned(alg AlgorithmIdentifier, tbs, received, sig []byte) error {
	err := c.VerifySignature(alg, tbs, sig)
	if err != nil && received != nil && !isAlgorithm(err) {
		return c.VerifySignature(alg, received, sig)
	}
	return err
}
