package exchange

import (
	"context"
	"errors"
	"fmt"

	"antin/exchange/jws"
	"antin/internal/text"
)

// AuditCode says what an audit found wrong.
type AuditCode string

// What an audit finds.
const (
	AuditChanged   AuditCode = "event-changed"   // the fields of an event are not those it was hashed with
	AuditMissing   AuditCode = "event-missing"   // a number, or the facts that a row must have left, are not there
	AuditMisplaced AuditCode = "event-misplaced" // an event that does not follow the one before it
	AuditRow       AuditCode = "row-missing"     // what an event speaks of is not there
	AuditContent   AuditCode = "row-differs"     // a row states other bytes than its event
	AuditReceipt   AuditCode = "receipt-differs" // a receipt is not the one whose digest was noted
	AuditBlob      AuditCode = "bytes-damaged"   // bytes are absent, or not those of their digest
)

// AuditFault is one thing that an audit found wrong.
type AuditFault struct {
	Seq     int64     `json:"seq,omitempty"` // of the event; 0 when the fault is a row's
	Code    AuditCode `json:"code"`
	Subject ID        `json:"subject,omitempty"`
}

// Message is the fault in words.
func (f AuditFault) Message() text.Message {
	return text.Get(text.Key("audit."+string(f.Code)), f.Seq, string(f.Subject))
}

// AuditReport is the outcome of an audit of one agency's evidence.
type AuditReport struct {
	Agency AgencyCode `json:"agency"`
	Events int64      `json:"events"` // how many were read
	Head   Digest     `json:"head"`   // hash of the last event
	Blobs  int        `json:"blobs"`  // how many were read again
	Seals  int        `json:"seals"`  // roots over runs of events that were compared
	Sealed int64      `json:"sealed"` // number of the last event under a seal
	// Unstamped is how many of the seals have no time-stamp.
	Unstamped int `json:"unstamped"`
	// Receipts is how many stored receipts were verified again, Unverified how many could
	// not be, since their key or agency has left the directory.
	Receipts   int          `json:"receipts"`
	Unverified int          `json:"unverified"`
	Faults     []AuditFault `json:"faults"`
	More       bool         `json:"more,omitempty"` // there are more faults than are listed
}

// OK reports whether nothing is wrong.
func (r AuditReport) OK() bool { return len(r.Faults) == 0 }

const (
	// maxAuditFaults bounds the list: whoever has that many needs no longer one.
	maxAuditFaults = 1000
	// auditPage is how many rows are held at a time.
	auditPage = 500
	// maxAuditSeen bounds what is remembered of bytes read already, so that a document
	// sent to a thousand receivers is read once; past it, bytes are read again.
	maxAuditSeen = 200_000
)

// Audit checks that nobody has changed what happened: the chain of an agency's
// evidence, that what it names exists with the digests it names, and that every
// delivery and transfer has left its facts, so that a log that was cut off shows too.
// It only reads. Its fields are set once, before use.
type Audit struct {
	Store Store
	// Verify reads bytes again, as Blobs.Verify does.
	Verify func(ctx context.Context, d Digest) error
	// Directory says by which keys stored receipts are verified again; nil leaves them.
	Directory Directory
	// Stamp verifies a time-stamp over a digest; nil leaves those of seals.
	Stamp func(token, imprint []byte) error
}

// Agencies returns every agency that has an evidence log.
func (a *Audit) Agencies(ctx context.Context) (out []AgencyCode, err error) {
	err = a.Store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.EvidenceAgencies(ctx)
		return err
	})
	return out, err
}

// Check audits the evidence of one agency. An error means that the audit could not
// be done; what is wrong is in the report.
func (a *Audit) Check(ctx context.Context, agency AgencyCode) (AuditReport, error) {
	r := &audit{audits: a, seen: map[Digest]bool{}, AuditReport: AuditReport{Agency: agency, Faults: []AuditFault{}}}
	for _, step := range []func(context.Context) error{r.begin, r.chain, r.deliveries, r.transfers} {
		if err := step(ctx); err != nil {
			return r.AuditReport, fmt.Errorf("auditing %s: %w", agency, err)
		}
	}
	return r.AuditReport, nil
}

