package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"testing"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/cms"
)

var (
	attrContentType = tlv(0x30, tlv(0x06, unhex("2a864886f70d010903")), tlv(0x31, tlv(0x06, unhex("2a864886f70d010701"))))
	oidDigestAttr   = tlv(0x06, unhex("2a864886f70d010904"))
)

// foreign makes a SignedData as other software does: with digest, signature
// algorithm and value as given. sign makes the value over the attributes.
func foreign(t *testing.T, id identity, h crypto.Hash, algorithm []byte, sign func(digest []byte) []byte) []byte {
	t.Helper()
	oid := tlv(0x06, unhex(map[crypto.Hash]string{
		crypto.SHA1: "2b0e03021a", crypto.SHA224: "608648016503040204", crypto.SHA256: "608648016503040201",
		crypto.SHA512_256: "608648016503040206",
	}[h]))
	body := append(bytes.Clone(attrContentType), tlv(0x30, oidDigestAttr, tlv(0x31, tlv(0x04, digest(h, content))))...)
	fields, signer := take(t, signed(t, id))
	fields[fieldAlgorithms] = tlv(0x31, tlv(0x30, oid, []byte{5, 0}))
	signer[signerDigest] = tlv(0x30, oid, []byte{5, 0})
	signer[signerAttrs] = tlv(0xA0, body)
	signer[signerAlgorithm] = algorithm
	signer[signerValue] = tlv(0x04, sign(digest(h, tlv(0x31, body))))
	return put(fields, signer)
}

func signed(t testing.TB, id identity) []byte { return sign(t, id, 0, false, nil) }

func TestOlderHashesAndBareRSAVerify(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", rsaKey())
	for oid, hashes := range map[string][]crypto.Hash{
		"2a864886f70d010101": {crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA512_256}, // rsaEncryption
		"2a864886f70d010105": {crypto.SHA1},
		"2a864886f70d01010e": {crypto.SHA224},
	} {
		for _, h := range hashes {
			der := foreign(t, id, h, tlv(0x30, tlv(0x06, unhex(oid)), []byte{5, 0}), func(d []byte) []byte {
				return must(id.key.Sign(rand.Reader, d, h))
			})
			_, s := parse(t, der)
			if s.Digest != h || s.SignatureHash != h || s.SignatureAlgorithm != ades.RSAPKCS1 || len(s.Problems) > 0 {
				t.Errorf("%s, %s: read as %s with %s, %v", oid, h, s.SignatureAlgorithm, s.Digest, s.Problems)
			}
			if err := s.VerifySignature(id.cert); err != nil {
				t.Errorf("%s, %s: %v", oid, h, err)
			}
		}
	}
}

func TestPSSWithAnySaltVerifies(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", rsaKey())
	sha256 := tlv(0x30, tlv(0x06, unhex("608648016503040201")))
	for _, salt := range []int{0, 20, 32, 64, 222} {
		length := []byte{2, 1, byte(salt)}
		if salt > 127 {
			length = []byte{2, 2, 0, byte(salt)}
		}
		params := tlv(0x30, tlv(0xA0, sha256), tlv(0xA1, tlv(0x30, tlv(0x06, unhex("2a864886f70d010108")), sha256)),
			tlv(0xA2, length))
		der := foreign(t, id, crypto.SHA256, tlv(0x30, tlv(0x06, unhex("2a864886f70d01010a")), params), func(d []byte) []byte {
			if salt == 0 {
				return emptySalt(t, id, d)
			}
			return must(id.key.Sign(rand.Reader, d, &rsa.PSSOptions{SaltLength: salt, Hash: crypto.SHA256}))
		})
		_, s := parse(t, der)
		if s.PSS == nil || s.PSS.SaltLength != salt || s.PSS.MGFHash != crypto.SHA256 {
			t.Errorf("salt of %d read as %+v", salt, s.PSS)
		}
		if err := s.VerifySignature(id.cert); err != nil {
			t.Errorf("salt of %d: %v", salt, err)
		}
	}
}

