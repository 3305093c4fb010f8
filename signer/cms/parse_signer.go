package cms

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"antin/certs"
	"antin/signer/ades"
)

const (
	// maxAttributes bounds the attributes of one set; CAdES knows some 20.
	maxAttributes = 128
	// maxValues bounds the values of one attribute; only time-stamps repeat.
	maxValues = 64
	// tagAttributes is [0] IMPLICIT SET OF Attribute in a SignerInfo.
	tagAttributes = tagContext0
	// tagSubjectKeyID is [0] IMPLICIT SubjectKeyIdentifier, primitive.
	tagSubjectKeyID = 0x80
)

// parseSigner reads one SignerInfo (RFC 5652, 5.3).
func parseSigner(c *cursor) (*SignerInfo, error) {
	in, err := c.enter(tagSequence, "SignerInfo")
	if err != nil {
		return nil, err
	}
	s, begin := &SignerInfo{}, in.pos
	if s.Version, err = in.version("SignerInfo version"); err != nil {
		return nil, err
	}
	if err := s.parseIdentifier(in); err != nil {
		return nil, err
	}
	digest, err := parseAlgorithm(in, "digestAlgorithm")
	if err != nil {
		return nil, err
	}
	s.DigestOID = digest.oid
	s.Digest, _ = ades.HashFromOID(digest.oid)
	if in.at(tagAttributes) {
		e, err := in.next()
		if err != nil {
			return nil, fmt.Errorf("signedAttrs: %w", err)
		}
		s.RawSignedAttrs = e.raw
		if s.Attributes, err = parseAttributes(in.r, e); err != nil {
			return nil, fmt.Errorf("signedAttrs: %w", err)
		}
	}
	sig, err := parseAlgorithm(in, "signatureAlgorithm")
	if err != nil {
		return nil, err
	}
	s.setAlgorithm(sig)
	if s.Signature, err = in.octetString("signature"); err != nil {
		return nil, err
	}
	s.fields = in.r.data[begin:in.pos:in.pos]
	if in.at(tagContext1) {
		e, err := in.next()
		if err != nil {
			return nil, fmt.Errorf("unsignedAttrs: %w", err)
		}
		if s.Unsigned, err = parseAttributes(in.r, e); err != nil {
			return nil, fmt.Errorf("unsignedAttrs: %w", err)
		}
	}
	if !in.empty() {
		return nil, fmt.Errorf("%w: elements after the SignerInfo", ErrMalformed)
	}
	s.checkProtection(digest, sig)
	return s, nil
}

// parseIdentifier reads the SignerIdentifier, either choice.
func (s *SignerInfo) parseIdentifier(c *cursor) error {
	if c.at(tagSubjectKeyID) || c.at(tagSubjectKeyID|constructed) {
		e, err := c.next()
		if err != nil {
			return fmt.Errorf("subjectKeyIdentifier: %w", err)
		}
		s.SubjectKeyID, err = c.r.octets(e, tagSubjectKeyID)
		if err == nil && len(s.SubjectKeyID) == 0 {
			return fmt.Errorf("%w: empty subjectKeyIdentifier", ErrMalformed)
		}
		return err
	}
	id, err := c.enter(tagSequence, "issuerAndSerialNumber")
	if err != nil {
		return err
	}
	issuer, err := id.expect(tagSequence, "issuer")
	if err != nil {
		return err
	}
	s.Issuer = issuer.raw
	if s.Serial, err = id.integer("serialNumber"); err != nil {
		return err
	}
	if !id.empty() {
		return fmt.Errorf("%w: elements after issuerAndSerialNumber", ErrMalformed)
	}
	return nil
}

// parseAttributes reads the content of set, whatever its tag, as Attributes.
func parseAttributes(r *reader, set element) ([]Attribute, error) {
	var out []Attribute
	for c := r.in(set); !c.empty(); {
		if len(out) == maxAttributes {
			return nil, fmt.Errorf("%w: more than %d attributes", ErrLimit, maxAttributes)
		}
		in, err := c.enter(tagSequence, "Attribute")
		if err != nil {
			return nil, err
		}
		var a Attribute
		if a.OID, err = in.oid("attrType"); err != nil {
			return nil, err
		}
		values, err := in.enter(tagSet, "attrValues")
		if err != nil {
			return nil, err
		}
		for !values.empty() {
			if len(a.Values) == maxValues {
				return nil, fmt.Errorf("%w: more than %d values", ErrLimit, maxValues)
			}
			v, err := values.next()
			if err != nil {
				return nil, err
			}
			a.Values = append(a.Values, v.raw)
		}
		if !in.empty() {
			return nil, fmt.Errorf("%w: elements after an Attribute", ErrMalformed)
		}
		out = append(out, a)
	}
	return out, nil
}

