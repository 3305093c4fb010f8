package signer

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/validation"
)

// check holds an augmented document back unless every signature is at least what
// it was, and every one that was raised stands at the level, without a network.
func (a *augmentation) check(ctx context.Context) error {
	reader, size := join(a.in.Reader, a.in.Size, a.evidence)
	after, err := a.validator().Validate(ctx, validation.Input{Reader: reader, Size: size, Name: a.in.Name, Password: a.in.Password}, a.latestStamp())
	if err != nil {
		return fmt.Errorf("checking the augmented document: %w", err)
	}
	for _, t := range a.targets {
		i := slices.IndexFunc(after.Signatures, func(s validation.Signature) bool {
			return s.Field == t.sig.Field && s.Type != validation.DocumentTimestamp
		})
		if i < 0 {
			return text.Detailed(text.SelfCheckFailed, nil, "sign.earlier-signature", t.sig.Field)
		}
		if err := a.checkTarget(t, &after.Signatures[i]); err != nil {
			return err
		}
		a.run.check = &after.Signatures[i] // the newest stays
	}
	return a.compareEarlier(a.before, after)
}

// checkTarget holds one signature against the level. Without trust, and at B-T for
// a signer whom the file does not show to be trusted, that cannot be told.
func (a *augmentation) checkTarget(t *target, s *validation.Signature) error {
	if !a.trusted() || t.best.IsZero() {
		return nil
	}
	if s.Indication != ades.TotalPassed {
		if a.level() == ades.BT && s.Indication == ades.Indeterminate {
			return nil
		}
		return errLevel(a.level(), fmt.Errorf("%s: %s %s", t.sig.Field, s.Indication, s.SubIndication))
	}
	reached, baseline := ades.ParseLevel(strings.TrimPrefix(s.Level, "PAdES-"))
	if baseline && !reached.AtLeast(a.level()) {
		return errLevel(a.level(), fmt.Errorf("%s: level %s", t.sig.Field, s.Level))
	}
	return nil
}

// latestStamp is our clock, or the newest time-stamp's where that runs ahead of it.
func (a *augmentation) latestStamp() time.Time {
	at := a.Now()
	for _, s := range a.stamps {
		if s.GenTime.After(at) {
			at = s.GenTime
		}
	}
	for _, t := range a.targets {
		for _, s := range t.stamps {
			if s.GenTime.After(at) {
				at = s.GenTime
			}
		}
	}
	return at
}

// release writes the update behind the original and tells of the newest signature.
func (a *augmentation) release(ctx context.Context, out io.Writer) (*Result, error) {
	sum, err := a.prefix.Sum(crypto.SHA256, a.evidence)
	if err != nil {
		return nil, err
	}
	if _, err := out.Write(a.evidence); err != nil {
		return nil, coded(ctx, fmt.Errorf("writing the update: %w", err), text.StorageFull)
	}
	t := a.targets[len(a.targets)-1]
	res := &Result{
		Field: t.sig.Field, Level: "PAdES-" + string(a.level()), SHA256: fmt.Sprintf("%x", sum), Bytes: a.in.Size + int64(len(a.evidence)),
		Signer: t.cert.Subject, SignedAt: t.best.UTC(), TimeSource: TimeSourceTSA, Warnings: a.warnings, Certificate: t.cert,
		Indication: a.run.check.Indication, SubIndication: a.run.check.SubIndication,
	}
	if a.trusted() && res.Indication == ades.TotalPassed {
		res.Level = a.run.check.Level
	}
	if t.best.IsZero() { // passed over
		res.SignedAt, res.TimeSource = t.sig.M.UTC(), TimeSourceClock
		if t.sig.SubFilter == pades.SubFilterCAdES {
			res.Level = "PAdES-" + string(ades.BB)
		}
	}
	return res, nil
}
