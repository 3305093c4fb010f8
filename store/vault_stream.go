package store

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"antin/exchange"
)

// An encrypted blob is a head and chunks. The head: eight bytes of mark, the data key's
// identifier, 32 random bytes. Each chunk is 64 KiB of the plain bytes, the last one
// less, under AES-256-GCM; its nonce is the chunk's number and whether it is the last,
// so that none can be moved, left out or taken for the end.
const (
	sealMark  = "antinE1\n"
	saltSize  = 32
	headSize  = len(sealMark) + len(keyID{}) + saltSize
	chunkSize = 64 << 10 // what one read at an offset decrypts
	tagSize   = 16
)

// sealedSize is how many bytes a blob of n plain bytes takes.
func sealedSize(n int64) int64 {
	chunks := max((n+chunkSize-1)/chunkSize, 1)
	return int64(headSize) + n + chunks*tagSize
}

// plainSize is how many plain bytes an encrypted blob of n bytes holds; ok is false for
// a length that none has.
func plainSize(n int64) (size int64, ok bool) {
	n -= int64(headSize)
	if n < tagSize {
		return 0, false
	}
	chunks := (n + chunkSize + tagSize - 1) / (chunkSize + tagSize)
	size = n - chunks*tagSize
	return size, size == 0 && chunks == 1 || size > (chunks-1)*chunkSize
}

// chunkNonce is the nonce of chunk i.
func chunkNonce(i uint32, last bool) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint32(n[7:], i)
	if last {
		n[11] = 1
	}
	return n
}

// seal returns b as it is kept; b itself when v is nil.
func (v *vault) seal(ctx context.Context, b []byte) ([]byte, error) {
	if v == nil {
		return b, nil
	}
	var out bytes.Buffer
	out.Grow(int(sealedSize(int64(len(b)))))
	w, err := v.writer(ctx, &out)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// hashed is hashed, but what reaches w is encrypted.
func (v *vault) hashed(ctx context.Context, w io.Writer, r io.Reader) (blob exchange.Blob, cut, err error) {
	if v == nil {
		return hashed(ctx, w, r)
	}
	s, err := v.writer(ctx, w)
	if err != nil {
		return blob, nil, err
	}
	if blob, cut, err = hashed(ctx, s, r); cut == nil && err == nil {
		err = s.Close()
	}
	return blob, cut, err
}

// sealWriter encrypts what is written to it. Close writes the last chunk.
type sealWriter struct {
	w    io.Writer
	aead cipher.AEAD
	held []byte // not encrypted yet: it may be the last chunk
	out  []byte
	n    uint32
}

// writer begins an encrypted blob on w.
func (v *vault) writer(ctx context.Context, w io.Writer) (*sealWriter, error) {
	id, key, err := v.current(ctx)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 0, headSize)
	head = append(append(head, sealMark...), id[:]...)
	head = head[:headSize]
	salt := head[headSize-saltSize:]
	_, _ = rand.Read(salt)
	aead, err := blobAEAD(key, salt)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	return &sealWriter{w: w, aead: aead, held: make([]byte, 0, chunkSize)}, nil
}

// Write implements io.Writer.
func (s *sealWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(s.held) == chunkSize {
			if err := s.flush(false); err != nil {
				return n, err
			}
		}
		c := min(len(p), chunkSize-len(s.held))
		s.held = append(s.held, p[:c]...)
		n, p = n+c, p[c:]
	}
	return n, nil
}

func (s *sealWriter) flush(last bool) error {
	if s.n == math.MaxUint32 {
		return errors.New("more chunks than a blob can have")
	}
	s.out = s.aead.Seal(s.out[:0], chunkNonce(s.n, last), s.held, nil)
	s.n, s.held = s.n+1, s.held[:0]
	_, err := s.w.Write(s.out)
	return err
}

// Close writes the last chunk; it does not close what is below.
func (s *sealWriter) Close() error { return s.flush(true) }

// reader returns the plain bytes of d that r holds as they are kept, r itself when
// they are not encrypted. Errors: ErrBlobKey, ErrDamaged; r is closed then.
func (v *vault) reader(ctx context.Context, d exchange.Digest, r exchange.BlobReader) (exchange.BlobReader, error) {
	if v == nil || r.Size() < int64(headSize+tagSize) {
		return r, nil
	}
	head := make([]byte, headSize)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("reading blob %s: %w", d, err), r.Close())
	}
	if !bytes.HasPrefix(head, []byte(sealMark)) {
		return r, nil // of before encryption was switched on
	}
	s, err := v.opened(ctx, d, head, r)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return s, nil
}

