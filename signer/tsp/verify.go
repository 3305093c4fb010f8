package tsp

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"antin/certs"
	"antin/signer/cms"
)

// Answers makes sure that t is a right answer to q: all that Verify checks, the
// nonce, and the policy when q asks for one. Further errors wrap ErrNonce or
// ErrPolicy.
func (t *Token) Answers(q Query) error {
	if q.Nonce != nil && (t.Nonce == nil || t.Nonce.Cmp(q.Nonce) != 0) {
		return ErrNonce
	}
	if !equalOID(t.Policy, q.Policy) {
		return fmt.Errorf("%w: %s, asked for %s", ErrPolicy, t.Policy, q.Policy)
	}
	return t.Verify(q.Hash, q.Imprint)
}

// Verify makes sure that t stamps imprint, a hash made with h, and that it is a
// token by RFC 3161 with a right signature value: one signer with signed
// attributes, content-type and message-digest, an ESS attribute that names the
// TSA's certificate, and that certificate marked critically and only for
// time-stamping. The certificate is looked for in the token and then in pool.
//
// Whether the certificate leads to an anchor and was not revoked is the caller's
// to judge. Errors wrap ErrImprint, ErrToken, ErrNoCertificate, ErrCertificate,
// ErrSignature or ErrUnsupported.
func (t *Token) Verify(h crypto.Hash, imprint []byte, pool ...*certs.Certificate) error {
	if t.Hash == 0 {
		return fmt.Errorf("%w: imprint hash %s", ErrUnsupported, t.HashOID)
	}
	if t.Hash != h || !bytes.Equal(t.Imprint, imprint) {
		return ErrImprint
	}
	s, err := t.signer()
	if err != nil {
		return err
	}
	if err := t.checkAttributes(s); err != nil {
		return err
	}
	c, err := t.SigningCertificate(pool...)
	if err != nil {
		return err
	}
	if err := checkCertificate(c); err != nil {
		return err
	}
	err = s.VerifySignature(c)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, cms.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrSignature, err)
}

// fatal are the problems of a signer that no token may have.
var fatal = []cms.ProblemName{
	cms.DuplicateAttribute, cms.MultipleValues, cms.MalformedAttribute, cms.EmptyAttributes, cms.ProtectionMismatch,
}

func (t *Token) checkAttributes(s *cms.SignerInfo) error {
	if len(s.Attributes) == 0 {
		return fmt.Errorf("%w: no signed attributes", ErrToken)
	}
	for _, name := range fatal {
		if s.Has(name) {
			return fmt.Errorf("%w: %s", ErrToken, name)
		}
	}
	if !s.ContentTypeAttr().Equal(cms.OIDTSTInfo) {
		return fmt.Errorf("%w: content-type attribute", ErrToken)
	}
	if len(s.ESS()) == 0 {
		return fmt.Errorf("%w: no signing-certificate attribute", ErrToken)
	}
	if !s.Digest.Available() {
		return fmt.Errorf("%w: digest %s", ErrUnsupported, s.DigestOID)
	}
	sum := s.Digest.New()
	sum.Write(t.SignedData.Content)
	if !bytes.Equal(sum.Sum(nil), s.MessageDigest()) {
		return fmt.Errorf("%w: message-digest differs", ErrSignature)
	}
	return nil
}

// checkCertificate applies RFC 3161, 2.3: extended key usage critical and
// time-stamping alone.
func checkCertificate(c *certs.Certificate) error {
	if len(c.ExtKeyUsage) != 1 || !c.HasExtKeyUsage(certs.OIDExtKeyUsageTimeStamping) {
		return fmt.Errorf("%w: not for time-stamping alone", ErrCertificate)
	}
	if !c.ExtKeyUsageCritical {
		return fmt.Errorf("%w: extended key usage not critical", ErrCertificate)
	}
	if !c.KeyUsage.Permits(certs.KeyUsageDigitalSignature | certs.KeyUsageContentCommitment) {
		return fmt.Errorf("%w: key usage does not allow signatures", ErrCertificate)
	}
	return nil
}
