package cms

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"

	"antin/certs"
	"antin/signer/ades"
)

// SignedDataParams are the parts of a SignedData with one signer.
type SignedDataParams struct {
	// Algorithm is what Signature was made with.
	Algorithm Algorithm
	// Attributes are the bytes that SignedAttributes returned.
	Attributes []byte
	// Signature is the raw value over Attributes: DER for ECDSA.
	Signature []byte
	// Certificate is the signing certificate; it is always put in.
	Certificate *certs.Certificate
	// Certificates are put in beside it; repeats are dropped.
	Certificates []*certs.Certificate
	// BySubjectKeyID names the signer by key identifier and not by issuer and
	// serial. The certificate must carry one: verifiers do not compute it.
	BySubjectKeyID bool
	// ContentType is that of the attributes; nil is id-data.
	ContentType asn1.ObjectIdentifier
	// Content is embedded; nil makes a detached signature.
	Content []byte
	// Timestamp adds signature-time-stamp with this token, as received; nil leaves it out.
	Timestamp []byte
	// Unsigned are further unsigned attributes.
	Unsigned []Attribute
}

// Build encodes a ContentInfo with SignedData in DER (RFC 5652, 5.1). It does
// not verify Signature. Errors wrap ErrInput.
func Build(p SignedDataParams) ([]byte, error) {
	if p.Certificate == nil || p.Algorithm.signatureOID() == nil || len(p.Signature) == 0 {
		return nil, fmt.Errorf("%w: certificate, algorithm or signature missing", ErrInput)
	}
	if len(p.Attributes) == 0 || p.Attributes[0] != tagSet {
		return nil, fmt.Errorf("%w: signed attributes are not a SET", ErrInput)
	}
	if err := oneElement(p.Attributes); err != nil {
		return nil, err
	}
	contentType := p.ContentType
	if contentType == nil {
		contentType = OIDData
	}
	signer, err := p.signerInfo()
	if err != nil {
		return nil, err
	}
	encap := [][]byte{derOID(contentType)}
	if p.Content != nil {
		encap = append(encap, derTagged(tagContext0, derOctets(p.Content)))
	}
	version := int64(1)
	if p.BySubjectKeyID || !contentType.Equal(OIDData) {
		version = 3
	}
	body := derSequence(
		derInt(version),
		derTagged(tagSet, digestIdentifier(p.Algorithm.Digest)),
		derSequence(encap...),
		derSetOf(tagContext0, p.certificates()),
		derTagged(tagSet, signer),
	)
	return contentInfo(body), nil
}

func contentInfo(signedData []byte) []byte {
	return derSequence(derOID(OIDSignedData), derTagged(tagContext0, signedData))
}

func (p SignedDataParams) certificates() [][]byte {
	out := [][]byte{p.Certificate.Raw}
	seen := map[[32]byte]bool{p.Certificate.SHA256(): true}
	for _, c := range p.Certificates {
		if !seen[c.SHA256()] {
			seen[c.SHA256()] = true
			out = append(out, c.Raw)
		}
	}
	return out
}

func (p SignedDataParams) signerInfo() ([]byte, error) {
	version := int64(1)
	id := derSequence(p.Certificate.RawIssuer, derInteger(p.Certificate.Serial))
	if p.BySubjectKeyID {
		if len(p.Certificate.SubjectKeyID) == 0 {
			return nil, fmt.Errorf("%w: the certificate has no key identifier", ErrInput)
		}
		version, id = 3, derTagged(tagSubjectKeyID, p.Certificate.SubjectKeyID)
	}
	attrs := append([]byte{tagAttributes}, p.Attributes[1:]...)
	parts := [][]byte{
		derInt(version), id, digestIdentifier(p.Algorithm.Digest), attrs,
		p.Algorithm.signatureIdentifier(), derOctets(p.Signature),
	}
	unsigned, err := p.unsigned()
	if err != nil {
		return nil, err
	}
	if len(unsigned) > 0 {
		parts = append(parts, derSetOf(tagContext1, unsigned))
	}
	return derSequence(parts...), nil
}

func (p SignedDataParams) unsigned() ([][]byte, error) {
	attrs := p.Unsigned
	if p.Timestamp != nil {
		attrs = append([]Attribute{{OID: OIDSignatureTimestamp, Values: [][]byte{p.Timestamp}}}, attrs...)
	}
	var out [][]byte
	for _, a := range attrs {
		if len(a.OID) < 2 || len(a.Values) == 0 {
			return nil, fmt.Errorf("%w: unsigned attribute without type or value", ErrInput)
		}
		for _, v := range a.Values {
			if err := oneElement(v); err != nil {
				return nil, err
			}
		}
		out = append(out, derAttribute(a.OID, a.Values...))
	}
	return out, nil
}

