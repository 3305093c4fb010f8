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
)

// passwordPad fills up passwords (ISO 32000-2, 7.6.4.3.2).
const passwordPad = "\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08" +
	"\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A"

// open finds the file encryption key with a password, the owner's or the user's. A
// password that is both opens as the owner's.
func (h *security) open(password string) bool {
	for _, n := range h.keyLens {
		if h.keyLen = n; h.openAt(password) {
			return true
		}
	}
	return false
}

// openAt is open for keys of keyLen bytes.
func (h *security) openAt(password string) bool {
	for _, p := range h.spellings(password) {
		if h.version == 5 {
			if h.openHashed(p) {
				return true
			}
			continue
		}
		// The owner's password gives the user's, which gives the key.
		if key, ok := h.userPasswordKey(h.ownersUserPassword(p)); ok {
			h.key, h.asOwner = key, true
			return true
		}
		if key, ok := h.userPasswordKey(p); ok {
			h.key = key
			return true
		}
	}
	return false
}

// userPasswordKey derives the key from a user password and checks it by U
// (algorithms 2, 4, 5 and 6 of ISO 32000-2, 7.6.4).
func (h *security) userPasswordKey(password []byte) ([]byte, bool) {
	key := h.fileKey(password)
	if h.revision == 2 {
		return key, bytes.Equal(rc4Bytes(key, []byte(passwordPad)), h.user[:32])
	}
	m := md5.New() //nolint:gosec // algorithm 5
	_, _ = m.Write([]byte(passwordPad))
	_, _ = m.Write(h.id)
	check := m.Sum(nil)
	for i := range 20 {
		check = rc4Bytes(xored(key, byte(i)), check)
	}
	return key, bytes.Equal(check, h.user[:16])
}

// fileKey is the key that a user password gives (algorithm 2).
func (h *security) fileKey(password []byte) []byte {
	m := md5.New() //nolint:gosec // algorithm 2
	_, _ = m.Write(padded(password))
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

// ownersUserPassword decrypts O with an owner password (algorithm 7).
func (h *security) ownersUserPassword(password []byte) []byte {
	sum := md5.Sum(padded(password)) //nolint:gosec // algorithm 3
	if h.revision >= 3 {
		for range 50 {
			sum = md5.Sum(sum[:h.keyLen]) //nolint:gosec // as above
		}
	}
	key, user := sum[:h.keyLen], bytes.Clone(h.owner[:32])
	if h.revision == 2 {
		return rc4Bytes(key, user)
	}
	for i := 19; i >= 0; i-- {
		user = rc4Bytes(xored(key, byte(i)), user)
	}
	return user
}

// openHashed is algorithm 2.A: O and U hold a hash, a salt for checking the
// password and a salt for the key that encrypts the file's.
func (h *security) openHashed(password []byte) bool {
	password = password[:min(len(password), maxHashedPassword)]
	user := h.user[:48]
	for _, try := range []struct {
		entry, wrapped, more []byte
		owner                bool
	}{{h.owner[:48], h.ownerKey, user, true}, {user, h.userKey, nil, false}} {
		if !bytes.Equal(h.hash(password, try.entry[32:40], try.more), try.entry[:32]) {
			continue
		}
		block, err := aes.NewCipher(h.hash(password, try.entry[40:48], try.more))
		if err != nil {
			return false
		}
		h.key, h.asOwner = bytes.Clone(try.wrapped), try.owner
		cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(h.key, h.key)
		h.restrict()
		return true
	}
	return false
}

// restrict narrows the permissions by those that Perms repeats under the file's key
// (algorithm 13): a P that someone widened afterwards counts for nothing.
func (h *security) restrict() {
	block, err := aes.NewCipher(h.key)
	if err != nil || len(h.perms) != aes.BlockSize {
		return
	}
	var plain [aes.BlockSize]byte
	block.Decrypt(plain[:], h.perms)
	if string(plain[9:12]) == "adb" {
		h.permissions &= binary.LittleEndian.Uint32(plain[:4])
	}
}

// hash is that of revision 6 (algorithm 2.B of ISO 32000-2, 7.6.4.3.4), or the
// single SHA-256 of revision 5. more is the entry U where O is meant.
func (h *security) hash(password, salt, more []byte) []byte {
	sum := sha256.Sum256(bytes.Join([][]byte{password, salt, more}, nil))
	k := sum[:]
	if h.revision == 5 {
		return k
	}
	for i := 0; ; i++ {
		e := bytes.Repeat(bytes.Join([][]byte{password, k, more}, nil), 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
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

func padded(password []byte) []byte {
	p := append(bytes.Clone(password[:min(len(password), len(passwordPad))]), passwordPad...)
	return p[:len(passwordPad)]
}

func xored(key []byte, with byte) []byte {
	k := bytes.Clone(key)
	for i := range k {
		k[i] ^= with
	}
	return k
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
