package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"antin/exchange/edxml"
	"antin/internal/failpoint"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/validation"
)

// maxTries is how often an admission may fail to run before the item is set
// aside for a person, so that one message cannot occupy a worker for ever.
const maxTries = 8

// Admit reads and checks an item that Receive stored: a document is taken apart
// and its PDFs validated, and its sender is told that it has arrived (01); a
// status goes into the history of the document it is about. An item that is past
// this stays as it is, so Admit may run any number of times.
//
// A message that cannot be read is a fact about the item (DAMAGED, with the
// reason), not an error. An error means that the check could not run; it is
// counted, and after some such tries the item is set aside too.
func (in *Inbox) Admit(ctx context.Context, id ID) error {
	var item InboxItem
	err := in.Store.View(ctx, func(tx Tx) (err error) {
		item, err = tx.InboxItem(ctx, id)
		return err
	})
	if err != nil || item.State != InboxReceived {
		return err
	}
	ctx, span := begin(ctx, in.Tracer, SpanAdmission, item.Trace)
	err = in.admit(ctx, item)
	span.End(err)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.Join(fmt.Errorf("admitting %s: %w", id, err), in.failed(ctx, id, err))
	}
	return failpoint.Hit(failpoint.AdmitAfterCommit)
}

func (in *Inbox) admit(ctx context.Context, item InboxItem) error {
	if err := failpoint.Hit(failpoint.AdmitBegins); err != nil {
		return err
	}
	raw, err := in.Blobs.Open(ctx, item.Raw.Digest)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	m, err := edxml.Read(raw, raw.Size(), edxml.Limits{Message: in.maxPayload()})
	if fault := faultOf(err); fault != nil {
		return in.setAside(ctx, item, fault)
	}
	if err != nil {
		return err
	}
	if (m.Kind == edxml.Status) != (item.Kind == KindStatus) {
		return in.setAside(ctx, item, text.Detailed(text.EdXMLMalformed, nil, "exchange.kind-mismatch"))
	}
	if item.Kind == KindStatus {
		return in.applyStatus(ctx, item, m)
	}
	return in.admitDocument(ctx, item, m)
}

// faultOf returns err when it speaks of the message, nil when it does not.
func faultOf(err error) error {
	if slices.Contains(messageFaults, text.CodeOf(err)) {
		return err
	}
	return nil
}

// messageFaults are the codes that say something of a message and not of us.
var messageFaults = []text.Code{text.EdXMLMalformed, text.TooLarge, text.NotForUs, text.LimitExceeded}

// admitDocument fills the item from the message, judges its files and stores it.
func (in *Inbox) admitDocument(ctx context.Context, item InboxItem, m *edxml.Message) error {
	office, err := in.Offices.Office(ctx, item.Agency)
	if err != nil {
		return err
	}
	item.Header, item.FromName = headerOf(m, item.Agency), m.From.Name
	if fault := misdirected(item, m); fault != nil {
		return in.setAside(ctx, item, fault)
	}
	for i := range m.Attachments {
		a, err := in.takeAttachment(ctx, &item, &m.Attachments[i])
		if fault := faultOf(err); fault != nil {
			return in.setAside(ctx, item, fault)
		}
		if err != nil {
			return err
		}
		item.Attachments = append(item.Attachments, a)
		item.Verdict = item.Verdict.Worse(a.Verdict)
	}
	if item.Verdict == VerdictNone {
		item.Verdict = VerdictUnsigned // nothing in it could bear a signature
	}
	now := in.Now().UTC()
	item.CheckedAt = now
	arrived := Status{Subject: item.ID, Code: StatusArrived, Direction: DirectionOut, At: now.Truncate(time.Second), RecordedAt: now, By: office.Agency.Name}
	ctx = Staged(ctx)
	d, err := in.tell(ctx, office, item, &arrived, now)
	if err != nil {
		return err
	}
	if err := failpoint.Hit(failpoint.AdmitBeforeCommit); err != nil {
		return err
	}
	return in.Store.Update(ctx, func(tx Tx) error { return in.commitDocument(ctx, tx, item, arrived, d, now) })
}

