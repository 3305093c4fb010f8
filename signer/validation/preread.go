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
}

// ReadAhead reads the first length bytes of r for a later Validate of a file that
// begins with them, whose newest signature uses kind. The error is the context's, or
// says that r cannot be read.
func ReadAhead(ctx context.Context, r io.ReaderAt, length int64, kind crypto.Hash) (*Preread, error) {
	// A signature whose ranges never end makes the pass keep a digest of its kind.
	p := newPass([]*sink{{kind: kind, ranges: [2][2]int64{{0, length + 1}}}})
	if err := p.read(ctx, Input{Reader: r, Size: length}); err != nil {
		return nil, err
	}
	pre := &Preread{length: length, states: map[crypto.Hash]hash.Cloner{}, byteRanges: p.byteRanges, last: p.last}
	for h, state := range p.running {
		cloner, ok := state.(hash.Cloner)
		if !ok {
			return nil, errNoClone
		}
		pre.states[h] = cloner
	}
	return pre, nil
}

// errNoClone cannot happen: every hash of the standard library can be cloned.
var errNoClone = errors.New("validation: a digest cannot be continued")

// resume lets p go on behind what pre knows, when every digest that p makes can, and
// returns where that is.
func (p *pass) resume(pre *Preread, size int64) (at int64) {
	if pre == nil || pre.length > size || p.marked {
		return 0
	}
	for _, s := range p.sinks {
		if s.ranges[0][1] <= pre.length {
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
	p.running, p.whole = running, running[crypto.SHA256]
	p.byteRanges, p.marks, p.last = pre.byteRanges, pre.byteRanges, pre.last
	return pre.length
}
