package exchange

import (
	"context"
)

// CloseTransfer promises to take no bytes for the transfer of manifest any more
// and returns the signed answer: the stored receipt when the transfer is known
// already, else a closed receipt, the same for every repeat. Errors are those of
// Receive.
func (in *Inbox) CloseTransfer(ctx context.Context, peer AgencyCode, manifest []byte) (Receipt, error) {
	c, err := in.open(ctx, Incoming{Peer: peer, Manifest: manifest})
	if err != nil {
		return Receipt{}, err
	}
	if known, err := in.replay(ctx, c); err != nil || known.JWS != nil {
		return known, err
	}
	if err := in.verify(ctx, c); err != nil {
		return Receipt{}, err
	}
	receipt, err := signReceipt(c.office, ReceiptClosed, c.manifest, c.id, "", c.now)
	if err != nil {
		return Receipt{}, err
	}
	return in.commit(ctx, c, receipt, func(tx Tx) error {
		if err := in.settle(ctx, tx, c, receipt, Blob{}, ""); err != nil {
			return err
		}
		if err := passLane(ctx, tx, c.key.Recipient, c.key.Sender, c.manifest.Lane, 1); err != nil {
			return err
		}
		if err := tx.DropUpload(ctx, UploadKey{c.key.Sender, c.key.ID}); err != nil {
			return err
		}
		return in.note(ctx, tx, c, EventTransferClosed, "", nil)
	})
}

// Known returns the stored receipt of a transfer, for a sender that asks what
// became of it; not-found when nothing of it was committed.
func (in *Inbox) Known(ctx context.Context, key TransferKey) (r Receipt, err error) {
	err = in.Store.View(ctx, func(tx Tx) error {
		t, err := tx.Transfer(ctx, key)
		r = Receipt{Kind: t.Answer, JWS: t.Receipt}
		return err
	})
	return r, err
}
