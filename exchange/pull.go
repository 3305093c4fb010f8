package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

const (
	// waitingPage is how many transfers one answer to a peer that fetches names.
	waitingPage = 100
	// lookEvery is how often the rows are looked at while a peer waits: what another
	// process committed rings no bell here.
	lookEvery = 3 * time.Second
)

// leaveToPeer notes that d waits for its receiver to come for it, until it expires.
func (o *Outbox) leaveToPeer(ctx context.Context, d Delivery) error {
	return o.Store.Update(ctx, func(tx Tx) error {
		d, err := tx.Delivery(ctx, d.ID)
		if err != nil || d.State != DeliveryReady || d.NextAt.Equal(d.ExpiresAt) {
			return err
		}
		d.NextAt = d.ExpiresAt
		return tx.SaveDelivery(ctx, d)
	})
}

// WaitingTransfer is a transfer that waits for its receiver to fetch it.
type WaitingTransfer struct {
	ID       TransferID
	Sender   AgencyCode
	Manifest []byte // JWS
	Size     int64  // of its one part, bytes
}

// WaitingPage is one look at what waits.
type WaitingPage struct {
	Transfers []WaitingTransfer
	Cursor    string // asks for what is behind; empty at the end
}

// Held is what this gateway holds for agencies that fetch. Its fields are set once,
// before use; its methods are safe for concurrent use.
type Held struct {
	Outbox *Outbox
	Bell   *Bell // rung when something was sent; may be nil
}

// Waiting returns what waits for peer behind cursor, by age. With nothing there it
// waits for something, as long as wait says.
func (h *Held) Waiting(ctx context.Context, peer AgencyCode, cursor string, wait time.Duration) (WaitingPage, error) {
	offices, err := h.Outbox.Offices.Offices(ctx)
	if err != nil {
		return WaitingPage{}, err
	}
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		var rung <-chan struct{}
		if h.Bell != nil && len(offices) > 0 {
			rung = h.Bell.Next(offices[0].Agency.Code) // others' news is found by looking
		}
		page, err := h.look(ctx, peer, cursor)
		if err != nil || len(page.Transfers) > 0 || wait <= 0 {
			return page, err
		}
		again := time.NewTimer(lookEvery)
		select {
		case <-rung:
		case <-again.C:
		case <-end.C:
			wait = 0
		case <-ctx.Done():
			again.Stop()
			return WaitingPage{}, ctx.Err()
		}
		again.Stop()
	}
}

func (h *Held) look(ctx context.Context, peer AgencyCode, cursor string) (page WaitingPage, err error) {
	if h.Outbox.shut(ctx) {
		return page, nil
	}
	var waiting []Delivery
	err = h.Outbox.Store.View(ctx, func(tx Tx) (err error) {
		waiting, err = tx.WaitingFor(ctx, peer, ID(cursor), waitingPage)
		return err
	})
	for _, d := range waiting {
		page.Transfers = append(page.Transfers, WaitingTransfer{ID: d.TransferID, Sender: d.Agency, Manifest: d.Manifest, Size: d.Payload.Size})
	}
	if len(waiting) == waitingPage {
		page.Cursor = string(waiting[waitingPage-1].ID)
	}
	return page, err
}

// Open returns the bytes of a transfer that sender, served here, made for peer:
// waiting or delivered. The caller closes them. Errors: not-found.
func (h *Held) Open(ctx context.Context, peer, sender AgencyCode, id TransferID) (BlobReader, error) {
	d, err := h.delivery(ctx, peer, sender, id)
	if err != nil {
		return nil, err
	}
	return h.Outbox.Blobs.Open(ctx, d.Payload.Digest)
}

func (h *Held) delivery(ctx context.Context, peer, sender AgencyCode, id TransferID) (d Delivery, err error) {
	if _, err := h.Outbox.Offices.Office(ctx, sender); err != nil {
		return d, text.Errorf(text.NotFound, err)
	}
	err = h.Outbox.Store.View(ctx, func(tx Tx) (err error) {
		d, err = tx.DeliveryOf(ctx, sender, peer, id)
		return err
	})
	return d, err
}