// setAlgorithm names the signature algorithm. An identifier without a hash
// (rsaEncryption, and id-ecPublicKey as some signers write) takes the digest's.
// An unknown algorithm leaves the scheme empty, and nothing verifies with it.
func (s *SignerInfo) setAlgorithm(a algorithm) {
	s.SignatureOID = a.oid
	scheme, err := certs.AlgorithmIdentifier{OID: a.oid, Params: a.params}.Scheme()
	if err != nil {
		return
	}
	if scheme.Hash == 0 {
		scheme.Hash = s.Digest
	}
	s.scheme = scheme
	s.SignatureAlgorithm, s.SignatureHash = scheme.Algorithm, scheme.Hash
	if scheme.Algorithm == ades.RSAPSS {
		s.PSS = &PSSParameters{Hash: scheme.Hash, MGFHash: scheme.MGF, SaltLength: scheme.SaltLength}
	}
}

// check compares the signer's parts with each other and with the digest
// algorithms listed in the SignedData.
func (s *SignerInfo) check(listed []asn1.ObjectIdentifier) {
	want := 1
	if s.SubjectKeyID != nil {
		want = 3
	}
	if s.Version != want {
		s.problem(VersionMismatch, nil)
	}
	found := false
	for _, oid := range listed {
		found = found || oid.Equal(s.DigestOID)
	}
	if !found {
		s.problem(DigestNotListed, nil)
	}
	if s.SignatureHash != 0 && s.SignatureHash != s.Digest {
		s.problem(DigestMismatch, nil)
	}
	s.checkRepeats(s.Attributes, singleSigned)
	s.checkRepeats(s.Unsigned, nil)
	s.checkKnown()
	if s.RawSignedAttrs == nil {
		return
	}
	if len(s.Attributes) == 0 {
		s.problem(EmptyAttributes, nil)
	}
	if sorted, err := sortedAttributes(s.RawSignedAttrs); err == nil && !bytes.Equal(sorted, received(s.RawSignedAttrs)) {
		s.problem(UnsortedAttributes, nil)
	}
}

// singleSigned are the signed attributes that carry exactly one value. Every
// signed attribute type stands at most once, except content-time-stamp.
var singleSigned = []asn1.ObjectIdentifier{
	OIDContentType, OIDMessageDigest, OIDSigningTime, OIDAlgorithmProtection,
	OIDSigningCertificate, OIDSigningCertificateV2, OIDSignaturePolicy, OIDSignerAttributesV2,
}

func (s *SignerInfo) checkRepeats(attrs []Attribute, single []asn1.ObjectIdentifier) {
	for i, a := range attrs {
		repeated := false
		for _, b := range attrs[:i] {
			repeated = repeated || (a.OID != nil && a.OID.Equal(b.OID))
		}
		// Unsigned time-stamps and countersignatures come as several attributes
		// from some signers, which EN 319 122-1 allows.
		if repeated && single != nil && !a.OID.Equal(OIDContentTimestamp) {
			s.problem(DuplicateAttribute, a.OID)
		}
		for _, oid := range single {
			if a.OID.Equal(oid) && len(a.Values) != 1 {
				s.problem(MultipleValues, a.OID)
			}
		}
		if len(a.Values) == 0 && single == nil {
			s.problem(MultipleValues, a.OID)
		}
	}
}

func (s *SignerInfo) problem(name ProblemName, oid asn1.ObjectIdentifier) {
	for _, p := range s.Problems {
		if p.Name == name && p.OID.Equal(oid) {
			return
		}
	}
	s.Problems = append(s.Problems, Problem{Name: name, OID: oid})
}

// Has reports whether Parse met the problem name, on whatever attribute.
func (s *SignerInfo) Has(name ProblemName) bool {
	for _, p := range s.Problems {
		if p.Name == name {
			return true
		}
	}
	return false
}
