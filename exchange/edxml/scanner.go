package edxml

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"antin/internal/text"
)

// bufferSize is one read of the source.
const bufferSize = 32 << 10

// scanner reads bytes of a message, counting lines and the bytes that belong to
// its structure. Everything above it asks it for the position of an error.
type scanner struct {
	src   io.Reader
	buf   []byte
	pos   int
	end   int
	base  int64 // offset of buf[0] in the source
	line  int
	eof   bool
	limit int64 // bytes of structure left
	token int   // tokens left
	// open holds the names of the open elements as written, outermost first.
	open []string
}

func newScanner(r io.Reader, l Limits) *scanner {
	return &scanner{src: r, buf: make([]byte, bufferSize), line: 1, limit: l.Structure, token: maxTokens}
}

func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

func (s *scanner) element() string {
	if len(s.open) == 0 {
		return ""
	}
	return s.open[len(s.open)-1]
}

func (s *scanner) malformed(key text.Key, args ...any) error {
	return malformedAt(s.line, s.element(), key, args...)
}

// fill makes at least n bytes available at pos, fewer only at the end of the source.
func (s *scanner) fill(n int) error {
	for s.end-s.pos < n && !s.eof {
		if s.pos > 0 {
			copy(s.buf, s.buf[s.pos:s.end])
			s.base += int64(s.pos)
			s.end -= s.pos
			s.pos = 0
		}
		m, err := s.src.Read(s.buf[s.end:])
		s.end += m
		switch {
		case errors.Is(err, io.EOF):
			s.eof = true
		case err != nil:
			return errRead(err)
		}
	}
	return nil
}

// peek returns the next byte; ok is false at the end of the source.
func (s *scanner) peek() (b byte, ok bool, err error) {
	if s.pos == s.end {
		if err := s.fill(1); err != nil || s.pos == s.end {
			return 0, false, err
		}
	}
	return s.buf[s.pos], true, nil
}

// next consumes one byte of structure; the end of the source is an error.
func (s *scanner) next() (byte, error) {
	b, ok, err := s.peek()
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, s.malformed(keyTruncated)
	}
	s.pos++
	if b == '\n' {
		s.line++
	}
	if s.limit--; s.limit < 0 {
		return 0, limitAt(s.line, s.element(), keyStructure)
	}
	return b, nil
}

// has reports whether the source goes on with lit, without consuming it.
func (s *scanner) has(lit string) (bool, error) {
	if err := s.fill(len(lit)); err != nil {
		return false, err
	}
	return s.end-s.pos >= len(lit) && string(s.buf[s.pos:s.pos+len(lit)]) == lit, nil
}

// accept consumes lit when the source goes on with it.
func (s *scanner) accept(lit string) (bool, error) {
	ok, err := s.has(lit)
	if !ok || err != nil {
		return false, err
	}
	for range len(lit) {
		if _, err := s.next(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// expect consumes lit or fails.
func (s *scanner) expect(lit string) error {
	ok, err := s.accept(lit)
	if err == nil && !ok {
		err = s.unexpected()
	}
	return err
}

func (s *scanner) unexpected() error {
	if _, ok, err := s.peek(); err != nil || !ok {
		if err != nil {
			return err
		}
		return s.malformed(keyTruncated)
	}
	return s.malformed(keySyntax)
}

// count charges one token.
func (s *scanner) count() error {
	if s.token--; s.token < 0 {
		return limitAt(s.line, s.element(), keyElements)
	}
	return nil
}

// space skips white space and reports whether there was any.
func (s *scanner) space() (bool, error) {
	any := false
	for {
		b, ok, err := s.peek()
		if err != nil || !ok || !isSpace(b) {
			return any, err
		}
		if _, err := s.next(); err != nil {
			return any, err
		}
		any = true
	}
}

// run consumes the buffered bytes that are not in stop and returns them, valid
// until the next call; nothing is an end, or a byte of stop.
func (s *scanner) run(stop string) ([]byte, error) {
	if _, ok, err := s.peek(); err != nil || !ok {
		return nil, err
	}
	n := bytes.IndexAny(s.buf[s.pos:s.end], stop)
	if n < 0 {
		n = s.end - s.pos
	}
	if s.limit -= int64(n); s.limit < 0 {
		return nil, limitAt(s.line, s.element(), keyStructure)
	}
	run := s.buf[s.pos : s.pos+n]
	s.line += bytes.Count(run, []byte{'\n'})
	s.pos += n
	return run, nil
}

// until consumes up to and including lit and returns what stood before it.
func (s *scanner) until(lit string) ([]byte, error) {
	var out []byte
	for {
		run, err := s.run(lit[:1])
		if err != nil {
			return nil, err
		}
		out = append(out, run...)
		ok, err := s.accept(lit)
		if err != nil {
			return nil, err
		}
		if ok {
			return out, s.checkText(out)
		}
		b, err := s.next()
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
}

// name reads a qualified name as written.
func (s *scanner) name() (string, error) {
	var out []byte
	for {
		b, ok, err := s.peek()
		if err != nil {
			return "", err
		}
		if !ok || !isNameByte(b) {
			break
		}
		if len(out) == maxName {
			return "", limitAt(s.line, s.element(), keyName, "…")
		}
		if _, err := s.next(); err != nil {
			return "", err
		}
		out = append(out, b)
	}
	if len(out) == 0 {
		return "", s.unexpected()
	}
	if !validName(out) {
		return "", s.malformed(keyName, visible(out))
	}
	return string(out), nil
}

// reference reads a character or entity reference; the ampersand is next.
func (s *scanner) reference() (rune, error) {
	if _, err := s.next(); err != nil {
		return 0, err
	}
	var ref []byte
	for {
		b, err := s.next()
		if err != nil {
			return 0, err
		}
		if b == ';' {
			break
		}
		if len(ref) == maxEntity || isSpace(b) || b == '<' || b == '&' {
			return 0, s.malformed(keyEntity, visible(ref))
		}
		ref = append(ref, b)
	}
	r, ok := resolveReference(string(ref))
	if !ok {
		return 0, s.malformed(keyEntity, visible(ref))
	}
	return r, nil
}

// checkText refuses bytes that are not UTF-8 or not characters of XML.
func (s *scanner) checkText(b []byte) error {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return s.malformed(keyEncoding)
		}
		if !isChar(r) {
			return s.malformed(keyCharacter, r)
		}
		i += n
	}
	return nil
}
