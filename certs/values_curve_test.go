package certs_test

import (
	"bytes"
	"crypto"
	"crypto/dsa" //nolint:staticcheck // verified only, for old archives
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
)

// withKey is c with another public key in it; its own signature no longer fits.
func withKey(t testing.TB, c *certs.Certificate, spki []byte) *certs.Certificate {
	t.Helper()
	tbs := bytes.Replace(c.RawTBS[len(c.RawTBS)-contentLength(c.RawTBS):], c.RawSPKI, spki, 1)
	behind := c.Raw[bytes.Index(c.Raw, c.RawTBS)+len(c.RawTBS):]
	changed, err := certs.ParseCertificate(wrap(0x30, append(wrap(0x30, tbs), behind...)))
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// contentLength is the length of the content of a DER element.
func contentLength(der []byte) int {
	var raw asn1.RawValue
	if _, err := asn1.Unmarshal(der, &raw); err != nil {
		return 0
	}
	return len(raw.Bytes)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// testCurve is schoolbook arithmetic, slow and in affine coordinates: it has nothing
// in common with what it tests.
type testCurve struct{ p, a, gx, gy, n *big.Int }

func hexNumber(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 16)
	return n
}

// The base point's order and the field, by RFC 5639, 3.4 and SEC 2, 2.4.1.
var testCurves = map[string]struct {
	oid string
	testCurve
}{
	"brainpoolP256r1": {"1.3.36.3.3.2.8.1.1.7", testCurve{
		hexNumber("a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377"),
		hexNumber("7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9"),
		hexNumber("8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262"),
		hexNumber("547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997"),
		hexNumber("a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7")}},
	"secp256k1": {"1.3.132.0.10", testCurve{
		hexNumber("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"), new(big.Int),
		hexNumber("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
		hexNumber("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
		hexNumber("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")}},
}

// add is point addition; a nil x is the point at infinity.
func (c testCurve) add(x1, y1, x2, y2 *big.Int) (x, y *big.Int) {
	if x1 == nil {
		return x2, y2
	}
	if x2 == nil {
		return x1, y1
	}
	over, under := new(big.Int).Sub(y2, y1), new(big.Int).Sub(x2, x1)
	if x1.Cmp(x2) == 0 {
		if y1.Cmp(y2) != 0 || y1.Sign() == 0 {
			return nil, nil
		}
		over.Mul(x1, x1).Mul(over, big.NewInt(3)).Add(over, c.a)
		under.Lsh(y1, 1)
	}
	slope := over.Mul(over, under.ModInverse(under.Mod(under, c.p), c.p))
	x = new(big.Int).Mul(slope, slope)
	x.Sub(x, x1).Sub(x, x2).Mod(x, c.p)
	y = new(big.Int).Sub(x1, x)
	y.Mul(y, slope).Sub(y, y1).Mod(y, c.p)
	return x, y
}

func (c testCurve) times(k, x, y *big.Int) (rx, ry *big.Int) {
	for i := k.BitLen() - 1; i >= 0; i-- {
		if rx, ry = c.add(rx, ry, rx, ry); k.Bit(i) == 1 {
			rx, ry = c.add(rx, ry, x, y)
		}
	}
	return rx, ry
}

func (c testCurve) random(t testing.TB) *big.Int {
	t.Helper()
	k, err := rand.Int(rand.Reader, new(big.Int).Sub(c.n, big.NewInt(1)))
	if err != nil {
		t.Fatal(err)
	}
	return k.Add(k, big.NewInt(1))
}

// sign is ECDSA (SEC 1, 4.1.3) with the nonce k.
func (c testCurve) sign(d, k *big.Int, digest []byte) (r, s *big.Int) {
	r, _ = c.times(k, c.gx, c.gy)
	r = new(big.Int).Mod(r, c.n)
	s = new(big.Int).Mul(r, d)
	s.Add(s, new(big.Int).SetBytes(digest)).Mul(s, new(big.Int).ModInverse(k, c.n)).Mod(s, c.n)
	return r, s
}

func pointKey(t testing.TB, oidText string, x, y *big.Int) []byte {
	t.Helper()
	point := append([]byte{4}, x.FillBytes(make([]byte, 32))...)
	point = append(point, y.FillBytes(make([]byte, 32))...)
	return wrap(0x30, append(wrap(0x30, append(marshal(t, oid(t, "1.2.840.10045.2.1")), marshal(t, oid(t, oidText))...)), wrap(3, append([]byte{0}, point...))...))
}

// ecdsaBroken are values that break a rule, made out of the honest r and s.
func ecdsaBroken(t testing.TB, r, s, n *big.Int) map[string][]byte {
	t.Helper()
	pair := func(r, s *big.Int) []byte { return marshal(t, struct{ R, S *big.Int }{r, s}) }
	zero, one, honest := new(big.Int), big.NewInt(1), pair(r, s)
	plain := append(r.FillBytes(make([]byte, (n.BitLen()+7)/8)), s.FillBytes(make([]byte, (n.BitLen()+7)/8))...)
	neg := func(x *big.Int) *big.Int { return new(big.Int).Neg(x) }
	return map[string][]byte{
		"r is 0": pair(zero, s), "s is 0": pair(r, zero), "both are 0": pair(zero, zero), "both are 1": pair(one, one),
		"r is the order": pair(n, s), "s is the order": pair(r, n), "both are the order": pair(n, n),
		"the order added to r": pair(new(big.Int).Add(r, n), s), "the order added to s": pair(r, new(big.Int).Add(s, n)),
		"r negative": pair(neg(r), s), "s negative": pair(r, neg(s)), "the order taken from s": pair(r, new(big.Int).Sub(s, n)),
		"r and s exchanged": pair(s, r), "bytes behind": append(bytes.Clone(honest), 0, 0), "r and s side by side": plain,
		"bytes inside, behind s": wrap(0x30, append(bytes.Clone(honest[2:]), 5, 0)), "s left out": wrap(0x30, marshal(t, r)),
		"a padded r":              wrap(0x30, append(wrap(2, append([]byte{0, 0}, r.Bytes()...)), marshal(t, s)...)),
		"length in the long form": append([]byte{0x30, 0x81, honest[1]}, honest[2:]...), "nothing": {}, "an empty sequence": {0x30, 0},
		"of indefinite length": append(append([]byte{0x30, 0x80}, honest[2:]...), 0, 0), "a megabyte of r": pair(new(big.Int).Lsh(one, 8<<20), s),
	}
}

func TestValuesOfOurOwnCurvesThatBreakARule(t *testing.T) {
	t.Parallel()
	leaf := newPKI(t).Leader().Certificate
	digest := sha256.Sum256([]byte("nội dung"))
	s := certs.SignatureScheme{Algorithm: ades.ECDSA, Hash: crypto.SHA256}
	pair := func(r, v *big.Int) []byte { return marshal(t, struct{ R, S *big.Int }{r, v}) }
	for name, c := range testCurves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := c.random(t)
			qx, qy := c.times(d, c.gx, c.gy)
			cert := withKey(t, leaf, pointKey(t, c.oid, qx, qy))
			r, v := c.sign(d, c.random(t), digest[:])
			accepted(t, cert, s, digest[:], pair(r, v))
			// ECDSA itself is malleable: the negated s is as good, and stays so.
			accepted(t, cert, s, digest[:], pair(r, new(big.Int).Sub(c.n, v)))
			rejected(t, cert, s, digest[:], ecdsaBroken(t, r, v, c.n))

			// Corners of the arithmetic: the key is the base point, its opposite or its
			// double, and the two halves of the sum meet, cancel or vanish.
			for _, secret := range []*big.Int{big.NewInt(1), new(big.Int).Sub(c.n, big.NewInt(1)), big.NewInt(2)} {
				x, y := c.times(secret, c.gx, c.gy)
				corner := withKey(t, leaf, pointKey(t, c.oid, x, y))
				for _, k := range []*big.Int{big.NewInt(1), big.NewInt(2), new(big.Int).Sub(c.n, big.NewInt(1)), c.random(t)} {
					r, v := c.sign(secret, k, digest[:])
					if v.Sign() == 0 {
						continue
					}
					accepted(t, corner, s, digest[:], pair(r, v))
				}
				// u·G + v·Q is the point at infinity: r = -digest/secret.
				e := new(big.Int).SetBytes(digest[:])
				bad := new(big.Int).Mul(e, new(big.Int).ModInverse(secret, c.n))
				bad.Neg(bad).Mod(bad, c.n)
				rejected(t, corner, s, digest[:], map[string][]byte{"the sum is infinite": pair(bad, big.NewInt(7))})
			}
			zero := make([]byte, 32) // a digest of zeros leaves the key's half alone
			r, v = c.sign(d, c.random(t), zero)
			accepted(t, cert, s, zero, pair(r, v))
		})
	}
}

