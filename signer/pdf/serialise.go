package pdf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"

	"antin/internal/text"
)

// Append appends the spelling of o to dst. Numbers keep their spelling,
// dictionaries their order, and the choice between direct and indirect values is
// kept. Of a stream only the dictionary is written: the bytes belong to Write. The
// nil Object is written as null.
func Append(dst []byte, o Object) []byte {
	e := encoder{dst: dst}
	e.object(o)
	return e.dst
}

// Write writes the spelling of o to w, with a stream's bytes. It reports an error
// of w, or of the file that the bytes come from.
func Write(w io.Writer, o Object) error {
	e := encoder{}
	if err := e.topLevel(o); err != nil {
		return err
	}
	_, err := w.Write(e.dst)
	return err
}

// encoder spells objects and notes where placeholders begin, counted from the
// first byte of dst.
type encoder struct {
	dst   []byte
	holes map[*Placeholder]int64
	err   error // the first of what a value cannot report itself
	// crypt encrypts the strings and streams of the object being written; nil does not.
	crypt *security
	ref   Ref // of that object
	nth   int // how many of them were encrypted
}

// encoderRoom is the room of a small update beside its placeholders, in bytes.
const encoderRoom = 4 << 10

// indirect writes "n g obj ... endobj" and a line feed.
func (e *encoder) indirect(ref Ref, o Object) error {
	e.dst = strconv.AppendInt(e.dst, int64(ref.Num), 10)
	e.dst = append(e.dst, ' ')
	e.dst = strconv.AppendInt(e.dst, int64(ref.Gen), 10)
	e.dst = append(e.dst, " obj\n"...)
	e.ref, e.nth = ref, 0
	if err := e.topLevel(o); err != nil {
		return fmt.Errorf("writing object %s: %w", ref, err)
	}
	e.dst = append(e.dst, "\nendobj\n"...)
	return nil
}

// topLevel writes an object that may be a stream.
func (e *encoder) topLevel(o Object) error {
	s, ok := o.(*Stream)
	if !ok {
		e.object(o)
		return nil
	}
	data, err := e.streamBytes(s)
	if err != nil {
		return err
	}
	dict := s.Dict.Clone()
	dict.Set("Length", Int(int64(len(data))))
	e.object(dict)
	e.dst = append(e.dst, "\nstream\n"...)
	e.dst = append(e.dst, data...)
	e.dst = append(e.dst, "\nendstream"...)
	return nil
}

// streamBytes returns the bytes of s as they are to be written.
func (e *encoder) streamBytes(s *Stream) ([]byte, error) {
	data := s.data
	if s.r != nil {
		var b bytes.Buffer
		if _, err := io.Copy(&b, s.raw()); err != nil {
			return nil, unreadable(err)
		}
		data = b.Bytes()
	}
	if e.crypt == nil {
		return data, nil
	}
	return e.encrypt(e.crypt.streamMethod(s.Dict), data)
}

func (e *encoder) encrypt(m method, plain []byte) ([]byte, error) {
	data, err := e.crypt.encrypt(m, e.ref, e.nth, plain)
	e.nth++
	return data, err
}

func (e *encoder) object(o Object) {
	switch o := o.(type) {
	case nil, Null:
		e.dst = append(e.dst, "null"...)
	case Bool:
		e.dst = strconv.AppendBool(e.dst, bool(o))
	case Number:
		e.dst = append(e.dst, o.String()...)
	case String:
		e.str(o)
	case Name:
		e.name(o)
	case Ref:
		e.dst = fmt.Appendf(e.dst, "%d %d R", o.Num, o.Gen)
	case Array:
		e.array(o)
	case *Dict:
		e.dict(o)
	case *Stream:
		e.dict(o.Dict)
	case *Placeholder:
		e.hole(o)
	}
}

func (e *encoder) array(a Array) {
	e.dst = append(e.dst, '[')
	for i, o := range a {
		if i > 0 {
			e.dst = append(e.dst, ' ')
		}
		e.object(o)
	}
	e.dst = append(e.dst, ']')
}

