package validation

import (
	"slices"
	"time"

	"antin/certs"
)

// SignerKind is what a certificate is used for, as far as a policy tells kinds apart.
type SignerKind string

// The kinds.
const (
	SignerPerson    SignerKind = "person"     // signs documents and is no known seal
	SignerSeal      SignerKind = "seal"       // an agency's seal
	SignerTimeStamp SignerKind = "time_stamp" // a time-stamping authority
)

// domainStore is what a TrustStore may offer beside: the domain of each anchor. The
// anchors of one that does not are the agency's own.
type domainStore interface {
	DomainOf(anchor *certs.Certificate) certs.Domain
}

// kindOf is what leaf is used for; "" when the question is about trust alone.
func (v *validation) kindOf(leaf *certs.Certificate, usage certs.Usage) SignerKind {
	switch usage {
	case certs.UsageTimeStamping:
		return SignerTimeStamp
	case certs.UsageDocumentSigning:
		if v.policy.Seals[leaf.SHA256()] || (v.Seals != nil && v.Seals(leaf)) {
			return SignerSeal
		}
		return SignerPerson
	case certs.UsageAny, certs.UsageOCSPSigning, certs.UsageCRLSigning:
	}
	return ""
}

// anchors are all trust anchors in force at a time.
func (v *validation) anchors(at time.Time) []*certs.Certificate {
	if v.Trust == nil {
		return nil
	}
	list, err := v.Trust.Anchors(v.ctx, at)
	if err != nil {
		return nil
	}
	return list
}

// anchorsFor are those of the anchors under which the policy accepts leaf for a usage
// (X.509 validation constraints of EN 319 102-1, 5.2.6).
func (v *validation) anchorsFor(leaf *certs.Certificate, usage certs.Usage, at time.Time) []*certs.Certificate {
	list := v.anchors(at)
	if len(v.policy.Domains) == 0 {
		return list
	}
	accepted, limited := v.policy.Domains[v.kindOf(leaf, usage)]
	if !limited {
		return list
	}
	var in []*certs.Certificate
	for _, a := range list {
		if slices.Contains(accepted, v.domain(a)) {
			in = append(in, a)
		}
	}
	return in
}

func (v *validation) domain(anchor *certs.Certificate) certs.Domain {
	if store, ok := v.Trust.(domainStore); ok {
		if d := store.DomainOf(anchor); d != "" {
			return d
		}
	}
	return certs.DomainOwn
}

// elsewhere reports whether leaf leads to an anchor of a domain that the policy does
// not accept for this usage.
func (v *validation) elsewhere(leaf *certs.Certificate, usage certs.Usage, at time.Time) bool {
	all := v.anchors(at)
	if len(all) == len(v.anchorsFor(leaf, usage, at)) {
		return false
	}
	_, err := v.buildPath(leaf, certs.UsageAny, at)
	return err == nil
}
