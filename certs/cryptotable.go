package certs

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"antin/signer/ades"
)

// AlgorithmLimit is one line of a table of algorithms as its author writes it: until
// when a hash function, or a signature algorithm with keys of some size, is held to
// be strong enough.
type AlgorithmLimit struct {
	// Hash or Algorithm names what the line is about, as reports show it ("SHA-1",
	// "RSA-PKCS1-v1.5"); exactly one of them is set.
	Hash, Algorithm string
	// Bits is the least key size that the line is about, of an Algorithm only. The line
	// with the largest size that a key reaches decides about it.
	Bits int
	// Until is the first moment at which it is no longer strong enough; zero is open.
	Until time.Time
}

// Lines lists the table, the hash functions first, in a fixed order.
func (p CryptoPolicy) Lines() []AlgorithmLimit {
	lines := make([]AlgorithmLimit, 0, len(p.rules))
	for _, r := range p.rules {
		l := AlgorithmLimit{Algorithm: string(r.algorithm), Bits: r.bits, Until: r.until}
		if r.algorithm == "" {
			l.Hash = ades.HashName(r.hash)
		}
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, func(a, b AlgorithmLimit) int {
		return cmp.Or(cmp.Compare(a.Algorithm, b.Algorithm), cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Bits, b.Bits))
	})
	return lines
}

// errLine is in the chain of errors about lines that name nothing or too much.
var errLine = errors.New("certs: a line names one hash or one signature algorithm that is known")

// With returns the table called name and version, in which lines stand in place of
// those about the same hash, or the same algorithm with the same key size, and beside
// all others. p is not changed. An error names the line that is about nothing known.
func (p CryptoPolicy) With(name, version string, lines ...AlgorithmLimit) (CryptoPolicy, error) {
	out := CryptoPolicy{Name: name, Version: version, rules: slices.Clone(p.rules)}
	for i, l := range lines {
		rule, err := l.rule()
		if err != nil {
			return CryptoPolicy{}, fmt.Errorf("line %d: %w", i+1, err)
		}
		at := slices.IndexFunc(out.rules, func(r strengthRule) bool {
			return r.algorithm == rule.algorithm && r.hash == rule.hash && r.bits == rule.bits
		})
		if at < 0 {
			out.rules = append(out.rules, rule)
			continue
		}
		out.rules[at] = rule
	}
	return out, nil
}

// tableHashes are the hash functions that a line may name.
var tableHashes = []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA512_224, crypto.SHA512_256,
	crypto.SHA3_224, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512}

// tableAlgorithms are the signature algorithms that a line may name.
var tableAlgorithms = []ades.SignatureAlgorithm{ades.RSAPKCS1, ades.RSAPSS, ades.ECDSA, ades.DSA, ades.Ed25519}

func (l AlgorithmLimit) rule() (strengthRule, error) {
	r := strengthRule{bits: l.Bits, until: l.Until}
	switch {
	case (l.Hash == "") == (l.Algorithm == ""), l.Bits < 0, l.Hash != "" && l.Bits != 0:
		return r, errLine
	case l.Hash != "":
		i := slices.IndexFunc(tableHashes, func(h crypto.Hash) bool { return strings.EqualFold(ades.HashName(h), l.Hash) })
		if i < 0 {
			return r, fmt.Errorf("%w: %q", errLine, l.Hash)
		}
		r.hash = tableHashes[i]
		return r, nil
	}
	i := slices.IndexFunc(tableAlgorithms, func(a ades.SignatureAlgorithm) bool { return strings.EqualFold(string(a), l.Algorithm) })
	if i < 0 {
		return r, fmt.Errorf("%w: %q", errLine, l.Algorithm)
	}
	r.algorithm = tableAlgorithms[i]
	return r, nil
}
