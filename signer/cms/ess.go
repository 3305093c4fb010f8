package cms

import (
	"crypto"
	"encoding/asn1"
	"math/big"

	"antin/signer/ades"
)

// ESSCertID is the first certificate identifier of an ESS signing-certificate
// attribute (RFC 5035): the one that names the signing certificate.
type ESSCertID struct {
	// Version is 1 for signing-certificate (SHA-1), 2 for signing-certificate-v2.
	Version int
	// Hash is the hash of CertHash; zero when unknown.
	Hash crypto.Hash
	// CertHash is the hash of the certificate's DER.
	CertHash []byte
	// Issuer is the DER Name of issuerSerial's directoryName; nil without issuerSerial.
	Issuer []byte
	// Serial is the serial number of issuerSerial; nil without issuerSerial.
	Serial *big.Int
}

// ESS returns the signing certificate identifiers of the ESS attributes that are
// present and readable, version 2 before version 1.
func (s *SignerInfo) ESS() []ESSCertID {
	var out []ESSCertID
	if id, err := s.ess(OIDSigningCertificateV2, 2); err == nil && id != nil {
		out = append(out, *id)
	}
	if id, err := s.ess(OIDSigningCertificate, 1); err == nil && id != nil {
		out = append(out, *id)
	}
	return out
}

// ess reads the attribute oid; nil without an error when it is absent.
func (s *SignerInfo) ess(oid asn1.ObjectIdentifier, version int) (*ESSCertID, error) {
	c := s.value(oid)
	if c == nil {
		return nil, nil
	}
	list, err := c.enter(tagSequence, "SigningCertificate")
	if err != nil {
		return nil, err
	}
	ids, err := list.enter(tagSequence, "certs")
	if err != nil {
		return nil, err
	}
	in, err := ids.enter(tagSequence, "ESSCertID")
	if err != nil {
		return nil, err
	}
	id := &ESSCertID{Version: version, Hash: crypto.SHA1}
	if version == 2 {
		id.Hash = crypto.SHA256
		if in.at(tagSequence) {
			a, err := parseAlgorithm(in, "hashAlgorithm")
			if err != nil {
				return nil, err
			}
			id.Hash, _ = ades.HashFromOID(a.oid)
		}
	}
	if id.CertHash, err = in.octetString("certHash"); err != nil {
		return nil, err
	}
	if in.empty() {
		return id, nil
	}
	return id, id.parseIssuerSerial(in)
}

// parseIssuerSerial reads IssuerSerial, whose issuer is GeneralNames with one directoryName.
func (id *ESSCertID) parseIssuerSerial(c *cursor) error {
	const tagDirectoryName = 0xA4
	in, err := c.enter(tagSequence, "issuerSerial")
	if err != nil {
		return err
	}
	names, err := in.enter(tagSequence, "issuer")
	if err != nil {
		return err
	}
	dir, err := names.enter(tagDirectoryName, "directoryName")
	if err != nil {
		return err
	}
	name, err := dir.expect(tagSequence, "Name")
	if err != nil {
		return err
	}
	id.Issuer = name.raw
	id.Serial, err = in.integer("serialNumber")
	return err
}
