package certs

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxRSABits bounds the cost of one verification: it grows with the square of
// the modulus, and no CA issues more than 8192 bits.
const maxRSABits = 16384

// parseKey reads RawSPKI. A key it does not understand is left nil, with its
// algorithm named: the certificate can still be shown and searched for.
func (c *Certificate) parseKey() error {
	in := cryptobyte.String(c.RawSPKI)
	var spki, bits cryptobyte.String
	if !in.ReadASN1(&spki, cbasn1.SEQUENCE) {
		return malformed("public key")
	}
	alg, ok := readAlgorithm(&spki)
	if !ok || !spki.ReadASN1(&bits, cbasn1.BIT_STRING) || !spki.Empty() || len(bits) < 1 || bits[0] != 0 {
		return malformed("public key")
	}
	c.keyBytes = bits[1:]
	c.KeyAlgorithm = alg.OID.String()
	switch {
	case alg.OID.Equal(oidRSAEncryption), alg.OID.Equal(oidRSAPSS):
		if alg.OID.Equal(oidRSAEncryption) {
			c.KeyAlgorithm = "RSA"
		}
		return c.parseRSA()
	case alg.OID.Equal(oidECPublicKey):
		c.KeyAlgorithm = "ECDSA"
		// A curve that is unknown there may be one of ours; else the key is nil.
		if pub, err := x509.ParsePKIXPublicKey(c.RawSPKI); err == nil {
			if ec, isEC := pub.(*ecdsa.PublicKey); isEC {
				c.PublicKey, c.KeyBits = ec, ec.Curve.Params().BitSize
			}
		} else if key := parseCurveKey(alg.Params, c.keyBytes); key != nil {
			c.PublicKey, c.KeyBits = key, key.Bits()
		}
	case alg.OID.Equal(oidDSA):
		c.KeyAlgorithm = "DSA"
		return c.parseDSA(alg.Params)
	case alg.OID.Equal(oidEd448):
		c.KeyAlgorithm, c.KeyBits = "Ed448", 448 // known by name: nothing here verifies it
	case alg.OID.Equal(oidEd25519):
		c.KeyAlgorithm = "Ed25519"
		if len(c.keyBytes) != ed25519.PublicKeySize {
			return malformed("Ed25519 public key")
		}
		c.PublicKey, c.KeyBits = ed25519.PublicKey(c.keyBytes), 256
	}
	return nil
}

func (c *Certificate) parseRSA() error {
	in := cryptobyte.String(c.keyBytes)
	var seq cryptobyte.String
	n, e := new(big.Int), 0
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Integer(n) || !seq.ReadASN1Integer(&e) || !seq.Empty() {
		return malformed("RSA public key")
	}
	if n.Sign() <= 0 || n.BitLen() > maxRSABits || e < 3 {
		return malformed("RSA public key")
	}
	c.PublicKey, c.KeyBits = &rsa.PublicKey{N: n, E: e}, n.BitLen()
	return nil
}

// pssOnly reports whether the key is of type id-RSASSA-PSS, which forbids PKCS #1 v1.5
// (RFC 4055, 1.2).
func (c *Certificate) pssOnly() bool { return c.KeyAlgorithm == oidRSAPSS.String() }
