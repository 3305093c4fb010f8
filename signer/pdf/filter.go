package pdf

import (
	"bufio"
	"encoding/ascii85"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	golzw "compress/lzw"

	"github.com/klauspost/compress/flate"
	"golang.org/x/image/tiff/lzw"

	"antin/internal/text"
)

const (
	// maxFilters is the most filters of one stream. Real ones have two.
	maxFilters = 8
	// ratioSlack is the output allowed to any stream before the ratio counts.
	ratioSlack = 64 << 10
	// decodedPerByte is the share of Limits.Total that grows with the file.
	decodedPerByte = 64
)

// filterStep is one filter with its parameters, all values direct.
type filterStep struct {
	name  Name
	parms *Dict
}

// decode undoes steps over the encoded bytes of s and returns at most limit bytes;
// more is an error, never a cut.
func (b *body) decode(s *Stream, steps []filterStep, limit int64) ([]byte, error) {
	if len(steps) > maxFilters {
		return nil, exceeded("stream has %d filters", len(steps))
	}
	if b.decoded.Load() > decodedPerByte*b.end+b.lim.Total {
		return nil, exceeded("streams were decoded to more than %d bytes in all", decodedPerByte*b.end+b.lim.Total)
	}
	if limit <= 0 || limit > b.lim.Decoded {
		limit = b.lim.Decoded
	}
	if s.length <= (limit-ratioSlack)/b.lim.Ratio {
		limit = s.length*b.lim.Ratio + ratioSlack
	}
	r := s.raw()
	for _, st := range steps {
		var err error
		if r, err = openFilter(r, st); err != nil {
			return nil, err
		}
		r = &boundedReader{r, limit, b.decoded}
	}
	return readAll(r, min(s.length, limit), limit)
}

// boundedReader fails when more than left bytes are read, and adds what is read to
// total. It stands behind every filter, since the next one may make nothing of
// gigabytes.
type boundedReader struct {
	r     io.Reader
	left  int64
	total *atomic.Int64
}

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.total.Add(int64(n))
	if b.left -= int64(n); b.left < 0 {
		return 0, exceeded("stream decodes to too many bytes")
	}
	return n, err
}

// readAll reads r, which gives no more than limit bytes, to its end. It begins with
// room for a few times the hint encoded bytes and doubles it: by smaller steps most of
// the time would go into copying. It never makes more room than limit asks for.
func readAll(r io.Reader, hint, limit int64) ([]byte, error) {
	const usual = 4 // how many times longer streams of objects are than when encoded
	b := make([]byte, 0, min(usual*hint+512, 1<<20))
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, decodeError(err)
		}
		if len(b) == cap(b) {
			const beyond = 512 // what a reader is given to say that there is too much, or nothing
			b = slices.Grow(b, min(len(b), int(max(limit-int64(len(b)), 0))+beyond))
		}
	}
}

// decodeError keeps the code of an error that has one; damaged data has none yet.
func decodeError(err error) error {
	var e *text.Error
	if errors.As(err, &e) {
		return e
	}
	return malformed("decoding stream: %w", err)
}

// openFilter returns a reader of what the filter makes of r (ISO 32000-2, 7.4).
func openFilter(r io.Reader, st filterStep) (io.Reader, error) {
	switch st.name {
	case "FlateDecode", "Fl":
		return openPredictor(newFlateReader(r), st.parms)
	case "LZWDecode", "LZW":
		return openPredictor(newLZWReader(r, st.parms), st.parms)
	case "ASCIIHexDecode", "AHx":
		return &hexReader{r: bufio.NewReader(r)}, nil
	case "ASCII85Decode", "A85":
		return ascii85.NewDecoder(&ascii85Trimmer{r: bufio.NewReader(r)}), nil
	case "Crypt": // undone before all filters
		return r, nil
	case "RunLengthDecode", "RL":
		return &runLengthReader{r: bufio.NewReader(r)}, nil
	}
	return nil, text.Errorf(text.PDFMalformed, fmt.Errorf("%w: %s", ErrFilter, st.name))
}

