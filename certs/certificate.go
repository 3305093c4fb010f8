package certs

import (
	"bytes"
	"crypto"
	"crypto/sha1" //nolint:gosec // RFC 5280, 4.2.1.2 names keys by SHA-1; nothing is signed with it
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"
)

// OIDSandbox marks every certificate of the sandbox PKI (a non-critical
// extension). No path with such a certificate is accepted unless asked for.
var OIDSandbox = asn1.ObjectIdentifier{2, 25, 2026112301}

// Certificate is one parsed X.509 certificate. It is tolerant where crypto/x509
// is not: unknown key types and curves, unknown critical extensions and odd
// serial numbers are recorded, not refused; whoever relies on the certificate
// decides. A Certificate is read-only after parsing.
type Certificate struct {
	// Raw is the whole certificate as received; the others are its parts in DER, tag
	// and length included.
	Raw, RawTBS, RawSubject, RawIssuer, RawSPKI []byte
	// BER tells that Raw is not in DER, as RFC 5280, 4.1 wants it: lengths, strings
	// in pieces, or numbers with padding.
	BER bool

	Version int // 1, 2 or 3
	Serial  *big.Int

	// Subject and Issuer are written by RFC 4514 with the common name first
	// ("CN=…,O=…,C=VN"); empty when the name is empty.
	Subject, Issuer string
	CommonName      string
	// SubjectAttributes are the parts of the subject in encoded order.
	SubjectAttributes []NameAttribute

	// NotBefore and NotAfter bound the validity period, both included, in UTC.
	NotBefore, NotAfter time.Time

	// PublicKey is *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey, *CurveKey
	// or *dsa.PublicKey (its parameters nil where they are the issuer's), and nil
	// when the algorithm is unknown here.
	PublicKey crypto.PublicKey
	// KeyBits is the size of the modulus or the curve; 0 when unknown.
	KeyBits int
	// KeyAlgorithm is "RSA", "ECDSA", "Ed25519", "Ed448", "DSA" or the identifier in dots.
	KeyAlgorithm string

	// SignatureAlgorithm and Signature are how the issuer signed RawTBS.
	SignatureAlgorithm AlgorithmIdentifier
	Signature          []byte

	// HasBasicConstraints tells a present extension from an absent one.
	HasBasicConstraints bool
	IsCA                bool
	// PathLen is the greatest number of CA certificates that may follow; -1 when
	// not limited.
	PathLen int
	// KeyUsage is 0 when the extension is absent, which allows every usage.
	KeyUsage            KeyUsage
	ExtKeyUsage         []asn1.ObjectIdentifier
	ExtKeyUsageCritical bool

	SubjectKeyID, AuthorityKeyID []byte

	// The addresses found in the certificate, of any scheme. They are claims of a
	// stranger: only a guarded client may follow them.
	OCSPServers, CRLDistributionPoints, IssuingCertificateURL []string
	FreshestCRL                                               []string // of delta CRLs

	EmailAddresses, DNSNames []string // from subjectAltName
	PolicyOIDs               []asn1.ObjectIdentifier

	OCSPNoCheck bool // id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1)
	Sandbox     bool // carries OIDSandbox

	// UnknownCritical names critical extensions that this package does not
	// process; BuildPath refuses a certificate that has one.
	UnknownCritical []asn1.ObjectIdentifier
	Extensions      []Extension

	subjectKey, issuerKey string // names folded for comparison
	rawSerial             []byte // content of the INTEGER, minimal by DER
	keyBytes              []byte // subjectPublicKey without the BIT STRING header
	altNames              generalNames
	subject               rdnSequence
	constraints           *nameConstraints
	distributionPoints    []distributionPoint
	policies              policyExtensions
	fingerprint           [32]byte
	received              []byte // of BER: the signed part as it was received
}

// Extension is one certificate or CRL extension as found.
type Extension struct {
	OID      asn1.ObjectIdentifier
	Critical bool
	Value    []byte // the DER inside the OCTET STRING
}

