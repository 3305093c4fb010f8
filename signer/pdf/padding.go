package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rc4" //nolint:gosec // the standard security handler is defined with it
)

// CipheredZeros reports whether value, from byte from on, is what the file's own
// cipher makes of zeros in a string of object ref. Some writers encrypt the empty
// /Contents of a signature, which the standard leaves in clear (ISO 32000-2, 7.6.2),
// and then put the signature over its start. With AES the 31 bytes at most before the
// second whole block cannot be told, since what they depend on is overwritten. It is
// false for a file that is not encrypted, or not opened.
func (f *File) CipheredZeros(ref Ref, value []byte, from int) bool {
	h := f.lock.handler
	if h == nil || h.key == nil || from < 0 || from >= len(value) {
		return false
	}
	m := h.stringMethod()
	key := h.objectKey(m, ref)
	switch m {
	case methodRC4:
		c, err := rc4.NewCipher(key) //nolint:gosec // as above
		if err != nil {
			return false
		}
		stream := make([]byte, len(value))
		c.XORKeyStream(stream, stream)
		return bytes.Equal(stream[from:], value[from:])
	case methodAES128, methodAES256:
		block, err := aes.NewCipher(key)
		return err == nil && cbcZeros(block, value, from)
	case methodNone:
	}
	return false
}

// cbcZeros reports whether the whole blocks of value behind byte from are zeros in CBC
// mode, the last with the padding of RFC 8018, 6.1.1 in it.
func cbcZeros(block cipher.Block, value []byte, from int) bool {
	const size = aes.BlockSize
	first := (from + size - 1) / size * size // it is the vector of the next
	if len(value)%size != 0 || len(value)-first < 2*size {
		return false
	}
	plain := bytes.Clone(value[first+size:])
	cipher.NewCBCDecrypter(block, value[first:first+size]).CryptBlocks(plain, plain)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > size {
		return false
	}
	body, padding := plain[:len(plain)-pad], plain[len(plain)-pad:]
	return len(bytes.Trim(body, "\x00")) == 0 && bytes.Equal(padding, bytes.Repeat([]byte{byte(pad)}, pad))
}
