package validation

// This file is the signature acceptance validation of EN 319 102-1, 5.2.8.

import (
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/pades"
)

// acceptAlgorithms applies the dated algorithm table at the best signature time. What
// was no longer strong then lacks a proof from before (5.5.4, step c; 5.6.2.4 for the
// path), unless a content time-stamp shows that the signature itself was made after the
// end of its algorithm: no proof can help it then (5.3.4, step 6).
func (v *validation) acceptAlgorithms(s *subject) bool {
	own := func(at time.Time) bool {
		return v.algorithms.Allowed(s.info.SignatureAlgorithm, s.cert.KeyBits, s.info.Digest, at)
	}
	allowed := func(at time.Time) bool {
		if !own(at) {
			return false
		}
		weak, err := v.algorithms.CheckPath(s.chain, at)
		return weak == nil && err == nil
	}
	switch {
	case allowed(s.best):
	case !s.younger.IsZero() && !own(s.younger):
		s.conclude(ades.Indeterminate, ades.CryptoConstraintsFailure, ReasonAlgorithm)
		return false
	default:
		s.conclude(ades.Indeterminate, ades.CryptoConstraintsFailureNoPOE, ReasonAlgorithm)
		return false
	}
	if !allowed(v.at) {
		s.obey(v.policy.AgingAlgorithm, ReasonAging)
	}
	return true
}

// acceptAttributes judges the attributes that the profile asks for or forbids.
func (v *validation) acceptAttributes(s *subject) {
	switch {
	case s.baseline || (s.sig.SubFilter != pades.SubFilterCAdES && s.info.RawSignedAttrs != nil):
	case v.policy.BelowBaseline == RuleInconclusive:
		s.conclude(ades.Indeterminate, ades.SigConstraintsFailure, ReasonAttributes)
	default:
		s.obey(v.policy.BelowBaseline, ReasonBelowBaseline)
	}
}

// noteEvidence applies the policy to the revocation data: those on the signing
// certificate that were fresh at a proven best signature time but issued before it,
// and those whose maker's certificate has ended without a proof from before.
func (v *validation) noteEvidence(s *subject, r pathResult) {
	for _, status := range r.known {
		if status.Source != certs.SourceNone && v.makerExpired(status) {
			s.obey(v.policy.ExpiredRevocationIssuer, ReasonRevocationIssuer)
			break
		}
	}
	status := r.leaf
	if !s.proven() || status.Source == certs.SourceNone || status.FreshAt(s.best, 0) {
		return
	}
	if v.policy.EarlierRevocationData == RuleInconclusive {
		v.tryLater(s, ReasonRevocation, status)
		return
	}
	s.obey(v.policy.EarlierRevocationData, ReasonEarlierData, shown(status.ThisUpdate))
}