// KeyUsage is the set of RFC 5280, 4.2.1.3.
type KeyUsage uint16

// The key usages. KeyUsageContentCommitment is the bit once named nonRepudiation.
const (
	KeyUsageDigitalSignature KeyUsage = 1 << iota
	KeyUsageContentCommitment
	KeyUsageKeyEncipherment
	KeyUsageDataEncipherment
	KeyUsageKeyAgreement
	KeyUsageCertSign
	KeyUsageCRLSign
	KeyUsageEncipherOnly
	KeyUsageDecipherOnly
)

// Permits reports whether the extension allows any of want; an absent extension allows all.
func (k KeyUsage) Permits(want KeyUsage) bool { return k == 0 || k&want != 0 }

// The extended key usages that decide something here (RFC 5280, 4.2.1.12; RFC 9336).
var (
	OIDExtKeyUsageAny             = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
	OIDExtKeyUsageServerAuth      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	OIDExtKeyUsageClientAuth      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	OIDExtKeyUsageCodeSigning     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	OIDExtKeyUsageEmailProtection = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	OIDExtKeyUsageTimeStamping    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	OIDExtKeyUsageOCSPSigning     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
	OIDExtKeyUsageDocumentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}
)

// HasExtKeyUsage reports whether the extension names oid itself; an absent
// extension names nothing.
func (c *Certificate) HasExtKeyUsage(oid asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.ExtKeyUsage, oid.Equal)
}

// SHA256 is the fingerprint of the whole certificate.
func (c *Certificate) SHA256() [32]byte { return c.fingerprint }

// Equal reports whether both are the same certificate, byte for byte. Nil equals only nil.
func (c *Certificate) Equal(o *Certificate) bool {
	if c == nil || o == nil {
		return c == o
	}
	return bytes.Equal(c.Raw, o.Raw)
}

// SelfIssued reports whether subject and issuer are the same name. It says
// nothing about who signed.
func (c *Certificate) SelfIssued() bool { return c.subjectKey == c.issuerKey }

// IssuedBy reports whether issuer's name is the one in c and issuer's key made
// c's signature. Constraints and validity are BuildPath's business.
func (c *Certificate) IssuedBy(issuer *Certificate) bool {
	return c.issuerKey == issuer.subjectKey && c.checkSignatureFrom(issuer) == nil
}

// IsIssuerAndSerial reports whether c is the certificate named by an issuer (in
// DER, compared as a name, not as bytes) and a serial number.
func (c *Certificate) IsIssuerAndSerial(rawIssuer []byte, serial *big.Int) bool {
	if c.Serial.Cmp(serial) != 0 {
		return false
	}
	if bytes.Equal(c.RawIssuer, rawIssuer) {
		return true
	}
	key, err := foldName(rawIssuer)
	return err == nil && key == c.issuerKey
}

// KeyID is the subject key identifier, or the SHA-1 of the public key where the
// certificate names none (RFC 5280, 4.2.1.2, method 1).
func (c *Certificate) KeyID() []byte {
	if len(c.SubjectKeyID) > 0 {
		return c.SubjectKeyID
	}
	sum := sha1.Sum(c.keyBytes) //nolint:gosec // an identifier, not a protection
	return sum[:]
}

// ValidAt reports whether t lies within the validity period, both ends included.
func (c *Certificate) ValidAt(t time.Time) bool {
	return !t.Before(c.NotBefore) && !t.After(c.NotAfter)
}

// Attribute returns the first value of the subject attribute with that short
// name ("O", "OU", "L", "C", "E", "UID", …), "" when there is none.
func (c *Certificate) Attribute(short string) string {
	for _, a := range c.SubjectAttributes {
		if a.Type == short {
			return a.Value
		}
	}
	return ""
}

func (c *Certificate) sum() { c.fingerprint = sha256.Sum256(c.Raw) }
