package cms

import (
	"antin/certs"
	"antin/signer/ades"
)

// VerifyValue verifies value over the DER SET of attrs with cert's key, before a
// SignerInfo is built of them. Errors wrap ErrSignature or ErrUnsupported.
func (a Algorithm) VerifyValue(cert *certs.Certificate, attrs, value []byte) error {
	scheme := certs.SignatureScheme{Algorithm: a.Scheme, Hash: a.Digest}
	if a.Scheme == ades.RSAPSS {
		scheme.MGF, scheme.SaltLength = a.Digest, a.Digest.Size()
	}
	return verified(cert.VerifyDigest(scheme, a.Input(attrs), value))
}
