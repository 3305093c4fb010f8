package validation

import (
	"context"
	"slices"
	"time"

	"antin/certs"
)

// question asks for the revocation status of a certificate at a time.
type question struct {
	cert, issuer, anchor *certs.Certificate
	at                   time.Time
	proven               bool // at is a proven time and not merely now
	signer               bool // cert is the signing certificate, for which the policy is stricter
	depth                int
}

// answer is the status found, and whether the document itself held the data.
type answer struct {
	status   certs.RevocationStatus
	embedded bool
}

// maxResponderDepth bounds responders that answer for responders.
const maxResponderDepth = 2

// revocation finds the status of a certificate at a time, with the freshness
// rules of EN 319 102-1, 5.2.5: data from that time or later counts, earlier data
// while the policy calls it fresh. The document's own data is used first; the
// network is asked only for something better.
func (v *validation) revocation(q question) answer {
	held := v.about(q.cert)
	own := v.check(q, held)
	a := answer{status: own, embedded: own.Status == certs.StatusGood}
	if v.Revocation == nil || own.Status == certs.StatusRevoked {
		return a
	}
	enough := own.Status == certs.StatusGood && own.FreshAt(q.at, 0)
	// A CA may learn later that a signer's key was lost before; then the newest word
	// counts. It is asked while it still answers for the certificate.
	if enough && (!q.signer || !q.at.Before(v.at) || v.at.After(q.cert.NotAfter)) {
		return a
	}
	more := v.fetch(q)
	if len(more) == 0 {
		return a
	}
	if s := v.check(q, slices.Concat(more, held)); !enough || (s.Status != certs.StatusUnknown && !s.RevokedAt.IsZero()) {
		a.status = s
	}
	return a
}

// check judges evidence, the standing of whoever signed it included.
func (v *validation) check(q question, evidence []certs.Evidence) certs.RevocationStatus {
	o := certs.RevocationOptions{At: q.at, Intermediates: v.pool}
	if q.anchor != nil {
		o.Anchors = []*certs.Certificate{q.anchor}
	}
	if q.signer {
		o.MaxOCSPAge, o.MaxCRLAge = v.policy.OCSPMaxAge, max(v.policy.CRLMaxAge, 0)
		if v.policy.OCSPMaxAge == 0 {
			if q.proven {
				o.NotBefore = q.at // only data from the proven time on
			} else {
				o.MaxOCSPAge = day // nothing can be younger than now
			}
		}
	}
	s := certs.CheckRevocation(q.cert, q.issuer, evidence, o)
	if s.Status == certs.StatusGood && !v.responderStands(q, s) {
		s.Status, s.Source, s.Why = certs.StatusUnknown, certs.SourceNone, certs.WhyResponder
	}
	return s
}

// responderStands makes sure that whoever signed the evidence was not revoked
// itself when it did, unless its issuer vouches for it (id-pkix-ocsp-nocheck).
func (v *validation) responderStands(q question, s certs.RevocationStatus) bool {
	r := s.Issuer
	if r == nil || r.Equal(q.issuer) || r.OCSPNoCheck || len(s.IssuerPath) < 2 {
		return true
	}
	if q.depth >= maxResponderDepth {
		return false
	}
	at := s.ThisUpdate
	if s.ProducedAt.After(at) {
		at = s.ProducedAt
	}
	return v.revocation(question{cert: r, issuer: s.IssuerPath[1], anchor: q.anchor, at: at, proven: true, depth: q.depth + 1}).
		status.Status == certs.StatusGood
}

// freshSource is what a RevocationSource may offer beside: data that was issued
// at or after a time, past any cache.
type freshSource interface {
	RevocationSince(ctx context.Context, cert, issuer *certs.Certificate, since time.Time) ([]certs.Evidence, error)
}

// fetched is what the network said about a certificate when asked for data from
// since on.
type fetched struct {
	since    time.Time
	evidence []certs.Evidence
}

// fetch asks the network once per certificate, and again only for data younger
// than it was asked for before; a failure is the same as nothing, and final. For a
// signing certificate with a proven time an older answer in some cache will not do.
func (v *validation) fetch(q question) []certs.Evidence {
	var since time.Time
	if q.signer && q.proven {
		since = q.at
	}
	id := q.cert.SHA256()
	if f, asked := v.fetched[id]; asked && (len(f.evidence) == 0 || !f.since.Before(since)) {
		return f.evidence
	}
	var e []certs.Evidence
	var err error
	if fresh, ok := v.Revocation.(freshSource); ok && !since.IsZero() {
		e, err = fresh.RevocationSince(v.ctx, q.cert, q.issuer, since)
	} else {
		e, err = v.Revocation.Revocation(v.ctx, q.cert, q.issuer)
	}
	if err != nil {
		e = nil
	}
	v.fetched[id] = fetched{since, e}
	return e
}

// report writes a status into the report.
func revocationReport(s certs.RevocationStatus) Revocation {
	r := Revocation{Status: s.Status, Source: s.Source}
	if r.Source == "" {
		r.Source = certs.SourceNone
	}
	if s.Source == certs.SourceNone {
		return r
	}
	r.RevokedAt, r.Reason = Time{s.RevokedAt.UTC()}, s.Reason
	r.ThisUpdate, r.Embedded = Time{s.ThisUpdate.UTC()}, s.Embedded
	if s.RevokedAt.IsZero() {
		r.RevokedAt = Time{}
	}
	return r
}
