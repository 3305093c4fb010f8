package signer

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/tsp"
)

// archive appends a revision with what c collected and a document time-stamp over
// it all (EN 319 142-1, 5.5.3), and behind it what the time-stamp itself needs where
// the document has that not yet, so that the whole stands without a network.
func (r *run) archive(ctx context.Context, c *collector) error {
	s, err := r.addTimestamp(ctx, c)
	if err != nil {
		return err
	}
	c.dss = pades.DSS{} // what the time-stamp covers
	if err := c.stamp(ctx, s); err != nil {
		return err
	}
	return r.addStore(c)
}

// addTimestamp appends a document time-stamp with what c collected; the revision
// is built anew when the token does not fit.
func (r *run) addTimestamp(ctx context.Context, c *collector) (*stamp, error) {
	file, err := r.current()
	if err != nil {
		return nil, err
	}
	size := 0
	for try := 1; ; try++ {
		p, err := pades.PrepareTimestamp(file, pades.TimestampOptions{DSS: c.dss, ContentsSize: size})
		if err != nil {
			return nil, fmt.Errorf("preparing the document time-stamp: %w", err)
		}
		h := r.stampHash()
		digest, err := p.DigestParts(r.prefix, h, r.prepared.Update, r.evidence)
		if err != nil {
			return nil, err
		}
		s, err := r.requestStamp(ctx, h, digest, c.pool)
		if err != nil {
			return nil, err
		}
		err = p.Embed(s.Raw)
		if err == nil {
			r.evidence = append(r.evidence, p.Update...)
			return s, nil
		}
		var small *pades.TooSmallError
		if !errors.As(err, &small) || try == maxRebuilds {
			return nil, err
		}
		size = roundUp(small.Need)
	}
}

// stampHash is the hash of document time-stamps: that of the signature where every
// TSA knows it, SHA-256 otherwise.
func (r *run) stampHash() crypto.Hash { return stampHashFor(r.hash()) }

func stampHashFor(h crypto.Hash) crypto.Hash {
	switch h {
	case crypto.SHA384, crypto.SHA512:
		return h
	default:
		return crypto.SHA256
	}
}

// requestStamp obtains a time-stamp over a digest and judges it.
func (r *run) requestStamp(ctx context.Context, h crypto.Hash, digest []byte, pool []*certs.Certificate) (*stamp, error) {
	if r.Timestamps == nil || r.req.Offline {
		return nil, text.Errorf(text.TSAUnavailable, errors.New("no time-stamping service"))
	}
	raw, err := r.Timestamps.Timestamp(ctx, h, digest)
	if err != nil {
		return nil, coded(ctx, err, text.TSAUnavailable)
	}
	s, err := r.acceptStamp(ctx, raw, h, digest, pool)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, text.Detailed(text.TSAUnavailable, err, "sign.timestamp-unfit")
	}
	if now := r.Now(); s.GenTime.Sub(now).Abs() > maxClockSkew {
		return nil, text.Detailed(text.TSAUnavailable, fmt.Errorf("time-stamp says %s, clock %s", s.GenTime, now), "sign.timestamp-unfit")
	}
	return s, nil
}

// acceptStamp judges a token over a digest: its own signature, and its TSA's
// certificate at the time it states. A TSA may leave its certificates out, and some
// stand in the document's security store alone: pool helps then.
func (r *run) acceptStamp(ctx context.Context, raw []byte, h crypto.Hash, digest []byte, pool []*certs.Certificate) (*stamp, error) {
	token, err := tsp.ParseToken(raw)
	if err != nil {
		return nil, err
	}
	if err := token.Verify(h, digest, pool...); err != nil {
		return nil, err
	}
	return r.trustStamp(ctx, token, pool)
}

// trustStamp finds the path of a verified token's TSA at the time it states.
func (r *run) trustStamp(ctx context.Context, token *tsp.Token, pool []*certs.Certificate) (*stamp, error) {
	tsa, err := token.SigningCertificate(pool...)
	if err != nil {
		return nil, err
	}
	all := append(append([]*certs.Certificate{}, token.SignedData.Certificates...), pool...)
	path, err := r.path(ctx, tsa, all, certs.UsageTimeStamping, token.GenTime)
	if err != nil {
		return nil, err
	}
	return &stamp{token, tsa, path}, nil
}
