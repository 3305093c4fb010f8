package peer

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"antin/exchange/jws"
)

// ReprDigest is the Repr-Digest field (RFC 9530) that a part comes with: the digest
// of the whole part, as its manifest has it.
func ReprDigest(p jws.Part) string { return digestField(p.SHA256) }

// digestField is a digest in hexadecimal as a field of RFC 9530 holds it.
func digestField(sha256 string) string {
	raw, _ := hex.DecodeString(sha256) // a manifest's check, or our own hash, has seen that it is one
	return "sha-256=:" + base64.StdEncoding.EncodeToString(raw) + ":"
}

// parseDigest returns the digest in such a field in lower-case hexadecimal.
func parseDigest(field string) (string, bool) {
	inner, ok := strings.CutPrefix(field, "sha-256=:")
	inner, ended := strings.CutSuffix(inner, ":")
	raw, err := base64.StdEncoding.Strict().DecodeString(inner)
	if !ok || !ended || err != nil || len(raw) != 32 || base64.StdEncoding.EncodeToString(raw) != inner {
		return "", false
	}
	return hex.EncodeToString(raw), true
}