// Take stores a receipt that peer brought for a transfer of ours. It may come again
// and change nothing. Errors: invalid-input when it is no receipt or proves nothing;
// not-allowed when it is not the peer's; not-found.
func (h *Held) Take(ctx context.Context, peer AgencyCode, receipt []byte) error {
	said, err := jws.PeekReceipt(receipt)
	if err != nil {
		return text.Errorf(text.InvalidInput, err)
	}
	if AgencyCode(said.Recipient) != peer {
		return text.Detailed(text.NotAllowed, nil, "exchange.sender", said.Recipient, string(peer))
	}
	d, err := h.delivery(ctx, peer, AgencyCode(said.Sender), TransferID(said.TransferID))
	if err != nil {
		return err
	}
	agency, err := h.Outbox.Directory.Agency(ctx, peer)
	if err != nil {
		return err
	}
	now := h.Outbox.Now().UTC()
	r, code, err := checkReceipt(receipt, d.Manifest, agency, now)
	if err != nil {
		return text.Errorf(text.InvalidInput, fmt.Errorf("receipt of %s: %w", d.TransferID, err))
	}
	return h.Outbox.settle(ctx, d, outcome{receipt: r, code: code, begun: now, trouble: &trouble{}})
}

// Statements takes in what peers state beside transfers.
type Statements struct {
	Store     Store
	Directory Directory
	Offices   Offices
	Now       func() time.Time
}

// The facts that peers' statements are.
const (
	EventPeerNonDelivery EventKind = "peer.non-delivery"
	EventPeerCorrection  EventKind = "peer.correction"
	EventPeerSkip        EventKind = "peer.skip"
)

// Take verifies a non-delivery, a correction or a skip by peer and keeps it in the
// evidence; a skip also frees those who waited. A repeat is kept once. Errors:
// invalid-input, not-allowed, not-for-us.
func (s *Statements) Take(ctx context.Context, peer AgencyCode, statement []byte) error {
	typ, sender, recipient, err := jws.PeekStatement(statement)
	if err != nil {
		return text.Errorf(text.InvalidInput, err)
	}
	if AgencyCode(sender) != peer {
		return text.Detailed(text.NotAllowed, nil, "exchange.sender", sender, string(peer))
	}
	own := AgencyCode(recipient)
	if _, err := s.Offices.Office(ctx, own); err != nil {
		return err
	}
	agency, err := s.Directory.Agency(ctx, peer)
	if err != nil {
		return text.Detailed(text.NotAllowed, err, "exchange.agency", sender)
	}
	now := s.Now().UTC()
	keys, err := agency.keysAt(now)
	if err != nil {
		return err
	}
	kind, subject, lane, count, err := readStatement(typ, statement, keys)
	if err != nil {
		return text.Detailed(text.NotAllowed, err, "exchange.manifest-key", sender)
	}
	id, err := jws.PayloadDigest(statement)
	if err != nil {
		return text.Errorf(text.InvalidInput, err)
	}
	key := "statement>" + id.String()
	return s.Store.Update(ctx, func(tx Tx) error {
		err := tx.SaveAnswer(ctx, Answer{Agency: own, Key: key, Request: Digest(id.String()), Subject: subject, At: now})
		if errors.Is(err, ErrExists) {
			return nil
		}
		if err != nil {
			return err
		}
		if lane != nil {
			if err := passLane(ctx, tx, own, peer, lane, count); err != nil {
				return err
			}
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: own, At: now, Kind: kind, Subject: subject, By: System(own), Peer: peer,
			Digest: DigestOf(statement), Data: map[string]string{"statement": string(statement)}})
		return err
	})
}

// readStatement verifies a statement and says what it is about.
func readStatement(typ jws.Type, statement []byte, keys jws.Keys) (kind EventKind, subject ID, lane *jws.Lane, count int64, err error) {
	switch typ {
	case jws.TypeNonDelivery:
		n, err := jws.VerifyNonDelivery(statement, keys)
		return EventPeerNonDelivery, ID(n.TransferID), nil, 0, err
	case jws.TypeCorrection:
		c, err := jws.VerifyCorrection(statement, keys)
		return EventPeerCorrection, ID(c.TransferID), nil, 0, err
	default:
		k, err := jws.VerifySkip(statement, keys)
		return EventPeerSkip, ID(k.Sender + ">" + k.Recipient), &k.Lane, k.Count, err
	}
}
