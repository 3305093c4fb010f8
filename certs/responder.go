package certs

import (
	"bytes"
	"crypto"
	"crypto/sha1" //nolint:gosec // RFC 6960 names keys by SHA-1; nothing is signed with it

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"antin/signer/ades"
)

// names reports whether c is the responder that r names.
func (r *OCSPResponse) names(c *Certificate) bool {
	if r.responderKey != nil {
		sum := sha1.Sum(c.keyBytes) //nolint:gosec // an identifier, not a protection
		return bytes.Equal(r.responderKey, sum[:])
	}
	return r.responderName == c.subjectKey
}

// responder returns the certificate whose key signed r, authorised to speak for
// issuer (RFC 6960, 4.2.2.2): the issuer itself, or one that the same CA key
// issued for OCSP signing. why says what was wrong when there is none.
func (r *OCSPResponse) responder(issuer *Certificate, more []*Certificate) (c *Certificate, why string) {
	why = WhyResponder
	candidates := append(append([]*Certificate{issuer}, r.Certificates...), more...)
	for _, c := range candidates {
		if !r.names(c) {
			continue
		}
		if !c.Equal(issuer) && !sameKey(c, issuer) && !r.delegated(c, issuer) {
			continue
		}
		if err := c.verifySigned(r.signatureAlgorithm, r.rawTBS, r.received, r.signature); err != nil {
			why = WhySignature
			if isAlgorithm(err) {
				why = WhyUnsupported
			}
			continue
		}
		return c, ""
	}
	return nil, why
}

func sameKey(a, b *Certificate) bool {
	return a.subjectKey == b.subjectKey && bytes.Equal(a.RawSPKI, b.RawSPKI)
}

// delegated reports whether issuer made c a responder that was valid when it
// answered. The mark must be explicit: anyExtendedKeyUsage is not enough.
func (r *OCSPResponse) delegated(c, issuer *Certificate) bool {
	return UsageOCSPSigning.Permits(c) && len(c.UnknownCritical) == 0 && c.ValidAt(r.ProducedAt) && c.IssuedBy(issuer)
}

// OCSPRequest encodes a question about one certificate (RFC 6960, 4.1.1), with
// the certificate named by SHA-1, the one form that every responder knows, and
// without a nonce, so that responders may answer from store.
func OCSPRequest(cert, issuer *Certificate) ([]byte, error) {
	return OCSPRequestWithNonce(cert, issuer, nil)
}

// OCSPRequestWithNonce is OCSPRequest with a nonce of 1 to 128 bytes (RFC 9654, 2.1),
// which an answer made for this question repeats. An empty nonce is left out.
func OCSPRequestWithNonce(cert, issuer *Certificate, nonce []byte) ([]byte, error) {
	name := sha1.Sum(cert.RawIssuer) //nolint:gosec // an identifier, not a protection
	key := sha1.Sum(issuer.keyBytes) //nolint:gosec // likewise
	sequence := func(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(cbasn1.SEQUENCE, f) }
	certID := func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(ades.HashOID(crypto.SHA1))
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(name[:])
		b.AddASN1OctetString(key[:])
		b.AddASN1BigInt(cert.Serial)
	}
	extension := func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidOCSPNonce)
		b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
	}
	var b cryptobyte.Builder
	sequence(&b, func(b *cryptobyte.Builder) { // OCSPRequest
		sequence(b, func(b *cryptobyte.Builder) { // TBSRequest
			sequence(b, func(b *cryptobyte.Builder) { // requestList
				sequence(b, func(b *cryptobyte.Builder) { sequence(b, certID) }) // Request
			})
			if len(nonce) > 0 {
				b.AddASN1(contextConstructed(2), func(b *cryptobyte.Builder) {
					sequence(b, func(b *cryptobyte.Builder) { sequence(b, extension) })
				})
			}
		})
	})
	return b.Bytes()
}
