package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"sync"
)

const (
	// maxKnown bounds the parsed certificates kept, at some ten kilobytes each.
	maxKnown = 256
	// maxKnownSize leaves out certificates of unusual length, in bytes.
	maxKnownSize = 8 << 10
)

// maxVerified bounds what a Verified remembers, at some hundred bytes each: more
// than the certificates of all agencies of a country in daily use.
const maxVerified = 4096

// Verified remembers which issuer's key made which certificate's signature, so
// that building the same path again costs no arithmetic, and certificates that were
// parsed. These are facts about bytes and do not age; validity, constraints,
// anchors and revocation are judged anew each time. Only success is remembered. The zero value is ready to
// use, nil remembers nothing; safe for concurrent use, not to be copied.
type Verified struct {
	mu    sync.Mutex
	pairs map[verifiedPair]struct{}
	known map[[32]byte]*Certificate // by fingerprint
}

// verifiedPair names certificate and issuer by their fingerprints.
type verifiedPair struct{ cert, issuer [32]byte }

// check verifies c's signature with issuer's key, or remembers that it holds.
func (v *Verified) check(c, issuer *Certificate) error {
	if v == nil || !wholeKey(issuer) {
		return c.checkSignatureFrom(issuer)
	}
	pair := verifiedPair{c.fingerprint, issuer.fingerprint}
	v.mu.Lock()
	_, known := v.pairs[pair]
	v.mu.Unlock()
	if known {
		return nil
	}
	if err := c.checkSignatureFrom(issuer); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.pairs == nil || len(v.pairs) >= maxVerified {
		v.pairs = map[verifiedPair]struct{}{} // what is in use comes back by itself
	}
	v.pairs[pair] = struct{}{}
	return nil
}

// IssuedBy is Certificate.IssuedBy that remembers.
func (v *Verified) IssuedBy(c, issuer *Certificate) bool {
	return c.issuerKey == issuer.subjectKey && v.check(c, issuer) == nil
}

// Parse is ParseCertificate that remembers. Certificates are read-only, so that
// all callers may share one.
func (v *Verified) Parse(der []byte) (*Certificate, error) {
	if v == nil || len(der) > maxKnownSize {
		return ParseCertificate(der)
	}
	sum := sha256.Sum256(der)
	v.mu.Lock()
	c := v.known[sum]
	v.mu.Unlock()
	if c != nil {
		return c, nil
	}
	c, err := ParseCertificate(bytes.Clone(der))
	if err != nil || c.fingerprint != sum {
		return c, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known == nil || len(v.known) >= maxKnown {
		v.known = map[[32]byte]*Certificate{}
	}
	v.known[sum] = c
	return c, nil
}

// wholeKey reports whether the certificate's bytes say all about its key: a DSA key
// may take its parameters from elsewhere.
func wholeKey(c *Certificate) bool {
	switch c.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}