// flateReader undoes zlib without its checksum: a file with a wrong one opens in
// every reader, and signatures are over the encoded bytes.
type flateReader struct {
	in   *bufio.Reader
	z    io.ReadCloser
	some bool
}

func newFlateReader(r io.Reader) io.Reader { return &flateReader{in: bufio.NewReader(r)} }

func (f *flateReader) Read(p []byte) (int, error) {
	if f.z == nil {
		head, err := f.in.Peek(2)
		if err != nil {
			return 0, io.EOF // no bytes at all: an empty stream
		}
		if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			_, _ = f.in.Discard(2) // peeked, so it is there
		}
		f.z = flate.NewReader(f.in)
	}
	n, err := f.z.Read(p)
	f.some = f.some || n > 0
	if errors.Is(err, io.ErrUnexpectedEOF) && f.some {
		return n, io.EOF // the final block lacks its end; what was decoded is whole
	}
	return n, err
}

func newLZWReader(r io.Reader, parms *Dict) io.Reader {
	if n, ok := parms.Get("EarlyChange").(Number); ok {
		if v, _ := n.Int64(); v == 0 {
			return golzw.NewReader(r, golzw.MSB, 8)
		}
	}
	return lzw.NewReader(r, lzw.MSB, 8)
}

type hexReader struct {
	r    *bufio.Reader
	done bool
}

func (h *hexReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		hi, ok, err := h.digit()
		if err != nil {
			return n, err
		}
		if !ok {
			break
		}
		lo, _, err := h.digit()
		if err != nil {
			return n, err
		}
		p[n] = hi<<4 | lo // a missing last digit counts as 0
		n++
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (h *hexReader) digit() (byte, bool, error) {
	for !h.done {
		c, err := h.r.ReadByte()
		if errors.Is(err, io.EOF) || err == nil && c == '>' {
			h.done = true
			break
		}
		if err != nil {
			return 0, false, err
		}
		if isSpace(c) {
			continue
		}
		if d := hexDigit(c); d < 16 {
			return d, true, nil
		}
		return 0, false, fmt.Errorf("ASCIIHexDecode data holds %q", c)
	}
	return 0, false, nil
}

// ascii85Trimmer hands on the data between the optional <~ and the ~> of ASCII85.
type ascii85Trimmer struct {
	r       *bufio.Reader
	started bool
	done    bool
}

func (a *ascii85Trimmer) Read(p []byte) (int, error) {
	if !a.started {
		a.started = true
		if head, _ := a.r.Peek(2); string(head) == "<~" {
			_, _ = a.r.Discard(2) // peeked, so it is there
		}
	}
	n := 0
	for n < len(p) && !a.done {
		c, err := a.r.ReadByte()
		if err != nil || c == '~' {
			a.done = true
			if err != nil && !errors.Is(err, io.EOF) {
				return n, err
			}
			break
		}
		if c != 0 && isSpace(c) {
			continue
		}
		p[n] = c
		n++
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// runLengthReader undoes RunLengthDecode (ISO 32000-2, 7.4.5).
type runLengthReader struct {
	r      *bufio.Reader
	left   int
	repeat bool
	value  byte
	done   bool
}

func (d *runLengthReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && !d.done {
		if d.left == 0 {
			if err := d.run(); err != nil {
				return n, err
			}
			continue
		}
		if !d.repeat {
			c, err := d.r.ReadByte()
			if err != nil {
				return n, io.ErrUnexpectedEOF
			}
			d.value = c
		}
		p[n] = d.value
		n++
		d.left--
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// run reads the head of the next run.
func (d *runLengthReader) run() error {
	c, err := d.r.ReadByte()
	if err != nil || c == 128 {
		d.done = true
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return nil
	}
	if c < 128 {
		d.left, d.repeat = int(c)+1, false
		return nil
	}
	d.left, d.repeat = 257-int(c), true
	d.value, err = d.r.ReadByte()
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}
