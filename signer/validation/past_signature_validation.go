package validation

import (
	"time"

	"antin/certs"
	"antin/signer/ades"
)

// pastSignature is the past signature validation of EN 319 102-1, 5.6.2.4, for a
// signature or a time-stamp that is proven to have existed at poe and whose path
// held at the time fresh. When nothing above the signing certificate has ended
// since, there is nothing to prove. Otherwise the path has to be shown to have
// stood when the signature already existed; if that fails, what basic validation
// says today remains, with the proof that is missing.
func (v *validation) pastSignature(r pathResult, poe, fresh time.Time, signer bool) (ades.SubIndication, ReasonCode, *PastValidation) {
	sub, code := v.today(r, fresh)
	if sub == "" {
		return "", "", nil
	}
	control, missing := v.pastCertificate(r.path, fresh, signer)
	switch {
	case missing != nil:
	case !poe.After(control):
		return "", "", nil
	default:
		missing = &MissingProof{Kind: ProofOfSignature}
	}
	return sub, code, &PastValidation{SubIndication: ades.NoPOE, ControlTime: Time{control.UTC()}, Missing: []MissingProof{*missing}}
}

// today is what basic validation (EN 319 102-1, 5.3) says at the time of validation
// about the CAs of a path that held earlier; "" when nothing about them has ended.
func (v *validation) today(r pathResult, fresh time.Time) (ades.SubIndication, ReasonCode) {
	for i := 1; i < len(r.path)-1 && fresh.Before(v.at); i++ {
		known := certs.RevocationStatus{}
		if i < len(r.known) {
			known = r.known[i]
		}
		known = v.statusToday(r.path, i, known)
		if !known.RevokedAt.IsZero() && !known.RevokedAt.After(v.at) {
			return ades.RevokedCANoPOE, ReasonRevokedCA
		}
	}
	for i := 1; i < len(r.path)-1; i++ {
		if v.at.After(r.path[i].NotAfter) {
			return ades.OutOfBoundsNoPOE, ReasonExpiredCA
		}
	}
	for i := 1; i < len(r.path)-1; i++ {
		if v.certificateUntil(r.path[i], r.path[i+1]).Before(v.at) {
			return ades.CryptoConstraintsFailureNoPOE, ReasonAlgorithm
		}
	}
	for _, s := range r.known {
		if sub, code := v.evidenceFault(s); sub != "" {
			return sub, code
		}
	}
	return "", ""
}

// evidenceFault says why revocation data can no longer be relied on: their own
// algorithm has to be strong at the time at which they are proven to have existed
// and, where the policy asks for it, the certificate of their maker valid then.
func (v *validation) evidenceFault(s certs.RevocationStatus) (ades.SubIndication, ReasonCode) {
	if s.Status != certs.StatusGood || s.Source == certs.SourceNone || s.Issuer == nil {
		return "", ""
	}
	scheme, err := s.Evidence.Scheme()
	if err != nil {
		return ades.CryptoConstraintsFailureNoPOE, ReasonAlgorithm
	}
	if until := v.strongUntil(scheme, s.Issuer.KeyBits); until.Before(v.at) && until.Before(v.existedAt(s.Evidence.DER)) {
		return ades.CryptoConstraintsFailureNoPOE, ReasonAlgorithm
	}
	if v.policy.ExpiredRevocationIssuer == RuleInconclusive && v.makerExpired(s) {
		return ades.RevocationOutOfBoundsNoPOE, ReasonRevocationIssuer
	}
	return "", ""
}

// makerExpired reports whether the certificate of who signed the data had ended
// before anything proves that the data existed.
func (v *validation) makerExpired(s certs.RevocationStatus) bool {
	return s.Issuer != nil && s.Issuer.NotAfter.Before(v.at) && s.Issuer.NotAfter.Before(v.existedAt(s.Evidence.DER))
}

// statusToday brings what is known about the certificate at position i of path up
// to the time of validation: the network, where there is one, may know of a
// revocation that came after the time for which the document's own data speak.
func (v *validation) statusToday(path certs.Path, i int, known certs.RevocationStatus) certs.RevocationStatus {
	c, issuer := path[i], path[i+1]
	if v.Revocation == nil || !known.RevokedAt.IsZero() || v.at.After(c.NotAfter) {
		return known
	}
	q := question{cert: c, issuer: issuer, anchor: path.Anchor(), at: v.at}
	more := v.fetch(q)
	if len(more) == 0 {
		return known
	}
	if s := v.check(q, more); !s.RevokedAt.IsZero() {
		return s
	}
	return known
}
