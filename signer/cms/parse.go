package cms

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"antin/certs"
)

// Counts of the decoder; each bounds what validation would have to work through.
const (
	maxCertificates = 256 // a path has some 5, tokens bring a few more
	maxCRLs         = 256
	maxSigners      = 32
	maxAlgorithms   = 64
)

// Parse decodes a ContentInfo that holds SignedData.
//
// Zero bytes behind the encoding are counted and tolerated, other bytes are not.
// BER is tolerated and flagged. Certificates that do not parse are kept as bytes.
// Errors wrap ErrMalformed or ErrLimit. data must not change afterwards.
func Parse(data []byte) (*SignedData, error) { return ParseWith(data, certs.ParseCertificate) }

// ParseWith is Parse with another way to parse certificates: certs.ParseCertificate,
// or what remembers its results.
func ParseWith(data []byte, certificate func([]byte) (*certs.Certificate, error)) (*SignedData, error) {
	r, err := newReader(data)
	if err != nil {
		return nil, err
	}
	c := r.all()
	outer, err := c.expect(tagSequence, "ContentInfo")
	if err != nil {
		return nil, err
	}
	if rest := data[c.pos:]; len(bytes.TrimLeft(rest, "\x00")) > 0 {
		return nil, fmt.Errorf("%w: bytes after the ContentInfo", ErrMalformed)
	}
	sd := &SignedData{Raw: outer.raw, Trailing: len(data) - c.pos, certificate: certificate}
	ci := r.in(outer)
	oid, err := ci.oid("contentType")
	if err != nil {
		return nil, err
	}
	if !oid.Equal(OIDSignedData) {
		return nil, fmt.Errorf("%w: content type %s is not signedData", ErrMalformed, oid)
	}
	explicit, err := ci.enter(tagContext0, "content")
	if err != nil {
		return nil, err
	}
	body, err := explicit.enter(tagSequence, "SignedData")
	if err != nil {
		return nil, err
	}
	if !ci.empty() || !explicit.empty() {
		return nil, fmt.Errorf("%w: elements after the SignedData", ErrMalformed)
	}
	if err := sd.parse(body); err != nil {
		return nil, err
	}
	sd.BER = r.ber
	return sd, nil
}

// parse reads the fields of SignedData (RFC 5652, 5.1).
func (sd *SignedData) parse(c *cursor) error {
	var err error
	if sd.Version, err = c.version("SignedData version"); err != nil {
		return err
	}
	if err := sd.parseDigestAlgorithms(c); err != nil {
		return err
	}
	if err := sd.parseContent(c); err != nil {
		return err
	}
	if c.at(tagContext0) {
		if err := sd.parseCertificates(c); err != nil {
			return err
		}
	}
	if c.at(tagContext1) {
		if err := sd.parseRevocation(c); err != nil {
			return err
		}
	}
	signers, err := c.enter(tagSet, "signerInfos")
	if err != nil {
		return err
	}
	for !signers.empty() {
		if len(sd.Signers) == maxSigners {
			return fmt.Errorf("%w: more than %d signers", ErrLimit, maxSigners)
		}
		s, err := parseSigner(signers)
		if err != nil {
			return fmt.Errorf("signer %d: %w", len(sd.Signers)+1, err)
		}
		s.check(sd.DigestAlgorithms)
		sd.Signers = append(sd.Signers, s)
	}
	if !c.empty() {
		return fmt.Errorf("%w: elements after signerInfos", ErrMalformed)
	}
	return nil
}

func (sd *SignedData) parseDigestAlgorithms(c *cursor) error {
	set, err := c.enter(tagSet, "digestAlgorithms")
	if err != nil {
		return err
	}
	for !set.empty() {
		if len(sd.DigestAlgorithms) == maxAlgorithms {
			return fmt.Errorf("%w: more than %d digest algorithms", ErrLimit, maxAlgorithms)
		}
		a, err := parseAlgorithm(set, "digestAlgorithm")
		if err != nil {
			return err
		}
		sd.DigestAlgorithms = append(sd.DigestAlgorithms, a.oid)
	}
	return nil
}

