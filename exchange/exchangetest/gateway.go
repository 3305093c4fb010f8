package exchangetest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// Clock is the time at which everything here happens unless a test says otherwise.
func Clock() time.Time { return time.Date(2026, 11, 23, 2, 12, 44, 0, time.UTC) }

// Party is an agency with a transport key.
type Party struct {
	Agency exchange.Agency
	Key    crypto.Signer
}

// NewParty returns an agency of that code with a fresh P-256 key. It panics when
// the machine has no randomness.
func NewParty(code exchange.AgencyCode) Party {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return Party{Key: key, Agency: exchange.Agency{Endpoint: "test://" + string(code),
		Code: code, Name: "Cơ quan " + string(code),
		Keys: []exchange.GatewayKey{{Public: key.Public(), NotBefore: Clock().AddDate(-1, 0, 0)}},
	}}
}

// NewEnvelope returns a transfer of payload from one party to another with a
// signed manifest. Each call makes a new transfer.
func NewEnvelope(from Party, to exchange.AgencyCode, payload []byte) (exchange.Envelope, error) {
	blob := exchange.Blob{Digest: exchange.DigestOf(payload), Size: int64(len(payload))}
	id := exchange.NewTransferID(Clock())
	manifest, err := jws.SignManifest(nil, from.Key, jws.Manifest{
		Version: jws.Version, TransferID: string(id), Sender: string(from.Agency.Code), Recipient: string(to), Kind: jws.KindDocument,
		Parts:     []jws.Part{{Name: "vanban.edxml", MediaType: "application/xml", Size: blob.Size, SHA256: string(blob.Digest)}},
		CreatedAt: Clock(), ExpiresAt: Clock().AddDate(0, 0, 5),
	})
	if err != nil {
		return exchange.Envelope{}, fmt.Errorf("signing manifest: %w", err)
	}
	return exchange.Envelope{
		TransferID: id, From: from.Agency.Code, To: to, Manifest: manifest, Payload: blob,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil },
	}, nil
}

// Gateway is an honest receiver in memory that keeps the promises of
// exchange.Inbox: one effect and one receipt for each transfer, however often it
// comes. Its zero value is not ready; see NewGateway. It is safe for concurrent use.
type Gateway struct {
	Self    Party
	Senders []exchange.Agency
	// MaxPayload bounds one transfer, in bytes; 0 means no bound.
	MaxPayload int64

	mu     sync.Mutex
	known  map[exchange.TransferKey]entry
	effect [][]byte

	uploads map[exchange.UploadKey]*upload
}

type entry struct {
	id      jws.Digest
	receipt exchange.Receipt
}

// NewGateway returns a gateway of self that knows senders.
func NewGateway(self Party, senders ...exchange.Agency) *Gateway {
	return &Gateway{Self: self, Senders: senders, known: map[exchange.TransferKey]entry{}}
}

// Effects returns the payloads taken in, in order.
func (g *Gateway) Effects() [][]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([][]byte(nil), g.effect...)
}

// Known returns the stored receipt of a transfer; not-found.
func (g *Gateway) Known(_ context.Context, key exchange.TransferKey) (exchange.Receipt, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.known[key]
	if !ok {
		return exchange.Receipt{}, text.Errorf(text.NotFound, nil)
	}
	return e.receipt, nil
}

// Receive takes a transfer in as exchange.Inbox does.
func (g *Gateway) Receive(_ context.Context, t exchange.Incoming) (exchange.Receipt, error) {
	m, id, r, err := g.check(t)
	if err != nil || r.JWS != nil {
		return r, err
	}
	part := m.Parts[0]
	if g.MaxPayload > 0 && part.Size > g.MaxPayload {
		return g.keep(m, id, exchange.ReceiptRejected, nil)
	}
	payload, err := io.ReadAll(io.LimitReader(t.Payload, part.Size+1))
	if err != nil {
		return exchange.Receipt{}, fmt.Errorf("reading payload: %w", err)
	}
	if exchange.DigestOf(payload) != exchange.Digest(part.SHA256) {
		return exchange.Receipt{}, text.Errorf(text.DigestMismatch, nil)
	}
	return g.keep(m, id, exchange.ReceiptAccepted, payload)
}

