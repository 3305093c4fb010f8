package signer

import (
	"context"
	"errors"
	"time"

	"antin/certs"
	"antin/internal/text"
)

// freshSource is what a RevocationSource may offer beside: data that was issued
// at or after a time, past any cache.
type freshSource interface {
	RevocationSince(ctx context.Context, cert, issuer *certs.Certificate, since time.Time) ([]certs.Evidence, error)
}

// ask finds the status of cert. Data at hand will do unless later data is
// preferred; then those who know are asked, and where the policy insists on data
// from after the time-stamp, asked again for a while (the grace period of
// EN 319 102-1, 5.2.5). A policy that does not insist takes older data that is
// fresh: a responder may sign its answers hours ahead.
func (c *collector) ask(ctx context.Context, cert *certs.Certificate, p certs.Path, w want) (certs.RevocationStatus, error) {
	held := c.judge(cert, p, c.about(cert), w, w.since)
	if held.Status != certs.StatusUnknown {
		return held, nil
	}
	insist := w.signer && c.policy.OCSPMaxAge == 0
	if !insist {
		held = c.judge(cert, p, c.about(cert), w, time.Time{})
	}
	if c.Revocation == nil || c.req.Offline {
		if held.Status != certs.StatusUnknown {
			return held, nil
		}
		return held, text.Errorf(text.RevocationUnavailable, errors.New("no revocation source"))
	}
	for try := 0; ; try++ {
		err := c.fetch(ctx, cert, p, w)
		if ctx.Err() != nil {
			return held, ctx.Err()
		}
		status := c.judge(cert, p, c.about(cert), w, w.since)
		if status.Why == certs.WhyStale && !insist {
			status = c.judge(cert, p, c.about(cert), w, time.Time{})
		}
		if status.Why != certs.WhyStale || !insist || try == len(gracePauses()) {
			if err != nil && status.Status == certs.StatusUnknown {
				status.Why += ": " + err.Error()
			}
			return status, nil
		}
		if err := c.pause(ctx, gracePauses()[try]); err != nil {
			return status, err
		}
	}
}

// fetch asks those who know about cert and remembers what they said.
func (c *collector) fetch(ctx context.Context, cert *certs.Certificate, p certs.Path, w want) error {
	var evidence []certs.Evidence
	var err error
	if fresh, ok := c.Revocation.(freshSource); ok && !w.since.IsZero() {
		evidence, err = fresh.RevocationSince(ctx, cert, p.Issuer(cert), w.since)
	} else {
		evidence, err = c.Revocation.Revocation(ctx, cert, p.Issuer(cert))
	}
	for _, e := range evidence {
		c.remember(e)
	}
	return err
}

// judge says what evidence means for cert, by the rules under which the validator
// will judge it again.
func (c *collector) judge(cert *certs.Certificate, p certs.Path, evidence []certs.Evidence, w want, notBefore time.Time) certs.RevocationStatus {
	o := certs.RevocationOptions{At: w.at, NotBefore: notBefore, Intermediates: c.pool}
	if c.trusted() {
		o.Anchors = []*certs.Certificate{p.Anchor()}
	}
	if w.signer && notBefore.IsZero() {
		o.MaxOCSPAge, o.MaxCRLAge = c.policy.OCSPMaxAge, max(c.policy.CRLMaxAge, 0)
	}
	return certs.CheckRevocation(cert, p.Issuer(cert), evidence, o)
}
