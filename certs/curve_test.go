package certs_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/certs"
)

// The certificates of testdata are self-signed, made by openssl.
func TestCurvesAndDSAOutsideTheStandardLibraryVerify(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.pem")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d certificates, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".pem"), func(t *testing.T) {
			t.Parallel()
			c := selfSigned(t, file)
			if key, ok := c.PublicKey.(*certs.CurveKey); ok && (key.Curve() != c.CommonName || key.Bits() != c.KeyBits) {
				t.Errorf("curve %s with %d bits, certificate of %s with %d", key.Curve(), key.Bits(), c.CommonName, c.KeyBits)
			}
			if err := c.VerifySignature(c.SignatureAlgorithm, c.RawTBS, c.Signature); err != nil {
				t.Fatalf("its own signature: %v", err)
			}
			for i := range c.Signature {
				wrong := bytes.Clone(c.Signature)
				wrong[i] ^= 1
				if err := c.VerifySignature(c.SignatureAlgorithm, c.RawTBS, wrong); !errors.Is(err, certs.ErrSignature) {
					t.Fatalf("byte %d of the value altered: %v", i, err)
				}
			}
			if err := c.VerifySignature(c.SignatureAlgorithm, c.RawTBS[1:], c.Signature); !errors.Is(err, certs.ErrSignature) {
				t.Errorf("other content: %v", err)
			}
		})
	}
}

func TestPointOffTheCurveIsNoKey(t *testing.T) {
	t.Parallel()
	c := selfSigned(t, "testdata/curve-brainpoolP256r1.pem")
	der := bytes.Clone(c.Raw)
	at := bytes.Index(der, c.RawSPKI) + len(c.RawSPKI) - 1
	der[at] ^= 1
	off, err := certs.ParseCertificate(der)
	if err != nil || off.PublicKey != nil {
		t.Fatalf("key %v, %v", off.PublicKey, err)
	}
	if err := off.VerifySignature(c.SignatureAlgorithm, c.RawTBS, c.Signature); !errors.Is(err, certs.ErrAlgorithm) {
		t.Errorf("verification: %v", err)
	}
}

func selfSigned(t *testing.T, file string) *certs.Certificate {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := certs.ParseBundle(data)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d certificates, %v", len(all), err)
	}
	return all[0]
}
