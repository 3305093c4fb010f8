package cms

import (
	"crypto"
	"encoding/asn1"
	"fmt"
	"unicode/utf8"

	"antin/certs"
	"antin/signer/ades"
)

// AttributeParams are what the signed attributes of one signature say. There is
// no signing-time: PAdES baseline forbids it (EN 319 142-1, 6.3).
type AttributeParams struct {
	// ContentType is the content's type; nil is id-data.
	ContentType asn1.ObjectIdentifier
	// MessageDigest is the digest of the content, made with Algorithm.Digest.
	MessageDigest []byte
	// Certificate is the signing certificate, named by ESS signing-certificate-v2.
	Certificate *certs.Certificate
	// CertificateHash is the hash of that attribute; zero is SHA-256.
	CertificateHash crypto.Hash
	// IssuerSerial adds issuerSerial to it, which the hash makes superfluous.
	IssuerSerial bool
	// Algorithm is what the signature will be made with.
	Algorithm Algorithm
	// AlgorithmProtection adds CMSAlgorithmProtection (RFC 6211).
	AlgorithmProtection bool
	// CommitmentType adds commitment-type-indication; nil leaves it out.
	CommitmentType asn1.ObjectIdentifier
	// Policy adds signature-policy-identifier; nil leaves it out.
	Policy *Policy
	// Role adds signer-attributes-v2 with this claimed role; empty leaves it out.
	Role string
	// ContentTimestamp adds content-time-stamp with this token; nil leaves it out.
	ContentTimestamp []byte
}

// Policy names a signature policy (EN 319 122-1, 5.2.9.1).
type Policy struct {
	OID asn1.ObjectIdentifier
	// Hash and HashValue are over the policy document.
	Hash      crypto.Hash
	HashValue []byte
	// URI is where the document is; empty leaves the qualifier out. ASCII.
	URI string
}

// maxRole bounds a claimed role in bytes; X.520 bounds such names at 128 characters.
const maxRole = 512

// SignedAttributes encodes the signed attributes as the DER SET that is hashed
// and signed (tag 0x31); Build stores the same bytes. Errors wrap ErrInput.
func SignedAttributes(p AttributeParams) ([]byte, error) {
	if p.Certificate == nil || p.Algorithm.signatureOID() == nil {
		return nil, fmt.Errorf("%w: certificate or algorithm missing", ErrInput)
	}
	if !p.Algorithm.Digest.Available() || len(p.MessageDigest) != p.Algorithm.Digest.Size() {
		return nil, fmt.Errorf("%w: message digest of %d bytes", ErrInput, len(p.MessageDigest))
	}
	contentType := p.ContentType
	if contentType == nil {
		contentType = OIDData
	}
	reference, err := p.signingCertificate()
	if err != nil {
		return nil, err
	}
	set := [][]byte{
		derAttribute(OIDContentType, derOID(contentType)),
		derAttribute(OIDMessageDigest, derOctets(p.MessageDigest)),
		derAttribute(OIDSigningCertificateV2, reference),
	}
	if p.AlgorithmProtection {
		sig := p.Algorithm.signatureIdentifier()
		sig[0] = tagContext1 // [1] IMPLICIT SignatureAlgorithmIdentifier
		set = append(set, derAttribute(OIDAlgorithmProtection, derSequence(digestIdentifier(p.Algorithm.Digest), sig)))
	}
	if p.CommitmentType != nil {
		set = append(set, derAttribute(OIDCommitmentType, derSequence(derOID(p.CommitmentType))))
	}
	if p.Policy != nil {
		policy, err := p.Policy.encode()
		if err != nil {
			return nil, err
		}
		set = append(set, derAttribute(OIDSignaturePolicy, policy))
	}
	if p.Role != "" {
		role, err := encodeRole(p.Role)
		if err != nil {
			return nil, err
		}
		set = append(set, derAttribute(OIDSignerAttributesV2, role))
	}
	if p.ContentTimestamp != nil {
		if err := oneElement(p.ContentTimestamp); err != nil {
			return nil, err
		}
		set = append(set, derAttribute(OIDContentTimestamp, p.ContentTimestamp))
	}
	return derSetOf(tagSet, set), nil
}

func derAttribute(oid asn1.ObjectIdentifier, values ...[]byte) []byte {
	return derSequence(derOID(oid), derSetOf(tagSet, values))
}

// signingCertificate encodes SigningCertificateV2 (RFC 5035, 3): the default hash
// SHA-256 is left out, as DER demands.
func (p AttributeParams) signingCertificate() ([]byte, error) {
	h := p.CertificateHash
	if h == 0 {
		h = crypto.SHA256
	}
	if ades.HashOID(h) == nil || !h.Available() {
		return nil, fmt.Errorf("%w: certificate hash %s", ErrInput, h)
	}
	sum := h.New()
	sum.Write(p.Certificate.Raw)
	var parts [][]byte
	if h != crypto.SHA256 {
		parts = append(parts, digestIdentifier(h))
	}
	parts = append(parts, derOctets(sum.Sum(nil)))
	if p.IssuerSerial {
		const tagDirectoryName = 0xA4
		names := derSequence(derTagged(tagDirectoryName, p.Certificate.RawIssuer))
		parts = append(parts, derSequence(names, derInteger(p.Certificate.Serial)))
	}
	return derSequence(derSequence(derSequence(parts...))), nil
}

// encode is SignaturePolicyId (EN 319 122-1, 5.2.9.1).
func (p *Policy) encode() ([]byte, error) {
	const tagIA5String = 0x16
	if len(p.OID) < 2 || ades.HashOID(p.Hash) == nil || len(p.HashValue) == 0 {
		return nil, fmt.Errorf("%w: signature policy without identifier or hash", ErrInput)
	}
	parts := [][]byte{derOID(p.OID), derSequence(digestIdentifier(p.Hash), derOctets(p.HashValue))}
	if p.URI != "" {
		for _, r := range p.URI {
			if r < 0x20 || r > 0x7E {
				return nil, fmt.Errorf("%w: signature policy address is not ASCII", ErrInput)
			}
		}
		uri := derTagged(tagIA5String, []byte(p.URI))
		parts = append(parts, derSequence(derSequence(derOID(oidPolicyURI), uri)))
	}
	return derSequence(parts...), nil
}

// encodeRole is SignerAttributesV2 with one claimed attribute, a role
// (EN 319 122-1, 5.2.6.1). The role is text, so that it stands as a directory
// name: RoleSyntax takes a GeneralName, and a URI could not hold Vietnamese.
func encodeRole(role string) ([]byte, error) {
	const tagUTF8String, tagDirectoryName = 0x0C, 0xA4
	if !utf8.ValidString(role) || len(role) > maxRole {
		return nil, fmt.Errorf("%w: claimed role of %d bytes", ErrInput, len(role))
	}
	cn := derSequence(derOID(oidCommonName), derTagged(tagUTF8String, []byte(role)))
	name := derTagged(tagDirectoryName, derSequence(derTagged(tagSet, cn)))
	claimed := derSequence(derAttribute(oidRole, derSequence(derTagged(tagContext1, name))))
	return derSequence(derTagged(tagContext0, claimed)), nil
}

// oneElement makes sure that value is exactly one element, so that it can stand
// as an attribute value without being encoded again.
func oneElement(value []byte) error {
	r, err := newReader(value)
	if err != nil {
		return err
	}
	c := r.all()
	if _, err := c.next(); err != nil {
		return fmt.Errorf("%w: attribute value: %w", ErrInput, err)
	}
	if !c.empty() {
		return fmt.Errorf("%w: bytes after an attribute value", ErrInput)
	}
	return nil
}