// AddTimestamp returns the SignedData der with token as a further
// signature-time-stamp of its only signer. Every other element keeps its bytes.
// It serves signatures made elsewhere; Build takes the token directly. Errors
// wrap ErrMalformed, ErrLimit or ErrInput.
func AddTimestamp(der, token []byte) ([]byte, error) {
	return AddUnsigned(der, OIDSignatureTimestamp, token)
}

// AddUnsigned returns the SignedData der with a further unsigned attribute of its only
// signer. Every other element keeps its bytes. Errors are those of AddTimestamp.
func AddUnsigned(der []byte, oid asn1.ObjectIdentifier, value []byte) ([]byte, error) {
	sd, err := Parse(der)
	if err != nil {
		return nil, err
	}
	if len(sd.Signers) != 1 {
		return nil, fmt.Errorf("%w: %d signers", ErrInput, len(sd.Signers))
	}
	if err := oneElement(value); err != nil {
		return nil, err
	}
	// Parse has made sure of the shape: ContentInfo{oid, [0]{SignedData}}.
	info, err := Elements(sd.Raw)
	if err != nil {
		return nil, err
	}
	explicit, err := Elements(info[1])
	if err != nil {
		return nil, err
	}
	fields, err := Elements(explicit[0])
	if err != nil {
		return nil, err
	}
	last := len(fields) - 1
	signers, err := Elements(fields[last])
	if err != nil {
		return nil, err
	}
	signer, err := Elements(signers[0])
	if err != nil {
		return nil, err
	}
	unsigned := [][]byte{derAttribute(oid, value)}
	if tail := len(signer) - 1; signer[tail][0] == tagContext1 {
		old, err := Elements(signer[tail])
		if err != nil {
			return nil, err
		}
		unsigned, signer = append(unsigned, old...), signer[:tail]
	}
	signer = append(signer, derSetOf(tagContext1, unsigned))
	fields[last] = derTagged(tagSet, derSequence(signer...))
	return contentInfo(derSequence(fields...)), nil
}

// SignatureValue turns value, as a key back end gave it, into the form that CMS
// carries: r and s side by side, as PKCS #11 and some remote services return
// ECDSA values, become their DER form. Other values are returned as they are.
func SignatureValue(a Algorithm, cert *certs.Certificate, value []byte) ([]byte, error) {
	if a.Scheme != ades.ECDSA {
		return value, nil
	}
	pub, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: ECDSA value for a key of type %T", ErrInput, cert.PublicKey)
	}
	n := (pub.Curve.Params().BitSize + 7) / 8
	if len(value) != 2*n || isECDSAValue(value) {
		return value, nil
	}
	r, s := new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:])
	return derSequence(derInteger(r), derInteger(s)), nil
}

// isECDSAValue reports whether value is a DER SEQUENCE of two INTEGERs.
func isECDSAValue(value []byte) bool {
	items, err := Elements(value)
	if err != nil || value[0] != tagSequence || len(items) != 2 || oneElement(value) != nil {
		return false
	}
	return items[0][0] == tagInteger && items[1][0] == tagInteger
}

// Allowances of EstimateSize, in bytes.
const (
	// framing covers every header, identifier and algorithm around the parts.
	framing = 256
	// maxRSASignature is used when the key's size is not known: RSA-4096.
	maxRSASignature = 512
)

// EstimateSize returns an upper bound, in bytes, of what Build will make of p.
// p.Signature and p.Timestamp may still be missing: the value's size follows from
// the certificate's key, and timestamp bytes are set aside for the token.
func EstimateSize(p SignedDataParams, timestamp int) int {
	n := framing + len(p.Attributes) + len(p.Content) + signatureSize(p)
	if p.Certificate != nil {
		for _, c := range p.certificates() {
			n += len(c)
		}
		n += len(p.Certificate.RawIssuer) + maxSerial
	}
	for _, a := range p.Unsigned {
		for _, v := range a.Values {
			n += len(v) + framing
		}
	}
	return n + max(timestamp, len(p.Timestamp))
}

// maxSerial is more than the 21 bytes of the longest serial number RFC 5280 allows.
const maxSerial = 32

func signatureSize(p SignedDataParams) int {
	n := maxRSASignature
	if p.Certificate != nil {
		switch pub := p.Certificate.PublicKey.(type) {
		case *rsa.PublicKey:
			n = pub.Size()
		case *ecdsa.PublicKey:
			n = 2*((pub.Curve.Params().BitSize+7)/8) + 16
		case ed25519.PublicKey:
			n = ed25519.SignatureSize
		}
	}
	return max(n, len(p.Signature))
}
