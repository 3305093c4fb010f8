package validation

import (
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/pades"
)

// validateSignature judges one signature whose value was verified, at its best
// signature time: EN 319 102-1, 5.3 and 5.5, with the acceptance of 5.2.8.
func (v *validation) validateSignature(s *subject) {
	s.out.BestTime, s.out.BestTimeSource = Time{v.at}, TimeNow
	if s.failed() {
		return
	}
	s.baseline = s.meetsBaseline()
	v.validateStamps(s)
	v.findBestTime(s)
	v.level(s)
	younger := v.notBefore(s)
	if !younger.IsZero() && younger.After(s.best) {
		s.conclude(ades.Indeterminate, ades.TimestampOrderFailure, ReasonTimestampOrder)
		return
	}
	r := v.validatePath(s.cert, certs.UsageDocumentSigning, s.best, s.bestSource != TimeNow, true)
	s.out.Revocation = revocationReport(r.leaf)
	if r.sub != "" {
		s.refuse(r, younger)
		return
	}
	s.chain = r.path
	s.accept(v)
	if !v.acceptAlgorithms(s) {
		return
	}
	v.acceptAttributes(s)
	v.noteEarlierData(s, r.leaf)
	if s.bestSource == TimeNow {
		s.obey(v.policy.MissingTimestamp, ReasonNoTimestamp)
	}
	s.longTerm = r.embedded
	v.level(s)
	if !s.longTermLevel() {
		s.obey(v.policy.RequireLongTerm, ReasonNotLongTerm)
	}
	if !s.failed() {
		s.out.Indication = ades.TotalPassed
	}
}

// refuse concludes from a path that does not hold. Only a content time-stamp can
// show that the signature was made after the revocation or the expiry; without
// one it may have been made before.
func (s *subject) refuse(r pathResult, younger time.Time) {
	switch r.sub {
	case ades.NotYetValid:
		s.conclude(ades.TotalFailed, ades.NotYetValid, ReasonNotYetValid, shown(s.cert.NotBefore))
	case ades.RevokedNoPOE:
		if !younger.IsZero() && younger.After(r.leaf.RevokedAt) {
			s.conclude(ades.TotalFailed, ades.Revoked, ReasonRevokedBefore, shown(r.leaf.RevokedAt))
			return
		}
		s.conclude(ades.Indeterminate, r.sub, r.code, shown(r.leaf.RevokedAt))
	case ades.OutOfBoundsNoPOE, ades.OutOfBoundsNotRevoked:
		if !younger.IsZero() && younger.After(s.cert.NotAfter) {
			s.conclude(ades.TotalFailed, ades.Expired, ReasonExpiredBefore, shown(s.cert.NotAfter))
			return
		}
		s.conclude(ades.Indeterminate, r.sub, r.code, shown(s.cert.NotAfter))
	default:
		s.conclude(ades.Indeterminate, r.sub, r.code)
	}
}

// vietnam is the zone in which messages show times; the JSON keeps UTC.
var vietnam = time.FixedZone("+07", 7*60*60)

func shown(t time.Time) string { return t.In(vietnam).Format("02/01/2006 15:04:05 -07:00") }

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

// noteEarlierData applies the policy to data on the signing certificate that was
// fresh at a proven best signature time but issued before it.
func (v *validation) noteEarlierData(s *subject, status certs.RevocationStatus) {
	if s.bestSource == TimeNow || status.Source == certs.SourceNone || status.FreshAt(s.best, 0) {
		return
	}
	if v.policy.EarlierRevocationData == RuleInconclusive {
		s.conclude(ades.Indeterminate, ades.TryLater, ReasonRevocation)
		return
	}
	s.obey(v.policy.EarlierRevocationData, ReasonEarlierData, shown(status.ThisUpdate))
}