func (in *Inbox) commitDocument(ctx context.Context, tx Tx, item InboxItem, arrived Status, d Delivery, now time.Time) error {
	stored, err := tx.InboxItem(ctx, item.ID)
	if err != nil || stored.State != InboxReceived {
		return err
	}
	item.Version = stored.Version
	signal, kind, err := in.compare(ctx, tx, &item)
	if err != nil {
		return err
	}
	if err := item.advance(signal); err != nil {
		return err
	}
	if signal == InboxAdmit {
		if err := errors.Join(in.replacedIn(ctx, tx, &item), in.recalledBefore(ctx, tx, &item)); err != nil {
			return err
		}
	}
	if err := tx.SaveInboxItem(ctx, item); err != nil {
		return err
	}
	data := map[string]string{"verdict": string(item.Verdict), "document_id": item.Header.DocumentID}
	if item.DuplicateOf != "" {
		data["duplicate_of"] = string(item.DuplicateOf)
	}
	if item.ConflictsOf != "" {
		data["conflicts_of"] = string(item.ConflictsOf)
	}
	if err := in.event(ctx, tx, item, kind, now, System(item.Agency), data); err != nil {
		return err
	}
	if err := tx.AppendStatus(ctx, arrived); err != nil {
		return err
	}
	return commitDelivery(ctx, tx, d, System(item.Agency))
}

// compare looks for the same document among those taken in before: the same
// content is a repeat, other content under the same id is for the clerk to see.
func (in *Inbox) compare(ctx context.Context, tx Tx, item *InboxItem) (InboxSignal, EventKind, error) {
	others, err := tx.InboxByDocument(ctx, item.Agency, item.Header.From, item.Header.DocumentID)
	if err != nil {
		return "", "", err
	}
	for _, o := range others {
		if o.ID == item.ID || o.State == InboxReceived || o.State == InboxDamaged || o.State == InboxDuplicate || o.Header.Business != item.Header.Business {
			continue
		}
		if slices.Equal(contents(o), contents(*item)) {
			item.DuplicateOf = o.ID
			return InboxRepeat, EventDuplicate, nil
		}
		item.ConflictsOf = o.ID
	}
	return InboxAdmit, EventValidated, nil
}

// contents are the digests of an item's files, in no order.
func contents(i InboxItem) []Digest {
	out := make([]Digest, len(i.Attachments))
	for n, a := range i.Attachments {
		out[n] = a.Blob.Digest
	}
	slices.Sort(out)
	return out
}

func headerOf(m *edxml.Message, us AgencyCode) DocumentHeader {
	h := DocumentHeader{
		From: AgencyCode(m.From.OrganID), FromName: m.From.Name, DocumentID: m.DocumentID, Number: m.Code.Number, Notation: m.Code.Notation,
		Date: m.Promulgation.Date, Place: m.Promulgation.Place, Kind: DocumentKind{Code: m.Type.Type.Value, Name: m.Type.Name},
		Subject: m.Subject, SignerName: m.Signer.FullName, Position: m.Signer.Position, Priority: m.Other.Priority.Value,
		DueDate: m.DueDate, Business: int(m.BusinessType()),
	}
	if m.BusinessType() == edxml.Replace {
		h.ReplaceReason = m.Business.Reason
		for _, r := range m.Business.Replacements {
			if len(r.OrganIDs) == 0 || slices.Contains(r.OrganIDs, string(us)) {
				h.Replaces = append(h.Replaces, r.DocumentID)
			}
		}
	}
	return h
}

// misdirected returns why the message does not belong to the transfer it came in:
// another sender than the one that proved itself, or other receivers than us.
func misdirected(item InboxItem, m *edxml.Message) error {
	if m.From.OrganID != string(item.From) {
		return text.Detailed(text.EdXMLMalformed, nil, "exchange.from-mismatch", m.From.OrganID, string(item.From))
	}
	if !slices.ContainsFunc(m.To, func(o edxml.Organization) bool { return o.OrganID == string(item.Agency) }) {
		return text.Detailed(text.NotForUs, nil, "exchange.agency", string(item.Agency))
	}
	return nil
}

// takeAttachment stores one file and judges it. What it learns that speaks against
// taking the item in goes to item.Blocked.
func (in *Inbox) takeAttachment(ctx context.Context, item *InboxItem, a *edxml.Attachment) (Attachment, error) {
	c, err := a.Open()
	if err != nil {
		return Attachment{}, err
	}
	defer func() { _ = c.Close() }()
	blob, err := in.Blobs.Put(ctx, c)
	if err != nil {
		return Attachment{}, err
	}
	out := Attachment{Name: edxml.SafeName(a.Name), MediaType: c.MediaType(), Blob: blob}
	if reason, destroyed := c.Destroyed(); destroyed {
		out.Problem = Note{Code: text.PDFMalformed, Message: reason}
		item.Blocked = out.Problem
		return out, nil
	}
	if out.MediaType != pdfType && !strings.HasSuffix(strings.ToLower(out.Name), ".pdf") {
		return out, nil
	}
	return out, in.judge(ctx, item, &out)
}