func TestPointsThatAreNoKeys(t *testing.T) {
	t.Parallel()
	leaf := newPKI(t).Leader().Certificate
	for name, c := range testCurves {
		beyond := new(big.Int).Add(c.gx, c.p)
		for what, spki := range map[string][]byte{
			"off the curve":    pointKey(t, c.oid, c.gx, new(big.Int).Add(c.gy, big.NewInt(1))),
			"zero":             pointKey(t, c.oid, new(big.Int), new(big.Int)),
			"exchanged":        pointKey(t, c.oid, c.gy, c.gx),
			"on another curve": pointKey(t, "1.3.36.3.3.2.8.1.1.11", c.gx, c.gy),
		} {
			if got := withKey(t, leaf, spki).PublicKey; got != nil {
				t.Errorf("%s, %s: key %v", name, what, got)
			}
		}
		if beyond.BitLen() <= 256 {
			if got := withKey(t, leaf, pointKey(t, c.oid, beyond, c.gy)).PublicKey; got != nil {
				t.Errorf("%s, x beyond the field: key %v", name, got)
			}
		}
	}
}

func TestDSAValuesThatBreakARule(t *testing.T) {
	t.Parallel()
	c := selfSigned(t, "testdata/dsa.pem")
	params := c.PublicKey.(*dsa.PublicKey).Parameters
	key := &dsa.PrivateKey{PublicKey: dsa.PublicKey{Parameters: params}, X: big.NewInt(0x1234567)}
	key.Y = new(big.Int).Exp(params.G, key.X, params.P)
	number := func(n *big.Int) []byte { return marshal(t, n) }
	spki := wrap(0x30, append(wrap(0x30, append(marshal(t, oid(t, "1.2.840.10040.4.1")),
		wrap(0x30, bytes.Join([][]byte{number(params.P), number(params.Q), number(params.G)}, nil))...)), wrap(3, append([]byte{0}, number(key.Y)...))...))
	cert := withKey(t, newPKI(t).Leader().Certificate, spki)
	digest := sha256.Sum256([]byte("nội dung"))
	r, v, err := dsa.Sign(rand.Reader, key, digest[:(params.Q.BitLen()+7)/8])
	if err != nil {
		t.Fatal(err)
	}
	s := certs.SignatureScheme{Algorithm: ades.DSA, Hash: crypto.SHA256}
	accepted(t, cert, s, digest[:], marshal(t, struct{ R, S *big.Int }{r, v}))
	rejected(t, cert, s, digest[:], ecdsaBroken(t, r, v, params.Q))
}

