package validation

import (
	"encoding/asn1"
	"encoding/hex"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/tsp"
)

// Statement says how a statement of the CMS was judged.
type Statement string

// The judgements.
const (
	StatementAbsent     Statement = ""
	StatementOK         Statement = "ok"
	StatementBroken     Statement = "broken"
	StatementNotChecked Statement = "not_checked" // nothing is known against which it could be
)

// Attributes is what a signer stated in the CMS beside the signature (RFC 5652, 11;
// EN 319 122-1, 5). Lists are never null. The zero value is that of a document
// time-stamp or of an unreadable CMS.
type Attributes struct {
	// SigningCertificate are the versions of the ESS signing-certificate attribute
	// that are present ("v2", "v1"); each names the certificate that was used.
	SigningCertificate []string `json:"signing_certificate"`
	// Policy is the signature policy under which the signer says to have signed.
	Policy SignaturePolicy `json:"policy"`
	// Commitments are what the signer commits to, by name or object identifier.
	Commitments []string `json:"commitments"`
	// Roles are the roles claimed; nobody certifies them.
	Roles []string `json:"roles"`
	// CertifiedRoles reports attributes certified by somebody else, not looked into.
	CertifiedRoles bool `json:"certified_roles"`
	// AlgorithmProtection judges CMSAlgorithmProtection (RFC 6211).
	AlgorithmProtection Statement `json:"algorithm_protection"`
	// ContentTimestamps are the time-stamps made before signing.
	ContentTimestamps []Timestamp `json:"content_timestamps"`
	// CounterSignatures are signatures over the signature value (RFC 5652, 11.4).
	CounterSignatures []CounterSignature `json:"countersignatures"`
	// ArchiveTimestamps are archive time-stamps inside the CMS. Those of EN 319 122-1,
	// 5.5.3 are judged where the signature is a file of its own; older ones (TS 101 733)
	// and those of a document, where PAdES does not use them, are named and prove nothing.
	ArchiveTimestamps []ArchiveTimestamp `json:"archive_timestamps"`
	// AttributeCertificates counts the attribute certificates in the CMS (RFC 5755):
	// named, not judged.
	AttributeCertificates int `json:"attribute_certificates"`
	// Others are the attributes present that are not known here, by identifier.
	Others []string `json:"others"`
}

// SignaturePolicy is a signature-policy-identifier.
type SignaturePolicy struct {
	OID    string    `json:"oid"` // dotted; "implied" when none is named
	URI    string    `json:"uri"`
	Digest string    `json:"digest"` // lower-case hex of the document's digest as signed
	Status Statement `json:"status"` // ok: the digest is that of the document known here
}

// CounterSignature is one countersignature. Only its value is judged: it proves
// nothing about the document and moves no verdict to the better.
type CounterSignature struct {
	Signer string    `json:"signer"`
	Status Statement `json:"status"`
}

// ArchiveTimestamp is an archive time-stamp of a CMS as it says of itself.
type ArchiveTimestamp struct {
	Version string    `json:"version"` // v1, v2, v3 or long-term-validation
	Time    Time      `json:"time"`    // zero for a token that cannot be read
	TSA     string    `json:"tsa"`
	Status  Statement `json:"status"`
	// Indication and SubIndication are empty where it was not judged.
	Indication    ades.Indication    `json:"indication"`
	SubIndication ades.SubIndication `json:"sub_indication"`
}

// KnownSignaturePolicy is a signature policy's document as known to the validator.
type KnownSignaturePolicy struct {
	// Digests are of the document, in hex, one for each algorithm that signers use.
	Digests []string
}

// newAttributes is an empty statement: its lists are there.
func newAttributes() Attributes {
	return Attributes{SigningCertificate: []string{}, Commitments: []string{}, Roles: []string{}, ContentTimestamps: []Timestamp{},
		CounterSignatures: []CounterSignature{}, ArchiveTimestamps: []ArchiveTimestamp{}, Others: []string{}}
}

// commitments are the known commitment types (EN 319 122-1, 5.2.3) by name.
var commitments = []struct {
	oid  asn1.ObjectIdentifier
	name string
}{
	{cms.OIDProofOfOrigin, "proof-of-origin"}, {cms.OIDProofOfReceipt, "proof-of-receipt"}, {cms.OIDProofOfDelivery, "proof-of-delivery"},
	{cms.OIDProofOfSender, "proof-of-sender"}, {cms.OIDProofOfApproval, "proof-of-approval"}, {cms.OIDProofOfCreation, "proof-of-creation"},
}

