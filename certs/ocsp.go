package certs

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"antin/signer/ades"
)

const (
	// MaxOCSPSize bounds an OCSP response in bytes: with a chain and an RSA-4096
	// key one takes about 10 KB.
	MaxOCSPSize = 100 << 10
	// maxOCSPCertificates bounds the candidates for the responder's certificate.
	maxOCSPCertificates = 16
)

// OCSPResponse is a parsed, unverified OCSP answer (RFC 6960).
type OCSPResponse struct {
	ProducedAt time.Time
	Responses  []OCSPSingle
	// Certificates are those sent along that could be parsed.
	Certificates []*Certificate
	Nonce        []byte // nil when absent
	// BER tells that the answer is not in DER.
	BER bool

	rawTBS, received   []byte // the signed part in DER and, of BER, as received
	signatureAlgorithm AlgorithmIdentifier
	signature          []byte
	responderName      string // folded; empty when named by key
	responderKey       []byte
	unknownCritical    bool
}

// OCSPSingle is the answer about one certificate.
type OCSPSingle struct {
	// Status is StatusGood, StatusRevoked or StatusUnknown.
	Status                 string
	RevokedAt              time.Time
	Reason                 string    // of the revocation; "unspecified" when not given
	ThisUpdate, NextUpdate time.Time // NextUpdate is zero when newer information is always available
	ArchiveCutoff          time.Time // zero when not given
	Serial                 *big.Int

	hash            crypto.Hash
	nameHash        []byte
	keyHash         []byte
	unknownCritical bool
}

// OCSPStatusError is an OCSP answer that is an error of the responder
// (RFC 6960, 4.2.1): 1 malformedRequest, 2 internalError, 3 tryLater,
// 5 sigRequired, 6 unauthorized.
type OCSPStatusError int

// Error implements error.
func (e OCSPStatusError) Error() string {
	names := map[OCSPStatusError]string{1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
	if n, ok := names[e]; ok {
		return "certs: OCSP responder answers " + n
	}
	return "certs: OCSP responder answers an unknown status"
}

var (
	oidOCSPBasic     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidArchiveCutoff = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
	oidOCSPCRLRef    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 3}
)

// ParseOCSP parses an OCSPResponse, or the BasicOCSPResponse inside one, as some
// archives keep it, in DER or else in BER. Nothing is verified. Errors wrap
// ErrMalformed or are an OCSPStatusError.
func ParseOCSP(der []byte) (*OCSPResponse, error) {
	if len(der) > MaxOCSPSize {
		return nil, malformed("OCSP response: too large")
	}
	raw := bytes.Clone(der)
	rewritten := false
	basic, err := basicOCSP(raw)
	if err != nil {
		rewritten = true
		outer, ok := toDER(raw)
		if !ok || bytes.Equal(outer, raw) {
			return nil, err
		}
		if basic, err = basicOCSP(outer); err != nil {
			return nil, err
		}
	}
	r := &OCSPResponse{BER: rewritten}
	if r.readBasic(basic) {
		return r, nil
	}
	again, ok := toDER(basic)
	r = &OCSPResponse{BER: true, received: asReceived(true, basic)}
	if !ok || bytes.Equal(again, basic) || !r.readBasic(again) {
		return nil, malformed("OCSP response")
	}
	return r, nil
}

// basicOCSP unwraps the BasicOCSPResponse; bytes that are one already come back.
func basicOCSP(in cryptobyte.String) (cryptobyte.String, error) {
	bad := malformed("OCSP response")
	whole := in
	var outer, wrapped, answer, body cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, bad
	}
	if !outer.PeekASN1Tag(cbasn1.ENUM) {
		return whole, nil
	}
	var status int
	if !outer.ReadASN1Enum(&status) {
		return nil, bad
	}
	if status != 0 {
		return nil, OCSPStatusError(status)
	}
	var kind asn1.ObjectIdentifier
	if !outer.ReadASN1(&wrapped, contextConstructed(0)) || !outer.Empty() || !wrapped.ReadASN1(&answer, cbasn1.SEQUENCE) ||
		!answer.ReadASN1ObjectIdentifier(&kind) || !answer.ReadASN1(&body, cbasn1.OCTET_STRING) {
		return nil, bad
	}
	if !kind.Equal(oidOCSPBasic) {
		return nil, malformed("OCSP response: of an unknown type")
	}
	return body, nil
}

func (r *OCSPResponse) readBasic(in cryptobyte.String) bool {
	var seq, tbs, wrapped, list cryptobyte.String
	var ok, present bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return false
	}
	r.rawTBS = tbs
	if r.signatureAlgorithm, ok = readAlgorithm(&seq); !ok || !seq.ReadASN1BitStringAsBytes(&r.signature) ||
		!seq.ReadOptionalASN1(&wrapped, &present, contextConstructed(0)) {
		return false
	}
	if present {
		if !wrapped.ReadASN1(&list, cbasn1.SEQUENCE) {
			return false
		}
		for n := 0; !list.Empty() && n < maxOCSPCertificates; n++ {
			var one cryptobyte.String
			if !list.ReadASN1Element(&one, cbasn1.SEQUENCE) {
				return false
			}
			if c, err := ParseCertificate(one); err == nil {
				r.Certificates = append(r.Certificates, c)
			}
		}
	}
	return r.readData(tbs)
}

