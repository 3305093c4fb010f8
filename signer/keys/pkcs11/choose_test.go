package pkcs11_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"antin/internal/text"
	"antin/signer/keys/pkcs11"
)

func TestCertificateIsFoundByPublicKeyThenIDThenLabel(t *testing.T) {
	t.Parallel()
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	point, err := mine.PublicKey.Bytes()
	must(t, err)
	a, b := selfSigned(t, mine, "cũ", time.Hour), selfSigned(t, mine, "mới", 2*time.Hour)
	c := selfSigned(t, other, "khác", 3*time.Hour)
	id := []byte{7}
	key := pkcs11.KeyObject{Handle: 1, ID: id, Label: "k", Type: pkcs11.KeyEC}
	told := key
	told.Public = append([]byte{0x04, byte(len(point))}, point...)
	rsaKey := key
	rsaKey.Type = pkcs11.KeyRSA
	for name, c := range map[string]struct {
		keys  []pkcs11.KeyObject
		certs []pkcs11.CertObject
		want  text.Code
	}{
		"public key, whatever the id says":    {[]pkcs11.KeyObject{told}, []pkcs11.CertObject{{ID: id, DER: c}, {DER: a}, {DER: b}}, ""},
		"id":                                  {[]pkcs11.KeyObject{key}, []pkcs11.CertObject{{ID: []byte{8}, Label: "k", DER: c}, {ID: id, DER: a}}, ""},
		"label":                               {[]pkcs11.KeyObject{key}, []pkcs11.CertObject{{Label: "x", DER: c}, {Label: "k", DER: a}}, ""},
		"nothing that fits":                   {[]pkcs11.KeyObject{told}, []pkcs11.CertObject{{ID: id, Label: "k", DER: c}}, text.KeyNotFound},
		"another kind of key":                 {[]pkcs11.KeyObject{rsaKey}, []pkcs11.CertObject{{ID: id, DER: a}}, text.KeyNotFound},
		"no certificate that can be read":     {[]pkcs11.KeyObject{key}, []pkcs11.CertObject{{ID: id, DER: []byte("junk")}}, text.KeyNotFound},
		"no key":                              {nil, []pkcs11.CertObject{{ID: id, DER: a}}, text.KeyNotFound},
		"two keys, one with its certificate":  {[]pkcs11.KeyObject{told, {Handle: 2, ID: []byte{9}, Type: pkcs11.KeyEC}}, []pkcs11.CertObject{{ID: id, DER: a}}, ""},
		"two keys, each with its certificate": {[]pkcs11.KeyObject{told, {Handle: 2, ID: []byte{9}, Type: pkcs11.KeyEC}}, []pkcs11.CertObject{{ID: id, DER: a}, {ID: []byte{9}, DER: c}}, text.InvalidInput},
	} {
		got, n, err := pkcs11.Choose(pkcs11.URI{}, c.keys, c.certs)
		if text.CodeOf(err) != c.want || err == nil && (got.Handle != 1 || n != 1) {
			t.Errorf("%s: %+v with %d certificates, %v, want %q", name, got, n, err, c.want)
		}
	}
}
