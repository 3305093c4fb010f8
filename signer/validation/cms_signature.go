package validation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
)

// maxCMS bounds a signature file of its own, in bytes: it is held in memory, with the
// content when that is inside.
const maxCMS = 64 << 20

// CMSInput is a CMS signature that stands alone: a .p7s or .p7m file (RFC 5652;
// CAdES, EN 319 122-1).
type CMSInput struct {
	Input
	// Content is the file that a detached signature is over; nil where none is given.
	// A signature that holds its content is judged over that.
	Content     io.ReaderAt
	ContentSize int64 // bytes
}

// IsCMS reports whether head, the beginning of a file, looks like a CMS signature in
// DER, BER or PEM. Fifty bytes are enough.
func IsCMS(head []byte) bool {
	head = bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n")
	if bytes.HasPrefix(head, []byte("-----BEGIN CMS-----")) || bytes.HasPrefix(head, []byte("-----BEGIN PKCS7-----")) {
		return true
	}
	// A SEQUENCE that begins with the object identifier id-signedData.
	signed := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}
	at := bytes.Index(head, signed)
	return len(head) > 0 && head[0] == 0x30 && at >= 2 && at <= 10
}

// sniffed is how much of a file tells what it is, in bytes.
const sniffed = 64

// ValidateFile judges in by what it is: a signature file as ValidateCMS does, anything
// else as Validate does. Errors are theirs, and invalid-input for content that comes
// with a file that holds its signatures inside.
func (v *Validator) ValidateFile(ctx context.Context, in CMSInput, at time.Time) (*Report, error) {
	head := make([]byte, min(sniffed, max(in.Size, 0)))
	n, _ := in.Reader.ReadAt(head, 0) // what cannot be read is said by whoever reads it
	switch {
	case IsCMS(head[:n]):
		return v.ValidateCMS(ctx, in, at)
	case in.Content != nil:
		return nil, text.Detailed(text.InvalidInput, nil, "validation.content_unused", in.Name)
	}
	return v.Validate(ctx, in.Input, at)
}

// ValidateCMS judges every signer of in as of the time at. Errors are those of
// Validate; a signature that cannot be read is the verdict malformed.
func (v *Validator) ValidateCMS(ctx context.Context, in CMSInput, at time.Time) (*Report, error) {
	run, err := v.start(ctx, in.Input, at)
	if err != nil {
		return nil, err
	}
	der, err := run.readCMS()
	if err != nil {
		return nil, err
	}
	data, err := cms.ParseWith(der, v.Verified.Parse)
	if err != nil || len(data.Signers) == 0 {
		run.report.because(Invalid, Reason{Code: ReasonMalformed, Message: text.Get("validation.malformed.cms")})
		run.report.finish()
		return run.report, nil
	}
	content := Input{Reader: in.Content, Size: in.ContentSize, Name: in.Name}
	if data.Content != nil {
		content.Reader, content.Size = bytes.NewReader(data.Content), int64(len(data.Content))
	}
	run.in = content
	for i, info := range data.Signers {
		run.subjects = append(run.subjects, newSigner(i+1, data, info, der))
	}
	if err := run.judgeSigners(); err != nil {
		return nil, err
	}
	run.report.finish()
	return run.report, nil
}

// readCMS reads the file, takes its digest, and unwraps PEM.
func (v *validation) readCMS() ([]byte, error) {
	if v.in.Size > maxCMS {
		return nil, text.Errorf(text.TooLarge, fmt.Errorf("%d bytes", v.in.Size))
	}
	data := make([]byte, v.in.Size)
	if n, err := v.in.Reader.ReadAt(data, 0); n < len(data) {
		return nil, text.Errorf(text.FileUnreadable, errors.Join(err, io.ErrUnexpectedEOF))
	}
	sum := sha256.Sum256(data)
	v.report.SHA256 = hex.EncodeToString(sum[:])
	if block, _ := pem.Decode(data); block != nil {
		return block.Bytes, nil
	}
	return data, nil
}

// newSigner starts the report on one signer, who is called by number.
func newSigner(number int, data *cms.SignedData, info *cms.SignerInfo, der []byte) *subject {
	s := &subject{revision: -1, data: data, info: info, standalone: true}
	s.out = newSubject(s.sig, nil).out
	s.sig.Field, s.sig.Contents = strconv.Itoa(number), der
	s.out.Field, s.out.Format, s.out.Level, s.out.Covers.WholeFile = s.sig.Field, "CAdES", "CMS", true
	s.out.Digest, s.out.Algorithm = algorithmNames(info)
	if t, ok := info.SigningTime(); ok {
		s.out.ClaimedTime = Time{t.UTC()}
	}
	s.checkAttributes()
	return s
}

// judgeSigners runs the building blocks that a signature outside a document needs.
func (v *validation) judgeSigners() error {
	for _, s := range v.subjects {
		if v.in.Reader == nil {
			// EN 319 102-1, 5.2.7.4: what was signed has to be at hand.
			s.conclude(ades.Indeterminate, ades.SignedDataNotFound, ReasonNoContent)
		}
	}
	if v.in.Reader != nil {
		if err := v.digestContent(); err != nil {
			return err
		}
	}
	v.collectEvidence()
	for _, s := range v.subjects {
		v.verify(s)
		v.validateSignature(s)
		if err := v.ctx.Err(); err != nil {
			return fmt.Errorf("validating %s: %w", v.in.Name, err)
		}
	}
	v.conclude()
	return nil
}

// digestContent makes every digest over the content in one pass.
func (v *validation) digestContent() error {
	kinds := map[crypto.Hash]*sink{}
	var all []io.Writer
	for _, s := range v.subjects {
		s.digests = map[crypto.Hash]*sink{}
		for _, h := range s.hashes() {
			if h == 0 || !h.Available() {
				continue
			}
			if kinds[h] == nil {
				kinds[h] = &sink{kind: h, hash: h.New()}
				all = append(all, kinds[h].hash)
			}
			s.digests[h] = kinds[h]
		}
	}
	n, err := io.Copy(io.MultiWriter(all...), &heeded{ctx: v.ctx, r: io.NewSectionReader(v.in.Reader, 0, v.in.Size)})
	if err != nil || n < v.in.Size {
		if ctxErr := v.ctx.Err(); ctxErr != nil {
			return fmt.Errorf("reading %s: %w", v.in.Name, ctxErr)
		}
		return text.Errorf(text.FileUnreadable, errors.Join(err, io.ErrUnexpectedEOF))
	}
	return nil
}

// heeded is a reader that ends with its context.
type heeded struct {
	ctx context.Context //nolint:containedctx // lives for one reading only
	r   io.Reader
}

func (h *heeded) Read(b []byte) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	return h.r.Read(b)
}

// meetsCAdES reports whether the signed attributes are those of the baseline profile of
// CAdES (EN 319 122-1, 6.3): an ESS signing-certificate and a signing-time.
func (s *subject) meetsCAdES() bool {
	_, claims := s.info.Attribute(cms.OIDSigningTime)
	return s.info.RawSignedAttrs != nil && claims && len(s.info.ESS()) > 0
}
