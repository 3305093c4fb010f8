// Package softkey makes signing keys of files: PKCS #12 and PEM. The keys live in
// the memory of this process, which suits the command line, the demo and tests; a
// server reaches keys outside its process. The package is given bytes and never
// opens a file.
package softkey

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
)

// FromPKCS12 opens a PKCS #12 file that holds one key, its certificate and, where
// present, the certificates above it; their order in the file does not matter.
//
// Errors are *text.Error: key-locked for a wrong or missing password,
// file-unreadable for anything but PKCS #12, key-not-found without a key that can
// sign, certificate-mismatch when no certificate belongs to the key.
func FromPKCS12(data []byte, password string) (signer.Key, error) {
	key, leaf, others, err := pkcs12.DecodeChain(data, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return signer.Key{}, wrongPassword(err, password)
	case err != nil:
		return unusualPKCS12(data, password, err)
	}
	var found []*certs.Certificate
	for _, c := range append([]*x509.Certificate{leaf}, others...) {
		parsed, err := certs.ParseCertificate(c.Raw)
		if err != nil {
			return signer.Key{}, text.Detailed(text.FileUnreadable, err, "key.unreadable")
		}
		found = append(found, parsed)
	}
	return assemble(key, found)
}

// unusualPKCS12 opens a file for which the module that reads PKCS #12 gave err: one
// with a key that is restricted to RSASSA-PSS.
func unusualPKCS12(data []byte, password string, err error) (signer.Key, error) {
	s, own := openPKCS12(data, password)
	switch {
	case errors.Is(own, errPassword):
		return signer.Key{}, wrongPassword(own, password)
	case own != nil || len(s.keys) != 1:
		return signer.Key{}, text.Detailed(text.FileUnreadable, err, "key.unreadable")
	case len(s.found) == 0:
		return signer.Key{}, text.Detailed(text.FileUnreadable, nil, "key.no_certificate")
	}
	return assemble(s.keys[0], s.found)
}

// FromPEM opens a private key (PKCS #8, also encrypted; PKCS #1; SEC 1; PEM or
// DER) and its certificates: PEM, DER or .p7b, in any order. When cert is empty
// the certificates stand beside the key. password may be empty when the key is
// not encrypted.
//
// Errors are those of FromPKCS12.
func FromPEM(cert, key []byte, password string) (signer.Key, error) {
	private, err := parseKey(key, password)
	if err != nil {
		return signer.Key{}, err
	}
	if len(cert) == 0 {
		cert = key
	}
	found, err := certs.ParseBundle(cert)
	if err != nil || len(found) == 0 {
		return signer.Key{}, text.Detailed(text.FileUnreadable, err, "key.no_certificate")
	}
	return assemble(private, found)
}

func wrongPassword(err error, password string) error {
	if password == "" {
		return text.Detailed(text.KeyLocked, err, "key.empty_password")
	}
	return text.Detailed(text.KeyLocked, err, "key.wrong_password")
}

// assemble puts key and the certificate that belongs to it together, and the
// certificates above it in order.
func assemble(key any, found []*certs.Certificate) (signer.Key, error) {
	private, ok := key.(crypto.Signer)
	if !ok {
		return signer.Key{}, text.Detailed(text.KeyNotFound, fmt.Errorf("softkey: key of type %T", key), "key.kind")
	}
	leaf := leafOf(private.Public(), found)
	if leaf == nil {
		return signer.Key{}, text.Detailed(text.CertificateMismatch, nil, "key.mismatch", name(found[0]))
	}
	return signer.Key{Signer: private, Chain: order(leaf, found)}, nil
}

// leafOf finds the certificate of pub; of several, as after a renewal with the
// same key, the one that is valid longest.
func leafOf(pub crypto.PublicKey, found []*certs.Certificate) *certs.Certificate {
	own, ok := pub.(interface{ Equal(x crypto.PublicKey) bool })
	if !ok {
		return nil
	}
	var leaf *certs.Certificate
	for _, c := range found {
		if c.PublicKey != nil && own.Equal(c.PublicKey) && (leaf == nil || c.NotAfter.After(leaf.NotAfter)) {
			leaf = c
		}
	}
	return leaf
}

// order returns leaf and its issuers as far as found holds them. Certificates
// beside that path are left out.
func order(leaf *certs.Certificate, found []*certs.Certificate) []*certs.Certificate {
	chain := []*certs.Certificate{leaf}
	for last := leaf; !last.SelfIssued(); {
		next := issuerOf(last, found, chain)
		if next == nil {
			break
		}
		chain, last = append(chain, next), next
	}
	return chain
}

func issuerOf(c *certs.Certificate, found, used []*certs.Certificate) *certs.Certificate {
	for _, candidate := range found {
		if !contains(used, candidate) && c.IssuedBy(candidate) {
			return candidate
		}
	}
	return nil
}

func contains(list []*certs.Certificate, c *certs.Certificate) bool {
	for _, o := range list {
		if o.Equal(c) {
			return true
		}
	}
	return false
}

func name(c *certs.Certificate) string {
	if c.CommonName != "" {
		return c.CommonName
	}
	return c.Subject
}

// Provider is a signer.KeyProvider over keys that are already open. It is safe
// for concurrent use; the zero value has no keys.
type Provider struct {
	keys map[string]signer.Key
}

var _ signer.KeyProvider = (*Provider)(nil)

// NewProvider returns a Provider of keys by id. It keeps its own copy of the map.
func NewProvider(keys map[string]signer.Key) *Provider {
	return &Provider{keys: maps.Clone(keys)}
}

// Key implements signer.KeyProvider; an unknown id is a *text.Error with code
// key-not-found.
func (p *Provider) Key(_ context.Context, id string) (signer.Key, error) {
	k, ok := p.keys[id]
	if !ok {
		return signer.Key{}, text.Detailed(text.KeyNotFound, nil, "key.unknown", id)
	}
	return k, nil
}
