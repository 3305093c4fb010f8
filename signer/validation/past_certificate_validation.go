package validation

import (
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/ades"
)

// pastCertificate is the past certificate validation of EN 319 102-1, 5.6.2.1: until
// when a path that held at a proven time could be relied on, by what is known today.
// The path itself was validated before, at a time at which every certificate of it
// was valid. What is missing is its NO_POE.
func (v *validation) pastCertificate(path certs.Path, fresh time.Time, signer bool) (time.Time, *MissingProof) {
	if len(path) < 2 {
		return v.at, nil // the anchor itself: nothing above it can have ended
	}
	return v.slide(path, fresh, signer)
}

// ProofKind says of what the existence is not proven.
type ProofKind string

// The kinds.
const (
	ProofOfSignature   ProofKind = "signature"   // the signature value itself
	ProofOfCertificate ProofKind = "certificate" // a certificate of the path
	ProofOfRevocation  ProofKind = "revocation"  // usable revocation data on a certificate of the path
)

// MissingProof is one object that would have to be proven to have existed in time.
type MissingProof struct {
	Kind ProofKind `json:"kind"`
	// Subject is of the certificate concerned; empty for the signature itself.
	Subject string `json:"subject"`
}

func missingProof(kind ProofKind, c *certs.Certificate) *MissingProof {
	return &MissingProof{Kind: kind, Subject: c.Subject}
}

// PastValidation is what the past certificate validation (EN 319 102-1, 5.6.2.1) found
// of a signature whose path has ended since. The signature's own indication is then
// that of today (5.6.2.4.4); this says which proof would have saved it.
type PastValidation struct {
	// SubIndication is NO_POE.
	SubIndication ades.SubIndication `json:"sub_indication"`
	// ControlTime is by when the object had to exist.
	ControlTime Time           `json:"control_time"`
	Missing     []MissingProof `json:"missing"`
}

// words names the object to a person.
func (m MissingProof) words() text.Message {
	if m.Kind == ProofOfSignature {
		return text.Get("validation.proof.signature")
	}
	return say(text.Key("validation.proof."+m.Kind), m.Subject)
}
