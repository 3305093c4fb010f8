package signer

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/tsp"
)

const (
	// timestampRoom is set aside for a time-stamp token with its chain, in bytes.
	timestampRoom = 8 << 10
	// attributesRoom is more than the signed attributes take.
	attributesRoom = 1 << 10
	// roomStep rounds the room up, so that sizes do not tell how full it is.
	roomStep = 512
	// maxRebuilds bounds preparing anew: the second try has the room that the
	// first one asked for, and only a larger time-stamp can exceed that.
	maxRebuilds = 3
	// maxClockSkew is how far a TSA's time may lie from ours before one of the two
	// clocks must be wrong.
	maxClockSkew = time.Hour
)

// room estimates the size of the CMS in bytes, with a margin.
func (r *run) room() int {
	if r.req.ContentsSize > 0 {
		return r.req.ContentsSize
	}
	stamp := 0
	if r.level().AtLeast(ades.BT) {
		stamp = timestampRoom
	}
	return roundUp(cms.EstimateSize(r.signedData(nil, nil), stamp) + attributesRoom + r.claimsRoom())
}

func roundUp(n int) int {
	n += n * 15 / 100
	return (n + roomStep - 1) / roomStep * roomStep
}

func (r *run) signedData(attributes, value []byte) cms.SignedDataParams {
	return cms.SignedDataParams{
		Algorithm: r.id.algorithm, Attributes: attributes, Signature: value,
		Certificate: r.id.leaf(), Certificates: r.known(),
	}
}

// known are the certificates to put beside the leaf: the path as far as it is
// known, else what the key brought along. A root is left out: who trusts it has it,
// and for who does not it proves nothing.
func (r *run) known() []*certs.Certificate {
	above := r.id.chain[1:]
	if len(r.id.path) > 1 {
		above = r.id.path[1:]
	}
	if n := len(above); n > 0 && r.verified.IssuedBy(above[n-1], above[n-1]) {
		above = above[:n-1]
	}
	return above
}

// attributes are the signed attributes over the prepared revision.
func (r *run) attributes(ctx context.Context) ([]byte, error) {
	var err error
	if r.digest, err = r.prepared.DigestAfter(r.prefix, r.id.algorithm.Digest); err != nil {
		return nil, err
	}
	if err := r.stampContent(ctx); err != nil {
		return nil, err
	}
	return r.encodeAttributes()
}

// signAndEmbed makes the signature and puts it in place. When it does not fit,
// the whole revision is built anew, which asks the key again.
func (r *run) signAndEmbed(ctx context.Context, key crypto.Signer) error {
	if key == nil {
		return text.Errorf(text.KeyNotFound, errors.New("the key signs elsewhere; prepare and complete instead"))
	}
	for try := 1; ; try++ {
		attributes, err := r.attributes(ctx)
		if err != nil {
			return err
		}
		value, err := r.id.algorithm.Sign(rand.Reader, key, attributes) // the only use of the private key
		if err != nil {
			return coded(ctx, err, text.KeyLocked)
		}
		err = r.finishCMS(ctx, attributes, value)
		var small *pades.TooSmallError
		if !errors.As(err, &small) || try == maxRebuilds {
			return err
		}
		if err := r.prepare(roundUp(small.Need)); err != nil {
			return err
		}
	}
}

// finishCMS time-stamps the value where the level asks for that and embeds the CMS.
// A value that the certificate's key did not make is found out before a time-stamp
// is spent on it; below B-T the self-check, which reads the CMS as a stranger
// would, says so a moment later and is the only verification.
func (r *run) finishCMS(ctx context.Context, attributes, value []byte) error {
	value, err := cms.SignatureValue(r.id.algorithm, r.id.leaf(), value)
	if err != nil {
		return text.Detailed(text.CertificateMismatch, err, "sign.value-wrong")
	}
	params := r.signedData(attributes, value)
	if r.level().AtLeast(ades.BT) {
		if err := r.id.algorithm.VerifyValue(r.id.leaf(), attributes, value); err != nil {
			return text.Detailed(text.CertificateMismatch, err, "sign.value-wrong")
		}
		switch err := r.stamp(ctx, value); {
		case r.postponed(err):
		case err != nil:
			return err
		default:
			params.Timestamp = r.token.Raw
		}
	}
	der, err := cms.Build(params)
	if err != nil {
		return err
	}
	return r.prepared.Embed(der)
}

// stamp is an accepted time-stamp with the path of its TSA.
type stamp struct {
	*tsp.Token
	signer *certs.Certificate
	path   certs.Path
}

// stamp obtains a time-stamp over the signature value and judges it.
func (r *run) stamp(ctx context.Context, value []byte) error {
	if r.Timestamps == nil || r.req.Offline {
		return text.Errorf(text.TSAUnavailable, errors.New("no time-stamping service"))
	}
	h := imprintHash(r.hash())
	sum := h.New()
	sum.Write(value)
	raw, err := r.Timestamps.Timestamp(ctx, h, sum.Sum(nil))
	if err != nil {
		return coded(ctx, err, text.TSAUnavailable)
	}
	if err := r.useStamp(ctx, raw, value); err != nil {
		return err
	}
	if now := r.Now(); r.token.GenTime.Sub(now).Abs() > maxClockSkew {
		return text.Detailed(text.TSAUnavailable, fmt.Errorf("time-stamp says %s, clock %s", r.token.GenTime, now), "sign.timestamp-unfit")
	}
	return nil
}

// useStamp takes raw as the time-stamp over a signature value.
func (r *run) useStamp(ctx context.Context, raw, value []byte) error {
	token, err := r.judgeStamp(ctx, raw, 0, value)
	if err == nil {
		r.token = token
	}
	return err
}

// judgeStamp judges a token: what it is over, its own signature, and its TSA's
// certificate at the time it states. It is over data: a digest made with h, or, with h 0,
// what the hash that the token names is made of.
func (r *run) judgeStamp(ctx context.Context, raw []byte, h crypto.Hash, data []byte) (*stamp, error) {
	unfit := func(err error) error { return text.Detailed(text.TSAUnavailable, err, "sign.timestamp-unfit") }
	token, err := tsp.ParseToken(raw)
	if err != nil {
		return nil, unfit(err)
	}
	if h == 0 {
		if h = token.Hash; !h.Available() {
			return nil, unfit(fmt.Errorf("imprint hash %s", token.HashOID))
		}
		sum := h.New()
		sum.Write(data)
		data = sum.Sum(nil)
	}
	if err := token.Verify(h, data); err != nil {
		return nil, unfit(err)
	}
	signer, err := token.SigningCertificate()
	if err != nil {
		return nil, unfit(err)
	}
	path, err := r.path(ctx, signer, token.SignedData.Certificates, certs.UsageTimeStamping, token.GenTime)
	if err != nil {
		return nil, unfit(err)
	}
	return &stamp{token, signer, path}, nil
}
