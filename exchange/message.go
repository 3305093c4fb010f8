package exchange

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"antin/exchange/edxml"
	"antin/exchange/jws"
)

const (
	messageName = "vanban.edxml"
	statusName  = "trangthai.edxml"
	messageType = "application/edxml+xml"
)

// spool puts what write writes into Blobs as it is written, so that memory does
// not depend on its size.
func spool(ctx context.Context, blobs Blobs, write func(w io.Writer) error) (Blob, error) {
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := write(w)
		done <- err
		_ = w.CloseWithError(err) // nil reads as io.EOF; the pipe's own error is always nil
	}()
	blob, err := blobs.Put(ctx, r)
	_ = r.CloseWithError(io.ErrClosedPipe) // frees the writer when Put gave up early
	werr := <-done
	if err != nil && werr != nil && !errors.Is(werr, io.ErrClosedPipe) {
		return Blob{}, werr // the cause, as its maker said it
	}
	return blob, err
}

func organization(a Agency) edxml.Organization {
	return edxml.Organization{OrganID: string(a.Code), InCharge: a.InCharge, Name: a.Name, Address: a.Address,
		Email: a.Email, Telephone: a.Telephone, Website: a.Website}
}

// edoc is the edXML message of d to the given receivers; open delivers the final PDF.
func edoc(d Document, from Agency, to []Agency, at time.Time, open func() (io.ReadCloser, error)) *edxml.Message {
	n, s := d.Issuance.Number, d.Issuance.Signer
	m := &edxml.Message{
		Kind: edxml.Edoc, From: organization(from), DocumentID: d.DocumentID,
		Code:         edxml.Code{Number: n.CodeNumber(), Notation: n.Notation},
		Promulgation: edxml.Promulgation{Place: from.Place, Date: n.Date},
		Type:         edxml.DocumentType{Type: edxml.Num(d.Kind.Code), Name: d.Kind.Name},
		Subject:      d.Subject, Content: d.Subject,
		Signer:  edxml.SignerInfo{Competence: s.Competence, Position: s.Position, FullName: s.Name},
		DueDate: d.DueDate, Other: edxml.OtherInfo{Priority: edxml.Num(d.Priority)}, ToPlaces: d.Places,
		Trace:       []edxml.TraceHeader{{OrganID: string(from.Code), Time: at}},
		Attachments: []edxml.Attachment{edxml.NewAttachment(d.FileName, pdfType, open)},
	}
	for _, a := range to {
		m.To = append(m.To, organization(a))
	}
	return m
}

// report is the edXML status message about the document of h.
func report(from Agency, h DocumentHeader, s Status, at time.Time) *edxml.Message {
	return &edxml.Message{
		Kind: edxml.Status, From: organization(from),
		ResponseFor: []edxml.ResponseFor{{OrganID: string(h.From), Code: h.FullNumber(), DocumentID: h.DocumentID, Date: h.Date}},
		Report: &edxml.Report{Code: edxml.StatusCode(s.Code), Description: s.Reason, Time: s.At,
			Staff: edxml.StaffInfo{Department: from.Name, Staff: s.By, Email: from.Email, Mobile: from.Telephone}},
		Trace: []edxml.TraceHeader{{OrganID: string(from.Code), Time: at}},
	}
}

// dispatch is what is common to the transfers made of one message.
type dispatch struct {
	from       AgencyCode
	key        crypto.Signer
	kind       TransferKind
	subject    ID
	payload    Blob
	documentID string
	number     string
	priority   int
	status     StatusCode
	now        time.Time
	expiry     time.Duration
}

// delivery makes the delivery to one receiver. Its manifest is signed when it is
// committed, with its place in the lane.
func (p dispatch) delivery(to AgencyCode) (Delivery, error) {
	name := messageName
	if p.kind == KindStatus {
		name = statusName
	}
	d := Delivery{
		ID: NewID(PrefixDelivery, p.now), Agency: p.from, To: to, Kind: p.kind, Subject: p.subject,
		TransferID: NewTransferID(p.now), Payload: p.payload, Priority: p.priority, CreatedAt: p.now,
		ExpiresAt: p.now.Add(p.expiry).Truncate(time.Second), State: DeliveryReady, StatusCode: p.status,
	}
	d.unsigned = &unsignedManifest{key: p.key, statement: jws.Manifest{
		Version: jws.Version, TransferID: string(d.TransferID), Sender: string(p.from), Recipient: string(to),
		Kind: jws.Kind(p.kind), DocumentID: clip(p.documentID), Number: clip(p.number), Priority: p.priority,
		Parts:     []jws.Part{{Name: name, MediaType: messageType, Size: p.payload.Size, SHA256: string(p.payload.Digest)}},
		CreatedAt: p.now, ExpiresAt: d.ExpiresAt,
	}}
	return d, d.unsigned.statement.Check()
}

// maxManifestText is the length in bytes that a manifest gives a document id.
const maxManifestText = 255

// clip leaves out an identifier that a manifest has no room for: the message
// itself holds it.
func clip(s string) string {
	if len(s) > maxManifestText {
		return ""
	}
	return s
}

// commitDelivery adds d with its evidence and wakes its lane.
func commitDelivery(ctx context.Context, tx Tx, d Delivery, by Actor) error {
	if err := d.sign(ctx, tx); err != nil {
		return fmt.Errorf("signing manifest for %s: %w", d.To, err)
	}
	if d.Trace == "" {
		d.Trace = TraceOf(ctx)
	}
	if err := tx.CreateDelivery(ctx, d); err != nil {
		return fmt.Errorf("creating delivery to %s: %w", d.To, err)
	}
	if d.State == DeliveryManual {
		_, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: d.CreatedAt, Kind: EventDeliveryManual, Subject: d.ID, Parent: d.timeline(),
			By: by, Peer: d.To, Digest: d.Payload.Digest})
		return err
	}
	data := map[string]string{"transfer": string(d.TransferID), "kind": string(d.Kind)}
	if d.StatusCode != "" {
		data["status"] = string(d.StatusCode)
	}
	if _, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: d.CreatedAt, Kind: EventSent, Subject: d.ID, Parent: d.timeline(),
		By: by, Peer: d.To, Digest: d.Payload.Digest, Data: data}); err != nil {
		return err
	}
	return tx.Enqueue(ctx, Job{Kind: JobLane, Key: d.Lane().key()})
}
