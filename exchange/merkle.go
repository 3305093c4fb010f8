package exchange

import (
	"crypto/sha256"
	"encoding/hex"
)

// merkle is the root of leaves as RFC 9162, 2.1.1 builds it: SHA-256 with 0x00 before
// a leaf and 0x01 before a pair of nodes, the left side a full power of two; the root
// of none is the digest of no bytes.
func merkle(leaves [][]byte) [sha256.Size]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	l, r := merkle(leaves[:k]), merkle(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

// hourRoot is the root over the entries of one hour, in the order of their time and
// id: a leaf is the transfer's id, a line feed and the receipt's digest.
func hourRoot(entries []Settled) string {
	leaves := make([][]byte, len(entries))
	for i, e := range entries {
		leaves[i] = []byte(string(e.ID) + "\n" + string(e.Receipt))
	}
	root := merkle(leaves)
	return hex.EncodeToString(root[:])
}

// dayRoot is the root over the day's 24 hours: a leaf is the hour's root.
func dayRoot(hours []HourSum) string {
	leaves := make([][]byte, len(hours))
	for i, h := range hours {
		leaves[i], _ = hex.DecodeString(h.Root) // made by hourRoot
	}
	root := merkle(leaves)
	return hex.EncodeToString(root[:])
}
