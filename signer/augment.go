package signer

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// Augment raises every intact signature of in to level: BT, BLT or BLTA, whoever
// made them, without any signature key.
//
// BT gives a proof of existence to those that have none: a signature time-stamp,
// put into the room that the newest signature has left in its own value, else a
// document time-stamp over all. BLT adds, as they are now, the certificates and
// revocation data of signers and TSAs; with Timestamps it does BT first where a
// proof is missing, without it passes such signatures over while there are others.
// BLTA adds that data and a document time-stamp over everything; done again before
// the time-stamp's certificate or algorithms run out, it renews it.
//
// out gets the original bytes and then the update, under the rules of Sign; a
// time-stamp put into the newest signature changes bytes that no signature covers.
// Result tells of the newest signature. Refusals: signature-required without an
// intact signature; tsa-unavailable, revocation-unavailable; certificate-untrusted,
// certificate-expired and certificate-revoked for what no time-stamp saves any more.
func (s *Signer) Augment(ctx context.Context, in Input, out io.Writer, level ades.Level) (*Result, error) {
	switch level {
	case ades.BT, ades.BLT, ades.BLTA:
	default:
		return nil, text.Detailed(text.InvalidInput, nil, "sign.level", level)
	}
	// 1. Open, and judge what is there.
	a, err := s.startAugment(ctx, in, level)
	if err != nil {
		return nil, err
	}
	if err := a.find(ctx); err != nil {
		return nil, err
	}
	// 2. A proof of existence for each signature.
	if err := a.stampInside(ctx); err != nil {
		return nil, err
	}
	if a.prefix, err = pades.ReadPrefix(ctx, a.in.Reader, a.in.Size, out, crypto.SHA256); err != nil {
		return nil, err
	}
	if err := a.stampDocument(ctx); err != nil {
		return nil, err
	}
	// 3. What a verifier without a network needs, and the time-stamp over it.
	if err := a.addEvidence(ctx); err != nil {
		return nil, err
	}
	// 4. Check the whole, release.
	if err := a.check(ctx); err != nil {
		return nil, err
	}
	return a.release(ctx, out)
}

// augmentation is one call of Augment.
type augmentation struct {
	*run
	original  io.ReaderAt        // as given, where run's own may be patched
	before    *validation.Report // what the original is worth
	collector *collector
	targets   []*target // in the order of the file
	stamps    []*stamp  // document time-stamps that hold
}

// target is a signature to be raised.
type target struct {
	existing
	path   certs.Path
	stamps []*stamp // signature time-stamps that hold
	// best is the earliest time at which it is proven to have existed; zero without
	// a proof.
	best time.Time
}

func (s *Signer) startAugment(ctx context.Context, in Input, level ades.Level) (*augmentation, error) {
	r, err := s.start(ctx, in, Request{Level: level})
	if err != nil {
		return nil, err
	}
	r.prepared = &pades.Prepared{}
	a := &augmentation{run: r, original: in.Reader}
	a.before, err = r.validator().Validate(ctx, validation.Input{Reader: in.Reader, Size: in.Size, Name: in.Name, Password: in.Password}, r.latest())
	if err != nil {
		return nil, fmt.Errorf("checking the original document: %w", err)
	}
	return a, nil
}

// addEvidence collects for every signature and time-stamp, and writes it with the
// time-stamp that the level asks for.
func (a *augmentation) addEvidence(ctx context.Context) error {
	if !a.level().AtLeast(ades.BLT) {
		return nil
	}
	for _, t := range a.targets {
		if t.best.IsZero() {
			continue
		}
		if err := a.collect(ctx, t); err != nil {
			return fmt.Errorf("signature %q: %w", t.sig.Field, err)
		}
	}
	for _, s := range a.stamps {
		if err := a.collector.stamp(ctx, s); err != nil {
			return err
		}
	}
	if a.level() == ades.BLTA {
		return a.archive(ctx, a.collector)
	}
	return a.addStore(a.collector)
}

// collect gathers what one signature and its time-stamps need.
func (a *augmentation) collect(ctx context.Context, t *target) error {
	c := a.collector
	var err error
	if t.path, err = a.path(ctx, t.cert, c.pool, certs.UsageDocumentSigning, t.best); err != nil {
		return pathRefusal(ctx, err)
	}
	c.know(t.path...)
	if err := c.path(ctx, t.path, want{at: t.best, since: t.best, signer: true}); err != nil {
		return err
	}
	for _, s := range t.stamps {
		if err := c.stamp(ctx, s); err != nil {
			return err
		}
	}
	return c.contentStampsOf(ctx, t.info)
}

// pathRefusal gives a path error its code.
func pathRefusal(ctx context.Context, err error) error {
	var p *certs.PathError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &p) && p.Reason == certs.ReasonExpired:
		return text.Errorf(text.CertificateExpired, err)
	}
	return text.Errorf(text.CertificateUntrusted, err)
}

// reopen reads the document anew after it was changed.
func (a *augmentation) reopen() error {
	file, err := pdf.Open(a.in.Reader, a.in.Size, pdf.Options{Password: a.in.Password})
	if err != nil {
		return fmt.Errorf("opening the time-stamped document: %w", err)
	}
	a.file = file
	return nil
}
