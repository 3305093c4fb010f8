package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"antin/internal/text"
)

// EditDocument changes a draft. Nil fields stay as they are. A composed draft is
// composed anew; PDF puts another file in its place.
type EditDocument struct {
	Kind       *DocumentKind
	Notation   *string
	Subject    *string
	Security   *Security
	Priority   *int
	DueDate    *time.Time
	Places     *[]string
	Body       *string // of a composed draft
	Addressees *[]string
	Signatory  *string
	PDF        io.Reader // another file made elsewhere; the caller bounds nothing
	FileName   string    // of PDF
}

// DraftText is what a composed draft was made of.
type DraftText struct {
	Body       string
	Addressees []string
}

// draftSource is DraftText as it is kept.
type draftSource struct {
	Body       string   `json:"body"`
	Addressees []string `json:"addressees,omitempty"`
}

// maxSource bounds a kept source in bytes: maxBody characters, escaped.
const maxSource = 16 << 20

func keepSource(ctx context.Context, blobs Blobs, s draftSource) (Blob, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return Blob{}, fmt.Errorf("writing source: %w", err)
	}
	return blobs.Put(ctx, bytes.NewReader(b))
}

// Source returns what a composed draft was made of, zero for a PDF made elsewhere.
func (o *Outbox) Source(ctx context.Context, actor Actor, id ID) (DraftText, error) {
	v, err := o.Document(ctx, actor, id)
	if err != nil || v.Source.IsZero() {
		return DraftText{}, err
	}
	b, err := readBlob(ctx, o.Blobs, v.Source.Digest, maxSource)
	if err != nil {
		return DraftText{}, err
	}
	var s draftSource
	if err := json.Unmarshal(b, &s); err != nil {
		return DraftText{}, fmt.Errorf("reading source of %s: %w", id, err)
	}
	return DraftText(s), nil
}

// Edit changes a draft that nobody signed yet; version is that which the editor
// read. Errors: precondition-failed when the document has another version by now,
// state-conflict when it is no draft, else those of Create.
func (o *Outbox) Edit(ctx context.Context, actor Actor, id ID, version int, e EditDocument) (Document, error) {
	if err := actor.may(RoleClerk, RoleLeader, RoleOfficer, RoleIntegrator); err != nil {
		return Document{}, err
	}
	v, err := o.Document(ctx, actor, id)
	if err != nil {
		return Document{}, err
	}
	if err := editable(v.Document, version); err != nil {
		return Document{}, err
	}
	source, err := o.Source(ctx, actor, id)
	if err != nil {
		return Document{}, err
	}
	req := e.over(v.Document, source)
	next, err := o.redraft(ctx, actor, v.Document, req)
	if err != nil {
		return Document{}, err
	}
	now := o.Now().UTC()
	err = o.Store.Update(ctx, func(tx Tx) error {
		p := &documentPaper{id: id, actor: actor}
		if err := p.load(ctx, tx); err != nil {
			return err
		}
		if err := editable(p.doc, version); err != nil {
			return err
		}
		if err := tx.SaveDocument(ctx, next); err != nil {
			return err
		}
		_, err := tx.AppendEvent(ctx, Event{Agency: next.Agency, At: now, Kind: EventDocumentEdited, Subject: id, By: actor,
			Digest: next.Issuance.Draft.Digest})
		return err
	})
	if err != nil {
		return Document{}, err
	}
	v, err = o.Document(ctx, actor, id)
	return v.Document, err
}

// editable returns why d cannot be edited by someone who read the given version.
func editable(d Document, version int) error {
	i := d.Issuance
	switch {
	case d.Version != version:
		return text.Detailed(text.PreconditionFailed, &StaleError{ID: d.ID, Have: d.Version}, "flow.version", version, d.Version)
	case i.Signing.Done(), i.Numbered.Done(), i.Issued.Done():
		return text.Detailed(text.StateConflict, nil, "flow.not-draft")
	}
	return nil
}

// over returns the request that makes d as e changes it.
func (e EditDocument) over(d Document, source DraftText) NewDocument {
	req := NewDocument{Kind: d.Kind, Notation: d.Notation, Subject: d.Subject, Security: d.Security, Priority: d.Priority, DueDate: d.DueDate,
		Places: d.Places, Body: source.Body, Addressees: source.Addressees, Signatory: d.Issuance.Signer.ActorID, PDF: e.PDF, FileName: e.FileName}
	set(&req.Kind, e.Kind)
	set(&req.Notation, e.Notation)
	set(&req.Subject, e.Subject)
	set(&req.Security, e.Security)
	set(&req.Priority, e.Priority)
	set(&req.DueDate, e.DueDate)
	set(&req.Places, e.Places)
	set(&req.Body, e.Body)
	set(&req.Addressees, e.Addressees)
	set(&req.Signatory, e.Signatory)
	return req
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// redraft makes d anew from req. A file made elsewhere stays unless another comes.
func (o *Outbox) redraft(ctx context.Context, actor Actor, d Document, req NewDocument) (Document, error) {
	keep := !d.Issuance.Prepared && req.PDF == nil && req.Body == ""
	if keep {
		req.PDF = bytes.NewReader(nil) // for check alone: the file is there already
	}
	req.tidy()
	if err := req.check(actor); err != nil {
		return Document{}, err
	}
	made := d
	made.Kind, made.Notation, made.Subject, made.Priority, made.DueDate, made.Places = req.Kind, req.Notation, req.Subject, req.Priority, req.DueDate, req.Places
	if made.Security = req.Security; made.Security == "" {
		made.Security = SecurityOrdinary
	}
	office, err := o.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return Document{}, err
	}
	made.Issuance.Signer = Signer{}
	if req.Signatory != "" {
		s, err := office.Signatory(req.Signatory)
		if err != nil {
			return Document{}, err
		}
		made.Issuance.Signer = Signer{ActorID: s.ActorID, Name: s.Name, Position: s.Position, Competence: s.Competence}
	}
	switch {
	case keep:
		return made, nil
	case req.PDF != nil:
		made.FileName = fileName(req.FileName, string(d.ID))
		if req.FileName == "" {
			made.FileName = fileName(made.Subject, string(d.ID))
		}
		made.Issuance.Prepared, made.Source = false, Blob{}
		made.Issuance.Draft, err = upload(ctx, o.Blobs, req.PDF)
		return made, err
	}
	return made, o.composeDraft(ctx, office, &made, req)
}
