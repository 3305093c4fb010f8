package exchange

import (
	"context"

	"antin/internal/text"
)

// EventDocumentDeleted says that a draft was thrown away.
const EventDocumentDeleted EventKind = "document.deleted"

// EventResultDeleted says that the draft of a dossier result was thrown away.
const EventResultDeleted EventKind = "result.deleted"

// Delete throws away a draft that was never put before a signer, or came back from
// one; version is that which the caller read. The evidence keeps that it was there,
// whose hand made it and whose threw it away. A document that it was to replace may
// be replaced by another again. Errors: not-allowed, not-found, precondition-failed
// when the document has another version by now, state-conflict when it is no draft.
func (o *Outbox) Delete(ctx context.Context, actor Actor, id ID, version int) error {
	if err := actor.may(RoleClerk, RoleLeader, RoleOfficer, RoleIntegrator); err != nil {
		return err
	}
	now := o.Now().UTC()
	return o.Store.Update(ctx, func(tx Tx) error {
		p := &documentPaper{id: id, actor: actor}
		if err := p.load(ctx, tx); err != nil {
			return err
		}
		switch {
		case p.doc.Version != version:
			return text.Detailed(text.PreconditionFailed, &StaleError{ID: id, Have: p.doc.Version}, "flow.version", version, p.doc.Version)
		case p.doc.Issuance.Stage() != StageDraft:
			return text.Detailed(text.StateConflict, nil, "flow.delete-not-draft")
		}
		if err := unlink(ctx, tx, p.doc); err != nil {
			return err
		}
		if err := tx.DeleteDocument(ctx, p.doc); err != nil {
			return err
		}
		_, err := tx.AppendEvent(ctx, Event{Agency: p.doc.Agency, At: now, Kind: EventDocumentDeleted, Subject: id, Parent: p.doc.Replaces, By: actor,
			Digest: p.doc.Issuance.Draft.Digest})
		return err
	})
}

// unlink lets go of the document that d was to replace.
func unlink(ctx context.Context, tx Tx, d Document) error {
	if d.Replaces == "" {
		return nil
	}
	old, err := tx.Document(ctx, d.Replaces)
	if err != nil || old.ReplacedBy != d.ID {
		return err
	}
	old.ReplacedBy = ""
	return tx.SaveDocument(ctx, old)
}

// Delete throws away the draft of a dossier result that was never put before a signer,
// or came back from one; version is that which the caller read. The evidence keeps
// that it was there, whose hand made it and whose threw it away; its code answers
// not-found, as it did while it was a draft. A result that it was to replace may be
// replaced by another again. Errors: not-allowed, not-found, precondition-failed when
// the result has another version by now, state-conflict when it is no draft.
func (rs *Results) Delete(ctx context.Context, actor Actor, id ID, version int) error {
	if err := actor.may(RoleOfficer, RoleClerk, RoleIntegrator); err != nil {
		return err
	}
	now := rs.Now().UTC()
	return rs.Store.Update(ctx, func(tx Tx) error {
		p := &resultPaper{id: id, actor: actor}
		if err := p.load(ctx, tx); err != nil {
			return err
		}
		switch {
		case p.result.Version != version:
			return text.Detailed(text.PreconditionFailed, &StaleError{ID: id, Have: p.result.Version}, "flow.version", version, p.result.Version)
		case p.result.Issuance.Stage() != StageDraft:
			return text.Detailed(text.StateConflict, nil, "flow.delete-not-draft")
		}
		if err := unlinkResult(ctx, tx, p.result); err != nil {
			return err
		}
		if err := tx.DeleteResult(ctx, p.result); err != nil {
			return err
		}
		_, err := tx.AppendEvent(ctx, Event{Agency: p.result.Agency, At: now, Kind: EventResultDeleted, Subject: id, Parent: p.result.Replaces, By: actor,
			Digest: p.result.Issuance.Draft.Digest, Data: map[string]string{"dossier": p.result.Form.Dossier}})
		return err
	})
}

// unlinkResult lets go of the result that r was to replace.
func unlinkResult(ctx context.Context, tx Tx, r Result) error {
	if r.Replaces == "" {
		return nil
	}
	old, err := tx.Result(ctx, r.Replaces)
	if err != nil || old.ReplacedBy != r.ID {
		return err
	}
	old.ReplacedBy = ""
	return tx.SaveResult(ctx, old)
}
