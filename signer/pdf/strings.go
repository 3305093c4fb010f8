package pdf

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// literalString reads a string in parentheses (ISO 32000-2, 7.3.4.2).
func (p *parser) literalString() (Object, error) {
	p.src.pos++ // the parenthesis
	v := []byte{}
	begin := p.src.offset()
	for open := 1; ; {
		c, ok := p.src.next()
		if !ok {
			return nil, p.broken("string has no end")
		}
		if p.src.offset()-begin > p.lim.StringLen {
			return nil, exceeded("string longer than %d bytes at %d", p.lim.StringLen, begin)
		}
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return String{Value: v}, nil
			}
		case '\r':
			if n, more := p.src.peek(); more && n == '\n' {
				p.src.pos++
			}
			c = '\n' // any end-of-line marker reads as a line feed
		case '\\':
			if c, ok = p.escape(); !ok {
				continue
			}
		}
		v = append(v, c)
	}
}

// escape reads what follows a backslash; ok is false when it stands for nothing.
func (p *parser) escape() (c byte, ok bool) {
	c, ok = p.src.next()
	if !ok {
		return 0, false
	}
	switch c {
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case '\n':
		return 0, false
	case '\r':
		if n, more := p.src.peek(); more && n == '\n' {
			p.src.pos++
		}
		return 0, false
	}
	if c < '0' || c > '7' {
		return c, true
	}
	v := int(c - '0')
	for range 2 {
		d, more := p.src.peek()
		if !more || d < '0' || d > '7' {
			break
		}
		v = v*8 + int(d-'0')
		p.src.pos++
	}
	return byte(v & 0xff), true // high-order overflow is ignored, says the clause
}

// hexString reads a string in angle brackets after the opening one
// (ISO 32000-2, 7.3.4.3).
func (p *parser) hexString() (Object, error) {
	var v []byte
	begin := p.src.offset()
	half, odd := byte(0), false
	for {
		if _, ok := p.src.peek(); !ok {
			return nil, p.broken("hexadecimal string has no end")
		}
		window := p.src.buf[p.src.pos:]
		if !p.passing {
			v = slices.Grow(v, hexRoom(window))
		}
		if left := p.lim.StringLen - (p.src.offset() - begin); left < int64(len(window)) {
			window = window[:max(left, 0)]
		}
		if len(window) == 0 {
			return nil, exceeded("string longer than %d bytes at %d", p.lim.StringLen, begin)
		}
		i := 0
		switch {
		case odd:
		case p.passing:
			for i+1 < len(window) && hexValues[window[i]]|hexValues[window[i+1]] < 16 {
				i += 2
			}
		default: // nearly always the whole of it
			var n int
			n, i = hexPairs(v[len(v):cap(v)], window)
			v = v[:len(v)+n]
		}
		for ; i < len(window); i++ {
			c := window[i]
			d := hexValues[c]
			switch {
			case d < 16 && odd:
				v, odd = append(v, half<<4|d), false
			case d < 16:
				half, odd = d, true
			case c == '>':
				p.src.pos += i + 1
				if odd {
					v = append(v, half<<4)
				}
				return String{Value: v, Hex: true}, nil
			case !isSpace(c):
				p.src.pos += i + 1
				return nil, p.broken("hexadecimal string holds %q", c)
			}
		}
		p.src.pos += len(window)
	}
}

// zeros8 is the text "00000000".
const zeros8 = 0x3030303030303030

// hexPairs reads pairs of digits from the front of window into room, until either
// ends or something else stands there, and returns how much of both that took.
func hexPairs(room, window []byte) (n, passed int) {
	for len(room)-n >= 4 && len(window)-passed >= 8 { // four pairs at once
		w, into := (*[8]byte)(window[passed:]), (*[4]byte)(room[n:])
		if binary.LittleEndian.Uint64(w[:]) == zeros8 { // the padding of signatures is thousands of them
			*into = [4]byte{}
			n, passed = n+4, passed+8
			continue
		}
		var v [8]byte
		for i := range v {
			v[i] = hexValues[w[i]]
		}
		if v[0]|v[1]|v[2]|v[3]|v[4]|v[5]|v[6]|v[7] > 15 {
			break
		}
		*into = [4]byte{v[0]<<4 | v[1], v[2]<<4 | v[3], v[4]<<4 | v[5], v[6]<<4 | v[7]}
		n, passed = n+4, passed+8
	}
	for ; n < len(room) && passed+1 < len(window); n, passed = n+1, passed+2 {
		hi, lo := hexValues[window[passed]], hexValues[window[passed+1]]
		if hi|lo > 15 {
			break
		}
		room[n] = hi<<4 | lo
	}
	return n, passed
}

// hexRoom is how many bytes the digits in window may stand for.
func hexRoom(window []byte) int {
	if i := bytes.IndexByte(window, '>'); i >= 0 {
		window = window[:i]
	}
	return len(window)/2 + 1
}

// hexValues are the values of hexadecimal digits, 255 for any other byte.
var hexValues = func() (t [256]byte) {
	for c := range t {
		t[c] = hexDigit(byte(c))
	}
	return t
}()

// hexDigit returns the value of a hexadecimal digit, 255 for any other byte.
func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