func (r *OCSPResponse) readData(in cryptobyte.String) bool {
	var tbs, responses, wrapped cryptobyte.String
	var present bool
	version := 0
	if !in.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadOptionalASN1Integer(&version, contextConstructed(0), 0) || version != 0 ||
		!r.readResponder(&tbs) || !readGeneralizedTime(&tbs, &r.ProducedAt) || !tbs.ReadASN1(&responses, cbasn1.SEQUENCE) {
		return false
	}
	for !responses.Empty() {
		one, ok := readSingle(&responses)
		if !ok || len(r.Responses) >= maxListItems {
			return false
		}
		r.Responses = append(r.Responses, one)
	}
	if !tbs.ReadOptionalASN1(&wrapped, &present, contextConstructed(1)) {
		return false
	}
	if !present {
		return true
	}
	extensions, err := readExtensions(&wrapped)
	if err != nil {
		return false
	}
	for _, e := range extensions {
		switch {
		case e.OID.Equal(oidOCSPNonce):
			r.Nonce = e.Value
			value := cryptobyte.String(e.Value)
			var n cryptobyte.String
			if value.ReadASN1(&n, cbasn1.OCTET_STRING) {
				r.Nonce = n
			}
		case e.Critical:
			r.unknownCritical = true
		}
	}
	return true
}

func (r *OCSPResponse) readResponder(tbs *cryptobyte.String) bool {
	var id, key cryptobyte.String
	if tbs.PeekASN1Tag(contextConstructed(1)) {
		if !tbs.ReadASN1(&id, contextConstructed(1)) {
			return false
		}
		var err error
		r.responderName, err = foldName(id)
		return err == nil
	}
	if !tbs.ReadASN1(&id, contextConstructed(2)) || !id.ReadASN1(&key, cbasn1.OCTET_STRING) || len(key) == 0 {
		return false
	}
	r.responderKey = key
	return true
}

func readSingle(s *cryptobyte.String) (one OCSPSingle, ok bool) {
	var seq, id, part cryptobyte.String
	var nameHash, keyHash cryptobyte.String
	var present bool
	one.Serial = new(big.Int)
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&id, cbasn1.SEQUENCE) {
		return one, false
	}
	alg, ok := readAlgorithm(&id)
	if !ok || !id.ReadASN1(&nameHash, cbasn1.OCTET_STRING) || !id.ReadASN1(&keyHash, cbasn1.OCTET_STRING) ||
		!id.ReadASN1Integer(one.Serial) {
		return one, false
	}
	one.hash, _ = ades.HashFromOID(alg.OID) // an unknown hash matches no certificate
	one.nameHash, one.keyHash = nameHash, keyHash
	if !one.readStatus(&seq) || !readGeneralizedTime(&seq, &one.ThisUpdate) ||
		!seq.ReadOptionalASN1(&part, &present, contextConstructed(0)) {
		return one, false
	}
	if present && !readGeneralizedTime(&part, &one.NextUpdate) {
		return one, false
	}
	if !seq.ReadOptionalASN1(&part, &present, contextConstructed(1)) {
		return one, false
	}
	return one, !present || one.readExtensions(part)
}

func (o *OCSPSingle) readStatus(seq *cryptobyte.String) bool {
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !seq.ReadAnyASN1(&value, &tag) {
		return false
	}
	switch {
	case tag == cbasn1.Tag(0).ContextSpecific():
		o.Status = StatusGood
		return value.Empty()
	case tag == contextConstructed(1):
		o.Status = StatusRevoked
		code := 0
		var wrapped cryptobyte.String
		var present bool
		if !readGeneralizedTime(&value, &o.RevokedAt) || !value.ReadOptionalASN1(&wrapped, &present, contextConstructed(0)) ||
			(present && !wrapped.ReadASN1Enum(&code)) {
			return false
		}
		o.Reason = reasonName(code)
		return true
	case tag == cbasn1.Tag(2).ContextSpecific(), tag == contextConstructed(2):
		o.Status = StatusUnknown
		return true
	}
	return false
}

func (o *OCSPSingle) readExtensions(in cryptobyte.String) bool {
	extensions, err := readExtensions(&in)
	if err != nil {
		return false
	}
	for _, e := range extensions {
		switch {
		case e.OID.Equal(oidArchiveCutoff):
			value := cryptobyte.String(e.Value)
			if !readGeneralizedTime(&value, &o.ArchiveCutoff) {
				return false
			}
		case e.OID.Equal(oidOCSPCRLRef):
		case e.Critical:
			o.unknownCritical = true
		}
	}
	return true
}

// About reports whether o answers about cert as issued by issuer: name hash,
// key hash and serial number are all compared (RFC 6960, 4.1.1).
func (o *OCSPSingle) About(cert, issuer *Certificate) bool {
	if o.Serial.Cmp(cert.Serial) != 0 || !o.hash.Available() || o.hash == crypto.MD5 {
		return false
	}
	sum := func(b []byte) []byte { h := o.hash.New(); h.Write(b); return h.Sum(nil) }
	return (bytes.Equal(o.nameHash, sum(cert.RawIssuer)) || bytes.Equal(o.nameHash, sum(issuer.RawSubject))) &&
		bytes.Equal(o.keyHash, sum(issuer.keyBytes))
}
