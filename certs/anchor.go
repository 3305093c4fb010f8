package certs

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"time"
)

// Domain is a circle of trust: who answers for the certificates under an anchor.
type Domain string

// The domains. The two national ones are separate by law: a signature of a state
// body ends at the Cipher Committee's root, one of a public CA at the National Root.
const (
	DomainOfficial Domain = "official" // chuyên dùng công vụ: Ban Cơ yếu Chính phủ, generations G1 and G2
	DomainPublic   Domain = "public"   // public CAs, under the National Root
	DomainOwn      Domain = "own"      // what the agency trusts by its own decision
)

// Pin is a CA certificate that is known by its fingerprint.
type Pin struct {
	Name   string // its name as published
	SHA256 [32]byte
	Domain Domain
	Root   bool // a trust anchor; else an intermediate below one
}

// pins are the CA certificates of the two national hierarchies as public projects
// name them. A pin recognises a certificate, it trusts none: whoever loads one
// compares the fingerprint with what the authority says.
var pins = []struct {
	name, sum string
	domain    Domain
	root      bool
}{
	{"Root CA chuyên dùng Chính phủ G1", "f7bc89054cec7f12730d7b8cd3eb7955b163835087e5eb873edfb584763b3f90", DomainOfficial, true},
	{"CA chuyên dùng Chính phủ G1", "75e969c07ba35c29c72bbc1bfb880f20f3891a619b00b77eb02ca6160736a1fe", DomainOfficial, false},
	{"Root CA chuyên dùng Chính phủ G2", "f04ba4b459a7c9a1b971ad9b1cb833e695a80c79aea63b174b66a70edfe2fdb8", DomainOfficial, true},
	{"CA phục vụ các cơ quan Nhà nước G2", "d8cab7a4aef92e6bb2509d7c61cee7b44f3731b2d21074963530277b366fae4b", DomainOfficial, false},
	{"CA phục vụ các cơ quan Đảng G2", "e4b402e3cb4cacc0a20d21fa49bce76beb4eb47ba7ffb7a8f71c554dbe561a81", DomainOfficial, false},
	{"Vietnam National Root CA", "bac8bf609ab420a8ee1780d74f4de5c7f7184959d2a7375b0a75e4c29f0908e7", DomainPublic, true},
}

// Pins lists the CA certificates known by fingerprint.
func Pins() []Pin {
	all := make([]Pin, len(pins))
	for i, p := range pins {
		all[i] = Pin{Name: p.name, Domain: p.domain, Root: p.root}
		sum, _ := hex.DecodeString(p.sum)
		copy(all[i].SHA256[:], sum)
	}
	return all
}

// PinOf returns the pin of c; ok is false when its fingerprint is none of them.
func PinOf(c *Certificate) (p Pin, ok bool) {
	for _, p := range Pins() {
		if p.SHA256 == c.fingerprint {
			return p, true
		}
	}
	return Pin{}, false
}

// TrustAnchor is an anchor with its domain and the time during which it is trusted.
type TrustAnchor struct {
	Certificate *Certificate
	Domain      Domain
	// From and Until bound the time in force, both included, beside the certificate's
	// own validity; zero is open. An anchor that was withdrawn keeps its Until, so
	// that what was signed before can still be judged.
	From, Until time.Time
}

// InForce reports whether the anchor is trusted at t.
func (a TrustAnchor) InForce(t time.Time) bool {
	return a.Certificate.ValidAt(t) && !t.Before(a.From) && (a.Until.IsZero() || !t.After(a.Until))
}

// AnchorList is a TrustStore by time and domain. The zero value trusts nothing.
type AnchorList []TrustAnchor

// Anchors implements TrustStore.
func (l AnchorList) Anchors(_ context.Context, at time.Time) ([]*Certificate, error) {
	var in []*Certificate
	for _, a := range l {
		if a.InForce(at) {
			in = append(in, a.Certificate)
		}
	}
	return in, nil
}

// In returns those of the domains.
func (l AnchorList) In(domains ...Domain) AnchorList {
	var in AnchorList
	for _, a := range l {
		if slices.Contains(domains, a.Domain) {
			in = append(in, a)
		}
	}
	return in
}

// DomainOf returns the domain of an anchor, as the last certificate of a path is
// one; "" for what is none.
func (l AnchorList) DomainOf(anchor *Certificate) Domain {
	for _, a := range l {
		if a.Certificate.Equal(anchor) {
			return a.Domain
		}
	}
	return ""
}

// AnchorChange is one line of the difference between two lists.
type AnchorChange struct {
	Kind   AnchorChangeKind
	Anchor TrustAnchor // as it is after the change; as it was for a removed one
}

// AnchorChangeKind says what happens to an anchor.
type AnchorChangeKind string

// The kinds of change.
const (
	AnchorAdded   AnchorChangeKind = "added"
	AnchorRemoved AnchorChangeKind = "removed"
	AnchorChanged AnchorChangeKind = "changed" // another domain or another time
	AnchorKept    AnchorChangeKind = "kept"
)

// DiffAnchors lists what becomes of every anchor of two lists, ordered by domain,
// subject and fingerprint.
func DiffAnchors(before, after AnchorList) []AnchorChange {
	var all []AnchorChange
	for _, a := range after {
		i := before.index(a.Certificate)
		switch {
		case i < 0:
			all = append(all, AnchorChange{AnchorAdded, a})
		case before[i].Domain != a.Domain || !before[i].From.Equal(a.From) || !before[i].Until.Equal(a.Until):
			all = append(all, AnchorChange{AnchorChanged, a})
		default:
			all = append(all, AnchorChange{AnchorKept, a})
		}
	}
	for _, a := range before {
		if after.index(a.Certificate) < 0 {
			all = append(all, AnchorChange{AnchorRemoved, a})
		}
	}
	slices.SortStableFunc(all, func(x, y AnchorChange) int {
		return cmp.Or(cmp.Compare(x.Anchor.Domain, y.Anchor.Domain), cmp.Compare(x.Anchor.Certificate.Subject, y.Anchor.Certificate.Subject),
			slices.Compare(x.Anchor.Certificate.fingerprint[:], y.Anchor.Certificate.fingerprint[:]))
	})
	return all
}

func (l AnchorList) index(c *Certificate) int {
	return slices.IndexFunc(l, func(a TrustAnchor) bool { return a.Certificate.Equal(c) })
}