// CloseTransfer closes a transfer as exchange.Inbox does.
func (g *Gateway) CloseTransfer(_ context.Context, peer exchange.AgencyCode, manifest []byte) (exchange.Receipt, error) {
	m, id, r, err := g.check(exchange.Incoming{Peer: peer, Manifest: manifest})
	if err != nil || r.JWS != nil {
		return r, err
	}
	return g.keep(m, id, exchange.ReceiptClosed, nil)
}

// check returns the stored receipt of a repeat, or the verified manifest.
func (g *Gateway) check(t exchange.Incoming) (m jws.Manifest, id jws.Digest, r exchange.Receipt, err error) {
	peer, manifest := t.Peer, t.Manifest
	m, id, err = jws.PeekManifest(manifest)
	switch {
	case err == nil && t.ID != "" && string(t.ID) != m.TransferID:
		return m, id, r, text.Errorf(text.InvalidInput, errors.New("manifest of another transfer"))
	case err != nil:
		return m, id, r, text.Errorf(text.InvalidInput, err)
	case exchange.AgencyCode(m.Sender) != peer:
		return m, id, r, text.Errorf(text.NotAllowed, errors.New("sender is not the peer"))
	case exchange.AgencyCode(m.Recipient) != g.Self.Agency.Code:
		return m, id, r, text.Errorf(text.NotForUs, nil)
	}
	g.mu.Lock()
	e, ok := g.known[keyOf(m)]
	g.mu.Unlock()
	if ok {
		if e.id != id {
			return m, id, r, text.Errorf(text.ReplayConflict, nil)
		}
		return m, id, e.receipt, nil
	}
	for _, a := range g.Senders {
		if a.Code != peer {
			continue
		}
		var public []crypto.PublicKey
		for _, k := range a.Keys {
			public = append(public, k.Public)
		}
		keys, err := jws.NewKeys(public...)
		if err != nil {
			return m, id, r, fmt.Errorf("keys of %s: %w", a.Code, err)
		}
		if _, _, err := jws.VerifyManifest(manifest, keys); err != nil {
			return m, id, r, text.Errorf(text.NotAllowed, err)
		}
		return m, id, r, nil
	}
	return m, id, r, text.Errorf(text.NotAllowed, errors.New("unknown sender"))
}

func keyOf(m jws.Manifest) exchange.TransferKey {
	return exchange.TransferKey{Recipient: exchange.AgencyCode(m.Recipient), Sender: exchange.AgencyCode(m.Sender), ID: exchange.TransferID(m.TransferID)}
}

func (g *Gateway) keep(m jws.Manifest, id jws.Digest, kind exchange.ReceiptKind, payload []byte) (exchange.Receipt, error) {
	signed, err := SignAnswer(g.Self.Key, kind, m, id)
	if err != nil {
		return exchange.Receipt{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if e, ok := g.known[keyOf(m)]; ok { // came twice at once
		return e.receipt, nil
	}
	r := exchange.Receipt{Kind: kind, JWS: signed}
	g.known[keyOf(m)] = entry{id, r}
	if kind == exchange.ReceiptAccepted {
		g.effect = append(g.effect, payload)
	}
	return r, nil
}

// SignAnswer signs a receipt of that kind for the transfer of m, whose identity is id.
func SignAnswer(key crypto.Signer, kind exchange.ReceiptKind, m jws.Manifest, id jws.Digest) ([]byte, error) {
	r := jws.Receipt{
		Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id.String(), Sender: m.Sender, Recipient: m.Recipient,
		PartsSHA256: jws.PartsDigest(m.Parts), ReceivedAt: Clock(),
	}
	var signed []byte
	var err error
	switch kind {
	case exchange.ReceiptAccepted:
		r.Outcome = jws.Received
		signed, err = jws.SignReceipt(nil, key, r)
	case exchange.ReceiptRejected:
		r.Outcome, r.Code = jws.Refused, string(text.TooLarge)
		signed, err = jws.SignReceipt(nil, key, r)
	case exchange.ReceiptClosed:
		signed, err = jws.SignClosed(nil, key, r)
	}
	if err != nil {
		return nil, fmt.Errorf("signing answer: %w", err)
	}
	return signed, nil
}
