package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
)

const (
	// DefaultLife is how long a prepared signing may wait for its value unless the
	// request says otherwise: long enough for a person with a phone.
	DefaultLife = 15 * time.Minute
	// MaxLife bounds Request.Life: long enough for a signer who is away, short enough
	// that the claimed time of signing, fixed when the signing was prepared, still
	// says something.
	MaxLife = 90 * 24 * time.Hour
)

// Prepared is a signing that stopped before the key. It is plain data, may be
// stored as JSON, and holds no secret: whoever changes it can at worst make
// Complete refuse. The document itself is not in it.
type Prepared struct {
	// Token names this signing; a store uses it to complete each one once.
	Token string `json:"token"`
	// OriginalSHA256 and OriginalLength pin the document.
	OriginalSHA256 string `json:"original_sha256"`
	OriginalLength int64  `json:"original_length"`
	// Update is what will follow the document, its gap still empty.
	Update   []byte `json:"update"`
	GapStart int64  `json:"gap_start"` // offset in the finished file
	GapLen   int64  `json:"gap_len"`
	// Digest is the digest algorithm ("SHA-256"), DocumentDigest the digest of
	// what the signature covers, SignedAttributes the DER SET to be signed.
	Digest           string `json:"digest"`
	DocumentDigest   []byte `json:"document_digest"`
	SignedAttributes []byte `json:"signed_attributes"`
	// Certificates are DER, the signing certificate first.
	Certificates [][]byte `json:"certificates"`

	Field      string     `json:"field"`
	Level      ades.Level `json:"level"`
	PSS        bool       `json:"pss,omitempty"`
	PKCS7      bool       `json:"pkcs7,omitempty"`
	Commitment []int      `json:"commitment,omitempty"`
	// Policy, Role and ContentTimestamp (a token, DER) are what SignedAttributes say
	// beside.
	Policy           *cms.Policy `json:"policy,omitempty"`
	Role             string      `json:"role,omitempty"`
	ContentTimestamp []byte      `json:"content_timestamp,omitempty"`
	Offline          bool        `json:"offline,omitempty"`
	// ReasonWritten says that Update states a reason, so that no CMS may state a
	// commitment or a policy beside it.
	ReasonWritten  bool `json:"reason_written,omitempty"`
	TimestampLater bool `json:"timestamp_later,omitempty"`
	// Prepared is the claimed time of signing; Expires ends the signing. UTC.
	Prepared time.Time `json:"prepared"`
	Expires  time.Time `json:"expires"`
	Warnings []Warning `json:"warnings,omitempty"`
}

// Completion is what came back from the key: one of the two.
type Completion struct {
	// Raw is the bare signature value over the signed attributes; ECDSA in DER or
	// as r and s side by side.
	Raw []byte
	// CMS is a complete detached SignedData over DocumentDigest.
	CMS []byte
}

// ToSign is what a key signs: the hash of the signed attributes, or with an
// Ed25519 certificate those attributes themselves (RFC 8419). nil when the digest
// algorithm or the certificate cannot be read.
func (p *Prepared) ToSign() []byte {
	h, ok := hashByName(p.Digest)
	if !ok || len(p.Certificates) == 0 {
		return nil
	}
	leaf, err := certs.ParseCertificate(p.Certificates[0])
	if err != nil {
		return nil
	}
	a, err := cms.AlgorithmForCertificate(leaf, h, p.PSS)
	if err != nil {
		return nil
	}
	return a.Input(p.SignedAttributes)
}

// digests are the hash functions that a signature may be asked for with.
var digests = []crypto.Hash{
	crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512,
}

func hashByName(name string) (crypto.Hash, bool) {
	for _, h := range digests {
		if ades.HashName(h) == name {
			return h, true
		}
	}
	return 0, false
}

// externalRoom is set aside where somebody else may build the CMS, in bytes.
const externalRoom = 24 << 10

// Prepare does everything that Sign does before it asks the key, with the same
// refusals, and stops. req.Certificates stand in for the key when no provider
// holds it.
func (s *Signer) Prepare(ctx context.Context, in Input, req Request) (*Prepared, error) {
	if req.Life < 0 || req.Life > MaxLife {
		return nil, text.Detailed(text.InvalidInput, nil, "sign.life", MaxLife/(24*time.Hour))
	}
	r, err := s.start(ctx, in, req)
	if err != nil {
		return nil, err
	}
	if err := r.preflight(); err != nil {
		return nil, err
	}
	if err := r.lookAhead(ctx, false); err != nil {
		return nil, err
	}
	defer r.early.end()
	chain := req.Certificates
	if len(chain) == 0 {
		key, err := s.keyFor(ctx, req.Key)
		if err != nil {
			return nil, err
		}
		chain = key.Chain
	}
	if err := r.identify(ctx, chain); err != nil {
		return nil, err
	}
	if err := r.checkRevocation(ctx); err != nil {
		return nil, err
	}
	if err := r.prepare(max(r.room(), externalRoom)); err != nil {
		return nil, err
	}
	if err := r.read(ctx, io.Discard); err != nil {
		return nil, err
	}
	if err := r.preview(); err != nil {
		return nil, err
	}
	attributes, err := r.attributes(ctx)
	if err != nil {
		return nil, err
	}
	return r.suspend(attributes)
}

