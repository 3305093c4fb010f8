package pdf

import (
	"bytes"
	"fmt"
)

// parser reads objects from a source within limits. One parser reads one indirect
// object: the count of items is for its lifetime.
type parser struct {
	src   *source
	lim   *Limits
	items int
	// passing leaves out the bytes of hexadecimal strings, which are checked all the same.
	passing bool
	// spans, when set, is told the bytes of each value of the outermost dictionary.
	spans func(key Name, start, end int64)
	// contents are the bytes of the value of /Contents in the outermost dictionary,
	// the last one where there are several; both zero without one.
	contents [2]int64
	// stack holds the elements of the arrays being read.
	stack []Object
}

// object reads one object at the cursor. It is malformed when there is none.
func (p *parser) object(depth int) (Object, error) {
	if depth > p.lim.Depth {
		return nil, exceeded("objects nested deeper than %d at %d", p.lim.Depth, p.src.offset())
	}
	if p.items++; p.items > p.lim.Items {
		return nil, exceeded("more than %d items in one object at %d", p.lim.Items, p.src.offset())
	}
	p.src.skipSpace()
	c, ok := p.src.peek()
	switch {
	case !ok:
		return nil, p.broken("object ends early")
	case c == '/':
		return p.name()
	case c == '(':
		return p.literalString()
	case c == '[':
		return p.array(depth)
	case c == '<':
		p.src.pos++
		if p.src.literal("<") {
			return p.dict(depth)
		}
		return p.hexString()
	case isDigit(c) || c == '+' || c == '-' || c == '.':
		return p.number()
	case isRegular(c):
		return p.keyword()
	}
	return nil, p.broken("unexpected %q", c)
}

func (p *parser) broken(format string, args ...any) error {
	if p.src.err != nil {
		return p.src.err
	}
	return malformed("%s at %d", fmt.Sprintf(format, args...), p.src.offset())
}

// word reads a run of regular characters. It is valid until the source is read on.
func (p *parser) word(limit int) ([]byte, error) {
	if _, ok := p.src.peek(); !ok {
		return nil, nil
	}
	rest := p.src.buf[p.src.pos:]
	for i, c := range rest {
		if !isRegular(c) {
			if i > limit {
				break
			}
			p.src.pos += i
			return rest[:i], nil
		}
	}
	return p.longWord(limit)
}

// longWord is word across windows, or too long.
func (p *parser) longWord(limit int) ([]byte, error) {
	var w []byte
	for {
		c, ok := p.src.peek()
		if !ok || !isRegular(c) {
			return w, nil
		}
		if len(w) == limit {
			return nil, exceeded("token longer than %d bytes at %d", limit, p.src.offset())
		}
		w = append(w, c)
		p.src.pos++
	}
}

func (p *parser) keyword() (Object, error) {
	at := p.src.offset()
	w, err := p.word(p.lim.NameLen)
	if err != nil {
		return nil, err
	}
	switch string(w) {
	case "true":
		return Bool(true), nil
	case "false":
		return Bool(false), nil
	case "null":
		return Null{}, nil
	}
	p.src.seek(at)
	return nil, p.broken("unexpected word %.20q", w)
}

// number reads a number, or the reference that it begins.
func (p *parser) number() (Object, error) {
	var room [24]byte
	w := room[:0]
	plain := true
	for p.src.pos < len(p.src.buf) && isDigit(p.src.buf[p.src.pos]) && len(w) < cap(w) && len(w) < p.lim.NameLen {
		w = append(w, p.src.buf[p.src.pos])
		p.src.pos++
	}
	for {
		c, ok := p.src.peek()
		if !ok || !isRegular(c) {
			break
		}
		if !isDigit(c) {
			if c != '+' && c != '-' && c != '.' {
				return nil, p.broken("number holds %q", c)
			}
			plain = false
		}
		if len(w) == p.lim.NameLen {
			return nil, exceeded("number longer than %d bytes at %d", p.lim.NameLen, p.src.offset())
		}
		w = append(w, c)
		p.src.pos++
	}
	if plain && len(w) <= 10 {
		if ref, ok := p.reference(w); ok {
			return ref, nil
		}
	}
	if plain && len(w) <= 3 && (w[0] != '0' || len(w) == 1) {
		n := 0
		for _, c := range w {
			n = n*10 + int(c-'0')
		}
		return smallNumbers[n], nil
	}
	return Number{string(w)}, nil
}

// smallNumbers are the numbers of up to three digits, of which files are full, so that
// they are not allocated again each time.
var smallNumbers = func() (list [1000]Object) {
	for n := range list {
		list[n] = Int(int64(n))
	}
	return list
}()

// reference looks past the integer w for the rest of "n g R" and takes it when it
// is there.
func (p *parser) reference(w []byte) (Ref, bool) {
	at := p.src.offset()
	p.src.skipSpace()
	if c, ok := p.src.peek(); !ok || !isDigit(c) {
		p.src.seek(at)
		return Ref{}, false
	}
	gen, ok := p.src.digits()
	if ok {
		p.src.skipSpace()
		if ok = p.src.literal("R"); ok {
			if c, more := p.src.peek(); more && isRegular(c) {
				ok = false
			}
		}
	}
	num := 0
	for _, c := range w {
		num = num*10 + int(c-'0')
	}
	if !ok || gen > maxGeneration {
		p.src.seek(at)
		return Ref{}, false
	}
	if num > maxNumber {
		// A reference to a number that no file has is a reference to null
		// (ISO 32000-2, 7.3.10); 0 is never in use.
		num = 0
	}
	return Ref{num, int(gen)}, true
}

