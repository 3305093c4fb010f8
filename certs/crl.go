package certs

import (
	"bytes"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxCRLSize bounds a CRL in bytes; the greatest public ones are near 20 MB.
const MaxCRLSize = 32 << 20

// CRL is a parsed, unverified certificate revocation list (RFC 5280, 5). Its
// entries are read when asked for.
type CRL struct {
	Issuer                 string // as Certificate.Subject
	ThisUpdate, NextUpdate time.Time
	Number                 *big.Int // nil when absent
	// Delta reports a delta CRL, which only tells what changed since another list.
	Delta bool
	// ExpiredCertsOnCRL is since when certificates stay listed after they
	// expired (X.509, 8.5.2.12); zero when absent.
	ExpiredCertsOnCRL time.Time
	// FreshestCRL are the addresses of delta CRLs to this list, claims like those of
	// a certificate.
	FreshestCRL []string
	// BER tells that the list is not in DER.
	BER bool

	rawTBS, received   []byte // the signed part in DER and, of BER, as received
	issuerKey          string
	signatureAlgorithm AlgorithmIdentifier
	signature          []byte
	authorityKeyID     []byte
	entries            cryptobyte.String
	scope              crlScope
	rawScope           []byte   // issuingDistributionPoint as it stands; nil when absent
	baseNumber         *big.Int // of a delta: the list that it starts from
	unknownCritical    bool
}

// crlScope is issuingDistributionPoint (RFC 5280, 5.2.5).
type crlScope struct {
	distributionPointName
	users, cas, attributes, indirect bool
	reasons                          reasonMask
}

// crlEntry is one revoked certificate.
type crlEntry struct {
	at     time.Time
	reason int
}

const reasonRemoveFromCRL = 8

var (
	oidCRLNumber          = ce(20)
	oidCRLReason          = ce(21)
	oidInvalidityDate     = ce(24)
	oidDeltaCRLIndicator  = ce(27)
	oidIssuingDistPoint   = ce(28)
	oidCertificateIssuer  = ce(29)
	oidExpiredCertsOnCRL  = ce(60)
	oidHoldInstructionOld = ce(23)
)

// ParseCRL parses a CRL in DER, else in BER. Nothing is verified; a CRL with
// critical extensions that are not understood is parsed and never used. Errors wrap
// ErrMalformed. The bytes are kept, not copied: they must not change.
func ParseCRL(der []byte) (*CRL, error) {
	if len(der) > MaxCRLSize {
		return nil, malformed("CRL: too large")
	}
	l := &CRL{scope: crlScope{reasons: allReasons}}
	err := l.parse(der)
	if err == nil {
		return l, nil
	}
	again, ok := toDER(der)
	if !ok || len(again) == len(der) && bytes.Equal(again, der) {
		return nil, err
	}
	l = &CRL{scope: crlScope{reasons: allReasons}, BER: true, received: asReceived(true, der)}
	if l.parse(again) != nil {
		return nil, err
	}
	return l, nil
}

func (l *CRL) parse(in cryptobyte.String) error {
	var outer, tbs cryptobyte.String
	var ok bool
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return malformed("CRL")
	}
	l.rawTBS = tbs
	if l.signatureAlgorithm, ok = readAlgorithm(&outer); !ok || !outer.ReadASN1BitStringAsBytes(&l.signature) || !outer.Empty() {
		return malformed("CRL signature")
	}
	if !l.readTBS(tbs) {
		return malformed("CRL")
	}
	return nil
}

