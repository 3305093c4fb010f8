package certs

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxCertificateSize is the greatest certificate accepted, in bytes. Real ones
// stay below 10 KB; the bound keeps a hostile one from costing more than a page.
const MaxCertificateSize = 100 << 10

const (
	maxExtensions = 64 // real certificates carry fewer than 20
	maxListItems  = 256
	maxSerialLen  = 64 // RFC 5280 allows 20 bytes; some CAs exceed it
)

// ErrMalformed is in the chain of every parsing error of this package.
var ErrMalformed = errors.New("certs: malformed")

func malformed(what string) error { return fmt.Errorf("%w %s", ErrMalformed, what) }

// ParseCertificate parses one certificate with nothing after it: in DER, else in
// BER, which BER then tells. The bytes are copied. Errors wrap ErrMalformed.
func ParseCertificate(der []byte) (*Certificate, error) {
	if len(der) > MaxCertificateSize {
		return nil, malformed("certificate: too large")
	}
	raw := slices.Clone(der)
	c := &Certificate{Raw: raw, PathLen: -1}
	err := c.parse(raw)
	if err != nil {
		again, ok := toDER(raw)
		if !ok || len(again) == len(raw) && bytes.Equal(again, raw) {
			return nil, err
		}
		c = &Certificate{Raw: raw, PathLen: -1, BER: true, received: asReceived(true, raw)}
		if c.parse(again) != nil {
			return nil, err
		}
	}
	c.sum()
	return c, nil
}

func (c *Certificate) parse(der cryptobyte.String) error {
	in := der
	var outer, tbs cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() ||
		!outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return malformed("certificate")
	}
	c.RawTBS = tbs
	var ok bool
	if c.SignatureAlgorithm, ok = readAlgorithm(&outer); !ok {
		return malformed("signature algorithm")
	}
	if !outer.ReadASN1BitStringAsBytes(&c.Signature) || !outer.Empty() {
		return malformed("signature value")
	}
	return c.parseTBS()
}

func (c *Certificate) parseTBS() error {
	in := cryptobyte.String(c.RawTBS)
	var tbs cryptobyte.String
	if !in.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return malformed("certificate")
	}
	if !tbs.ReadOptionalASN1Integer(&c.Version, cbasn1.Tag(0).ContextSpecific().Constructed(), 0) {
		return malformed("version")
	}
	if c.Version++; c.Version < 1 || c.Version > 3 {
		return malformed("version")
	}
	c.Serial = new(big.Int)
	var number cryptobyte.String
	withSerial := tbs
	if !withSerial.ReadASN1(&number, cbasn1.INTEGER) {
		return malformed("serial number")
	}
	c.rawSerial = number
	if !tbs.ReadASN1Integer(c.Serial) || len(c.Serial.Bytes()) > maxSerialLen {
		return malformed("serial number")
	}
	inner, ok := readAlgorithm(&tbs)
	if !ok || !inner.OID.Equal(c.SignatureAlgorithm.OID) || string(inner.Params) != string(c.SignatureAlgorithm.Params) {
		return malformed("signature algorithm: inner and outer differ")
	}
	if err := c.parseNamesAndKey(&tbs); err != nil {
		return err
	}
	return c.parseTail(&tbs)
}

func (c *Certificate) parseNamesAndKey(tbs *cryptobyte.String) error {
	var issuer, validity, subject, spki cryptobyte.String
	if !tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&subject, cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&spki, cbasn1.SEQUENCE) {
		return malformed("certificate body")
	}
	c.RawIssuer, c.RawSubject, c.RawSPKI = issuer, subject, spki
	var ok bool
	if c.NotBefore, ok = readTime(&validity); !ok {
		return malformed("notBefore")
	}
	if c.NotAfter, ok = readTime(&validity); !ok || !validity.Empty() {
		return malformed("notAfter")
	}
	issuerName, err := parseName(c.RawIssuer)
	if err != nil {
		return malformed("issuer name")
	}
	if c.subject, err = parseName(c.RawSubject); err != nil {
		return malformed("subject name")
	}
	c.issuerKey, c.subjectKey = issuerName.key(), c.subject.key()
	c.Issuer, c.Subject = issuerName.String(), c.subject.String()
	c.SubjectAttributes = c.subject.attributes()
	c.CommonName = c.Attribute("CN")
	return c.parseKey()
}

