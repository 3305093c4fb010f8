package jws

import (
	"crypto"
	"io"
	"time"
)

// The reasons of a NonDelivery.
const (
	// ReasonClosed: the recipient promised to take no bytes; ProofSHA256 names the promise.
	ReasonClosed = "closed"
	// ReasonExpired: the time ran out and the recipient could not be asked.
	ReasonExpired = "expired"
)

// NonDelivery is what a sender states of a transfer that did not arrive: the twin
// of a receipt, signed by the other side. Times are UTC, whole seconds.
type NonDelivery struct {
	Version        int       `json:"version"`
	TransferID     string    `json:"transferId"`
	ManifestSHA256 string    `json:"manifestSha256"`
	Sender         string    `json:"sender"` // who signs
	Recipient      string    `json:"recipient"`
	DocumentID     string    `json:"documentId,omitempty"`
	Number         string    `json:"number,omitempty"`
	Reason         string    `json:"reason"`                // ReasonClosed or ReasonExpired
	ProofSHA256    string    `json:"proofSha256,omitempty"` // of the closed receipt's bytes; empty without one
	StatedAt       time.Time `json:"statedAt"`
}

// Correction takes a NonDelivery back: a receipt came after all.
type Correction struct {
	Version        int       `json:"version"`
	TransferID     string    `json:"transferId"`
	ManifestSHA256 string    `json:"manifestSha256"`
	Sender         string    `json:"sender"` // who signs
	Recipient      string    `json:"recipient"`
	CorrectsSHA256 string    `json:"correctsSha256"` // the identity of the NonDelivery
	ReceiptSHA256  string    `json:"receiptSha256"`  // of the receipt's bytes
	StatedAt       time.Time `json:"statedAt"`
}

// Skip gives up places in a lane: no transfer with these numbers will come, and
// nobody need wait for them.
type Skip struct {
	Version   int       `json:"version"`
	Sender    string    `json:"sender"` // who signs
	Recipient string    `json:"recipient"`
	Lane      Lane      `json:"lane"`  // of the first place
	Count     int64     `json:"count"` // of places, from that one on
	StatedAt  time.Time `json:"statedAt"`
}

// maxSkip bounds the places of one Skip: more than a lane can hold waiting.
const maxSkip = 1 << 20

var (
	nonDeliveryShape = shape{"": {"version", "transferId", "manifestSha256", "sender", "recipient", "documentId", "number",
		"reason", "proofSha256", "statedAt"}}
	correctionShape = shape{"": {"version", "transferId", "manifestSha256", "sender", "recipient", "correctsSha256",
		"receiptSha256", "statedAt"}}
	skipShape = shape{"": {"version", "sender", "recipient", "lane", "count", "statedAt"}, "lane": {"class", "epoch", "seq"}}
)

// Check reports the first field of n that is out of bounds, wrapping ErrFormat.
func (n NonDelivery) Check() error {
	if err := checkParties(n.Version, n.Sender, n.Recipient, n.StatedAt); err != nil {
		return err
	}
	switch {
	case !isUUID(n.TransferID):
		return fieldError("transferId")
	case !isDigest(n.ManifestSHA256):
		return fieldError("manifestSha256")
	case !isText(n.DocumentID, maxText):
		return fieldError("documentId")
	case !isText(n.Number, maxText):
		return fieldError("number")
	case n.Reason != ReasonClosed && n.Reason != ReasonExpired:
		return fieldError("reason")
	case (n.Reason == ReasonClosed) != (n.ProofSHA256 != ""), n.ProofSHA256 != "" && !isDigest(n.ProofSHA256):
		return fieldError("proofSha256")
	}
	return nil
}

// Check reports the first field of c that is out of bounds, wrapping ErrFormat.
func (c Correction) Check() error {
	if err := checkParties(c.Version, c.Sender, c.Recipient, c.StatedAt); err != nil {
		return err
	}
	switch {
	case !isUUID(c.TransferID):
		return fieldError("transferId")
	case !isDigest(c.ManifestSHA256):
		return fieldError("manifestSha256")
	case !isDigest(c.CorrectsSHA256):
		return fieldError("correctsSha256")
	case !isDigest(c.ReceiptSHA256):
		return fieldError("receiptSha256")
	}
	return nil
}

// Check reports the first field of s that is out of bounds, wrapping ErrFormat.
func (s Skip) Check() error {
	if err := checkParties(s.Version, s.Sender, s.Recipient, s.StatedAt); err != nil {
		return err
	}
	switch {
	case !s.Lane.valid():
		return fieldError("lane")
	case s.Count < 1 || s.Count > maxSkip:
		return fieldError("count")
	}
	return nil
}

func (l Lane) valid() bool {
	return l.Epoch >= 0 && l.Seq >= 1 && l.Class != "" && isText(l.Class, maxCode)
}

func checkParties(version int, sender, recipient string, at time.Time) error {
	switch {
	case version != Version:
		return fieldError("version")
	case !isCode(sender):
		return fieldError("sender")
	case !isCode(recipient):
		return fieldError("recipient")
	case at.IsZero():
		return fieldError("statedAt")
	}
	return nil
}

// checked is a statement that knows its bounds.
type checked interface{ Check() error }

// signChecked signs v when it is within its bounds.
func signChecked(random io.Reader, key crypto.Signer, typ Type, v checked) ([]byte, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	return signJSON(random, key, typ, v)
}

// verifyChecked verifies a statement of typ into v, which into points to.
func verifyChecked[T checked](compact []byte, typ Type, s shape, keys Keys) (v T, err error) {
	payload, _, err := Verify(compact, typ, keys)
	if err != nil {
		return v, err
	}
	if err := strict(payload, s, &v); err != nil {
		return v, err
	}
	return v, v.Check()
}

// SignNonDelivery checks n and signs it. See Sign.
func SignNonDelivery(random io.Reader, key crypto.Signer, n NonDelivery) ([]byte, error) {
	n.StatedAt = whole(n.StatedAt)
	return signChecked(random, key, TypeNonDelivery, n)
}

// VerifyNonDelivery verifies a statement of non-delivery. See Verify.
func VerifyNonDelivery(compact []byte, keys Keys) (NonDelivery, error) {
	return verifyChecked[NonDelivery](compact, TypeNonDelivery, nonDeliveryShape, keys)
}

// SignCorrection checks c and signs it. See Sign.
func SignCorrection(random io.Reader, key crypto.Signer, c Correction) ([]byte, error) {
	c.StatedAt = whole(c.StatedAt)
	return signChecked(random, key, TypeCorrection, c)
}

// VerifyCorrection verifies a correction. See Verify.
func VerifyCorrection(compact []byte, keys Keys) (Correction, error) {
	return verifyChecked[Correction](compact, TypeCorrection, correctionShape, keys)
}

// SignSkip checks s and signs it. See Sign.
func SignSkip(random io.Reader, key crypto.Signer, s Skip) ([]byte, error) {
	s.StatedAt = whole(s.StatedAt)
	return signChecked(random, key, TypeSkip, s)
}

// VerifySkip verifies a skip of places in a lane. See Verify.
func VerifySkip(compact []byte, keys Keys) (Skip, error) {
	return verifyChecked[Skip](compact, TypeSkip, skipShape, keys)
}