// emptySalt signs with an empty salt, which package rsa cannot be asked for, so
// that the encoding is made here (RFC 8017, 9.1.1).
func emptySalt(t *testing.T, id identity, d []byte) []byte {
	t.Helper()
	key, ok := id.key.(*rsa.PrivateKey)
	if !ok {
		t.Fatal("no RSA key")
	}
	h := digest(crypto.SHA256, append(make([]byte, 8), d...))
	db := make([]byte, key.Size()-len(h)-1)
	db[len(db)-1] = 1
	for i, counter := 0, byte(0); i < len(db); counter++ {
		for _, m := range digest(crypto.SHA256, append(bytes.Clone(h), 0, 0, 0, counter)) {
			if i < len(db) {
				db[i] ^= m
				i++
			}
		}
	}
	db[0] &= 0x7F // 2047 bits
	em := append(append(db, h...), 0xBC)
	return rawRSA(key, em)
}

func TestCertificateOnAnUnknownCurveStopsNothing(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	brainpool := onBrainpool(t, id.cert)
	der := sign(t, id, 0, false, nil)
	fields, signer := take(t, der)
	fields[fieldCerts] = tlv(0xA0, brainpool, id.cert.Raw)
	sd, s := parse(t, put(fields, signer))
	if len(sd.Certificates)+len(sd.Unparsable) != 2 {
		t.Fatalf("%d certificates, %d unparsable", len(sd.Certificates), len(sd.Unparsable))
	}
	cert, err := s.SigningCertificate(sd.Certificates)
	if err != nil || !cert.Equal(id.cert) {
		t.Fatal(err)
	}
	if err := s.VerifySignature(cert); err != nil {
		t.Error(err)
	}
	// With a key on that curve nothing is known; it is not "wrong".
	foreign, err := certs.ParseCertificate(brainpool)
	if err != nil {
		t.Skipf("the certificate does not parse: %v", err)
	}
	if err := s.VerifySignature(foreign); foreign.PublicKey == nil && !errors.Is(err, cms.ErrUnsupported) {
		t.Errorf("an unknown curve gives %v", err)
	}
}

// onBrainpool is the certificate with its key said to be on brainpoolP256r1.
func onBrainpool(t *testing.T, c *certs.Certificate) []byte {
	t.Helper()
	outer := elements(t, c.Raw)
	tbs := elements(t, outer[0])
	for i, field := range tbs {
		if bytes.Equal(field, c.RawSPKI) {
			spki := elements(t, field)
			algorithm := tlv(0x30, tlv(0x06, unhex("2a8648ce3d0201")), tlv(0x06, unhex("2b2403030208010107")))
			tbs[i] = tlv(0x30, algorithm, spki[1])
		}
	}
	return tlv(0x30, tlv(0x30, tbs...), outer[1], outer[2])
}

// opaque is a key of which only the ability to sign is known, as of a token's.
type opaque struct{ inner crypto.Signer }

func (o opaque) Public() crypto.PublicKey { return o.inner.Public() }

func (o opaque) Sign(r io.Reader, d []byte, opts crypto.SignerOpts) ([]byte, error) {
	return o.inner.Sign(r, d, opts)
}

func TestOpaqueKeysSign(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{rsaKey(), p256(), edKey()} {
		for _, pss := range []bool{false, true} {
			id := newIdentity(t, "Thẻ", opaque{key})
			_, s := parse(t, sign(t, id, crypto.SHA384, pss, nil))
			if err := s.VerifySignature(id.cert); err != nil {
				t.Error(fmt.Sprintf("%T", key), err)
			}
		}
	}
}

// rawRSA is the private operation on em.
func rawRSA(key *rsa.PrivateKey, em []byte) []byte {
	m := new(big.Int).SetBytes(em)
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}
