package exchange

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"antin/exchange/edxml"
	"antin/internal/text"
	"antin/signer/validation"
)

// SendMessage hands a message of the agency's own system, a whole edXML file, to every
// receiver that it names. It is read and judged before any of it leaves: it must be a
// document of ours, its receivers must be known, and its PDFs signed, none of them
// invalid. Key, required, makes it one act: a repeat returns the same deliveries.
// Errors: edxml-malformed, too-large, not-allowed, signature-required, receiver-unknown,
// storage-full.
func (o *Outbox) SendMessage(ctx context.Context, actor Actor, key string, message io.Reader) ([]Delivery, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return nil, err
	}
	if key == "" {
		return nil, fieldError("Idempotency-Key")
	}
	raw, err := o.Blobs.Put(ctx, message)
	if err != nil {
		return nil, err
	}
	r, err := o.Blobs.Open(ctx, raw.Digest)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	m, err := edxml.Read(r, r.Size(), edxml.Limits{Message: DefaultMaxPayload})
	if err != nil {
		return nil, err
	}
	to, err := o.ownMessage(ctx, actor, m, raw)
	if err != nil {
		return nil, err
	}
	if err := o.signedFiles(ctx, m); err != nil {
		return nil, err
	}
	out := make([]Delivery, len(to))
	for i, a := range to {
		d, err := o.SendReady(ctx, actor, ReadyMessage{To: a.Code, DocumentID: m.DocumentID, Number: messageNumber(m), Priority: m.Other.Priority.Value,
			Key: key + ">" + string(a.Code), Message: io.NewSectionReader(r, 0, r.Size())})
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

// messageNumber is the full number of a message, as it is written.
func messageNumber(m *edxml.Message) string {
	if m.Code.Number == "" || m.Code.Notation == "" {
		return m.Code.Number
	}
	return m.Code.Number + "/" + m.Code.Notation
}

// ownMessage returns the receivers of m, a document from actor's agency whose bytes are raw.
func (o *Outbox) ownMessage(ctx context.Context, actor Actor, m *edxml.Message, raw Blob) ([]Agency, error) {
	if m.Kind == edxml.Status {
		return nil, text.Detailed(text.EdXMLMalformed, nil, "exchange.kind-mismatch")
	}
	if m.From.OrganID != string(actor.Agency) {
		return nil, text.Detailed(text.NotAllowed, nil, "folder.from", m.From.OrganID, string(actor.Agency))
	}
	var codes []AgencyCode
	for _, t := range m.To {
		codes = append(codes, AgencyCode(t.OrganID))
	}
	to, err := o.receivers(ctx, actor.Agency, slices.Compact(slices.Sorted(slices.Values(codes))), o.Now().UTC())
	if err != nil {
		return nil, err
	}
	for _, a := range to {
		if a.MaxPayload > 0 && raw.Size > a.MaxPayload {
			return nil, text.Detailed(text.TooLarge, nil, "exchange.receiver-limit", string(a.Code), int(a.MaxPayload>>20))
		}
	}
	return to, nil
}

// signedFiles returns signature-required unless m holds a signed PDF, and each of its
// PDFs is signed and not invalid.
func (o *Outbox) signedFiles(ctx context.Context, m *edxml.Message) error {
	seen := false
	for i := range m.Attachments {
		verdict, err := o.fileVerdict(ctx, &m.Attachments[i])
		switch {
		case err != nil:
			return err
		case verdict == VerdictUnsigned || verdict == VerdictInvalid:
			return text.Detailed(text.SignatureRequired, nil, "folder.verdict", edxml.SafeName(m.Attachments[i].Name), text.Get(text.Key("verdict."+string(verdict))))
		case verdict != VerdictNone:
			seen = true
		}
	}
	if !seen {
		return text.Detailed(text.SignatureRequired, nil, "folder.unsigned")
	}
	return nil
}

// fileVerdict judges an attachment; VerdictNone for one that is no PDF.
func (o *Outbox) fileVerdict(ctx context.Context, a *edxml.Attachment) (Verdict, error) {
	c, err := a.Open()
	if err != nil {
		return VerdictNone, err
	}
	defer func() { _ = c.Close() }()
	if c.MediaType() != pdfType && !strings.HasSuffix(strings.ToLower(a.Name), ".pdf") {
		return VerdictNone, nil
	}
	blob, err := o.Blobs.Put(ctx, c)
	if err != nil {
		return VerdictNone, err
	}
	r, err := o.Blobs.Open(ctx, blob.Digest)
	if err != nil {
		return VerdictNone, err
	}
	defer func() { _ = r.Close() }()
	if o.Press == nil || o.Press.Validator == nil {
		return VerdictNone, errors.New("nothing to judge signatures by")
	}
	report, err := o.Press.Validator.Validate(ctx, validation.Input{Reader: r, Size: r.Size(), Name: a.Name}, o.Now())
	if err != nil {
		return VerdictNone, err
	}
	return Verdict(report.Verdict), nil
}
