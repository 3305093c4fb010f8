package validation

// This file is the signature acceptance validation of EN 319 102-1, 5.2.8.

import (
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/pades"
)

// acceptAlgorithms applies the dated algorithm table at the best signature time.
func (v *validation) acceptAlgorithms(s *subject) bool {
	allowed := func(at time.Time) bool {
		if !v.algorithms.Allowed(s.info.SignatureAlgorithm, s.cert.KeyBits, s.info.Digest, at) {
			return false
		}
		weak, err := v.algorithms.CheckPath(s.chain, at)
		return weak == nil && err == nil
	}
	if !allowed(s.best) {
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
