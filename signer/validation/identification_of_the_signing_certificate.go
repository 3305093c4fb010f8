package validation

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
)

// identify is the identification of the signing certificate of EN 319 102-1,
// 5.2.3: by the signer's identifier and every ESS attribute, among what the
// document holds. It reports whether one was found.
func (v *validation) identify(s *subject) bool {
	c, err := s.info.SigningCertificate(append(s.data.Certificates[:len(s.data.Certificates):len(s.data.Certificates)], v.pool...))
	if err != nil {
		if errors.Is(err, cms.ErrESSMismatch) && c != nil {
			s.cert = c
			s.describe()
			s.cert = nil
		}
		s.conclude(ades.Indeterminate, ades.NoSigningCertificateFound, ReasonNoCertificate)
		return false
	}
	s.cert = c
	s.describe()
	return true
}

// describe writes the certificate into the report.
func (s *subject) describe() {
	c := s.cert
	sum := c.SHA256()
	s.out.Signer = Signer{Subject: c.Subject, Serial: strings.ToUpper(fmt.Sprintf("%x", c.Serial)), Issuer: c.Issuer,
		NotBefore: Time{c.NotBefore}, NotAfter: Time{c.NotAfter}, SHA256: hex.EncodeToString(sum[:])}
	s.out.KeyBits = c.KeyBits
}

// meetsBaseline reports whether the signed attributes are those of the baseline
// profile (EN 319 142-1, 6.3): an ESS signing-certificate, no signing-time and no
// countersignature.
func (s *subject) meetsBaseline() bool {
	if s.standalone {
		return s.meetsCAdES()
	}
	_, claims := s.info.Attribute(cms.OIDSigningTime)
	return s.sig.SubFilter == pades.SubFilterCAdES && s.info.RawSignedAttrs != nil && !claims && len(s.info.ESS()) > 0 && !s.hasCounterSignature()
}
