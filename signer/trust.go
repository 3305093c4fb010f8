package signer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"antin/certs"
)

// anchorsAt are the trust anchors in force at a time; none when trust is not configured.
func (s *Signer) anchorsAt(ctx context.Context, at time.Time) ([]*certs.Certificate, error) {
	if s.Trust == nil {
		return nil, nil
	}
	anchors, err := s.Trust.Anchors(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("reading trust anchors: %w", err)
	}
	return anchors, nil
}

// trusted reports whether there is anything to judge paths by.
func (r *run) trusted() bool { return len(r.anchors) > 0 }

// path is the certification path of leaf at a time. Without trust it is as far as
// the certificates at hand and the issuers they name lead, judged by signatures alone.
func (r *run) path(ctx context.Context, leaf *certs.Certificate, pool []*certs.Certificate, u certs.Usage, at time.Time) (certs.Path, error) {
	issuers := certs.IssuerSources{r.Known}
	if !r.req.Offline && r.Issuers != nil {
		issuers = append(issuers, r.Issuers)
	}
	if r.trusted() {
		anchors, err := r.anchorsAt(ctx, at)
		if err != nil {
			return nil, err
		}
		return certs.BuildPath(ctx, leaf, certs.PathOptions{
			Intermediates: pool, Anchors: anchors, Issuers: issuers, At: at, Usage: u, AllowSandbox: r.AllowSandbox,
			Verified: &r.verified,
		})
	}
	if leaf == nil {
		return nil, errors.New("no certificate")
	}
	path := certs.Path{leaf}
	for len(path) < certs.MaxPathLength && ctx.Err() == nil {
		last := path[len(path)-1]
		next := issuerOf(last, pool)
		if next == nil && !last.SelfIssued() {
			if more, err := issuers.Issuers(ctx, last); err == nil {
				next = issuerOf(last, more)
			}
		}
		if next == nil || path.Issuer(next) != nil || next.Equal(last) {
			break
		}
		path = append(path, next)
	}
	return path, ctx.Err()
}

func issuerOf(c *certs.Certificate, pool []*certs.Certificate) *certs.Certificate {
	for _, p := range pool {
		if p != nil && !p.Equal(c) && c.IssuedBy(p) {
			return p
		}
	}
	return nil
}

// pool are all certificates this run knows of, for building further paths.
func (r *run) pool() []*certs.Certificate {
	all := append([]*certs.Certificate{}, r.id.chain...)
	all = append(all, r.id.path...)
	if r.token != nil {
		all = append(all, r.token.path...)
		all = append(all, r.token.SignedData.Certificates...)
	}
	return all
}

// judge says what evidence means for cert, which stands in path.
func (r *run) judge(cert *certs.Certificate, path certs.Path, evidence []certs.Evidence, o certs.RevocationOptions) certs.RevocationStatus {
	o.Intermediates = r.pool()
	if r.trusted() {
		o.Anchors = []*certs.Certificate{path.Anchor()}
	}
	return certs.CheckRevocation(cert, path.Issuer(cert), evidence, o)
}
