package fetch

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"antin/certs"
)

const (
	// maxOCSPCacheAge bounds how old a cached OCSP answer may be, by its thisUpdate,
	// although its nextUpdate lies further: a day is what validation takes as fresh.
	maxOCSPCacheAge = 24 * time.Hour
	// maxCRLCacheAge bounds how long a CRL is kept although its nextUpdate lies
	// further: issuers publish a new one early when they revoke.
	maxCRLCacheAge = 24 * time.Hour
	// maxAhead is how far an answer may be dated ahead of our clock; clocks of
	// machines that are looked after differ by less.
	maxAhead = 5 * time.Minute
	// nonceSize is what RFC 9654, 2.1 asks for.
	nonceSize = 32
)

// Revocation implements certs.RevocationSource. What is at hand is used while it is
// fresh: the cache, then the folder of CRLs. Else the OCSP servers named in cert are
// asked, and the CRL distribution points when that gives no clear answer. Older CRLs
// of the folder come last, by their dates. A certificate about which nothing can be
// asked gives no evidence and no error; where every address fails, the error joins an
// *Error of each.
func (c *Client) Revocation(ctx context.Context, cert, issuer *certs.Certificate) ([]certs.Evidence, error) {
	return c.RevocationSince(ctx, cert, issuer, time.Time{})
}

