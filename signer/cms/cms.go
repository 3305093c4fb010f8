// Package cms encodes and decodes CMS SignedData (RFC 5652) as the AdES
// profiles use it: CAdES attributes (EN 319 122-1), one signer, detached content
// known only by its digest, and a signature value that may arrive later from
// somewhere else.
//
// The decoder reads DER first and tolerates the BER that real signers produce,
// within fixed limits of size, depth and count. It reports what it found and
// decides nothing: validation judges. The package holds no keys and reaches
// neither files nor the network.
package cms

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"math/big"

	"antin/certs"
	"antin/signer/ades"
)

// Errors of parsing and of verifying. They are wrapped with what was being read.
var (
	// ErrMalformed says that the bytes are not a CMS SignedData.
	ErrMalformed = errors.New("cms: malformed")
	// ErrLimit says that a fixed limit of size, depth or count was passed.
	ErrLimit = errors.New("cms: limit exceeded")
	// ErrUnsupported says that an algorithm or key type is not known here;
	// nothing is known about the signature then.
	ErrUnsupported = errors.New("cms: unsupported algorithm")
	// ErrSignature says that the signature value does not verify.
	ErrSignature = errors.New("cms: signature value does not verify")
	// ErrNoCertificate says that no certificate answers to the signer's identifier.
	ErrNoCertificate = errors.New("cms: signing certificate not found")
	// ErrESSMismatch says that the ESS signing-certificate attribute names
	// another certificate than the signer's identifier does.
	ErrESSMismatch = errors.New("cms: signing-certificate attribute names another certificate")
	// ErrNoSignedAttributes says that the signer has no signed attributes, so that
	// the value is over the content itself; see SignerInfo.VerifyDigest.
	ErrNoSignedAttributes = errors.New("cms: no signed attributes")
	// ErrInput says that what was given to an encoder cannot make a SignedData.
	ErrInput = errors.New("cms: unusable input")
)

// SignedData is a decoded SignedData (RFC 5652, 5.1). It is not changed after
// Parse and is safe for concurrent use; its slices share the parsed bytes.
type SignedData struct {
	// Raw is the whole ContentInfo without trailing padding.
	Raw []byte
	// Version is CMSVersion as written.
	Version int
	// DigestAlgorithms are the object identifiers of the digestAlgorithms set.
	DigestAlgorithms []asn1.ObjectIdentifier
	// ContentType is eContentType: id-data in AdES, id-ct-TSTInfo in a time-stamp token.
	ContentType asn1.ObjectIdentifier
	// Content is eContent; nil when detached, empty and not nil when present without bytes.
	Content []byte
	// Certificates are those that parse, in the order found.
	Certificates []*certs.Certificate
	// Unparsable are the certificates that do not parse, and the other choices
	// of CertificateSet (attribute certificates), as received.
	Unparsable [][]byte
	// CRLs are CertificateLists of the crls field, DER.
	CRLs [][]byte
	// OCSPs are OCSPResponses of the crls field (RFC 5940), DER. A BasicOCSPResponse
	// that stands there alone is put into one.
	OCSPs [][]byte
	// Revocation are all the elements of the crls field as received.
	Revocation []RevocationChoice
	// Signers are the SignerInfos in the order found.
	Signers []*SignerInfo
	// BER says that some length or string was not in DER form. Certificates,
	// revocation data and attribute values of definite length are not looked into.
	BER bool
	// Trailing counts the zero bytes after the encoding (the padding of a PDF's Contents).
	Trailing int

	certificate func([]byte) (*certs.Certificate, error) // parses one
}

// SignerInfo is one decoded signer (RFC 5652, 5.3).
type SignerInfo struct {
	// Version is CMSVersion as written: 1 with issuer and serial, 3 with SubjectKeyID.
	Version int
	// Issuer is the DER Name of the signer's identifier; nil when SubjectKeyID names it.
	Issuer []byte
	// Serial goes with Issuer.
	Serial *big.Int
	// SubjectKeyID names the signer instead of Issuer and Serial; nil otherwise.
	SubjectKeyID []byte
	// Digest is the digest algorithm; zero when unknown (see DigestOID).
	Digest crypto.Hash
	// DigestOID is the digest algorithm as written.
	DigestOID asn1.ObjectIdentifier
	// SignatureAlgorithm is the scheme; empty when unknown (see SignatureOID).
	SignatureAlgorithm ades.SignatureAlgorithm
	// SignatureOID is the signature algorithm as written.
	SignatureOID asn1.ObjectIdentifier
	// SignatureHash is the hash of the signature scheme: the one its identifier or
	// its PSS parameters name, Digest when they name none, SHA-512 for Ed25519,
	// zero when the algorithm is unknown.
	SignatureHash crypto.Hash
	// PSS are the parameters of RSASSA-PSS; nil with every other scheme.
	PSS *PSSParameters
	// Signature is the signature value.
	Signature []byte
	// RawSignedAttrs are the signed attributes as received, with their own tag
	// [0] (0xA0) and length; nil when there are none.
	RawSignedAttrs []byte
	// Attributes are the signed attributes in the order found, repeats included.
	Attributes []Attribute
	// Unsigned are the unsigned attributes in the order found.
	Unsigned []Attribute
	// Problems are the departures from RFC 5652 and CAdES seen while reading.
	Problems []Problem

	scheme certs.SignatureScheme
	// fields are version to signature as received, one after the other.
	fields []byte
}

// RevocationChoice is one element of the crls field (RFC 5652, 10.2.1).
type RevocationChoice struct {
	// Raw is the element as received, with its tag.
	Raw []byte
	// CRL or OCSP is what it holds, as in SignedData; both nil for other formats.
	CRL, OCSP []byte
}

// Attribute is one attribute: its type and the DER of each value as received.
type Attribute struct {
	OID    asn1.ObjectIdentifier
	Values [][]byte
}

// PSSParameters are the parameters of RSASSA-PSS (RFC 4055, 3.1).
type PSSParameters struct {
	Hash       crypto.Hash
	MGFHash    crypto.Hash
	SaltLength int // bytes
}

// ProblemName names a departure from the rules; programs may rely on the words.
type ProblemName string

// The problems that Parse reports on a signer.
const (
	// DuplicateAttribute: an attribute type stands more than once in a set where
	// it may stand once (RFC 5652, 5.3).
	DuplicateAttribute ProblemName = "duplicate-attribute"
	// MultipleValues: a single-valued attribute carries none or several values.
	MultipleValues ProblemName = "multiple-values"
	// MalformedAttribute: the value of a known attribute cannot be read.
	MalformedAttribute ProblemName = "malformed-attribute"
	// UnsortedAttributes: signed attributes are not in DER order or form.
	UnsortedAttributes ProblemName = "unsorted-attributes"
	// EmptyAttributes: the set of signed attributes is present and empty.
	EmptyAttributes ProblemName = "empty-attributes"
	// DigestNotListed: the digest algorithm is not in digestAlgorithms.
	DigestNotListed ProblemName = "digest-not-listed"
	// DigestMismatch: the signature algorithm names another hash than digestAlgorithm.
	DigestMismatch ProblemName = "digest-mismatch"
	// ProtectionMismatch: CMSAlgorithmProtection (RFC 6211) names other algorithms.
	ProtectionMismatch ProblemName = "algorithm-protection-mismatch"
	// VersionMismatch: the version does not go with the signer's identifier.
	VersionMismatch ProblemName = "version-mismatch"
)

// Problem is one departure and, where it concerns an attribute, its type.
type Problem struct {
	Name ProblemName
	OID  asn1.ObjectIdentifier // nil when no attribute is concerned
}
