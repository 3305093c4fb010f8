package signer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// maxResponders bounds how far revocation data about those who sign revocation
// data is followed: a responder's responder has no business to have one of its own.
const maxResponders = 3

// addEvidence makes B-LT of B-T: certificates and revocation data of signer, TSA,
// CAs and those who vouch for them go into the document security store, as a
// revision of its own (EN 319 142-1, 5.4.2).
func (r *run) addEvidence(ctx context.Context) error {
	if !r.level().AtLeast(ades.BLT) {
		return nil
	}
	c := newCollector(r)
	// The signer's status counts from its time-stamp on, so it is asked anew.
	if err := c.path(ctx, r.id.path, r.latest(), r.token.GenTime, 0); err != nil {
		return err
	}
	if err := c.path(ctx, r.token.path, r.token.GenTime, time.Time{}, 0); err != nil {
		return err
	}
	reader, size := join(r.in.Reader, r.in.Size, r.prepared.Update)
	file, err := pdf.Open(reader, size, pdf.Options{})
	if err != nil {
		return fmt.Errorf("opening the signed revision: %w", err)
	}
	built, err := pades.AddDSS(file, c.dss)
	if err != nil {
		return fmt.Errorf("adding the document security store: %w", err)
	}
	if built != nil {
		r.evidence = built.Data
	}
	return nil
}

// latest is our clock, or the time-stamp's where that runs ahead of it.
func (r *run) latest() time.Time {
	now := r.Now()
	if r.token != nil && r.token.GenTime.After(now) {
		return r.token.GenTime
	}
	return now
}

// collector gathers what a verifier without a network needs.
type collector struct {
	*run
	dss           pades.DSS
	stored, asked map[[32]byte]bool // by certificate
}

func newCollector(r *run) *collector {
	return &collector{run: r, stored: map[[32]byte]bool{}, asked: map[[32]byte]bool{}}
}

// path collects the certificates of p and the status of each below its end, as
// it stood at a time; since, where set, asks for data on the leaf not older than that.
func (c *collector) path(ctx context.Context, p certs.Path, at, since time.Time, depth int) error {
	for i, cert := range p {
		c.put(cert)
		if i+1 == len(p) {
			return c.endOfPath(cert, depth)
		}
		nocheck := i == 0 && depth > 0 && cert.OCSPNoCheck // RFC 6960, 4.2.2.2.1: trusted for its lifetime
		if !nocheck && !c.asked[cert.SHA256()] {
			c.asked[cert.SHA256()] = true
			if err := c.status(ctx, cert, p, at, since, depth); err != nil {
				return err
			}
		}
		since = time.Time{}
	}
	return nil
}

// endOfPath accepts the anchor, and without trust a root. A path that ends
// before, below a CA nobody knows, leaves a certificate whose status cannot be asked.
func (c *collector) endOfPath(last *certs.Certificate, depth int) error {
	if c.trusted() || depth > 0 || last.SelfIssued() {
		return nil
	}
	return text.Errorf(text.RevocationUnavailable, fmt.Errorf("issuer of %s is not known", last.Subject))
}

// put stores a certificate once.
func (c *collector) put(cert *certs.Certificate) {
	if !c.stored[cert.SHA256()] {
		c.stored[cert.SHA256()] = true
		c.dss.Certs = append(c.dss.Certs, cert.Raw)
	}
}

// status collects the revocation data on cert and, in turn, what speaks for
// whoever signed that data.
func (c *collector) status(ctx context.Context, cert *certs.Certificate, p certs.Path, at, since time.Time, depth int) error {
	status, err := c.ask(ctx, cert, p, at, since)
	if err != nil {
		return err
	}
	switch status.Status {
	case certs.StatusGood:
	case certs.StatusRevoked:
		return text.Errorf(text.CertificateRevoked, fmt.Errorf("%s revoked at %s", cert.Subject, status.RevokedAt))
	default:
		if noPlace := len(cert.OCSPServers) == 0 && len(cert.CRLDistributionPoints) == 0; noPlace && (cert.IsCA || depth > 0) {
			return nil // it names no place to ask
		}
		return text.Errorf(text.RevocationUnavailable, fmt.Errorf("%s: %s", cert.Subject, status.Why))
	}
	switch status.Evidence.Kind {
	case certs.EvidenceOCSP:
		c.dss.OCSPs = append(c.dss.OCSPs, status.Evidence.DER)
	case certs.EvidenceCRL:
		c.dss.CRLs = append(c.dss.CRLs, status.Evidence.DER)
	}
	if len(status.IssuerPath) == 0 || depth >= maxResponders {
		return nil
	}
	return c.path(ctx, status.IssuerPath, at, time.Time{}, depth+1)
}

// freshSource is what a RevocationSource may offer beside: data that was issued
// at or after a time, past any cache.
type freshSource interface {
	RevocationSince(ctx context.Context, cert, issuer *certs.Certificate, since time.Time) ([]certs.Evidence, error)
}

// ask prefers data from since on and falls back to older data that is fresh: a
// responder may sign its answers hours ahead.
func (c *collector) ask(ctx context.Context, cert *certs.Certificate, p certs.Path, at, since time.Time) (certs.RevocationStatus, error) {
	if c.Revocation == nil || c.req.Offline {
		return certs.RevocationStatus{}, text.Errorf(text.RevocationUnavailable, errors.New("no revocation source"))
	}
	var evidence []certs.Evidence
	var err error
	if fresh, ok := c.Revocation.(freshSource); ok && !since.IsZero() {
		evidence, err = fresh.RevocationSince(ctx, cert, p.Issuer(cert), since)
	} else {
		evidence, err = c.Revocation.Revocation(ctx, cert, p.Issuer(cert))
	}
	if err != nil && ctx.Err() != nil {
		return certs.RevocationStatus{}, ctx.Err()
	}
	status := c.judge(cert, p, evidence, certs.RevocationOptions{At: at, NotBefore: since})
	if status.Why == certs.WhyStale && !since.IsZero() {
		status = c.judge(cert, p, evidence, certs.RevocationOptions{At: at})
	}
	if err != nil && status.Status == certs.StatusUnknown {
		status.Why += ": " + err.Error()
	}
	return status, nil
}