func (v *vault) opened(ctx context.Context, d exchange.Digest, head []byte, r exchange.BlobReader) (*sealedReader, error) {
	rest := head[len(sealMark):]
	key, err := v.key(ctx, keyID(rest[:len(keyID{})]))
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", d, err)
	}
	aead, err := blobAEAD(key, rest[len(keyID{}):])
	if err != nil {
		return nil, err
	}
	size, ok := plainSize(r.Size())
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", d, ErrDamaged)
	}
	return &sealedReader{BlobReader: r, d: d, aead: aead, size: size, index: -1}, nil
}

// sealedReader decrypts a blob chunk by chunk: no byte of a chunk that was changed is
// given out. Its memory does not depend on the blob's size.
type sealedReader struct {
	exchange.BlobReader // as it is kept
	d                   exchange.Digest
	aead                cipher.AEAD
	size                int64

	mu    sync.Mutex
	begun bool  // the stream below stands behind the head
	at    int64 // where Read goes on
	next  int64 // the chunk that the stream below stands before
	index int64 // of the chunk in plain; -1: none
	plain []byte
	box   []byte
}

// Size implements exchange.BlobReader: of the plain bytes.
func (s *sealedReader) Size() int64 { return s.size }

// chunks is how many there are.
func (s *sealedReader) chunks() int64 { return max((s.size+chunkSize-1)/chunkSize, 1) }

// boxSize is how many bytes chunk i takes.
func (s *sealedReader) boxSize(i int64) int64 {
	return min(chunkSize, s.size-i*chunkSize) + tagSize
}

// decrypt makes plain chunk i of what box holds.
func (s *sealedReader) decrypt(i int64) error {
	plain, err := s.aead.Open(s.plain[:0], chunkNonce(uint32(i), i == s.chunks()-1), s.box, nil)
	if err != nil {
		s.index = -1
		return fmt.Errorf("blob %s, chunk %d: %w", s.d, i, ErrDamaged)
	}
	s.plain, s.index = plain, i
	return nil
}

// fill makes chunk i plain, from the stream where it stands before it.
func (s *sealedReader) fill(i int64, stream bool) error {
	if s.index == i {
		return nil
	}
	n := s.boxSize(i)
	if int64(cap(s.box)) < n {
		s.box = make([]byte, chunkSize+tagSize)
	}
	s.box = s.box[:n]
	var err error
	switch {
	case stream && s.next == i:
		_, err = io.ReadFull(s.BlobReader, s.box)
		s.next++
	default:
		var got int
		if got, err = s.ReadStored(s.box, int64(headSize)+i*(chunkSize+tagSize)); int64(got) == n {
			err = nil
		}
	}
	if err != nil {
		s.index = -1
		return fmt.Errorf("reading blob %s: %w", s.d, err)
	}
	return s.decrypt(i)
}

// ReadStored reads bytes as they are kept.
func (s *sealedReader) ReadStored(p []byte, at int64) (int, error) { return s.BlobReader.ReadAt(p, at) }

// Read implements io.Reader.
func (s *sealedReader) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		s.begun = true
		if _, err := io.CopyN(io.Discard, s.BlobReader, int64(headSize)); err != nil {
			return 0, fmt.Errorf("reading blob %s: %w", s.d, err)
		}
	}
	if s.at >= s.size {
		if s.size == 0 && s.index != 0 { // the empty blob has a chunk to be believed too
			if err := s.fill(0, true); err != nil {
				return 0, err
			}
		}
		return 0, io.EOF
	}
	if err := s.fill(s.at/chunkSize, true); err != nil {
		return 0, err
	}
	n := copy(p, s.plain[s.at%chunkSize:])
	s.at += int64(n)
	return n, nil
}

// ReadAt implements io.ReaderAt.
func (s *sealedReader) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, errors.New("negative offset")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(p) && at < s.size {
		if err := s.fill(at/chunkSize, false); err != nil {
			return n, err
		}
		c := copy(p[n:], s.plain[at%chunkSize:])
		n, at = n+c, at+int64(c)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
