package jws

import (
	"crypto/sha256"
	"fmt"
)

// Unverified is a manifest as it came, taken apart once: first it is looked up,
// then, perhaps, believed. The zero value is no manifest.
type Unverified struct {
	Manifest Manifest // nobody's word until Verify returns nil
	ID       Digest   // of the payload: the identity of the statement
	s        statement
}

// ParseManifest takes a compact manifest apart without believing it. Errors wrap
// ErrFormat or ErrType.
func ParseManifest(compact []byte) (Unverified, error) {
	s, err := split(compact)
	if err != nil {
		return Unverified{}, err
	}
	if s.header.Typ != TypeManifest {
		return Unverified{}, fmt.Errorf("%w: %q instead of %q", ErrType, s.header.Typ, TypeManifest)
	}
	m, err := manifestOf(s.payload)
	return Unverified{Manifest: m, ID: sha256.Sum256(s.payload), s: s}, err
}

// Verify checks the manifest's signature under one of keys. Errors wrap ErrUnknown
// or ErrSignature.
func (u Unverified) Verify(keys Keys) error {
	_, err := u.s.verify(keys)
	return err
}

// PeekReceipt reads a receipt or a closed receipt without believing it, to find the
// transfer that it may be about.
func PeekReceipt(compact []byte) (r Receipt, err error) {
	s, err := split(compact)
	if err != nil {
		return Receipt{}, err
	}
	if s.header.Typ != TypeReceipt && s.header.Typ != TypeClosed {
		return Receipt{}, ErrType
	}
	if err := strict(s.payload, receiptShape, &r); err != nil {
		return Receipt{}, err
	}
	return r, r.Check()
}

// PeekStatement returns who says that it signed a non-delivery, a correction or a
// skip, and to whom it speaks, without believing it.
func PeekStatement(compact []byte) (typ Type, sender, recipient string, err error) {
	s, err := split(compact)
	if err != nil {
		return "", "", "", err
	}
	switch s.header.Typ {
	case TypeNonDelivery:
		var n NonDelivery
		err = strict(s.payload, nonDeliveryShape, &n)
		sender, recipient = n.Sender, n.Recipient
	case TypeCorrection:
		var c Correction
		err = strict(s.payload, correctionShape, &c)
		sender, recipient = c.Sender, c.Recipient
	case TypeSkip:
		var k Skip
		err = strict(s.payload, skipShape, &k)
		sender, recipient = k.Sender, k.Recipient
	default:
		err = ErrType
	}
	return s.header.Typ, sender, recipient, err
}
