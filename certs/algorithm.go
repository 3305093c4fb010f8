package certs

import (
	"crypto"
	"crypto/dsa" //nolint:staticcheck // verified only, for old archives
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // the hash functions of signatures
	_ "crypto/sha3"   // likewise
	_ "crypto/sha512" // likewise
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"antin/signer/ades"
)

// AlgorithmIdentifier is RFC 5280's: an object identifier and its parameters.
type AlgorithmIdentifier struct {
	OID asn1.ObjectIdentifier
	// Params is the DER of the parameters with tag and length; nil when absent.
	Params []byte
}

// SignatureScheme is what an AlgorithmIdentifier of a signature means.
type SignatureScheme struct {
	Algorithm ades.SignatureAlgorithm
	// Hash is the digest that is signed; for Ed25519 the message itself is signed
	// and Hash is SHA-512, which the scheme uses inside.
	Hash crypto.Hash
	// MGF and SaltLength (bytes) are of RSA-PSS only.
	MGF        crypto.Hash
	SaltLength int
}

// ErrSignature is in the chain of every error that says: this value was not made
// by this key over these bytes.
var ErrSignature = errors.New("certs: signature value does not verify")

// ErrAlgorithm is in the chain of every error that says: this algorithm or key
// type is not supported, so nothing is known about the value.
var ErrAlgorithm = errors.New("certs: unsupported signature algorithm")

// Object identifiers of signature algorithms whose meaning is more than "scheme with hash".
var (
	oidRSAEncryption = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSAPSS        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidEd25519       = asn1.ObjectIdentifier{1, 3, 101, 112}
	oidECPublicKey   = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidDSA           = asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}
	oidEd448         = asn1.ObjectIdentifier{1, 3, 101, 113}
)

var schemes = []struct {
	oid  asn1.ObjectIdentifier
	alg  ades.SignatureAlgorithm
	hash crypto.Hash
}{
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, ades.RSAPKCS1, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, ades.RSAPKCS1, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, ades.RSAPKCS1, crypto.SHA512},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 14}, ades.RSAPKCS1, crypto.SHA224},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 15}, ades.RSAPKCS1, crypto.SHA512_224},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 16}, ades.RSAPKCS1, crypto.SHA512_256},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, ades.RSAPKCS1, crypto.SHA1},
	{asn1.ObjectIdentifier{1, 3, 14, 3, 2, 29}, ades.RSAPKCS1, crypto.SHA1}, // the OIW identifier, seen in old files
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 13}, ades.RSAPKCS1, crypto.SHA3_224},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 14}, ades.RSAPKCS1, crypto.SHA3_256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 15}, ades.RSAPKCS1, crypto.SHA3_384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 16}, ades.RSAPKCS1, crypto.SHA3_512},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, ades.ECDSA, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, ades.ECDSA, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, ades.ECDSA, crypto.SHA512},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 1}, ades.ECDSA, crypto.SHA224},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, ades.ECDSA, crypto.SHA1},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 9}, ades.ECDSA, crypto.SHA3_224},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 10}, ades.ECDSA, crypto.SHA3_256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 11}, ades.ECDSA, crypto.SHA3_384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 12}, ades.ECDSA, crypto.SHA3_512},
	{asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 3}, ades.DSA, crypto.SHA1},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 1}, ades.DSA, crypto.SHA224},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 2}, ades.DSA, crypto.SHA256},
}

// Scheme reads a as a signature algorithm. The bare rsaEncryption and
// id-ecPublicKey identifiers, which CMS writers use beside a digest algorithm,
// give a scheme without a hash. An unknown algorithm is ErrAlgorithm.
func (a AlgorithmIdentifier) Scheme() (SignatureScheme, error) {
	for _, s := range schemes {
		if s.oid.Equal(a.OID) {
			return SignatureScheme{Algorithm: s.alg, Hash: s.hash}, nil
		}
	}
	switch {
	case a.OID.Equal(oidRSAEncryption):
		return SignatureScheme{Algorithm: ades.RSAPKCS1}, nil
	case a.OID.Equal(oidECPublicKey):
		return SignatureScheme{Algorithm: ades.ECDSA}, nil
	case a.OID.Equal(oidEd25519):
		return SignatureScheme{Algorithm: ades.Ed25519, Hash: crypto.SHA512}, nil
	case a.OID.Equal(oidRSAPSS):
		return parsePSS(a.Params)
	}
	return SignatureScheme{}, fmt.Errorf("%w: %v", ErrAlgorithm, a.OID)
}

