package signer

import (
	"cmp"
	"slices"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/pades"
)

// keepProven drops the time-stamps that prove nothing any more: their TSA's
// certificates have ended, or their algorithms count as weak, and no later time-stamp
// that holds shows that they existed before (EN 319 102-1, 5.6.2.4, seen from the
// newest to the oldest). What is proven by those left is noted in the targets. A
// signature that loses its last proof that way and whose certificate has ended too
// cannot be raised by anybody, and is refused before anything is asked for.
func (a *augmentation) keepProven(place map[*stamp]*pades.Signature) error {
	slices.SortFunc(a.stamps, func(x, y *stamp) int { return cmp.Compare(place[y].ContentsStart, place[x].ContentsStart) })
	var held []*stamp
	poe := a.Now()
	for _, s := range a.stamps {
		if !s.holdsAt(poe) {
			continue
		}
		held = append(held, s)
		if s.GenTime.Before(poe) {
			poe = s.GenTime
		}
	}
	slices.Reverse(held)
	a.stamps = held
	for _, t := range a.targets {
		if err := a.proven(t, place); err != nil {
			return err
		}
	}
	return nil
}

// proven keeps the time-stamps of t that hold, and finds its best time.
func (a *augmentation) proven(t *target, place map[*stamp]*pades.Signature) error {
	poe := a.Now()
	for _, s := range a.stamps {
		if place[s].ContentsStart >= t.sig.ContentsEnd {
			t.provenAt(s.GenTime)
			if s.GenTime.Before(poe) {
				poe = s.GenTime
			}
		}
	}
	var lapsed time.Time
	inside := t.stamps
	t.stamps = nil
	for _, s := range inside {
		if s.holdsAt(poe) {
			t.stamps = append(t.stamps, s)
			t.provenAt(s.GenTime)
			continue
		}
		lapsed = s.ends()
	}
	for s, sig := range place {
		if t.best.IsZero() && sig.ContentsStart >= t.sig.ContentsEnd && s.ends().After(lapsed) {
			lapsed = s.ends()
		}
	}
	if !t.best.IsZero() || lapsed.IsZero() || t.cert.ValidAt(a.Now()) {
		return nil
	}
	return text.Detailed(text.CertificateExpired, nil, "sign.proof-lapsed", t.sig.Field, lapsed.UTC().Format(time.DateOnly)).
		WithNext("sign.proof-lapsed-next")
}

// holdsAt reports whether the certificates of the TSA below the anchor are in force at
// a time, and the algorithms of the token strong enough for it.
func (s *stamp) holdsAt(at time.Time) bool {
	return !at.After(s.ends()) && s.strongAt(at)
}

func (s *stamp) strongAt(at time.Time) bool {
	policy := certs.TS119312()
	if !policy.AllowedHash(s.Hash, at) || len(s.SignedData.Signers) == 0 {
		return false
	}
	info := s.SignedData.Signers[0]
	return policy.Allowed(info.SignatureAlgorithm, s.signer.KeyBits, info.Digest, at)
}

// ends is the end of what the token proves by itself: of the first certificate of its
// path to end, the anchor left out.
func (s *stamp) ends() time.Time {
	end := s.signer.NotAfter
	for _, c := range s.path[:max(len(s.path)-1, 0)] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}
