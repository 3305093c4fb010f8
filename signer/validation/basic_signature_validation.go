package validation

import (
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
)

// basicPath is the X.509 part of the basic signature validation of EN 319 102-1, 5.3,
// at the best signature time. Format, identification of the signing certificate and
// cryptographic verification came before, with the signed bytes at hand; acceptance
// follows. It reports whether the path holds, and concludes when it does not.
func (v *validation) basicPath(s *subject) (pathResult, bool) {
	r := v.validatePath(s.cert, certs.UsageDocumentSigning, s.best, s.proven(), true)
	s.out.Revocation = revocationReport(r.leaf)
	if r.sub != "" {
		v.refuse(s, r)
		return r, false
	}
	return r, true
}

// refuse concludes from a path that does not hold. Only a content time-stamp can
// show that the signature was made after the revocation or the expiry; without
// one it may have been made before.
func (v *validation) refuse(s *subject, r pathResult) {
	switch r.sub {
	case ades.NotYetValid:
		s.conclude(ades.TotalFailed, ades.NotYetValid, ReasonNotYetValid, shown(s.cert.NotBefore))
	case ades.RevokedNoPOE:
		if s.youngerThan(r.leaf.RevokedAt) {
			s.conclude(ades.TotalFailed, ades.Revoked, ReasonRevokedBefore, shown(r.leaf.RevokedAt))
			return
		}
		s.conclude(ades.Indeterminate, r.sub, r.code, shown(r.leaf.RevokedAt))
	case ades.OutOfBoundsNoPOE, ades.OutOfBoundsNotRevoked:
		if s.youngerThan(s.cert.NotAfter) {
			s.conclude(ades.TotalFailed, ades.Expired, ReasonExpiredBefore, shown(s.cert.NotAfter))
			return
		}
		s.conclude(ades.Indeterminate, r.sub, r.code, shown(s.cert.NotAfter))
	case ades.TryLater:
		v.tryLater(s, r.code, r.failing)
	default:
		s.conclude(ades.Indeterminate, r.sub, r.code)
	}
}

// tryLater concludes that the status cannot be known yet, and says when it may be.
func (v *validation) tryLater(s *subject, code ReasonCode, status certs.RevocationStatus) {
	if s.failed() {
		return
	}
	if code == ReasonRevocation && v.at.After(s.cert.NotAfter) {
		v.tooLate(s)
		return
	}
	s.out.TryAgain = v.tryAgain(status)
	s.conclude(ades.Indeterminate, ades.TryLater, code, s.out.TryAgain.words())
}

// tooLate concludes for a certificate that has expired since and whose status while
// it was valid is not known: no CA need answer for it any more, so that trying later
// helps only where nobody was asked.
func (v *validation) tooLate(s *subject) {
	words := text.Get("validation.try.never")
	if !online(v.Revocation) {
		s.out.TryAgain = TryAgain{At: Time{v.at}, Need: NeedNetwork}
		words = s.out.TryAgain.words()
	}
	s.conclude(ades.Indeterminate, ades.OutOfBoundsNoPOE, ReasonRevocation, words)
}

// youngerThan reports whether a content time-stamp proves that the signature was
// made after t.
func (s *subject) youngerThan(t time.Time) bool { return !s.younger.IsZero() && s.younger.After(t) }

// proven reports whether something proves the best signature time.
func (s *subject) proven() bool { return s.bestSource != TimeNow }

// vietnam is the zone in which messages show times; the JSON keeps UTC.
var vietnam = time.FixedZone("+07", 7*60*60)

func shown(t time.Time) string { return t.In(vietnam).Format("02/01/2006 15:04:05 -07:00") }
