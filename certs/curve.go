package certs

import (
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// CurveKey is a public key on an elliptic curve that the standard library does
// not know. It verifies; this module makes no signature with such a key. It is
// read-only.
type CurveKey struct {
	curve *curve
	point affine
}

// Curve is the curve's name ("brainpoolP256r1", "secp256k1").
func (k *CurveKey) Curve() string { return k.curve.name }

// Bits is the size of the curve's field.
func (k *CurveKey) Bits() int { return k.curve.p.BitLen() }

// curve is y² = x³ + ax + b over the integers modulo p, with the point g of the
// prime order n.
type curve struct {
	name       string
	p, a, b, n *big.Int
	g          affine
}

// affine is a point with its two coordinates.
type affine struct{ x, y *big.Int }

// curves are those of RFC 5639 without a twist, and SEC 2's secp256k1: p, a, b, x
// and y of the base point, and its order, in hexadecimal.
var curves = []struct {
	name               string
	oid                asn1.ObjectIdentifier
	p, a, b, gx, gy, n string
}{
	{"brainpoolP224r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 5},
		"d7c134aa264366862a18302575d1d787b09f075797da89f57ec8c0ff",
		"68a5e62ca9ce6c1c299803a6c1530b514e182ad8b0042a59cad29f43",
		"2580f63ccfe44138870713b1a92369e33e2135d266dbb372386c400b",
		"d9029ad2c7e5cf4340823b2a87dc68c9e4ce3174c1e6efdee12c07d",
		"58aa56f772c0726f24c6b89e4ecdac24354b9e99caa3f6d3761402cd",
		"d7c134aa264366862a18302575d0fb98d116bc4b6ddebca3a5a7939f",
	},
	{"brainpoolP256r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 7},
		"a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
		"7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
		"26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
		"8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262",
		"547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
		"a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
	},
	{"brainpoolP320r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 9},
		"d35e472036bc4fb7e13c785ed201e065f98fcfa6f6f40def4f92b9ec7893ec28fcd412b1f1b32e27",
		"3ee30b568fbab0f883ccebd46d3f3bb8a2a73513f5eb79da66190eb085ffa9f492f375a97d860eb4",
		"520883949dfdbc42d3ad198640688a6fe13f41349554b49acc31dccd884539816f5eb4ac8fb1f1a6",
		"43bd7e9afb53d8b85289bcc48ee5bfe6f20137d10a087eb6e7871e2a10a599c710af8d0d39e20611",
		"14fdd05545ec1cc8ab4093247f77275e0743ffed117182eaa9c77877aaac6ac7d35245d1692e8ee1",
		"d35e472036bc4fb7e13c785ed201e065f98fcfa5b68f12a32d482ec7ee8658e98691555b44c59311",
	},
	{"brainpoolP384r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 11},
		"8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53",
		"7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd22ce2826",
		"4a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696fa504c11",
		"1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e247d4af1e",
		"8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315",
		"8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565",
	},
	{"brainpoolP512r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 13},
		"aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
		"7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca",
		"3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94cadc083e67984050b75ebae5dd2809bd638016f723",
		"81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f822",
		"7dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892",
		"aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069",
	},
	{"secp256k1", asn1.ObjectIdentifier{1, 3, 132, 0, 10},
		"fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
		"0",
		"7",
		"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
		"483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
	},
}

// curveByOID returns the curve named by oid, nil when it is not known here.
func curveByOID(oid asn1.ObjectIdentifier) *curve {
	for _, c := range curves {
		if !c.oid.Equal(oid) {
			continue
		}
		number := func(hex string) *big.Int {
			n, _ := new(big.Int).SetString(hex, 16)
			return n
		}
		return &curve{name: c.name, p: number(c.p), a: number(c.a), b: number(c.b), n: number(c.n), g: affine{number(c.gx), number(c.gy)}}
	}
	return nil
}

// parseCurveKey reads a key on a named curve, written as an uncompressed or a
// compressed point (SEC 1, 2.3.4); nil when the curve is unknown or the point is
// not on it.
func parseCurveKey(params, point []byte) *CurveKey {
	in := cryptobyte.String(params)
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&oid) || !in.Empty() {
		return nil
	}
	c := curveByOID(oid)
	if c == nil || len(point) == 0 {
		return nil
	}
	size := (c.p.BitLen() + 7) / 8
	var at affine
	switch {
	case point[0] == 4 && len(point) == 1+2*size:
		at = affine{new(big.Int).SetBytes(point[1 : 1+size]), new(big.Int).SetBytes(point[1+size:])}
	case (point[0] == 2 || point[0] == 3) && len(point) == 1+size:
		at.x = new(big.Int).SetBytes(point[1:])
		if at.y = new(big.Int).ModSqrt(c.right(at.x), c.p); at.y == nil {
			return nil
		}
		if at.y.Bit(0) != uint(point[0]&1) {
			at.y.Sub(c.p, at.y)
		}
	default:
		return nil
	}
	if !c.has(at) {
		return nil
	}
	return &CurveKey{curve: c, point: at}
}

// right is x³ + ax + b.
func (c *curve) right(x *big.Int) *big.Int {
	y := new(big.Int).Mul(x, x)
	y.Add(y, c.a).Mul(y, x).Add(y, c.b)
	return y.Mod(y, c.p)
}

// has reports whether at lies on the curve. The curves have a cofactor of 1, so
// that every such point has the order n.
func (c *curve) has(at affine) bool {
	if at.x.Cmp(c.p) >= 0 || at.y.Cmp(c.p) >= 0 {
		return false
	}
	square := new(big.Int).Mul(at.y, at.y)
	return square.Mod(square, c.p).Cmp(c.right(at.x)) == 0
}

// verify is SEC 1, 4.1.4: whether sig, in DER, is this key's over digest.
func (k *CurveKey) verify(digest, sig []byte) bool {
	in := cryptobyte.String(sig)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) || !seq.Empty() {
		return false
	}
	c := k.curve
	for _, v := range []*big.Int{r, s} {
		if v.Sign() <= 0 || v.Cmp(c.n) >= 0 {
			return false
		}
	}
	inverse := new(big.Int).ModInverse(s, c.n)
	u1 := new(big.Int).Mul(leftmost(digest, c.n.BitLen()), inverse)
	u2 := new(big.Int).Mul(r, inverse)
	x, ok := c.sum(u1.Mod(u1, c.n), c.g, u2.Mod(u2, c.n), k.point)
	return ok && x.Mod(x, c.n).Cmp(r) == 0
}

// leftmost reads the leftmost bits of a digest as a number.
func leftmost(digest []byte, bits int) *big.Int {
	e := new(big.Int).SetBytes(digest)
	if excess := 8*len(digest) - bits; excess > 0 {
		e.Rsh(e, uint(excess))
	}
	return e
}
