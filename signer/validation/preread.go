package validation

import (
	"context"
	"crypto"
	"errors"
	"hash"
	"io"
)

// Preread is what was found out about the first bytes of a file before the rest of it
// was there: their digest, and the marks in them. A signer makes one while the key is
// at work, so that judging the output does not read those bytes once more. It is
// read-only once made.
type Preread struct {
	length     int64
	states     map[crypto.Hash]hash.Cloner
	byteRanges int
	last       [overlap]byte // the bytes before length
	// whole are digests over two ranges that end before length.
	whole map[rangeDigest]hash.Hash
}

// rangeDigest is which digest of which ranges.
type rangeDigest struct {
	kind   crypto.Hash
	ranges [2][2]int64
}

// endless is a sink that keeps the running digest of its kind going to the end of a file
// of length bytes, since its ranges never end.
func endless(kind crypto.Hash, length int64) *sink {
	return &sink{kind: kind, ranges: [2][2]int64{{0, length + 1}}}
}

// preread is what p found out about a file of length bytes, of which it has read all; kind
// is the one that was kept going beside SHA-256.
func (p *pass) preread(length int64, kind crypto.Hash) (*Preread, error) {
	pre := &Preread{length: length, states: map[crypto.Hash]hash.Cloner{}, byteRanges: p.byteRanges, last: p.last, whole: map[rangeDigest]hash.Hash{}}
	for _, h := range []crypto.Hash{crypto.SHA256, kind} {
		cloner, ok := p.running[h].(hash.Cloner)
		if !ok {
			return nil, errNoClone
		}
		pre.states[h] = cloner
	}
	for _, s := range p.sinks {
		if s.hash != nil && s.ranges[1][1] <= length {
			pre.whole[rangeDigest{s.kind, s.ranges}] = s.hash
		}
	}
	return pre, nil
}

// ReadAhead reads the first length bytes of r for a later Validate of a file that
// begins with them, whose newest signature uses kind. The error is the context's, or
// says that r cannot be read.
func ReadAhead(ctx context.Context, r io.ReaderAt, length int64, kind crypto.Hash) (*Preread, error) {
	p := newPass([]*sink{endless(kind, length)})
	if err := p.read(ctx, Input{Reader: r, Size: length}); err != nil {
		return nil, err
	}
	return p.preread(length, kind)
}

// errNoClone cannot happen: every hash of the standard library can be cloned.
var errNoClone = errors.New("validation: a digest cannot be continued")

// resume lets p go on behind what pre knows, when every digest that p makes can, and
// returns where that is.
func (p *pass) resume(pre *Preread, size int64) (at int64) {
	if pre == nil || pre.length > size || p.marked {
		return 0
	}
	done := make([]hash.Hash, len(p.sinks))
	for i, s := range p.sinks {
		if s.ranges[0][1] > pre.length {
			continue
		}
		if done[i] = pre.whole[rangeDigest{s.kind, s.ranges}]; done[i] == nil {
			return 0 // an earlier signature, whose second range begins in there
		}
	}
	running := map[crypto.Hash]hash.Hash{}
	for h := range p.running {
		known := pre.states[h]
		if known == nil {
			return 0
		}
		state, err := known.Clone()
		if err != nil {
			return 0
		}
		running[h] = state
	}
	for i, h := range done {
		if h != nil {
			p.sinks[i].hash = h // whose ranges have ended: nothing is added to it
		}
	}
	p.running, p.whole = running, running[crypto.SHA256]
	p.byteRanges, p.marks, p.last = pre.byteRanges, pre.byteRanges, pre.last
	return pre.length
}
