package certs

import "fmt"

// Scheme is the signature scheme that e was signed with, as e itself says; whether
// the signature verifies is CheckRevocation's matter. The error wraps ErrAlgorithm
// for a scheme that is not known, and tells what is wrong with e when it cannot be
// read.
func (e Evidence) Scheme() (SignatureScheme, error) {
	switch e.Kind {
	case EvidenceOCSP:
		r, err := ParseOCSP(e.DER)
		if err != nil {
			return SignatureScheme{}, err
		}
		return r.signatureAlgorithm.Scheme()
	case EvidenceCRL:
		l, err := ParseCRL(e.DER)
		if err != nil {
			return SignatureScheme{}, err
		}
		return l.signatureAlgorithm.Scheme()
	}
	return SignatureScheme{}, fmt.Errorf("certs: no evidence of kind %q", e.Kind)
}
