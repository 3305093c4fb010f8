package certs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"
)

// Path is a certification path: the leaf first, the trust anchor last. A leaf
// that is itself an anchor is a path of one.
type Path []*Certificate

// Anchor is the last certificate; nil for an empty path.
func (p Path) Anchor() *Certificate {
	if len(p) == 0 {
		return nil
	}
	return p[len(p)-1]
}

// Issuer returns the certificate after c in p; nil when c is not in p or is the anchor.
func (p Path) Issuer(c *Certificate) *Certificate {
	for i, x := range p {
		if x.Equal(c) && i+1 < len(p) {
			return p[i+1]
		}
	}
	return nil
}

// Subjects lists the subjects, leaf first, as reports show a chain.
func (p Path) Subjects() []string {
	s := make([]string, len(p))
	for i, c := range p {
		s[i] = c.Subject
	}
	return s
}

// PathOptions says what path is wanted.
type PathOptions struct {
	// Intermediates are candidates from anywhere, trusted in nothing. Duplicates do no harm.
	Intermediates []*Certificate
	// Anchors are trusted because they are listed: their own validity, signature
	// and revocation are not looked at (RFC 5280, 6.1.1 (d)); a TrustStore lists
	// those in force. Constraints written in them bind.
	Anchors []*Certificate
	// Issuers, where set, is asked for the issuer of a certificate that none of the
	// candidates at hand signed, when these lead to no anchor, at most
	// MaxIssuerFetches times.
	Issuers IssuerSource
	// At is the time at which every certificate but the anchor must be valid.
	At time.Time
	// Usage is what the leaf is used for; the zero value asks nothing.
	Usage Usage
	// AllowSandbox admits certificates with the sandbox mark.
	AllowSandbox bool
	// Verified remembers signatures from one path to the next; nil does not.
	Verified *Verified

	// The initial values of RFC 5280, 6.1.1 (c), (e) to (g). InitialPolicies
	// empty means any policy.
	InitialPolicies                                               []asn1.ObjectIdentifier
	RequireExplicitPolicy, InhibitPolicyMapping, InhibitAnyPolicy bool
}

// PathReason says why there is no path. The set is closed.
type PathReason string

// The reasons.
const (
	ReasonNoPath            PathReason = "no-path"            // no candidate leads to an anchor
	ReasonExpired           PathReason = "expired"            // a certificate's period ended before At
	ReasonNotYetValid       PathReason = "not-yet-valid"      // a certificate's period begins after At
	ReasonSignature         PathReason = "signature"          // an issuer's key did not make the signature
	ReasonAlgorithm         PathReason = "algorithm"          // a signature's algorithm is not supported
	ReasonConstraint        PathReason = "constraint"         // an issuer may not issue: basic constraints, path length, key usage
	ReasonNameConstraint    PathReason = "name-constraint"    // a name outside an issuer's name constraints
	ReasonPolicy            PathReason = "policy"             // no valid certificate policy where one is required
	ReasonUsage             PathReason = "usage"              // the leaf's key usage or extended key usage forbids the use
	ReasonCriticalExtension PathReason = "critical-extension" // a critical extension is not understood
	ReasonSandbox           PathReason = "sandbox"            // a sandbox certificate where none is allowed
	ReasonBudget            PathReason = "budget"             // too many candidates; nothing is known
)

// PathError says why no path was accepted. Of several candidates it tells the
// one that came nearest: an error of validity period means that nothing else was
// wrong.
type PathError struct {
	Reason PathReason
	Cert   *Certificate // where it failed
	Path   Path         // the candidate, leaf first; not complete for no-path and signature
	Err    error        // more, where there is more
}

