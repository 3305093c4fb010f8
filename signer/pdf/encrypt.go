package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5" //nolint:gosec // the standard security handler is defined with it
	"crypto/rc4" //nolint:gosec // the standard security handler is defined with it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"

	"antin/internal/text"
)

// Encrypted reports whether any section of the file names an encryption dictionary
// (ISO 32000-2, 7.6).
func (f *File) Encrypted() bool { return f.encryption() != nil }

// encryption returns the newest value of /Encrypt, nil when there is none.
func (f *File) encryption() Object {
	for _, s := range f.sections {
		if o := s.Trailer.Get("Encrypt"); o != nil && o != (Null{}) {
			return o
		}
	}
	return nil
}

// EncryptionError returns the error for working with an encrypted file, nil for one
// that is not encrypted: password-required when the empty user password does not
// open it, encryption-unsupported when it does or when the security handler is not
// the standard one.
func (f *File) EncryptionError() error {
	o := f.encryption()
	if o == nil {
		return nil
	}
	if ref, ok := o.(Ref); ok {
		if e, ok := f.Entry(ref.Num); !ok || e.ObjStm != 0 {
			return text.Errorf(text.EncryptionUnsupported, errors.New("encryption dictionary lies in an object stream"))
		}
	}
	d, err := f.Dict(o)
	if err != nil {
		return text.Errorf(text.EncryptionUnsupported, err)
	}
	h, ok := f.standardHandler(d)
	if ok && !h.opensWithoutPassword() {
		return text.Errorf(text.PasswordRequired, nil)
	}
	return text.Errorf(text.EncryptionUnsupported, nil)
}

// standardHandler holds the values of a standard security handler's dictionary
// that the check of the user password needs.
type standardHandler struct {
	revision      int64
	keyLen        int // bytes
	owner, user   []byte
	permissions   uint32
	id            []byte
	plainMetadata bool
}

// standardHandler reads d; ok is false when it is of another handler or damaged.
func (f *File) standardHandler(d *Dict) (h standardHandler, ok bool) {
	name, err := f.Name(d.Get("Filter"))
	revision, err2 := f.Int(d.Get("R"))
	owner, err3 := f.String(d.Get("O"))
	user, err4 := f.String(d.Get("U"))
	p, err5 := f.Int(d.Get("P"))
	bits, err6 := f.Int(d.Get("Length"))
	if errors.Join(err, err2, err3, err4, err5, err6) != nil || name != "Standard" {
		return h, false
	}
	h = standardHandler{revision: revision, keyLen: 5, owner: owner.Value, user: user.Value}
	h.permissions = uint32(p & 0xffffffff)
	if revision >= 3 && bits >= 40 && bits <= 128 {
		h.keyLen = int(bits / 8)
	}
	if v, err := f.Int(d.Get("V")); err == nil && v == 4 {
		h.keyLen = 16 // the crypt filters of that version have no other length
	}
	if o := d.Get("EncryptMetadata"); o != nil {
		b, err := f.Bool(o)
		h.plainMetadata = err == nil && !b
	}
	if a, err := f.Array(f.Trailer().Get("ID")); err == nil && len(a) > 0 {
		if s, err := f.String(a[0]); err == nil {
			h.id = s.Value
		}
	}
	switch {
	case revision >= 2 && revision <= 4:
		return h, len(h.owner) >= 32 && len(h.user) >= 32
	case revision == 5 || revision == 6:
		return h, len(h.user) >= 48
	}
	return h, false
}

// opensWithoutPassword checks the empty user password.
func (h standardHandler) opensWithoutPassword() bool {
	switch h.revision {
	case 5:
		sum := sha256.Sum256(h.user[32:40])
		return bytes.Equal(sum[:], h.user[:32])
	case 6:
		return bytes.Equal(hardenedHash(h.user[32:40]), h.user[:32])
	}
	key := h.fileKey()
	if h.revision == 2 {
		return bytes.Equal(rc4Bytes(key, []byte(passwordPad)), h.user[:32])
	}
	m := md5.New() //nolint:gosec // algorithm 5 of ISO 32000-1, 7.6.3.4
	_, _ = m.Write([]byte(passwordPad))
	_, _ = m.Write(h.id)
	check := m.Sum(nil)
	for i := range 20 {
		round := bytes.Clone(key)
		for j := range round {
			round[j] ^= byte(i)
		}
		check = rc4Bytes(round, check)
	}
	return bytes.Equal(check, h.user[:16])
}

// passwordPad fills up passwords (ISO 32000-2, 7.6.4.3.2).
const passwordPad = "\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08" +
	"\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A"

// fileKey is the file encryption key of the empty password (algorithm 2).
func (h standardHandler) fileKey() []byte {
	m := md5.New() //nolint:gosec // algorithm 2 of ISO 32000-1, 7.6.3.3
	_, _ = m.Write([]byte(passwordPad))
	_, _ = m.Write(h.owner[:32])
	_, _ = m.Write(binary.LittleEndian.AppendUint32(nil, h.permissions))
	_, _ = m.Write(h.id)
	if h.revision >= 4 && h.plainMetadata {
		_, _ = m.Write([]byte{0xff, 0xff, 0xff, 0xff})
	}
	key := m.Sum(nil)
	if h.revision >= 3 {
		for range 50 {
			sum := md5.Sum(key[:h.keyLen]) //nolint:gosec // as above
			key = sum[:]
		}
	}
	return key[:h.keyLen]
}

func rc4Bytes(key, data []byte) []byte {
	c, err := rc4.NewCipher(key) //nolint:gosec // as above
	if err != nil {
		return nil
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out
}

// hardenedHash is algorithm 2.B of ISO 32000-2, 7.6.4.3.4 for the empty user
// password with the given salt.
func hardenedHash(salt []byte) []byte {
	sum := sha256.Sum256(salt)
	k := sum[:]
	for i := 0; ; i++ {
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		e := bytes.Repeat(k, 64)
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(e, e)
		rest := 0
		for _, c := range e[:16] {
			rest += int(c)
		}
		switch rest % 3 {
		case 0:
			s := sha256.Sum256(e)
			k = s[:]
		case 1:
			s := sha512.Sum384(e)
			k = s[:]
		default:
			s := sha512.Sum512(e)
			k = s[:]
		}
		if i >= 63 && int(e[len(e)-1]) <= i-31 {
			return k[:32]
		}
	}
}
