package validation

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
	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/pdf/find"
)

const (
	// maxSignatures bounds the signatures judged in one file; a document that went
	// round a ministry has dozens, each costs path building and verification.
	maxSignatures = 200
	// maxRevisions bounds the revisions opened one by one.
	maxRevisions = 1000
)

// Validator judges signed documents. Its fields are set once; it is then safe
// for concurrent use as far as its seams are.
type Validator struct {
	// Trust names the anchors; nil trusts nothing.
	Trust certs.TrustStore
	// Revocation is asked for revocation data that the document does not hold;
	// nil is offline.
	Revocation certs.RevocationSource
	// Issuers is asked for missing CA certificates; nil is offline.
	Issuers certs.IssuerSource
	// Policy holds the rules; the zero value is DefaultPolicy.
	Policy Policy
	// AllowSandbox admits certificates with the sandbox mark.
	AllowSandbox bool
	// Seals tells the certificates that are agencies' seals; nil knows none beside those
	// of the Policy. No mark in a certificate tells a seal from a person's.
	Seals func(*certs.Certificate) bool
	// Verified remembers certificate signatures from one document to the next; nil
	// does not.
	Verified *certs.Verified
	// Buffers are used from one document to the next; nil makes new ones.
	Buffers *pdf.Buffers
}

// Input is a document to validate.
type Input struct {
	Reader io.ReaderAt
	Size   int64 // bytes
	Name   string
	// Password opens an encrypted file: the user's or the owner's. It is looked at
	// only then; empty tries the empty user password.
	Password string
	// Known, when set, is the document opened before, or one that it continues: what
	// was read of its cross-reference is not read again. The caller vouches that the
	// bytes are the same.
	Known *pdf.File
	// Preread, when set, is what ReadAhead found out about the first bytes. The caller
	// vouches that they are the same.
	Preread *Preread
	// Survey, when set, is what Survey found out about the first bytes. The caller vouches
	// that they are the same.
	Survey *Survey
}

// Validate judges in as of the time at. Whatever can be said about the document
// is in the Report, a broken signature and a malformed signed file included. The
// error is a *text.Error: the input is no PDF or cannot be read and carries no
// signature data (not-a-pdf, pdf-malformed, pdf-repair-needed), is encrypted,
// exceeds a limit, or could not be read at all; or it is the context's error.
func (v *Validator) Validate(ctx context.Context, in Input, at time.Time) (*Report, error) {
	run, err := v.start(ctx, in, at)
	if err != nil {
		return nil, err
	}
	return run.judge()
}

// judge runs v to its report.
func (v *validation) judge() (*Report, error) {
	defer v.borrow()()
	if err := v.validate(); err != nil {
		return nil, err
	}
	v.report.finish()
	return v.report, nil
}

// borrow takes a buffer to read into and returns what gives it back.
func (v *validation) borrow() (end func()) {
	scratch := v.Buffers.Chunk(int(overlap + min(chunkSize, v.in.Size)))
	v.scratch = *scratch
	return func() {
		*scratch = v.scratch // it may have grown
		v.Buffers.Return(scratch)
	}
}

// start begins a run with an empty report.
func (v *Validator) start(ctx context.Context, in Input, at time.Time) (*validation, error) {
	policy := v.Policy
	if policy.Name == "" {
		var err error
		if policy, err = PolicyByName(""); err != nil {
			return nil, err
		}
	}
	return &validation{Validator: v, ctx: ctx, in: in, at: at.UTC(), policy: policy, algorithms: policy.table(),
		ocsps: map[string][]certs.Evidence{}, seen: map[[32]byte]bool{}, fetched: map[[32]byte]fetched{},
		room: find.NewRoom(maxContentRun),
		report: &Report{File: in.Name, Verdict: Valid, Reasons: []Reason{}, Signatures: []Signature{}, Changes: []Change{},
			Policy: PolicyName{policy.Name, policy.Version}, CheckedAt: Time{at.UTC()}, Online: online(v.Revocation)}}, nil
}

// validation is one run of Validate.
type validation struct {
	*Validator
	ctx    context.Context //nolint:containedctx // lives for one call of Validate only
	in     Input
	at     time.Time
	policy Policy
	// algorithms says until when algorithms count.
	algorithms certs.CryptoPolicy
	report     *Report

	file     *pdf.File
	revs     []pdf.Revision
	files    []*pdf.File            // by revision; nil where not opened
	subjects []*subject             // by revision, then in the order of the form
	rights   bool                   // usage rights were found
	words    map[[2]int][]find.Word // by revision and page, as far as they were asked for
	compared map[[2]int]bool        // pages whose words were compared, by the older revision
	room     *find.Room             // for running content
	// scratch is what parts of the file are read into, one after the other.
	scratch []byte
	// byteRanges counts the signature dictionaries that stand in the file in clear.
	byteRanges int
	// ahead is the search for definitions where it began before it was asked for, searched
	// its result by revision.
	ahead    *aheadSearch
	searched []surveyed
	// foresee is the digest that is to go on behind the end of the file, 0 for none, and
	// pass the first reading of the file.
	foresee crypto.Hash
	pass    *pass

	pool    []*certs.Certificate        // every certificate that the document holds
	ocsps   map[string][]certs.Evidence // its OCSP responses, by serial number
	crls    []certs.Evidence            // its CRLs
	seen    map[[32]byte]bool           // digests of both, so that repeats cost nothing
	fetched map[[32]byte]fetched        // by certificate
	proofs  []*proof                    // the valid document time-stamps so far, the newest first
	paths   int                         // built so far
}

