package certs

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func ce(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, n} }

var (
	oidSubjectKeyID       = ce(14)
	oidKeyUsage           = ce(15)
	oidSubjectAltName     = ce(17)
	oidIssuerAltName      = ce(18)
	oidBasicConstraints   = ce(19)
	oidNameConstraints    = ce(30)
	oidCRLDistribution    = ce(31)
	oidCertPolicies       = ce(32)
	oidPolicyMappings     = ce(33)
	oidAuthorityKeyID     = ce(35)
	oidPolicyConstraints  = ce(36)
	oidExtKeyUsage        = ce(37)
	oidFreshestCRL        = ce(46)
	oidInhibitAnyPolicy   = ce(54)
	oidAuthorityInfo      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidQCStatements       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
	oidSubjectInfoAccess  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 11}
	oidOCSPNoCheck        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidAccessOCSP         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	oidAccessCAIssuers    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}
	oidSMTPUTF8Mailbox    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}
	oidSubjectDirectory   = ce(9)
	informativeExtensions = []asn1.ObjectIdentifier{oidIssuerAltName, oidQCStatements, oidSubjectInfoAccess, oidSubjectDirectory}
)

// parseExtension records what one extension says. An extension that bounds what
// the certificate may do and cannot be read makes the certificate malformed; one
// that only points somewhere is then left out.
func (c *Certificate) parseExtension(e Extension) error {
	in := cryptobyte.String(e.Value)
	ok := true
	switch {
	case e.OID.Equal(oidBasicConstraints):
		ok = c.readBasicConstraints(in)
	case e.OID.Equal(oidKeyUsage):
		ok = c.readKeyUsage(in)
	case e.OID.Equal(oidExtKeyUsage):
		c.ExtKeyUsage, ok = readOIDs(&in)
		ok = ok && len(c.ExtKeyUsage) > 0 && in.Empty()
		c.ExtKeyUsageCritical = e.Critical
	case e.OID.Equal(oidNameConstraints):
		c.constraints, ok = readNameConstraints(in)
	case e.OID.Equal(oidSubjectAltName):
		var names cryptobyte.String
		ok = in.ReadASN1(&names, cbasn1.SEQUENCE) && in.Empty()
		if ok {
			c.altNames, ok = readGeneralNames(names)
		}
		c.EmailAddresses, c.DNSNames = c.altNames.emails, c.altNames.dns
	case e.OID.Equal(oidCertPolicies), e.OID.Equal(oidPolicyMappings),
		e.OID.Equal(oidPolicyConstraints), e.OID.Equal(oidInhibitAnyPolicy):
		ok = c.readPolicyExtension(e)
	case e.OID.Equal(oidCRLDistribution):
		c.distributionPoints, ok = readDistributionPoints(in)
		for _, dp := range c.distributionPoints {
			c.CRLDistributionPoints = append(c.CRLDistributionPoints, dp.uris...)
		}
		ok = ok || !e.Critical
	case e.OID.Equal(oidFreshestCRL):
		c.FreshestCRL = freshest(in)
	case e.OID.Equal(oidSubjectKeyID):
		var id cryptobyte.String
		if in.ReadASN1(&id, cbasn1.OCTET_STRING) {
			c.SubjectKeyID = id
		}
	case e.OID.Equal(oidAuthorityKeyID):
		c.AuthorityKeyID = readAuthorityKeyID(in)
	case e.OID.Equal(oidAuthorityInfo):
		c.readAuthorityInfo(in)
	case e.OID.Equal(oidOCSPNoCheck):
		c.OCSPNoCheck = true
	case e.OID.Equal(OIDSandbox):
		c.Sandbox = true
	case e.Critical && !slices.ContainsFunc(informativeExtensions, e.OID.Equal):
		c.UnknownCritical = append(c.UnknownCritical, e.OID)
	}
	if !ok {
		return malformed(fmt.Sprintf("extension %v", e.OID))
	}
	return nil
}

