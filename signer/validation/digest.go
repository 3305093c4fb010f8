package validation

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"crypto/sha256"

	"antin/internal/text"
)

// chunkSize is how much of the file is read at a time, in bytes; memory stays at
// one chunk whatever the file's size.
const chunkSize = 128 << 10

// signatureMarks are the words that only signature dictionaries contain.
var signatureMarks = [][]byte{[]byte("/ByteRange"), []byte("/ETSI.CAdES.detached"), []byte("/adbe.pkcs7"), []byte("/ETSI.RFC3161")}

// alongside is from how many bytes on reading and hashing go side by side: below, two
// cores gain less than starting costs.
const alongside = 4 << 20

// overlap keeps the end of one chunk before the next, so that no mark is missed.
const overlap = 32

// sink takes the bytes of two ranges of the file, of which the first begins with it.
type sink struct {
	ranges [2][2]int64 // begin and end offsets
	kind   crypto.Hash
	// hash is nil until the first range ends: up to there all digests of one kind
	// are the same, and one state serves them.
	hash hash.Hash
}

// feed takes what belongs to the second range.
func (s *sink) feed(at int64, chunk []byte) {
	from, to := max(s.ranges[1][0], at), min(s.ranges[1][1], at+int64(len(chunk)))
	if from < to {
		s.hash.Write(chunk[from-at : to-at])
	}
}

// pass is one sequential reading of the file that serves every digest. Every byte
// is hashed once for each kind of digest, however many signatures cover it.
type pass struct {
	whole   hash.Hash // SHA-256
	running map[crypto.Hash]hash.Hash
	sinks   []*sink
	marked  bool // count every mark, not only the first
	marks   int  // occurrences of any mark
	// byteRanges counts the first mark alone: one for every signature dictionary
	// that is not compressed.
	byteRanges int
	// last are the bytes before those to be read next.
	last [overlap]byte
	// scratch, when set, is a buffer that may be used and replaced.
	scratch *[]byte
}

// buffer is n bytes to read into, the scratch buffer where there is one.
func (p *pass) buffer(n int) []byte {
	if p.scratch == nil {
		return make([]byte, n)
	}
	return room(p.scratch, n)
}

// newPass prepares the states that serve sinks.
func newPass(sinks []*sink) *pass {
	p := &pass{whole: sha256.New(), sinks: sinks, running: map[crypto.Hash]hash.Hash{}}
	p.running[crypto.SHA256] = p.whole
	for _, s := range sinks {
		if p.running[s.kind] == nil {
			p.running[s.kind] = s.kind.New()
		}
	}
	return p
}

// read passes over in once, from where its Preread ends.
func (p *pass) read(ctx context.Context, in Input) error {
	at := p.resume(in.Preread, in.Size)
	if in.Size-at >= alongside {
		return p.readAlongside(ctx, in, at)
	}
	buf := p.buffer(int(overlap + min(chunkSize, in.Size)))
	for at < in.Size {
		n, err := p.fetch(ctx, in, at, buf)
		if err != nil {
			return err
		}
		if err := p.digest(at, buf[overlap:overlap+n]); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// fetch reads the next chunk behind the end of the last one into buf and looks for
// marks that end in it.
func (p *pass) fetch(ctx context.Context, in Input, at int64, buf []byte) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("reading %s: %w", in.Name, err)
	}
	n = int(min(chunkSize, in.Size-at))
	copy(buf, p.last[:])
	if m, err := in.Reader.ReadAt(buf[overlap:overlap+n], at); m < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, text.Errorf(text.FileUnreadable, err)
	}
	p.count(buf[:overlap+n], at == 0)
	copy(p.last[:], buf[n:n+overlap])
	return n, nil
}

// fetchedChunk is a chunk on its way from who reads to who hashes.
type fetchedChunk struct {
	at  int64
	buf []byte // with what stood before it
	n   int
	err error
}

