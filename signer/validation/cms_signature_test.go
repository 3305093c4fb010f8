package validation_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/validation"
)

func TestASignatureInAFileOfItsOwnIsJudgedOverItsContent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	content := bytes.Repeat([]byte("Kính gửi. "), 100_000)
	bb := b.cms(digestOf(content), as{who: b.Leader(), signingAt: true})
	bt := b.cms(digestOf(content), as{who: b.Leader(), signingAt: true, stamp: true})
	b.wait(time.Second)
	for name, c := range map[string]struct {
		der, content []byte
		verdict      validation.Verdict
		sub          ades.SubIndication
		level        string
	}{
		"detached":             {bb, content, validation.Valid, "", "CAdES-B-B"},
		"with a time-stamp":    {bt, content, validation.Valid, "", "CAdES-B-T"},
		"in PEM":               {pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: bt}), content, validation.Valid, "", "CAdES-B-T"},
		"other content":        {bb, content[1:], validation.Invalid, ades.HashFailure, "CMS"},
		"content missing":      {bt, nil, validation.Inconclusive, ades.SignedDataNotFound, "CMS"},
		"without signing-time": {b.cms(digestOf(content), as{who: b.Leader()}), content, validation.Valid, "", "CMS"},
	} {
		if !validation.IsCMS(c.der[:50]) {
			t.Errorf("%s is not taken for a CMS", name)
		}
		r := b.judgeCMS(c.der, c.content)
		s := r.Signatures[0]
		if r.Verdict != c.verdict || s.SubIndication != c.sub || s.Level != c.level || s.Format != "CAdES" || len(r.SHA256) != 64 {
			t.Errorf("%s: %s %s", name, s.Level, explain(r))
		}
	}
	r := b.judgeCMS(bb[:len(bb)/2], content)
	expect(t, r, validation.Invalid, validation.ReasonMalformed)
}

func TestWhatIsNoCMSIsNotTakenForOne(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"", "%PDF-1.7", "0", "-----BEGIN CERTIFICATE-----", "\x30\x82\x01\x00\x02\x01"} {
		if validation.IsCMS([]byte(head)) {
			t.Errorf("%q", head)
		}
	}
	b := newBench(t)
	in := validation.CMSInput{Input: validation.Input{Reader: bytes.NewReader(nil), Size: 1 << 40}}
	if _, err := b.offline().ValidateCMS(context.Background(), in, b.clock()); text.CodeOf(err) != text.TooLarge {
		t.Errorf("a terabyte: %v", err)
	}
}

// Whatever is put into the content or in place of the signature ends in a verdict.
func FuzzValidateCMS(f *testing.F) {
	p, err := certstest.New(certstest.Options{LeafKey: certstest.P256, Now: func() time.Time { return day0 }})
	if err != nil {
		f.Fatal(err)
	}
	b := &bench{PKI: p, t: &testing.T{}, now: day0}
	content := []byte("Kính gửi")
	f.Add(b.cms(digestOf(content), as{who: b.Leader(), stamp: true}), content)
	f.Add(b.cms(digestOf(content), as{who: b.Leader(), signingAt: true}), []byte{0x31, 0})
	f.Fuzz(func(t *testing.T, der, content []byte) {
		in := validation.CMSInput{Input: validation.Input{Reader: bytes.NewReader(der), Size: int64(len(der))},
			Content: bytes.NewReader(content), ContentSize: int64(len(content))}
		r, err := b.offline().ValidateCMS(context.Background(), in, day0)
		if (r == nil) == (err == nil) {
			t.Errorf("%v, %v", r, err)
		}
	})
}
