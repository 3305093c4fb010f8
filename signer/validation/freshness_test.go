package validation_test

import (
	"context"
	"testing"
	"time"

	"antin/certs"
	"antin/signer/pades"
	"antin/signer/validation"
)

// cachingSource answers from a cache that never ends, unless it is asked for data
// since a time.
type cachingSource struct {
	source
	cache map[[32]byte][]certs.Evidence
	since []time.Time
}

func (s *cachingSource) Revocation(ctx context.Context, c, issuer *certs.Certificate) ([]certs.Evidence, error) {
	if e, ok := s.cache[c.SHA256()]; ok {
		return e, nil
	}
	e, err := s.source.Revocation(ctx, c, issuer)
	s.cache[c.SHA256()] = e
	return e, err
}

func (s *cachingSource) RevocationSince(ctx context.Context, c, issuer *certs.Certificate, since time.Time) ([]certs.Evidence, error) {
	s.since = append(s.since, since)
	delete(s.cache, c.SHA256())
	return s.Revocation(ctx, c, issuer)
}

// A signer's certificate is asked about for many documents; an answer cached for
// an earlier one must not put a note on a later one.
func TestDataOlderThanTheProvenTimeIsAskedForAnew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := &cachingSource{source: source{b}, cache: map[[32]byte][]certs.Evidence{}}
	v := b.offline()
	v.Revocation = s
	one := b.sign(plain(), pades.Options{}, as{stamp: true})
	b.wait(time.Minute)
	expect(t, b.judge(v, one), validation.Valid, "")
	b.wait(time.Hour)
	two := b.sign(plain(), pades.Options{}, as{stamp: true})
	b.wait(time.Minute)
	expect(t, b.judge(v, two), validation.Valid, "")
	if len(s.since) != 2 || !s.since[0].Equal(day0) || !s.since[1].Equal(day0.Add(time.Hour+time.Minute)) {
		t.Errorf("asked for data since %v", s.since)
	}

	// Two signatures of one signer in one document: the older answer will not do
	// for the younger signature.
	b.wait(time.Hour)
	both := b.sign(one, pades.Options{FieldName: "Second"}, as{stamp: true})
	b.wait(time.Minute)
	expect(t, b.judge(v, both), validation.Valid, "")
}
