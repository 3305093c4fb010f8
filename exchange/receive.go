package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"antin/exchange/jws"
	"antin/internal/failpoint"
	"antin/internal/text"
)

// Incoming is one transfer as it arrives.
type Incoming struct {
	Peer     AgencyCode // whose gateway proved itself by its TLS key
	Manifest []byte     // JWS, at most jws.MaxSize bytes
	Payload  io.Reader  // read only for a transfer not seen before
	// ID, where set, is the transfer under whose address the manifest came:
	// invalid-input when the manifest is another's.
	ID TransferID
}

// Receive takes in one transfer and returns the signed receipt to answer with.
// When it returns an accepted receipt, the bytes, the inbox row, the receipt and
// its evidence are on disk, written in one transaction; a repeat, however late or
// often, gets the same receipt bytes and changes nothing.
//
// The receipt says that these bytes came from this sender. Nothing is read of
// them and no network is asked before it. A rejected receipt is final too, and
// kept. Errors store nothing: digest-mismatch and storage-full may
// be sent again; replay-conflict, not-for-us, not-allowed and invalid-input may not.
func (in *Inbox) Receive(ctx context.Context, t Incoming) (_ Receipt, err error) {
	c, answer, err := in.examine(ctx, t)
	if err != nil || answer.JWS != nil {
		return answer, err
	}
	ctx, span := begin(ctx, in.Tracer, SpanReceive, "")
	defer func() { c.describe(span).End(err) }()
	if err := failpoint.Hit(failpoint.ReceiveBegins); err != nil {
		return Receipt{}, err
	}
	ctx = Staged(ctx) // bytes, row and receipt in one commit
	payload, err := in.putStated(ctx, t.Payload, c.part)
	if err != nil {
		return Receipt{}, fmt.Errorf("storing transfer %s: %w", c.key.ID, err)
	}
	return in.take(ctx, c, payload, nil)
}

// examine does all that comes before the bytes, cheap checks first. It returns the
// stored receipt of a transfer that is known, or a signed refusal of one that will
// never be taken; else c is believed, and its bytes are wanted.
func (in *Inbox) examine(ctx context.Context, t Incoming) (c *incoming, answer Receipt, err error) {
	// 1. Whose is it, and do we know it? A known transfer meets no further check.
	if c, err = in.open(ctx, t); err != nil {
		return nil, Receipt{}, err
	}
	if known, err := in.replay(ctx, c); err != nil || known.JWS != nil {
		return nil, known, err
	}
	// 2. The sender's statement, by the sender's key.
	if err := in.verify(ctx, c); err != nil {
		return nil, Receipt{}, err
	}
	// 3. What will never be taken is refused under our key, once and for all.
	if code := in.refusal(c); code != "" {
		answer, err = in.reject(ctx, c, code)
		return nil, answer, err
	}
	return c, Receipt{}, nil
}

// putStated stores the bytes of part: only those, else nothing.
func (in *Inbox) putStated(ctx context.Context, r io.Reader, part jws.Part) (Blob, error) {
	want := Blob{Digest: Digest(part.SHA256), Size: part.Size}
	if exact, ok := in.Blobs.(ExactBlobs); ok {
		return exact.PutExact(ctx, r, want)
	}
	payload, err := in.Blobs.Put(ctx, newStated(r, part))
	if err == nil && payload != want { // whatever made the reader stop
		err = text.Errorf(text.DigestMismatch, errors.New("transfer ended early"))
	}
	return payload, err
}

// take keeps a transfer whose bytes are durable and answers its receipt. beside,
// where set, is part of the same transaction.
func (in *Inbox) take(ctx context.Context, c *incoming, payload Blob, beside func(tx Tx) error) (Receipt, error) {
	if err := failpoint.Hit(failpoint.ReceiveBeforeReceipt); err != nil {
		return Receipt{}, err
	}
	// The receipt is signed before the writer is held.
	receipt, err := signReceipt(c.office, ReceiptAccepted, c.manifest, c.id, "", c.now)
	if err != nil {
		return Receipt{}, err
	}
	// Row, receipt, evidence and job stand or fall together.
	return in.keep(ctx, c, payload, receipt, beside)
}

// describe says on s what c is: ids and codes.
func (c *incoming) describe(s Span) Span {
	if _, off := s.(silent); off {
		return s
	}
	s.Set("transfer", string(c.key.ID))
	s.Set("sender", string(c.key.Sender))
	s.Set("kind", string(c.manifest.Kind))
	return s
}

// incoming is a transfer on its way through Receive.
type incoming struct {
	key      TransferKey
	manifest jws.Manifest
	id       jws.Digest
	parsed   jws.Unverified
	jws      []byte
	part     jws.Part
	office   Office
	now      time.Time
}

