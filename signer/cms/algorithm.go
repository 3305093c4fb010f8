package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // the hash functions of new signatures
	_ "crypto/sha3"   // likewise
	_ "crypto/sha512" // likewise
	"encoding/asn1"
	"fmt"
	"io"
	"slices"

	"antin/certs"
	"antin/signer/ades"
)

// Algorithm is a signature scheme with its digest. The zero value is none.
type Algorithm struct {
	// Digest is the hash of the content, and of the attributes where the scheme takes a hash.
	Digest crypto.Hash
	// Scheme is one of the names of package ades.
	Scheme ades.SignatureAlgorithm
}

// AlgorithmFor returns the algorithm for a key with public part pub and content
// digest h; zero h is SHA-256. pss asks RSA keys for RSASSA-PSS with MGF1 of the
// same hash and a salt as long as the hash (RFC 4056); other keys ignore it.
// Ed25519 always digests with SHA-512 (RFC 8419). The error is ErrUnsupported.
func AlgorithmFor(pub crypto.PublicKey, h crypto.Hash, pss bool) (Algorithm, error) {
	if h == 0 {
		h = crypto.SHA256
	}
	a := Algorithm{Digest: h}
	switch pub.(type) {
	case *rsa.PublicKey:
		a.Scheme = ades.RSAPKCS1
		if pss {
			a.Scheme = ades.RSAPSS
		}
	case *ecdsa.PublicKey:
		a.Scheme = ades.ECDSA
	case ed25519.PublicKey:
		a.Scheme, a.Digest = ades.Ed25519, crypto.SHA512
	default:
		return Algorithm{}, fmt.Errorf("%w: key of type %T", ErrUnsupported, pub)
	}
	if a.signatureOID() == nil || !a.Digest.Available() {
		return Algorithm{}, fmt.Errorf("%w: %s with %s", ErrUnsupported, a.Scheme, a.Digest)
	}
	return a, nil
}

// AlgorithmForCertificate is AlgorithmFor the key of cert. A key that its
// certificate restricts to RSASSA-PSS (RFC 4055, 1.2) gets that scheme, whatever pss says.
func AlgorithmForCertificate(cert *certs.Certificate, h crypto.Hash, pss bool) (Algorithm, error) {
	return AlgorithmFor(cert.PublicKey, h, pss || cert.KeyAlgorithm == oidRSASSAPSS.String())
}

// Input returns what a key signs for the DER SET of attrs: their digest, or the
// attributes themselves with Ed25519.
func (a Algorithm) Input(attrs []byte) []byte {
	if a.Scheme == ades.Ed25519 {
		return attrs
	}
	h := a.Digest.New()
	h.Write(attrs)
	return h.Sum(nil)
}

// SignerOpts are the options that go with Input to a crypto.Signer.
func (a Algorithm) SignerOpts() crypto.SignerOpts {
	switch a.Scheme {
	case ades.Ed25519:
		return crypto.Hash(0)
	case ades.RSAPSS:
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.Digest}
	case ades.RSAPKCS1, ades.ECDSA, ades.DSA:
	}
	return a.Digest
}

// Sign signs the DER SET of attrs with key. Randomness comes from random.
func (a Algorithm) Sign(random io.Reader, key crypto.Signer, attrs []byte) ([]byte, error) {
	return key.Sign(random, a.Input(attrs), a.SignerOpts())
}

// hashedSchemes are the identifiers written for a scheme together with its hash.
var hashedSchemes = []struct {
	scheme ades.SignatureAlgorithm
	hash   crypto.Hash
	oid    asn1.ObjectIdentifier
}{
	{ades.RSAPKCS1, crypto.SHA256, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}},
	{ades.RSAPKCS1, crypto.SHA384, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}},
	{ades.RSAPKCS1, crypto.SHA512, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}},
	{ades.RSAPKCS1, crypto.SHA3_256, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 14}},
	{ades.RSAPKCS1, crypto.SHA3_384, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 15}},
	{ades.RSAPKCS1, crypto.SHA3_512, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 16}},
	{ades.ECDSA, crypto.SHA256, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}},
	{ades.ECDSA, crypto.SHA384, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}},
	{ades.ECDSA, crypto.SHA512, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}},
	{ades.ECDSA, crypto.SHA3_256, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 10}},
	{ades.ECDSA, crypto.SHA3_384, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 11}},
	{ades.ECDSA, crypto.SHA3_512, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 12}},
}

// pssHashes are the hashes RSASSA-PSS is written with. SHA-1 and SHA-224 are
// never written: no policy accepts them in a new signature.
var pssHashes = []crypto.Hash{
	crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512,
}

// signatureOID is the identifier a is written with; nil when there is none. RSA
// PKCS #1 is written with the hash in the identifier, as CAdES verifiers expect.
func (a Algorithm) signatureOID() asn1.ObjectIdentifier {
	switch a.Scheme {
	case ades.RSAPSS:
		if slices.Contains(pssHashes, a.Digest) {
			return oidRSASSAPSS
		}
	case ades.Ed25519:
		return oidEd25519
	case ades.RSAPKCS1, ades.ECDSA:
		for _, e := range hashedSchemes {
			if e.scheme == a.Scheme && e.hash == a.Digest {
				return e.oid
			}
		}
	case ades.DSA: // verified in old archives, never created
	}
	return nil
}

// signatureIdentifier is the AlgorithmIdentifier of the signature: parameters
// NULL with RSA PKCS #1 (RFC 4055, 5), spelled out with PSS (RFC 4055, 3.1),
// absent with ECDSA and Ed25519 (RFC 5758, 3.2; RFC 8410, 3).
func (a Algorithm) signatureIdentifier() []byte {
	switch a.Scheme {
	case ades.RSAPKCS1:
		return derSequence(derOID(a.signatureOID()), derNull)
	case ades.RSAPSS:
		const tagSalt = 0xA2
		hash := digestIdentifier(a.Digest)
		mgf := derSequence(derOID(oidMGF1), hash)
		params := derSequence(derTagged(tagContext0, hash), derTagged(tagContext1, mgf),
			derTagged(tagSalt, derInt(int64(a.Digest.Size()))))
		return derSequence(derOID(oidRSASSAPSS), params)
	case ades.ECDSA, ades.Ed25519, ades.DSA:
	}
	return derSequence(derOID(a.signatureOID()))
}

// digestIdentifier is the AlgorithmIdentifier of h, its parameters absent (RFC 5754, 2).
func digestIdentifier(h crypto.Hash) []byte { return derSequence(derOID(ades.HashOID(h))) }
