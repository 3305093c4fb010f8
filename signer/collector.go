package signer

import (
	"context"
	"fmt"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/tsp"
	"antin/signer/validation"
)

// maxResponders bounds how far revocation data about those who sign revocation
// data is followed: a responder's responder has no business to have one of its own.
const maxResponders = 3

// collector gathers what a verifier without a network needs. What the document
// holds already is used before anybody is asked: for a certificate that has
// expired nobody may answer any more.
type collector struct {
	*run
	policy validation.Policy
	dss    pades.DSS            // what was found to be needed
	pool   []*certs.Certificate // for paths and for who signed revocation data
	known  map[[32]byte]bool    // the pool's
	stored map[[32]byte]bool    // certificates in dss
	asked  map[string]bool      // what was settled
	ocsps  map[string][]certs.Evidence
	crls   []certs.Evidence
}

// newCollector knows what the security store of file holds.
func newCollector(r *run, file *pdf.File) (*collector, error) {
	c := &collector{run: r, known: map[[32]byte]bool{}, stored: map[[32]byte]bool{}, asked: map[string]bool{}, ocsps: map[string][]certs.Evidence{}}
	if r.Validator != nil {
		c.policy = r.Validator.Policy
	}
	if c.policy.Name == "" {
		var err error
		if c.policy, err = validation.PolicyByName(""); err != nil {
			return nil, err
		}
	}
	have, err := pades.ReadDSS(file)
	if err != nil {
		return nil, fmt.Errorf("reading the document security store: %w", err)
	}
	c.hold(have)
	for _, related := range have.VRI {
		c.hold(related)
	}
	return c, nil
}

// hold remembers data of the document itself.
func (c *collector) hold(d pades.DSS) {
	for _, der := range d.Certs {
		if cert, err := certs.ParseCertificate(der); err == nil {
			c.know(cert)
		}
	}
	for _, der := range d.OCSPs {
		c.remember(certs.Evidence{Kind: certs.EvidenceOCSP, DER: der, Origin: certs.OriginEmbedded})
	}
	for _, der := range d.CRLs {
		c.remember(certs.Evidence{Kind: certs.EvidenceCRL, DER: der, Origin: certs.OriginEmbedded})
	}
}

// know adds certificates to the pool.
func (c *collector) know(list ...*certs.Certificate) {
	for _, cert := range list {
		if cert != nil && !c.known[cert.SHA256()] {
			c.known[cert.SHA256()] = true
			c.pool = append(c.pool, cert)
		}
	}
}

// remember keeps evidence, OCSP responses by the certificates they speak about.
func (c *collector) remember(e certs.Evidence) {
	if e.Kind == certs.EvidenceCRL {
		c.crls = append(c.crls, e)
		return
	}
	r, err := certs.ParseOCSP(e.DER)
	if err != nil {
		return
	}
	for _, one := range r.Responses {
		serial := one.Serial.String()
		c.ocsps[serial] = append(c.ocsps[serial], e)
	}
}

// about is the evidence at hand that may speak about cert, the newest first.
func (c *collector) about(cert *certs.Certificate) []certs.Evidence {
	own := c.ocsps[cert.Serial.String()]
	list := make([]certs.Evidence, 0, len(own)+len(c.crls))
	for i := len(own) - 1; i >= 0; i-- {
		list = append(list, own[i])
	}
	for i := len(c.crls) - 1; i >= 0; i-- {
		list = append(list, c.crls[i])
	}
	return list
}

// want says what is wanted to be known about the certificates of a path.
type want struct {
	// at is the time for which the status is wanted.
	at time.Time
	// since, where set, prefers data on the leaf that was issued then or later.
	since time.Time
	// signer says that the leaf is a signing certificate, on whose data the policy
	// is stricter.
	signer bool
	depth  int // of those who vouch for those who vouch
}

