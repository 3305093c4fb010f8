package validation_test

import (
	"bytes"
	"testing"
	"time"

	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/validation"
)

// A document time-stamp archives what it covers: evidence added behind it is not
// archived until the next one.
func TestArchiveLevelCountsOnlyWhatTheTimestampCovers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(plain(), pades.Options{}, as{stamp: true})
	level := func(doc []byte) string { return b.judge(b.offline(), doc).Signatures[0].Level }

	b.wait(time.Hour)
	// The store that this time-stamp covers holds something, but not what is needed.
	partial := b.archive(b.addEvidence(signed, pades.DSS{Certs: [][]byte{b.Root().Raw}}))
	b.wait(time.Minute)
	late := b.longTerm(partial, b.Leader())
	if got := level(late); got != "PAdES-B-LT" {
		t.Errorf("evidence behind the time-stamp: %s", got)
	}
	b.wait(time.Minute)
	if got := level(b.archive(late)); got != "PAdES-B-LTA" {
		t.Errorf("evidence before the second time-stamp: %s", got)
	}
}

// A broken document time-stamp proves nothing and keeps no signature alive.
func TestBrokenArchiveTimestampSavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.longTerm(b.sign(plain(), pades.Options{}, as{stamp: true}), b.Leader())
	b.wait(time.Hour)
	archived := b.archive(doc)
	at := bytes.LastIndex(archived, []byte("Dau")) // the name of the time-stamp's field
	if at < len(doc) {
		t.Fatal("field not found")
	}
	broken := bytes.Clone(archived)
	broken[at] = 'E'
	b.wait(3 * 365 * 24 * time.Hour) // the signer's certificate has expired, the TSA's has not
	if s := b.judge(b.offline(), archived).Signatures[0]; s.Indication != ades.TotalPassed || s.Level != "PAdES-B-LTA" {
		t.Errorf("whole: %s %s", s.Indication, s.Level)
	}
	r := b.judge(b.offline(), broken)
	if s := r.Signatures[0]; s.BestTimeSource == validation.TimeDocumentTimestamp || s.Level == "PAdES-B-LTA" {
		t.Errorf("broken: best time from %s, level %s", s.BestTimeSource, s.Level)
	}
}
