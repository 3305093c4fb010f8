package validation

import (
	"slices"
	"strings"
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/pades"
)

// level computes the baseline level that the signature reached (EN 319 142-1, 6),
// whatever it claims: a proof of time makes B-T, the data to validate it offline
// B-LT, and a document time-stamp over that data B-LTA.
func (v *validation) level(s *subject) {
	if (s.sig.SubFilter != pades.SubFilterCAdES && !s.standalone) || !s.baseline {
		return // stays the SubFilter
	}
	profile := "PAdES-"
	if s.standalone {
		profile = "CAdES-"
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
	s.out.Level = profile + string(l)
}

// longTermLevel reports whether B-LT was reached.
func (s *subject) longTermLevel() bool {
	_, level, _ := strings.Cut(s.out.Level, "-")
	l, _ := ades.ParseLevel(level)
	return l.AtLeast(ades.BLT)
}

// stampsLongTerm reports whether the time-stamp that proves the time can itself
// be validated from the document alone. The newest document time-stamp needs no
// data of its own until it is renewed.
func (v *validation) stampsLongTerm(s *subject) bool {
	if s.bestSource == TimeDocumentTimestamp || s.bestSource == TimeEvidence {
		return true
	}
	for _, st := range s.stamps {
		if st.longTerm {
			return true
		}
	}
	return false
}

// archived reports whether a valid document or archive time-stamp covers all that s needs to
// be validated offline: the newest such time-stamp covers the most. Data added
// behind it does not count, since nothing proves yet since when that exists.
func (v *validation) archived(s *subject) bool {
	if len(s.archives) > 0 {
		return v.standsOn(s, s.archives[0].store())
	}
	for i := len(v.subjects) - 1; i >= 0; i-- {
		d := v.subjects[i]
		if !d.timestamp() || !d.passed() || d.revision <= s.revision {
			continue
		}
		f, err := v.revision(d.revision)
		if err != nil {
			return false
		}
		store, err := pades.ReadDSS(f)
		return err == nil && v.standsOn(s, store)
	}
	return false
}

// standsOn reports whether the revocation data in store, with what the signature
// itself carries, is enough for the signer's path and for a time-stamp that proves
// the time.
func (v *validation) standsOn(s *subject, store pades.DSS) bool {
	alone := *v
	alone.Validator = &Validator{Trust: v.Trust, AllowSandbox: v.AllowSandbox}
	alone.ocsps, alone.crls, alone.seen = map[string][]certs.Evidence{}, nil, map[[32]byte]bool{}
	ignore := func(...*certs.Certificate) {}
	alone.store(store, ignore)
	for _, related := range store.VRI {
		alone.store(related, ignore)
	}
	if !s.standalone { // whose archive time-stamps name what they cover
		alone.signatureEvidence(s, ignore)
	}
	holds := func(p certs.Path, at time.Time, signer bool) bool {
		r := alone.pathRevocation(p, at, true, signer)
		return r.sub == "" && r.embedded
	}
	if !holds(s.chain, s.best, true) {
		return false
	}
	if s.bestSource == TimeDocumentTimestamp || s.bestSource == TimeEvidence {
		return true
	}
	return slices.ContainsFunc(s.stamps, func(st stamp) bool { return holds(st.path, st.token.GenTime, false) })
}
