package peer

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
	"io"
	"math/big"
	"time"

	"antin/exchange"
)

// Identity is a gateway's transport key with its certificate.
type Identity struct {
	Key         crypto.Signer // ECDSA P-256
	Certificate []byte        // DER
}

// Fingerprint is what the directory lists of the certificate.
func (i Identity) Fingerprint() [32]byte { return Fingerprint(i.Certificate) }

// pair is i as TLS takes it.
func (i Identity) pair() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{i.Certificate}, PrivateKey: i.Key}
}

// inForce is the identity to meet a peer with: fixed unless current tells another.
func inForce(fixed Identity, current func() Identity) Identity {
	if current == nil {
		return fixed
	}
	return current()
}

// Fingerprint returns the SHA-256 of a certificate's DER.
func Fingerprint(der []byte) [32]byte { return sha256.Sum256(der) }

// NewIdentity makes a transport key and its self-signed certificate for agency
// code, in force from notBefore to notAfter. random nil means crypto/rand. Storing
// both, and listing the certificate in the directory, is the caller's.
func NewIdentity(random io.Reader, code exchange.AgencyCode, notBefore, notAfter time.Time) (Identity, error) {
	if random == nil {
		random = rand.Reader
	}
	if !code.Valid() {
		return Identity{}, fmt.Errorf("agency code %q is not valid", code)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return Identity{}, fmt.Errorf("making transport key: %w", err)
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(random, serial); err != nil {
		return Identity{}, fmt.Errorf("making serial number: %w", err)
	}
	serial[0] &= 0x7f // positive
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: string(code), Organization: []string{string(code)}, OrganizationalUnit: []string{"Antin transport"}},
		NotBefore:    notBefore.UTC(), NotAfter: notAfter.UTC(),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(random, template, template, key.Public(), key)
	if err != nil {
		return Identity{}, fmt.Errorf("making transport certificate: %w", err)
	}
	return Identity{Key: key, Certificate: der}, nil
}

// The reasons for which a peer is not believed.
var (
	ErrUnknownPeer = errors.New("certificate is not in the directory")
	errCertificate = errors.New("transport certificate is not in force or of an unfit key")
)

// minRSA is the least RSA key of a transport certificate, in bits.
const minRSA = 2048

// fit checks what a directory entry alone does not: time and strength.
func fit(c *x509.Certificate, now time.Time) error {
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return errCertificate
	}
	switch k := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return errCertificate
		}
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return errCertificate
		}
	default:
		return errCertificate
	}
	return nil
}
