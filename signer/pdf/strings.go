package pdf

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
	v := []byte{}
	begin := p.src.offset()
	half, digits := byte(0), 0
	for {
		c, ok := p.src.next()
		if !ok {
			return nil, p.broken("hexadecimal string has no end")
		}
		if p.src.offset()-begin > p.lim.StringLen {
			return nil, exceeded("string longer than %d bytes at %d", p.lim.StringLen, begin)
		}
		if c == '>' {
			if digits%2 == 1 {
				v = append(v, half<<4)
			}
			return String{Value: v, Hex: true}, nil
		}
		if isSpace(c) {
			continue
		}
		d := hexDigit(c)
		if d > 15 {
			return nil, p.broken("hexadecimal string holds %q", c)
		}
		if digits%2 == 1 {
			v = append(v, half<<4|d)
		}
		half = d
		digits++
	}
}

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
