package certs

import (
	"crypto"
	"fmt"
	"time"

	"antin/signer/ades"
)

// CryptoPolicy says until when algorithms are held to be strong enough. It is
// data: a table of dates under a name. The zero value allows nothing.
type CryptoPolicy struct {
	Name    string
	Version string
	rules   []strengthRule
}

// strengthRule is one line of a policy; a zero until is open-ended.
type strengthRule struct {
	algorithm ades.SignatureAlgorithm // empty: the rule is about a hash
	hash      crypto.Hash
	bits      int // the least key size the line is about
	until     time.Time
}

func until(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// TS119312 is the table that follows ETSI TS 119 312 V1.5.1. Ed25519, which ETSI
// does not list, is allowed: RFC 8032 keys are as strong as P-256 ones.
func TS119312() CryptoPolicy {
	rsaLimit := until(2029, time.January, 1)
	return CryptoPolicy{Name: "TS 119 312", Version: "1.5.1", rules: []strengthRule{
		{hash: crypto.SHA1, until: until(2012, time.August, 1)},
		{hash: crypto.SHA224, until: until(2029, time.January, 1)},
		{hash: crypto.SHA256}, {hash: crypto.SHA384}, {hash: crypto.SHA512}, {hash: crypto.SHA512_256},
		{hash: crypto.SHA3_256}, {hash: crypto.SHA3_384}, {hash: crypto.SHA3_512},

		{algorithm: ades.RSAPKCS1, bits: 786, until: until(2019, time.October, 1)},
		{algorithm: ades.RSAPKCS1, bits: 1900, until: rsaLimit},
		{algorithm: ades.RSAPSS, bits: 786, until: until(2019, time.October, 1)},
		{algorithm: ades.RSAPSS, bits: 1900, until: rsaLimit},
		{algorithm: ades.RSAPSS, bits: 3000},
		{algorithm: ades.ECDSA, bits: 224, until: until(2021, time.October, 1)},
		{algorithm: ades.ECDSA, bits: 256},
		{algorithm: ades.Ed25519, bits: 256},
	}}
}

// Allowed reports whether a signature by alg with a key of keyBits over hash was
// strong enough at that time. A hash of 0 asks about the key alone.
func (p CryptoPolicy) Allowed(alg ades.SignatureAlgorithm, keyBits int, hash crypto.Hash, at time.Time) bool {
	limit, open, known := p.Until(alg, keyBits, hash)
	return known && (open || at.Before(limit))
}

// WeakError says why a CryptoPolicy does not allow a combination.
type WeakError struct {
	// Policy is the policy's name with its version.
	Policy string
	// What is the weak part as reports show it: "RSA-PSS 1024", "SHA-1".
	What string
	// Until is the first moment at which it was no longer strong enough; zero when
	// the policy does not list it at all.
	Until time.Time
}

// Error implements error.
func (e *WeakError) Error() string {
	if e.Until.IsZero() {
		return fmt.Sprintf("certs: %s does not list %s", e.Policy, e.What)
	}
	return fmt.Sprintf("certs: %s allows %s only before %s", e.Policy, e.What, e.Until.Format(time.DateOnly))
}

// Check is Allowed with the reason: nil, or a *WeakError that names the part
// that is too weak, the key before the hash.
func (p CryptoPolicy) Check(alg ades.SignatureAlgorithm, keyBits int, hash crypto.Hash, at time.Time) error {
	name := p.Name + " " + p.Version
	limit, open, known := p.Until(alg, keyBits, 0)
	if !known || (!open && !at.Before(limit)) {
		return &WeakError{Policy: name, What: fmt.Sprintf("%s %d", alg, keyBits), Until: limit}
	}
	if hash == 0 || p.AllowedHash(hash, at) {
		return nil
	}
	weak := &WeakError{Policy: name, What: ades.HashName(hash)}
	if r, listed := p.hashRule(hash); listed {
		weak.Until = r.until
	}
	if weak.What == "" {
		weak.What = hash.String()
	}
	return weak
}

// AllowedHash reports whether hash alone was strong enough at that time, as for
// a time-stamp's imprint.
func (p CryptoPolicy) AllowedHash(hash crypto.Hash, at time.Time) bool {
	r, known := p.hashRule(hash)
	return known && (r.until.IsZero() || at.Before(r.until))
}

// Until is the first moment at which the combination is no longer strong enough.
// open means that no end is set; known is false for a combination that the
// policy does not list, which it never allows.
func (p CryptoPolicy) Until(alg ades.SignatureAlgorithm, keyBits int, hash crypto.Hash) (limit time.Time, open, known bool) {
	var key strengthRule
	for _, r := range p.rules {
		if r.algorithm == alg && alg != "" && keyBits >= r.bits && r.bits >= key.bits {
			key, known = r, true
		}
	}
	if !known {
		return time.Time{}, false, false
	}
	limit = key.until
	if hash != 0 {
		h, listed := p.hashRule(hash)
		if !listed {
			return time.Time{}, false, false
		}
		if limit.IsZero() || (!h.until.IsZero() && h.until.Before(limit)) {
			limit = h.until
		}
	}
	return limit, limit.IsZero(), true
}

func (p CryptoPolicy) hashRule(hash crypto.Hash) (strengthRule, bool) {
	for _, r := range p.rules {
		if r.algorithm == "" && r.hash == hash && hash != 0 {
			return r, true
		}
	}
	return strengthRule{}, false
}

// CheckPath returns the first certificate of path, leaf first, whose signature
// by its issuer was not strong enough at that time, and why; nil when all were.
// The anchor's own signature does not count.
func (p CryptoPolicy) CheckPath(path Path, at time.Time) (*Certificate, error) {
	for i, c := range path[:max(len(path)-1, 0)] {
		s, err := c.SignatureAlgorithm.Scheme()
		if err != nil {
			return c, err
		}
		if err := p.Check(s.Algorithm, path[i+1].KeyBits, s.Hash, at); err != nil {
			return c, err
		}
	}
	return nil, nil
}
