package exchange

import (
	"context"
	"errors"
	"strings"
	"time"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// applyStatus takes a status message into the history it belongs to: of our
// delivery of the document to its sender, or, for a request to take back, of the
// document we received from it. One that fits nothing is kept and noted.
func (in *Inbox) applyStatus(ctx context.Context, item InboxItem, m *edxml.Message) error {
	if m.Report == nil || len(m.ResponseFor) == 0 {
		return in.setAside(ctx, item, text.Detailed(text.EdXMLMalformed, nil, "exchange.status-empty"))
	}
	if m.From.OrganID != string(item.From) {
		return in.setAside(ctx, item, text.Detailed(text.EdXMLMalformed, nil, "exchange.from-mismatch", m.From.OrganID, string(item.From)))
	}
	now, about := in.Now().UTC(), m.ResponseFor[0]
	item.FromName, item.CheckedAt = m.From.Name, now
	item.Status, item.Reason = StatusCode(m.Report.Code), m.Report.Description
	item.Header = DocumentHeader{From: item.From, FromName: m.From.Name, DocumentID: about.DocumentID, Number: about.Code, Date: about.Date}
	s := Status{Code: StatusCode(m.Report.Code), Direction: DirectionIn, At: m.Report.Time, RecordedAt: now,
		By: strings.TrimSpace(m.Report.Staff.Staff), Reason: m.Report.Description, Transfer: item.TransferID}
	if s.At.IsZero() {
		s.At = item.ReceivedAt
	}
	return in.Store.Update(ctx, func(tx Tx) error { return in.commitStatus(ctx, tx, item, s, now) })
}

func (in *Inbox) commitStatus(ctx context.Context, tx Tx, item InboxItem, s Status, now time.Time) error {
	stored, err := tx.InboxItem(ctx, item.ID)
	if err != nil || stored.State != InboxReceived {
		return err
	}
	item.Version = stored.Version
	if wait, err := in.inOrder(ctx, tx, stored, now); err != nil || wait {
		return err
	}
	subject, parent, err := in.subjectOf(ctx, tx, item, s.Code)
	if err != nil {
		return err
	}
	kind := EventStatusReceived
	data := map[string]string{"status": string(s.Code), "document_id": item.Header.DocumentID, "transfer": string(item.TransferID)}
	if s.Reason != "" {
		data["reason"] = s.Reason
	}
	if subject == "" {
		kind, subject = EventStatusUnknown, item.ID
		item.Problem = NoteOf(text.Detailed(text.NotFound, nil, "exchange.status-unmatched", item.Header.DocumentID))
	} else {
		s.Subject = subject
		if err := tx.AppendStatus(ctx, s); err != nil {
			return err
		}
		if s.Code == StatusRecallRequested {
			if err := in.recalled(ctx, tx, subject, s); err != nil {
				return err
			}
		}
	}
	if err := item.advance(InboxApply); err != nil {
		return err
	}
	if err := tx.SaveInboxItem(ctx, item); err != nil {
		return err
	}
	_, err = tx.AppendEvent(ctx, Event{Agency: item.Agency, At: now, Kind: kind, Subject: subject, Parent: parent,
		By: System(item.Agency), Peer: item.From, Digest: item.Raw.Digest, Data: data})
	return err
}

// subjectOf finds what a status is about: subject is empty when nothing is.
func (in *Inbox) subjectOf(ctx context.Context, tx Tx, item InboxItem, code StatusCode) (subject, parent ID, err error) {
	if !code.Known() {
		return "", "", nil
	}
	if code == StatusRecallRequested {
		items, err := tx.InboxByDocument(ctx, item.Agency, item.From, item.Header.DocumentID)
		for _, i := range items {
			if i.Kind == KindDocument && i.State != InboxDuplicate && i.State != InboxDamaged {
				return i.ID, "", nil
			}
		}
		return "", "", err
	}
	doc, err := tx.DocumentByNumber(ctx, item.Agency, item.Header.DocumentID)
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	deliveries, err := tx.DeliveriesOf(ctx, doc.ID)
	for _, d := range deliveries { // oldest first: the last transfer to that receiver counts
		if d.To == item.From && d.Kind == KindDocument {
			subject, parent = d.ID, doc.ID
		}
	}
	return subject, parent, err
}
