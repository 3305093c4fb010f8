package pades

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"antin/internal/text"
	"antin/signer/pdf"
)

// Prepared is a finished signature revision that waits for its CMS: the bytes to
// append, with a gap of zeros where the CMS goes. Everything outside the gap is
// final, so the digest to sign is known. It is not safe for concurrent use.
type Prepared struct {
	// Base is the length of the original, which stays an exact prefix.
	Base int64
	// Update is what follows the original.
	Update []byte
	// ByteRange is the signature's /ByteRange.
	ByteRange [4]int64
	// GapStart and GapLen delimit the /Contents token in the finished file, with
	// its angle brackets.
	GapStart, GapLen int64
	// Field is the fully qualified name of the signed field.
	Field string
}

// TooSmallError says that a CMS does not fit the room reserved for it. Nothing
// was changed; the revision is prepared anew with more room.
type TooSmallError struct {
	Need, Have int // bytes of CMS
}

// Error implements error.
func (e *TooSmallError) Error() string {
	return fmt.Sprintf("signature of %d bytes does not fit the %d reserved", e.Need, e.Have)
}

var errGap = errors.New("gap does not lie inside the update")

func newPrepared(b *pdf.Built, byteRange, contents *pdf.Placeholder, p *plan) (*Prepared, error) {
	start := b.Offset(contents)
	length := int64(contents.Len())
	total := b.Base + int64(len(b.Data))
	r := &Prepared{
		Base: b.Base, GapStart: start, GapLen: length, Field: p.name,
		ByteRange: [4]int64{0, start, start + length, total - start - length},
	}
	written := fmt.Sprintf("[0 %d %d %d]", r.ByteRange[1], r.ByteRange[2], r.ByteRange[3])
	if err := b.Patch(byteRange, []byte(written)); err != nil {
		return nil, fmt.Errorf("writing /ByteRange: %w", err)
	}
	r.Update = b.Data
	return r, r.Check()
}

// Check reports whether p's numbers fit together, which a value that was stored
// in between has to prove again before bytes are written by them.
func (p *Prepared) Check() error {
	length := int64(len(p.Update))
	if p.Base <= 0 || p.Base > math.MaxInt64-length || p.GapStart <= p.Base || p.GapStart-p.Base >= length {
		return errGap
	}
	inside := p.GapStart - p.Base
	if p.GapLen < 4 || p.GapLen%2 != 0 || p.GapLen >= length-inside {
		return errGap
	}
	if p.Update[inside] != '<' || p.Update[inside+p.GapLen-1] != '>' {
		return errGap
	}
	total := p.Base + int64(len(p.Update))
	if p.ByteRange != [4]int64{0, p.GapStart, p.GapStart + p.GapLen, total - p.GapStart - p.GapLen} {
		return errors.New("ByteRange does not fit the gap")
	}
	return nil
}

// Capacity is the room for the CMS in bytes.
func (p *Prepared) Capacity() int { return int(p.GapLen-2) / 2 }

// Total is the length of the signed file.
func (p *Prepared) Total() int64 { return p.Base + int64(len(p.Update)) }

// Digest hashes what /ByteRange covers with h: the original, read once, and the
// update around the gap.
func (p *Prepared) Digest(ctx context.Context, original io.ReaderAt, h crypto.Hash) ([]byte, error) {
	prefix, err := ReadPrefix(ctx, original, p.Base, io.Discard, h)
	if err != nil {
		return nil, err
	}
	return p.DigestAfter(prefix, h)
}

// DigestAfter is Digest for an original that was already read.
func (p *Prepared) DigestAfter(prefix *Prefix, h crypto.Hash) ([]byte, error) {
	if prefix.Length != p.Base {
		return nil, fmt.Errorf("prefix has %d bytes, original %d", prefix.Length, p.Base)
	}
	gap := p.GapStart - p.Base
	return prefix.Sum(h, p.Update[:gap], p.Update[gap+p.GapLen:])
}

// Embed writes cms, the DER of the signature, into the gap and pads it with
// zeros. It returns a *TooSmallError, and changes nothing, when cms does not fit.
func (p *Prepared) Embed(cms []byte) error {
	if err := p.Check(); err != nil {
		return err
	}
	if len(cms) == 0 || len(cms) > p.Capacity() {
		return &TooSmallError{Need: len(cms), Have: p.Capacity()}
	}
	gap := p.Update[p.GapStart-p.Base+1:][:p.GapLen-2]
	n := hex.Encode(gap, cms)
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	for n < len(gap) {
		n += copy(gap[n:], zeros)
	}
	return nil
}

// Prefix is what one pass over the original left behind: hash states that go on
// with whatever follows. It is safe for concurrent use.
type Prefix struct {
	// Length is the number of bytes read.
	Length int64
	states map[crypto.Hash]hash.Hash
}

// copyBuffer is the unit of reading: large enough that the calls do not count,
// small enough not to show in memory.
const copyBuffer = 128 << 10

// ReadPrefix reads length bytes of original once, copies them to out and feeds
// the hashes hs. An original that cannot be read is a *text.Error with code
// file-unreadable, an out that cannot be written one with storage-full.
func ReadPrefix(ctx context.Context, original io.ReaderAt, length int64, out io.Writer, hs ...crypto.Hash) (*Prefix, error) {
	return ReadPrefixWith(ctx, nil, original, length, out, hs...)
}

// ReadPrefixWith is ReadPrefix through buffers of the caller's.
func ReadPrefixWith(ctx context.Context, buffers *pdf.Buffers, original io.ReaderAt, length int64, out io.Writer, hs ...crypto.Hash) (*Prefix, error) {
	p := &Prefix{Length: length, states: map[crypto.Hash]hash.Hash{}}
	writers := []io.Writer{codedWriter{out}}
	for _, h := range hs {
		if _, twice := p.states[h]; twice {
			continue
		}
		if !h.Available() {
			return nil, fmt.Errorf("hash %s is not available", h)
		}
		p.states[h] = h.New()
		writers = append(writers, p.states[h])
	}
	r := &contextReader{ctx, io.NewSectionReader(original, 0, length)}
	buf := buffers.Chunk(int(min(copyBuffer, max(length, 1))))
	defer buffers.Return(buf)
	n, err := io.CopyBuffer(io.MultiWriter(writers...), r, *buf)
	var coded *text.Error
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &coded):
		return nil, err
	case err == nil && n != length:
		err = io.ErrUnexpectedEOF
	case err == nil:
		return p, nil
	}
	return nil, text.Errorf(text.FileUnreadable, fmt.Errorf("reading the original: %w", err))
}

// codedWriter tells a failure of writing from one of reading.
type codedWriter struct{ w io.Writer }

func (c codedWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	var coded *text.Error
	if err == nil || errors.As(err, &coded) {
		return n, err
	}
	return n, text.Errorf(text.StorageFull, fmt.Errorf("copying the original: %w", err))
}

// Sum is the hash by h of the original followed by parts.
func (p *Prefix) Sum(h crypto.Hash, parts ...[]byte) ([]byte, error) {
	state, ok := p.states[h]
	if !ok {
		return nil, fmt.Errorf("original was not hashed with %s", h)
	}
	cloner, ok := state.(hash.Cloner)
	if !ok {
		return nil, fmt.Errorf("hash %s cannot be continued", h)
	}
	next, err := cloner.Clone()
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		_, _ = next.Write(part) // a hash never fails
	}
	return next.Sum(nil), nil
}

// contextReader stops between reads when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
