package certs

import (
	"context"
	"time"
)

// TrustStore answers which trust anchors were in force at a time.
type TrustStore interface {
	// Anchors returns the anchors in force at `at`; none is not an error.
	Anchors(ctx context.Context, at time.Time) ([]*Certificate, error)
}

// Anchors is a fixed TrustStore. The zero value trusts nothing.
type Anchors []*Certificate

// Anchors implements TrustStore: those members whose validity period holds at.
func (a Anchors) Anchors(_ context.Context, at time.Time) ([]*Certificate, error) {
	var in []*Certificate
	for _, c := range a {
		if c.ValidAt(at) {
			in = append(in, c)
		}
	}
	return in, nil
}

// EvidenceKind says what a piece of revocation evidence is.
type EvidenceKind string

// The kinds of evidence.
const (
	EvidenceOCSP EvidenceKind = "ocsp" // an OCSPResponse
	EvidenceCRL  EvidenceKind = "crl"  // a CertificateList
)

// The origins of evidence.
const (
	OriginEmbedded = "embedded" // found in the signed document
	OriginCache    = "cache"    // fetched earlier
	OriginFetched  = "fetched"  // asked for now
)

// Evidence is one OCSP response or CRL as received, unverified.
type Evidence struct {
	Kind   EvidenceKind
	DER    []byte
	Origin string // OriginEmbedded, OriginCache or OriginFetched
	URL    string // where it was fetched; empty when embedded
}

// RevocationSource gets revocation evidence about certificates.
type RevocationSource interface {
	// Revocation returns what is known about cert, whose issuer is given. No
	// evidence is not "good". Safe for concurrent use; an error means that
	// nothing could be asked.
	Revocation(ctx context.Context, cert, issuer *Certificate) ([]Evidence, error)
}

// IssuerSource finds certificates that may have issued another one.
type IssuerSource interface {
	// Issuers returns candidates for the issuer of cert, unverified; BuildPath
	// checks each. Safe for concurrent use.
	Issuers(ctx context.Context, cert *Certificate) ([]*Certificate, error)
}