// open reads the manifest without believing it, and finds whom it is for.
func (in *Inbox) open(ctx context.Context, t Incoming) (*incoming, error) {
	u, err := jws.ParseManifest(t.Manifest)
	if err != nil {
		return nil, text.Detailed(text.InvalidInput, err, "exchange.manifest")
	}
	m := u.Manifest
	if t.ID != "" && string(t.ID) != m.TransferID {
		return nil, text.Errorf(text.InvalidInput, errors.New("manifest of another transfer"))
	}
	if AgencyCode(m.Sender) != t.Peer {
		return nil, text.Detailed(text.NotAllowed, nil, "exchange.sender", m.Sender, string(t.Peer))
	}
	office, err := gatewayOffice(ctx, in.Offices, AgencyCode(m.Recipient))
	if err != nil {
		return nil, err
	}
	return &incoming{
		key:      TransferKey{Recipient: AgencyCode(m.Recipient), Sender: t.Peer, ID: TransferID(m.TransferID)},
		manifest: m, id: u.ID, parsed: u, jws: t.Manifest, part: m.Parts[0], office: office, now: in.Now().UTC(),
	}, nil
}

// replay answers a transfer seen before: with the stored receipt when it is the
// same, with replay-conflict and an alarm when only the id is.
func (in *Inbox) replay(ctx context.Context, c *incoming) (Receipt, error) {
	var known Transfer
	err := in.Store.View(ctx, func(tx Tx) (err error) {
		known, err = tx.Transfer(ctx, c.key)
		return err
	})
	switch {
	case errors.Is(err, &text.Error{Code: text.NotFound}):
		return Receipt{}, nil
	case err != nil:
		return Receipt{}, err
	}
	r, err := known.answer(c.id)
	if err == nil {
		return r, nil
	}
	return Receipt{}, errors.Join(err, in.Store.Update(ctx, func(tx Tx) error {
		return in.note(ctx, tx, c, EventReplayConflict, known.Item, map[string]string{"manifest_sha256": c.id.String()})
	}))
}

// answer returns the stored receipt for a repeat whose manifest is id;
// replay-conflict when the manifest is another.
func (t Transfer) answer(id jws.Digest) (Receipt, error) {
	stored, err := jws.PayloadDigest(t.Manifest)
	if err != nil {
		return Receipt{}, fmt.Errorf("reading stored manifest of %s: %w", t.ID, err)
	}
	if stored != id {
		return Receipt{}, text.Errorf(text.ReplayConflict, fmt.Errorf("transfer %s came before with another manifest", t.ID))
	}
	return Receipt{Kind: t.Answer, JWS: t.Receipt}, nil
}

// verify checks the manifest's signature under a key that the sender's agency
// lists, and that the sender is in being.
func (in *Inbox) verify(ctx context.Context, c *incoming) error {
	sender, err := in.Directory.Agency(ctx, c.key.Sender)
	if err != nil {
		return text.Detailed(text.NotAllowed, err, "exchange.agency", string(c.key.Sender))
	}
	keys, err := sender.keysAt(c.now)
	if err != nil {
		return fmt.Errorf("keys of %s: %w", sender.Code, err)
	}
	if err := c.parsed.Verify(keys); err != nil {
		return text.Detailed(text.NotAllowed, err, "exchange.manifest-key", string(sender.Code))
	}
	if !sender.openAt(c.now) {
		return text.Detailed(text.NotAllowed, nil, "exchange.agency-closed", string(sender.Code))
	}
	return nil
}

// refusal returns why the transfer can never be taken, "" when it can.
func (in *Inbox) refusal(c *incoming) text.Code {
	switch {
	case c.part.Size > in.maxPayload():
		return text.TooLarge
	case len(c.manifest.Parts) != 1:
		return text.InvalidInput // this version takes one part, the message
	case !c.now.Before(c.manifest.ExpiresAt):
		return text.StateConflict
	}
	return ""
}

// reject stores and returns a rejected receipt.
func (in *Inbox) reject(ctx context.Context, c *incoming, code text.Code) (Receipt, error) {
	receipt, err := signReceipt(c.office, ReceiptRejected, c.manifest, c.id, code, c.now)
	if err != nil {
		return Receipt{}, err
	}
	return in.commit(ctx, c, receipt, func(tx Tx) error {
		if err := in.settle(ctx, tx, c, receipt, Blob{}, ""); err != nil {
			return err
		}
		return in.note(ctx, tx, c, EventTransferRefused, "", map[string]string{"code": string(code)})
	})
}

