package certs

import "bytes"

// usableCRL is a list that may speak about the certificate: in scope, understood,
// and signed by one who may.
type usableCRL struct {
	*CRL
	mask  reasonMask
	entry *crlEntry // nil when the certificate is not listed
	s     RevocationStatus
}

// crl sorts one list among the complete ones and the deltas; they are judged
// together once all are known.
func (c *revocationCheck) crl(e Evidence) {
	l, err := ParseCRL(e.DER)
	if err != nil {
		c.fail(RevocationStatus{}, WhyMalformed)
		return
	}
	u := usableCRL{CRL: l, mask: l.covers(c.cert)}
	if u.mask == 0 {
		c.fail(RevocationStatus{}, WhyOther)
		return
	}
	u.s = RevocationStatus{Source: SourceCRL, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, Embedded: e.Origin == OriginEmbedded, Evidence: e}
	if l.unknownCritical {
		c.fail(u.s, WhyUnsupported)
		return
	}
	path, why := c.crlSigner(l)
	if path == nil {
		c.fail(u.s, why)
		return
	}
	u.s.Issuer, u.s.IssuerPath = path[0], path
	var usable bool
	if u.entry, usable = l.find(c.cert); !usable {
		c.fail(u.s, WhyUnsupported)
		return
	}
	if l.Delta {
		c.deltas = append(c.deltas, u)
		return
	}
	c.complete = append(c.complete, u)
}

// crls judges the complete lists, each with the deltas that update it. A
// revocation in a delta whose list is not at hand counts all the same; its
// silence means nothing.
func (c *revocationCheck) crls() {
	for _, u := range c.complete {
		c.list(c.updated(u))
	}
	for _, d := range c.deltas {
		if d.entry != nil && d.entry.reason != reasonRemoveFromCRL {
			c.list(d)
			continue
		}
		c.fail(d.s, WhyUnsupported)
	}
}

// updated is u as its newest fitting delta left it (RFC 5280, 5.2.4 and 6.3.3 (c)).
func (c *revocationCheck) updated(u usableCRL) usableCRL {
	for _, d := range c.deltas {
		if !d.updates(u) || c.stale(d.ThisUpdate, d.NextUpdate, d.ExpiredCertsOnCRL, c.o.MaxCRLAge) == WhyStale {
			continue
		}
		entry := u.entry
		switch {
		case d.entry == nil:
		case d.entry.reason != reasonRemoveFromCRL:
			entry = d.entry
		case entry != nil && entry.reason == reasonHold:
			entry = nil
		}
		both := *u.CRL
		both.Number, both.ThisUpdate, both.NextUpdate = d.Number, d.ThisUpdate, d.NextUpdate
		u.CRL, u.entry, u.mask = &both, entry, u.mask&d.mask
		u.s.ThisUpdate, u.s.NextUpdate = d.ThisUpdate, d.NextUpdate
		u.s.Delta = d.s.Evidence
	}
	return u
}

// updates reports whether d was made for u or for one that u contains: same CRL
// issuer, key and scope, and numbers in order. A list without a number, which
// RFC 5280 forbids, is not combined.
func (d usableCRL) updates(u usableCRL) bool {
	return d.Number != nil && u.Number != nil && d.baseNumber != nil &&
		d.issuerKey == u.issuerKey && sameKey(d.s.Issuer, u.s.Issuer) && bytes.Equal(d.rawScope, u.rawScope) &&
		u.Number.Cmp(d.baseNumber) >= 0 && u.Number.Cmp(d.Number) < 0
}

// list judges one list.
func (c *revocationCheck) list(u usableCRL) {
	if u.entry != nil && u.entry.reason != reasonRemoveFromCRL {
		u.s.RevokedAt, u.s.Reason = u.entry.at, reasonName(u.entry.reason)
		c.addRevoked(u.s, u.ExpiredCertsOnCRL, c.o.MaxCRLAge)
		return
	}
	if why := c.stale(u.ThisUpdate, u.NextUpdate, u.ExpiredCertsOnCRL, c.o.MaxCRLAge); why != "" {
		c.fail(u.s, why)
		return
	}
	if u.mask == allReasons {
		c.known = append(c.known, u.s)
		return
	}
	u.s.Status = StatusGood
	c.partial, c.mask = append(c.partial, u.s), c.mask|u.mask
}
