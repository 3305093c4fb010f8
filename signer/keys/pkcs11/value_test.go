package pkcs11_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha3"
	"encoding/asn1"
	"math/big"
	"testing"

	"antin/signer/keys/pkcs11"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func hashed(h crypto.Hash) []byte {
	s := h.New()
	s.Write([]byte("văn bản"))
	return s.Sum(nil)
}

// TestRSAValuesAreThoseOfABareKey signs as a token does, with the raw key operation
// over what the token is given.
func TestRSAValuesAreThoseOfABareKey(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512} {
		r, err := pkcs11.Order(&key.PublicKey, hashed(h), h)
		must(t, err)
		if r.Mechanism != pkcs11.RSAPKCS {
			t.Fatalf("%v goes by %s", h, r.Mechanism)
		}
		// CKM_RSA_PKCS pads and exponentiates; hash 0 does the same.
		raw, err := rsa.SignPKCS1v15(nil, key, 0, r.Data)
		must(t, err)
		value, err := pkcs11.Finish(&key.PublicKey, hashed(h), raw, h)
		must(t, err)
		must(t, rsa.VerifyPKCS1v15(&key.PublicKey, h, hashed(h), value))
		raw[9] ^= 1
		if _, err := pkcs11.Finish(&key.PublicKey, hashed(h), raw, h); err == nil {
			t.Errorf("%v: a wrong value passed", h)
		}
	}
	opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA384}
	r, err := pkcs11.Order(&key.PublicKey, hashed(crypto.SHA384), opts)
	must(t, err)
	if r.Mechanism != pkcs11.RSAPSS || r.Hash != "SHA-384" || !bytes.Equal(r.Data, hashed(crypto.SHA384)) {
		t.Errorf("PSS is asked for as %+v", r)
	}
	raw, err := key.Sign(rand.Reader, r.Data, opts)
	must(t, err)
	_, err = pkcs11.Finish(&key.PublicKey, r.Data, raw, opts)
	must(t, err)
	long := &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA384}
	if _, err := pkcs11.Order(&key.PublicKey, hashed(crypto.SHA384), long); err == nil {
		t.Error("a salt of another length was accepted")
	}
}

func TestECDSAValuesBecomeDER(t *testing.T) {
	t.Parallel()
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		must(t, err)
		digest, size := hashed(crypto.SHA384), (c.Params().N.BitLen()+7)/8
		for range 20 {
			r, s, err := ecdsa.Sign(rand.Reader, key, digest)
			must(t, err)
			raw := append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
			value, err := pkcs11.Finish(&key.PublicKey, digest, raw, crypto.SHA384)
			must(t, err)
			if !ecdsa.VerifyASN1(&key.PublicKey, digest, value) {
				t.Fatal("not the value")
			}
			if again, err := pkcs11.Finish(&key.PublicKey, digest, value, crypto.SHA384); err != nil || !bytes.Equal(again, value) {
				t.Errorf("a token that gives DER: %v", err)
			}
		}
		for _, bad := range [][]byte{nil, {1}, make([]byte, 2*size), make([]byte, 2*size+2)} {
			if _, err := pkcs11.Finish(&key.PublicKey, digest, bad, crypto.SHA384); err == nil {
				t.Errorf("%d bytes passed", len(bad))
			}
		}
	}
}

func TestEd25519TakesTheMessage(t *testing.T) {
	t.Parallel()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	r, err := pkcs11.Order(pub, []byte("attributes"), crypto.Hash(0))
	must(t, err)
	_, err = pkcs11.Finish(pub, r.Data, ed25519.Sign(key, r.Data), crypto.Hash(0))
	must(t, err)
	if _, err := pkcs11.Finish(pub, r.Data, make([]byte, 64), crypto.Hash(0)); err == nil {
		t.Error("zeroes passed")
	}
	if _, err := pkcs11.Order(pub, hashed(crypto.SHA512), crypto.SHA512); err == nil {
		t.Error("a hash was accepted")
	}
}

func TestDigestOfAnotherLengthOrHashIsRefused(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	for _, c := range []struct {
		digest []byte
		h      crypto.Hash
	}{{hashed(crypto.SHA256)[:31], crypto.SHA256}, {hashed(crypto.SHA1), crypto.SHA1}, {hashed(crypto.SHA256), 0}} {
		if r, err := pkcs11.Order(&key.PublicKey, c.digest, c.h); err == nil {
			t.Errorf("%v became %+v", c.h, r)
		}
	}
}

func FuzzECDSADER(f *testing.F) {
	f.Add(bytes.Repeat([]byte{1}, 64), 32)
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1}, 32)
	f.Fuzz(func(t *testing.T, value []byte, size int) {
		if size < 1 || size > 66 {
			return
		}
		der, err := pkcs11.ECDSADER(value, size)
		if err != nil {
			return
		}
		var rs struct{ R, S *big.Int }
		if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 || rs.R.Sign() <= 0 || rs.S.Sign() <= 0 {
			t.Errorf("%x became %x: %v", value, der, err)
		}
	})
}