// PSS with two hash functions, with an empty salt, and both schemes with a key too
// small for the standard library: rare, and still verified as they are written.
func TestRSAOutsideTheStandardLibrary(t *testing.T) {
	t.Parallel()
	e := issue(t, newPKI(t), certstest.Spec{CommonName: "x", KeyType: certstest.RSA2048})
	key := e.Key.(*rsa.PrivateKey)
	digest := sha256.Sum256([]byte("nội dung"))
	for _, c := range []struct {
		mgf  crypto.Hash
		salt int
	}{{crypto.SHA1, 20}, {crypto.SHA512, 32}, {crypto.SHA256, 0}, {crypto.SHA1, 0}} {
		s := certs.SignatureScheme{Algorithm: ades.RSAPSS, Hash: crypto.SHA256, MGF: c.mgf, SaltLength: c.salt}
		honest := rawRSA(key, pssEncoding(2047, digest[:], bytes.Repeat([]byte{7}, c.salt), crypto.SHA256, c.mgf, 0xbc, 1))
		accepted(t, e.Certificate, s, digest[:], honest)
		other := s
		other.SaltLength++
		if err := e.Certificate.VerifyDigest(other, digest[:], honest); err == nil {
			t.Errorf("%v: a salt of another length than stated was taken", c)
		}
		rejected(t, e.Certificate, s, digest[:], map[string][]byte{
			"another trailer":     rawRSA(key, pssEncoding(2047, digest[:], bytes.Repeat([]byte{7}, c.salt), crypto.SHA256, c.mgf, 0xcc, 1)),
			"another separator":   rawRSA(key, pssEncoding(2047, digest[:], bytes.Repeat([]byte{7}, c.salt), crypto.SHA256, c.mgf, 0xbc, 2)),
			"another salt length": rawRSA(key, pssEncoding(2047, digest[:], bytes.Repeat([]byte{7}, c.salt+1), crypto.SHA256, c.mgf, 0xbc, 1)),
			"another mask":        rawRSA(key, pssEncoding(2047, digest[:], bytes.Repeat([]byte{7}, c.salt), crypto.SHA256, crypto.SHA384, 0xbc, 1)),
			"a byte less":         honest[1:], "a byte more": append([]byte{0}, honest...), "zero": make([]byte, 256), "nothing": {},
			"the modulus added": new(big.Int).Add(new(big.Int).SetBytes(honest), key.N).Bytes(),
		})
	}
	small := smallKey(t)
	spki := wrap(0x30, append(wrap(0x30, append(marshal(t, oid(t, "1.2.840.113549.1.1.1")), 5, 0)), wrap(3, append([]byte{0}, marshal(t, struct {
		N *big.Int
		E int
	}{small.N, small.E})...))...))
	cert := withKey(t, e.Certificate, spki)
	info := append(bytes.Clone(sha256Prefix), digest[:]...)
	s := certs.SignatureScheme{Algorithm: ades.RSAPKCS1, Hash: crypto.SHA256}
	size := small.Size()
	accepted(t, cert, s, digest[:], rawRSA(small, type1(size, 1, 0xff, info)))
	rejected(t, cert, s, digest[:], map[string][]byte{
		"block type 2": rawRSA(small, type1(size, 2, 0xff, info)), "the bare digest": rawRSA(small, type1(size, 1, 0xff, digest[:])),
		"bytes behind": rawRSA(small, type1(size, 1, 0xff, append(bytes.Clone(info), 0))), "zero": make([]byte, size), "nothing": {},
	})
}