// Error implements error.
func (e *PathError) Error() string {
	s := "certification path: " + string(e.Reason)
	if e.Cert != nil {
		s += " at " + e.Cert.Subject
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *PathError) Unwrap() error { return e.Err }

// rank orders reasons by how near the candidate came to being a path.
func (e *PathError) rank() int {
	order := []PathReason{ReasonNoPath, ReasonBudget, ReasonAlgorithm, ReasonSignature, ReasonCriticalExtension, ReasonConstraint,
		ReasonNameConstraint, ReasonPolicy, ReasonUsage, ReasonSandbox, ReasonNotYetValid, ReasonExpired}
	return slices.Index(order, e.Reason)
}

const (
	// MaxPathLength bounds a path, anchor included; national PKIs have 3 or 4.
	MaxPathLength = 12
	// MaxIssuerFetches bounds the questions asked of IssuerSource for one path.
	MaxIssuerFetches = 3
	// maxPathSteps bounds the candidates tried for one path: cross certificates
	// made by an attacker can be combined in exponentially many ways.
	maxPathSteps = 1000
	// maxPathSignatures bounds signature verifications, each up to five milliseconds.
	maxPathSignatures = 200
	// maxPathChecks bounds the complete paths judged by RFC 5280, 6.1: a CA that means
	// harm can make each of them cost a million comparisons.
	maxPathChecks = 50
)

// BuildPath finds a certification path from leaf to one of o.Anchors that holds
// at o.At (RFC 5280, 6). Revocation is not looked at: CheckRevocation does, for
// each certificate of the path. The error is a *PathError, or ctx's.
func BuildPath(ctx context.Context, leaf *Certificate, o PathOptions) (Path, error) {
	b := &pathBuilder{o: o, verified: map[[2]*Certificate]error{}, named: map[*Certificate][]*Certificate{}, pool: slices.Clone(o.Intermediates)}
	path, err := b.extend(ctx, Path{leaf})
	if err != nil || path != nil {
		return path, err
	}
	if r := b.worst().Reason; o.Issuers != nil && (r == ReasonNoPath || r == ReasonSignature) {
		b.fetch, b.failure, b.steps = true, nil, 0
		if path, err = b.extend(ctx, Path{leaf}); err != nil || path != nil {
			return path, err
		}
	}
	return nil, b.worst()
}

type pathBuilder struct {
	o          PathOptions
	pool       []*Certificate
	verified   map[[2]*Certificate]error
	named      map[*Certificate][]*Certificate // candidates, by the certificate they may have issued
	steps      int
	signatures int
	checks     int
	names      int // comparisons under name constraints
	fetch      bool
	fetches    int
	failure    *PathError
}

func (b *pathBuilder) worst() *PathError {
	if b.failure == nil {
		return &PathError{Reason: ReasonNoPath}
	}
	return b.failure
}

func (b *pathBuilder) fail(path Path, reason PathReason, c *Certificate, err error) {
	e := &PathError{Reason: reason, Cert: c, Path: slices.Clone(path), Err: err}
	if b.failure == nil || e.rank() > b.failure.rank() || (e.Reason == ReasonNoPath && len(path) > len(b.failure.Path) && b.failure.Reason == ReasonNoPath) {
		b.failure = e
	}
}

// extend tries every candidate issuer of the path's last certificate, depth
// first. A nil path means that none led to an anchor; b.failure tells why.
func (b *pathBuilder) extend(ctx context.Context, path Path) (Path, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	last := path[len(path)-1]
	if slices.ContainsFunc(b.o.Anchors, last.Equal) {
		if e := b.check(path); e != nil {
			b.fail(path, e.Reason, e.Cert, e.Err)
			return nil, nil
		}
		return slices.Clone(path), nil
	}
	if len(path) >= MaxPathLength {
		b.fail(path, ReasonNoPath, last, nil)
		return nil, nil
	}
	found, signed, err := b.try(ctx, path, b.candidates(last))
	if found == nil && err == nil && !signed {
		found, _, err = b.try(ctx, path, b.ask(ctx, last))
	}
	if found == nil && err == nil {
		b.fail(path, ReasonNoPath, last, nil)
	}
	return found, err
}

// try extends path by each candidate in turn. signed tells that one of them made
// the signature of the last certificate, so that nobody else need be looked for.
func (b *pathBuilder) try(ctx context.Context, path Path, candidates []*Certificate) (found Path, signed bool, err error) {
	last := path[len(path)-1]
	for _, issuer := range candidates {
		if b.steps++; b.steps > maxPathSteps || b.signatures > maxPathSignatures || b.checks > maxPathChecks {
			b.fail(path, ReasonBudget, last, nil)
			return nil, true, nil
		}
		if path.loops(issuer) {
			continue
		}
		issuer = b.complete(issuer, MaxPathLength)
		if err := b.verify(last, issuer); err != nil {
			b.failSignature(path, last, issuer, err)
			continue
		}
		signed = true
		if found, err := b.extend(ctx, append(path[:len(path):len(path)], issuer)); found != nil || err != nil {
			return found, true, err
		}
	}
	return nil, signed, nil
}

// loops reports whether issuer's name and key are in p already (RFC 4158, 2.4.2).
func (p Path) loops(issuer *Certificate) bool {
	return slices.ContainsFunc(p, func(c *Certificate) bool {
		return c.subjectKey == issuer.subjectKey && bytes.Equal(c.RawSPKI, issuer.RawSPKI)
	})
}

// candidates are the known certificates with the name of c's issuer: anchors
// first, then by matching key identifier, validity and age.
func (b *pathBuilder) candidates(c *Certificate) []*Certificate {
	if known, done := b.named[c]; done {
		return known
	}
	found := b.sorted(c, b.o.Anchors, b.pool)
	b.named[c] = found
	return found
}

// sorted picks those that have the name of c's issuer, each once, the likeliest first.
func (b *pathBuilder) sorted(c *Certificate, lists ...[]*Certificate) []*Certificate {
	type weighed struct {
		*Certificate
		weight int
	}
	var found []weighed
	seen := map[[32]byte]bool{}
	for _, list := range lists {
		for _, x := range list {
			if x != nil && x.subjectKey == c.issuerKey && !seen[x.fingerprint] && !x.Equal(c) {
				seen[x.fingerprint] = true
				found = append(found, weighed{x, b.weight(c, x)})
			}
		}
	}
	slices.SortStableFunc(found, func(x, y weighed) int { return cmp.Compare(y.weight, x.weight) })
	out := make([]*Certificate, len(found))
	for i, x := range found {
		out[i] = x.Certificate
	}
	return out
}

// ask returns candidates from o.Issuers. Not reachable is like not there: the
// failure is then "no path".
func (b *pathBuilder) ask(ctx context.Context, c *Certificate) []*Certificate {
	if !b.fetch || b.fetches >= MaxIssuerFetches {
		return nil
	}
	b.fetches++
	more, err := b.o.Issuers.Issuers(ctx, c)
	if err != nil {
		return nil
	}
	more = more[:min(len(more), maxListItems)]
	b.pool = append(b.pool, more...)
	clear(b.named)
	return b.sorted(c, more)
}

func (b *pathBuilder) weight(c, issuer *Certificate) int {
	w := 0
	if !keyIDsDiffer(c, issuer) {
		w += 4
	}
	if slices.ContainsFunc(b.o.Anchors, issuer.Equal) {
		w += 2
	}
	if issuer.ValidAt(b.o.At) {
		w++
	}
	return w
}

func keyIDsDiffer(c, issuer *Certificate) bool {
	return len(c.AuthorityKeyID) > 0 && len(issuer.SubjectKeyID) > 0 && !bytes.Equal(c.AuthorityKeyID, issuer.SubjectKeyID)
}

func (b *pathBuilder) verify(c, issuer *Certificate) error {
	pair := [2]*Certificate{c, issuer}
	err, done := b.verified[pair]
	if !done {
		b.signatures++
		err = b.o.Verified.check(c, issuer)
		b.verified[pair] = err
	}
	return err
}

// failSignature counts a bad signature against the path only when the issuer's
// key is the one that the certificate names: another CA of the same name is no issuer.
func (b *pathBuilder) failSignature(path Path, c, issuer *Certificate, err error) {
	switch {
	case keyIDsDiffer(c, issuer):
		b.fail(path, ReasonNoPath, c, nil)
	case isAlgorithm(err):
		b.fail(path, ReasonAlgorithm, c, err)
	default:
		b.fail(path, ReasonSignature, c, fmt.Errorf("by the key of %s: %w", issuer.Subject, err))
	}
}

// complete supplies the parameters of a DSA key from the certificate that issued
// it (RFC 5280, 6.1.4 (d) to (f)); any other certificate, and one whose issuer is
// not at hand, is returned as it is.
func (b *pathBuilder) complete(c *Certificate, depth int) *Certificate {
	if _, incomplete := c.incompleteDSA(); !incomplete || depth == 0 {
		return c
	}
	for _, issuer := range slices.Concat(b.o.Anchors, b.pool) {
		if issuer.subjectKey != c.issuerKey || issuer.Equal(c) {
			continue
		}
		if b.steps++; b.steps > maxPathSteps || b.signatures > maxPathSignatures {
			return c
		}
		issuer = b.complete(issuer, depth-1)
		whole := c.withParameters(issuer)
		if whole == nil {
			continue
		}
		b.signatures++
		if c.checkSignatureFrom(issuer) == nil {
			return whole
		}
	}
	return c
}