func (l *CRL) readTBS(in cryptobyte.String) bool {
	var tbs, issuer, wrapped cryptobyte.String
	var ok, present bool
	version := 0
	if !in.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return false
	}
	if tbs.PeekASN1Tag(cbasn1.INTEGER) && (!tbs.ReadASN1Integer(&version) || version != 1) {
		return false
	}
	if inner, ok := readAlgorithm(&tbs); !ok || !inner.OID.Equal(l.signatureAlgorithm.OID) || !tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) {
		return false
	}
	name, err := parseName(issuer)
	if err != nil {
		return false
	}
	l.issuerKey, l.Issuer = name.key(), name.String()
	if l.ThisUpdate, ok = readTime(&tbs); !ok {
		return false
	}
	if tbs.PeekASN1Tag(cbasn1.UTCTime) || tbs.PeekASN1Tag(cbasn1.GeneralizedTime) {
		if l.NextUpdate, ok = readTime(&tbs); !ok {
			return false
		}
	}
	if !tbs.ReadOptionalASN1(&l.entries, &present, cbasn1.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&wrapped, &present, contextConstructed(0)) || !tbs.Empty() {
		return false
	}
	return !present || l.readExtensions(wrapped)
}

func (l *CRL) readExtensions(in cryptobyte.String) bool {
	extensions, err := readExtensions(&in)
	if err != nil {
		return false
	}
	for _, e := range extensions {
		value := cryptobyte.String(e.Value)
		ok := true
		switch {
		case e.OID.Equal(oidCRLNumber):
			l.Number = new(big.Int)
			ok = value.ReadASN1Integer(l.Number)
		case e.OID.Equal(oidDeltaCRLIndicator):
			l.Delta, l.baseNumber = true, new(big.Int)
			ok = value.ReadASN1Integer(l.baseNumber) && value.Empty()
		case e.OID.Equal(oidIssuingDistPoint):
			l.rawScope = e.Value
			ok = l.scope.read(value)
		case e.OID.Equal(oidAuthorityKeyID):
			l.authorityKeyID = readAuthorityKeyID(value)
		case e.OID.Equal(oidExpiredCertsOnCRL):
			ok = readGeneralizedTime(&value, &l.ExpiredCertsOnCRL)
		case e.OID.Equal(oidFreshestCRL):
			l.FreshestCRL = freshest(value)
		case e.OID.Equal(oidIssuerAltName), e.OID.Equal(oidAuthorityInfo):
		case e.Critical:
			l.unknownCritical = true
		}
		if !ok {
			return false
		}
	}
	return true
}

func (s *crlScope) read(in cryptobyte.String) bool {
	var seq, part cryptobyte.String
	var present, ok bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadOptionalASN1(&part, &present, contextConstructed(0)) {
		return false
	}
	if present {
		if s.distributionPointName, ok = readDistributionPointName(part); !ok {
			return false
		}
	}
	flag := func(tag uint8, into *bool) bool {
		return readFlag(&seq, cbasn1.Tag(tag).ContextSpecific(), into)
	}
	if !flag(1, &s.users) || !flag(2, &s.cas) || !seq.ReadOptionalASN1(&part, &present, cbasn1.Tag(3).ContextSpecific()) {
		return false
	}
	if present {
		if s.reasons, ok = readReasons(part); !ok {
			return false
		}
	}
	return flag(4, &s.indirect) && flag(5, &s.attributes) && seq.Empty()
}

// About reports whether l may speak about cert: by its issuer, its distribution
// points and the kind of certificate. Who signed l is not looked at.
func (l *CRL) About(cert *Certificate) bool { return l.covers(cert) != 0 }

// covers returns the reasons for which l speaks about cert (RFC 5280, 6.3.3 (b)
// and (d)); 0 when cert is outside its scope.
func (l *CRL) covers(cert *Certificate) reasonMask {
	s := l.scope
	if s.attributes || (s.users && cert.IsCA) || (s.cas && !cert.IsCA) {
		return 0
	}
	// Without a distribution point the CRL is looked up by the issuer's name.
	implied := distributionPoint{reasons: allReasons}
	implied.names = []string{"dir:" + cert.issuerKey}
	var mask reasonMask
	for _, dp := range append([]distributionPoint{implied}, cert.distributionPoints...) {
		if l.isFor(dp, cert) {
			mask |= dp.reasons & s.reasons
		}
	}
	return mask
}

