package jws

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Version is the version of all statements. A statement of another is refused.
const Version = 1

// Kind says what a transfer carries.
type Kind string

// The kinds of transfer.
const (
	KindDocument Kind = "document"
	KindStatus   Kind = "status" // a business signal
)

// Part is one piece of a transfer's bytes.
type Part struct {
	Name      string `json:"name"` // of the sender; never a path
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"` // bytes
	SHA256    string `json:"sha256"`
}

// Lane is a transfer's place in the order of its sender, recipient and class.
// Epoch grows when a sender was restored from a backup.
type Lane struct {
	Class string `json:"class"`
	Epoch int64  `json:"epoch"`
	Seq   int64  `json:"seq"` // from 1
}

// Manifest is what a sender says it hands over. Times are UTC, whole seconds.
type Manifest struct {
	Version    int       `json:"version"`
	TransferID string    `json:"transferId"` // UUID, lower case
	Sender     string    `json:"sender"`
	Recipient  string    `json:"recipient"` // the only agency that may take it
	Kind       Kind      `json:"kind"`
	DocumentID string    `json:"documentId,omitempty"` // of edXML
	Number     string    `json:"number,omitempty"`     // full number, "7816/VPCP-TTĐT"
	Parts      []Part    `json:"parts"`
	Lane       *Lane     `json:"lane,omitempty"`
	Priority   int       `json:"priority"` // 0 to 4, as in edXML
	Supersedes string    `json:"supersedes,omitempty"`
	CreatedAt  time.Time `json:"createdAt"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

// Outcome is what a recipient did with a transfer.
type Outcome string

// The outcomes.
const (
	Received Outcome = "received" // the bytes are safe at the recipient
	Refused  Outcome = "refused"  // they will never be taken
)

// Receipt is what a recipient says it took or refused: bytes, digests and the
// sender's identity, nothing about what the bytes are worth. It is also the
// payload of a closed receipt, without outcome. Times are UTC, whole seconds.
type Receipt struct {
	Version        int    `json:"version"`
	TransferID     string `json:"transferId"`
	ManifestSHA256 string `json:"manifestSha256"` // of the manifest's payload, see PayloadDigest
	Sender         string `json:"sender"`         // of the transfer
	Recipient      string `json:"recipient"`      // who signs
	// Outcome is empty in a closed receipt. Code is the reason of a refusal, empty else.
	Outcome     Outcome   `json:"outcome,omitempty"`
	Code        string    `json:"code,omitempty"`
	PartsSHA256 string    `json:"partsSha256"` // see PartsDigest
	ReceivedAt  time.Time `json:"receivedAt"`  // by the recipient's clock
}

// PartsDigest is the SHA-256, in hexadecimal, over the parts' raw digests in the
// manifest's order.
func PartsDigest(parts []Part) string {
	h := sha256.New()
	for _, p := range parts {
		raw, _ := hex.DecodeString(p.SHA256) // Check has seen that it is hexadecimal
		h.Write(raw)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// SignManifest checks m and signs it. See Sign.
func SignManifest(random io.Reader, key crypto.Signer, m Manifest) ([]byte, error) {
	m.CreatedAt, m.ExpiresAt = whole(m.CreatedAt), whole(m.ExpiresAt)
	if err := m.Check(); err != nil {
		return nil, err
	}
	return signJSON(random, key, TypeManifest, m)
}

// VerifyManifest verifies a manifest and returns it with its identity. See Verify.
func VerifyManifest(compact []byte, keys Keys) (m Manifest, id Digest, err error) {
	payload, _, err := Verify(compact, TypeManifest, keys)
	if err != nil {
		return Manifest{}, id, err
	}
	m, err = manifestOf(payload)
	return m, sha256.Sum256(payload), err
}

// PeekManifest reads a manifest without believing it, for those who only carry
// it or look up where it belongs.
func PeekManifest(compact []byte) (m Manifest, id Digest, err error) {
	s, err := split(compact)
	if err != nil {
		return Manifest{}, id, err
	}
	if s.header.Typ != TypeManifest {
		return Manifest{}, id, ErrType
	}
	m, err = manifestOf(s.payload)
	return m, sha256.Sum256(s.payload), err
}

func manifestOf(payload []byte) (Manifest, error) {
	var m Manifest
	if err := strict(payload, manifestShape, &m); err != nil {
		return Manifest{}, err
	}
	return m, m.Check()
}

// SignReceipt checks r and signs it. See Sign.
func SignReceipt(random io.Reader, key crypto.Signer, r Receipt) ([]byte, error) {
	r.ReceivedAt = whole(r.ReceivedAt)
	if r.Outcome == "" {
		return nil, fmt.Errorf("%w: receipt without outcome", ErrFormat)
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return signJSON(random, key, TypeReceipt, r)
}

// VerifyReceipt verifies a receipt's signature and form; whether it answers the
// right transfer is Answers' question. kid is the key that signed it. See Verify.
func VerifyReceipt(compact []byte, keys Keys) (r Receipt, kid string, err error) {
	r, kid, err = receiptOf(compact, TypeReceipt, keys)
	if err == nil && r.Outcome == "" {
		err = fmt.Errorf("%w: receipt without outcome", ErrFormat)
	}
	return r, kid, err
}

// SignClosed signs r, which has no outcome, as a closed receipt: the promise to
// take no bytes of the transfer any more. See Sign.
func SignClosed(random io.Reader, key crypto.Signer, r Receipt) ([]byte, error) {
	r.ReceivedAt = whole(r.ReceivedAt)
	if r.Outcome != "" {
		return nil, fmt.Errorf("%w: closed receipt with an outcome", ErrFormat)
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return signJSON(random, key, TypeClosed, r)
}

// VerifyClosed verifies a closed receipt. See VerifyReceipt.
func VerifyClosed(compact []byte, keys Keys) (r Receipt, kid string, err error) {
	r, kid, err = receiptOf(compact, TypeClosed, keys)
	if err == nil && r.Outcome != "" {
		err = fmt.Errorf("%w: closed receipt with an outcome", ErrFormat)
	}
	return r, kid, err
}

// TypeOf returns the type that a statement claims, without believing it.
func TypeOf(compact []byte) (Type, error) {
	s, err := split(compact)
	return s.header.Typ, err
}

func receiptOf(compact []byte, typ Type, keys Keys) (r Receipt, kid string, err error) {
	payload, kid, err := Verify(compact, typ, keys)
	if err != nil {
		return Receipt{}, "", err
	}
	if err := strict(payload, receiptShape, &r); err != nil {
		return Receipt{}, "", err
	}
	return r, kid, r.Check()
}

// Answers reports whether r is about the transfer of manifest m, whose identity
// is id, and not about any other.
func (r Receipt) Answers(m Manifest, id Digest) bool {
	return r.TransferID == m.TransferID && r.ManifestSHA256 == id.String() && r.Sender == m.Sender &&
		r.Recipient == m.Recipient && r.PartsSHA256 == PartsDigest(m.Parts)
}

func signJSON(random io.Reader, key crypto.Signer, typ Type, v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("writing statement: %w", err)
	}
	return Sign(random, key, typ, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
