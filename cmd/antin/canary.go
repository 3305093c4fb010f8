package main

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/compose"
	"antin/signer/keys/softkey"
	"antin/signer/validation"
)

// canaryKey names the key that signs canaries, which nothing else trusts.
const canaryKey = "canary"

// canary proves that this gateway signs and judges: it signs a small PDF with a key
// of its own and time-stamps it, has it judged, and has an altered copy judged, which
// must fail. It is made once and safe for concurrent use.
type canary struct {
	pdf    []byte
	signer *signer.Signer
	judge  *validation.Validator
	stamps bool
	now    func() time.Time
}

// newCanary makes the key and the PDF. stamps nil leaves time-stamps out; judge is
// the one that everything else here is judged by.
func newCanary(agency exchange.Agency, stamps signer.TimestampSource, judge *validation.Validator, now func() time.Time) (*canary, error) {
	id, err := peer.NewIdentity(nil, agency.Code, now().Add(-time.Hour), now().Add(10*365*24*time.Hour))
	if err != nil {
		return nil, err
	}
	cert, err := certs.ParseCertificate(id.Certificate)
	if err != nil {
		return nil, err
	}
	word := text.Get("serve.canary").VI
	pdf, err := compose.Document(compose.DocumentForm{Agency: agency.Name, Place: agency.Place, Subject: word, Body: compose.Text(word),
		Signer: compose.Signer{Name: word}, Created: now()})
	if err != nil {
		return nil, fmt.Errorf("composing canary: %w", err)
	}
	key := signer.Key{Signer: id.Key, Chain: []*certs.Certificate{cert}}
	return &canary{
		pdf:    pdf,
		signer: &signer.Signer{Keys: softkey.NewProvider(map[string]signer.Key{canaryKey: key}), Timestamps: stamps, Now: now},
		judge:  judge,
		stamps: stamps != nil, now: now,
	}, nil
}

var (
	errCanaryBroken  = errors.New("a fresh signature did not verify")
	errCanaryStamp   = errors.New("the time-stamp is not trusted by the configured anchors")
	errCanaryAltered = errors.New("an altered file was not found out")
)

// sing signs and judges once; nil when everything came out as it must.
func (c *canary) sing(ctx context.Context) error {
	level := ades.BB
	if c.stamps {
		level = ades.BT
	}
	var signed bytes.Buffer
	in := signer.Input{Reader: bytes.NewReader(c.pdf), Size: int64(len(c.pdf)), Name: "canary.pdf"}
	if _, err := c.signer.Sign(ctx, in, &signed, signer.Request{Key: canaryKey, Level: level, Digest: crypto.SHA256}); err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	report, err := c.report(ctx, signed.Bytes())
	if err != nil {
		return fmt.Errorf("judging: %w", err)
	}
	if len(report.Signatures) != 1 || report.Signatures[0].Integrity != validation.IntegrityOK {
		return errCanaryBroken
	}
	if c.stamps {
		stamps := report.Signatures[0].Timestamps
		if len(stamps) != 1 || stamps[0].Indication != ades.TotalPassed {
			return errCanaryStamp
		}
	}
	altered := bytes.Clone(signed.Bytes())
	altered[len(c.pdf)/2] ^= 1
	report, err = c.report(ctx, altered)
	if err == nil && report.Verdict != validation.Invalid {
		return errCanaryAltered
	}
	return nil
}

func (c *canary) report(ctx context.Context, pdf []byte) (*validation.Report, error) {
	return c.judge.Validate(ctx, validation.Input{Reader: bytes.NewReader(pdf), Size: int64(len(pdf)), Name: "canary.pdf"}, c.now())
}
