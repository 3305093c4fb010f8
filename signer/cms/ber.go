package cms

import "fmt"

// Limits of the decoder. They bound what hostile bytes can cost; honest
// signatures stay far below all of them.
const (
	// maxSize bounds the input in bytes; signatures with CRLs inside reach some tens of MB.
	maxSize = 64 << 20
	// maxElements bounds the elements read, which bounds time; a 64 MiB content
	// streamed in chunks of 1 kB needs half of it.
	maxElements = 1 << 18
	// maxIndefinite bounds the elements of indefinite length, each of which takes
	// memory to remember; signers that stream write some 10.
	maxIndefinite = 4096
	// maxDepth bounds nesting, of which SignedData itself needs 12.
	maxDepth = 64
	// maxSegmentDepth bounds constructed strings inside constructed strings.
	maxSegmentDepth = 8
	// maxInteger bounds an INTEGER in bytes; serial numbers have at most 20.
	maxInteger = 256
)

// Universal tags, with the constructed bit where the type has it.
const (
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagOID         = 0x06
	tagSequence    = 0x30
	tagSet         = 0x31
	constructed    = 0x20
	tagContext0    = 0xA0
	tagContext1    = 0xA1
)

// element is one BER element.
type element struct {
	// tag is the identifier octet; elements with a tag number above 30 have 0x1F in
	// its low bits and match nothing.
	tag byte
	raw []byte
	// body is the content, without end-of-contents octets.
	start, end int
	body       []byte
}

// reader reads BER from data within the limits and remembers whether all of it
// was in DER form.
type reader struct {
	data []byte
	left int // elements that may still be read
	ber  bool
	// ends holds, for the content of each indefinite element met, where it ends, so
	// that nested ones are scanned once and not once a level.
	ends map[int]int
}

func newReader(data []byte) (*reader, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrLimit, len(data))
	}
	return &reader{data: data, left: maxElements, ends: map[int]int{}}, nil
}

// cursor walks the elements of data[pos:end].
type cursor struct {
	r        *reader
	pos, end int
}

func (r *reader) all() *cursor { return &cursor{r: r, end: len(r.data)} }

// in returns a cursor over the content of e.
func (r *reader) in(e element) *cursor { return &cursor{r: r, pos: e.start, end: e.end} }

func (c *cursor) empty() bool { return c.pos >= c.end }

// at reports whether the next element has tag.
func (c *cursor) at(tag byte) bool { return !c.empty() && c.r.data[c.pos] == tag }

// next reads the element at the cursor and moves behind it.
func (c *cursor) next() (element, error) {
	h, err := c.r.header(c.pos, c.end)
	if err != nil {
		return element{}, err
	}
	e := element{tag: c.r.data[c.pos], start: h.content}
	after := 0
	if h.indefinite {
		if e.end, err = c.r.endOf(h.content, c.end); err != nil {
			return element{}, err
		}
		after = e.end + 2
	} else {
		e.end = h.content + h.length
		after = e.end
	}
	e.raw, e.body = c.r.data[c.pos:after:after], c.r.data[e.start:e.end:e.end]
	c.pos = after
	return e, nil
}

// expect reads the next element, which must have tag.
func (c *cursor) expect(tag byte, what string) (element, error) {
	if !c.at(tag) {
		return element{}, fmt.Errorf("%w: %s missing", ErrMalformed, what)
	}
	e, err := c.next()
	if err != nil {
		return element{}, fmt.Errorf("%s: %w", what, err)
	}
	return e, nil
}

// enter reads the next element, which must have tag, and returns a cursor over its content.
func (c *cursor) enter(tag byte, what string) (*cursor, error) {
	e, err := c.expect(tag, what)
	if err != nil {
		return nil, err
	}
	return c.r.in(e), nil
}

// header is an element's identifier and length; content is the offset behind them.
type header struct {
	content, length int
	indefinite      bool
}

