package validation

import (
	"time"

	"antin/certs"
	"antin/signer/tsp"
)

// checkableUntil is how long s can be judged as it was now, with what the document
// holds and nothing new: until the certificates end on which its proof of time
// rests, or an algorithm of that proof. Without a proof of time that is the
// signer's own path. Zero for a signature that did not pass.
func (v *validation) checkableUntil(s *subject) time.Time {
	if !s.passed() {
		return time.Time{}
	}
	var until time.Time
	later := func(t time.Time) {
		if t.After(until) {
			until = t
		}
	}
	switch {
	case s.timestamp():
		return v.tokenUntil(s.token, s.chain)
	case s.info == nil:
		return until
	}
	// The signer's own path serves by itself as long as it lasts.
	later(v.pathUntil(s.chain, func(at time.Time) bool {
		return v.algorithms.Allowed(s.info.SignatureAlgorithm, s.cert.KeyBits, s.info.Digest, at)
	}))
	if !s.longTerm {
		return until // past it, nothing in the document says that it was not revoked
	}
	for _, st := range s.stamps {
		if st.longTerm {
			later(earlier(v.tokenUntil(st.token, st.path), v.standingUntil(s)))
		}
	}
	for _, a := range s.archives {
		later(earlier(v.tokenUntil(a.token, a.stamp.path), v.standingUntil(s)))
	}
	for _, d := range v.subjects {
		if d.timestamp() && d.passed() && d.revision > s.revision && d.sig.ContentsStart >= s.sig.ContentsEnd {
			later(earlier(v.tokenUntil(d.token, d.chain), v.standingUntil(s)))
		}
	}
	return until
}

// standingUntil is until when the CAs above s need no proof that the document's
// evidence existed while they stood; without an end when there is such a proof.
func (v *validation) standingUntil(s *subject) time.Time {
	if len(s.chain) < 3 || v.archived(s) {
		return farFuture
	}
	return v.pathUntil(s.chain[1:len(s.chain)-1], func(at time.Time) bool {
		ca := s.chain[len(s.chain)-2]
		return !v.certificateUntil(ca, s.chain.Anchor()).Before(at)
	})
}

func (v *validation) tokenUntil(t *tsp.Token, path certs.Path) time.Time {
	if t == nil || len(path) == 0 {
		return time.Time{}
	}
	return v.pathUntil(path, func(at time.Time) bool { return v.strongEnough(t, path[0], path, at) })
}

// pathUntil is the last whole day on which every certificate of path is valid and
// allowed holds; both can only end.
func (v *validation) pathUntil(path certs.Path, allowed func(time.Time) bool) time.Time {
	if len(path) == 0 {
		return time.Time{}
	}
	end := path[0].NotAfter
	for _, c := range path {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	strong := func(at time.Time) bool {
		weak, err := v.algorithms.CheckPath(path, at)
		return weak == nil && err == nil && allowed(at)
	}
	if !end.After(v.at) || strong(end) {
		return end
	}
	from, to := v.at, end // strong at from, no longer at to
	for to.Sub(from) > time.Second {
		middle := from.Add(to.Sub(from) / 2)
		if strong(middle) {
			from = middle
		} else {
			to = middle
		}
	}
	return from.Truncate(time.Second)
}
