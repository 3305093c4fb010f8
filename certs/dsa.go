package certs

import (
	"crypto/dsa" //nolint:staticcheck // certificates of old archives are still verified with it; nothing is signed
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxDSABits bounds p of a DSA key: FIPS 186-4 ends at 3072.
const maxDSABits = 3072

// parseDSA reads a DSA key (RFC 3279, 2.3.2). Without parameters those of the
// issuer's key hold: PublicKey then has no P until a path supplies it.
func (c *Certificate) parseDSA(params []byte) error {
	in := cryptobyte.String(c.keyBytes)
	key := &dsa.PublicKey{Y: new(big.Int)}
	if !in.ReadASN1Integer(key.Y) || !in.Empty() || key.Y.Sign() <= 0 || key.Y.BitLen() > maxDSABits {
		return malformed("DSA public key")
	}
	if len(params) > 0 && params[0] != byte(cbasn1.NULL) {
		in, seq := cryptobyte.String(params), cryptobyte.String(nil)
		key.P, key.Q, key.G = new(big.Int), new(big.Int), new(big.Int)
		if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Integer(key.P) || !seq.ReadASN1Integer(key.Q) ||
			!seq.ReadASN1Integer(key.G) || !seq.Empty() || !saneDSA(key) {
			return malformed("DSA parameters")
		}
		c.KeyBits = key.P.BitLen()
	}
	c.PublicKey = key
	return nil
}

// saneDSA refuses parameters with which a verification is costly or proves nothing.
func saneDSA(k *dsa.PublicKey) bool {
	if k.P.BitLen() > maxDSABits || k.P.Sign() <= 0 || k.Q.Sign() <= 0 || k.Q.BitLen() > 256 || k.Q.Cmp(k.P) >= 0 {
		return false
	}
	one := big.NewInt(1)
	return k.G.Cmp(one) > 0 && k.G.Cmp(k.P) < 0 && k.Y.Cmp(one) > 0 && k.Y.Cmp(k.P) < 0
}

// verifyDSA verifies a Dss-Sig-Value over digest.
func verifyDSA(k *dsa.PublicKey, digest, sig []byte) bool {
	in := cryptobyte.String(sig)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) || !seq.Empty() {
		return false
	}
	return dsa.Verify(k, digest[:min(len(digest), (k.Q.BitLen()+7)/8)], r, s)
}

// incompleteDSA reports whether c's key inherits its parameters.
func (c *Certificate) incompleteDSA() (*dsa.PublicKey, bool) {
	k, ok := c.PublicKey.(*dsa.PublicKey)
	return k, ok && k.P == nil
}

// withParameters returns c with the DSA parameters of from's key, nil when from
// has none (RFC 5280, 6.1.4 (e)). The copy equals c in every other respect.
func (c *Certificate) withParameters(from *Certificate) *Certificate {
	k, incomplete := c.incompleteDSA()
	p, ok := from.PublicKey.(*dsa.PublicKey)
	if !incomplete || !ok || p.P == nil {
		return nil
	}
	whole := *c
	key := &dsa.PublicKey{Parameters: p.Parameters, Y: k.Y}
	if !saneDSA(key) {
		return nil
	}
	whole.PublicKey, whole.KeyBits = key, key.P.BitLen()
	return &whole
}
