package signer_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
)

func TestTimestampLaterIsAskedForAndSaid(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	s := c.signer()
	c.stampErr = text.Errorf(text.TSAUnavailable, errors.New("no answer"))
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	req := signer.Request{Key: certstest.RoleLeader, Level: ades.BLT}
	refused(t, s, data, req, text.TSAUnavailable)

	req.TimestampLater = true
	doc, res := sign(t, s, data, req)
	if res.Level != "PAdES-B-B" || !slices.Contains(res.Warnings, signer.WarnTimestampLater) || res.TimeSource != signer.TimeSourceClock {
		t.Errorf("result %+v", res)
	}
	p, err := s.Prepare(context.Background(), input(data), req)
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.SignPrepared(context.Background(), certstest.RoleLeader, p)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if res, err = s.Complete(context.Background(), input(data), p, value, &out); err != nil || res.Level != "PAdES-B-B" {
		t.Errorf("completed: %v, %v", res, err)
	}

	c.stampErr = nil
	for _, b := range [][]byte{doc, out.Bytes()} {
		raised, res := c.augment(s, b, ades.BT)
		if len(raised) != len(b) || res.TimeSource != signer.TimeSourceTSA {
			t.Errorf("from %d to %d bytes: %+v", len(b), len(raised), res)
		}
		if sig := c.judgeOnline(raised); sig.Level != "PAdES-B-T" || sig.Indication != ades.TotalPassed {
			t.Errorf("raised to %s, %s", sig.Level, sig.Indication)
		}
	}
}

// A field may demand a time-stamp; then none can wait for later.
func TestTimestampLaterYieldsToTheFieldsDemand(t *testing.T) {
	t.Parallel()
	c := newCalendar(t)
	c.stampErr = text.Errorf(text.TSAUnavailable, errors.New("no answer"))
	data := padestest.Simple(padestest.Classic, "1.7").WithForm("", map[int]string{
		10: padestest.SigField("Ky", "/SV << /Type /SV /TimeStamp << /Ff 1 /URL (http://tsa.test) >> >>"),
	}).Bytes()
	refused(t, c.signer(), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BT, Field: "Ky", TimestampLater: true}, text.TSAUnavailable)
}