// parsePSS reads RSASSA-PSS-params (RFC 4055, 3.1); absent members mean SHA-1,
// MGF1 with SHA-1 and a salt of 20 bytes.
func parsePSS(der []byte) (SignatureScheme, error) {
	s := SignatureScheme{Algorithm: ades.RSAPSS, Hash: crypto.SHA1, MGF: crypto.SHA1, SaltLength: 20}
	bad := fmt.Errorf("%w: malformed RSA-PSS parameters", ErrAlgorithm)
	in := cryptobyte.String(der)
	var seq, member cryptobyte.String
	var present bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return s, bad
	}
	context := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	if !seq.ReadOptionalASN1(&member, &present, context(0)) {
		return s, bad
	}
	if present {
		h, ok := readHash(&member)
		if !ok {
			return s, bad
		}
		s.Hash = h
	}
	if !seq.ReadOptionalASN1(&member, &present, context(1)) {
		return s, bad
	}
	if present {
		mgf, ok := readAlgorithm(&member)
		params := cryptobyte.String(mgf.Params)
		if !ok || !mgf.OID.Equal(oidMGF1) {
			return s, bad
		}
		if s.MGF, ok = readHash(&params); !ok {
			return s, bad
		}
	}
	if !seq.ReadOptionalASN1(&member, &present, context(2)) {
		return s, bad
	}
	if present && !member.ReadASN1Integer(&s.SaltLength) {
		return s, bad
	}
	trailer := 1
	if !seq.ReadOptionalASN1(&member, &present, context(3)) || !seq.Empty() {
		return s, bad
	}
	if present && !member.ReadASN1Integer(&trailer) {
		return s, bad
	}
	// The salt is at most what fits beside the hash in a 16384-bit modulus.
	if trailer != 1 || s.SaltLength < 0 || s.SaltLength > maxRSABits/8 {
		return s, bad
	}
	return s, nil
}

func readHash(s *cryptobyte.String) (crypto.Hash, bool) {
	a, ok := readAlgorithm(s)
	if !ok {
		return 0, false
	}
	return ades.HashFromOID(a.OID)
}

func readAlgorithm(s *cryptobyte.String) (a AlgorithmIdentifier, ok bool) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.OID) {
		return a, false
	}
	if seq.Empty() {
		return a, true
	}
	var params cryptobyte.String
	var tag cbasn1.Tag
	if !seq.ReadAnyASN1Element(&params, &tag) || !seq.Empty() {
		return a, false
	}
	a.Params = params
	return a, true
}

// VerifySignature verifies sig over signed with c's public key. SHA-1 is
// verified too: whether it still proves anything is CryptoPolicy's question. The
// error wraps ErrSignature or ErrAlgorithm.
func (c *Certificate) VerifySignature(alg AlgorithmIdentifier, signed, sig []byte) error {
	s, err := alg.Scheme()
	if err != nil {
		return err
	}
	if s.Algorithm == ades.Ed25519 {
		return c.VerifyDigest(s, signed, sig)
	}
	if !s.Hash.Available() {
		return fmt.Errorf("%w: no hash function in %v", ErrAlgorithm, alg.OID)
	}
	h := s.Hash.New()
	h.Write(signed)
	return c.VerifyDigest(s, h.Sum(nil), sig)
}

// VerifyDigest verifies sig over digest, which was computed with s.Hash. For
// Ed25519 digest is the message itself. Errors are those of VerifySignature.
func (c *Certificate) VerifyDigest(s SignatureScheme, digest, sig []byte) error {
	if s.Algorithm != ades.Ed25519 && (!s.Hash.Available() || s.Hash == crypto.MD5) {
		return fmt.Errorf("%w: hash function of %s", ErrAlgorithm, s.Algorithm)
	}
	var ok bool
	switch pub := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch {
		case s.Algorithm != ades.RSAPSS && (s.Algorithm != ades.RSAPKCS1 || c.pssOnly()):
			return c.mismatch(s)
		case s.Algorithm == ades.RSAPSS && (!s.MGF.Available() || s.MGF == crypto.MD5):
			return fmt.Errorf("%w: mask generation of RSA-PSS", ErrAlgorithm)
		}
		ok = verifyRSA(pub, s, digest, sig)
	case *ecdsa.PublicKey:
		if s.Algorithm != ades.ECDSA {
			return c.mismatch(s)
		}
		ok = ecdsa.VerifyASN1(pub, digest, sig)
	case *CurveKey:
		if s.Algorithm != ades.ECDSA {
			return c.mismatch(s)
		}
		ok = pub.verify(digest, sig)
	case *dsa.PublicKey:
		if s.Algorithm != ades.DSA {
			return c.mismatch(s)
		}
		if pub.P == nil {
			return fmt.Errorf("%w: DSA key without parameters", ErrAlgorithm)
		}
		ok = verifyDSA(pub, digest, sig)
	case ed25519.PublicKey:
		if s.Algorithm != ades.Ed25519 {
			return c.mismatch(s)
		}
		ok = ed25519.Verify(pub, digest, sig)
	default:
		return fmt.Errorf("%w: public key %s", ErrAlgorithm, c.KeyAlgorithm)
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

func (c *Certificate) mismatch(s SignatureScheme) error {
	return fmt.Errorf("%w: %s value, %s key", ErrSignature, s.Algorithm, c.KeyAlgorithm)
}

// checkSignatureFrom verifies c's own signature with issuer's key.
func (c *Certificate) checkSignatureFrom(issuer *Certificate) error {
	return issuer.verifySigned(c.SignatureAlgorithm, c.RawTBS, c.received, c.Signature)
}
