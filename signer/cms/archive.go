package cms

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // the hash that the first hash index leaves out
	"encoding/asn1"
	"errors"
	"fmt"

	"antin/signer/ades"
)

// ErrIndex says that a hash index names something that is not in the signature, so
// that what it was made over has changed since.
var ErrIndex = errors.New("cms: the hash index names what is not there")

// maxIndexed bounds the entries of one list of a hash index: what a SignedData may
// hold of each kind is bounded by the decoder already.
const maxIndexed = maxAttributes * maxValues

// HashIndex is the attribute ats-hash-index of an archive time-stamp: the digests of
// what stood in the signature beside the signed fields when the time-stamp was made
// (EN 319 122-1, 5.5.2).
type HashIndex struct {
	// Version is 3 for ats-hash-index-v3, 1 or 2 for those before it, which take the
	// digest of a whole unsigned attribute where version 3 takes one of every value.
	Version int
	// Hash is what the digests were made with; zero when unknown.
	Hash crypto.Hash
	// Certificates, Revocation and Attributes are digests of the elements of the
	// certificates and crls fields and of the unsigned attributes.
	Certificates, Revocation, Attributes [][]byte
	// Raw is the value as received.
	Raw []byte
}

// Indexed is what a HashIndex names, as the signature holds it.
type Indexed struct {
	// Certificates are elements of the certificates field, as received.
	Certificates [][]byte
	// CRLs and OCSPs are as in SignedData.
	CRLs, OCSPs [][]byte
	// Unsigned are the unsigned attributes, with the values that are named.
	Unsigned []Attribute
}

// HashIndex reads the hash index of s, the signer of an archive time-stamp's token: the
// newest kind that is there. Errors wrap ErrMalformed or ErrLimit.
func (s *SignerInfo) HashIndex() (*HashIndex, error) {
	for i, oid := range []asn1.ObjectIdentifier{OIDHashIndexV3, OIDHashIndexV2, OIDHashIndex} {
		values := allValues(s.Unsigned, oid)
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 {
			return nil, fmt.Errorf("%w: %d hash indexes", ErrMalformed, len(values))
		}
		return parseHashIndex(values[0], 3-i)
	}
	return nil, fmt.Errorf("%w: an archive time-stamp without its hash index", ErrMalformed)
}

// parseHashIndex reads ATSHashIndex of one of its versions. The algorithm may be left
// out of the first only, where it is then SHA-256.
func parseHashIndex(value []byte, version int) (*HashIndex, error) {
	r, err := newReader(value)
	if err != nil {
		return nil, err
	}
	in, err := r.all().enter(tagSequence, "ATSHashIndex")
	if err != nil {
		return nil, err
	}
	x := &HashIndex{Version: version, Hash: crypto.SHA256, Raw: value}
	parts, err := Elements(value)
	if err != nil {
		return nil, err
	}
	if len(parts) == 4 {
		a, err := parseAlgorithm(in, "hashIndAlgorithm")
		if err != nil {
			return nil, err
		}
		x.Hash, _ = ades.HashFromOID(a.oid)
	} else if version != 1 {
		return nil, fmt.Errorf("%w: a hash index of %d elements", ErrMalformed, len(parts))
	}
	for _, list := range []*[][]byte{&x.Certificates, &x.Revocation, &x.Attributes} {
		if *list, err = parseDigests(in); err != nil {
			return nil, err
		}
	}
	if !in.empty() {
		return nil, fmt.Errorf("%w: elements after the hash index", ErrMalformed)
	}
	return x, nil
}

