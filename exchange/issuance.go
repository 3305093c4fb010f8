package exchange

import (
	"fmt"
	"time"
)

// Vietnam is the zone of every date on a document and of the register's year:
// UTC+7, without daylight saving.
var Vietnam = time.FixedZone("+07", 7*3600)

// Fact is something that happened once: when and by whom. The zero value has not
// happened. A fact is never undone and a retry never repeats it.
type Fact struct {
	At time.Time `json:"at,omitzero"`
	By Actor     `json:"by,omitzero"`
}

// Done reports whether the fact stands.
func (f Fact) Done() bool { return !f.At.IsZero() }

// Issuance is how one PDF becomes official, in the order of NĐ 30/2020 art. 14
// and 32: the competent person approves and signs it, văn thư numbers and dates
// it, then seals it, and so it is issued. Each file is kept; each is an exact
// prefix of the next.
type Issuance struct {
	Draft  Blob `json:"draft"`           // before any signature of ours
	Signed Blob `json:"signed,omitzero"` // with the person's signature
	Final  Blob `json:"final,omitzero"`  // numbered, dated, sealed, B-LT
	// Prepared is true when the draft holds the empty number, date and signature
	// fields of our own layout, false for a PDF made elsewhere.
	Prepared bool    `json:"prepared"`
	Signer   Signer  `json:"signer,omitzero"`
	Field    string  `json:"field,omitempty"` // the person's signature field
	Number   Number  `json:"number,omitzero"`
	Approved Fact    `json:"approved,omitzero"`
	Signing  Fact    `json:"signing,omitzero"` // signed by the person
	Numbered Fact    `json:"numbered,omitzero"`
	Sealed   Fact    `json:"sealed,omitzero"`
	Issued   Fact    `json:"issued,omitzero"`
	Verdict  Verdict `json:"verdict,omitzero"` // of our own validation of Final
	// Asked says whose turn it is, Returned that the person sent the draft back.
	Asked    Asked    `json:"asked,omitzero"`
	Returned Returned `json:"returned,omitzero"`
}

// Signer is the competent person as the document names them. Known from the start
// when the draft prints the name, else from the signing.
type Signer struct {
	ActorID    string `json:"actor_id"`
	Name       string `json:"name"`
	Position   string `json:"position"`
	Competence string `json:"competence,omitempty"`
	// Certificate is the SHA-256 of the certificate that the person signed with;
	// empty before.
	Certificate Digest `json:"certificate,omitempty"`
}

// Stage is how far an Issuance has come.
type Stage string

// The stages, in order.
const (
	StageDraft             Stage = "draft"
	StageAwaitingSignature Stage = "awaiting_signature" // a lãnh đạo was asked to sign
	StageSigned            Stage = "signed"
	StageAwaitingSeal      Stage = "awaiting_seal" // signed, and a văn thư was asked to seal
	StageNumbered          Stage = "numbered"      // numbered, the seal still outstanding
	StageIssued            Stage = "issued"
)

// Stage returns how far i has come, derived from its facts.
func (i Issuance) Stage() Stage {
	switch {
	case i.Issued.Done():
		return StageIssued
	case i.Numbered.Done():
		return StageNumbered
	case i.Signing.Done() && i.Asked.Seal.Done():
		return StageAwaitingSeal
	case i.Signing.Done():
		return StageSigned
	case i.Asked.Signature.Done() || i.Asked.Seal.Done():
		return StageAwaitingSignature
	}
	return StageDraft
}

// Newest returns the most advanced file of i.
func (i Issuance) Newest() Blob {
	switch {
	case !i.Final.IsZero():
		return i.Final
	case !i.Signed.IsZero():
		return i.Signed
	}
	return i.Draft
}

// Number is a place in an agency's register of outgoing documents: the number
// and notation (số, ký hiệu) and the date of promulgation.
type Number struct {
	Year     int       `json:"year"`
	Seq      int       `json:"seq"`
	Notation string    `json:"notation"` // "QĐ-UBND"
	Date     time.Time `json:"date"`     // midnight of the day in Vietnam, as UTC
}

// IsZero reports whether no number was given yet.
func (n Number) IsZero() bool { return n.Seq == 0 }

// CodeNumber is the number as printed: at least two digits (NĐ 30/2020, Annex I).
func (n Number) CodeNumber() string { return fmt.Sprintf("%02d", n.Seq) }

// String is the full number, "07/QĐ-UBND"; empty for the zero value.
func (n Number) String() string {
	if n.IsZero() {
		return ""
	}
	return n.CodeNumber() + "/" + n.Notation
}

// dayIn returns midnight, in Vietnam, of the day t falls on there.
func dayIn(t time.Time) time.Time {
	y, m, d := t.In(Vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Vietnam)
}
