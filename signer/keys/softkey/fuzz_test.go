package softkey_test

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"antin/internal/text"
	"antin/signer/keys/softkey"
)

func FuzzFromPEM(f *testing.F) {
	e := pki().Leader()
	pkcs8 := must(x509.MarshalPKCS8PrivateKey(e.Key))
	f.Add(block("PRIVATE KEY", pkcs8), "")
	f.Add(pkcs8, "x")
	chain := certificatesOf(e.Certificate)
	f.Add(append(chain, block("EC PRIVATE KEY", []byte{0x30, 0})...), "")
	f.Add(encrypted(f, pkcs8, "mật khẩu", sha256.New, 32), "mật khẩu")
	f.Fuzz(func(t *testing.T, key []byte, password string) {
		k, err := softkey.FromPEM(chain, key, password)
		var e *text.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("error of no kind: %v", err)
		}
		if err == nil && (k.Signer == nil || len(k.Chain) == 0) {
			t.Fatal("a key without a signer or a chain")
		}
	})
}
