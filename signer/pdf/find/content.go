package find

import (
	"bytes"

	"antin/signer/pdf"
)

// maxOperands bounds the operands before one operator; none takes more than 33.
const maxOperands = 64

// scanner reads a content stream: operands, then the operator that takes them.
type scanner struct {
	data     []byte
	operands []pdf.Object
	images   int // inline images passed
}

// next returns the next operator, its operands in s.operands; "" at the end, or
// where what follows cannot be read.
func (s *scanner) next() string {
	s.operands = s.operands[:0]
	for {
		s.skip()
		if len(s.data) == 0 {
			return ""
		}
		if c := s.data[0]; isOperator(c) {
			word := s.word()
			switch word {
			case "true", "false", "null":
				s.operands = append(s.operands, pdf.Null{})
				continue
			case "BI":
				s.skipImage()
				s.images++
				s.operands = s.operands[:0]
				continue
			}
			return word
		}
		o, n, err := pdf.ParseObject(s.data)
		if err != nil || n <= 0 {
			return ""
		}
		s.data = s.data[n:]
		if len(s.operands) < maxOperands {
			s.operands = append(s.operands, o)
		}
	}
}

func isOperator(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '\'' || c == '"'
}

func (s *scanner) word() string {
	n := 1
	for n < len(s.data) && (isOperator(s.data[n]) || s.data[n] == '*' || s.data[n] >= '0' && s.data[n] <= '9') {
		n++
	}
	word := string(s.data[:n])
	s.data = s.data[n:]
	return word
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 0 }

// skip passes white space, comments, and closing brackets that belong to nothing.
func (s *scanner) skip() {
	for len(s.data) > 0 {
		switch c := s.data[0]; {
		case c == '%':
			n := bytes.IndexAny(s.data, "\r\n")
			if n < 0 {
				n = len(s.data)
			}
			s.data = s.data[n:]
		case isSpace(c), c == ')', c == ']', c == '}', c == '{', c == '>':
			s.data = s.data[1:]
		default:
			return
		}
	}
}

// skipImage passes an inline image: its data end at an EI between white space
// (ISO 32000-2, 8.9.7).
func (s *scanner) skipImage() {
	for {
		n := bytes.Index(s.data, []byte("EI"))
		if n < 0 {
			s.data = nil
			return
		}
		before := n > 0 && isSpace(s.data[n-1])
		after := n+2 == len(s.data) || isSpace(s.data[n+2])
		s.data = s.data[n+2:]
		if before && after {
			return
		}
	}
}

func (s *scanner) number(i int) float64 {
	if i >= len(s.operands) {
		return 0
	}
	n, _ := s.operands[i].(pdf.Number)
	return n.Float64()
}

func (s *scanner) name(i int) pdf.Name {
	if i >= len(s.operands) {
		return ""
	}
	n, _ := s.operands[i].(pdf.Name)
	return n
}

func (s *scanner) matrix() matrix {
	var m matrix
	for i := range m {
		m[i] = s.number(i)
	}
	return m
}
