package cms

import (
	"bytes"
	"errors"
	"fmt"

	"antin/certs"
	"antin/signer/ades"
)

// Verification says how a signature value verified.
type Verification struct {
	// Resorted says that the value is over the DER form of the signed attributes
	// and not over the bytes received, which were in another order or form.
	Resorted bool
}

// SigningCertificate finds the signer's certificate among pool, usually the
// certificates of the SignedData and others the caller knows. It is found by the
// signer's identifier and compared with every ESS signing-certificate attribute.
//
// When several answer to the identifier, the one that the ESS attribute names is
// taken. ErrNoCertificate: none answers. ErrESSMismatch: one answers, but the
// attribute names another or cannot be checked; that one is returned all the same.
func (s *SignerInfo) SigningCertificate(pool []*certs.Certificate) (*certs.Certificate, error) {
	var first *certs.Certificate
	var firstErr error
	for _, c := range pool {
		if c == nil || !s.names(c) {
			continue
		}
		err := s.matchESS(c)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first, firstErr = c, err
		}
	}
	if first == nil {
		return nil, ErrNoCertificate
	}
	return first, firstErr
}

// names reports whether the signer's identifier names c.
func (s *SignerInfo) names(c *certs.Certificate) bool {
	if s.SubjectKeyID != nil {
		return bytes.Equal(c.KeyID(), s.SubjectKeyID)
	}
	return c.IsIssuerAndSerial(s.Issuer, s.Serial)
}

// matchESS compares c with each ESS attribute that is present.
func (s *SignerInfo) matchESS(c *certs.Certificate) error {
	v2, err := s.ess(OIDSigningCertificateV2, 2)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrESSMismatch, err)
	}
	v1, err := s.ess(OIDSigningCertificate, 1)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrESSMismatch, err)
	}
	for _, id := range []*ESSCertID{v2, v1} {
		if id == nil {
			continue
		}
		if err := id.match(c); err != nil {
			return err
		}
	}
	return nil
}

func (id *ESSCertID) match(c *certs.Certificate) error {
	if !id.Hash.Available() {
		return fmt.Errorf("%w: its hash algorithm is not known", ErrESSMismatch)
	}
	h := id.Hash.New()
	h.Write(c.Raw)
	if !bytes.Equal(h.Sum(nil), id.CertHash) {
		return ErrESSMismatch
	}
	if id.Serial != nil && !c.IsIssuerAndSerial(id.Issuer, id.Serial) {
		return fmt.Errorf("%w: issuerSerial differs", ErrESSMismatch)
	}
	return nil
}

// VerifySignature verifies the signature value over the signed attributes with
// cert's key; see Verify.
func (s *SignerInfo) VerifySignature(cert *certs.Certificate) error {
	_, err := s.Verify(cert)
	return err
}

// Verify verifies the signature value over the signed attributes as received,
// re-tagged as a SET (RFC 5652, 5.4), and over their DER form when that differs.
// It says nothing about the content: compare MessageDigest. Errors wrap
// ErrSignature, ErrUnsupported or ErrNoSignedAttributes.
func (s *SignerInfo) Verify(cert *certs.Certificate) (Verification, error) {
	if len(s.Attributes) == 0 {
		return Verification{}, ErrNoSignedAttributes
	}
	as := received(s.RawSignedAttrs)
	err := s.verifyValue(cert, as)
	if !errors.Is(err, ErrSignature) {
		return Verification{}, err
	}
	sorted, sortErr := sortedAttributes(s.RawSignedAttrs)
	if sortErr != nil || bytes.Equal(sorted, as) {
		return Verification{}, err
	}
	if s.verifyValue(cert, sorted) != nil {
		return Verification{}, err
	}
	return Verification{Resorted: true}, nil
}

// verifyValue verifies the signature value over message.
func (s *SignerInfo) verifyValue(cert *certs.Certificate, message []byte) error {
	if s.scheme.Algorithm == "" {
		return fmt.Errorf("%w: %s", ErrUnsupported, s.SignatureOID)
	}
	if s.scheme.Algorithm == ades.Ed25519 {
		return verified(cert.VerifyDigest(s.scheme, message, s.Signature))
	}
	if !s.scheme.Hash.Available() {
		return fmt.Errorf("%w: digest %s", ErrUnsupported, s.DigestOID)
	}
	h := s.scheme.Hash.New()
	h.Write(message)
	return verified(cert.VerifyDigest(s.scheme, h.Sum(nil), s.Signature))
}

// VerifyDigest verifies the signature value of a signer without signed
// attributes, which is over the content: digest is the content's, made with
// Digest. It refuses a signer that has signed attributes (ErrInput), and cannot
// serve Ed25519, which takes no digest (ErrUnsupported). Before trusting it the
// caller makes sure that the content is no set of attributes; see IsAttributeSet.
func (s *SignerInfo) VerifyDigest(cert *certs.Certificate, digest []byte) error {
	if s.RawSignedAttrs != nil {
		return fmt.Errorf("%w: the signer has signed attributes", ErrInput)
	}
	if s.scheme.Algorithm == "" || s.scheme.Algorithm == ades.Ed25519 {
		return fmt.Errorf("%w: %s over a digest", ErrUnsupported, s.SignatureOID)
	}
	if !s.Digest.Available() {
		return fmt.Errorf("%w: digest %s", ErrUnsupported, s.DigestOID)
	}
	if s.scheme.Hash != s.Digest || len(digest) != s.Digest.Size() {
		return fmt.Errorf("%w: digest of %d bytes", ErrSignature, len(digest))
	}
	return verified(cert.VerifyDigest(s.scheme, digest, s.Signature))
}

// verified gives errors of package certs this package's names.
func verified(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, certs.ErrAlgorithm):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrSignature, err)
}
