package certs

import (
	"context"
	"errors"
)

// Known is an IssuerSource of certificates at hand: those of the CAs that signed
// what an agency receives, whose documents hold the signer's certificate alone. None
// of them is trusted. The zero value knows none.
type Known []*Certificate

// Issuers implements IssuerSource.
func (k Known) Issuers(_ context.Context, cert *Certificate) ([]*Certificate, error) {
	var found []*Certificate
	for _, c := range k {
		if c.subjectKey == cert.issuerKey {
			found = append(found, c)
		}
	}
	return found, nil
}

// IssuerSources asks several sources in turn until one knows the certificate whose
// key made the signature in question.
type IssuerSources []IssuerSource

// Issuers implements IssuerSource. An error means that all failed that were asked.
func (s IssuerSources) Issuers(ctx context.Context, cert *Certificate) ([]*Certificate, error) {
	var all []*Certificate
	var failed error
	for _, source := range s {
		if source == nil {
			continue
		}
		found, err := source.Issuers(ctx, cert)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		all = append(all, found...)
		for _, c := range found {
			if cert.IssuedBy(c) {
				return all, nil
			}
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, failed
}