// smallKey is an RSA key of 768 bits.
func smallKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	for {
		p, errP := rand.Prime(rand.Reader, 384)
		q, errQ := rand.Prime(rand.Reader, 384)
		if errP != nil || errQ != nil {
			t.Fatal(errP, errQ)
		}
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		if d := new(big.Int).ModInverse(big.NewInt(65537), phi); d != nil && p.Cmp(q) != 0 {
			return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, D: d}
		}
	}
}

// pssEncoding is EMSA-PSS-ENCODE (RFC 8017, 9.1.1) with two bytes left open.
func pssEncoding(bits int, digest, salt []byte, hash, mgf crypto.Hash, trailer, separator byte) []byte {
	h := hash.New()
	h.Write(make([]byte, 8))
	h.Write(digest)
	h.Write(salt)
	sum := h.Sum(nil)
	size := (bits + 7) / 8
	db := make([]byte, size-len(sum)-1)
	copy(db[len(db)-len(salt):], salt)
	db[len(db)-len(salt)-1] = separator
	var block []byte
	for i := range byte(32) {
		g := mgf.New()
		g.Write(append(bytes.Clone(sum), 0, 0, 0, i))
		block = g.Sum(block)
	}
	for i := range db {
		db[i] ^= block[i]
	}
	db[0] &= 0xff >> (8*size - bits)
	return append(append(db, sum...), trailer)
}