// RevocationSince is Revocation for a caller that needs evidence issued at since
// or later, in whole seconds: older answers in the cache are passed over. Servers
// that sign ahead of time may still give older ones, which are returned; the
// caller looks at thisUpdate.
func (c *Client) RevocationSince(ctx context.Context, cert, issuer *certs.Certificate, since time.Time) ([]certs.Evidence, error) {
	q := question{cert: cert, issuer: issuer, since: since.Truncate(time.Second)}
	lists := c.lists.about(cert)
	if at := c.atHand(ctx, q, lists); len(at) > 0 {
		return at, nil
	}
	var all []certs.Evidence
	var failed error
	try := func(urls []string, ask func(context.Context, string, question) ([]certs.Evidence, error)) (clear bool) {
		for _, u := range urls[:min(len(urls), maxURLs)] {
			if ctx.Err() != nil {
				return false
			}
			e, err := ask(ctx, u, q)
			if err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			if all = append(all, e...); q.enough(c.judge(q, e...)) {
				return true
			}
		}
		return false
	}
	if !try(cert.OCSPServers, c.ocsp) && !try(cert.CRLDistributionPoints, c.crl) {
		all = append(all, lists...)
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
}

// judge says what the evidence alone proves now.
func (c *Client) judge(q question, e ...certs.Evidence) certs.RevocationStatus {
	return certs.CheckRevocation(q.cert, q.issuer, e, certs.RevocationOptions{At: c.now()})
}

// enough reports whether st answers q, so that nobody else need be asked.
func (q question) enough(st certs.RevocationStatus) bool {
	return st.Status == certs.StatusRevoked || (st.Status == certs.StatusGood && !st.ThisUpdate.Before(q.since))
}

// atHand is what answers q without asking anybody; nil when nothing does.
func (c *Client) atHand(ctx context.Context, q question, lists []certs.Evidence) []certs.Evidence {
	for _, u := range bounded(q.cert.OCSPServers) {
		if e, ok := c.cached(c.ocspRequest(u, q, nil)); ok {
			return []certs.Evidence{e}
		}
	}
	for _, u := range bounded(q.cert.CRLDistributionPoints) {
		e, ok := c.cached(c.crlRequest(u, q))
		if !ok {
			continue
		}
		deltas, complete := c.deltas(ctx, q, e, false)
		all := append([]certs.Evidence{e}, deltas...)
		if complete && (len(deltas) == 0 || q.enough(c.judge(q, all...))) {
			return all
		}
	}
	if st := c.judge(q, lists...); q.enough(st) && c.keeps(certs.EvidenceCRL, st) && c.now().Sub(st.ThisUpdate) < maxCRLCacheAge {
		return lists
	}
	return nil
}

func bounded(urls []string) []string { return urls[:min(len(urls), maxURLs)] }

func (c *Client) ocsp(ctx context.Context, u string, q question) ([]certs.Evidence, error) {
	var nonce []byte
	if c.nonce {
		nonce = make([]byte, nonceSize)
		_, _ = rand.Read(nonce) // it ends the program rather than fail
	}
	return c.evidence(ctx, c.ocspRequest(u, q, nonce))
}

// crl gets a list and, where it or the certificate names some, what changed since.
func (c *Client) crl(ctx context.Context, u string, q question) ([]certs.Evidence, error) {
	all, err := c.evidence(ctx, c.crlRequest(u, q))
	if err != nil {
		return nil, err
	}
	deltas, _ := c.deltas(ctx, q, all[0], true)
	return append(all, deltas...), nil
}

// inquiry is a request with the kind of evidence that answers it.
type inquiry struct {
	request
	kind certs.EvidenceKind
}

func (c *Client) ocspRequest(u string, q question, nonce []byte) inquiry {
	plain, err := certs.OCSPRequest(q.cert, q.issuer)
	body := plain
	if len(nonce) > 0 && err == nil {
		body, err = certs.OCSPRequestWithNonce(q.cert, q.issuer, nonce)
	}
	sum := sha256.Sum256(plain)
	r := request{url: u, id: "ocsp|" + hex.EncodeToString(sum[:]), body: body, contentType: "application/ocsp-request", limit: maxOCSPAnswer}
	r.read = c.reader(u, func(der []byte) (time.Time, error) {
		if err != nil {
			return time.Time{}, err
		}
		answer, err := certs.ParseOCSP(der)
		if err != nil {
			return time.Time{}, err
		}
		if len(nonce) > 0 && answer.Nonce != nil && !bytes.Equal(answer.Nonce, nonce) {
			return time.Time{}, errors.New("the nonce is not ours")
		}
		return answer.ProducedAt, nil
	})
	return c.judged(r, certs.EvidenceOCSP, q)
}

func (c *Client) crlRequest(u string, q question) inquiry {
	r := request{url: u, id: "crl", limit: maxCRLAnswer}
	r.read = c.reader(u, listDate)
	return c.judged(r, certs.EvidenceCRL, q)
}

func listDate(der []byte) (time.Time, error) {
	l, err := certs.ParseCRL(der)
	if err != nil {
		return time.Time{}, err
	}
	return l.ThisUpdate, nil
}

// reader unwraps an answer and refuses what date cannot read and what is dated ahead
// of our clock: RFC 6960, 4.2.2.1 calls such an answer unreliable.
func (c *Client) reader(u string, date func([]byte) (time.Time, error)) func([]byte) ([]byte, error) {
	return func(data []byte) ([]byte, error) {
		der := unwrapPEM(data)
		at, err := date(der)
		switch {
		case err != nil:
			return nil, &Error{Kind: KindContent, URL: u, Err: err}
		case at.After(c.now().Add(maxAhead)):
			return nil, &Error{Kind: KindFuture, URL: u, Err: errors.New("dated " + at.Format(time.RFC3339))}
		}
		return der, nil
	}
}

// judged completes a request whose answers are cached by what they prove: only what
// verifies is kept, since an answer that somebody on the way made up must not stay.
// with is the evidence that the answer is judged together with.
func (c *Client) judged(r request, kind certs.EvidenceKind, q question, with ...certs.Evidence) inquiry {
	judge := func(der []byte) certs.RevocationStatus {
		return c.judge(q, append([]certs.Evidence{{Kind: kind, DER: der}}, with...)...)
	}
	r.cached = func() ([]byte, bool) {
		der, ok := c.cache.get(r.key())
		if !ok {
			return nil, false
		}
		st := judge(der)
		return der, q.enough(st) && c.keeps(kind, st)
	}
	r.keep = func(der []byte) {
		st := judge(der)
		if st.Status == certs.StatusUnknown || !c.keeps(kind, st) || (len(with) > 0 && len(st.Delta.DER) == 0) {
			return
		}
		c.cache.put(r.key(), der, earlier(st.NextUpdate, c.now().Add(maxCRLCacheAge)))
	}
	return inquiry{request: r, kind: kind}
}

func (c *Client) cached(r inquiry) (certs.Evidence, bool) {
	der, ok := r.cached()
	return certs.Evidence{Kind: r.kind, DER: der, Origin: certs.OriginCache, URL: r.url}, ok
}

// evidence answers from the cache or asks: one piece.
func (c *Client) evidence(ctx context.Context, r inquiry) ([]certs.Evidence, error) {
	if e, ok := c.cached(r); ok {
		return []certs.Evidence{e}, nil
	}
	der, err := c.get(ctx, r.request)
	if err != nil {
		return nil, err
	}
	return []certs.Evidence{{Kind: r.kind, DER: der, Origin: certs.OriginFetched, URL: r.url}}, nil
}

// deltas gets the delta CRLs that the certificate or the list names (RFC 5280,
// 4.2.1.15 and 5.2.6), asking where that is allowed. complete is false when one that
// is named is not at hand: the list then stands alone, by its own dates.
func (c *Client) deltas(ctx context.Context, q question, list certs.Evidence, ask bool) (all []certs.Evidence, complete bool) {
	l, err := certs.ParseCRL(list.DER)
	if err != nil {
		return nil, true
	}
	complete = true
	for _, u := range bounded(append(q.cert.FreshestCRL[:len(q.cert.FreshestCRL):len(q.cert.FreshestCRL)], l.FreshestCRL...)) {
		r := request{url: u, id: "delta", limit: maxCRLAnswer, read: c.reader(u, listDate)}
		inquiry := c.judged(r, certs.EvidenceCRL, q, list)
		if e, ok := c.cached(inquiry); ok {
			all = append(all, e)
			continue
		}
		if !ask {
			complete = false
			continue
		}
		e, err := c.evidence(ctx, inquiry)
		complete = complete && err == nil
		all = append(all, e...)
	}
	return all, complete
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
