package pades

import (
	"slices"
	"strings"

	"antin/certs"
	"antin/signer/pdf"
)

// Bits of /Ff in a certificate seed value dictionary (ISO 32000-2, table 238).
const (
	seedCertSubject = 1 << iota
	seedCertIssuer
	seedCertOID
	seedCertSubjectDN
	_ // reserved
	seedCertKeyUsage
	seedCertURL
)

// certificateRules are the constraints that are understood, by the bit that makes
// each a hard one, with the name of its entry.
var certificateRules = []struct {
	bit  int64
	name pdf.Name
	met  func(m *form, chain []*certs.Certificate, o pdf.Object) bool
}{
	{seedCertSubject, "Subject", (*form).subjectListed},
	{seedCertIssuer, "Issuer", (*form).issuerListed},
	{seedCertOID, "OID", (*form).policyListed},
	{seedCertSubjectDN, "SubjectDN", (*form).subjectNamed},
	{seedCertKeyUsage, "KeyUsage", (*form).keyUsageListed},
	// Where to get a certificate is no property of the one at hand, so that whether
	// it came from there cannot be shown.
	{seedCertURL, "URL", func(*form, []*certs.Certificate, pdf.Object) bool { return false }},
}

// certificateUnmet names the hard constraint of a certificate seed value dictionary
// that the signing certificate does not meet; empty when it meets all. A bit that
// is not understood is unmet, an entry that is missing asks for nothing.
func (p *plan) certificateUnmet(d *pdf.Dict) string {
	if d == nil {
		return ""
	}
	flags := p.form.integer(d.Get("Ff"))
	for _, r := range certificateRules {
		hard := flags&r.bit != 0
		flags &^= r.bit
		// Before the key is known only that is refused which no certificate can meet;
		// Prepare asks again, still before any key is used.
		if !hard || d.Get(r.name) == nil || (len(p.Chain) == 0 && r.bit != seedCertURL) {
			continue
		}
		if !r.met(p.form, p.Chain, d.Get(r.name)) {
			return "/" + string(r.name)
		}
	}
	if flags != 0 {
		return "/Ff"
	}
	return ""
}

// subjectListed compares whole certificates.
func (m *form) subjectListed(chain []*certs.Certificate, o pdf.Object) bool {
	return m.listsBytes(o, chain[0].Raw)
}

// issuerListed asks for one of the listed certificates anywhere above the signer's.
func (m *form) issuerListed(chain []*certs.Certificate, o pdf.Object) bool {
	return slices.ContainsFunc(chain[1:], func(c *certs.Certificate) bool { return m.listsBytes(o, c.Raw) })
}

// policyListed asks for one of the listed certificate policies.
func (m *form) policyListed(chain []*certs.Certificate, o pdf.Object) bool {
	return slices.ContainsFunc(m.array(o), func(e pdf.Object) bool {
		want := m.textOf(e)
		for _, oid := range chain[0].PolicyOIDs {
			if oid.String() == want {
				return true
			}
		}
		return false
	})
}

// subjectNamed asks that the subject holds every attribute of one of the listed
// dictionaries, with that value.
func (m *form) subjectNamed(chain []*certs.Certificate, o pdf.Object) bool {
	return slices.ContainsFunc(m.array(o), func(e pdf.Object) bool {
		d := m.dict(e)
		if d == nil {
			return false
		}
		for _, k := range d.Keys() {
			if !hasAttribute(chain[0], string(k), m.textOf(d.Get(k))) {
				return false
			}
		}
		return true
	})
}

func hasAttribute(c *certs.Certificate, kind, value string) bool {
	if strings.EqualFold(kind, "emailAddress") {
		kind = "E"
	}
	return slices.ContainsFunc(c.SubjectAttributes, func(a certs.NameAttribute) bool {
		return strings.EqualFold(a.Type, kind) && a.Value == value
	})
}

// keyUsageBits is the number of usages that a pattern speaks of (RFC 5280, 4.2.1.3).
const keyUsageBits = 9

// keyUsageListed holds the key usage against patterns of 1 (must be there), 0 (must
// not) and X (either), one of which has to fit. What a short pattern leaves out is X.
func (m *form) keyUsageListed(chain []*certs.Certificate, o pdf.Object) bool {
	return slices.ContainsFunc(m.array(o), func(e pdf.Object) bool {
		pattern := m.textOf(e)
		if pattern == "" || len(pattern) > keyUsageBits {
			return false
		}
		for i, want := range []byte(pattern) {
			has := chain[0].KeyUsage&(1<<i) != 0
			if (want == '1' && !has) || (want == '0' && has) || !strings.ContainsRune("01Xx", rune(want)) {
				return false
			}
		}
		return true
	})
}
