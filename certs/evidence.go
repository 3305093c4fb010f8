package certs

import (
	"bytes"
	"context"
	"slices"
	"time"
)

func (c *revocationCheck) ocsp(e Evidence) {
	r, err := ParseOCSP(e.DER)
	if err != nil {
		c.fail(RevocationStatus{}, WhyMalformed)
		return
	}
	i := slices.IndexFunc(r.Responses, func(s OCSPSingle) bool { return s.About(c.cert, c.issuer) })
	if i < 0 {
		c.fail(RevocationStatus{}, WhyOther)
		return
	}
	responder, why := r.responder(c.issuer, c.o.Intermediates)
	if responder == nil {
		c.fail(RevocationStatus{}, why)
		return
	}
	path := Path{responder, c.issuer}
	if responder.Equal(c.issuer) || sameKey(responder, c.issuer) {
		path = Path{responder}
	}
	for _, one := range r.Responses[i:] {
		if !one.About(c.cert, c.issuer) {
			continue
		}
		s := RevocationStatus{Source: SourceOCSP, ThisUpdate: one.ThisUpdate, NextUpdate: one.NextUpdate, ProducedAt: r.ProducedAt,
			Embedded: e.Origin == OriginEmbedded, Evidence: e, Issuer: responder, IssuerPath: path}
		c.single(r, one, s)
	}
}

func (c *revocationCheck) single(r *OCSPResponse, one OCSPSingle, s RevocationStatus) {
	switch {
	case r.unknownCritical || one.unknownCritical:
		c.fail(s, WhyUnsupported)
	case one.Status == StatusRevoked:
		s.RevokedAt, s.Reason = one.RevokedAt, one.Reason
		c.addRevoked(s, one.ArchiveCutoff, c.o.MaxOCSPAge)
	case one.Status == StatusUnknown:
		c.fail(s, WhyResponderUnknown)
	default:
		if why := c.stale(one.ThisUpdate, one.NextUpdate, one.ArchiveCutoff, c.o.MaxOCSPAge); why != "" {
			c.fail(s, why)
			return
		}
		c.known = append(c.known, s)
	}
}

// addRevoked takes a revocation: a final one counts however old its evidence is,
// a hold only while that evidence is fresh.
func (c *revocationCheck) addRevoked(s RevocationStatus, retained time.Time, maxAge time.Duration) {
	if s.Reason == reasonName(reasonHold) {
		if why := c.stale(s.ThisUpdate, s.NextUpdate, retained, maxAge); why == WhyStale {
			c.fail(s, why)
			return
		}
	}
	c.known = append(c.known, s)
}

// crlSigner finds who signed l and may: the issuer itself, a certificate that
// the issuer's key certified for it, or one with a path to o.Anchors.
func (c *revocationCheck) crlSigner(l *CRL) (Path, string) {
	why := WhyResponder
	for _, signer := range slices.Concat([]*Certificate{c.issuer}, c.o.Intermediates, c.o.Anchors) {
		if signer.subjectKey != l.issuerKey || !signer.KeyUsage.Permits(KeyUsageCRLSign) {
			continue
		}
		if err := signer.verifySigned(l.signatureAlgorithm, l.rawTBS, l.received, l.signature); err != nil {
			switch {
			case isAlgorithm(err):
				why = WhyUnsupported
			case why == WhyResponder && !l.namesAnotherKey(signer):
				why = WhySignature
			}
			continue
		}
		if path := c.crlSignerPath(l, signer); path != nil {
			return path, ""
		}
	}
	return nil, why
}

// namesAnotherKey reports whether the list says that another key than signer's made its signature.
func (l *CRL) namesAnotherKey(signer *Certificate) bool {
	return len(l.authorityKeyID) > 0 && len(signer.SubjectKeyID) > 0 && !bytes.Equal(l.authorityKeyID, signer.SubjectKeyID)
}

func (c *revocationCheck) crlSignerPath(l *CRL, signer *Certificate) Path {
	switch {
	case signer.Equal(c.issuer) || sameKey(signer, c.issuer):
		return Path{signer}
	case len(c.o.Anchors) > 0:
		// The signer had to be valid when it signed. The certificate in question
		// decides on the sandbox mark: it was accepted, or not, by its own path.
		path, err := BuildPath(context.Background(), signer, PathOptions{Intermediates: append([]*Certificate{c.issuer}, c.o.Intermediates...),
			Anchors: c.o.Anchors, At: l.ThisUpdate, Usage: UsageCRLSigning, AllowSandbox: c.cert.Sandbox})
		if err != nil {
			return nil
		}
		return path
	case signer.ValidAt(l.ThisUpdate) && len(signer.UnknownCritical) == 0 && signer.IssuedBy(c.issuer):
		return Path{signer, c.issuer}
	}
	return nil
}
