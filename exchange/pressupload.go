package exchange

import (
	"bytes"
	"context"
	"errors"
	"io"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/compose"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// Upload takes over a file that the leader signed elsewhere: the draft's bytes and
// behind them nothing but one new signature, made with the certificate bound to the
// account, which our own validation finds valid, with or without notes. Revocation
// data and document time-stamps may follow it. In a draft of our own layout the
// signature stands in the field made for it. Errors: not-allowed, not-found,
// too-large, not-a-pdf, document-changed (other bytes, or more was changed),
// certificate-mismatch, signature-required, state-conflict (signed already).
func (ps *Press) Upload(ctx context.Context, leader Actor, id ID, r io.Reader) error {
	d, err := ps.take(ctx, leader, id, RoleLeader)
	if err != nil {
		return err
	}
	person, err := d.office.Signatory(leader.ID)
	if err != nil {
		return err
	}
	done, err := signedBy(d.issuance(), person)
	if done {
		err = text.Detailed(text.StateConflict, nil, "exchange.signed-by", person.Name)
	}
	if err != nil {
		return err
	}
	i := d.issuance()
	want := addition{base: i.Draft, owns: person.owns}
	if i.Prepared {
		want.field = compose.FieldPerson
	}
	sig, err := ps.takeIn(ctx, d, r, want)
	if err != nil {
		return ps.refused(ctx, leader, d, err)
	}
	return ps.recordPerson(ctx, d, person, sig)
}

// UploadSeal is Upload for the agency's seal, on the file that the competent person
// signed, with a certificate that the directory lists as the agency's. The paper has
// its number; in our own layout the same revision fills it in. Errors: as Upload, and
// state-conflict without a number.
func (ps *Press) UploadSeal(ctx context.Context, clerk Actor, id ID, r io.Reader) error {
	d, err := ps.take(ctx, clerk, id, RoleClerk)
	if err != nil {
		return err
	}
	i := d.issuance()
	switch {
	case i.Issued.Done():
		return text.Errorf(text.StateConflict, nil)
	case !i.Numbered.Done() && i.Signing.Done():
		return text.Detailed(text.StateConflict, nil, "signing.number-first")
	}
	if err := ps.checkPerson(ctx, d); err != nil {
		return ps.refused(ctx, clerk, d, err)
	}
	want := addition{base: i.Signed, owns: d.office.sealedBy}
	if i.Prepared {
		want.field, want.fill = compose.FieldSeal, dateFields(i.Number)
		want.number = i.Number.String()
	}
	sig, err := ps.takeIn(ctx, d, r, want)
	if err != nil {
		return ps.refused(ctx, clerk, d, err)
	}
	return ps.recordSeal(ctx, d, sig)
}

// addition is what an upload may add, and to what.
type addition struct {
	base   Blob
	field  string // where the signature stands; empty: anywhere
	owns   func(certificate Digest) error
	fill   map[string]string // fields that the revision must fill, with their values
	number string            // for the message about them
}

// takeIn stores an upload and checks it against want.
func (ps *Press) takeIn(ctx context.Context, d *desk, r io.Reader, want addition) (signature, error) {
	blob, err := upload(ctx, ps.Blobs, r)
	if err != nil {
		return signature{}, err
	}
	if err := ps.follows(ctx, want.base, blob); err != nil {
		return signature{}, err
	}
	f, err := ps.Blobs.Open(ctx, blob.Digest)
	if err != nil {
		return signature{}, err
	}
	defer func() { _ = f.Close() }()
	in := validation.Input{Reader: f, Size: f.Size(), Name: d.about().fileName}
	field, err := added(ctx, in, want)
	if err != nil {
		return signature{}, err
	}
	report, err := ps.Validator.Validate(ctx, in, ps.Now())
	if err != nil {
		return signature{}, err
	}
	s, err := found(report, field)
	if err != nil {
		return signature{}, err
	}
	if err := want.owns(Digest(s.Signer.SHA256)); err != nil {
		return signature{}, err
	}
	if !standing(report, s) {
		return signature{}, text.Detailed(text.SignatureRequired, nil, "signing.not-valid", string(s.Indication)+" "+string(s.SubIndication))
	}
	sig := signature{blob: blob, base: want.base.Digest, field: field, certificate: Digest(s.Signer.SHA256), data: map[string]string{
		"field": field, "level": s.Level, "signer": s.Signer.Subject, "certificate": s.Signer.SHA256, "shown": string(want.base.Digest),
		"key": keyElsewhere, "uploaded": string(blob.Digest)}}
	return ps.lengthen(ctx, d, sig)
}

// follows returns document-changed unless upload begins with all bytes of base and
// is longer.
func (ps *Press) follows(ctx context.Context, base, upload Blob) error {
	changed := text.Detailed(text.DocumentChanged, nil, "signing.not-the-draft")
	if upload.Size <= base.Size {
		return changed
	}
	f, err := ps.Blobs.Open(ctx, upload.Digest)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	b, err := ps.Blobs.Open(ctx, base.Digest)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	const chunk = 64 << 10
	left, right := make([]byte, chunk), make([]byte, chunk)
	for off := int64(0); off < base.Size; off += chunk {
		n := min(chunk, base.Size-off)
		if _, err := b.ReadAt(left[:n], off); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, err := f.ReadAt(right[:n], off); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if !bytes.Equal(left[:n], right[:n]) {
			return changed
		}
	}
	return nil
}

// added returns the field of the one signature that in adds to want.base, and
// document-changed when it adds anything else that matters.
func added(ctx context.Context, in validation.Input, want addition) (string, error) {
	all, err := validation.Additions(ctx, in, want.base.Size)
	if errors.Is(err, &text.Error{Code: text.StateConflict}) {
		return "", text.Detailed(text.DocumentChanged, err, "signing.not-the-draft")
	}
	if err != nil {
		return "", err
	}
	var fields []string
	for _, a := range all {
		_, filled := want.fill[a.Field]
		switch {
		case a.Signed:
			fields = append(fields, a.Field)
		case a.Evidence, a.Kind == validation.ChangeSignature && a.Allowed, filled && a.Allowed:
		default:
			return "", text.Detailed(text.DocumentChanged, nil, "signing.more-changed", a.Message)
		}
	}
	if len(fields) != 1 {
		return "", text.Detailed(text.DocumentChanged, nil, "signing.one-signature", len(fields))
	}
	if want.field != "" && fields[0] != want.field {
		return "", text.Detailed(text.DocumentChanged, nil, "signing.field", want.field)
	}
	return fields[0], want.checkFill(in)
}

// checkFill compares the values of the fields that the revision must fill.
func (want addition) checkFill(in validation.Input) error {
	if len(want.fill) == 0 {
		return nil
	}
	f, err := pdf.Open(in.Reader, in.Size, pdf.Options{})
	if err != nil {
		return err
	}
	values, err := topFields(f)
	if err != nil {
		return err
	}
	for name, value := range want.fill {
		if !bytes.Equal(values[name].Value, pdf.TextString(value).Value) && string(values[name].Value) != value {
			return text.Detailed(text.DocumentChanged, nil, "signing.fields-unfilled", want.number)
		}
	}
	return nil
}

// topFields are the text values of the form's fields by name, as our own layout has
// them: at the top of the tree.
func topFields(f *pdf.File) (map[string]pdf.String, error) {
	_, root, err := f.Root()
	if err != nil {
		return nil, err
	}
	form, err := f.Dict(root.Get("AcroForm"))
	if err != nil {
		return nil, err
	}
	fields, err := f.Array(form.Get("Fields"))
	if err != nil {
		return nil, err
	}
	out := map[string]pdf.String{}
	for _, o := range fields {
		d, err := f.Dict(o)
		if err != nil {
			continue // what cannot be read has no value
		}
		name, nameErr := f.String(d.Get("T"))
		value, valueErr := f.String(d.Get("V"))
		if nameErr == nil && valueErr == nil {
			out[string(name.Value)] = value
		}
	}
	return out, nil
}

// found returns the report's word on the signature in field.
func found(r *validation.Report, field string) (validation.Signature, error) {
	for _, s := range r.Signatures {
		if s.Field == field {
			return s, nil
		}
	}
	return validation.Signature{}, text.Detailed(text.DocumentChanged, nil, "signing.one-signature", 0)
}

// lengthen adds to an upload what checks it for good: a time-stamp where it has none,
// and revocation data. Where that cannot be had now the file stays as it came, with a
// note in the evidence: the signature is valid as it is.
func (ps *Press) lengthen(ctx context.Context, d *desk, sig signature) (signature, error) {
	f, err := ps.Blobs.Open(ctx, sig.blob.Digest)
	if err != nil {
		return signature{}, err
	}
	defer func() { _ = f.Close() }()
	var res *signer.Result
	out, err := spool(ctx, ps.Blobs, func(w io.Writer) (err error) {
		res, err = ps.Signer.Augment(ctx, signer.Input{Reader: f, Size: f.Size(), Name: d.about().fileName}, w, signingLevel)
		return err
	})
	switch code := text.CodeOf(err); {
	case err == nil:
		sig.blob, sig.data["level"] = out, res.Level
	case ctx.Err() != nil || code == text.StorageFull:
		return signature{}, err
	default:
		sig.data["warning1"] = "not-long-term: " + string(code)
	}
	return sig, nil
}