// readAlongside is read for large files: one goroutine reads and looks for marks
// while this one hashes. It has ended when readAlongside returns.
func (p *pass) readAlongside(ctx context.Context, in Input, at int64) error {
	const buffers = 3 // one is filled, one hashed, one waits
	free, full, stop := make(chan []byte, buffers), make(chan fetchedChunk, buffers), make(chan struct{})
	for range buffers {
		free <- make([]byte, overlap+chunkSize)
	}
	go func() {
		defer close(full)
		for at < in.Size {
			select {
			case <-stop:
				return
			case buf := <-free:
				n, err := p.fetch(ctx, in, at, buf)
				full <- fetchedChunk{at, buf, n, err}
				if err != nil {
					return
				}
				at += int64(n)
			}
		}
	}()
	var first error
	for c := range full {
		if first == nil {
			if first = c.err; first == nil {
				first = p.digest(c.at, c.buf[overlap:overlap+c.n])
			}
			if first != nil {
				close(stop) // and wait until nothing is read any more
				continue
			}
			free <- c.buf
		}
	}
	return first
}

// digest hashes one chunk, in pieces that end where the first range of a sink ends.
func (p *pass) digest(at int64, chunk []byte) error {
	for len(chunk) > 0 {
		next := at + int64(len(chunk))
		for _, s := range p.sinks {
			if cut := s.ranges[0][1]; s.hash == nil && cut > at && cut < next {
				next = cut
			}
		}
		piece := chunk[:next-at]
		for kind, h := range p.running {
			if kind == crypto.SHA256 || p.awaits(kind) {
				h.Write(piece)
			}
		}
		for _, s := range p.sinks {
			if s.hash != nil {
				s.feed(at, piece)
				continue
			}
			if s.ranges[0][1] != next {
				continue
			}
			state, err := p.running[s.kind].(hash.Cloner).Clone()
			if err != nil {
				return fmt.Errorf("continuing a digest: %w", err)
			}
			s.hash = state
		}
		at, chunk = next, chunk[len(piece):]
	}
	return nil
}

// room is n bytes of *buf, which is replaced when it is too small. What it holds is
// whatever it held.
func room(buf *[]byte, n int) []byte {
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	return (*buf)[:n]
}

// awaits reports whether a sink of that kind still shares the running digest.
func (p *pass) awaits(kind crypto.Hash) bool {
	for _, s := range p.sinks {
		if s.kind == kind && s.hash == nil {
			return true
		}
	}
	return false
}

// count looks for marks that end in the newest chunk.
func (p *pass) count(window []byte, first bool) {
	for i, mark := range signatureMarks {
		begin := overlap - len(mark) + 1
		if first {
			begin = overlap
		}
		n := occurrences(window[begin:], mark)
		p.marks += n
		if i == 0 {
			p.byteRanges += n
		}
		if !p.marked {
			return
		}
	}
}

// occurrences counts word in b. It looks for the word's second byte, since the
// first, the slash of a name, stands everywhere.
func occurrences(b, word []byte) (n int) {
	for at := 1; at < len(b); {
		i := bytes.IndexByte(b[at:], word[1])
		if i < 0 {
			break
		}
		at += i
		if bytes.HasPrefix(b[at-1:], word) {
			n++
		}
		at++
	}
	return n
}

// readBytes makes the digest of the file and of every signature's ranges in one pass.
func (v *validation) readBytes() error {
	var sinks []*sink
	for _, s := range v.subjects {
		sinks = append(sinks, s.wanted()...)
	}
	if v.foresee != 0 && v.pass == nil {
		sinks = append(sinks, endless(v.foresee, v.in.Size))
	}
	p := newPass(sinks)
	p.scratch = &v.scratch
	if err := p.read(v.ctx, v.in); err != nil {
		return err
	}
	v.report.SHA256 = hex.EncodeToString(p.whole.Sum(nil))
	v.byteRanges = p.byteRanges
	if v.pass == nil {
		v.pass = p
	}
	return nil
}

// wanted prepares a digest for each hash function that s needs over its ranges.
func (s *subject) wanted() []*sink {
	if s.failed() || s.digests != nil {
		return nil
	}
	s.digests = map[crypto.Hash]*sink{}
	var sinks []*sink
	for _, h := range s.hashes() {
		if h == 0 || !h.Available() || s.digests[h] != nil {
			continue
		}
		if _, ok := h.New().(hash.Cloner); !ok {
			continue // every hash of the standard library is one
		}
		k := &sink{ranges: s.ranges, kind: h}
		s.digests[h] = k
		sinks = append(sinks, k)
	}
	return sinks
}

// digest is the digest of the ranges of s by h; nil when it was not made.
func (s *subject) digest(h crypto.Hash) []byte {
	if k := s.digests[h]; k != nil && k.hash != nil {
		return k.hash.Sum(nil)
	}
	return nil
}