func (c *Certificate) parseTail(tbs *cryptobyte.String) error {
	for n := uint8(1); n <= 2; n++ { // issuerUniqueID, subjectUniqueID: obsolete, skipped
		if !tbs.SkipOptionalASN1(cbasn1.Tag(n).ContextSpecific()) {
			return malformed("unique identifier")
		}
	}
	var wrapped cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&wrapped, &present, cbasn1.Tag(3).ContextSpecific().Constructed()) || !tbs.Empty() {
		return malformed("extensions")
	}
	if !present {
		return nil
	}
	var err error
	if c.Extensions, err = readExtensions(&wrapped); err != nil {
		return err
	}
	for _, e := range c.Extensions {
		if c.BER { // what is inside the OCTET STRING has not been rewritten yet
			if value, ok := toDER(e.Value); ok {
				e.Value = value
			}
		}
		if err := c.parseExtension(e); err != nil {
			return err
		}
	}
	return nil
}

// readExtensions reads SEQUENCE OF Extension and refuses a repeated one
// (RFC 5280, 4.2): two answers to one question could be read either way.
func readExtensions(s *cryptobyte.String) ([]Extension, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() {
		return nil, malformed("extensions")
	}
	var all []Extension
	for !seq.Empty() {
		var one, value cryptobyte.String
		var e Extension
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&e.OID) ||
			!readFlag(&one, cbasn1.BOOLEAN, &e.Critical) ||
			!one.ReadASN1(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return nil, malformed("extension")
		}
		e.Value = value
		if slices.ContainsFunc(all, func(o Extension) bool { return o.OID.Equal(e.OID) }) {
			return nil, malformed("extensions: one is repeated")
		}
		if all = append(all, e); len(all) > maxExtensions {
			return nil, malformed("extensions: too many")
		}
	}
	return all, nil
}

func readTime(s *cryptobyte.String) (t time.Time, ok bool) {
	switch {
	case s.PeekASN1Tag(cbasn1.UTCTime):
		ok = s.ReadASN1UTCTime(&t)
	case s.PeekASN1Tag(cbasn1.GeneralizedTime):
		ok = readGeneralizedTime(s, &t)
	}
	return t.UTC(), ok
}

// readGeneralizedTime also takes fractions of a second, which OCSP responders
// and CAs outside RFC 5280's profile write.
func readGeneralizedTime(s *cryptobyte.String, t *time.Time) bool {
	var b cryptobyte.String
	if !s.ReadASN1(&b, cbasn1.GeneralizedTime) || len(b) > 32 {
		return false
	}
	for _, layout := range []string{"20060102150405Z0700", "20060102150405.999999999Z0700"} {
		if v, err := time.Parse(layout, string(b)); err == nil {
			*t = v.UTC()
			return true
		}
	}
	return false
}

func readOIDs(s *cryptobyte.String) ([]asn1.ObjectIdentifier, bool) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return nil, false
	}
	var all []asn1.ObjectIdentifier
	for !seq.Empty() {
		var oid asn1.ObjectIdentifier
		if !seq.ReadASN1ObjectIdentifier(&oid) || len(all) >= maxListItems {
			return nil, false
		}
		all = append(all, oid)
	}
	return all, true
}

// readFlag reads an optional BOOLEAN under tag, false when absent. An encoded
// FALSE, which DER forbids for a default, is taken: old CAs write it.
func readFlag(s *cryptobyte.String, tag cbasn1.Tag, into *bool) bool {
	var value cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&value, &present, tag) {
		return false
	}
	if !present {
		return true
	}
	if len(value) != 1 || (value[0] != 0 && value[0] != 0xff) {
		return false
	}
	*into = value[0] == 0xff
	return true
}
