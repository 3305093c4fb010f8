package fetch

import (
	"context"
	"errors"
	"time"

	"antin/certs"
)

// maxOCSPCacheAge bounds how old a cached OCSP answer may be, by its thisUpdate,
// although its nextUpdate lies further: a day is what validation takes as fresh.
const maxOCSPCacheAge = 24 * time.Hour

// maxCRLCacheAge bounds how long a CRL is kept although its nextUpdate lies
// further: issuers publish a new one early when they revoke.
const maxCRLCacheAge = 24 * time.Hour

// Revocation implements certs.RevocationSource: the OCSP servers named in cert
// are asked first, the CRL distribution points when that gives no clear answer.
// A certificate that names no address gives no evidence and no error; where every
// address fails, the error joins an *Error of each.
func (c *Client) Revocation(ctx context.Context, cert, issuer *certs.Certificate) ([]certs.Evidence, error) {
	return c.RevocationSince(ctx, cert, issuer, time.Time{})
}

// RevocationSince is Revocation for a caller that needs evidence issued at since
// or later, in whole seconds: older answers in the cache are passed over. Servers
// that sign ahead of time may still give older ones, which are returned; the
// caller looks at thisUpdate.
func (c *Client) RevocationSince(ctx context.Context, cert, issuer *certs.Certificate, since time.Time) ([]certs.Evidence, error) {
	q := question{cert: cert, issuer: issuer, since: since.Truncate(time.Second)}
	var all []certs.Evidence
	var failed error
	try := func(urls []string, ask func(context.Context, string, question) (certs.Evidence, bool, error)) (clear bool) {
		for _, u := range urls[:min(len(urls), maxURLs)] {
			if ctx.Err() != nil {
				return false
			}
			e, clear, err := ask(ctx, u, q)
			if err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			if all = append(all, e); clear {
				return true
			}
		}
		return false
	}
	if !try(cert.OCSPServers, c.ocsp) {
		try(cert.CRLDistributionPoints, c.crl)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, failed
}

// question is what is wanted about which certificate.
type question struct {
	cert, issuer *certs.Certificate
	since        time.Time
	kind         certs.EvidenceKind
	parse        func([]byte) error
}

// judge says what e alone proves now.
func (c *Client) judge(q question, e certs.Evidence) certs.RevocationStatus {
	return certs.CheckRevocation(q.cert, q.issuer, []certs.Evidence{e}, certs.RevocationOptions{At: c.now()})
}

// enough reports whether st answers q, so that nobody else need be asked.
func (q question) enough(st certs.RevocationStatus) bool {
	return st.Status == certs.StatusRevoked || (st.Status == certs.StatusGood && !st.ThisUpdate.Before(q.since))
}

func (c *Client) ocsp(ctx context.Context, u string, q question) (e certs.Evidence, clear bool, err error) {
	body, err := certs.OCSPRequest(q.cert, q.issuer)
	if err != nil {
		return e, false, &Error{Kind: KindContent, URL: u, Err: err}
	}
	q.kind, q.parse = certs.EvidenceOCSP, func(der []byte) error { _, err := certs.ParseOCSP(der); return err }
	return c.evidence(ctx, request{url: u, body: body, contentType: "application/ocsp-request", limit: maxOCSPAnswer}, q)
}

func (c *Client) crl(ctx context.Context, u string, q question) (e certs.Evidence, clear bool, err error) {
	q.kind, q.parse = certs.EvidenceCRL, func(der []byte) error { _, err := certs.ParseCRL(der); return err }
	return c.evidence(ctx, request{url: u, limit: maxCRLAnswer}, q)
}

// evidence answers from the cache or asks. Only what verifies is cached: an
// answer that somebody on the way made up must not stay.
func (c *Client) evidence(ctx context.Context, r request, q question) (certs.Evidence, bool, error) {
	key := string(q.kind) + "|" + r.key()
	r.cached = func() ([]byte, bool) {
		der, ok := c.cache.get(key)
		if !ok {
			return nil, false
		}
		st := c.judge(q, certs.Evidence{Kind: q.kind, DER: der})
		return der, q.enough(st) && c.keeps(q.kind, st)
	}
	r.keep = func(data []byte) {
		der := unwrapPEM(data)
		if st := c.judge(q, certs.Evidence{Kind: q.kind, DER: der}); st.Status != certs.StatusUnknown && c.keeps(q.kind, st) {
			c.cache.put(key, der, earlier(st.NextUpdate, c.now().Add(maxCRLCacheAge)))
		}
	}
	if der, ok := r.cached(); ok {
		return certs.Evidence{Kind: q.kind, DER: der, Origin: certs.OriginCache, URL: r.url}, true, nil
	}
	data, err := c.get(ctx, r)
	if err != nil {
		return certs.Evidence{}, false, err
	}
	e := certs.Evidence{Kind: q.kind, DER: unwrapPEM(data), Origin: certs.OriginFetched, URL: r.url}
	if err := q.parse(e.DER); err != nil {
		return certs.Evidence{}, false, &Error{Kind: KindContent, URL: r.url, Err: err}
	}
	return e, q.enough(c.judge(q, e)), nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// keeps reports whether evidence with st's dates may be answered from the cache now.
func (c *Client) keeps(kind certs.EvidenceKind, st certs.RevocationStatus) bool {
	now := c.now()
	return now.Before(st.NextUpdate) && (kind != certs.EvidenceOCSP || now.Sub(st.ThisUpdate) < maxOCSPCacheAge)
}
