package pkcs11

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"slices"

	"antin/certs"
	"antin/internal/text"
)

// tokenKey is a key of a token. It is safe for concurrent use, and outlives the helper
// and the token's absence: the next signature finds both again.
type tokenKey struct {
	provider *Provider
	entry    *entry
	ctx      context.Context //nolint:containedctx // crypto.Signer has none; a key is used within the call that asked for it
	leaf     *certs.Certificate
}

// Public implements crypto.Signer.
func (k *tokenKey) Public() crypto.PublicKey { return k.leaf.PublicKey }

// Sign implements crypto.Signer. The token is asked once. Only when it is certain that
// the key was not used (the request never reached the helper, or the session was gone
// before the key was touched) is it asked a second time, after a new login. An answer
// that was lost is signature-lost, and a value that does not verify is
// certificate-mismatch.
func (k *tokenKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	r, err := order(k.leaf.PublicKey, digest, opts)
	if err != nil {
		return nil, text.Detailed(text.InvalidInput, err, "sign.algorithm")
	}
	for again := range 2 {
		o, err := k.provider.ready(k.ctx, k.entry)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(o.chain[0].Raw, k.leaf.Raw) {
			return nil, text.Detailed(text.CertificateMismatch, errors.New("another token answers to this name"), "key.mismatch", k.leaf.CommonName)
		}
		if !slices.Contains(o.can, r.Mechanism) {
			return nil, problem(Answer{Code: CodeUnsupported, Reason: string(r.Mechanism)}, o.token)
		}
		a, err := k.provider.use(k.ctx, o, r)
		untouched := errors.Is(err, errUndelivered) || err == nil && a.Code == CodeSession && !a.KeyUsed
		if untouched || err == nil && (a.Code == CodeSession || a.Code == CodeAbsent || a.Code == CodeFailed) {
			k.provider.forget(k.entry, o)
		}
		if untouched && again == 0 && k.ctx.Err() == nil {
			continue
		}
		return k.finish(o, digest, opts, a, err)
	}
	return nil, text.Detailed(text.KeyUnavailable, nil, "token.session")
}

func (k *tokenKey) finish(o *opened, digest []byte, opts crypto.SignerOpts, a Answer, err error) ([]byte, error) {
	if err != nil {
		return nil, unsigned(k.ctx, err)
	}
	if a.Code != "" {
		return nil, problem(a, o.token)
	}
	value, err := finish(k.leaf.PublicKey, digest, a.Signature, opts)
	if err != nil {
		return nil, text.Detailed(text.CertificateMismatch, err, "key.mismatch", k.leaf.CommonName)
	}
	return value, nil
}

// use has o's key carry out r, as one of as many at a time as the token has sessions.
func (p *Provider) use(ctx context.Context, o *opened, r Request) (Answer, error) {
	select {
	case o.login.slots <- struct{}{}:
		defer func() { <-o.login.slots }()
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	r.Slot, r.Serial, r.Key = o.token.Slot, o.token.Serial, o.key.Handle
	if !o.key.EachTime {
		return o.child.call(ctx, r, p.callLimit())
	}
	// The PIN goes along with each signature: one at a time, and none after a refusal.
	o.login.mu.Lock()
	defer o.login.mu.Unlock()
	if o.login.dead != nil {
		return Answer{}, o.login.dead
	}
	r.Login, r.PIN = true, o.login.pin
	a, err := o.child.call(context.WithoutCancel(ctx), r, p.callLimit())
	if err == nil {
		o.login.note(a, o.token)
	}
	return a, err
}