// suspend writes down the run.
func (r *run) suspend(attributes []byte) (*Prepared, error) {
	original, err := r.prefix.Sum(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	p := &Prepared{
		Token: rand.Text(), OriginalSHA256: hex.EncodeToString(original), OriginalLength: r.in.Size,
		Update: r.prepared.Update, GapStart: r.prepared.GapStart, GapLen: r.prepared.GapLen,
		Digest: ades.HashName(r.id.algorithm.Digest), DocumentDigest: r.digest, SignedAttributes: attributes,
		Field: r.prepared.Field, Level: r.level(), PSS: r.req.PSS, PKCS7: r.req.PKCS7, Commitment: r.req.Commitment,
		Policy: r.req.Policy, Role: r.req.Role, ReasonWritten: r.req.Reason != "" && r.req.Commitment == nil && r.req.Policy == nil,
		Offline: r.req.Offline, TimestampLater: r.req.TimestampLater, Prepared: r.now.UTC(), Expires: r.now.UTC().Add(r.life()), Warnings: r.warnings,
	}
	if r.contentToken != nil {
		p.ContentTimestamp = r.contentToken.Raw
	}
	for _, c := range r.id.chain {
		p.Certificates = append(p.Certificates, c.Raw)
	}
	return p, nil
}

func (r *run) life() time.Duration {
	if r.req.Life == 0 {
		return DefaultLife
	}
	return r.req.Life
}

// Complete finishes p with what the key gave and writes the signed document to
// out as Sign does. in must be the document that was prepared. p is not changed,
// so that a refused completion may be tried again until p expires.
func (s *Signer) Complete(ctx context.Context, in Input, p *Prepared, value Completion, out io.Writer) (*Result, error) {
	// 1. Take up the run where Prepare left it.
	r, err := s.resume(ctx, in, p)
	if err != nil {
		return nil, err
	}
	// 2. The same document, byte for byte?
	if err := r.read(ctx, out); err != nil {
		return nil, err
	}
	if err := r.resumeContent(ctx, p.ContentTimestamp); err != nil {
		return nil, err
	}
	if err := r.samePrepared(p); err != nil {
		return nil, err
	}
	// 3. Check what came back, time-stamp it, embed it.
	switch {
	case len(value.CMS) > 0 && len(value.Raw) == 0:
		err = r.embedCMS(ctx, value.CMS)
	case len(value.Raw) > 0 && len(value.CMS) == 0:
		err = r.finishCMS(ctx, p.SignedAttributes, value.Raw)
	default:
		err = text.Detailed(text.InvalidInput, nil, "sign.cms-unfit", "raw or CMS")
	}
	var small *pades.TooSmallError
	if errors.As(err, &small) {
		return nil, text.Errorf(text.LimitExceeded, err)
	}
	if err != nil {
		return nil, err
	}
	// 4. As in Sign.
	if err := r.addEvidence(ctx); err != nil {
		return nil, err
	}
	if err := r.selfCheck(ctx); err != nil {
		return nil, err
	}
	return r.release(ctx, out)
}

func (s *Signer) resume(ctx context.Context, in Input, p *Prepared) (*run, error) {
	h, ok := hashByName(p.Digest)
	if !ok {
		return nil, text.Detailed(text.InvalidInput, nil, "sign.algorithm")
	}
	if in.Size != p.OriginalLength {
		return nil, text.Detailed(text.StateConflict, nil, "sign.wrong-revision")
	}
	req := Request{Level: p.Level, Digest: h, PSS: p.PSS, PKCS7: p.PKCS7, Commitment: p.Commitment, Offline: p.Offline, TimestampLater: p.TimestampLater, Policy: p.Policy, Role: p.Role}
	r, err := s.start(ctx, in, req)
	if err != nil {
		return nil, err
	}
	if !r.now.Before(p.Expires) {
		return nil, text.Detailed(text.StateConflict, nil, "sign.prepared-expired")
	}
	chain := make([]*certs.Certificate, 0, len(p.Certificates))
	for _, der := range p.Certificates {
		c, err := certs.ParseCertificate(der)
		if err != nil {
			return nil, text.Errorf(text.InvalidInput, err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, text.Errorf(text.InvalidInput, errors.New("prepared signing without a certificate"))
	}
	if err := r.identify(ctx, chain); err != nil {
		return nil, err
	}
	// What was known of the certificate when this was prepared may be weeks old.
	if err := r.checkRevocation(ctx); err != nil {
		return nil, err
	}
	for _, w := range p.Warnings {
		r.warn(w)
	}
	total := p.OriginalLength + int64(len(p.Update))
	r.prepared = &pades.Prepared{
		Base: p.OriginalLength, Update: bytes.Clone(p.Update), GapStart: p.GapStart, GapLen: p.GapLen, Field: p.Field,
		ByteRange: [4]int64{0, p.GapStart, p.GapStart + p.GapLen, total - p.GapStart - p.GapLen},
	}
	r.reasonWritten = p.ReasonWritten
	if err := r.prepared.Check(); err != nil {
		return nil, text.Errorf(text.InvalidInput, err)
	}
	r.now = p.Prepared
	return r, nil
}

// samePrepared makes sure that document, digest and attributes still belong
// together: they are computed again and compared.
func (r *run) samePrepared(p *Prepared) error {
	original, err := r.prefix.Sum(crypto.SHA256)
	if err != nil {
		return err
	}
	if r.digest, err = r.prepared.DigestAfter(r.prefix, r.id.algorithm.Digest); err != nil {
		return err
	}
	attributes, err := r.encodeAttributes()
	if err != nil {
		return err
	}
	if hex.EncodeToString(original) != p.OriginalSHA256 || !bytes.Equal(r.digest, p.DocumentDigest) ||
		!bytes.Equal(attributes, p.SignedAttributes) {
		return text.Detailed(text.StateConflict, nil, "sign.wrong-revision")
	}
	return nil
}

// embedCMS takes a CMS made elsewhere: it must be what this package would have
// made, for this document and this certificate.
func (r *run) embedCMS(ctx context.Context, der []byte) error {
	unfit := func(why string) error { return text.Detailed(text.CertificateMismatch, nil, "sign.cms-unfit", why) }
	sd, err := cms.Parse(der)
	if err != nil {
		return text.Detailed(text.CertificateMismatch, err, "sign.cms-unfit", "CMS")
	}
	switch {
	case len(sd.Signers) != 1:
		return unfit("SignerInfo")
	case sd.Content != nil:
		return unfit("eContent")
	case sd.BER || sd.Trailing > 0:
		return unfit("DER")
	case !sd.ContentType.Equal(cms.OIDData):
		return unfit("content-type")
	}
	s := sd.Signers[0]
	if len(s.Problems) > 0 {
		return unfit(string(s.Problems[0].Name))
	}
	if s.Digest != r.id.algorithm.Digest || !bytes.Equal(s.MessageDigest(), r.digest) {
		return unfit("message-digest")
	}
	if len(s.ESS()) == 0 && !r.req.PKCS7 {
		return unfit("signing-certificate")
	}
	if why := r.unfitAttributes(s); why != "" {
		return unfit(why)
	}
	cert, err := s.SigningCertificate(sd.Certificates)
	if err != nil || !cert.Equal(r.id.leaf()) {
		return text.Detailed(text.CertificateMismatch, err, "sign.cms-unfit", "signing certificate")
	}
	if err := s.VerifySignature(cert); err != nil {
		return text.Detailed(text.CertificateMismatch, err, "sign.value-wrong")
	}
	return r.stampCMS(ctx, der, s)
}

// stampCMS adds the time-stamp where the level asks for one that is not there yet.
func (r *run) stampCMS(ctx context.Context, der []byte, s *cms.SignerInfo) error {
	if r.level().AtLeast(ades.BT) {
		if existing := s.Timestamps(); len(existing) > 0 {
			if err := r.useStamp(ctx, existing[0], s.Signature); err != nil {
				return err
			}
			return r.prepared.Embed(der)
		}
		err := r.stamp(ctx, s.Signature)
		if r.postponed(err) {
			return r.prepared.Embed(der)
		}
		if err != nil {
			return err
		}
		if der, err = cms.AddTimestamp(der, r.token.Raw); err != nil {
			return fmt.Errorf("adding the time-stamp: %w", err)
		}
	}
	return r.prepared.Embed(slices.Clip(der))
}