func (l *CRL) isFor(dp distributionPoint, cert *Certificate) bool {
	issuers := []string{cert.issuerKey}
	if len(dp.crlIssuer) > 0 {
		if !l.scope.indirect {
			return false
		}
		issuers = dp.crlIssuer
	}
	if !overlap(issuers, []string{l.issuerKey}) {
		return false
	}
	if l.scope.empty() {
		return true
	}
	names := dp.resolve(l.issuerKey)
	if dp.empty() {
		for _, i := range dp.crlIssuer {
			names = append(names, "dir:"+i)
		}
	}
	return overlap(names, l.scope.resolve(l.issuerKey))
}

// find looks cert up. usable is false when an entry carries a critical extension
// that is not understood: then the list says nothing about anyone (RFC 5280, 5.3).
// Entries that are not in DER are rewritten and read again.
func (l *CRL) find(cert *Certificate) (entry *crlEntry, usable bool) {
	if entry, usable = l.findIn(l.entries, cert); usable || l.BER {
		return entry, usable
	}
	again, ok := toDER(l.entries)
	if !ok || len(again) == len(l.entries) && bytes.Equal(again, l.entries) {
		return nil, false
	}
	return l.findIn(again, cert)
}

func (l *CRL) findIn(rest cryptobyte.String, cert *Certificate) (entry *crlEntry, usable bool) {
	issuer := l.issuerKey
	// Lists have a million entries: only a match is read in full, and the serial
	// numbers, which DER writes in one way, are compared as bytes.
	serial := cert.rawSerial
	for !rest.Empty() {
		var one, number cryptobyte.String
		if !rest.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&number, cbasn1.INTEGER) || !minimal(number) {
			return nil, false
		}
		match := bytes.Equal(number, serial)
		e := crlEntry{}
		if !e.read(one, &issuer, match) {
			return nil, false
		}
		if match && issuer == cert.issuerKey {
			entry = &e
		}
	}
	return entry, true
}

// minimal reports whether b is the one DER encoding of its number.
func minimal(b []byte) bool {
	return len(b) == 1 || (len(b) > 1 && !(b[0] == 0 && b[1] < 0x80) && !(b[0] == 0xff && b[1] >= 0x80)) //nolint:staticcheck // the two excluded forms, as the rule says them
}

// read reads an entry behind its serial number; the date only when it matters.
func (e *crlEntry) read(in cryptobyte.String, issuer *string, match bool) bool {
	var date cryptobyte.String
	var tag cbasn1.Tag
	withDate := in
	if !in.ReadAnyASN1Element(&date, &tag) {
		return false
	}
	if match {
		var ok bool
		if e.at, ok = readTime(&withDate); !ok {
			return false
		}
	}
	return in.Empty() || e.readExtensions(in, issuer)
}

// readExtensions reads an entry's extensions. certificateIssuer holds for the
// entries after it too (RFC 5280, 5.3.3).
func (e *crlEntry) readExtensions(in cryptobyte.String, issuer *string) bool {
	extensions, err := readExtensions(&in)
	if err != nil {
		return false
	}
	for _, x := range extensions {
		value := cryptobyte.String(x.Value)
		switch {
		case x.OID.Equal(oidCRLReason):
			if !value.ReadASN1Enum(&e.reason) {
				return false
			}
		case x.OID.Equal(oidCertificateIssuer):
			var seq cryptobyte.String
			if !value.ReadASN1(&seq, cbasn1.SEQUENCE) {
				return false
			}
			names, ok := readGeneralNames(seq)
			if !ok || len(names.dirs) != 1 {
				return false
			}
			*issuer = names.dirs[0].key()
		case x.OID.Equal(oidInvalidityDate), x.OID.Equal(oidHoldInstructionOld):
		case x.Critical:
			return false
		}
	}
	return true
}
