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
const chunkSize = 256 << 10

// signatureMarks are the words that only signature dictionaries contain.
var signatureMarks = [][]byte{[]byte("/ByteRange"), []byte("/ETSI.CAdES.detached"), []byte("/adbe.pkcs7"), []byte("/ETSI.RFC3161")}

// overlap keeps the end of one chunk before the next, so that no mark is missed.
const overlap = 32

// sink takes the bytes of two ranges of the file.
type sink struct {
	ranges [2][2]int64 // begin and end offsets
	hash   hash.Hash
}

func (s *sink) feed(at int64, chunk []byte) {
	for _, r := range s.ranges {
		from, to := max(r[0], at), min(r[1], at+int64(len(chunk)))
		if from < to {
			s.hash.Write(chunk[from-at : to-at])
		}
	}
}

// pass is one sequential reading of the file that serves every digest.
type pass struct {
	whole hash.Hash
	sinks []*sink
	marks int // occurrences of any mark
	// byteRanges counts the first mark alone: one for every signature dictionary
	// that is not compressed.
	byteRanges int
}

func (p *pass) read(ctx context.Context, in Input) error {
	buf := make([]byte, overlap+chunkSize)
	for at := int64(0); at < in.Size; at += chunkSize {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading %s: %w", in.Name, err)
		}
		n := int(min(chunkSize, in.Size-at))
		chunk := buf[overlap : overlap+n]
		if m, err := in.Reader.ReadAt(chunk, at); m < n {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return text.Errorf(text.FileUnreadable, err)
		}
		p.whole.Write(chunk)
		for _, s := range p.sinks {
			s.feed(at, chunk)
		}
		p.count(buf[:overlap+n], at == 0)
		copy(buf, buf[n:n+overlap])
	}
	return nil
}

// count looks for marks that end in the newest chunk.
func (p *pass) count(window []byte, first bool) {
	for i, mark := range signatureMarks {
		begin := overlap - len(mark) + 1
		if first {
			begin = overlap
		}
		n := bytes.Count(window[begin:], mark)
		p.marks += n
		if i == 0 {
			p.byteRanges += n
		}
	}
}

// readBytes makes the digest of the file and of every signature's ranges in one pass.
func (v *validation) readBytes() error {
	p := &pass{whole: sha256.New()}
	for _, s := range v.subjects {
		p.sinks = append(p.sinks, s.wanted()...)
	}
	if err := p.read(v.ctx, v.in); err != nil {
		return err
	}
	v.report.SHA256 = hex.EncodeToString(p.whole.Sum(nil))
	v.byteRanges = p.byteRanges
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
		k := &sink{ranges: s.ranges, hash: h.New()}
		s.digests[h] = k
		sinks = append(sinks, k)
	}
	return sinks
}

// digest is the digest of the ranges of s by h; nil when it was not made.
func (s *subject) digest(h crypto.Hash) []byte {
	if k := s.digests[h]; k != nil {
		return k.hash.Sum(nil)
	}
	return nil
}
