package cms

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"
)

// Attribute returns the first signed attribute of type oid.
func (s *SignerInfo) Attribute(oid asn1.ObjectIdentifier) (Attribute, bool) {
	return find(s.Attributes, oid)
}

// UnsignedAttribute returns the first unsigned attribute of type oid.
func (s *SignerInfo) UnsignedAttribute(oid asn1.ObjectIdentifier) (Attribute, bool) {
	return find(s.Unsigned, oid)
}

func find(attrs []Attribute, oid asn1.ObjectIdentifier) (Attribute, bool) {
	i := slices.IndexFunc(attrs, func(a Attribute) bool { return a.OID.Equal(oid) })
	if i < 0 {
		return Attribute{}, false
	}
	return attrs[i], true
}

// value returns a cursor over the first value of the first signed attribute oid;
// nil when there is none.
func (s *SignerInfo) value(oid asn1.ObjectIdentifier) *cursor {
	a, ok := s.Attribute(oid)
	if !ok || len(a.Values) == 0 {
		return nil
	}
	r, err := newReader(a.Values[0])
	if err != nil {
		return nil
	}
	return r.all()
}

// ContentTypeAttr returns the content-type attribute; nil when absent or unreadable.
func (s *SignerInfo) ContentTypeAttr() asn1.ObjectIdentifier {
	c := s.value(OIDContentType)
	if c == nil {
		return nil
	}
	oid, err := c.oid("content-type")
	if err != nil {
		return nil
	}
	return oid
}

// MessageDigest returns the message-digest attribute; nil when absent or unreadable.
func (s *SignerInfo) MessageDigest() []byte {
	c := s.value(OIDMessageDigest)
	if c == nil {
		return nil
	}
	d, err := c.octetString("message-digest")
	if err != nil {
		return nil
	}
	return d
}

