package validation

import (
	"strings"

	"antin/signer/ades"
	"antin/signer/pades"
)

// level computes the baseline level that the signature reached (EN 319 142-1, 6),
// whatever it claims: a proof of time makes B-T, the data to validate it offline
// B-LT, and a document time-stamp over that data B-LTA.
func (v *validation) level(s *subject) {
	if s.sig.SubFilter != pades.SubFilterCAdES || !s.baseline {
		return // stays the SubFilter
	}
	l := ades.BB
	if s.bestSource != TimeNow {
		l = ades.BT
		if s.longTerm && v.stampsLongTerm(s) {
			l = ades.BLT
			if v.archived(s) {
				l = ades.BLTA
			}
		}
	}
	s.out.Level = "PAdES-" + string(l)
}

// longTermLevel reports whether B-LT was reached.
func (s *subject) longTermLevel() bool {
	l, _ := ades.ParseLevel(strings.TrimPrefix(s.out.Level, "PAdES-"))
	return l.AtLeast(ades.BLT)
}

// stampsLongTerm reports whether the time-stamp that proves the time can itself
// be validated from the document alone. The newest document time-stamp needs no
// data of its own until it is renewed.
func (v *validation) stampsLongTerm(s *subject) bool {
	if s.bestSource == TimeDocumentTimestamp {
		return true
	}
	for _, st := range s.stamps {
		if st.longTerm {
			return true
		}
	}
	return false
}

// archived reports whether a valid document time-stamp covers the security store.
func (v *validation) archived(s *subject) bool {
	for _, d := range v.subjects {
		if !d.timestamp() || !d.passed() || d.revision <= s.revision {
			continue
		}
		f, err := v.revision(d.revision)
		if err != nil {
			continue
		}
		if dss, err := pades.ReadDSS(f); err == nil && !dss.Empty() {
			return true
		}
	}
	return false
}
