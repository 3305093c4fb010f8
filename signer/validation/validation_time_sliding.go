package validation

import (
	"time"

	"antin/certs"
)

// slide is the validation time sliding of EN 319 102-1, 5.6.2.2. It starts at the
// time of validation and goes down the path from the certificate that the anchor
// issued: whatever ends the reliance on a certificate, a revocation, its expiry or
// the end of an algorithm, moves the control time back to that end, and all that
// stands below must have existed before. fresh is the time for which revocation
// data must have been in force: the best signature time, or a token's own time.
//
// It returns the control time at which the path still stood; missing names the object
// of which a proof of existence from before it would be needed (NO_POE), nil when
// none is missing.
func (v *validation) slide(path certs.Path, fresh time.Time, signer bool) (control time.Time, missing *MissingProof) {
	control = v.at
	for i := len(path) - 2; i >= 0; i-- {
		c := path[i]
		// The signer's own certificate is bound by the signature itself, whose
		// existence the caller compares with the control time.
		if i > 0 && v.existedAt(c.Raw).After(control) {
			return control, missingProof(ProofOfCertificate, c)
		}
		s := v.check(question{cert: c, issuer: path[i+1], anchor: path.Anchor(), at: fresh, proven: true, signer: signer && i == 0},
			v.existingAt(control, c))
		switch {
		case !s.RevokedAt.IsZero():
			control = earlier(control, s.RevokedAt)
		case s.Status != certs.StatusGood && (i == 0 || v.policy.RequireCARevocation || !silent(c)):
			return control, missingProof(ProofOfRevocation, c)
		}
		if sub, _ := v.evidenceFault(s); sub != "" {
			return control, missingProof(ProofOfRevocation, c)
		}
		control = earlier(control, c.NotAfter)
		strong := v.certificateUntil(c, path[i+1])
		if i > 0 && v.existedAt(c.Raw).After(strong) {
			return control, missingProof(ProofOfCertificate, c)
		}
		control = earlier(control, strong)
	}
	return control, nil
}

// existingAt is the revocation data about c, the document's and what was asked for,
// that is proven to have existed at a time.
func (v *validation) existingAt(at time.Time, c *certs.Certificate) []certs.Evidence {
	var list []certs.Evidence
	for _, e := range append(v.about(c), v.fetched[c.SHA256()].evidence...) {
		if !v.existedAt(e.DER).After(at) {
			list = append(list, e)
		}
	}
	return list
}

// farFuture stands for "without an end" among times.
var farFuture = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// certificateUntil is until when the signature that issuer put under c counts as
// strong by the dated table of algorithms; what the table does not list never does.
func (v *validation) certificateUntil(c, issuer *certs.Certificate) time.Time {
	scheme, err := c.SignatureAlgorithm.Scheme()
	if err != nil {
		return time.Time{}
	}
	return v.strongUntil(scheme, issuer.KeyBits)
}

func (v *validation) strongUntil(scheme certs.SignatureScheme, bits int) time.Time {
	limit, open, known := v.algorithms.Until(scheme.Algorithm, bits, scheme.Hash)
	switch {
	case !known:
		return time.Time{}
	case open:
		return farFuture
	}
	return limit.Add(-time.Second) // the table names the first moment that no longer counts
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