// SigningTime returns the signing-time attribute, in UTC; ok is false when it is
// absent or unreadable. It is the signer's claim and proves nothing.
func (s *SignerInfo) SigningTime() (t time.Time, ok bool) {
	a, found := s.Attribute(OIDSigningTime)
	if !found || len(a.Values) == 0 {
		return time.Time{}, false
	}
	if _, err := asn1.Unmarshal(a.Values[0], &t); err != nil {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// Timestamps returns the signature-time-stamp tokens, DER or BER as received.
func (s *SignerInfo) Timestamps() [][]byte { return allValues(s.Unsigned, OIDSignatureTimestamp) }

// ContentTimestamps returns the content-time-stamp tokens as received.
func (s *SignerInfo) ContentTimestamps() [][]byte {
	return allValues(s.Attributes, OIDContentTimestamp)
}

func allValues(attrs []Attribute, oid asn1.ObjectIdentifier) [][]byte {
	var out [][]byte
	for _, a := range attrs {
		if a.OID.Equal(oid) {
			out = append(out, a.Values...)
		}
	}
	return out
}

// CommitmentTypes returns the commitments of commitment-type-indication.
func (s *SignerInfo) CommitmentTypes() []asn1.ObjectIdentifier {
	var out []asn1.ObjectIdentifier
	for _, v := range allValues(s.Attributes, OIDCommitmentType) {
		if oid := firstOID(v); oid != nil {
			out = append(out, oid)
		}
	}
	return out
}

// SignaturePolicy returns the policy of signature-policy-identifier; nil when
// absent, implied or unreadable.
func (s *SignerInfo) SignaturePolicy() asn1.ObjectIdentifier {
	a, ok := s.Attribute(OIDSignaturePolicy)
	if !ok || len(a.Values) == 0 {
		return nil
	}
	return firstOID(a.Values[0])
}

// firstOID reads the object identifier that a SEQUENCE begins with.
func firstOID(value []byte) asn1.ObjectIdentifier {
	r, err := newReader(value)
	if err != nil {
		return nil
	}
	c, err := r.all().enter(tagSequence, "value")
	if err != nil {
		return nil
	}
	oid, err := c.oid("identifier")
	if err != nil {
		return nil
	}
	return oid
}

// AdobeRevocation returns the CRLs and OCSP responses of the signed attribute
// adbe-revocationInfoArchival, DER; what cannot be read is left out.
func (s *SignerInfo) AdobeRevocation() (crls, ocsps [][]byte) {
	c := s.value(OIDAdobeRevocation)
	if c == nil {
		return nil, nil
	}
	archive, err := c.enter(tagSequence, "RevocationInfoArchival")
	if err != nil {
		return nil, nil
	}
	for !archive.empty() {
		choice, err := archive.next()
		if err != nil {
			return crls, ocsps
		}
		items, err := Elements(choice.body)
		if err != nil || len(items) > maxCRLs {
			return crls, ocsps
		}
		switch choice.tag {
		case tagContext0:
			crls = append(crls, items...)
		case tagContext1:
			ocsps = append(ocsps, items...)
		}
	}
	return crls, ocsps
}

// checkKnown reports known attributes whose value cannot be read.
func (s *SignerInfo) checkKnown() {
	bad := func(oid asn1.ObjectIdentifier, unreadable bool) {
		if a, ok := s.Attribute(oid); ok && len(a.Values) > 0 && unreadable {
			s.problem(MalformedAttribute, oid)
		}
	}
	bad(OIDContentType, s.ContentTypeAttr() == nil)
	bad(OIDMessageDigest, s.MessageDigest() == nil)
	_, ok := s.SigningTime()
	bad(OIDSigningTime, !ok)
	_, err := s.ess(OIDSigningCertificateV2, 2)
	bad(OIDSigningCertificateV2, err != nil)
	_, err = s.ess(OIDSigningCertificate, 1)
	bad(OIDSigningCertificate, err != nil)
}

// checkProtection compares CMSAlgorithmProtection with the algorithms in use.
// Parameters absent and NULL are the same to it, since signers differ there.
func (s *SignerInfo) checkProtection(digest, signature algorithm) {
	c := s.value(OIDAlgorithmProtection)
	if c == nil {
		return
	}
	in, err := c.enter(tagSequence, "CMSAlgorithmProtection")
	if err != nil {
		s.problem(MalformedAttribute, OIDAlgorithmProtection)
		return
	}
	d, err := parseAlgorithm(in, "digestAlgorithm")
	if err != nil || !in.at(tagContext1) {
		s.problem(MalformedAttribute, OIDAlgorithmProtection)
		return
	}
	e, err := in.next()
	if err != nil {
		s.problem(MalformedAttribute, OIDAlgorithmProtection)
		return
	}
	sig, err := in.r.algorithm(e, "signatureAlgorithm")
	if err != nil || !d.same(digest) || !sig.same(signature) {
		s.problem(ProtectionMismatch, OIDAlgorithmProtection)
	}
}

func (a algorithm) same(b algorithm) bool {
	null := func(p []byte) bool { return p == nil || bytes.Equal(p, []byte{5, 0}) }
	return a.oid.Equal(b.oid) && (bytes.Equal(a.params, b.params) || null(a.params) && null(b.params))
}

// IsAttributeSet reports whether content reads as a DER SET OF Attribute. A
// signature without signed attributes over such content may be one that was made
// over attributes and stripped of them, so that it must never be accepted.
func IsAttributeSet(content []byte) bool {
	r, err := newReader(content)
	if err != nil {
		return false
	}
	c := r.all()
	e, err := c.expect(tagSet, "attributes")
	if err != nil || !c.empty() {
		return false
	}
	attrs, err := parseAttributes(r, e)
	return err == nil && len(attrs) > 0
}

// received is the signed attributes as received, re-tagged for hashing (RFC 5652, 5.4).
func received(raw []byte) []byte {
	out := bytes.Clone(raw)
	out[0] = tagSet
	return out
}

// sortedAttributes is the DER SET of the attributes in raw: sorted, of definite length.
func sortedAttributes(raw []byte) ([]byte, error) {
	items, err := Elements(raw)
	if err != nil {
		return nil, fmt.Errorf("signedAttrs: %w", err)
	}
	return derSetOf(tagSet, items), nil
}