func (sd *SignedData) parseContent(c *cursor) error {
	encap, err := c.enter(tagSequence, "encapContentInfo")
	if err != nil {
		return err
	}
	if sd.ContentType, err = encap.oid("eContentType"); err != nil {
		return err
	}
	if encap.empty() {
		return nil
	}
	explicit, err := encap.enter(tagContext0, "eContent")
	if err != nil {
		return err
	}
	content, err := explicit.octetString("eContent")
	if err != nil {
		return err
	}
	if !encap.empty() || !explicit.empty() {
		return fmt.Errorf("%w: elements after eContent", ErrMalformed)
	}
	sd.Content = content
	if sd.Content == nil {
		sd.Content = []byte{}
	}
	return nil
}

func (sd *SignedData) parseCertificates(c *cursor) error {
	set, err := c.enter(tagContext0, "certificates")
	if err != nil {
		return err
	}
	for n := 0; !set.empty(); n++ {
		if n == maxCertificates {
			return fmt.Errorf("%w: more than %d certificates", ErrLimit, maxCertificates)
		}
		e, err := set.next()
		if err != nil {
			return fmt.Errorf("certificates: %w", err)
		}
		cert, err := sd.certificate(e.raw)
		if err != nil {
			sd.Unparsable = append(sd.Unparsable, e.raw)
			continue
		}
		sd.Certificates = append(sd.Certificates, cert)
	}
	return nil
}

// parseRevocation reads RevocationInfoChoices (RFC 5652, 10.2.1): CRLs as they
// stand, OCSP responses by RFC 5940; other formats are passed over.
func (sd *SignedData) parseRevocation(c *cursor) error {
	set, err := c.enter(tagContext1, "crls")
	if err != nil {
		return err
	}
	for n := 0; !set.empty(); n++ {
		if n == maxCRLs {
			return fmt.Errorf("%w: more than %d revocation entries", ErrLimit, maxCRLs)
		}
		e, err := set.next()
		if err != nil {
			return fmt.Errorf("crls: %w", err)
		}
		one := RevocationChoice{Raw: e.raw}
		switch e.tag {
		case tagSequence:
			one.CRL = e.raw
			sd.CRLs = append(sd.CRLs, one.CRL)
		case tagContext1:
			if one.OCSP, err = otherRevocation(c.r.in(e)); err != nil {
				return err
			}
			if one.OCSP != nil {
				sd.OCSPs = append(sd.OCSPs, one.OCSP)
			}
		}
		sd.Revocation = append(sd.Revocation, one)
	}
	return nil
}

// otherRevocation reads OtherRevocationInfoFormat (RFC 5652, 10.2.1): an OCSPResponse
// as RFC 5940 has it or a BasicOCSPResponse alone; nil for what is neither.
func otherRevocation(c *cursor) ([]byte, error) {
	format, err := c.oid("otherRevInfoFormat")
	if err != nil {
		return nil, err
	}
	info, err := c.next()
	if err != nil {
		return nil, fmt.Errorf("otherRevInfo: %w", err)
	}
	switch {
	case format.Equal(oidOCSPResponse):
		return info.raw, nil
	case format.Equal(oidOCSPBasic):
		return ocspResponse(info.raw), nil
	}
	return nil, nil
}

// ocspResponse puts a BasicOCSPResponse into the OCSPResponse that it was taken from
// (RFC 6960, 4.2.1).
func ocspResponse(basic []byte) []byte {
	const tagEnumerated = 0x0A
	return derSequence(derTagged(tagEnumerated, []byte{0}), derTagged(tagContext0, derSequence(derOID(oidOCSPBasic), derOctets(basic))))
}

// algorithm is a decoded AlgorithmIdentifier; params is the raw element, nil when absent.
type algorithm struct {
	oid    asn1.ObjectIdentifier
	params []byte
	raw    []byte
}

func parseAlgorithm(c *cursor, what string) (algorithm, error) {
	e, err := c.expect(tagSequence, what)
	if err != nil {
		return algorithm{}, err
	}
	return c.r.algorithm(e, what)
}

// algorithm reads the content of e, whatever its tag, as an AlgorithmIdentifier.
func (r *reader) algorithm(e element, what string) (algorithm, error) {
	in := r.in(e)
	oid, err := in.oid(what)
	if err != nil {
		return algorithm{}, err
	}
	a := algorithm{oid: oid, raw: e.raw}
	if !in.empty() {
		p, err := in.next()
		if err != nil {
			return algorithm{}, fmt.Errorf("%s parameters: %w", what, err)
		}
		a.params = p.raw
	}
	if !in.empty() {
		return algorithm{}, fmt.Errorf("%w: elements after the parameters of %s", ErrMalformed, what)
	}
	return a, nil
}
