package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// Algorithm is the alg of a header.
type Algorithm string

// The algorithms that are verified. ES256 and PS256 are also made.
const (
	ES256 Algorithm = "ES256" // ECDSA P-256 with SHA-256, low s
	PS256 Algorithm = "PS256" // RSASSA-PSS with SHA-256, salt of 32 bytes
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
)

// The bounds of an RSA key, in bits: weaker ones prove nothing, larger ones let a
// peer spend our CPU.
const (
	minRSA = 2048
	maxRSA = 8192
)

// ErrKey reports a public key that this profile does not use.
var ErrKey = errors.New("key is neither ECDSA P-256 nor RSA of 2048 to 8192 bits")

// Key is a public key under its thumbprint.
type Key struct {
	ID     string // see Thumbprint
	Public crypto.PublicKey
}

// NewKey returns pub under its thumbprint; ErrKey when pub cannot be used here.
func NewKey(pub crypto.PublicKey) (Key, error) {
	id, err := Thumbprint(pub)
	return Key{ID: id, Public: pub}, err
}

// Keys are the keys a verifier accepts, taken from its own directory.
type Keys []Key

// NewKeys returns the keys of pubs.
func NewKeys(pubs ...crypto.PublicKey) (Keys, error) {
	keys := make(Keys, 0, len(pubs))
	for _, pub := range pubs {
		k, err := NewKey(pub)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func (k Keys) find(id string) (crypto.PublicKey, bool) {
	for _, key := range k {
		if key.ID == id {
			return key.Public, true
		}
	}
	return nil, false
}

// Thumbprint is the SHA-256 thumbprint of pub's JSON Web Key (RFC 7638) in
// base64url; ErrKey when pub cannot be used here.
func Thumbprint(pub crypto.PublicKey) (string, error) {
	var jwk string
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		point, err := pointOf(k)
		if err != nil {
			return "", err
		}
		jwk = fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, encode(point[1:33]), encode(point[33:]))
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSA || bits > maxRSA {
			return "", ErrKey
		}
		jwk = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, encode(big.NewInt(int64(k.E)).Bytes()), encode(k.N.Bytes()))
	default:
		return "", ErrKey
	}
	sum := sha256.Sum256([]byte(jwk))
	return encode(sum[:]), nil
}

// pointOf returns the uncompressed point of a P-256 key.
func pointOf(k *ecdsa.PublicKey) ([]byte, error) {
	if k.Curve != elliptic.P256() {
		return nil, ErrKey
	}
	point, err := k.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return point, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode accepts canonical base64url only: no padding, no stray bits, no line
// breaks (which the standard decoder skips).
func decode(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || encode(b) != s {
		return nil, fmt.Errorf("%w: base64url", ErrFormat)
	}
	return b, nil
}