// audit is one audit at work.
type audit struct {
	audits *Audit
	AuditReport
	seen  map[Digest]bool
	check sealCheck
}

func (r *audit) fault(seq int64, code AuditCode, subject ID) {
	if len(r.Faults) == maxAuditFaults {
		r.More = true
		return
	}
	r.Faults = append(r.Faults, AuditFault{Seq: seq, Code: code, Subject: subject})
}

// chain reads the log from its first event to its last.
func (r *audit) chain(ctx context.Context) error {
	var prev Event
	at := int64(0)
	for {
		var page []Event
		if err := r.audits.Store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.EventsAfter(ctx, r.Agency, at, auditPage)
			return err
		}); err != nil {
			return err
		}
		for _, e := range page {
			r.link(e, prev)
			r.sealed(e)
			prev, at = e, max(e.Seq, at+1)
			if err := r.about(ctx, e); err != nil {
				return err
			}
		}
		r.Events += int64(len(page))
		if r.Head = prev.Hash; len(page) < auditPage {
			r.unsealed()
			return nil
		}
	}
}

// link says what is wrong between e and the event before it.
func (r *audit) link(e, prev Event) {
	switch {
	case e.Hash != e.sum() || e.Agency != r.Agency:
		r.fault(e.Seq, AuditChanged, e.Subject)
	case e.Seq > prev.Seq+1:
		r.fault(prev.Seq+1, AuditMissing, "")
	case !e.Intact(prev):
		r.fault(e.Seq, AuditMisplaced, e.Subject)
	}
}

// about compares an event with the rows that it speaks of.
func (r *audit) about(ctx context.Context, e Event) error {
	var row auditRow
	err := r.audits.Store.View(ctx, func(tx Tx) (err error) {
		row, err = rowOf(ctx, tx, e)
		return err
	})
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		r.fault(e.Seq, AuditRow, e.Subject)
		return nil
	}
	if err != nil {
		return err
	}
	if row.digest != "" && row.digest != e.Digest {
		r.fault(e.Seq, AuditContent, e.Subject)
	}
	if want := e.Data["receipt_sha256"]; want != "" && row.receipt != nil && string(DigestOf(row.receipt)) != want {
		r.fault(e.Seq, AuditReceipt, e.Subject)
	}
	return r.bytes(ctx, e.Seq, e.Subject, row.blobs...)
}

// auditRow is what a row says of what its event states.
type auditRow struct {
	digest  Digest // the bytes that the event must name; empty when it names none
	receipt []byte
	blobs   []Blob
}

// rowOf reads the row that e is about; not-found when there should be one and is not.
func rowOf(ctx context.Context, tx Tx, e Event) (row auditRow, err error) {
	switch {
	case e.Subject.Has(PrefixDelivery):
		d, err := tx.Delivery(ctx, e.Subject)
		if e.Kind == EventSent || e.Kind == EventDelivered {
			row.digest = d.Payload.Digest
		}
		row.receipt, row.blobs = d.Receipt, d.Blobs()
		return row, err
	case e.Subject.Has(PrefixInbox):
		i, err := tx.InboxItem(ctx, e.Subject)
		if err != nil || e.Kind != EventReceived {
			row.blobs = i.Blobs()
			return row, err
		}
		t, err := tx.Transfer(ctx, TransferKey{Recipient: i.Agency, Sender: i.From, ID: i.TransferID})
		row.digest, row.receipt, row.blobs = t.Payload.Digest, t.Receipt, i.Blobs()
		return row, err
	case e.Subject.Has(PrefixDocument):
		d, err := tx.Document(ctx, e.Subject)
		if text.CodeOf(err) == text.NotFound {
			return row, deletedBefore(ctx, tx, e.Subject, err)
		}
		row.blobs = d.Blobs()
		return row, err
	case e.Subject.Has(PrefixResult):
		x, err := tx.Result(ctx, e.Subject)
		if text.CodeOf(err) == text.NotFound {
			return row, deletedBefore(ctx, tx, e.Subject, err)
		}
		row.blobs = x.Blobs()
		return row, err
	}
	return row, nil
}

