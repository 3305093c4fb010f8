package validation

import (
	"crypto"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/tsp"
)

// stamp is one judged signature time-stamp.
type stamp struct {
	token      *tsp.Token
	indication ades.Indication
	sub        ades.SubIndication
	tsa        string
	path       certs.Path // of the TSA; empty unless it passed
	longTerm   bool       // the document holds what is needed to validate it offline
}

// lossless are the reasons for which a TSA's certificate may be revoked without
// harm to the tokens made before (RFC 3161, 4, 2); anything else, or no reason,
// lets the key's holder have forged them since.
var lossless = map[string]bool{"affiliationChanged": true, "superseded": true, "cessationOfOperation": true}

// validateToken is the time-stamp validation building block of EN 319 102-1, 5.4,
// for a token whose value has been verified. The TSA's certificate must hold at
// poe, the latest moment for which nothing else proves that the token existed;
// its revocation is judged at the token's own time.
func (v *validation) validateToken(t *tsp.Token, tsa *certs.Certificate, poe time.Time) (sub ades.SubIndication, why text.Message, _ certs.Path, longTerm bool) {
	if t.GenTime.After(poe) {
		return ades.NotYetValid, text.Get("validation.token.future"), nil, false
	}
	if !tsa.ValidAt(t.GenTime) {
		return ades.OutOfBoundsNoPOE, text.Get("validation.token.period"), nil, false
	}
	path, err := v.buildPath(tsa, certs.UsageTimeStamping, poe)
	if err != nil {
		r := v.pathFailure(tsa, certs.UsageTimeStamping, err, poe)
		return r.sub, r.words(), nil, false
	}
	// The path stands at poe; now its revocation at the token's own time.
	at := v.pathRevocation(path, t.GenTime, true, false)
	if at.sub == "" {
		at.leaf = v.statusToday(path, 0, at.leaf)
	}
	switch {
	case at.sub != "":
		return at.sub, at.words(), nil, false
	case !at.leaf.RevokedAt.IsZero() && !at.leaf.RevokedAt.After(poe) && !lossless[at.leaf.Reason]:
		return ades.RevokedNoPOE, text.Get("validation.path.revoked"), nil, false
	}
	if !v.strongEnough(t, tsa, path, poe) {
		return ades.CryptoConstraintsFailureNoPOE, text.Get("validation.path.algorithm_too_weak"), nil, false
	}
	if sub, code, _ := v.pastSignature(at, poe, t.GenTime, false); sub != "" {
		return sub, text.Get("validation.path." + text.Key(code)), nil, false
	}
	return "", text.Message{}, path, at.embedded
}

// strongEnough applies the dated algorithm table to a token as of a time.
func (v *validation) strongEnough(t *tsp.Token, tsa *certs.Certificate, path certs.Path, at time.Time) bool {
	if !v.algorithms.AllowedHash(t.Hash, at) || len(t.SignedData.Signers) == 0 {
		return false
	}
	s := t.SignedData.Signers[0]
	if !v.algorithms.Allowed(s.SignatureAlgorithm, tsa.KeyBits, s.Digest, at) {
		return false
	}
	weak, err := v.algorithms.CheckPath(path, at)
	return weak == nil && err == nil
}

// validateDocumentTimestamps judges document time-stamps from the newest to the
// oldest: a valid one proves that all it covers existed at its time.
func (v *validation) validateDocumentTimestamps() {
	for i := len(v.subjects) - 1; i >= 0; i-- {
		s := v.subjects[i]
		if !s.timestamp() || s.failed() {
			continue
		}
		poe, source := v.existence(s)
		s.best, s.bestSource = poe, source
		if s.cert == nil {
			continue
		}
		sub, why, path, longTerm := v.validateToken(s.token, s.cert, poe)
		if sub != "" {
			s.out.Indication, s.out.SubIndication = failureOf(sub), sub
			s.reason(ValidWithNotes, ReasonTimestamp, why)
			continue
		}
		s.out.Indication, s.chain, s.longTerm = ades.TotalPassed, path, longTerm
		s.accept(v)
		v.extractPOE(s)
	}
}

// accept keeps a path that led to an anchor.
func (s *subject) accept(v *validation) {
	s.out.Chain = s.chain.Subjects()
	for _, c := range s.chain {
		if c.Sandbox {
			v.report.Sandbox = true
		}
	}
}

// validateStamps judges the signature time-stamps inside s (EN 319 122-1, 5.3).
func (v *validation) validateStamps(s *subject) {
	for _, der := range s.info.Timestamps() {
		poe := v.attributeExistence(s, cms.OIDSignatureTimestamp, der)
		st := stamp{indication: ades.TotalFailed, sub: ades.FormatFailure}
		why := text.Get("validation.token.malformed")
		t, err := tsp.ParseToken(der)
		if err == nil {
			st, why = v.judgeStamp(t, digestOf(t.Hash, s.info.Signature), poe)
		}
		entry := Timestamp{TSA: st.tsa, Indication: st.indication, SubIndication: st.sub}
		if t != nil {
			entry.Time = Time{t.GenTime}
		}
		s.out.Timestamps = append(s.out.Timestamps, entry)
		if st.indication != ades.TotalPassed {
			s.reason(ValidWithNotes, ReasonTimestamp, why)
			continue
		}
		s.stamps = append(s.stamps, st)
	}
}

// judgeStamp judges one token over imprint.
func (v *validation) judgeStamp(t *tsp.Token, imprint []byte, poe time.Time) (stamp, text.Message) {
	st := stamp{token: t}
	c, err := t.SigningCertificate(v.pool...)
	if err == nil {
		st.tsa = c.Subject
	}
	if sub, why := tokenFailure(t.Verify(t.Hash, imprint, v.pool...)); sub != "" {
		st.sub, st.indication = sub, failureOf(sub)
		return st, text.Get(why)
	}
	sub, why, path, longTerm := v.validateToken(t, c, poe)
	if sub != "" {
		st.sub, st.indication = sub, failureOf(sub)
		return st, why
	}
	for _, c := range path {
		if c.Sandbox {
			v.report.Sandbox = true
		}
	}
	st.indication, st.longTerm, st.path = ades.TotalPassed, longTerm, path
	return st, text.Message{}
}

// digestOf is the digest of b by h; nil when h is not available.
func digestOf(h crypto.Hash, b []byte) []byte {
	if h == 0 || !h.Available() {
		return nil
	}
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
