package pades

import (
	"bytes"
	"encoding/asn1"
)

// padded is the value of a signature dictionary with the padding of its room as
// zeros. Readers of the standard find them there; in an encrypted file some writers
// leave the ciphertext of them, since they encrypt the empty /Contents before they put
// the CMS over its start. Only what the file's own key proves to be such ciphertext is
// taken for zeros; other bytes stay, and are malformed to whoever parses the value.
func (m *form) padded(s *Signature, value []byte) []byte {
	var der asn1.RawValue
	rest, err := asn1.Unmarshal(value, &der)
	if s.ValueRef.IsZero() || err != nil || der.Tag != asn1.TagSequence || len(bytes.TrimLeft(rest, "\x00")) == 0 ||
		!m.file.CipheredZeros(s.ValueRef, value, len(der.FullBytes)) {
		return value
	}
	return append(bytes.Clone(der.FullBytes), make([]byte, len(rest))...)
}
