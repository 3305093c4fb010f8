package cms

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"slices"
)

// derNull is the DER NULL.
var derNull = []byte{0x05, 0x00}

// derTagged is an element with tag whose content is the parts, one after the other.
func derTagged(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := appendHeader(make([]byte, 0, n+6), tag, n)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func appendHeader(dst []byte, tag byte, n int) []byte {
	dst = append(dst, tag)
	if n < 0x80 {
		return append(dst, byte(n))
	}
	octets := big.NewInt(int64(n)).Bytes()
	return append(append(dst, 0x80|byte(len(octets))), octets...)
}

func derSequence(parts ...[]byte) []byte { return derTagged(tagSequence, parts...) }

// derSetOf is a SET OF with tag: the items in ascending order of their encodings
// (X.690, 11.6).
func derSetOf(tag byte, items [][]byte) []byte {
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, bytes.Compare)
	return derTagged(tag, sorted...)
}

func derOctets(b []byte) []byte { return derTagged(tagOctetString, b) }

func derInt(n int64) []byte { return derInteger(big.NewInt(n)) }

// derInteger is the shortest two's complement form of n, which is never negative
// except for the serial numbers of old certificates.
func derInteger(n *big.Int) []byte {
	if n.Sign() < 0 {
		octets := n.BitLen()/8 + 1
		mod := new(big.Int).Lsh(big.NewInt(1), uint(octets)*8)
		b := mod.Add(mod, n).Bytes()
		if len(b) > 1 && b[0] == 0xFF && b[1]&0x80 != 0 {
			b = b[1:]
		}
		return derTagged(tagInteger, b)
	}
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return derTagged(tagInteger, b)
}

// derOID encodes oid, which comes from a table or was parsed; nil gives an empty body.
func derOID(oid asn1.ObjectIdentifier) []byte {
	if len(oid) < 2 {
		return derTagged(tagOID)
	}
	body := appendBase128(nil, oid[0]*40+oid[1])
	for _, arc := range oid[2:] {
		body = appendBase128(body, arc)
	}
	return derTagged(tagOID, body)
}

func appendBase128(dst []byte, n int) []byte {
	digits := 1
	for m := n >> 7; m > 0; m >>= 7 {
		digits++
	}
	for i := digits - 1; i >= 0; i-- {
		b := byte(n>>(7*i)) & 0x7F
		if i > 0 {
			b |= 0x80
		}
		dst = append(dst, b)
	}
	return dst
}
