package signer

import (
	"context"
	"crypto"

	"antin/certs"
)

// KeyProvider finds signing keys by name. Implementations are safe for
// concurrent use.
//
// Key returns a *text.Error with code key-not-found for an unknown id, and
// key-locked when the key exists but cannot be used (wrong password, blocked
// token). The private key itself never leaves the provider: all that is handed
// out is the ability to ask for a signature.
type KeyProvider interface {
	Key(ctx context.Context, id string) (Key, error)
}

// Key is a private key that can sign, with the certificates that speak for it.
type Key struct {
	// Signer makes raw signature values. RSA keys are asked for PKCS #1 v1.5, or
	// for PSS by *rsa.PSSOptions; ECDSA keys return the DER form.
	Signer crypto.Signer
	// Chain holds the signing certificate first, then those above it as far as
	// the provider knows them; never empty.
	Chain []*certs.Certificate
}

// TimestampSource obtains RFC 3161 time-stamp tokens.
//
// Timestamp returns the DER of a token (not of the response around it) over
// imprint, a hash made with h. The token's imprint and nonce are already
// compared; its signature and path are the caller's to judge. When no service
// answers, the error is a *text.Error with code tsa-unavailable. Implementations
// are safe for concurrent use and retry by themselves as they see fit.
type TimestampSource interface {
	Timestamp(ctx context.Context, h crypto.Hash, imprint []byte) (token []byte, err error)
}
