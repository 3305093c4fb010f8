package certs

import (
	"bytes"
	"encoding/pem"
	"fmt"

	"go.mozilla.org/pkcs7"
)

const (
	// maxBundleSize holds a national trust list with room to spare.
	maxBundleSize = 16 << 20
	// maxPKCS7Size is smaller because the reader's time grows with the square of
	// the length for some encodings.
	maxPKCS7Size = 1 << 20
	// MaxBundleCertificates bounds how many certificates one bundle may bring.
	MaxBundleCertificates = 2000
)

// ParseBundle reads the certificates of a PEM file (certificates and PKCS #7, in
// any mixture), a DER certificate or a PKCS #7 bundle (.p7b, .p7c), in their
// order. A bundle without certificates is an error.
func ParseBundle(data []byte) ([]*Certificate, error) {
	if len(data) > maxBundleSize {
		return nil, malformed("bundle: too large")
	}
	all, err := parsePEMBundle(data)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 && !bytes.Contains(data, []byte("-----BEGIN ")) {
		if all, err = parseDERBundle(bytes.TrimSpace(data), data); err != nil {
			return nil, err
		}
	}
	switch {
	case len(all) == 0:
		return nil, malformed("bundle: no certificate in it")
	case len(all) > MaxBundleCertificates:
		return nil, malformed("bundle: too many certificates")
	}
	return all, nil
}

func parsePEMBundle(data []byte) ([]*Certificate, error) {
	var all []*Certificate
	for block, rest := pem.Decode(data); block != nil && len(all) <= MaxBundleCertificates; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			c, err := ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		case "PKCS7", "PKCS #7 SIGNED DATA", "CMS":
			more, err := parsePKCS7(block.Bytes)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, nil
}

// parseDERBundle tries the bytes as they are, and trimmed: files sent by mail
// often end in a line break.
func parseDERBundle(trimmed, data []byte) ([]*Certificate, error) {
	c, err := ParseCertificate(data)
	if err == nil {
		return []*Certificate{c}, nil
	}
	if c, errTrimmed := ParseCertificate(trimmed); errTrimmed == nil {
		return []*Certificate{c}, nil
	}
	all, errBundle := parsePKCS7(data)
	if errBundle != nil {
		return nil, fmt.Errorf("neither a certificate (%w) nor a bundle: %w", err, errBundle)
	}
	return all, nil
}

func parsePKCS7(der []byte) ([]*Certificate, error) {
	if len(der) > maxPKCS7Size {
		return nil, malformed("bundle: too large")
	}
	p7, err := pkcs7.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("%w bundle: %w", ErrMalformed, err)
	}
	var all []*Certificate
	for _, x := range p7.Certificates {
		c, err := ParseCertificate(x.Raw)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
