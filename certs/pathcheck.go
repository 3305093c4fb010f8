package certs

import (
	"encoding/asn1"
	"errors"
	"slices"
)

func isAlgorithm(err error) bool { return errors.Is(err, ErrAlgorithm) }

// Usage is what a leaf's key is used for.
type Usage string

// The usages. The zero value asks nothing of the leaf.
const (
	UsageAny             Usage = ""
	UsageDocumentSigning Usage = "document-signing"
	UsageTimeStamping    Usage = "time-stamping" // RFC 3161, 2.3: EKU critical, time-stamping and nothing else
	UsageOCSPSigning     Usage = "ocsp-signing"  // RFC 6960, 4.2.2.2
	UsageCRLSigning      Usage = "crl-signing"
)

// otherPurposes are extended key usages that exclude document signing when a
// certificate lists nothing else. Identifiers that are not known here are taken
// as meant for signing: CAs invent their own.
var otherPurposes = []asn1.ObjectIdentifier{
	OIDExtKeyUsageServerAuth, OIDExtKeyUsageCodeSigning, OIDExtKeyUsageTimeStamping, OIDExtKeyUsageOCSPSigning,
}

// Permits reports whether c's key usage and extended key usage allow u.
func (u Usage) Permits(c *Certificate) bool {
	switch u {
	case UsageDocumentSigning:
		return c.KeyUsage.Permits(KeyUsageDigitalSignature|KeyUsageContentCommitment) &&
			(len(c.ExtKeyUsage) == 0 || slices.ContainsFunc(c.ExtKeyUsage, func(oid asn1.ObjectIdentifier) bool {
				return !slices.ContainsFunc(otherPurposes, oid.Equal)
			}))
	case UsageTimeStamping:
		return c.KeyUsage.Permits(KeyUsageDigitalSignature|KeyUsageContentCommitment) &&
			len(c.ExtKeyUsage) == 1 && c.ExtKeyUsageCritical && c.HasExtKeyUsage(OIDExtKeyUsageTimeStamping)
	case UsageOCSPSigning:
		return c.KeyUsage.Permits(KeyUsageDigitalSignature|KeyUsageContentCommitment) && c.HasExtKeyUsage(OIDExtKeyUsageOCSPSigning)
	case UsageCRLSigning:
		return c.KeyUsage.Permits(KeyUsageCRLSign)
	case UsageAny:
	}
	return true
}

// check is RFC 5280, 6.1 over a complete path whose signatures verify. Validity
// periods come last, so that "expired" means nothing else was wrong, and the leaf
// first among them.
func (b *pathBuilder) check(path Path) *PathError {
	b.checks++
	for _, f := range []func(Path) *PathError{b.checkMarks, checkIssuers, b.checkNames, b.checkPolicies, b.checkUsage, b.checkValidity} {
		if e := f(path); e != nil {
			return e
		}
	}
	return nil
}

// trusted is where the anchor's own checks end: everything before it is checked.
func (p Path) belowAnchor() Path {
	if len(p) == 1 {
		return p // the leaf is the anchor; its use and validity are still asked
	}
	return p[:len(p)-1]
}

func (b *pathBuilder) checkMarks(path Path) *PathError {
	for _, c := range path {
		if c.Sandbox && !b.o.AllowSandbox {
			return &PathError{Reason: ReasonSandbox, Cert: c}
		}
	}
	for _, c := range path.belowAnchor() {
		if len(c.UnknownCritical) > 0 {
			return &PathError{Reason: ReasonCriticalExtension, Cert: c}
		}
	}
	return nil
}

// checkIssuers is 6.1.4 (k) to (n) for every certificate that issued another,
// the anchor included: a signer's certificate listed as an anchor is no CA.
func checkIssuers(path Path) *PathError {
	left := MaxPathLength
	for i, c := range slices.Backward(path) {
		if i == 0 {
			break
		}
		anchor := i == len(path)-1
		isCA := c.IsCA || (anchor && c.Version < 3 && c.SelfIssued()) // version 1 roots cannot say it
		if !isCA || !c.KeyUsage.Permits(KeyUsageCertSign) {
			return &PathError{Reason: ReasonConstraint, Cert: c}
		}
		if !anchor && !c.SelfIssued() {
			if left <= 0 {
				return &PathError{Reason: ReasonConstraint, Cert: c}
			}
			left--
		}
		if c.PathLen >= 0 {
			left = min(left, c.PathLen)
		}
	}
	return nil
}

// checkNames is 6.1.3 (b), (c) and 6.1.4 (g).
func (b *pathBuilder) checkNames(path Path) *PathError {
	state := &nameState{comparisons: b.names}
	defer func() { b.names = state.comparisons }()
	for i, c := range slices.Backward(path) {
		if i != len(path)-1 && (i == 0 || !c.SelfIssued()) && !state.allows(c) {
			if state.comparisons > maxNameComparisons {
				return &PathError{Reason: ReasonBudget, Cert: c}
			}
			return &PathError{Reason: ReasonNameConstraint, Cert: c}
		}
		state.add(c.constraints)
	}
	return nil
}

func (b *pathBuilder) checkPolicies(path Path) *PathError {
	below := path.belowAnchor()
	state := newPolicyState(b.o, len(below))
	for i, c := range slices.Backward(below) {
		if !state.certificate(c, i == 0) || (i > 0 && !state.prepare(c)) {
			return &PathError{Reason: ReasonPolicy, Cert: c}
		}
	}
	if !state.wrapUp(path[0], b.o.InitialPolicies) {
		return &PathError{Reason: ReasonPolicy, Cert: path[0]}
	}
	return nil
}

func (b *pathBuilder) checkUsage(path Path) *PathError {
	if !b.o.Usage.Permits(path[0]) {
		return &PathError{Reason: ReasonUsage, Cert: path[0]}
	}
	return nil
}

func (b *pathBuilder) checkValidity(path Path) *PathError {
	for _, c := range path.belowAnchor() {
		switch {
		case b.o.At.Before(c.NotBefore):
			return &PathError{Reason: ReasonNotYetValid, Cert: c}
		case b.o.At.After(c.NotAfter):
			return &PathError{Reason: ReasonExpired, Cert: c}
		}
	}
	return nil
}
