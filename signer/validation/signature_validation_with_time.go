package validation

import "antin/signer/ades"

// withTime is the validation process for signatures with time of EN 319 102-1, 5.5:
// the signature time-stamps are judged, the best signature time found, the order of
// the time-stamps checked, and the path validated at that time. It reports whether
// the signature stands so far.
func (v *validation) withTime(s *subject) (pathResult, bool) {
	v.validateStamps(s)
	v.contentStamps(s)
	v.findBestTime(s)
	v.level(s)
	if s.youngerThan(s.best) {
		s.conclude(ades.Indeterminate, ades.TimestampOrderFailure, ReasonTimestampOrder)
		return pathResult{}, false
	}
	return v.basicPath(s)
}
