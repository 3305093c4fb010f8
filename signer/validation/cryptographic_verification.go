package validation

import (
	"bytes"
	"crypto"
	"errors"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/tsp"
)

// verify is the cryptographic verification of EN 319 102-1, 5.2.7: the digest of
// the signed ranges, then the signature value.
func (v *validation) verify(s *subject) {
	if s.failed() {
		return
	}
	if s.timestamp() {
		v.verifyToken(s)
		return
	}
	if !s.info.Digest.Available() {
		s.conclude(ades.Indeterminate, ades.CryptoConstraintsFailure, ReasonUnsupported, ades.AlgorithmName(s.info.DigestOID))
		return
	}
	if !v.sameDigest(s) {
		s.out.Integrity = IntegrityBroken
		s.conclude(ades.TotalFailed, ades.HashFailure, ReasonHash)
		return
	}
	if !v.identify(s) {
		return
	}
	var err error
	if s.info.RawSignedAttrs == nil {
		err = v.verifyBare(s)
	} else {
		err = s.info.VerifySignature(s.cert)
	}
	switch {
	case err == nil:
		s.out.Integrity = IntegrityOK
	case errors.Is(err, cms.ErrUnsupported):
		s.conclude(ades.Indeterminate, ades.CryptoConstraintsFailure, ReasonUnsupported, ades.AlgorithmName(s.info.SignatureOID))
	default:
		s.out.Integrity = IntegrityBroken
		s.conclude(ades.TotalFailed, ades.SigCryptoFailure, ReasonSignature)
	}
}

// sameDigest compares what the signer digested with what is in the file.
func (v *validation) sameDigest(s *subject) bool {
	if s.sig.SubFilter == pades.SubFilterPKCS7SHA1 {
		// The content is the SHA-1 of the ranges (ISO 32000-1, 12.8.3.3.1).
		if !bytes.Equal(s.data.Content, s.digest(crypto.SHA1)) {
			return false
		}
		if s.info.RawSignedAttrs == nil {
			return true
		}
		h := s.info.Digest.New()
		h.Write(s.data.Content)
		return bytes.Equal(h.Sum(nil), s.info.MessageDigest())
	}
	if s.info.RawSignedAttrs == nil {
		return true // the signature value itself is over the digest
	}
	return bytes.Equal(s.digest(s.info.Digest), s.info.MessageDigest())
}

// setTag begins a DER SET. A file that starts with it could be read as the signed
// attributes of another signature, whose value would then seem to cover the file.
const setTag = 0x31

func (v *validation) verifyBare(s *subject) error {
	first := make([]byte, 1)
	if n, err := v.in.Reader.ReadAt(first, 0); n == 0 || first[0] == setTag {
		return errors.Join(cms.ErrSignature, err)
	}
	digest := s.digest(s.info.Digest)
	if s.sig.SubFilter == pades.SubFilterPKCS7SHA1 {
		if cms.IsAttributeSet(s.data.Content) {
			return cms.ErrSignature
		}
		h := s.info.Digest.New()
		h.Write(s.data.Content)
		digest = h.Sum(nil)
	}
	return s.info.VerifyDigest(s.cert, digest)
}

// verifyToken verifies a document time-stamp over its ranges.
func (v *validation) verifyToken(s *subject) {
	s.out.Digest = ades.HashName(s.token.Hash)
	if s.info != nil {
		s.out.Algorithm = string(s.info.SignatureAlgorithm)
	}
	s.out.ClaimedTime = Time{s.token.GenTime}
	if c, err := s.token.SigningCertificate(v.pool...); err == nil {
		s.cert = c
		s.describe()
	}
	sub, why := tokenFailure(s.token.Verify(s.token.Hash, s.digest(s.token.Hash), v.pool...))
	if sub == "" {
		s.out.Integrity = IntegrityOK
		return
	}
	if sub == ades.HashFailure || sub == ades.SigCryptoFailure {
		s.out.Integrity = IntegrityBroken
	}
	s.out.Indication, s.out.SubIndication = failureOf(sub), sub
	s.reason(ValidWithNotes, ReasonTimestamp, text.Get(why))
}

// tokenFailure gives an error of verifying a token its sub-indication and its words.
func tokenFailure(err error) (ades.SubIndication, text.Key) {
	switch {
	case err == nil:
		return "", ""
	case errors.Is(err, tsp.ErrImprint):
		return ades.HashFailure, "validation.token.imprint"
	case errors.Is(err, tsp.ErrSignature):
		return ades.SigCryptoFailure, "validation.token.signature"
	case errors.Is(err, tsp.ErrNoCertificate):
		return ades.NoSigningCertificateFound, "validation.token.certificate"
	case errors.Is(err, tsp.ErrCertificate):
		return ades.ChainConstraintsFailure, "validation.token.usage"
	case errors.Is(err, tsp.ErrUnsupported):
		return ades.CryptoConstraintsFailure, "validation.token.unsupported"
	}
	return ades.FormatFailure, "validation.token.malformed"
}

// failureOf is the indication that goes with a sub-indication of a failed token.
func failureOf(sub ades.SubIndication) ades.Indication {
	switch sub {
	case ades.HashFailure, ades.SigCryptoFailure, ades.FormatFailure, ades.NotYetValid:
		return ades.TotalFailed
	default:
		return ades.Indeterminate
	}
}
