package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the standard security handler is defined with it
	"crypto/rc4" //nolint:gosec // the standard security handler is defined with it
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// cipherChunk is how many bytes of a stream are decrypted at a time, a multiple of
// the block size.
const cipherChunk = 32 << 10

// objectKey is the key of the strings and streams of object ref: the file's own for
// AES-256, else one made from it (algorithm 1 of ISO 32000-2, 7.6.3.2).
func (h *security) objectKey(m method, ref Ref) []byte {
	if m == methodAES256 {
		return h.key
	}
	k := append(bytes.Clone(h.key), byte(ref.Num), byte(ref.Num>>8), byte(ref.Num>>16), byte(ref.Gen), byte(ref.Gen>>8))
	if m == methodAES128 {
		k = append(k, "sAlT"...)
	}
	sum := md5.Sum(k) //nolint:gosec // algorithm 1
	return sum[:min(len(h.key)+5, len(sum))]
}

// decryptStrings makes the strings within o plain, in place, and returns o. A string
// that is no ciphertext of its method stays as it is: readers forgive the few
// writers that leave one plain.
func (h *security) decryptStrings(ref Ref, o Object) Object {
	m := h.stringMethod()
	if m == methodNone {
		return o
	}
	key := h.objectKey(m, ref)
	return eachString(o, func(s String) String {
		if m == methodRC4 {
			s.Value = rc4Bytes(key, s.Value)
			return s
		}
		if plain, err := io.ReadAll(newCBCReader(key, bytes.NewReader(s.Value))); err == nil {
			s.Value = plain
		}
		return s
	})
}

// eachString replaces every string within o, in place, but for the /Contents of a
// signature dictionary, which is never encrypted (ISO 32000-2, 7.6.2).
func eachString(o Object, change func(String) String) Object {
	switch o := o.(type) {
	case String:
		return change(o)
	case Array:
		for i := range o {
			o[i] = eachString(o[i], change)
		}
	case *Dict:
		for i, k := range o.keys {
			if k != "Contents" || !holdsSignature(o) {
				o.values[i] = eachString(o.values[i], change)
			}
		}
	}
	return o
}

// holdsSignature reports whether d is a signature dictionary. /Type is optional
// there, but nothing else has a ByteRange.
func holdsSignature(d *Dict) bool {
	return d.Has("ByteRange") || d.Get("Type") == Name("Sig") || d.Get("Type") == Name("DocTimeStamp")
}

// encrypt returns the ciphertext of plain, the nth string or stream of object ref.
// The initialisation vector of AES is a keyed hash of place and content: nobody can
// foresee it, and the same update gives the same bytes.
func (h *security) encrypt(m method, ref Ref, nth int, plain []byte) ([]byte, error) {
	key := h.objectKey(m, ref)
	switch m {
	case methodNone:
		return plain, nil
	case methodRC4:
		return rc4Bytes(key, plain), nil
	case methodAES128, methodAES256:
	default:
		return nil, fmt.Errorf("crypt filter of unknown method %q", string(m))
	}
	mac := hmac.New(sha256.New, h.key)
	for _, v := range []int{ref.Num, ref.Gen, nth} {
		_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(v))) // a hash takes everything
	}
	_, _ = mac.Write(plain)
	iv := mac.Sum(nil)[:aes.BlockSize]
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("encrypting object %s: %w", ref, err)
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	out := append(append(make([]byte, 0, len(iv)+len(plain)+pad), iv...), plain...)
	out = append(out, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out[len(iv):], out[len(iv):])
	return out, nil
}

// streamCipher is how the bytes of one stream in a file are encrypted.
type streamCipher struct {
	method method
	key    *security
	ref    Ref
}

// open returns a reader of the plain bytes behind r.
func (c *streamCipher) open(r io.Reader) io.Reader {
	switch c.method {
	case methodNone:
		return r
	case methodRC4:
		stream, err := rc4.NewCipher(c.key.objectKey(c.method, c.ref)) //nolint:gosec // as above
		if err != nil {
			return failed{err}
		}
		return &cipher.StreamReader{S: stream, R: r}
	case methodAES128, methodAES256:
		return newCBCReader(c.key.objectKey(c.method, c.ref), r)
	}
	return failed{malformed("stream %s names a crypt filter of unknown method %q", c.ref, string(c.method))}
}

// failed is a reader that gives nothing but its error.
type failed struct{ err error }

// Read implements io.Reader.
func (f failed) Read([]byte) (int, error) { return 0, f.err }

// errNotBlocks is the error of ciphertext that is too short for AES in CBC mode.
var errNotBlocks = errors.New("ciphertext has no initialisation vector")

// cbcReader decrypts AES in CBC mode with the vector in front and padding behind
// (ISO 32000-2, 7.6.3.1). Bytes past the last whole block, and padding that is not
// proper, are forgiven as readers do.
type cbcReader struct {
	r     io.Reader
	block cipher.Block
	mode  cipher.BlockMode
	buf   []byte // ciphertext being read, then plain
	plain []byte // of buf, not handed out yet
	held  []byte // the last plain block, which may be padding
	err   error
}

func newCBCReader(key []byte, r io.Reader) io.Reader {
	block, err := aes.NewCipher(key)
	if err != nil {
		return failed{err}
	}
	return &cbcReader{r: r, block: block}
}

// Read implements io.Reader.
func (c *cbcReader) Read(p []byte) (int, error) {
	for len(c.plain) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		c.fill()
	}
	n := copy(p, c.plain)
	c.plain = c.plain[n:]
	return n, nil
}

// fill decrypts the next chunk, keeping its last block back until more follows.
func (c *cbcReader) fill() {
	if c.mode == nil {
		iv := make([]byte, aes.BlockSize)
		n, err := io.ReadFull(c.r, iv)
		if n == 0 && errors.Is(err, io.EOF) {
			c.err = io.EOF // nothing at all: an empty stream or string
			return
		}
		if err != nil {
			c.err = errNotBlocks
			return
		}
		c.mode = cipher.NewCBCDecrypter(c.block, iv)
		c.buf = make([]byte, aes.BlockSize+cipherChunk)
	}
	held := copy(c.buf, c.held)
	n, err := io.ReadFull(c.r, c.buf[aes.BlockSize:])
	whole := n - n%aes.BlockSize
	fresh := c.buf[aes.BlockSize:][:whole]
	c.mode.CryptBlocks(fresh, fresh)
	if held == 0 {
		c.plain = fresh
	} else {
		c.plain = c.buf[:aes.BlockSize+whole]
	}
	switch {
	case err == nil:
		last := len(c.plain) - aes.BlockSize
		c.held = append(c.held[:0], c.plain[last:]...)
		c.plain = c.plain[:last]
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		c.plain, c.err = unpadded(c.plain), io.EOF
	default:
		c.plain, c.err = nil, err
	}
}

// unpadded returns b without the padding of its last block (RFC 8018, 6.1.1).
func unpadded(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	pad := int(b[len(b)-1])
	if pad < 1 || pad > aes.BlockSize || pad > len(b) {
		return b
	}
	return b[:len(b)-pad]
}