// deletedBefore returns nil when the log itself says that the draft id was thrown away.
func deletedBefore(ctx context.Context, tx Tx, id ID, missing error) error {
	events, err := tx.EventsOf(ctx, id)
	for _, e := range events {
		if (e.Kind == EventDocumentDeleted || e.Kind == EventResultDeleted) && e.Subject == id {
			return nil
		}
	}
	return errors.Join(err, missing)
}

// bytes reads again what has not been read yet.
func (r *audit) bytes(ctx context.Context, seq int64, subject ID, blobs ...Blob) error {
	for _, b := range blobs {
		if r.seen[b.Digest] {
			continue
		}
		if len(r.seen) < maxAuditSeen {
			r.seen[b.Digest] = true
		}
		r.Blobs++
		if err := r.audits.Verify(ctx, b.Digest); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.fault(seq, AuditBlob, subject)
		}
	}
	return nil
}

// deliveries looks for the facts that every delivery must have left.
func (r *audit) deliveries(ctx context.Context) error {
	var after ID
	for {
		var page []Delivery
		err := r.audits.Store.View(ctx, func(tx Tx) (err error) {
			if page, err = tx.DeliveriesAfter(ctx, r.Agency, after, auditPage); err != nil {
				return err
			}
			for _, d := range page {
				if err := r.left(ctx, tx, d.ID, deliveryFacts[d.State]...); err != nil {
					return err
				}
				if err := r.receipt(ctx, d.To, d.Manifest, d.Receipt, d.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(page) < auditPage {
			return err
		}
		after = page[len(page)-1].ID
	}
}

// deliveryFacts are the facts of which a delivery in a state has left at least one; a
// state without any needs no more than to have been sent or noted.
var deliveryFacts = map[DeliveryState][]EventKind{
	DeliveryReady:     {EventSent},
	DeliveryDelivered: {EventDelivered}, DeliveryDeliveredLate: {EventDelivered},
	DeliveryRefused: {EventDeliveryRefused}, DeliveryNonDelivered: {EventDeliveryEnded},
	DeliveryUnknownExpired: {EventDeliveryEnded}, DeliveryQuarantined: {EventDeliveryEnded, EventDeliveryQuarantined},
	DeliveryHeld: {EventDeliveryHeld}, DeliveryManual: {EventDeliveryManual}, DeliveryByHand: {EventDeliveredByHand},
}

// left reports a fault unless the log holds one of kinds about id.
func (r *audit) left(ctx context.Context, tx Tx, id ID, kinds ...EventKind) error {
	events, err := tx.EventsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range events {
		for _, k := range kinds {
			if e.Agency == r.Agency && e.Subject == id && e.Kind == k {
				return nil
			}
		}
	}
	r.fault(0, AuditMissing, id)
	return nil
}

// transfers looks for the facts that every transfer must have left, and whether its
// receipt answers it.
func (r *audit) transfers(ctx context.Context) error {
	var at TransferKey
	for {
		var page []Transfer
		err := r.audits.Store.View(ctx, func(tx Tx) (err error) {
			if page, err = tx.TransfersAfter(ctx, r.Agency, at.Sender, at.ID, auditPage); err != nil {
				return err
			}
			for _, t := range page {
				if err := r.transfer(ctx, tx, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(page) < auditPage {
			return err
		}
		at = page[len(page)-1].Key()
	}
}

func (r *audit) transfer(ctx context.Context, tx Tx, t Transfer) error {
	subject, kind := ID(t.ID), EventTransferClosed
	switch t.Answer {
	case ReceiptAccepted:
		subject, kind = t.Item, EventReceived
	case ReceiptRejected:
		kind = EventTransferRefused
	case ReceiptClosed:
	}
	if _, _, err := jws.PeekManifest(t.Manifest); err != nil {
		r.fault(0, AuditContent, subject)
	}
	if err := r.receipt(ctx, r.Agency, t.Manifest, t.Receipt, subject); err != nil {
		return err
	}
	return r.left(ctx, tx, subject, kind)
}
