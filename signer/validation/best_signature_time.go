package validation

import "time"

// existence is the earliest moment at which a later document time-stamp, or an archive
// time-stamp of a signature file, proves that s existed (POE extraction, EN 319 102-1, 5.6.2.3); without one, the time
// of validation.
func (v *validation) existence(s *subject) (time.Time, TimeSource) {
	at, source := v.at, TimeNow
	for _, a := range s.archives {
		if a.token.GenTime.Before(at) {
			at, source = a.token.GenTime, TimeEvidence
		}
	}
	for _, d := range v.subjects {
		if d == s || !d.timestamp() || !d.passed() || d.revision <= s.revision || s.revision < 0 {
			continue
		}
		// Its ranges hold every byte of s, the signature value included.
		if d.sig.ContentsStart >= s.sig.ContentsEnd && !d.token.GenTime.After(at) {
			at, source = d.token.GenTime, TimeDocumentTimestamp
		}
	}
	return at, source
}

// findBestTime moves the best signature time back from now with each valid
// signature time-stamp and document time-stamp (EN 319 102-1, 5.5.4). What the
// signer claims never moves it.
func (v *validation) findBestTime(s *subject) {
	s.best, s.bestSource = v.existence(s)
	for _, st := range s.stamps {
		if !st.token.GenTime.After(s.best) {
			s.best, s.bestSource = st.token.GenTime, TimeSignatureTimestamp
		}
	}
	s.out.BestTime, s.out.BestTimeSource = Time{s.best.UTC()}, s.bestSource
}