// judge validates a PDF and keeps the report beside it.
func (in *Inbox) judge(ctx context.Context, item *InboxItem, a *Attachment) error {
	r, err := in.Blobs.Open(ctx, a.Blob.Digest)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	report, err := in.Validator.Validate(ctx, validation.Input{Reader: r, Size: r.Size(), Name: a.Name}, in.Now())
	if err != nil {
		code := text.CodeOf(err)
		if ctx.Err() != nil || code == text.Internal || code.Exit() == 10 {
			return err
		}
		// The file itself resists: nothing can be said of its signatures.
		a.Problem, a.Verdict = NoteOf(err), VerdictInconclusive
		return nil
	}
	a.Verdict = Verdict(report.Verdict)
	a.Agreement = agreements(r, r.Size(), report, item.Header)
	if note := blocks(report); !note.IsZero() {
		item.Blocked = note
	}
	b, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	a.Report, err = in.Blobs.Put(ctx, bytes.NewReader(b))
	return err
}

// blocks returns why a document with this report must not be taken in: it is
// invalid, or a certificate was revoked and nothing proves an earlier signature.
func blocks(r *validation.Report) Note {
	if r.Verdict == validation.Invalid {
		return Note{Code: text.NotAllowed, Message: text.Get("exchange.blocked-invalid")}
	}
	for _, s := range r.Signatures {
		if s.SubIndication == ades.RevokedNoPOE || s.SubIndication == ades.RevokedCANoPOE {
			return Note{Code: text.NotAllowed, Message: text.Get("exchange.blocked-revoked", s.Signer.Subject)}
		}
	}
	return Note{}
}

// setAside stores that the item cannot be read, with the reason; returning it to
// the sender (02) is proposed to the clerk.
func (in *Inbox) setAside(ctx context.Context, item InboxItem, fault error) error {
	now := in.Now().UTC()
	item.Problem, item.CheckedAt = NoteOf(fault), now
	item.Blocked = item.Problem
	return in.Store.Update(ctx, func(tx Tx) error {
		stored, err := tx.InboxItem(ctx, item.ID)
		if err != nil || stored.State != InboxReceived {
			return err
		}
		i := item
		i.Version, i.Tries = stored.Version, stored.Tries
		if err := i.advance(InboxDamage); err != nil {
			return err
		}
		if err := tx.SaveInboxItem(ctx, i); err != nil {
			return err
		}
		return in.event(ctx, tx, i, EventDamaged, now, System(i.Agency), map[string]string{"code": string(i.Problem.Code), "reason": i.Problem.Message.VI})
	})
}

// failed counts an admission that could not run and sets the item aside when
// there were too many.
func (in *Inbox) failed(ctx context.Context, id ID, cause error) error {
	var item InboxItem
	err := in.Store.Update(ctx, func(tx Tx) (err error) {
		if item, err = tx.InboxItem(ctx, id); err != nil || item.State != InboxReceived {
			return err
		}
		item.Tries++
		return tx.SaveInboxItem(ctx, item)
	})
	if err != nil || item.State != InboxReceived || item.Tries < maxTries {
		return err
	}
	return in.setAside(ctx, item, cause)
}

func (in *Inbox) event(ctx context.Context, tx Tx, i InboxItem, kind EventKind, at time.Time, by Actor, data map[string]string) error {
	_, err := tx.AppendEvent(ctx, Event{Agency: i.Agency, At: at, Kind: kind, Subject: i.ID, By: by, Peer: i.From, Digest: i.Raw.Digest, Data: data})
	return err
}

// tell builds the status message that carries s to the item's sender, as a
// delivery to be committed with the fact it reports.
func (in *Inbox) tell(ctx context.Context, office Office, item InboxItem, s *Status, now time.Time) (Delivery, error) {
	m := report(office.Agency, item.Header, *s, now)
	payload, err := spool(ctx, in.Blobs, func(w io.Writer) error { return edxml.Write(w, m, edxml.WriteOptions{}) })
	if err != nil {
		return Delivery{}, fmt.Errorf("building status %s: %w", s.Code, err)
	}
	d, err := dispatch{from: item.Agency, key: office.GatewayKey, kind: KindStatus, subject: item.ID, payload: payload,
		documentID: item.Header.DocumentID, number: item.Header.FullNumber(), priority: item.Header.Priority, status: s.Code,
		now: now, expiry: in.Outbox.expiry(0)}.delivery(item.From)
	if err != nil {
		return Delivery{}, err
	}
	s.Transfer = d.TransferID
	return d, nil
}