// settle adds the transfer that receipt ends, and its line in the ledger.
func (in *Inbox) settle(ctx context.Context, tx Tx, c *incoming, receipt Receipt, payload Blob, item ID) error {
	err := tx.CreateTransfer(ctx, c.transfer(receipt, payload, item))
	if errors.Is(err, ErrExists) {
		return errKnown
	}
	if err != nil {
		return err
	}
	if receipt.Kind != ReceiptAccepted { // nobody need wait for its place
		if err := passLane(ctx, tx, c.key.Recipient, c.key.Sender, c.manifest.Lane, 1); err != nil {
			return err
		}
	}
	return tx.AddSettled(ctx, settledAs(c.key.Recipient, c.key.Sender, false, c.key.ID, receipt))
}

// keep stores the transfer with everything that must stand beside it.
func (in *Inbox) keep(ctx context.Context, c *incoming, payload Blob, receipt Receipt, beside func(tx Tx) error) (Receipt, error) {
	item := InboxItem{
		ID: NewID(PrefixInbox, c.now), Agency: c.key.Recipient, From: c.key.Sender, Kind: TransferKind(c.manifest.Kind),
		TransferID: c.key.ID, Trace: TraceOf(ctx), Place: placeOf(c.manifest.Lane), ReceivedAt: c.now, Raw: payload, State: InboxReceived,
		Header: DocumentHeader{From: c.key.Sender, DocumentID: c.manifest.DocumentID, Number: c.manifest.Number, Priority: c.manifest.Priority},
	}
	return in.commit(ctx, c, receipt, func(tx Tx) error {
		if err := in.settle(ctx, tx, c, receipt, payload, item.ID); err != nil {
			return err
		}
		if beside != nil {
			if err := beside(tx); err != nil {
				return err
			}
		}
		if err := tx.CreateInboxItem(ctx, item); err != nil {
			return err
		}
		if err := in.note(ctx, tx, c, EventReceived, item.ID, map[string]string{
			"kind": string(item.Kind), "receipt_sha256": string(DigestOf(receipt.JWS)),
		}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, Job{Kind: JobAdmit, Key: string(item.ID)})
	})
}

// errKnown says that a transfer was committed meanwhile, and nothing was written.
var errKnown = errors.New("transfer is known")

// commit runs fn, which creates the transfer before it writes anything else, in one
// transaction. When the same transfer was committed meanwhile, its receipt is the answer
// and fn leaves no trace.
func (in *Inbox) commit(ctx context.Context, c *incoming, mine Receipt, fn func(Tx) error) (answer Receipt, err error) {
	if err := failpoint.Hit(failpoint.ReceiveBeforeCommit); err != nil {
		return Receipt{}, err
	}
	err = in.Store.Update(ctx, func(tx Tx) error {
		answer = mine
		err := fn(tx)
		if !errors.Is(err, errKnown) {
			return err
		}
		known, err := tx.Transfer(ctx, c.key)
		if err == nil {
			answer, err = known.answer(c.id)
		}
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("keeping transfer %s: %w", c.key.ID, err)
	}
	return answer, failpoint.Hit(failpoint.ReceiveAfterCommit)
}

func (c *incoming) transfer(r Receipt, payload Blob, item ID) Transfer {
	return Transfer{
		Recipient: c.key.Recipient, Sender: c.key.Sender, ID: c.key.ID, Kind: TransferKind(c.manifest.Kind), Payload: payload,
		Manifest: c.jws, Receipt: r.JWS, Answer: r.Kind, At: c.now, Item: item,
	}
}

func (in *Inbox) note(ctx context.Context, tx Tx, c *incoming, kind EventKind, item ID, data map[string]string) error {
	subject := item
	if subject == "" {
		subject = ID(c.key.ID)
	}
	if data == nil {
		data = map[string]string{}
	}
	data["transfer"] = string(c.key.ID)
	_, err := tx.AppendEvent(ctx, Event{
		Agency: c.key.Recipient, At: c.now, Kind: kind, Subject: subject, By: System(c.key.Recipient), Peer: c.key.Sender,
		Digest: Digest(c.part.SHA256), Data: data,
	})
	return err
}

// stated reads a payload and ends in an error instead of io.EOF unless the bytes
// are exactly those of a part: then Blobs.Put keeps nothing.
type stated struct {
	r    io.Reader
	part jws.Part
	sum  hash.Hash
	n    int64
}

func newStated(r io.Reader, p jws.Part) *stated { return &stated{r: r, part: p, sum: sha256.New()} }

// Read implements io.Reader.
func (s *stated) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	if s.n += int64(n); s.n > s.part.Size {
		return n, text.Errorf(text.DigestMismatch, fmt.Errorf("more than the %d bytes stated", s.part.Size))
	}
	if errors.Is(err, io.EOF) && hex.EncodeToString(s.sum.Sum(nil)) != s.part.SHA256 {
		return n, text.Errorf(text.DigestMismatch, fmt.Errorf("%d bytes came of %d stated", s.n, s.part.Size))
	}
	return n, err
}