// knownAttributes are those that some part of the validation looks at.
var knownAttributes = []asn1.ObjectIdentifier{
	cms.OIDContentType, cms.OIDMessageDigest, cms.OIDSigningTime, cms.OIDCounterSignature, cms.OIDAlgorithmProtection,
	cms.OIDSigningCertificate, cms.OIDSigningCertificateV2, cms.OIDSignatureTimestamp, cms.OIDSignaturePolicy,
	cms.OIDCommitmentType, cms.OIDContentTimestamp, cms.OIDArchiveTimestamp, cms.OIDArchiveTimestampV2, cms.OIDArchiveTimestampV3,
	cms.OIDLongTermValidation, cms.OIDCertificateValues, cms.OIDRevocationValues, cms.OIDSignerAttributesV2, cms.OIDAdobeRevocation,
}

// readAttributes lists and judges what the signer of s stated, as far as it needs
// no certification path. Content time-stamps are judged where they are used.
func (v *validation) readAttributes(s *subject) {
	a := &s.out.Attributes
	for _, id := range s.info.ESS() {
		a.SigningCertificate = append(a.SigningCertificate, map[int]string{1: "v1", 2: "v2"}[id.Version])
	}
	for _, oid := range s.info.CommitmentTypes() {
		a.Commitments = append(a.Commitments, commitmentName(oid))
	}
	a.Roles = append(a.Roles, s.info.ClaimedRoles()...)
	a.CertifiedRoles = s.info.CertifiedRoles()
	if _, there := s.info.Attribute(cms.OIDAlgorithmProtection); there {
		a.AlgorithmProtection = StatementOK // a mismatch is a format failure and never comes here
	}
	for _, list := range [][]cms.Attribute{s.info.Attributes, s.info.Unsigned} {
		for _, one := range list {
			if !isKnown(one.OID) {
				a.Others = append(a.Others, one.OID.String())
			}
		}
	}
	for _, der := range s.data.Unparsable {
		if len(der) > 0 && (der[0] == tagV1AttrCert || der[0] == tagV2AttrCert) {
			a.AttributeCertificates++
		}
	}
	v.archiveTimestamps(s)
	v.counterSignatures(s)
}

// The choices of CertificateSet that are attribute certificates (RFC 5652, 10.2.2).
const (
	tagV1AttrCert = 0xa1
	tagV2AttrCert = 0xa2
)

func commitmentName(oid asn1.ObjectIdentifier) string {
	for _, c := range commitments {
		if c.oid.Equal(oid) {
			return c.name
		}
	}
	return oid.String()
}

func isKnown(oid asn1.ObjectIdentifier) bool {
	for _, k := range knownAttributes {
		if k.Equal(oid) {
			return true
		}
	}
	return false
}

// counterSignatures judges the countersignatures of s by their values. A broken one
// is a note: it is somebody else's signature over this one.
func (v *validation) counterSignatures(s *subject) {
	if _, there := s.info.UnsignedAttribute(cms.OIDCounterSignature); !there {
		return
	}
	list, err := s.info.CounterSignatures()
	for _, counter := range list {
		one := CounterSignature{Status: StatementNotChecked}
		if c, certErr := counter.SigningCertificate(v.pool); certErr == nil {
			one.Signer, one.Status = c.Subject, StatementOK
			if s.info.VerifyCounter(counter, c) != nil {
				one.Status, err = StatementBroken, cms.ErrSignature
			}
		}
		s.out.Attributes.CounterSignatures = append(s.out.Attributes.CounterSignatures, one)
	}
	if err != nil {
		s.reason(ValidWithNotes, ReasonCounter)
	}
}

// contentStamps judges the content time-stamps of s (EN 319 122-1, 5.2.8): each
// proves that the signature is younger than it. The latest valid one is kept.
func (v *validation) contentStamps(s *subject) {
	poe, _ := v.existence(s)
	for _, der := range s.info.ContentTimestamps() {
		t, err := tsp.ParseToken(der)
		if err != nil {
			s.out.Attributes.ContentTimestamps = append(s.out.Attributes.ContentTimestamps,
				Timestamp{Indication: ades.TotalFailed, SubIndication: ades.FormatFailure})
			s.reason(ValidWithNotes, ReasonTimestamp, text.Get("validation.token.malformed"))
			continue
		}
		st, why := v.judgeStamp(t, s.digest(t.Hash), poe)
		s.out.Attributes.ContentTimestamps = append(s.out.Attributes.ContentTimestamps,
			Timestamp{Time: Time{t.GenTime}, TSA: st.tsa, Indication: st.indication, SubIndication: st.sub})
		switch {
		case st.indication != ades.TotalPassed:
			s.reason(ValidWithNotes, ReasonTimestamp, why)
		case t.GenTime.After(s.younger):
			s.younger = t.GenTime
		}
	}
}

// policyDigest is the digest of a signature policy as signed, in hex.
func policyDigest(p *cms.PolicyReference) string { return hex.EncodeToString(p.Digest) }
