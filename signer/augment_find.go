package signer

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"slices"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/tsp"
	"antin/signer/validation"
)

// existing is a signature of the document with its CMS.
type existing struct {
	sig  *pades.Signature
	data *cms.SignedData
	info *cms.SignerInfo
	cert *certs.Certificate
}

// find lists the signatures to be raised and the document time-stamps that hold,
// and what all of them bring along.
func (a *augmentation) find(ctx context.Context) error {
	var err error
	if a.collector, err = newCollector(a.run, a.file); err != nil {
		return err
	}
	signatures, err := pades.Signatures(a.file)
	if err != nil {
		return err
	}
	a.targets, a.stamps = nil, nil
	tokens := map[*stamp]*pades.Signature{}
	for i := range signatures {
		sig := &signatures[i]
		if !sig.Signed() || len(sig.Contents) == 0 || sig.Perms == "UR" || sig.Perms == "UR3" || !a.intact(sig) {
			continue // nothing to build on; validation says why
		}
		if sig.DocumentTimestamp() {
			if s := a.documentStamp(ctx, sig); s != nil {
				a.stamps, tokens[s] = append(a.stamps, s), sig
			}
			continue
		}
		if t := a.target(sig); t != nil {
			a.targets = append(a.targets, t)
		}
	}
	if len(a.targets) == 0 {
		return text.Errorf(text.SignatureRequired, errors.New("no intact signature"))
	}
	slices.SortFunc(a.targets, func(x, y *target) int { return cmp.Compare(x.sig.ContentsStart, y.sig.ContentsStart) })
	for _, t := range a.targets {
		a.prove(ctx, t)
	}
	if err := a.keepProven(tokens); err != nil {
		return err
	}
	return ctx.Err()
}

// intact reports whether the validator found the signature's value and bytes right.
func (a *augmentation) intact(sig *pades.Signature) bool {
	for _, s := range a.before.Signatures {
		if s.Field == sig.Field && (s.Type == validation.DocumentTimestamp) == sig.DocumentTimestamp() {
			return s.Integrity == validation.IntegrityOK
		}
	}
	return false
}

// target reads a signature; nil when there is no one signer in it.
func (a *augmentation) target(sig *pades.Signature) *target {
	sd, err := cms.Parse(sig.Contents)
	if err != nil || len(sd.Signers) != 1 {
		return nil
	}
	info := sd.Signers[0]
	a.collector.know(sd.Certificates...)
	crls, ocsps := info.AdobeRevocation()
	a.collector.hold(pades.DSS{OCSPs: append(ocsps, sd.OCSPs...), CRLs: append(crls, sd.CRLs...)})
	cert, err := info.SigningCertificate(a.collector.pool)
	if err != nil {
		return nil
	}
	return &target{existing: existing{sig, sd, info, cert}}
}

// prove finds the signature time-stamps of t that were right when they were made.
func (a *augmentation) prove(ctx context.Context, t *target) {
	for _, raw := range t.info.Timestamps() {
		token, err := tsp.ParseToken(raw)
		if err != nil || !token.Hash.Available() {
			continue
		}
		a.collector.know(token.SignedData.Certificates...)
		s, err := a.acceptStamp(ctx, raw, token.Hash, digestBy(token.Hash, t.info.Signature), a.collector.pool)
		if err != nil {
			continue
		}
		t.stamps = append(t.stamps, s)
	}
}

func (t *target) provenAt(at time.Time) {
	if t.best.IsZero() || at.Before(t.best) {
		t.best = at
	}
}

func digestBy(h crypto.Hash, b []byte) []byte {
	sum := h.New()
	sum.Write(b)
	return sum.Sum(nil)
}

// documentStamp reads a document time-stamp whose imprint the validator has found
// right; nil when its TSA is not trusted.
func (a *augmentation) documentStamp(ctx context.Context, sig *pades.Signature) *stamp {
	token, err := tsp.ParseToken(sig.Contents)
	if err != nil {
		return nil
	}
	a.collector.know(token.SignedData.Certificates...)
	s, err := a.trustStamp(ctx, token, a.collector.pool)
	if err != nil {
		return nil
	}
	return s
}

// missing are the signatures without a proof of existence.
func (a *augmentation) missing() []*target {
	var list []*target
	for _, t := range a.targets {
		if t.best.IsZero() {
			list = append(list, t)
		}
	}
	return list
}
