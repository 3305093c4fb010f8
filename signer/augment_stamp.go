package signer

import (
	"context"
	"encoding/hex"
	"io"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
)

// leastToken is the least room, in bytes, that makes it worth asking for a
// signature time-stamp: a token without its certificates and with an RSA-2048
// value takes more than half of it.
const leastToken = 1 << 10

// stampInside gives the only signature without a proof a signature time-stamp, in
// the room that its value has left. That changes bytes which no signature covers,
// the gap of its own ranges, and is possible only while nothing later covers them.
// Where it is not, nothing is changed.
func (a *augmentation) stampInside(ctx context.Context) error {
	missing := a.missing()
	if len(missing) != 1 || a.Timestamps == nil || !a.roomInside(missing[0]) {
		return nil
	}
	t := missing[0]
	h := stampHashFor(t.info.Digest)
	s, err := a.requestStamp(ctx, h, digestBy(h, t.info.Signature), a.collector.pool)
	if err != nil {
		return err
	}
	der, err := cms.AddTimestamp(t.data.Raw, s.Raw)
	if err != nil {
		return err
	}
	room := t.sig.ContentsEnd - t.sig.ContentsStart - 2
	if int64(hex.EncodedLen(len(der))) > room {
		return nil // a document time-stamp does as well
	}
	gap := make([]byte, room)
	for i := hex.Encode(gap, der); i < len(gap); i++ {
		gap[i] = '0'
	}
	a.in.Reader = patched{a.original, t.sig.ContentsStart + 1, gap}
	if err := a.reopen(); err != nil {
		return err
	}
	return a.find(ctx)
}

// roomInside reports whether a token may go into the value of t.
func (a *augmentation) roomInside(t *target) bool {
	s := t.sig
	located := s.ContentsEnd > s.ContentsStart+2 && s.ByteRange[1] == s.ContentsStart && s.ByteRange[2] == s.ContentsEnd
	if !located || t.data.BER || s.SubFilter != pades.SubFilterCAdES {
		return false
	}
	if int64(len(t.data.Raw)+leastToken) > (s.ContentsEnd-s.ContentsStart-2)/2 {
		return false
	}
	signatures, err := pades.Signatures(a.file)
	if err != nil {
		return false
	}
	for i := range signatures {
		o := &signatures[i]
		if o.Signed() && o.ContentsStart != s.ContentsStart && (!o.HasByteRange || o.ByteRange[2]+o.ByteRange[3] > s.ContentsStart) {
			return false
		}
	}
	// An entry of the store that names the value by its hash would be lost.
	have, err := pades.ReadDSS(a.file)
	return err == nil && len(have.VRI) == 0
}

// stampDocument adds a document time-stamp where a proof is still missing.
func (a *augmentation) stampDocument(ctx context.Context) error {
	missing := a.missing()
	if len(missing) == 0 {
		return nil
	}
	if a.Timestamps == nil && a.level() == ades.BLT && len(missing) < len(a.targets) {
		return nil // the others can be raised
	}
	s, err := a.addTimestamp(ctx, a.collector)
	if err != nil {
		return err
	}
	a.stamps = append(a.stamps, s)
	for _, t := range missing {
		t.provenAt(s.GenTime)
	}
	return nil
}

// patched is a file with some bytes replaced.
type patched struct {
	io.ReaderAt
	at    int64
	bytes []byte
}

// ReadAt implements io.ReaderAt.
func (p patched) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.ReaderAt.ReadAt(b, off)
	from, to := max(off, p.at), min(off+int64(n), p.at+int64(len(p.bytes)))
	if from < to {
		copy(b[from-off:to-off], p.bytes[from-p.at:])
	}
	return n, err
}

// errLevel holds an output back that does not reach the level.
func errLevel(l ades.Level, err error) error {
	return text.Detailed(text.SelfCheckFailed, err, "sign.level", string(l))
}
