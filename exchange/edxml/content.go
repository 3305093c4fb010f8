package edxml

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
)

// span is where an attachment's content stands in the source.
type span struct {
	start int64 // offset of the first byte after the start tag
	line  int
	size  int64 // decoded bytes
	zip   bool  // a ZIP archive of one entry
	entry string
}

// contentScan reads the base64 text of one element, without its white space,
// from the byte after the start tag to the byte before the end tag. The same
// code checks the message and later delivers the bytes, so that both agree.
type contentScan struct {
	*scanner
	chars int64
	pad   int
	cdata bool
	one   [1]byte
}

// base64Char is true for the alphabet of RFC 4648, section 4.
var base64Char = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = true
	}
	return t
}()

// size is how many bytes the characters seen so far decode to.
func (c *contentScan) size() int64 { return c.chars/4*3 + max(0, c.chars%4-1) }

// next returns the next run of base64 characters, valid until the next call, and
// nil at the end tag, which it leaves unread.
func (c *contentScan) next() ([]byte, error) {
	for {
		b, ok, err := c.peek()
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, c.malformed(keyTruncated)
		case base64Char[b]:
			return c.run()
		case isSpace(b):
			if b == '\n' {
				c.line++
			}
			c.pos++ // not structure: line breaks of an attachment are its own
		case b == '=':
			c.pos++
			if c.pad++; c.pad > 2 {
				return nil, c.malformed(keyBase64)
			}
		case c.cdata && b == ']':
			if err := c.expect("]]>"); err != nil {
				return nil, err
			}
			c.cdata = false
		case c.cdata:
			return nil, c.malformed(keyBase64)
		case b == '&':
			run, err := c.referenced()
			if run != nil || err != nil {
				return run, err
			}
		case b == '<':
			end, err := c.tag()
			if end || err != nil {
				return nil, err
			}
		default:
			return nil, c.malformed(keyBase64)
		}
	}
}

func (c *contentScan) run() ([]byte, error) {
	if c.pad > 0 {
		return nil, c.malformed(keyBase64) // characters after the padding
	}
	start := c.pos
	for c.pos < c.end && base64Char[c.buf[c.pos]] {
		c.pos++
	}
	c.chars += int64(c.pos - start)
	return c.buf[start:c.pos], nil
}

// referenced reads a character reference: some XML writers turn the carriage
// returns of wrapped base64 into &#13;.
func (c *contentScan) referenced() ([]byte, error) {
	r, err := c.reference()
	switch {
	case err != nil:
		return nil, err
	case r < 0x80 && isSpace(byte(r)):
		return nil, nil
	case r == '=':
		if c.pad++; c.pad > 2 {
			return nil, c.malformed(keyBase64)
		}
		return nil, nil
	case r < 0x80 && base64Char[byte(r)] && c.pad == 0:
		c.one[0] = byte(r)
		c.chars++
		return c.one[:], nil
	}
	return nil, c.malformed(keyBase64)
}

// tag handles markup inside the content; end is true at the end tag.
func (c *contentScan) tag() (end bool, err error) {
	if end, err = c.has("</"); err != nil {
		return false, err
	}
	if end {
		return true, c.complete()
	}
	if c.cdata, err = c.accept("<![CDATA["); err != nil || c.cdata {
		return false, err
	}
	comment, err := c.accept("<!--")
	if err != nil {
		return false, err
	}
	if !comment {
		return false, c.malformed(keyBase64)
	}
	if _, err := c.until("--"); err != nil {
		return false, err
	}
	return false, c.expect(">")
}

// complete checks the length. Missing padding is let pass: nothing is lost by it.
func (c *contentScan) complete() error {
	if c.chars%4 == 1 || c.pad > 0 && (c.chars+int64(c.pad))%4 != 0 {
		return c.malformed(keyBase64)
	}
	return nil
}

// Read delivers base64 characters; see contentReader.
func (c *contentReader) Read(b []byte) (int, error) {
	for len(c.left) == 0 {
		run, err := c.scan.next()
		if err != nil {
			return 0, err
		}
		if run == nil {
			return 0, io.EOF
		}
		c.left = run
	}
	n := copy(b, c.left)
	c.left = c.left[n:]
	return n, nil
}

// contentReader reads a span's base64 characters from its source again.
type contentReader struct {
	scan contentScan
	left []byte
}

// open returns the decoded bytes of the span.
func (s span) open(src io.ReaderAt, size int64, l Limits) io.Reader {
	if s.size == 0 {
		return bytes.NewReader(nil)
	}
	sc := newScanner(io.NewSectionReader(src, s.start, size-s.start), l)
	sc.line = s.line
	sc.open = []string{"ContentTransferEncoded"}
	return base64.NewDecoder(base64.RawStdEncoding, &contentReader{scan: contentScan{scanner: sc}})
}

// probe looks at the head and the tail of base64 text while it passes.
type probe struct {
	head []byte
	tail []byte
	n    int64
}

const (
	zipHead   = "UEsD"  // PK and the first half of a local header's signature
	probeTail = 8 << 10 // base64 characters: end record with a comment of a few KiB
)

func (p *probe) write(run []byte) {
	if len(p.head) < len(zipHead) {
		p.head = append(p.head, run[:min(len(run), len(zipHead)-len(p.head))]...)
	}
	p.n += int64(len(run))
	if len(p.head) == len(zipHead) && string(p.head) != zipHead {
		return
	}
	if len(run) > probeTail {
		run = run[len(run)-probeTail:]
	}
	p.tail = append(p.tail, run...)
	if len(p.tail) > 2*probeTail {
		p.tail = append(p.tail[:0], p.tail[len(p.tail)-probeTail:]...)
	}
}

// singleZIP reports whether the text is a ZIP archive that counts one entry, and
// that entry's name by the directory ("" when it lies outside the tail).
func (p *probe) singleZIP() (name string, ok bool) {
	if string(p.head) != zipHead {
		return "", false
	}
	skip := (p.n - int64(len(p.tail))) % 4
	tail := p.tail[min(len(p.tail), int((4-skip)%4)):]
	data := make([]byte, base64.RawStdEncoding.DecodedLen(len(tail)))
	n, err := base64.RawStdEncoding.Decode(data, tail)
	if err != nil {
		return "", false
	}
	data = data[:n]
	le := binary.LittleEndian
	at := bytes.LastIndex(data, []byte("PK\x05\x06"))
	if at < 0 || len(data)-at < 22 || le.Uint16(data[at+10:]) != 1 {
		return "", false
	}
	size := int64(le.Uint32(data[at+12:]))
	if size < 46 || size > int64(at) {
		return "", true
	}
	entry := data[int64(at)-size : at]
	return string(entry[46:min(len(entry), 46+int(le.Uint16(entry[28:])))]), true
}

var errZIP = errors.New("ZIP archive is not what its end record says")