// path collects the certificates of p and the status of each below its end.
func (c *collector) path(ctx context.Context, p certs.Path, w want) error {
	for i, cert := range p {
		c.put(cert)
		if i+1 == len(p) {
			return c.endOfPath(cert, w.depth)
		}
		nocheck := i == 0 && w.depth > 0 && cert.OCSPNoCheck // RFC 6960, 4.2.2.2.1: trusted for its lifetime
		if !nocheck {
			if err := c.status(ctx, cert, p, w); err != nil {
				return err
			}
		}
		w.since, w.signer = time.Time{}, false
	}
	return nil
}

// stamp collects for a time-stamp's TSA, as of the time it states.
func (c *collector) stamp(ctx context.Context, s *stamp) error {
	c.know(s.SignedData.Certificates...)
	c.know(s.path...)
	return c.path(ctx, s.path, want{at: s.GenTime})
}

// contentStamps collects for the content time-stamps that the new signature holds.
func (c *collector) contentStamps(ctx context.Context, p *pades.Prepared) error {
	der, err := p.Contents()
	if err != nil {
		return err
	}
	sd, err := cms.Parse(der)
	if err != nil || len(sd.Signers) != 1 {
		return err
	}
	return c.contentStampsOf(ctx, sd.Signers[0])
}

// contentStampsOf collects for the content time-stamps of one signature. One whose
// TSA is not trusted proves nothing and needs nothing.
func (c *collector) contentStampsOf(ctx context.Context, info *cms.SignerInfo) error {
	for _, raw := range info.ContentTimestamps() {
		token, err := tsp.ParseToken(raw)
		if err != nil {
			continue
		}
		c.know(token.SignedData.Certificates...)
		tsa, err := token.SigningCertificate(c.pool...)
		if err != nil {
			continue
		}
		path, err := c.run.path(ctx, tsa, c.pool, certs.UsageTimeStamping, token.GenTime)
		if err != nil {
			continue
		}
		if err := c.stamp(ctx, &stamp{token, tsa, path}); err != nil {
			return err
		}
	}
	return ctx.Err()
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

// status collects the revocation data on cert, which stands in p, and in turn what
// speaks for whoever signed that data.
func (c *collector) status(ctx context.Context, cert *certs.Certificate, p certs.Path, w want) error {
	settled := fmt.Sprintf("%x %d %d %t", cert.SHA256(), w.at.Unix(), w.since.Unix(), w.signer)
	if c.asked[settled] {
		return nil
	}
	c.asked[settled] = true
	status, err := c.ask(ctx, cert, p, w)
	if err != nil {
		return err
	}
	switch status.Status {
	case certs.StatusGood:
	case certs.StatusRevoked:
		return text.Errorf(text.CertificateRevoked, fmt.Errorf("%s revoked at %s", cert.Subject, status.RevokedAt))
	default:
		if noPlace := len(cert.OCSPServers) == 0 && len(cert.CRLDistributionPoints) == 0; noPlace && (cert.IsCA || w.depth > 0) {
			return nil // it names no place to ask
		}
		return text.Errorf(text.RevocationUnavailable, fmt.Errorf("%s: %s", cert.Subject, status.Why))
	}
	c.keep(status.Evidence)
	c.keep(status.Delta)
	if len(status.IssuerPath) == 0 || w.depth >= maxResponders {
		return nil
	}
	return c.path(ctx, status.IssuerPath, want{at: signedAt(status), depth: w.depth + 1})
}

// signedAt is when whoever signed the evidence had to be in order.
func signedAt(s certs.RevocationStatus) time.Time {
	if s.ProducedAt.After(s.ThisUpdate) {
		return s.ProducedAt
	}
	return s.ThisUpdate
}

// keep puts evidence into the store to be written, which drops repeats.
func (c *collector) keep(e certs.Evidence) {
	switch e.Kind {
	case certs.EvidenceOCSP:
		c.dss.OCSPs = append(c.dss.OCSPs, e.DER)
	case certs.EvidenceCRL:
		c.dss.CRLs = append(c.dss.CRLs, e.DER)
	}
}
