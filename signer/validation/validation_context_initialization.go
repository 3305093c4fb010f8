package validation

import (
	"slices"
	"strings"

	"antin/signer/ades"
	"antin/signer/cms"
)

// initializeContext is the validation context initialization of EN 319 102-1, 5.2.4:
// the constraints come from the validation policy, and where the signer names a
// signature policy, it is looked up among those that are known. It reports whether
// validation can go on.
func (v *validation) initializeContext(s *subject) bool {
	p, err := s.info.PolicyReference()
	if err != nil {
		s.conclude(ades.Indeterminate, ades.PolicyProcessingError, ReasonPolicyProcessing, "?")
		return false
	}
	if p == nil {
		return true
	}
	out := &s.out.Attributes.Policy
	*out = SignaturePolicy{OID: "implied", URI: p.URI, Digest: policyDigest(p), Status: StatementNotChecked}
	if p.OID != nil {
		out.OID = p.OID.String()
	}
	known, there := v.policy.SignaturePolicies[out.OID]
	switch {
	case there && slices.ContainsFunc(known.Digests, func(d string) bool { return strings.EqualFold(d, out.Digest) }):
		out.Status = StatementOK
	case there:
		// The document known here is not the one that was signed under.
		out.Status = StatementBroken
		s.conclude(ades.Indeterminate, ades.PolicyProcessingError, ReasonPolicyProcessing, out.OID)
		return false
	case v.policy.UncheckedSignaturePolicy == RuleInconclusive:
		s.conclude(ades.Indeterminate, ades.SignaturePolicyNotAvailable, ReasonSignaturePolicy, out.OID)
		return false
	default:
		s.obey(v.policy.UncheckedSignaturePolicy, ReasonSignaturePolicy, out.OID)
	}
	return true
}

// hasCounterSignature reports an attribute that PAdES forbids (EN 319 142-1, 6.3).
func (s *subject) hasCounterSignature() bool {
	_, there := s.info.UnsignedAttribute(cms.OIDCounterSignature)
	return there
}
