package signer

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"unicode/utf8"

	"antin/internal/text"
	"antin/signer/cms"
	"antin/signer/pades"
)

const (
	// maxClaim bounds a role, a reason or a place in bytes: more than any form has
	// room to show, little enough for the CMS to stay small.
	maxClaim = 512
	// maxPolicyURI bounds the address of a signature policy in bytes, as browsers do.
	maxPolicyURI = 2048
)

// checkClaims looks at what the request says of the signer before any file is opened.
func (q *Request) checkClaims() error {
	for _, c := range []string{q.Role, q.Reason, q.Location, q.Name} {
		if len(c) > maxClaim || !utf8.ValidString(c) {
			return text.Detailed(text.InvalidInput, nil, "sign.claim", maxClaim)
		}
	}
	p := q.Policy
	if p == nil {
		return nil
	}
	for _, b := range []byte(p.URI) {
		if b <= ' ' || b > '~' {
			return text.Detailed(text.InvalidInput, nil, "sign.policy")
		}
	}
	if len(p.OID) < 2 || !p.Hash.Available() || len(p.HashValue) != p.Hash.Size() || len(p.URI) > maxPolicyURI {
		return text.Detailed(text.InvalidInput, nil, "sign.policy")
	}
	return nil
}

// preflight refuses what the document forbids, and notes what its signer should know.
func (r *run) preflight() error {
	if err := r.place(); err != nil {
		return err
	}
	notes, err := pades.Notes(r.file, r.options(nil))
	if err != nil {
		return err
	}
	for _, n := range notes {
		r.warn(Warning(n))
	}
	return nil
}

// claimsRoom is more than the optional attributes take, in bytes.
func (r *run) claimsRoom() int {
	n := 0
	if r.req.Role != "" {
		n += len(r.req.Role) + attributeFraming
	}
	if p := r.req.Policy; p != nil {
		n += len(p.URI) + len(p.HashValue) + 2*attributeFraming
	}
	if r.req.ContentTimestamp {
		n += timestampRoom
	}
	return n
}

// attributeFraming covers headers and identifiers around one attribute's value, in bytes.
const attributeFraming = 64

// contentImprint is the hash of a content time-stamp: the one that the original
// is always read with, and that every time-stamping service knows.
const contentImprint = crypto.SHA256

// stampContent obtains the content time-stamp where one is asked for: proof that
// what is about to be signed existed then (EN 319 122-1, 5.2.8). It is over the
// ByteRange, so that a revision built anew needs a new one.
func (r *run) stampContent(ctx context.Context) error {
	if !r.req.ContentTimestamp {
		return nil
	}
	digest, err := r.prepared.DigestAfter(r.prefix, contentImprint)
	if err != nil {
		return err
	}
	if r.contentToken != nil {
		if err := r.contentToken.Verify(contentImprint, digest); err == nil {
			return nil
		}
	}
	if r.Timestamps == nil || r.req.Offline {
		return text.Errorf(text.TSAUnavailable, errors.New("no time-stamping service"))
	}
	raw, err := r.Timestamps.Timestamp(ctx, contentImprint, digest)
	if err != nil {
		return coded(ctx, err, text.TSAUnavailable)
	}
	token, err := r.judgeStamp(ctx, raw, contentImprint, digest)
	if err != nil {
		return err
	}
	if now := r.Now(); token.GenTime.Sub(now).Abs() > maxClockSkew {
		return text.Detailed(text.TSAUnavailable, fmt.Errorf("time-stamp says %s, clock %s", token.GenTime, now), "sign.timestamp-unfit")
	}
	r.contentToken = token
	return nil
}

// resumeContent takes up the content time-stamp of a prepared signing.
func (r *run) resumeContent(ctx context.Context, raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	digest, err := r.prepared.DigestAfter(r.prefix, contentImprint)
	if err != nil {
		return err
	}
	r.contentToken, err = r.judgeStamp(ctx, raw, contentImprint, digest)
	return err
}

// encodeAttributes are the signed attributes over r.digest.
func (r *run) encodeAttributes() ([]byte, error) {
	p := cms.AttributeParams{
		MessageDigest: r.digest, Certificate: r.id.leaf(), Algorithm: r.id.algorithm,
		AlgorithmProtection: true, CommitmentType: r.req.Commitment, Policy: r.req.Policy, Role: r.req.Role,
	}
	if r.contentToken != nil {
		p.ContentTimestamp = r.contentToken.Raw
	}
	return cms.SignedAttributes(p)
}

// imprintHash is the hash of a time-stamp over the signature value. Services that
// answer for SHA-3 are rare; SHA-2 of the same length is as strong.
func imprintHash(h crypto.Hash) crypto.Hash {
	switch h {
	case crypto.SHA3_256:
		return crypto.SHA256
	case crypto.SHA3_384:
		return crypto.SHA384
	case crypto.SHA3_512:
		return crypto.SHA512
	default:
		return h
	}
}
