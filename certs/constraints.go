package certs

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// nameConstraints is the extension of RFC 5280, 4.2.1.10.
type nameConstraints struct {
	permitted, excluded generalNames
}

// maxNameComparisons bounds names × subtrees over all paths tried for one leaf, so
// that a certificate with many names cannot make a path cost minutes.
const maxNameComparisons = 100_000

func readNameConstraints(in cryptobyte.String) (*nameConstraints, bool) {
	var seq, part cryptobyte.String
	var present bool
	nc := &nameConstraints{}
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	for n, into := range []*generalNames{&nc.permitted, &nc.excluded} {
		if !seq.ReadOptionalASN1(&part, &present, contextConstructed(uint8(n))) {
			return nil, false
		}
		if present && !readSubtrees(part, into) {
			return nil, false
		}
	}
	return nc, seq.Empty()
}

// readSubtrees reads GeneralSubtrees; minimum must be 0, which some CAs write
// although it is the default, and maximum absent (RFC 5280, 4.2.1.10).
func readSubtrees(in cryptobyte.String, into *generalNames) bool {
	for n := 0; !in.Empty(); n++ {
		var one cryptobyte.String
		if n >= maxListItems || !in.ReadASN1(&one, cbasn1.SEQUENCE) || !into.read(&one) || (!one.Empty() && string(one) != "\x80\x01\x00") {
			return false
		}
	}
	return true
}

// nameState gathers the constraints met on the way from the anchor to the leaf:
// each permitted set must hold by itself, which is their intersection.
type nameState struct {
	permitted   []generalNames
	excluded    []generalNames
	comparisons int
}

func (s *nameState) add(nc *nameConstraints) {
	if nc != nil {
		s.permitted = append(s.permitted, nc.permitted)
		s.excluded = append(s.excluded, nc.excluded)
	}
}

// allows reports whether every name of c lies within the constraints so far.
func (s *nameState) allows(c *Certificate) bool {
	if len(s.permitted) == 0 {
		return true
	}
	dirs := slices.Clone(c.altNames.dirs)
	if len(c.subject) > 0 {
		dirs = append(dirs, c.subject)
	}
	emails := c.altNames.emails
	if len(emails) == 0 { // RFC 5280, 4.2.1.10: then the subject's address counts
		for _, a := range c.SubjectAttributes {
			if a.Type == "E" {
				emails = append(emails, a.Value)
			}
		}
	}
	return allowed(s, dirs, func(g generalNames) []rdnSequence { return g.dirs }, rdnSequence.within) &&
		allowed(s, emails, func(g generalNames) []string { return g.emails }, emailWithin) &&
		allowed(s, c.altNames.dns, func(g generalNames) []string { return g.dns }, dnsWithin) &&
		allowed(s, c.altNames.uris, func(g generalNames) []string { return g.uris }, uriWithin) &&
		allowed(s, c.altNames.ips, func(g generalNames) [][]byte { return g.ips }, ipWithin) &&
		s.comparable(c.altNames.uris) && s.allowsMailbox(c) && s.allowsOther(c.altNames.other)
}

// allowsMailbox refuses an internationalised mailbox where a constraint speaks about
// mailboxes: it binds it too (RFC 9598, 6), and is not compared here.
func (s *nameState) allowsMailbox(c *Certificate) bool {
	return !c.altNames.smtpUTF8 || !slices.ContainsFunc(slices.Concat(s.permitted, s.excluded), func(g generalNames) bool { return len(g.emails) > 0 })
}

// comparable refuses URIs without a host name where a constraint speaks about URIs.
func (s *nameState) comparable(uris []string) bool {
	constrained := slices.ContainsFunc(slices.Concat(s.permitted, s.excluded), func(g generalNames) bool { return len(g.uris) > 0 })
	return !constrained || !slices.ContainsFunc(uris, func(uri string) bool {
		u, err := url.Parse(uri)
		return err != nil || u.Hostname() == ""
	})
}

// allowsOther refuses a name of a form that a constraint speaks about and that is not compared here.
func (s *nameState) allowsOther(forms []int) bool {
	for _, f := range forms {
		for _, g := range slices.Concat(s.permitted, s.excluded) {
			if slices.Contains(g.other, f) {
				return false
			}
		}
	}
	return true
}

func allowed[N, B any](s *nameState, names []N, bases func(generalNames) []B, within func(N, B) bool) bool {
	for _, name := range names {
		in := func(b B) bool { s.comparisons++; return within(name, b) }
		for _, g := range s.permitted {
			if b := bases(g); len(b) > 0 && !slices.ContainsFunc(b, in) {
				return false
			}
		}
		for _, g := range s.excluded {
			if slices.ContainsFunc(bases(g), in) {
				return false
			}
		}
		if s.comparisons > maxNameComparisons {
			return false
		}
	}
	return true
}

// emailWithin: a base with "@" is a mailbox, one with a leading dot any host
// below, any other that very host.
func emailWithin(email, base string) bool {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return false
	}
	if i := strings.LastIndexByte(base, '@'); i >= 0 {
		return email[:at] == base[:i] && strings.EqualFold(email[at:], base[i:])
	}
	return hostWithin(email[at+1:], base)
}

func dnsWithin(name, base string) bool {
	name, base = strings.ToLower(strings.TrimSuffix(name, ".")), strings.ToLower(strings.TrimPrefix(base, "."))
	return base == "" || name == base || strings.HasSuffix(name, "."+base)
}

// uriWithin: only URIs with a host name can be compared; others lie nowhere.
func uriWithin(uri, base string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Hostname() != "" && hostWithin(u.Hostname(), base)
}

func hostWithin(host, base string) bool {
	host, base = strings.ToLower(host), strings.ToLower(base)
	if strings.HasPrefix(base, ".") {
		return strings.HasSuffix(host, base)
	}
	return host == base
}

// ipWithin: base is an address and a mask of the same length.
func ipWithin(ip, base []byte) bool {
	if len(base) != 2*len(ip) || (len(ip) != 4 && len(ip) != 16) {
		return false
	}
	masked := make([]byte, len(ip))
	want := make([]byte, len(ip))
	for i := range ip {
		masked[i] = ip[i] & base[len(ip)+i]
		want[i] = base[i] & base[len(ip)+i]
	}
	return bytes.Equal(masked, want)
}
