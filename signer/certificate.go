package signer

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
)

// identity is who signs: the certificate as judged before its key is used.
type identity struct {
	chain     []*certs.Certificate // as the key gave it, leaf first
	path      certs.Path           // to an anchor; shorter when no trust is configured
	algorithm cms.Algorithm
}

func (id *identity) leaf() *certs.Certificate { return id.chain[0] }

// keyFor gets the key and makes sure that certificate and key belong together.
func (s *Signer) keyFor(ctx context.Context, id string) (Key, error) {
	if s.Keys == nil {
		return Key{}, text.Errorf(text.KeyNotFound, errors.New("no key provider"))
	}
	key, err := s.Keys.Key(ctx, id)
	if err != nil {
		return Key{}, err
	}
	if len(key.Chain) == 0 || key.Chain[0] == nil {
		return Key{}, text.Errorf(text.CertificateMismatch, errors.New("key has no certificate"))
	}
	if key.Signer == nil {
		return key, nil
	}
	pub, ok := key.Signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(key.Chain[0].PublicKey) {
		return Key{}, text.Errorf(text.CertificateMismatch, errors.New("certificate is for another key"))
	}
	return key, nil
}

// identify judges the signing certificate at the run's time: period, usage,
// algorithm and, where trust is configured, the path to an anchor.
func (r *run) identify(ctx context.Context, chain []*certs.Certificate) error {
	leaf := chain[0]
	if !leaf.ValidAt(r.now) {
		return text.Errorf(text.CertificateExpired, fmt.Errorf("valid from %s to %s", leaf.NotBefore, leaf.NotAfter))
	}
	if !certs.UsageDocumentSigning.Permits(leaf) {
		return text.Detailed(text.CertificateUntrusted, nil, "sign.key-usage")
	}
	algorithm, err := cms.AlgorithmForCertificate(leaf, r.req.Digest, r.req.PSS)
	if err != nil {
		return text.Detailed(text.InvalidInput, err, "sign.algorithm")
	}
	if err := strongEnough(leaf, algorithm, r.now); err != nil {
		return err
	}
	r.id = &identity{chain: chain, algorithm: algorithm}
	r.id.path, err = r.path(ctx, leaf, chain[1:], certs.UsageDocumentSigning, r.now)
	var pathErr *certs.PathError
	switch {
	case errors.As(err, &pathErr) && pathErr.Reason == certs.ReasonUsage:
		return text.Detailed(text.CertificateUntrusted, err, "sign.key-usage")
	case err != nil && ctx.Err() == nil:
		return text.Errorf(text.CertificateUntrusted, err)
	}
	if len(r.id.path) == 1 && !r.trusted() && !leaf.SelfIssued() {
		r.warn(WarnChainIncomplete)
	}
	return err
}

// strongEnough holds key and algorithm against the dated policy and says which
// part of them is too weak, and since when.
func strongEnough(leaf *certs.Certificate, a cms.Algorithm, at time.Time) error {
	err := certs.TS119312().Check(a.Scheme, leaf.KeyBits, a.Digest, at)
	var weak *certs.WeakError
	switch {
	case !errors.As(err, &weak):
		return err
	case weak.Until.IsZero():
		return text.Detailed(text.NotAllowed, err, "sign.not-listed", weak.What, weak.Policy)
	}
	return text.Detailed(text.NotAllowed, err, "sign.too-weak", weak.What, weak.Until.Format(time.DateOnly), weak.Policy)
}

// checkRevocation asks about the signing certificate before the key is used,
// whatever the level (contract, "antin sign"). Revoked is refused; unknown is a
// warning up to B-T and an error above.
func (r *run) checkRevocation(ctx context.Context) error {
	if len(r.id.path) == 1 && r.trusted() {
		return nil // an anchor by itself: nobody revokes it but whoever lists it
	}
	status := certs.RevocationStatus{Status: certs.StatusUnknown}
	if !r.req.Offline {
		var err error
		if status, err = r.askRevocation(ctx, r.id.path); err != nil {
			return err
		}
	}
	switch {
	case status.Status == certs.StatusRevoked:
		return text.Errorf(text.CertificateRevoked, fmt.Errorf("revoked at %s: %s", status.RevokedAt, status.Reason))
	case status.Status == certs.StatusGood:
		return nil
	case r.level().AtLeast(ades.BLT):
		return text.Errorf(text.RevocationUnavailable, errors.New(status.Why))
	}
	r.warn(WarnRevocationUnknown)
	return nil
}

// askRevocation asks about the signing certificate at the run's time.
func (r *run) askRevocation(ctx context.Context, path certs.Path) (certs.RevocationStatus, error) {
	unknown := certs.RevocationStatus{Status: certs.StatusUnknown, Why: certs.WhyNone}
	issuer := path.Issuer(path[0])
	if r.Revocation == nil || issuer == nil {
		return unknown, nil
	}
	evidence, err := r.Revocation.Revocation(ctx, path[0], issuer)
	if ctx.Err() != nil {
		return unknown, ctx.Err()
	}
	if err != nil {
		unknown.Why = err.Error()
		return unknown, nil
	}
	return r.judge(path[0], path, evidence, certs.RevocationOptions{At: r.now}), nil
}