func (e *encoder) dict(d *Dict) {
	e.dst = append(e.dst, "<<"...)
	if d != nil {
		for i, k := range d.keys {
			if i > 0 {
				e.dst = append(e.dst, ' ')
			}
			e.name(k)
			e.dst = append(e.dst, ' ')
			if k == "Contents" && e.crypt != nil && holdsSignature(d) {
				e.plain(d.values[i])
				continue
			}
			e.object(d.values[i])
		}
	}
	e.dst = append(e.dst, ">>"...)
}

func (e *encoder) name(n Name) {
	e.dst = append(e.dst, '/')
	for i := range len(n) {
		c := n[i]
		switch {
		case c == 0:
			// A name cannot hold zero (ISO 32000-2, 7.3.5): leave it out.
		case c <= ' ' || c >= 0x7f || c == '#' || !isRegular(c):
			const digits = "0123456789ABCDEF"
			e.dst = append(e.dst, '#', digits[c>>4], digits[c&15])
		default:
			e.dst = append(e.dst, c)
		}
	}
}

// plain writes o without encryption.
func (e *encoder) plain(o Object) {
	crypt := e.crypt
	e.crypt = nil
	e.object(o)
	e.crypt = crypt
}

func (e *encoder) str(s String) {
	if e.crypt != nil {
		var err error
		if s.Value, err = e.encrypt(e.crypt.stringMethod(), s.Value); err != nil && e.err == nil {
			e.err = err
		}
	}
	if s.Hex {
		e.dst = append(e.dst, '<')
		for _, c := range s.Value {
			const digits = "0123456789abcdef"
			e.dst = append(e.dst, digits[c>>4], digits[c&15])
		}
		e.dst = append(e.dst, '>')
		return
	}
	e.dst = append(e.dst, '(')
	for _, c := range s.Value {
		switch c {
		case '(', ')', '\\':
			e.dst = append(e.dst, '\\', c)
		case '\r': // a bare one would read back as a line feed
			e.dst = append(e.dst, '\\', 'r')
		case '\n':
			e.dst = append(e.dst, '\\', 'n')
		default:
			e.dst = append(e.dst, c)
		}
	}
	e.dst = append(e.dst, ')')
}

func (e *encoder) hole(p *Placeholder) {
	if e.holes == nil {
		e.holes = map[*Placeholder]int64{}
	}
	if _, ok := e.holes[p]; ok {
		e.err = text.Errorf(text.Internal, errors.New("a placeholder stands twice"))
	}
	e.holes[p] = int64(len(e.dst))
	e.dst = append(e.dst, p.Prefix...)
	at := len(e.dst)
	// Room for what follows as well: the update is built in one piece.
	e.dst = slices.Grow(e.dst, max(p.Size, 0)+len(p.Suffix)+encoderRoom)[:at+max(p.Size, 0)]
	fill(e.dst[at:], p.Fill)
	e.dst = append(e.dst, p.Suffix...)
}

// unfilled writes what is spelled to h but for the insides of placeholders, which say
// nothing yet.
func (e *encoder) unfilled(h hash.Hash) {
	type hole struct{ from, to int64 }
	holes := make([]hole, 0, len(e.holes))
	for p, at := range e.holes {
		holes = append(holes, hole{at + int64(len(p.Prefix)), at + int64(p.Len()-len(p.Suffix))})
	}
	slices.SortFunc(holes, func(a, b hole) int { return cmp.Compare(a.from, b.from) })
	at := int64(0)
	for _, o := range holes {
		_, _ = h.Write(e.dst[at:o.from]) // a hash takes everything
		at = o.to
	}
	_, _ = h.Write(e.dst[at:])
}

// fill makes every byte of b c.
func fill(b []byte, c byte) {
	if len(b) == 0 {
		return
	}
	b[0] = c
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}
