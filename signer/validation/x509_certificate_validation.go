package validation

import (
	"errors"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
)

// pathResult is what X.509 validation says of one certificate.
type pathResult struct {
	path     certs.Path
	sub      ades.SubIndication // "" when the path holds
	code     ReasonCode
	leaf     certs.RevocationStatus
	known    []certs.RevocationStatus // of each certificate of the path below the anchor
	failing  certs.RevocationStatus   // the status for which the path does not hold
	embedded bool                     // all revocation data needed was in the document
}

// validatePath is the X.509 certificate validation of EN 319 102-1, 5.2.6: a
// path that holds at a time, and the revocation status of every certificate of
// it at that time. proven says that the time is proven and lies in the past.
func (v *validation) validatePath(leaf *certs.Certificate, usage certs.Usage, at time.Time, proven, signer bool) pathResult {
	path, err := v.buildPath(leaf, usage, at)
	if err != nil {
		return v.pathFailure(leaf, usage, err, at)
	}
	return v.pathRevocation(path, at, proven, signer)
}

// pathRevocation judges the revocation of every certificate of a path, the anchor
// excepted, at a time.
func (v *validation) pathRevocation(path certs.Path, at time.Time, proven, signer bool) pathResult {
	r := pathResult{path: path, embedded: true, leaf: certs.RevocationStatus{Status: certs.StatusGood, Source: certs.SourceNone}}
	for i := range len(path) - 1 {
		a := v.revocation(question{cert: path[i], issuer: path[i+1], anchor: path.Anchor(), at: at, proven: proven, signer: signer && i == 0})
		if i == 0 {
			r.leaf = a.status
		}
		r.known = append(r.known, a.status)
		if i > 0 && a.status.Status == certs.StatusUnknown && !v.policy.RequireCARevocation && silent(path[i]) {
			continue // a CA certificate that names no source: nobody can ever obtain its status
		}
		r.embedded = r.embedded && a.embedded
		switch {
		case r.sub != "" || a.status.Status == certs.StatusGood:
		case a.status.Status == certs.StatusRevoked && a.status.Reason == onHold && i == 0:
			// A hold may be lifted as if it had never been (5.2.6.4).
			r.sub, r.code = ades.TryLater, ReasonSuspended
		case a.status.Status == certs.StatusRevoked && i == 0:
			r.sub, r.code = ades.RevokedNoPOE, ReasonRevoked
		case a.status.Status == certs.StatusRevoked:
			r.sub, r.code = ades.RevokedCANoPOE, ReasonRevokedCA
		default:
			r.sub, r.code = ades.TryLater, ReasonRevocation
		}
		if r.sub != "" && r.failing.Status == "" {
			r.failing = a.status
		}
	}
	return r
}

// onHold is the reason of a revocation that may be lifted (RFC 5280, 5.3.1).
const onHold = "certificateHold"

// silent reports whether c names no place to ask for its revocation status.
func silent(c *certs.Certificate) bool {
	return len(c.OCSPServers) == 0 && len(c.CRLDistributionPoints) == 0
}

// maxPaths bounds the paths built for one document: each may cost hundreds of
// signature verifications when the certificates were made to confuse.
const maxPaths = 400

func (v *validation) buildPath(leaf *certs.Certificate, usage certs.Usage, at time.Time) (certs.Path, error) {
	if v.paths++; v.paths > maxPaths {
		return nil, &certs.PathError{Reason: certs.ReasonBudget, Cert: leaf}
	}
	return certs.BuildPath(v.ctx, leaf, certs.PathOptions{Intermediates: v.pool, Anchors: v.anchorsFor(leaf, usage, at), Issuers: v.Issuers,
		At: at, Usage: usage, AllowSandbox: v.AllowSandbox, Verified: v.Verified})
}

// pathFailure gives a path error its sub-indication (EN 319 102-1, 5.2.6.4).
func (v *validation) pathFailure(leaf *certs.Certificate, usage certs.Usage, err error, at time.Time) pathResult {
	r := pathResult{sub: ades.CertificateChainGeneralFailure, code: ReasonChain,
		leaf: certs.RevocationStatus{Status: certs.StatusUnknown, Source: certs.SourceNone}}
	var p *certs.PathError
	if !errors.As(err, &p) {
		return r
	}
	switch p.Reason {
	case certs.ReasonNoPath, certs.ReasonSignature:
		r.sub, r.code = ades.NoCertificateChainFound, ReasonUntrusted
		if len(v.anchors(at)) == 0 {
			r.code = ReasonNoAnchors
		}
		switch {
		case v.elsewhere(leaf, usage, at):
			r.sub, r.code = ades.ChainConstraintsFailure, ReasonDomain
		case v.onceTrusted(leaf, at):
			r.sub, r.code = ades.NoCertificateChainFoundNoPOE, ReasonAnchorEnded
		}
	case certs.ReasonSandbox:
		r.sub, r.code = ades.NoCertificateChainFound, ReasonSandbox
	case certs.ReasonConstraint, certs.ReasonNameConstraint, certs.ReasonPolicy, certs.ReasonUsage, certs.ReasonCriticalExtension:
		r.sub, r.code = ades.ChainConstraintsFailure, ReasonChainConstraint
	case certs.ReasonExpired:
		r.path = p.Path
		if p.Cert.Equal(leaf) {
			return v.expired(r, leaf)
		}
	case certs.ReasonNotYetValid:
		if p.Cert.Equal(leaf) {
			r.path, r.sub, r.code = p.Path, ades.NotYetValid, ReasonNotYetValid
		}
	case certs.ReasonAlgorithm, certs.ReasonBudget:
	}
	return r
}

// onceTrusted reports whether leaf led to an anchor while it was valid, though it
// leads to none at the time at: the anchor has been withdrawn or has ended since.
func (v *validation) onceTrusted(leaf *certs.Certificate, at time.Time) bool {
	then := earlier(leaf.NotAfter, at)
	if !then.After(leaf.NotBefore) {
		return false
	}
	for _, t := range []time.Time{then, leaf.NotBefore} {
		if len(v.anchors(t)) == 0 || t.Equal(at) {
			continue
		}
		if _, err := v.buildPath(leaf, certs.UsageAny, t); err == nil {
			return true
		}
	}
	return false
}

// expired tells an expired certificate apart by what is known of its revocation
// while it was valid.
func (v *validation) expired(r pathResult, leaf *certs.Certificate) pathResult {
	r.sub, r.code = ades.OutOfBoundsNoPOE, ReasonExpired
	if len(r.path) < 2 {
		return r
	}
	a := v.revocation(question{cert: leaf, issuer: r.path[1], anchor: r.path.Anchor(), at: leaf.NotAfter, proven: true})
	r.leaf = a.status
	switch a.status.Status {
	case certs.StatusRevoked:
		r.sub, r.code = ades.RevokedNoPOE, ReasonRevoked
	case certs.StatusGood:
		r.sub = ades.OutOfBoundsNotRevoked
	}
	return r
}

// words is what a note says about a path that does not hold.
func (r pathResult) words() text.Message { return text.Get("validation.path." + text.Key(r.code)) }
