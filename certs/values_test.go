package certs_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
)

// The values below are made with the right key by somebody who breaks one rule of
// the scheme. Each rule is one on which some verifier once fell.

func rejected(t *testing.T, c *certs.Certificate, s certs.SignatureScheme, digest []byte, values map[string][]byte) {
	t.Helper()
	for name, v := range values {
		if err := c.VerifyDigest(s, digest, v); !errors.Is(err, certs.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func accepted(t *testing.T, c *certs.Certificate, s certs.SignatureScheme, digest, value []byte) {
	t.Helper()
	if err := c.VerifyDigest(s, digest, value); err != nil {
		t.Errorf("the honest value: %v", err)
	}
}

// rawRSA applies the private key to an encoded message as it is.
func rawRSA(key *rsa.PrivateKey, em []byte) []byte {
	out := make([]byte, key.Size())
	return new(big.Int).Exp(new(big.Int).SetBytes(em), key.D, key.N).FillBytes(out)
}

// sha256Prefix is the DER of DigestInfo for SHA-256 up to the digest.
var sha256Prefix = []byte{0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20}

// type1 is EMSA-PKCS1-v1_5 around info with the given padding byte.
func type1(size int, kind, fill byte, info []byte) []byte {
	em := append([]byte{0, kind}, bytes.Repeat([]byte{fill}, size-3-len(info))...)
	return append(append(em, 0), info...)
}

func TestPKCS1ValuesThatBreakARule(t *testing.T) {
	t.Parallel()
	e := issue(t, newPKI(t), certstest.Spec{CommonName: "x", KeyType: certstest.RSA2048})
	key := e.Key.(*rsa.PrivateKey)
	digest := sha256.Sum256([]byte("nội dung"))
	info := append(bytes.Clone(sha256Prefix), digest[:]...)
	withoutNull := append([]byte{0x30, 0x2f, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 4, 0x20}, digest[:]...)
	long := append([]byte{0x30, 0x81, 0x31}, info[2:]...)
	honest := rawRSA(key, type1(256, 1, 0xff, info))
	s := certs.SignatureScheme{Algorithm: ades.RSAPKCS1, Hash: crypto.SHA256}
	accepted(t, e.Certificate, s, digest[:], honest)
	behind := type1(256, 1, 0xff, append(bytes.Clone(info), 0, 0))
	short := append(append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, info...), make([]byte, 256-11-len(info))...)
	hole := type1(256, 1, 0xff, info)
	hole[50] = 0xfe
	rejected(t, e.Certificate, s, digest[:], map[string][]byte{
		"no padding":                           rawRSA(key, info),
		"block type 0":                         rawRSA(key, type1(256, 0, 0, info)),
		"block type 2":                         rawRSA(key, type1(256, 2, 0xff, info)),
		"another padding byte":                 rawRSA(key, hole),
		"bytes behind the digest":              rawRSA(key, behind),
		"short padding, free bytes at the end": rawRSA(key, short),
		"length in the long form":              rawRSA(key, type1(256, 1, 0xff, long)),
		"parameters left out":                  rawRSA(key, type1(256, 1, 0xff, withoutNull)),
		"the bare digest":                      rawRSA(key, type1(256, 1, 0xff, digest[:])),
		"a leading zero byte more":             append([]byte{0}, honest...),
		"a byte less":                          honest[1:],
		"the modulus added":                    new(big.Int).Add(new(big.Int).SetBytes(honest), key.N).Bytes(),
		"zero":                                 make([]byte, 256),
		"one":                                  append(make([]byte, 255), 1),
		"the modulus less one":                 new(big.Int).Sub(key.N, big.NewInt(1)).Bytes(),
		"nothing":                              {},
	})
}

func TestPSSValuesThatBreakARule(t *testing.T) {
	t.Parallel()
	e := issue(t, newPKI(t), certstest.Spec{CommonName: "x", KeyType: certstest.RSA2048})
	key := e.Key.(*rsa.PrivateKey)
	digest := sha256.Sum256([]byte("nội dung"))
	sign := func(h crypto.Hash, salt int) []byte {
		v, err := rsa.SignPSS(rand.Reader, key, h, digest[:h.Size()], &rsa.PSSOptions{SaltLength: salt, Hash: h})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	s := certs.SignatureScheme{Algorithm: ades.RSAPSS, Hash: crypto.SHA256, MGF: crypto.SHA256, SaltLength: 32}
	honest := sign(crypto.SHA256, 32)
	accepted(t, e.Certificate, s, digest[:], honest)
	flipped := bytes.Clone(honest)
	flipped[100] ^= 1
	rejected(t, e.Certificate, s, digest[:], map[string][]byte{
		"a salt of another length than stated": sign(crypto.SHA256, 20), "no salt": sign(crypto.SHA256, -1)[:255],
		"another hash": rawRSA(key, type1(256, 1, 0xff, digest[:])), "one bit": flipped,
		"a leading zero byte more": append([]byte{0}, honest...), "zero": make([]byte, 256),
		"the modulus added": new(big.Int).Add(new(big.Int).SetBytes(honest), key.N).Bytes(), "nothing": {},
	})
	pkcs1 := certs.SignatureScheme{Algorithm: ades.RSAPKCS1, Hash: crypto.SHA256}
	rejected(t, e.Certificate, pkcs1, digest[:], map[string][]byte{"a PSS value as PKCS #1 v1.5": honest})
}

func TestECDSAValuesThatBreakARule(t *testing.T) {
	t.Parallel()
	e := issue(t, newPKI(t), certstest.Spec{CommonName: "x", KeyType: certstest.P256})
	key := e.Key.(*ecdsa.PrivateKey)
	digest := sha256.Sum256([]byte("nội dung"))
	honest, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	s := certs.SignatureScheme{Algorithm: ades.ECDSA, Hash: crypto.SHA256}
	accepted(t, e.Certificate, s, digest[:], honest)
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(honest, &v); err != nil {
		t.Fatal(err)
	}
	n := key.Params().N
	der := func(r, s *big.Int) []byte {
		b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	zero, one := new(big.Int), big.NewInt(1)
	neg := func(x *big.Int) *big.Int { return new(big.Int).Neg(x) }
	plain := append(v.R.FillBytes(make([]byte, 32)), v.S.FillBytes(make([]byte, 32))...)
	rejected(t, e.Certificate, s, digest[:], map[string][]byte{
		"r is 0": der(zero, v.S), "s is 0": der(v.R, zero), "both are 0": der(zero, zero), "both are 1": der(one, one),
		"r is the order": der(n, v.S), "s is the order": der(v.R, n), "the order added to r": der(new(big.Int).Add(v.R, n), v.S),
		"the order added to s": der(v.R, new(big.Int).Add(v.S, n)), "r negative": der(neg(v.R), v.S), "s negative": der(v.R, neg(v.S)),
		"r and s exchanged": der(v.S, v.R), "bytes behind": append(bytes.Clone(honest), 0, 0), "r and s side by side": plain,
		"length in the long form": append([]byte{0x30, 0x81, honest[1]}, honest[2:]...), "nothing": {}, "an empty sequence": {0x30, 0},
		"a megabyte of r": der(new(big.Int).Lsh(one, 8<<20), v.S),
	})
}

func TestEd25519ValuesThatBreakARule(t *testing.T) {
	t.Parallel()
	e := issue(t, newPKI(t), certstest.Spec{CommonName: "x", KeyType: certstest.Ed25519})
	message := []byte("nội dung")
	honest := ed25519.Sign(e.Key.(ed25519.PrivateKey), message)
	s := certs.SignatureScheme{Algorithm: ades.Ed25519, Hash: crypto.SHA512}
	accepted(t, e.Certificate, s, message, honest)
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	reversed := func(b []byte) []byte {
		out := make([]byte, len(b))
		for i := range b {
			out[len(b)-1-i] = b[i]
		}
		return out
	}
	scalar := new(big.Int).Add(new(big.Int).SetBytes(reversed(honest[32:])), order)
	malleable := append(bytes.Clone(honest[:32]), reversed(scalar.FillBytes(make([]byte, 32)))...)
	rejected(t, e.Certificate, s, message, map[string][]byte{
		"the order added to s": malleable, "another point": append(bytes.Repeat([]byte{1}, 32), honest[32:]...),
		"zero": make([]byte, 64), "a byte more": append(bytes.Clone(honest), 0), "a byte less": honest[:63], "nothing": {},
	})
	if err := e.Certificate.VerifyDigest(s, message[1:], honest); !errors.Is(err, certs.ErrSignature) {
		t.Errorf("other message: %v", err)
	}
}
