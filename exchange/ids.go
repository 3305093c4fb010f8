package exchange

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// ID names one object of this gateway: a prefix that says what it is, an
// underscore, and 26 characters that sort by time of creation. Opaque to callers.
type ID string

// The prefixes of IDs.
const (
	PrefixDocument = "vb_" // văn bản đi
	PrefixInbox    = "vd_" // văn bản đến
	PrefixResult   = "kq_" // kết quả hồ sơ
	PrefixDelivery = "dl_" // one document, or one status message, to one receiver
)

// Has reports whether id begins with prefix.
func (id ID) Has(prefix string) bool { return strings.HasPrefix(string(id), prefix) }

// sortable is base32 whose letters stand in ASCII order, so that text order is
// byte order and therefore time order.
var sortable = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID returns a fresh ID made at now.
func NewID(prefix string, now time.Time) ID {
	u := uuid7(now)
	return ID(prefix + sortable.EncodeToString(u[:]))
}

// TransferID is the identity of one transfer, chosen by the sender and never
// changed by a retry: a UUID version 7 in its canonical text form.
type TransferID string

// NewTransferID returns a fresh TransferID made at now.
func NewTransferID(now time.Time) TransferID {
	u := uuid7(now)
	h := hex.EncodeToString(u[:])
	return TransferID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// ParseTransferID returns the TransferID written in s and whether s is one: a
// UUID in lower-case canonical form, of any version, since peers choose theirs.
func ParseTransferID(s string) (TransferID, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", false
	}
	for i, r := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
		case r >= '0' && r <= '9', r >= 'a' && r <= 'f':
		default:
			return "", false
		}
	}
	return TransferID(s), true
}

// uuid7 is RFC 9562, 5.7: 48 bits of Unix milliseconds, 12 bits of the part of a
// millisecond (6.2, method 3), then random bits.
func uuid7(now time.Time) [16]byte {
	var u [16]byte
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(now.UnixMilli(), 0)))
	copy(u[:6], ms[2:])
	_, _ = rand.Read(u[6:]) // never fails: crypto/rand ends the program instead
	part := uint16(now.Nanosecond() % int(time.Millisecond) * 4096 / int(time.Millisecond))
	binary.BigEndian.PutUint16(u[6:], part|0x7000)
	u[8] = u[8]&0x3f | 0x80
	return u
}
