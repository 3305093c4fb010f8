package signer

import (
	"context"
	"crypto"
	"encoding/hex"
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

// Signer makes signatures. Its fields are set once, before use; it is then safe
// for concurrent use as far as they are.
type Signer struct {
	// Keys finds signing keys.
	Keys KeyProvider
	// Timestamps is asked for B-T and above; nil refuses those levels with
	// tsa-unavailable.
	Timestamps TimestampSource
	// Validator judges every output before it leaves; nil uses one made of Trust
	// alone. It is asked offline whatever it is set up for: what was signed must
	// stand on what it carries.
	Validator *validation.Validator
	// Trust holds the anchors for signers and TSAs. With nil, or none in force,
	// paths are not judged: results carry WarnNotTrusted.
	Trust certs.TrustStore
	// Revocation is asked before a key is used and for B-LT; nil knows nothing.
	Revocation certs.RevocationSource
	// Issuers finds missing CA certificates; nil does without.
	Issuers certs.IssuerSource
	// Known are CA certificates at hand, trusted in nothing. They are looked at before
	// Issuers, offline too: tokens hold the signer's certificate alone, and what a reader
	// needs to find the path goes into the signature.
	Known certs.Known
	// AllowSandbox admits certificates with the sandbox mark.
	AllowSandbox bool
	// Now is the clock; it must be set.
	Now func() time.Time
	// Wait waits for d or until ctx ends, whose error it then returns. It is used
	// where the Validator's policy insists on revocation data from after the
	// time-stamp; nil waits by the computer's timer.
	Wait func(ctx context.Context, d time.Duration) error

	// verified spares the same chains their signature arithmetic from one document
	// to the next.
	verified certs.Verified
	// buffers are what one document leaves to the next.
	buffers pdf.Buffers
}

// Sign signs in as req says and writes the result to out: the original bytes,
// then the update.
//
// The original is read once and copied to out on the way; the update follows
// only after the signed whole has passed validation. So what an error leaves
// behind in out is at most the unsigned original, to be thrown away. Errors meant
// for a person are *text.Error. Memory is that of the update.
func (s *Signer) Sign(ctx context.Context, in Input, out io.Writer, req Request) (*Result, error) {
	r, err := s.open(ctx, in, req)
	if err != nil {
		return nil, err
	}
	if err := r.lookAhead(ctx, true); err != nil {
		return nil, err
	}
	defer r.early.end()
	if err := r.sign(ctx, out); err != nil {
		return nil, err
	}
	// 8. The finished whole must pass before a byte of the update leaves.
	if err := r.selfCheck(ctx); err != nil {
		return nil, err
	}
	// 9. Release.
	return r.release(ctx, out)
}

// open goes as far as knowing that the document may be signed like that.
func (s *Signer) open(ctx context.Context, in Input, req Request) (*run, error) {
	// 1. Open; only the tail and the cross-reference are read.
	r, err := s.start(ctx, in, req)
	if err != nil {
		return nil, err
	}
	// 2. May this document be signed like that? Nothing else is asked before.
	return r, r.preflight()
}

// sign goes as far as the finished update, which is neither checked nor written.
func (r *run) sign(ctx context.Context, out io.Writer) error {
	// 3. The key and its certificate: period, usage, path, revocation.
	key, err := r.keyFor(ctx, r.req.Key)
	if err != nil {
		return err
	}
	if err := r.identify(ctx, key.Chain); err != nil {
		return err
	}
	if err := r.checkRevocation(ctx); err != nil {
		return err
	}
	// 4. Build the revision, appearances and all; the last step that may refuse.
	if err := r.prepare(0); err != nil {
		return err
	}
	// 5. The one pass over the original: copied to out and hashed; then what the
	// preflight found out beside it.
	if err := r.read(ctx, out); err != nil {
		return err
	}
	if err := r.preview(); err != nil {
		return err
	}
	// 6. Sign, time-stamp, embed; again with more room should it not fit.
	if err := r.signAndEmbed(ctx, key.Signer); err != nil {
		return err
	}
	// 7. B-LT: revocation data, the signer's from after the time-stamp.
	return r.addEvidence(ctx)
}

// run is one signing, from the open document to the released bytes. It is used
// by one goroutine.
type run struct {
	*Signer
	in  Input
	req Request
	now time.Time

	file    *pdf.File
	form    *pades.Form
	anchors []*certs.Certificate
	id      *identity

	prepared *pades.Prepared
	prefix   *pades.Prefix
	digest   []byte // of the ByteRange
	token    *stamp // nil below B-T
	// contentToken is the content time-stamp; nil when none is asked for.
	contentToken *stamp
	// reasonWritten is Prepared's, for a run that was taken up again.
	reasonWritten bool
	evidence      []byte // the update that holds the DSS; nil below B-LT

	warnings []Warning
	check    *validation.Signature
	whole    string // SHA-256 of the output, once checked
	early    *earlyPass
}

func (s *Signer) start(ctx context.Context, in Input, req Request) (*run, error) {
	if s.Now == nil {
		return nil, text.Errorf(text.Internal, errors.New("signer has no clock"))
	}
	switch req.Level {
	case "", ades.BB, ades.BT, ades.BLT, ades.BLTA:
	default:
		return nil, text.Detailed(text.InvalidInput, nil, "sign.level", req.Level)
	}
	if err := req.checkClaims(); err != nil {
		return nil, err
	}
	file, err := pdf.Open(in.Reader, in.Size, pdf.Options{Password: in.Password, Keep: true, Buffers: &s.buffers})
	if err != nil {
		return nil, err
	}
	// Whole seconds: /M and what an appearance shows have no more.
	r := &run{Signer: s, in: in, req: req, file: file, form: pades.NewForm(file), now: s.Now().Truncate(time.Second)}
	r.anchors, err = r.anchorsAt(ctx, r.now)
	if err != nil {
		return nil, err
	}
	if !r.trusted() {
		r.warn(WarnNotTrusted)
	}
	return r, nil
}

func (r *run) level() ades.Level {
	if r.req.Level == "" {
		return ades.BB
	}
	return r.req.Level
}

func (r *run) warn(w Warning) {
	for _, have := range r.warnings {
		if have == w {
			return
		}
	}
	r.warnings = append(r.warnings, w)
}

// options are the profile's options; chain is nil before the key is known.
func (r *run) options(chain []*certs.Certificate) pades.Options {
	o := pades.Options{
		Form: r.form, FieldName: r.req.Field, Existing: r.req.Existing, Page: r.req.Page, Rect: r.req.Rect,
		Appearance: r.req.Appearance, Reason: r.req.Reason, Location: r.req.Location, Name: r.req.Name,
		Commitment: r.req.Commitment != nil || r.req.Policy != nil, M: r.now, Certify: r.req.Certify,
		NewFieldAfterCertify: r.req.NewFieldAfterCertify, Lock: r.req.Lock, Fill: r.req.Fill,
		FieldAppearance: r.req.FieldAppearance, Digest: r.hash(),
		Timestamp: r.level().AtLeast(ades.BT), LongTerm: r.level().AtLeast(ades.BLT), Chain: chain,
	}
	if r.req.PKCS7 {
		o.SubFilter = pades.SubFilterPKCS7
	}
	if r.id != nil {
		o.Scheme = r.id.algorithm.Scheme
	}
	if o.FieldAppearance == nil {
		o.FieldAppearance = drawField
	}
	return o
}

// hash is the digest of what is signed: the one asked for, until the key is known
// and has its own say (Ed25519 goes with SHA-512).
func (r *run) hash() crypto.Hash {
	switch {
	case r.id != nil:
		return r.id.algorithm.Digest
	case r.req.Digest == 0:
		return crypto.SHA256
	}
	return r.req.Digest
}

// prepare builds the revision with room for need bytes of CMS; 0 estimates.
func (r *run) prepare(need int) error {
	o := r.options(r.id.chain)
	if o.Appearance == nil && r.req.Draw != nil {
		a, err := r.req.Draw(r.id.leaf(), r.now)
		if err != nil {
			return err
		}
		o.Appearance = a
	}
	o.ContentsSize = need
	if need == 0 {
		o.ContentsSize = r.room()
	}
	p, err := pades.Prepare(r.file, o)
	if err != nil {
		return err
	}
	r.prepared = p
	return nil
}

// read passes over the original once: to out, and through the hashes needed.
func (r *run) read(ctx context.Context, out io.Writer) error {
	prefix, err := pades.ReadPrefixWith(ctx, &r.buffers, r.in.Reader, r.in.Size, out, r.hash(), crypto.SHA256)
	if err != nil {
		return err
	}
	r.prefix = prefix
	return nil
}

// release writes the update, which makes out a signed document.
func (r *run) release(ctx context.Context, out io.Writer) (*Result, error) {
	updates := [][]byte{r.prepared.Update, r.evidence}
	if r.whole == "" {
		sum, err := r.prefix.Sum(crypto.SHA256, updates...)
		if err != nil {
			return nil, err
		}
		r.whole = hex.EncodeToString(sum)
	}
	total := r.in.Size
	for _, u := range updates {
		if _, err := out.Write(u); err != nil {
			return nil, coded(ctx, fmt.Errorf("writing the update: %w", err), text.StorageFull)
		}
		total += int64(len(u))
	}
	res := &Result{
		Field: r.prepared.Field, Level: "PAdES-" + string(r.level()), SHA256: r.whole, Bytes: total,
		Signer: r.id.leaf().Subject, SignedAt: r.now.UTC(), TimeSource: TimeSourceClock,
		Warnings: r.warnings, Certificate: r.id.leaf(),
	}
	if r.check != nil {
		res.Indication, res.SubIndication = r.check.Indication, r.check.SubIndication
	}
	if r.token != nil {
		res.SignedAt, res.TimeSource = r.token.GenTime, TimeSourceTSA
	}
	return res, nil
}
