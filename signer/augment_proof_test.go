package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// day is what a calendar passes by.
const day = 24 * time.Hour

// counted counts what a time-stamping service is asked for.
type counted struct {
	*tsaService
	asked int
}

func (s *counted) Timestamp(ctx context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	s.asked++
	return s.tsaService.Timestamp(ctx, h, imprint)
}

// Once signer and TSA have ended nobody can tell any more that the signature was
// there before, and no time-stamp of today changes that.
func TestRenewalAfterTheLastTimestampHasLapsedIsRefusedByName(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	short := c.tsa("TSA short", epoch.AddDate(1, 0, 0), false)
	late := &counted{tsaService: c.tsa("TSA late", epoch.AddDate(14, 0, 0), false)}
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	for _, level := range []ades.Level{ades.BT, ades.BLT, ades.BLTA} {
		doc, _ := sign(t, c.signerWith(short), data, signer.Request{Key: certstest.RoleLeader, Level: level})
		back := c.clock()
		c.pass(4 * 365 * day)
		for _, to := range []ades.Level{ades.BLT, ades.BLTA} {
			var out bytes.Buffer
			_, err := c.signerWith(late).Augment(context.Background(), input(doc), &out, to)
			if text.CodeOf(err) != text.CertificateExpired || out.Len() > 0 || late.asked > 0 {
				t.Fatalf("%s to %s: %v, %d bytes written, %d time-stamps asked for", level, to, err, out.Len(), late.asked)
			}
			e := text.As(err)
			if !strings.Contains(e.Message().EN, "2027-11-23") || !strings.Contains(e.Fix().EN, "copy renewed before") || e.Fix().VI == e.Fix().EN {
				t.Errorf("%s: message %q, fix %q", level, e.Message().EN, e.Fix().EN)
			}
		}
		c.pass(back.Sub(c.clock()))
	}
}

// While the signer's certificate is in force, a lapsed time-stamp is merely gone: a
// new one proves the signature from today on.
func TestALapsedTimestampIsReplacedWhileTheSignerIsInForce(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	short := c.tsa("TSA short", epoch.AddDate(0, 0, 40), false)
	late := c.tsa("TSA late", epoch.AddDate(10, 0, 0), false)
	data := padestest.Simple(padestest.Stream, "2.0").Bytes()
	for _, from := range []ades.Level{ades.BT, ades.BLT, ades.BLTA} {
		doc, _ := sign(t, c.signerWith(short), data, signer.Request{Key: certstest.RoleLeader, Level: from})
		c.pass(60 * day)
		out, res := c.augment(c.signerWith(late), doc, ades.BLTA)
		r, s := c.judge(out)
		if s.Indication != ades.TotalPassed || s.Level != "PAdES-B-LTA" || res.Level != "PAdES-B-LTA" || r.Verdict == validation.Inconclusive {
			t.Errorf("from %s: %s %s level %s, %s: %+v", from, s.Indication, s.SubIndication, s.Level, r.Verdict, r.Reasons)
		}
		if !res.SignedAt.Equal(c.clock()) {
			t.Errorf("from %s: proven since %s, and the time-stamp of then has lapsed", from, res.SignedAt)
		}
		c.pass(-60 * day)
	}
}

// The first time-stamp has lapsed; the document time-stamp over it has not, and
// proves that it was made in time.
func TestALapsedTimestampCountsUnderALaterOne(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	short := c.tsa("TSA short", epoch.AddDate(0, 0, 40), false)
	second := c.tsa("TSA second", epoch.AddDate(5, 0, 0), false)
	third := c.tsa("TSA third", epoch.AddDate(14, 0, 0), false)
	doc, _ := sign(t, c.signerWith(short), padestest.Simple(padestest.Classic, "1.7").Bytes(),
		signer.Request{Key: certstest.RoleLeader, Level: ades.BLT})
	c.pass(30 * day)
	doc, _ = c.augment(c.signerWith(second), doc, ades.BLTA)
	c.pass(4 * 365 * day) // signer and first TSA have ended
	doc, res := c.augment(c.signerWith(third), doc, ades.BLTA)
	if _, s := c.judge(doc); s.Indication != ades.TotalPassed || s.Level != "PAdES-B-LTA" || !res.SignedAt.Equal(epoch) {
		t.Errorf("%s %s level %s, proven since %s", s.Indication, s.SubIndication, s.Level, res.SignedAt)
	}
}
