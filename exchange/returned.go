package exchange

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// register takes in a transfer that a peer keeps and this side, restored, has lost:
// the delivery with its manifest and receipt, as ended, the line of the ledger, and the
// number in its register. The bytes are gone; the transfer is never sent again. A
// transfer that is known changes nothing.
func (q *Quarantine) register(ctx context.Context, p pair, back ReturnedTransfer) error {
	office, err := q.Offices.Office(ctx, p.own)
	if err != nil {
		return err
	}
	agency, err := q.Directory.Agency(ctx, p.peer)
	if err != nil {
		return err
	}
	m, _, err := jws.PeekManifest(back.Manifest) // Returned has verified both
	if err != nil {
		return err
	}
	now := q.Now().UTC()
	receipt, code, err := checkReceipt(back.Receipt, back.Manifest, agency, now)
	if err != nil {
		return err
	}
	d, kind := returnedDelivery(p, m, back, now)
	switch receipt.Kind {
	case ReceiptAccepted:
	case ReceiptRejected:
		d.State, kind, d.Note = DeliveryRefused, EventDeliveryRefused, NoteOf(refusedBy(d.To, code))
	case ReceiptClosed:
		d.State, kind = DeliveryNonDelivered, EventDeliveryEnded
		d.Note = Note{Code: text.PeerUnavailable, Message: text.Get("exchange.closed", string(d.To))}
	}
	return q.Store.Update(ctx, func(tx Tx) error {
		_, err := tx.DeliveryOf(ctx, p.own, p.peer, d.TransferID)
		if err == nil || text.CodeOf(err) != text.NotFound {
			return err
		}
		made := d
		if m.Kind == jws.KindDocument {
			if err := q.claim(ctx, tx, office, &made, m, now); err != nil {
				return err
			}
		}
		if err := tx.CreateDelivery(ctx, made); err != nil {
			return err
		}
		if err := tx.AddSettled(ctx, settledAs(p.own, p.peer, true, made.TransferID, receipt)); err != nil {
			return err
		}
		return appendDeliveryEvent(ctx, tx, made, kind, now, map[string]string{"receipt_sha256": string(DigestOf(back.Receipt)), "state": string(made.State),
			"transfer": string(made.TransferID), "number": m.Number, "returned": "restore", "payload_sha256": payloadOf(m)})
	})
}

// returnedDelivery is the delivery as it had ended. Its bytes are named in the evidence
// alone: no row may name absent ones.
func returnedDelivery(p pair, m jws.Manifest, back ReturnedTransfer, now time.Time) (Delivery, EventKind) {
	return Delivery{ID: NewID(PrefixDelivery, m.CreatedAt), Agency: p.own, To: p.peer, Kind: TransferKind(m.Kind), TransferID: TransferID(m.TransferID),
		Subject: ID("lost:" + m.TransferID), Manifest: back.Manifest, Receipt: back.Receipt, Priority: m.Priority, CreatedAt: m.CreatedAt.UTC(),
		ExpiresAt: m.ExpiresAt.UTC(), State: DeliveryDelivered, EndedAt: now}, EventDelivered
}

func payloadOf(m jws.Manifest) string {
	if len(m.Parts) == 0 {
		return ""
	}
	return m.Parts[0].SHA256
}

// claim gives the delivery its document, where the backup knew it, and the document's
// number its line: so that nobody takes it again.
func (q *Quarantine) claim(ctx context.Context, tx Tx, o Office, d *Delivery, m jws.Manifest, now time.Time) error {
	doc, err := tx.DocumentByNumber(ctx, d.Agency, m.DocumentID)
	if err == nil {
		d.Subject = doc.ID
		return nil // its number stands in the register
	}
	if text.CodeOf(err) != text.NotFound || o.Numbering == NumberingExternal {
		if text.CodeOf(err) == text.NotFound {
			err = nil
		}
		return err
	}
	year, seq, ok := numberIn(d.Agency, m.DocumentID)
	if !ok {
		return nil
	}
	_, err = tx.EnterNumber(ctx, Entry{Agency: d.Agency, Book: BookOutgoing, Year: year, Seq: seq, Subject: d.Subject, At: now, By: System(d.Agency)})
	if errors.Is(err, ErrExists) {
		return nil // another receiver of the same document came first
	}
	return err
}

// numberIn reads year and number from a document's business identifier, as documentID
// writes it.
func numberIn(agency AgencyCode, documentID string) (year, seq int, ok bool) {
	rest, ok := strings.CutPrefix(documentID, string(agency)+",")
	if !ok {
		return 0, 0, false
	}
	date, number, ok := strings.Cut(rest, ",")
	if !ok || len(date) < 5 || date[4] != '/' {
		return 0, 0, false
	}
	year, err := strconv.Atoi(date[:4])
	if err != nil || year < minYear {
		return 0, 0, false
	}
	digits, _, _ := strings.Cut(number, "/")
	seq, err = strconv.Atoi(digits)
	return year, seq, err == nil && seq >= 1 && seq <= maxNumber
}

// maxLostNumbers bounds the numbers of one register that a restore explains: more than
// an agency gives in the days between two backups.
const maxLostNumbers = 100_000

// explainLost closes the gaps that claimed numbers leave in this year's and last year's
// register of outgoing documents: each number between that came back from nobody was
// given after the backup, and its document is lost. It returns how many there were.
func explainLost(ctx context.Context, tx Tx, agency AgencyCode, now time.Time) (lost int, err error) {
	year := now.In(Vietnam).Year()
	for _, y := range []int{year - 1, year} {
		lines, err := tx.Register(ctx, agency, BookOutgoing, y)
		if err != nil {
			return lost, err
		}
		next, err := firstNumber(ctx, tx, agency, y)
		if err != nil {
			return lost, err
		}
		for _, line := range lines {
			for seq := next; seq < line.Seq; seq++ {
				if lost++; lost > maxLostNumbers {
					return lost, text.Detailed(text.LimitExceeded, nil, "quarantine.gap", maxLostNumbers)
				}
				if err := voidLost(ctx, tx, agency, y, seq, now); err != nil {
					return lost, err
				}
			}
			next = line.Seq + 1
		}
	}
	return lost, nil
}

// firstNumber is where a year's register of outgoing documents begins.
func firstNumber(ctx context.Context, tx Tx, agency AgencyCode, year int) (int, error) {
	s, err := tx.Start(ctx, agency, BookOutgoing, year)
	if text.CodeOf(err) == text.NotFound {
		return 1, nil
	}
	return s.First, err
}

// voidLost enters one lost number with its explanation.
func voidLost(ctx context.Context, tx Tx, agency AgencyCode, year, seq int, now time.Time) error {
	by := System(agency)
	if _, err := tx.EnterNumber(ctx, Entry{Agency: agency, Book: BookOutgoing, Year: year, Seq: seq, At: now, By: by,
		Subject: ID("lost:" + strconv.Itoa(year) + "-" + strconv.Itoa(seq))}); err != nil {
		return err
	}
	reason := text.Get("quarantine.void").VI // registers are kept in Vietnamese
	if err := tx.AddVoid(ctx, Void{Agency: agency, Book: BookOutgoing, Year: year, Seq: seq, Reason: reason, At: now, By: by}); err != nil {
		return err
	}
	_, err := tx.AppendEvent(ctx, Event{Agency: agency, At: now, Kind: EventNumberVoided, Subject: registerID(BookOutgoing, year), By: by,
		Data: map[string]string{"number": itoa(seq), "book": string(BookOutgoing), "year": itoa(year), "reason": reason}})
	return err
}