func (r *reader) header(pos, end int) (header, error) {
	if r.left--; r.left < 0 {
		return header{}, fmt.Errorf("%w: more than %d elements", ErrLimit, maxElements)
	}
	p, err := r.skipTag(pos, end)
	if err != nil {
		return header{}, err
	}
	if p >= end {
		return header{}, fmt.Errorf("%w: length missing at %d", ErrMalformed, p)
	}
	first := r.data[p]
	p++
	switch {
	case first < 0x80:
		return checked(header{content: p, length: int(first)}, end)
	case first == 0x80:
		if r.data[pos]&constructed == 0 {
			return header{}, fmt.Errorf("%w: primitive of indefinite length at %d", ErrMalformed, pos)
		}
		r.ber = true
		return header{content: p, indefinite: true}, nil
	}
	n := int(first & 0x7F)
	if n > end-p {
		return header{}, fmt.Errorf("%w: length cut off at %d", ErrMalformed, p)
	}
	length := 0
	for _, b := range r.data[p : p+n] {
		if length = length<<8 | int(b); length > maxSize {
			return header{}, fmt.Errorf("%w: length at %d", ErrMalformed, p)
		}
	}
	if length < 0x80 || r.data[p] == 0 {
		r.ber = true
	}
	return checked(header{content: p + n, length: length}, end)
}

func checked(h header, end int) (header, error) {
	if h.length > end-h.content {
		return header{}, fmt.Errorf("%w: element at %d runs past its parent", ErrMalformed, h.content)
	}
	return h, nil
}

// skipTag returns the offset behind the identifier octets at pos.
func (r *reader) skipTag(pos, end int) (int, error) {
	if pos >= end {
		return 0, fmt.Errorf("%w: element missing at %d", ErrMalformed, pos)
	}
	if r.data[pos]&0x1F != 0x1F {
		return pos + 1, nil
	}
	const maxTagOctets = 5 // tag numbers of 35 bits
	for i := 1; i <= maxTagOctets && pos+i < end; i++ {
		if r.data[pos+i]&0x80 == 0 {
			return pos + i + 1, nil
		}
	}
	return 0, fmt.Errorf("%w: tag number at %d", ErrMalformed, pos)
}

// endOf returns where the content that starts at pos and has indefinite length
// ends. It walks without recursion and notes the end of every indefinite element
// on the way.
func (r *reader) endOf(pos, end int) (int, error) {
	if e, ok := r.ends[pos]; ok {
		return e, nil
	}
	open := make([]int, 1, maxDepth)
	open[0] = pos
	for {
		if pos+2 <= end && r.data[pos] == 0 && r.data[pos+1] == 0 {
			top := len(open) - 1
			r.ends[open[top]] = pos
			if top == 0 {
				return pos, nil
			}
			open, pos = open[:top], pos+2
			continue
		}
		h, err := r.header(pos, end)
		if err != nil {
			return 0, err
		}
		pos = h.content + h.length
		if h.indefinite {
			if len(open) == maxDepth || len(r.ends) >= maxIndefinite {
				return 0, fmt.Errorf("%w: indefinite lengths: deeper than %d or more than %d", ErrLimit, maxDepth, maxIndefinite)
			}
			open, pos = append(open, h.content), h.content
		}
	}
}

// Elements splits the content of the first BER element of data, which must be
// constructed, into its elements as received. Bytes after it are not looked at.
// Errors wrap ErrMalformed or ErrLimit.
func Elements(data []byte) ([][]byte, error) {
	r, err := newReader(data)
	if err != nil {
		return nil, err
	}
	outer, err := r.all().next()
	if err != nil {
		return nil, err
	}
	if outer.tag&constructed == 0 {
		return nil, fmt.Errorf("%w: constructed element expected", ErrMalformed)
	}
	var out [][]byte
	for c := r.in(outer); !c.empty(); {
		e, err := c.next()
		if err != nil {
			return nil, err
		}
		out = append(out, e.raw)
	}
	return out, nil
}
