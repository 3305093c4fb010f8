package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// Type is the typ of a header: each kind of statement has its own, so that none
// can be passed off as another.
type Type string

// The kinds of statement.
const (
	TypeManifest    Type = "antin-manifest+jws"
	TypeReceipt     Type = "antin-receipt+jws"
	TypeClosed      Type = "antin-closed+jws"
	TypeNonDelivery Type = "antin-non-delivery+jws"
	TypeCorrection  Type = "antin-correction+jws"
	TypeSkip        Type = "antin-lane-skip+jws"
	TypeCapability  Type = "antin-capability+jws"
	TypeDirectory   Type = "antin-directory+jws"
)

// MaxSize bounds a statement, in bytes: a manifest of the greatest number of
// parts takes about 20 KB.
const MaxSize = 64 << 10

// The reasons for which a statement is not believed.
var (
	ErrFormat    = errors.New("not a statement of this profile")
	ErrType      = errors.New("statement of another type")
	ErrUnknown   = errors.New("statement signed with a key that is not the peer's")
	ErrSignature = errors.New("signature does not verify")
)

// Digest is the SHA-256 of a statement's payload, its identity.
type Digest [sha256.Size]byte

// String is the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// PayloadDigest returns the identity of a compact statement without believing it.
func PayloadDigest(compact []byte) (Digest, error) {
	s, err := split(compact)
	if err != nil {
		return Digest{}, err
	}
	return sha256.Sum256(s.payload), nil
}

type header struct {
	Alg Algorithm `json:"alg"`
	Kid string    `json:"kid"`
	Typ Type      `json:"typ"`
}

// Sign returns payload as a compact statement of type typ under key, an ECDSA
// P-256 or RSA key. random feeds the signature; nil means crypto/rand.
func Sign(random io.Reader, key crypto.Signer, typ Type, payload []byte) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	h := header{Alg: ES256, Typ: typ}
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		h.Alg = PS256
	}
	var err error
	if h.Kid, err = Thumbprint(key.Public()); err != nil {
		return nil, err
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("writing header: %w", err)
	}
	input := encode(head) + "." + encode(payload)
	if len(input) > MaxSize-maxRSA/8*4/3-4 {
		return nil, fmt.Errorf("%w: payload of %d bytes", ErrFormat, len(payload))
	}
	sum := sha256.Sum256([]byte(input))
	sig, err := signDigest(random, key, h.Alg, sum[:])
	if err != nil {
		return nil, err
	}
	return []byte(input + "." + encode(sig)), nil
}

func signDigest(random io.Reader, key crypto.Signer, alg Algorithm, sum []byte) ([]byte, error) {
	if alg == PS256 {
		sig, err := key.Sign(random, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
		if err != nil {
			return nil, fmt.Errorf("signing statement: %w", err)
		}
		return sig, nil
	}
	der, err := key.Sign(random, sum, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing statement: %w", err)
	}
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return nil, errors.New("signing statement: key gave no ECDSA signature")
	}
	n := elliptic.P256().Params().N
	if v.S.Cmp(half(n)) > 0 {
		v.S = new(big.Int).Sub(n, v.S)
	}
	sig := make([]byte, 64)
	v.R.FillBytes(sig[:32])
	v.S.FillBytes(sig[32:])
	return sig, nil
}

// Verify checks that compact is a statement of type typ signed by one of keys and
// returns its payload and the key's identifier. Errors wrap ErrFormat, ErrType,
// ErrUnknown or ErrSignature.
func Verify(compact []byte, typ Type, keys Keys) (payload []byte, kid string, err error) {
	s, err := split(compact)
	if err != nil {
		return nil, "", err
	}
	if s.header.Typ != typ {
		return nil, "", fmt.Errorf("%w: %q instead of %q", ErrType, s.header.Typ, typ)
	}
	if kid, err = s.verify(keys); err != nil {
		return nil, "", err
	}
	return s.payload, kid, nil
}

// verify checks s's signature under one of keys and returns the key's identifier.
func (s statement) verify(keys Keys) (kid string, err error) {
	pub, ok := keys.find(s.header.Kid)
	if !ok {
		return "", ErrUnknown
	}
	sum := sha256.Sum256([]byte(s.input))
	if err := verifyDigest(pub, s.header.Alg, sum[:], s.signature); err != nil {
		return "", err
	}
	return s.header.Kid, nil
}

func verifyDigest(pub crypto.PublicKey, alg Algorithm, sum, sig []byte) error {
	if _, err := Thumbprint(pub); err != nil {
		return err // a key of the wrong sort in the directory
	}
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if alg != ES256 {
			return fmt.Errorf("%w: %q with an ECDSA key", ErrSignature, alg)
		}
		return verifyECDSA(k, sum, sig)
	case *rsa.PublicKey:
		var err error
		switch alg {
		case PS256:
			err = rsa.VerifyPSS(k, crypto.SHA256, sum, sig, &rsa.PSSOptions{SaltLength: sha256.Size})
		case RS256:
			err = rsa.VerifyPKCS1v15(k, crypto.SHA256, sum, sig)
		case ES256:
			err = errors.New("algorithm of another key")
		default:
			err = errors.New("algorithm not in use")
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
		return nil
	}
	return ErrKey
}

// verifyECDSA takes the low of the two valid values of s only: then a statement
// has one signature per signing and nobody on the way can make another.
func verifyECDSA(k *ecdsa.PublicKey, sum, sig []byte) error {
	if len(sig) != 64 {
		return fmt.Errorf("%w: length", ErrSignature)
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	if s.Cmp(half(k.Params().N)) > 0 {
		return fmt.Errorf("%w: high s", ErrSignature)
	}
	if !ecdsa.Verify(k, sum, r, s) {
		return ErrSignature
	}
	return nil
}

func half(n *big.Int) *big.Int { return new(big.Int).Rsh(n, 1) }

type statement struct {
	header    header
	payload   []byte
	signature []byte
	input     string
}

// split takes a compact statement apart and checks its form.
func split(compact []byte) (statement, error) {
	var s statement
	if len(compact) > MaxSize {
		return s, fmt.Errorf("%w: more than %d bytes", ErrFormat, MaxSize)
	}
	parts := strings.Split(string(compact), ".")
	if len(parts) != 3 {
		return s, fmt.Errorf("%w: not three parts", ErrFormat)
	}
	head, err := decode(parts[0])
	if err != nil {
		return s, err
	}
	if err := strict(head, shape{"": {"alg", "kid", "typ"}}, &s.header); err != nil {
		return s, err
	}
	if s.header.Alg == "" || s.header.Kid == "" || s.header.Typ == "" {
		return s, fmt.Errorf("%w: header", ErrFormat)
	}
	if s.payload, err = decode(parts[1]); err != nil {
		return s, err
	}
	if s.signature, err = decode(parts[2]); err != nil {
		return s, err
	}
	s.input = parts[0] + "." + parts[1]
	return s, nil
}