func (c *Certificate) readBasicConstraints(in cryptobyte.String) bool {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() ||
		!readFlag(&seq, cbasn1.BOOLEAN, &c.IsCA) {
		return false
	}
	c.HasBasicConstraints = true
	if seq.Empty() {
		return true
	}
	return seq.ReadASN1Integer(&c.PathLen) && c.PathLen >= 0 && seq.Empty()
}

func (c *Certificate) readKeyUsage(in cryptobyte.String) bool {
	var bits asn1.BitString
	if !in.ReadASN1BitString(&bits) || !in.Empty() {
		return false
	}
	for i := range 9 {
		if bits.At(i) != 0 {
			c.KeyUsage |= 1 << i
		}
	}
	if c.KeyUsage == 0 { // present and empty allows nothing, absent allows all
		c.KeyUsage = 1 << 15
	}
	return true
}

func readAuthorityKeyID(in cryptobyte.String) []byte {
	var seq, id cryptobyte.String
	var present bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) ||
		!seq.ReadOptionalASN1(&id, &present, cbasn1.Tag(0).ContextSpecific()) || !present {
		return nil
	}
	return id
}

func (c *Certificate) readAuthorityInfo(in cryptobyte.String) {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return
	}
	for n := 0; !seq.Empty() && n < maxListItems; n++ {
		var one, location cryptobyte.String
		var method asn1.ObjectIdentifier
		var tag cbasn1.Tag
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&method) ||
			!one.ReadAnyASN1(&location, &tag) {
			return
		}
		if tag != tagURI {
			continue
		}
		switch {
		case method.Equal(oidAccessOCSP):
			c.OCSPServers = append(c.OCSPServers, string(location))
		case method.Equal(oidAccessCAIssuers):
			c.IssuingCertificateURL = append(c.IssuingCertificateURL, string(location))
		}
	}
}

// generalNames is a GeneralNames sorted by form; other counts forms that are not
// compared here (otherName, x400Address, ediPartyName, registeredID), by tag number.
type generalNames struct {
	emails, dns, uris []string
	ips               [][]byte
	dirs              []rdnSequence
	other             []int
	smtpUTF8          bool // an internationalised mailbox is among other (RFC 9598)
}

const (
	tagURI = cbasn1.Tag(6 | 0x80)
	tagDir = cbasn1.Tag(4 | 0x80 | 0x20)
)

func readGeneralNames(seq cryptobyte.String) (g generalNames, ok bool) {
	for n := 0; !seq.Empty(); n++ {
		if n >= maxListItems || !g.read(&seq) {
			return g, false
		}
	}
	return g, true
}

func (g *generalNames) read(seq *cryptobyte.String) bool {
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !seq.ReadAnyASN1(&value, &tag) || tag&0x80 == 0 {
		return false
	}
	switch number := int(tag & 0x1f); number {
	case 1:
		g.emails = append(g.emails, string(value))
	case 2:
		g.dns = append(g.dns, string(value))
	case 4:
		name, err := parseName(value)
		if err != nil {
			return false
		}
		g.dirs = append(g.dirs, name)
	case 6:
		g.uris = append(g.uris, string(value))
	case 7:
		g.ips = append(g.ips, value)
	default:
		var form asn1.ObjectIdentifier
		g.smtpUTF8 = g.smtpUTF8 || number == 0 && value.ReadASN1ObjectIdentifier(&form) && form.Equal(oidSMTPUTF8Mailbox)
		g.other = append(g.other, number)
	}
	return true
}

// keys are the names in a form that can be compared with another list's.
func (g generalNames) keys() []string {
	var k []string
	for _, u := range g.uris {
		k = append(k, "uri:"+u)
	}
	for _, d := range g.dirs {
		k = append(k, "dir:"+d.key())
	}
	for _, d := range g.dns {
		k = append(k, "dns:"+strings.ToLower(d))
	}
	for _, e := range g.emails {
		k = append(k, "email:"+strings.ToLower(e))
	}
	return k
}
