package cms

import (
	"bytes"
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"unicode/utf8"

	"antin/certs"
	"antin/signer/ades"
)

// PolicyReference is the signature-policy-identifier of a signer (EN 319 122-1, 5.2.9).
type PolicyReference struct {
	// OID names the policy; nil when it is implied.
	OID asn1.ObjectIdentifier
	// Hash and Digest are of the policy's document; zero when not given or unknown.
	Hash   crypto.Hash
	Digest []byte
	// URI is where the document is said to be; empty when not said.
	URI string
}

// PolicyReference reads signature-policy-identifier; nil when it is absent. The
// error wraps ErrMalformed and means that the attribute is there and unreadable.
func (s *SignerInfo) PolicyReference() (*PolicyReference, error) {
	c := s.value(OIDSignaturePolicy)
	if c == nil {
		if _, there := s.Attribute(OIDSignaturePolicy); there {
			return nil, fmt.Errorf("%w: signature-policy-identifier", ErrMalformed)
		}
		return nil, nil
	}
	const tagNull = 0x05
	if c.at(tagNull) {
		return &PolicyReference{}, nil // SignaturePolicyImplied
	}
	in, err := c.enter(tagSequence, "SignaturePolicyId")
	if err != nil {
		return nil, err
	}
	p := &PolicyReference{}
	if p.OID, err = in.oid("sigPolicyId"); err != nil {
		return nil, err
	}
	if in.empty() {
		return p, nil
	}
	hash, err := in.enter(tagSequence, "sigPolicyHash")
	if err != nil {
		return nil, err
	}
	alg, err := parseAlgorithm(hash, "hashAlgorithm")
	if err != nil {
		return nil, err
	}
	p.Hash, _ = ades.HashFromOID(alg.oid)
	if p.Digest, err = hash.octetString("hashValue"); err != nil {
		return nil, err
	}
	p.URI = policyURI(in)
	return p, nil
}

// policyURI finds the SPuri qualifier; qualifiers that cannot be read are passed over.
func policyURI(in *cursor) string {
	const tagIA5String = 0x16
	if in.empty() {
		return ""
	}
	list, err := in.enter(tagSequence, "sigPolicyQualifiers")
	if err != nil {
		return ""
	}
	for !list.empty() {
		q, err := list.enter(tagSequence, "SigPolicyQualifierInfo")
		if err != nil {
			return ""
		}
		oid, err := q.oid("sigPolicyQualifierId")
		if err != nil {
			return ""
		}
		if !oid.Equal(oidPolicyURI) {
			continue
		}
		if e, err := q.expect(tagIA5String, "SPuri"); err == nil && utf8.Valid(e.body) {
			return string(e.body)
		}
	}
	return ""
}

// maxRoles bounds the roles read of one signer: a person states one or two.
const maxRoles = 16

// ClaimedRoles are the roles of signer-attributes-v2 (EN 319 122-1, 5.2.6.1) that
// the signer claims and nobody certifies, as text; what cannot be read is left out.
func (s *SignerInfo) ClaimedRoles() []string {
	c := s.value(OIDSignerAttributesV2)
	if c == nil {
		return nil
	}
	in, err := c.enter(tagSequence, "SignerAttributeV2")
	if err != nil || !in.at(tagContext0) {
		return nil
	}
	claimed, err := in.enter(tagContext0, "claimedAttributes")
	if err != nil {
		return nil
	}
	list, err := claimed.enter(tagSequence, "ClaimedAttributes")
	if err != nil {
		return nil
	}
	var roles []string
	for !list.empty() && len(roles) < maxRoles {
		a, err := list.next()
		if err != nil {
			return roles
		}
		if role := roleOf(a.raw); role != "" {
			roles = append(roles, role)
		}
	}
	return roles
}

// CertifiedRoles reports whether signer-attributes-v2 also carries attributes that
// somebody else certified or asserted, which are not looked into here.
func (s *SignerInfo) CertifiedRoles() bool {
	c := s.value(OIDSignerAttributesV2)
	if c == nil {
		return false
	}
	in, err := c.enter(tagSequence, "SignerAttributeV2")
	if err != nil {
		return false
	}
	for !in.empty() {
		e, err := in.next()
		if err != nil {
			return false
		}
		if e.tag != tagContext0 {
			return true
		}
	}
	return false
}

// roleOf is the text of one claimed attribute: the name or the address that a
// RoleSyntax holds, or the value of any other attribute that is plain text.
func roleOf(attribute []byte) string {
	var a struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}
	if _, err := asn1.Unmarshal(attribute, &a); err != nil || len(a.Values) == 0 {
		return ""
	}
	v := a.Values[0]
	if !a.Type.Equal(oidRole) {
		return plainText(v)
	}
	var role struct {
		Authority asn1.RawValue `asn1:"optional,tag:0"`
		Name      asn1.RawValue `asn1:"tag:1"`
	}
	if _, err := asn1.Unmarshal(v.FullBytes, &role); err != nil {
		return ""
	}
	var general asn1.RawValue
	if _, err := asn1.Unmarshal(role.Name.Bytes, &general); err != nil {
		return ""
	}
	const tagURI, tagDirectory = 6, 4
	switch general.Tag {
	case tagURI:
		return printableText(general.Bytes)
	case tagDirectory:
		var name pkix.RDNSequence
		if _, err := asn1.Unmarshal(general.Bytes, &name); err != nil {
			return ""
		}
		for _, set := range name {
			for _, one := range set {
				if text, ok := one.Value.(string); ok && one.Type.Equal(oidCommonName) {
					return printableText([]byte(text))
				}
			}
		}
		return printableText([]byte(name.String()))
	}
	return ""
}

func plainText(v asn1.RawValue) string {
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String:
		return printableText(v.Bytes)
	}
	return ""
}

// printableText is b as text of bounded length; "" when it is none.
func printableText(b []byte) string {
	if !utf8.Valid(b) || len(b) > maxRole {
		return ""
	}
	return string(b)
}

// CounterSignatures reads the countersignatures (RFC 5652, 11.4): each is over the
// signature value of s. The error tells of the first that cannot be read; those
// before it are returned.
func (s *SignerInfo) CounterSignatures() ([]*SignerInfo, error) {
	var list []*SignerInfo
	for _, der := range allValues(s.Unsigned, OIDCounterSignature) {
		r, err := newReader(der)
		if err != nil {
			return list, err
		}
		one, err := parseSigner(r.all())
		if err != nil {
			return list, err
		}
		list = append(list, one)
	}
	return list, nil
}

// VerifyCounter verifies the countersignature counter over the signature value of
// s: its message-digest attribute, and its own value with cert's key. Errors wrap
// ErrSignature, ErrUnsupported or ErrNoSignedAttributes.
func (s *SignerInfo) VerifyCounter(counter *SignerInfo, cert *certs.Certificate) error {
	if !counter.Digest.Available() {
		return fmt.Errorf("%w: digest %s", ErrUnsupported, counter.DigestOID)
	}
	h := counter.Digest.New()
	h.Write(s.Signature)
	if len(counter.Attributes) == 0 {
		return counter.VerifyDigest(cert, h.Sum(nil))
	}
	if !bytes.Equal(h.Sum(nil), counter.MessageDigest()) {
		return fmt.Errorf("%w: the countersignature is over another value", ErrSignature)
	}
	return counter.VerifySignature(cert)
}
