package signer

import (
	"antin/signer/cms"
)

// forbiddenSigned are the signed attributes that have no place in a PAdES
// signature (EN 319 142-1, 6.3): what they would say stands in the signature
// dictionary, in the security store, or nowhere.
var forbiddenSigned = []struct {
	name string
	oid  []int
}{
	{"signing-time", cms.OIDSigningTime},
	{"adbe-revocationInfoArchival", cms.OIDAdobeRevocation},
	{"content-hints", []int{1, 2, 840, 113549, 1, 9, 16, 2, 4}},
	{"content-identifier", []int{1, 2, 840, 113549, 1, 9, 16, 2, 7}},
	{"content-reference", []int{1, 2, 840, 113549, 1, 9, 16, 2, 10}},
}

// unfitAttributes names what keeps the attributes of a CMS made elsewhere out of
// this document; empty when they fit. adbe.pkcs7.detached knows no such rules.
func (r *run) unfitAttributes(s *cms.SignerInfo) string {
	if r.req.PKCS7 {
		return ""
	}
	for _, f := range forbiddenSigned {
		if _, found := s.Attribute(f.oid); found {
			return f.name
		}
	}
	for _, a := range s.Unsigned {
		if !a.OID.Equal(cms.OIDSignatureTimestamp) {
			return "unsigned attribute " + a.OID.String()
		}
	}
	return r.unfitClaims(s)
}

// unfitClaims compares what the CMS states with what the prepared document took it
// to state: a reason stands in the dictionary only where no commitment and no policy
// stands in the CMS.
func (r *run) unfitClaims(s *cms.SignerInfo) string {
	commitments, policy := s.CommitmentTypes(), s.SignaturePolicy()
	_, role := s.Attribute(cms.OIDSignerAttributesV2)
	switch {
	case r.reasonWritten && (len(commitments) > 0 || policy != nil):
		return "commitment-type-indication or signature-policy-identifier beside /Reason"
	case r.req.Commitment != nil && (len(commitments) != 1 || !commitments[0].Equal(r.req.Commitment)):
		return "commitment-type-indication"
	case r.req.Policy != nil && !policy.Equal(r.req.Policy.OID):
		return "signature-policy-identifier"
	case r.req.Role != "" && !role:
		return "signer-attributes-v2"
	case r.contentToken != nil && len(s.ContentTimestamps()) == 0:
		return "content-time-stamp"
	}
	return ""
}
