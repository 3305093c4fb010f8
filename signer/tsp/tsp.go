// Package tsp encodes and decodes the Time-Stamp Protocol (RFC 3161, RFC 5816):
// requests, responses and time-stamp tokens, with every check of a token that
// needs no certification path. The path of the TSA's certificate, its revocation
// and whether its algorithms still count are the caller's to judge. The package
// reaches neither files nor the network.
package tsp

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"

	"antin/certs"
	"antin/signer/cms"
)

// Errors of parsing and of verifying. They are wrapped with what was found.
var (
	// ErrMalformed says that the bytes are not what they should be.
	ErrMalformed = errors.New("tsp: malformed")
	// ErrRefused says that the TSA refused; errors.As finds a *RefusedError.
	ErrRefused = errors.New("tsp: request refused")
	// ErrImprint says that the token is over other bytes, or uses another hash.
	ErrImprint = errors.New("tsp: imprint differs")
	// ErrNonce says that the token answers another request.
	ErrNonce = errors.New("tsp: nonce differs")
	// ErrPolicy says that the token was issued under another policy than asked for.
	ErrPolicy = errors.New("tsp: policy differs")
	// ErrToken says that the token breaks a rule of RFC 3161 or RFC 5652.
	ErrToken = errors.New("tsp: token breaks the rules")
	// ErrNoCertificate says that the TSA's certificate is not at hand.
	ErrNoCertificate = errors.New("tsp: TSA certificate not found")
	// ErrCertificate says that the TSA's certificate may not sign time-stamps, or
	// is not the one that the token names.
	ErrCertificate = errors.New("tsp: TSA certificate unsuitable")
	// ErrSignature says that the token's signature value does not verify.
	ErrSignature = errors.New("tsp: signature value does not verify")
	// ErrUnsupported says that the token uses an algorithm that is not known here.
	ErrUnsupported = errors.New("tsp: unsupported algorithm")
)

// Token is a decoded time-stamp token. It is not changed after ParseToken and is
// safe for concurrent use.
type Token struct {
	// Raw is the ContentInfo as received, without padding: what is embedded.
	Raw []byte
	// GenTime is when the TSA says it made the token, in UTC, fractions kept.
	GenTime time.Time
	// Accuracy is how far GenTime may be off either way; zero when not stated.
	Accuracy time.Duration
	// Ordering says that tokens of this TSA can be ordered by GenTime alone.
	Ordering bool
	// Hash is the imprint's hash; zero when unknown (see HashOID).
	Hash crypto.Hash
	// HashOID is the imprint's hash as written.
	HashOID asn1.ObjectIdentifier
	// Imprint is the hash that was stamped.
	Imprint []byte
	// Nonce is that of the request; nil when the token has none.
	Nonce *big.Int
	// Policy is the TSA's policy.
	Policy asn1.ObjectIdentifier
	// Serial is the token's serial number.
	Serial *big.Int
	// SignedData is the CMS around it.
	SignedData *cms.SignedData
	// Signer is the TSA's certificate found in the token; nil when it holds none.
	Signer *certs.Certificate
}
