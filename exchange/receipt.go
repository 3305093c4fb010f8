package exchange

import (
	"errors"
	"fmt"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// ReceiptKind says what a receipt states.
type ReceiptKind string

// The kinds of receipt.
const (
	ReceiptAccepted ReceiptKind = "accepted" // the bytes are safe at the receiver
	ReceiptRejected ReceiptKind = "rejected" // they will never be taken
	ReceiptClosed   ReceiptKind = "closed"   // none were taken, and none will be
)

// Receipt is a receiving gateway's signed answer about one transfer. It speaks of
// bytes and sender only, never of what the document is worth.
type Receipt struct {
	Kind ReceiptKind
	JWS  []byte    // the same for every repeat
	At   time.Time // receivedAt; zero for one that is replayed
}

// signReceipt signs office's answer about the transfer of m. code is the reason of
// a rejection.
func signReceipt(o Office, kind ReceiptKind, m jws.Manifest, id jws.Digest, code text.Code, at time.Time) (Receipt, error) {
	r := jws.Receipt{
		Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id.String(), Sender: m.Sender,
		Recipient: m.Recipient, PartsSHA256: jws.PartsDigest(m.Parts), ReceivedAt: at,
	}
	var signed []byte
	var err error
	switch kind {
	case ReceiptAccepted:
		r.Outcome = jws.Received
		signed, err = jws.SignReceipt(nil, o.GatewayKey, r)
	case ReceiptRejected:
		r.Outcome, r.Code = jws.Refused, string(code)
		signed, err = jws.SignReceipt(nil, o.GatewayKey, r)
	case ReceiptClosed:
		signed, err = jws.SignClosed(nil, o.GatewayKey, r)
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("signing receipt: %w", err)
	}
	return Receipt{Kind: kind, JWS: signed, At: at.UTC().Truncate(time.Second)}, nil
}

// settledAs is the ledger's entry of a transfer that r ended.
func settledAs(agency, peer AgencyCode, outgoing bool, id TransferID, r Receipt) Settled {
	return Settled{Agency: agency, Peer: peer, Outgoing: outgoing, At: r.At, ID: id, Receipt: DigestOf(r.JWS)}
}

// errReceipt is the cause where a peer's answer proves nothing.
var errReceipt = errors.New("answer is no receipt for this transfer")

// checkReceipt verifies what a peer answered to the transfer of manifest: its
// signature under a key that agency lists now, and that it is about this transfer
// and no other. code is the peer's reason of a rejection.
func checkReceipt(answer, manifest []byte, agency Agency, now time.Time) (r Receipt, code text.Code, err error) {
	keys, err := agency.keysAt(now)
	if err != nil {
		return r, "", fmt.Errorf("keys of %s: %w", agency.Code, err)
	}
	m, id, err := jws.PeekManifest(manifest) // our own
	if err != nil {
		return r, "", fmt.Errorf("reading own manifest: %w", err)
	}
	typ, err := jws.TypeOf(answer)
	if err != nil {
		return r, "", err
	}
	var said jws.Receipt
	r = Receipt{Kind: ReceiptClosed, JWS: answer}
	if typ == jws.TypeClosed {
		said, _, err = jws.VerifyClosed(answer, keys)
	} else {
		said, _, err = jws.VerifyReceipt(answer, keys)
		r.Kind = ReceiptAccepted
		if said.Outcome == jws.Refused {
			r.Kind, code = ReceiptRejected, text.Code(said.Code)
		}
	}
	if err != nil {
		return Receipt{}, "", err
	}
	if !said.Answers(m, id) {
		return Receipt{}, "", errReceipt
	}
	r.At = said.ReceivedAt
	return r, code, nil
}
