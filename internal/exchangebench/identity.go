package exchangebench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Identity is a transport key with its certificate, as one process hands it to another.
type Identity struct {
	Key         []byte // PKCS #8
	Certificate []byte // DER
}

// NewIdentity makes a key, RSA-2048 or P-256, and its self-signed certificate for name.
func NewIdentity(name string, rsaKey bool, now time.Time) (Identity, error) {
	var key crypto.Signer
	var err error
	if rsaKey {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("making key: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	var i Identity
	if i.Certificate, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err == nil {
		i.Key, err = x509.MarshalPKCS8PrivateKey(key)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("making certificate: %w", err)
	}
	return i, nil
}

// Signer is the private key.
func (i Identity) Signer() (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(i.Key)
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("reading key: it cannot sign")
	}
	return s, nil
}

// Public is the key of a certificate.
func Public(certificate []byte) (crypto.PublicKey, error) {
	c, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, fmt.Errorf("reading certificate: %w", err)
	}
	return c.PublicKey, nil
}

// tls is mutual TLS 1.3 between i and the holder of peer's certificate.
func (i Identity) tls(peer []byte) (*tls.Config, error) {
	key, err := i.Signer()
	if err != nil {
		return nil, err
	}
	want := sha256.Sum256(peer)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{i.Certificate}, PrivateKey: key}},
		ClientAuth:   tls.RequireAnyClientCert, InsecureSkipVerify: true, //nolint:gosec // the pin below is stricter than any CA
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || sha256.Sum256(s.PeerCertificates[0].Raw) != want {
				return errors.New("certificate of another peer")
			}
			return nil
		},
	}, nil
}

// sign is one signature over a digest.
func sign(key crypto.Signer, digest [32]byte) ([]byte, error) {
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		return key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	}
	return key.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// verify is one verification.
func verify(key crypto.PublicKey, digest [32]byte, sig []byte) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPSS(k, crypto.SHA256, digest[:], sig, nil)
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(k, digest[:], sig) {
			return nil
		}
	}
	return errors.New("signature does not hold")
}