func (p *parser) name() (Object, error) {
	w, err := p.nameBytes()
	if err != nil {
		return nil, err
	}
	if o, ok := frequent[string(w)]; ok {
		return o, nil
	}
	return Name(w), nil
}

// key is name for a dictionary's key.
func (p *parser) key() (Name, error) {
	w, err := p.nameBytes()
	if err != nil {
		return "", err
	}
	if o, ok := frequent[string(w)]; ok {
		name, _ := o.(Name)
		return name, nil
	}
	return Name(w), nil
}

// nameBytes reads a name, valid until the source is read on.
func (p *parser) nameBytes() ([]byte, error) {
	p.src.pos++ // the slash
	w, err := p.word(spelling * p.lim.NameLen)
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(w, '#') >= 0 {
		w = unescapeName(bytes.Clone(w))
	}
	if len(w) > p.lim.NameLen {
		return nil, exceeded("name longer than %d bytes at %d", p.lim.NameLen, p.src.offset())
	}
	return w, nil
}

// frequent are the names that nearly every object holds, so that they are not
// allocated again each time.
var frequent = func() map[string]Object {
	m := map[string]Object{}
	for _, n := range []Name{"Type", "Subtype", "Length", "Filter", "FlateDecode", "Pages", "Page", "Parent", "Kids", "Count", "MediaBox",
		"Resources", "Contents", "Annots", "Annot", "Widget", "Rect", "Catalog", "AcroForm", "Fields", "SigFlags", "FT", "Sig", "T", "V", "P", "F",
		"S", "K", "Font", "XObject", "Image", "Width", "Height", "Root", "Info", "ID", "Size", "Prev", "W", "Index", "N", "First", "ObjStm", "XRef",
		"ByteRange", "SubFilter", "M", "Name", "Location", "Reason", "DecodeParms", "DSS", "Certs", "OCSPs", "CRLs"} {
		m[string(n)] = n
	}
	return m
}()

// spelling is how many bytes one byte of a name takes at most, as #xx: a name that
// was read can be written in any spelling and read again.
const spelling = 3

// unescapeName undoes #xx (ISO 32000-2, 7.3.5) in place. A # without two digits,
// and #00, stay as they are.
func unescapeName(w []byte) []byte {
	n := 0
	for i := 0; i < len(w); i++ {
		c := w[i]
		if c == '#' && i+2 < len(w) {
			hi, lo := hexDigit(w[i+1]), hexDigit(w[i+2])
			if hi < 16 && lo < 16 && hi|lo != 0 {
				c = hi<<4 | lo
				i += 2
			}
		}
		w[n] = c
		n++
	}
	return w[:n]
}

func (p *parser) array(depth int) (Object, error) {
	p.src.pos++ // the bracket
	begin := len(p.stack)
	for {
		p.src.skipSpace()
		if p.src.literal("]") {
			// No room behind its end: appending to a shared one must copy it.
			a := make(Array, len(p.stack)-begin)
			copy(a, p.stack[begin:])
			p.stack = p.stack[:begin]
			return a, nil
		}
		o, err := p.object(depth + 1)
		if err != nil {
			return nil, err
		}
		p.stack = append(p.stack, o)
	}
}

// dict reads a dictionary after its opening brackets. Of a key that stands twice
// the last value is kept and the key is noted.
func (p *parser) dict(depth int) (Object, error) {
	spans := p.spans
	p.spans = nil
	d := &Dict{}
	for {
		p.src.skipSpace()
		if p.src.literal(">>") {
			return d, nil
		}
		c, ok := p.src.peek()
		if !ok || c != '/' {
			return nil, p.broken("dictionary key is not a name")
		}
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		p.src.skipSpace()
		start := p.src.offset()
		v, err := p.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if spans != nil {
			spans(key, start, p.src.offset())
		}
		if depth == 0 && key == "Contents" {
			p.contents = [2]int64{start, p.src.offset()}
		}
		if i := d.find(key); i >= 0 {
			d.dups = append(d.dups, key)
			d.values[i] = v
			continue
		}
		if d.keys == nil {
			d.keys, d.values = make([]Name, 0, firstKeys), make([]Object, 0, firstKeys)
		}
		d.add(key, v)
	}
}

// firstKeys is the room of a new dictionary: half of all need no more, and a
// hostile file of empty ones costs nothing.
const firstKeys = 4

// ParseObject reads the one object at the beginning of data, within the default
// limits, and returns it with the number of bytes it takes. References stay
// references.
func ParseObject(data []byte) (o Object, n int, err error) {
	lim := DefaultLimits()
	src := memorySource(data)
	p := parser{src: src, lim: &lim}
	if o, err = p.object(0); err != nil {
		return nil, 0, err
	}
	return o, int(src.offset()), nil
}
