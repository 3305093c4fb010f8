package pades

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/pdf"
)

// Bits of /Ff in a signature field seed value dictionary (ISO 32000-2, table
// 237): a set bit makes the entry a hard constraint.
const (
	seedFilter = 1 << iota
	seedSubFilter
	seedV
	seedReasons
	seedLegalAttestation
	seedAddRevInfo
	seedDigestMethod
	seedLockDocument
	seedAppearanceFilter
)

// maxSeedVersion is the highest /V of a seed value dictionary that is understood
// here (3: PDF 2.0).
const maxSeedVersion = 3

// checkSeedValue holds the options against the hard constraints of the field's
// /SV. A constraint that is not understood is refused, since a person who set
// one expects it to be kept.
func (p *plan) checkSeedValue() error {
	m := p.form
	sv := m.dict(p.target.FieldDict.Get("SV"))
	if sv == nil {
		return nil
	}
	flags := m.integer(sv.Get("Ff"))
	hard := func(bit int64) bool { return flags&bit != 0 }
	unmet := func(what string) error { return text.Detailed(text.SeedValueUnmet, nil, "sign.seed", what) }

	if f := m.name(sv.Get("Filter")); hard(seedFilter) && f != "" && f != handler {
		return unmet("/Filter")
	}
	if hard(seedSubFilter) && !m.lists(sv.Get("SubFilter"), p.subFilter()) {
		return unmet("/SubFilter")
	}
	if hard(seedV) && m.integer(sv.Get("V")) > maxSeedVersion {
		return unmet("/V")
	}
	if hard(seedReasons) && !m.reasonAllowed(sv.Get("Reasons"), p.reason()) {
		return unmet("/Reasons")
	}
	if hard(seedLegalAttestation) {
		return unmet("/LegalAttestation")
	}
	if want, _ := m.resolve(sv.Get("AddRevInfo")).(pdf.Bool); hard(seedAddRevInfo) && bool(want) && !p.LongTerm {
		return unmet("/AddRevInfo")
	}
	if hard(seedDigestMethod) && !m.lists(sv.Get("DigestMethod"), digestName(p.Options)) {
		return unmet("/DigestMethod")
	}
	if hard(seedLockDocument) && m.name(sv.Get("LockDocument")) == "true" && p.Certify != 1 && (p.lock == nil || p.lock.P != 1) {
		return unmet("/LockDocument")
	}
	if hard(seedAppearanceFilter) {
		return unmet("/AppearanceFilter")
	}
	if mdp := m.dict(sv.Get("MDP")); mdp != nil && m.integer(mdp.Get("P")) != int64(p.Certify) {
		return unmet("/MDP") // P 0 asks for an approval signature
	}
	if ts := m.dict(sv.Get("TimeStamp")); ts != nil && m.integer(ts.Get("Ff")) == 1 && !p.Timestamp {
		return unmet("/TimeStamp")
	}
	if which := p.certificateUnmet(m.dict(sv.Get("Cert"))); which != "" {
		return unmet("/Cert " + which)
	}
	return nil
}

// reasonAllowed: a missing array, or one holding only a period, forbids any reason.
func (m *form) reasonAllowed(o pdf.Object, reason string) bool {
	a := m.array(o)
	if len(a) == 0 || (len(a) == 1 && m.textOf(a[0]) == ".") {
		return reason == ""
	}
	return slices.ContainsFunc(a, func(e pdf.Object) bool { return m.textOf(e) == reason })
}

// lists reports whether the array o holds want as a name or a string.
func (m *form) lists(o pdf.Object, want string) bool {
	return slices.ContainsFunc(m.array(o), func(e pdf.Object) bool {
		return string(m.name(e)) == want || m.textOf(e) == want
	})
}

func (m *form) listsBytes(o pdf.Object, want []byte) bool {
	return slices.ContainsFunc(m.array(o), func(e pdf.Object) bool {
		s, ok := m.resolve(e).(pdf.String)
		return ok && bytes.Equal(s.Value, want)
	})
}

// integer reads a number; anything else is 0.
func (m *form) integer(o pdf.Object) int64 {
	n, _ := m.resolve(o).(pdf.Number)
	v, _ := n.Int64()
	return v
}

// digestName is the name of the digest as /DigestMethod writes it ("SHA256", and by
// ISO/TS 32001 "SHA3-256").
func digestName(o Options) string {
	name := ades.HashName(cmp.Or(o.Digest, defaultDigest))
	if strings.HasPrefix(name, "SHA3-") {
		return name
	}
	return strings.ReplaceAll(name, "-", "")
}
