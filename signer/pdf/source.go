package pdf

import (
	"bytes"
	"errors"
	"io"
)

const (
	// firstWindow is the first read of an object: most objects are shorter.
	firstWindow = 1 << 10
	// lastWindow is where the doubling of reads stops.
	lastWindow = 64 << 10
)

// source is a cursor over a range of a file, or over bytes in memory, that reads
// ahead in growing windows. A read error ends the range and is kept in err.
type source struct {
	r     io.ReaderAt // nil when everything is in buf
	buf   []byte
	start int64 // file offset of buf[0]
	pos   int
	end   int64 // offset past the last byte of the range
	ahead int64 // length of the newest window
	err   error
}

// newSource returns a cursor at off over r's bytes up to end.
func newSource(r io.ReaderAt, off, end int64) *source {
	return &source{r: r, start: off, end: end}
}

// open is newSource with the window of a source that was closed.
func (b *body) open(off, end int64) *source {
	src, ok := b.idle.Get().(*source)
	if !ok {
		return newSource(b.r, off, end)
	}
	*src = source{r: b.r, buf: src.buf[:0], start: off, end: end}
	return src
}

// close gives the window of src back. Nothing that was read points into it: the
// parser copies what it keeps.
func (b *body) close(src *source) { b.idle.Put(src) }

// memorySource returns a cursor over b, whose offsets count from zero.
func memorySource(b []byte) *source {
	return &source{buf: b, end: int64(len(b))}
}

func (s *source) offset() int64 { return s.start + int64(s.pos) }

// fill makes at least one byte available at pos and reports whether it could.
func (s *source) fill() bool {
	if s.pos < len(s.buf) {
		return true
	}
	at := s.offset()
	if s.r == nil || s.err != nil || at >= s.end {
		return false
	}
	want := min(max(2*s.ahead, firstWindow), lastWindow)
	if int64(cap(s.buf)) < want {
		s.buf = make([]byte, want)
	}
	s.ahead = want
	s.buf = s.buf[:min(want, s.end-at)]
	n, err := s.r.ReadAt(s.buf, at)
	s.buf, s.start, s.pos = s.buf[:n], at, 0
	if n == 0 {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		s.err = unreadable(err)
	}
	return n > 0
}

func (s *source) peek() (byte, bool) {
	if s.pos >= len(s.buf) && !s.fill() {
		return 0, false
	}
	return s.buf[s.pos], true
}

func (s *source) next() (byte, bool) {
	c, ok := s.peek()
	if ok {
		s.pos++
	}
	return c, ok
}

// seek moves the cursor to off, which may lie anywhere in the range.
func (s *source) seek(off int64) {
	if off >= s.start && off <= s.start+int64(len(s.buf)) {
		s.pos = int(off - s.start)
		return
	}
	s.buf, s.start, s.pos = s.buf[:0], off, 0
}

// skipSpace passes white space and comments (ISO 32000-2, 7.2.3 and 7.2.4).
func (s *source) skipSpace() {
	for {
		for s.pos < len(s.buf) && isSpace(s.buf[s.pos]) {
			s.pos++
		}
		c, ok := s.peek()
		switch {
		case !ok:
			return
		case isSpace(c):
			s.pos++
		case c == '%':
			s.skipLine()
		default:
			return
		}
	}
}

// skipBlank passes white space but no comment.
func (s *source) skipBlank() {
	for c, ok := s.peek(); ok && isSpace(c); c, ok = s.peek() {
		s.pos++
	}
}

func (s *source) skipLine() {
	for {
		c, ok := s.peek()
		if !ok || c == '\n' || c == '\r' {
			return
		}
		s.pos++
	}
}

// skipEOL passes one end-of-line marker: LF, CR LF or CR.
func (s *source) skipEOL() {
	c, ok := s.peek()
	if ok && c == '\r' {
		s.pos++
		c, ok = s.peek()
	}
	if ok && c == '\n' {
		s.pos++
	}
}

// literal passes word when it stands at the cursor.
func (s *source) literal(word string) bool {
	if len(word) <= len(s.buf)-s.pos { // nearly always
		if string(s.buf[s.pos:s.pos+len(word)]) != word {
			return false
		}
		s.pos += len(word)
		return true
	}
	at := s.offset()
	for i := range len(word) {
		if c, ok := s.next(); !ok || c != word[i] {
			s.seek(at)
			return false
		}
	}
	return true
}

// digits reads a run of at most 19 decimal digits; ok is false when there is none
// or the number is too large.
func (s *source) digits() (v int64, ok bool) {
	for n := 0; ; n++ {
		c, more := s.peek()
		if !more || c < '0' || c > '9' {
			return v, n > 0
		}
		if v > (1<<62)/10 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
		s.pos++
	}
}

const (
	classRegular = iota
	classSpace
	classDelimiter
)

var classes = func() (t [256]byte) {
	for _, c := range []byte("\x00\t\n\f\r ") {
		t[c] = classSpace
	}
	for _, c := range []byte("()<>[]{}/%") {
		t[c] = classDelimiter
	}
	return t
}()

func isSpace(c byte) bool   { return classes[c] == classSpace }
func isRegular(c byte) bool { return classes[c] == classRegular }
func isDigit(c byte) bool   { return c >= '0' && c <= '9' }

// lastIndex returns the offset of the last word in [from, end) of r, -1 when there
// is none. It reads the range once, backwards, in windows.
func lastIndex(r io.ReaderAt, word string, from, end int64) (int64, error) {
	for window := int64(2 * firstWindow); end > from; window = lastWindow {
		at := max(from, end-window)
		b := make([]byte, end-at)
		if err := readFull(r, b, at); err != nil {
			return -1, err
		}
		if i := bytes.LastIndex(b, []byte(word)); i >= 0 {
			return at + int64(i), nil
		}
		if at == from {
			break
		}
		end = at + int64(len(word)) - 1
	}
	return -1, nil
}
