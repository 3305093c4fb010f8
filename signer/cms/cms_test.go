package cms_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs"
	"antin/signer/cms"
)

// identity is a key with its self-signed certificate.
type identity struct {
	key  crypto.Signer
	cert *certs.Certificate
	x509 *x509.Certificate
}

var content = []byte("Quyết định về việc ban hành quy chế")

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The keys are made once: RSA is slow.
var (
	rsaKey = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	edKey  = sync.OnceValue(func() crypto.Signer {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return must(k, err)
	})
)

func newIdentity(t testing.TB, name string, key crypto.Signer) identity {
	t.Helper()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	tmpl := &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 150))),
		Subject:      pkix.Name{CommonName: name, Country: []string{"VN"}},
		NotBefore:    now, NotAfter: now.AddDate(5, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		SubjectKeyId: []byte(name),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := certs.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return identity{key: key, cert: cert, x509: must(x509.ParseCertificate(der))}
}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// sign makes a detached SignedData over content; change may alter what is signed
// and what is built.
func sign(t testing.TB, id identity, h crypto.Hash, pss bool, change func(*cms.AttributeParams, *cms.SignedDataParams)) []byte {
	t.Helper()
	a, err := cms.AlgorithmForCertificate(id.cert, h, pss)
	if err != nil {
		t.Fatal(err)
	}
	ap := cms.AttributeParams{MessageDigest: digest(a.Digest, content), Certificate: id.cert, Algorithm: a, AlgorithmProtection: true}
	bp := cms.SignedDataParams{Algorithm: a, Certificate: id.cert}
	if change != nil {
		change(&ap, &bp)
	}
	if bp.Attributes == nil {
		if bp.Attributes, err = cms.SignedAttributes(ap); err != nil {
			t.Fatal(err)
		}
	}
	if bp.Signature, err = a.Sign(rand.Reader, id.key, bp.Attributes); err != nil {
		t.Fatal(err)
	}
	der, err := cms.Build(bp)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func parse(t testing.TB, der []byte) (*cms.SignedData, *cms.SignerInfo) {
	t.Helper()
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if len(sd.Signers) != 1 {
		t.Fatalf("%d signers", len(sd.Signers))
	}
	return sd, sd.Signers[0]
}

// tlv is a DER element, with a length of any size.
func tlv(tag byte, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	n := len(body)
	switch {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, body...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, body...)
	case n < 0x10000:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, body...)
	}
	return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

// indefinite is the same element with indefinite length.
func indefinite(tag byte, parts ...[]byte) []byte {
	out := []byte{tag, 0x80}
	for _, p := range parts {
		out = append(out, p...)
	}
	return append(out, 0, 0)
}

func elements(t testing.TB, b []byte) [][]byte {
	t.Helper()
	out, err := cms.Elements(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// take returns the fields of the SignedData in der, and those of its only SignerInfo.
func take(t testing.TB, der []byte) (fields, signer [][]byte) {
	t.Helper()
	fields = elements(t, elements(t, elements(t, der)[1])[0])
	return fields, elements(t, elements(t, fields[len(fields)-1])[0])
}

// put is the inverse of take.
func put(fields, signer [][]byte) []byte {
	fields = append(append([][]byte{}, fields[:len(fields)-1]...), tlv(0x31, tlv(0x30, signer...)))
	return wrap(tlv(0x30, fields...))
}

func wrap(signedData []byte) []byte {
	return tlv(0x30, oidSignedData, tlv(0xA0, signedData))
}

var oidSignedData = []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02}

// The places of the fields that take returns for a detached signature with certificates.
const (
	fieldAlgorithms = 1
	fieldContent    = 2
	fieldCerts      = 3

	signerVersion   = 0
	signerID        = 1
	signerDigest    = 2
	signerAttrs     = 3
	signerAlgorithm = 4
	signerValue     = 5
)

// cloneKind makes another key of the same kind.
func cloneKind(key crypto.Signer) (crypto.Signer, error) {
	switch key.(type) {
	case *rsa.PrivateKey:
		return rsa.GenerateKey(rand.Reader, 2048)
	case *ecdsa.PrivateKey:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	_, k, err := ed25519.GenerateKey(rand.Reader)
	return k, err
}

func unhex(s string) []byte {
	return must(hex.DecodeString(strings.ReplaceAll(s, " ", "")))
}
