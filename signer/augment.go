package signer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/validation"
)

// Augment raises every time-stamped signature of in to level, which can be BLT:
// the revocation data of signers and TSAs, as it is now, goes into the document
// security store. out gets the original bytes and then the update, under the
// rules of Sign. Result tells of the newest signature. A document without a
// time-stamped signature is refused with signature-required.
func (s *Signer) Augment(ctx context.Context, in Input, out io.Writer, level ades.Level) (*Result, error) {
	if level != ades.BLT {
		return nil, text.Detailed(text.InvalidInput, nil, "sign.level", level)
	}
	// 1. Open and find the signatures that can be raised.
	r, err := s.start(ctx, in, Request{Level: level})
	if err != nil {
		return nil, err
	}
	signatures, err := pades.Signatures(r.file)
	if err != nil {
		return nil, err
	}
	// 2. Collect for each what a verifier without a network needs.
	c := newCollector(r)
	for i := range signatures {
		if err := c.signature(ctx, &signatures[i]); err != nil {
			return nil, fmt.Errorf("signature %q: %w", signatures[i].Field, err)
		}
	}
	if r.id == nil {
		return nil, text.Errorf(text.SignatureRequired, errors.New("no time-stamped signature"))
	}
	// 3. Copy the original, add what is new, check the whole, release.
	if err := r.read(ctx, out); err != nil {
		return nil, err
	}
	built, err := pades.AddDSS(r.file, c.dss)
	if err != nil {
		return nil, err
	}
	r.prepared.Update = nil
	if built != nil {
		r.evidence = built.Data
	}
	if err := r.checkAugmented(ctx); err != nil {
		return nil, err
	}
	return r.release(ctx, out)
}

// signature collects for one signature with a time-stamp; others are passed over.
func (c *collector) signature(ctx context.Context, s *pades.Signature) error {
	if !s.Signed() || s.DocumentTimestamp() || len(s.Contents) == 0 {
		return nil
	}
	sd, err := cms.Parse(s.Contents)
	if err != nil || len(sd.Signers) != 1 || len(sd.Signers[0].Timestamps()) == 0 {
		return nil // nothing to build on; validation says why
	}
	info := sd.Signers[0]
	cert, err := info.SigningCertificate(sd.Certificates)
	if err != nil {
		return nil
	}
	chain := append([]*certs.Certificate{cert}, sd.Certificates...)
	c.id = &identity{chain: chain, path: certs.Path{cert}}
	if err := c.useStamp(ctx, info.Timestamps()[0], info.Signature); err != nil {
		return err
	}
	if c.id.path, err = c.run.path(ctx, cert, chain, certs.UsageDocumentSigning, c.token.GenTime); err != nil {
		return text.Errorf(text.CertificateUntrusted, err)
	}
	c.prepared = &pades.Prepared{Field: s.Field}
	if err := c.path(ctx, c.id.path, c.token.GenTime, c.token.GenTime, 0); err != nil {
		return err
	}
	return c.path(ctx, c.token.path, c.token.GenTime, c.token.GenTime, 0)
}

// checkAugmented holds an augmented document back unless every signature is at
// least what it was.
func (r *run) checkAugmented(ctx context.Context) error {
	reader, size := join(r.in.Reader, r.in.Size, r.evidence)
	at := r.latest()
	before, err := r.validator().Validate(ctx, validation.Input{Reader: r.in.Reader, Size: r.in.Size, Name: r.in.Name}, at)
	if err != nil {
		return fmt.Errorf("checking the original document: %w", err)
	}
	after, err := r.validator().Validate(ctx, validation.Input{Reader: reader, Size: size, Name: r.in.Name}, at)
	if err != nil {
		return fmt.Errorf("checking the augmented document: %w", err)
	}
	for i := range after.Signatures {
		if after.Signatures[i].Field == r.prepared.Field {
			r.check = &after.Signatures[i]
		}
	}
	if r.check == nil {
		return text.Detailed(text.SelfCheckFailed, nil, "sign.earlier-signature", r.prepared.Field)
	}
	if r.trusted() && r.check.Indication != ades.TotalPassed && r.check.Integrity == validation.IntegrityOK {
		return text.Detailed(text.SelfCheckFailed, nil, "sign.level", string(ades.BLT))
	}
	return r.compareEarlier(before, after)
}
