package validation

import "antin/signer/ades"

// validateSignature judges one signature whose value was verified, by the validation
// process for signatures providing long term availability of EN 319 102-1, 5.6,
// which begins with the other two: the document time-stamps have been judged and
// their proofs of existence extracted before.
func (v *validation) validateSignature(s *subject) {
	s.out.BestTime, s.out.BestTimeSource = Time{v.at}, TimeNow
	if s.info != nil && s.cert != nil {
		v.readAttributes(s)
	}
	if s.failed() {
		return
	}
	s.baseline = s.meetsBaseline()
	if !v.initializeContext(s) {
		return
	}
	r, ok := v.withTime(s)
	v.noteOldPractice(s, r)
	if !ok {
		return
	}
	s.chain = r.path
	s.accept(v)
	if !v.acceptAlgorithms(s) {
		return
	}
	if sub, code, past := v.pastSignature(r, s.best, s.best, true); sub != "" {
		s.conclude(ades.Indeterminate, sub, code)
		s.out.PastValidation = past
		s.reason(Inconclusive, ReasonNoProof, past.Missing[0].words(), shown(past.ControlTime.Time))
		return
	}
	v.acceptAttributes(s)
	v.noteEvidence(s, r)
	if !s.proven() {
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
