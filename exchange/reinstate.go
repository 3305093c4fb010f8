package exchange

import (
	"context"
	"fmt"
	"io"

	"antin/exchange/jws"
	"antin/internal/text"
)

// Reinstate takes in again what this side once gave a receipt for and has lost: it
// believes its own receipt and the sender's manifest, and stores both with the bytes.
// The receipt stays the one that was given. A transfer that is known changes nothing.
// Errors: not-allowed when receipt or manifest do not verify; digest-mismatch.
func (in *Inbox) Reinstate(ctx context.Context, peer AgencyCode, back ReturnedTransfer, open func() (io.ReadCloser, error)) error {
	c, err := in.open(ctx, Incoming{Peer: peer, Manifest: back.Manifest})
	if err != nil {
		return err
	}
	if known, err := in.replay(ctx, c); err != nil || known.JWS != nil {
		return err
	}
	if err := in.verify(ctx, c); err != nil {
		return err
	}
	receipt, err := in.ownReceipt(c, back.Receipt)
	if err != nil {
		return text.Detailed(text.NotAllowed, err, "exchange.own-receipt", string(peer))
	}
	note := func(tx Tx) error {
		return in.note(ctx, tx, c, EventReinstated, "", map[string]string{"receipt_sha256": string(DigestOf(receipt.JWS))})
	}
	if receipt.Kind != ReceiptAccepted {
		_, err := in.commit(ctx, c, receipt, func(tx Tx) error {
			if err := in.settle(ctx, tx, c, receipt, Blob{}, ""); err != nil {
				return err
			}
			return note(tx)
		})
		return err
	}
	body, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	payload, err := in.putStated(ctx, body, c.part)
	if err != nil {
		return fmt.Errorf("storing transfer %s: %w", c.key.ID, err)
	}
	_, err = in.keep(ctx, c, payload, receipt, note)
	return err
}

// ownReceipt verifies a receipt that office gave earlier, under a key that its own
// entry still lists, whatever its time.
func (in *Inbox) ownReceipt(c *incoming, receipt []byte) (Receipt, error) {
	said, err := jws.PeekReceipt(receipt)
	if err != nil {
		return Receipt{}, err
	}
	own := c.office.Agency
	r, _, err := checkReceipt(receipt, c.jws, own, said.ReceivedAt)
	return r, err
}
