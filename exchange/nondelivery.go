package exchange

import (
	"crypto"
	"time"

	"antin/exchange/jws"
)

// state adds to d what the gateway says over its signature of the end that receipt
// makes: that nothing arrived, by the peer's closed receipt, which nothing less may
// replace; or that this statement is void, because a receipt came after all. It
// returns the kind of the fact, empty when there is none. key is the gateway's.
func (d *Delivery) state(key crypto.Signer, receipt Receipt, now time.Time) (kind EventKind, err error) {
	if key == nil {
		return "", nil
	}
	m, id, err := jws.PeekManifest(d.Manifest)
	if err != nil {
		return "", err
	}
	switch {
	case receipt.Kind == ReceiptClosed && d.Stated == nil:
		d.Stated, err = jws.SignNonDelivery(nil, key, jws.NonDelivery{Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id.String(),
			Sender: m.Sender, Recipient: m.Recipient, DocumentID: m.DocumentID, Number: m.Number, Reason: jws.ReasonClosed,
			ProofSHA256: string(DigestOf(receipt.JWS)), StatedAt: now})
		return EventNonDelivery, err
	case receipt.Kind == ReceiptAccepted && d.Stated != nil && d.Corrected == nil:
		stated, err := jws.PayloadDigest(d.Stated)
		if err != nil {
			return "", err
		}
		d.Corrected, err = jws.SignCorrection(nil, key, jws.Correction{Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id.String(),
			Sender: m.Sender, Recipient: m.Recipient, CorrectsSHA256: stated.String(), ReceiptSHA256: string(DigestOf(receipt.JWS)), StatedAt: now})
		return EventNonDeliveryVoided, err
	}
	return "", nil
}

// digestOrNone is the digest of b, empty when there is none.
func digestOrNone(b []byte) string {
	if b == nil {
		return ""
	}
	return string(DigestOf(b))
}