// validate runs the building blocks in their order.
func (v *validation) validate() error {
	// 1. The file as one unambiguous PDF, and its signatures.
	if err := v.open(); err != nil {
		return v.unreadable(err)
	}
	if err := v.discover(); err != nil {
		return err
	}
	// 2. Format of each signature, then one pass over the bytes for all digests.
	v.checkFormats()
	defer v.searchAhead()()
	if err := v.readBytes(); err != nil {
		return err
	}
	if err := v.findRemoved(); err != nil {
		return err
	}
	// 3. What the document brings along to judge it.
	v.collectEvidence()
	// 4. Cryptographic verification, then time: the newest document time-stamp
	// first, since each one proves when those below it existed.
	for _, s := range v.subjects {
		v.verify(s)
	}
	v.validateDocumentTimestamps()
	// 5. Each signature at its best signature time.
	for _, s := range v.subjects {
		if !s.timestamp() {
			v.validateSignature(s)
		}
		if err := v.ctx.Err(); err != nil {
			return fmt.Errorf("validating %s: %w", v.in.Name, err)
		}
	}
	// 6. What was changed after each of them, and what other programs would read.
	v.checkReaders()
	if err := v.compare(); err != nil {
		return err
	}
	v.conclude()
	return nil
}

// open reads the structure of the file.
func (v *validation) open() error {
	f, err := pdf.Open(v.in.Reader, v.in.Size, pdf.Options{Password: v.in.Password, Known: v.in.Known, Keep: true, Buffers: v.Buffers})
	if err != nil {
		return err
	}
	return v.adopt(f)
}

// adopt takes f as the file to be judged.
func (v *validation) adopt(f *pdf.File) error {
	v.file = f
	if err := f.EncryptionError(); err != nil {
		return err
	}
	v.revs = f.Revisions()
	if len(v.revs) == 0 {
		return text.Errorf(text.PDFMalformed, errors.New("no revision has an end"))
	}
	if len(v.revs) > maxRevisions {
		return text.Errorf(text.LimitExceeded, fmt.Errorf("%d revisions", len(v.revs)))
	}
	v.files = make([]*pdf.File, len(v.revs))
	return nil
}

// revision returns the file as of revision i.
func (v *validation) revision(i int) (*pdf.File, error) {
	if last := len(v.revs) - 1; i == last && v.revs[last].End == v.file.Size() {
		v.files[i] = v.file // nothing follows: the file is its newest revision
	}
	if v.files[i] == nil {
		f, err := v.file.AtRevision(v.revs[i])
		if err != nil {
			return nil, err
		}
		v.files[i] = f
	}
	return v.files[i], nil
}

// unreadable decides about a file that cannot be read as one unambiguous PDF:
// one with signature data is malformed, which is a verdict, any other an error.
func (v *validation) unreadable(err error) error {
	code := text.CodeOf(err)
	if code != text.NotAPDF && code != text.PDFMalformed && code != text.PDFRepairNeeded {
		return err
	}
	sum, marks, readErr := scanSignatureData(v.ctx, v.in)
	if readErr != nil {
		return readErr
	}
	if marks == 0 {
		return err
	}
	v.report.SHA256 = sum
	v.report.because(Invalid, Reason{Code: ReasonMalformed, Message: text.Get(reasonKey(ReasonMalformed))})
	return nil
}

// discover lists the signatures of the newest revision.
func (v *validation) discover() error {
	found, err := pades.Signatures(v.file)
	if err != nil {
		return v.unreadable(err)
	}
	for i := range found {
		if !found[i].Signed() {
			continue
		}
		if found[i].Perms == "UR3" || found[i].Perms == "UR" {
			v.rights = true // granted by a program's maker, nobody's signature
			continue
		}
		if len(v.subjects) == maxSignatures {
			return text.Errorf(text.LimitExceeded, fmt.Errorf("more than %d signatures", maxSignatures))
		}
		v.subjects = append(v.subjects, newSubject(found[i], v.file))
	}
	return nil
}

// scanSignatureData reads the whole input once for its digest and counts what
// only signatures bring.
func scanSignatureData(ctx context.Context, in Input) (sum string, marks int, err error) {
	p := newPass(nil)
	p.marked = true
	if err := p.read(ctx, in); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(p.whole.Sum(nil)), p.marks, nil
}
