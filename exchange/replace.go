package exchange

import (
	"context"
	"time"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// ReplaceRequest asks for a document that is to stand in place of one that was sent.
type ReplaceRequest struct {
	Document ID
	Reason   string
	New      NewDocument
	Key      string // idempotency key; may be empty
}

// Replace makes a draft that is to replace a document that was sent. Both show the
// chain at once; the receivers learn of it when the new document is sent to them,
// as an edXML replacement. Errors: those of Create; state-conflict when the old one
// was not sent, or has a replacement already.
func (o *Outbox) Replace(ctx context.Context, actor Actor, req ReplaceRequest) (Document, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return Document{}, err
	}
	tidy(&req.Reason)
	if err := checkText("reason", req.Reason, maxReason, true); err != nil {
		return Document{}, err
	}
	if _, err := o.Document(ctx, actor, req.Document); err != nil {
		return Document{}, err
	}
	req.New.Key = req.Key
	return o.create(ctx, actor, req.New, replacing{id: req.Document, reason: req.Reason})
}

// replacing names the document that a new one replaces; the zero value names none.
type replacing struct {
	id     ID
	reason string
}

// link sets the way from the old document to its replacement d.
func (r replacing) link(ctx context.Context, tx Tx, actor Actor, d Document) error {
	if r.id == "" {
		return nil
	}
	old := &documentPaper{id: r.id, actor: actor}
	if err := old.load(ctx, tx); err != nil {
		return err
	}
	switch {
	case !old.doc.Sent.Done():
		return text.Detailed(text.StateConflict, nil, "flow.replace-unsent")
	case old.doc.ReplacedBy != "":
		return text.Detailed(text.StateConflict, nil, "flow.replaced-already")
	}
	old.doc.ReplacedBy = d.ID
	if err := old.save(ctx, tx); err != nil {
		return err
	}
	_, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: d.CreatedAt, Kind: EventReplacementMade, Subject: d.ID, Parent: r.id, By: actor,
		Data: map[string]string{"replaces": string(r.id), "reason": r.reason}})
	return err
}

// replacement is the edXML block that says what d replaces, and at which of its
// receivers; nil when d replaces nothing.
func (o *Outbox) replacement(ctx context.Context, d Document, to []Agency) (b *edxml.Business, err error) {
	if d.Replaces == "" {
		return nil, nil
	}
	err = o.Store.View(ctx, func(tx Tx) error {
		old, err := tx.Document(ctx, d.Replaces)
		if err != nil {
			return err
		}
		r := edxml.Replacement{DocumentID: old.DocumentID}
		for _, a := range to {
			r.OrganIDs = append(r.OrganIDs, string(a.Code))
		}
		b = &edxml.Business{Type: edxml.Replace, Reason: d.ReplaceReason, Replacements: []edxml.Replacement{r}}
		return nil
	})
	return b, err
}

// replacedBy notes on the old document, when its replacement is first sent, that
// another stands in its place.
func (o *Outbox) replacedBy(ctx context.Context, tx Tx, actor Actor, p *documentPaper, now time.Time) error {
	if p.doc.Replaces == "" || p.doc.Sent.Done() {
		return nil
	}
	_, err := tx.AppendEvent(ctx, Event{Agency: p.doc.Agency, At: now, Kind: EventReplaced, Subject: p.doc.Replaces, By: actor,
		Data: map[string]string{"by": string(p.doc.ID), "reason": p.doc.ReplaceReason}})
	return err
}

// replacedIn links item, a replacement just taken in, with the items that it replaces.
func (in *Inbox) replacedIn(ctx context.Context, tx Tx, item *InboxItem) error {
	for _, id := range item.Header.Replaces {
		olds, err := tx.InboxByDocument(ctx, item.Agency, item.From, id)
		if err != nil {
			return err
		}
		for _, old := range olds {
			if old.ID == item.ID || old.Kind != KindDocument || old.State == InboxReceived || old.State == InboxDuplicate || old.ReplacedBy != "" {
				continue
			}
			old.ReplacedBy = item.ID
			item.Replaces = append(item.Replaces, old.ID)
			if err := tx.SaveInboxItem(ctx, old); err != nil {
				return err
			}
			if err := in.event(ctx, tx, old, EventReplaced, item.CheckedAt, System(item.Agency),
				map[string]string{"by": string(item.ID), "reason": item.Header.ReplaceReason}); err != nil {
				return err
			}
		}
	}
	return nil
}