func parseDigests(c *cursor) ([][]byte, error) {
	in, err := c.enter(tagSequence, "hash index")
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for !in.empty() {
		if len(list) == maxIndexed {
			return nil, fmt.Errorf("%w: more than %d digests in one index", ErrLimit, maxIndexed)
		}
		d, err := in.octetString("digest")
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// ArchiveImprint is the digest that an archive-time-stamp-v3 with the index x is over
// (EN 319 122-1, 5.5.3): the content type, the digest of the content by the same hash,
// the fields of the signer s up to the signature value as they stand, and the index. It
// is nil when h is not available.
func (sd *SignedData) ArchiveImprint(s *SignerInfo, h crypto.Hash, content []byte, x *HashIndex) []byte {
	if h == 0 || !h.Available() {
		return nil
	}
	d := h.New()
	for _, part := range [][]byte{derOID(sd.ContentType), content, s.fields, x.Raw} {
		d.Write(part)
	}
	return d.Sum(nil)
}

// Components is what a hash index can name of a signature. It remembers digests from
// one index to the next, so that many time-stamps cost little more than one; it is not
// safe for concurrent use.
type Components struct {
	data   *SignedData
	signer *SignerInfo
	known  map[crypto.Hash]*digests
}

// Components returns what can be named of sd and its signer s.
func (sd *SignedData) Components(s *SignerInfo) *Components {
	return &Components{data: sd, signer: s, known: map[crypto.Hash]*digests{}}
}

// digests are those of every component by one hash, in the order of the lists.
type digests struct {
	certificates, revocation, whole []string
	values                          [][]string // by attribute, of each value with its type
}

func (c *Components) by(h crypto.Hash) *digests {
	if c.known[h] != nil {
		return c.known[h]
	}
	sum := func(parts ...[]byte) string {
		d := h.New()
		for _, p := range parts {
			d.Write(p)
		}
		return string(d.Sum(nil))
	}
	d := &digests{}
	for _, one := range c.certificates() {
		d.certificates = append(d.certificates, sum(one))
	}
	for _, one := range c.data.Revocation {
		d.revocation = append(d.revocation, sum(one.Raw))
	}
	for _, a := range c.signer.Unsigned {
		d.whole = append(d.whole, sum(derAttribute(a.OID, a.Values...)))
		kind, values := derOID(a.OID), []string(nil)
		for _, v := range a.Values {
			values = append(values, sum(kind, v))
		}
		d.values = append(d.values, values)
	}
	c.known[h] = d
	return d
}

// certificates are the elements of the certificates field.
func (c *Components) certificates() [][]byte {
	list := make([][]byte, 0, len(c.data.Certificates)+len(c.data.Unparsable))
	for _, one := range c.data.Certificates {
		list = append(list, one.Raw)
	}
	return append(list, c.data.Unparsable...)
}

// Indexed returns what x names. Every digest has to be that of something there, else
// the error is ErrIndex: it was changed or taken away. What x does not name was added
// later. Errors also wrap ErrUnsupported.
func (c *Components) Indexed(x *HashIndex) (*Indexed, error) {
	if x.Hash == 0 || !x.Hash.Available() {
		return nil, fmt.Errorf("%w: the digest of the hash index", ErrUnsupported)
	}
	d, out := c.by(x.Hash), &Indexed{}
	certificates := newNamed(x.Certificates)
	for i, raw := range c.certificates() {
		if certificates.has(d.certificates[i]) {
			out.Certificates = append(out.Certificates, raw)
		}
	}
	revocation := newNamed(x.Revocation)
	for i, one := range c.data.Revocation {
		switch {
		case !revocation.has(d.revocation[i]):
		case one.CRL != nil:
			out.CRLs = append(out.CRLs, one.CRL)
		case one.OCSP != nil:
			out.OCSPs = append(out.OCSPs, one.OCSP)
		}
	}
	attributes := newNamed(x.Attributes)
	for i, a := range c.signer.Unsigned {
		var values [][]byte
		switch {
		case x.Version < 3 && attributes.has(d.whole[i]):
			values = a.Values
		case x.Version >= 3:
			for j, v := range a.Values {
				if attributes.has(d.values[i][j]) {
					values = append(values, v)
				}
			}
		}
		if len(values) > 0 {
			out.Unsigned = append(out.Unsigned, Attribute{OID: a.OID, Values: values})
		}
	}
	if certificates.missing() || revocation.missing() || attributes.missing() {
		return nil, ErrIndex
	}
	return out, nil
}

// named is one list of a hash index; true is what was found.
type named map[string]bool

func newNamed(list [][]byte) named {
	n := named{}
	for _, d := range list {
		n[string(d)] = false
	}
	return n
}

func (n named) has(sum string) bool {
	_, ok := n[sum]
	if ok {
		n[sum] = true
	}
	return ok
}

func (n named) missing() bool {
	for _, found := range n {
		if !found {
			return true
		}
	}
	return false
}

// Holds reports whether the unsigned attribute oid with this value is among what is named.
func (x *Indexed) Holds(oid asn1.ObjectIdentifier, value []byte) bool {
	for _, a := range x.Unsigned {
		if !a.OID.Equal(oid) {
			continue
		}
		for _, v := range a.Values {
			if bytes.Equal(v, value) {
				return true
			}
		}
	}
	return false
}

// ArchiveTimestamps returns the tokens of archive-time-stamp-v3 as received.
func (s *SignerInfo) ArchiveTimestamps() [][]byte {
	return allValues(s.Unsigned, OIDArchiveTimestampV3)
}

// Values returns what the attributes certificate-values and revocation-values among
// attrs hold (EN 319 122-1, annex A): certificates and CRLs in DER, OCSP responses as
// in SignedData. What cannot be read is left out.
func Values(attrs []Attribute) (certificates, crls, ocsps [][]byte) {
	for _, v := range allValues(attrs, OIDCertificateValues) {
		if list, err := Elements(v); err == nil && len(certificates)+len(list) <= maxCertificates {
			certificates = append(certificates, list...)
		}
	}
	for _, v := range allValues(attrs, OIDRevocationValues) {
		choices, err := Elements(v)
		if err != nil {
			continue
		}
		for _, choice := range choices {
			crls, ocsps = revocationValues(choice, crls, ocsps)
		}
	}
	return certificates, crls, ocsps
}

// revocationValues reads one of the lists of RevocationValues, each of which is a
// SEQUENCE behind an explicit tag.
func revocationValues(choice []byte, crls, ocsps [][]byte) (_, _ [][]byte) {
	inner, err := Elements(choice)
	if err != nil || len(inner) != 1 {
		return crls, ocsps
	}
	list, err := Elements(inner[0])
	if err != nil || len(crls)+len(ocsps)+len(list) > maxCRLs {
		return crls, ocsps
	}
	switch choice[0] {
	case tagContext0:
		crls = append(crls, list...)
	case tagContext1:
		for _, basic := range list {
			ocsps = append(ocsps, ocspResponse(basic))
		}
	}
	return crls, ocsps
}
