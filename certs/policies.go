package certs

import (
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const anyPolicy = "2.5.29.32.0"

// policyExtensions are the four policy extensions of a certificate; the counts
// are -1 where absent.
type policyExtensions struct {
	present                                     bool
	policies                                    []string
	mappings                                    map[string][]string
	mapsAny                                     bool
	requireExplicit, inhibitMapping, inhibitAny *int
}

func (c *Certificate) readPolicyExtension(e Extension) bool {
	in := cryptobyte.String(e.Value)
	switch {
	case e.OID.Equal(oidCertPolicies):
		return c.readPolicies(in)
	case e.OID.Equal(oidPolicyMappings):
		return c.policies.readMappings(in)
	case e.OID.Equal(oidInhibitAnyPolicy):
		n := 0
		c.policies.inhibitAny = &n
		return in.ReadASN1Integer(&n) && n >= 0 && in.Empty()
	}
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	for tag, into := range []**int{&c.policies.requireExplicit, &c.policies.inhibitMapping} {
		if !readSkipCerts(&seq, uint8(tag), into) {
			return false
		}
	}
	return seq.Empty()
}

func readSkipCerts(seq *cryptobyte.String, tag uint8, into **int) bool {
	t := cbasn1.Tag(tag).ContextSpecific()
	if !seq.PeekASN1Tag(t) {
		return true
	}
	var n int64
	if !seq.ReadASN1Int64WithTag(&n, t) || n < 0 {
		return false
	}
	skip := int(min(n, maxListItems)) // no path is that long
	*into = &skip
	return true
}

func (c *Certificate) readPolicies(in cryptobyte.String) bool {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	c.policies.present = true
	for !seq.Empty() {
		var one cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&oid) || len(c.PolicyOIDs) >= maxListItems {
			return false
		}
		if slices.Contains(c.policies.policies, oid.String()) {
			return false // RFC 5280, 4.2.1.4
		}
		c.PolicyOIDs = append(c.PolicyOIDs, oid)
		c.policies.policies = append(c.policies.policies, oid.String())
	}
	return true
}

func (p *policyExtensions) readMappings(in cryptobyte.String) bool {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	p.mappings = map[string][]string{}
	for n := 0; !seq.Empty(); n++ {
		var one cryptobyte.String
		var issuer, subject asn1.ObjectIdentifier
		if n >= maxListItems || !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&issuer) ||
			!one.ReadASN1ObjectIdentifier(&subject) || !one.Empty() {
			return false
		}
		from, to := issuer.String(), subject.String()
		p.mapsAny = p.mapsAny || from == anyPolicy || to == anyPolicy
		p.mappings[from] = append(p.mappings[from], to)
	}
	return true
}

// policyNode is one policy at one depth of the graph of RFC 9618, 3, which
// replaces RFC 5280's tree: equal nodes are merged, so the work stays polynomial.
type policyNode struct {
	expected []string
	parents  []*policyNode
	policy   string
}

// policyState is the policy part of path processing (RFC 5280, 6.1, with RFC 9618).
type policyState struct {
	level                         map[string]*policyNode // the deepest one; empty means no valid policy
	explicit, mapping, inhibitAny int                    // certificates still to come before the rule binds
}

func newPolicyState(o PathOptions, length int) *policyState {
	after := func(now bool) int {
		if now {
			return 0
		}
		return length + 1
	}
	return &policyState{
		level:      map[string]*policyNode{anyPolicy: {policy: anyPolicy, expected: []string{anyPolicy}}},
		explicit:   after(o.RequireExplicitPolicy),
		mapping:    after(o.InhibitPolicyMapping),
		inhibitAny: after(o.InhibitAnyPolicy),
	}
}

// certificate is steps 6.1.3 (d) to (f).
func (s *policyState) certificate(c *Certificate, last bool) bool {
	if !c.policies.present {
		s.level = nil
	}
	if len(s.level) > 0 {
		next := map[string]*policyNode{}
		for _, p := range c.policies.policies {
			if p == anyPolicy {
				continue
			}
			parents := s.expecting(p)
			if any, ok := s.level[anyPolicy]; ok && len(parents) == 0 {
				parents = []*policyNode{any}
			}
			if len(parents) > 0 {
				next[p] = &policyNode{policy: p, expected: []string{p}, parents: parents}
			}
		}
		if slices.Contains(c.policies.policies, anyPolicy) && (s.inhibitAny > 0 || (!last && c.SelfIssued())) {
			s.inherit(next)
		}
		s.level = next
	}
	return s.explicit > 0 || len(s.level) > 0
}

func (s *policyState) expecting(p string) []*policyNode {
	var nodes []*policyNode
	for _, n := range s.level {
		if slices.Contains(n.expected, p) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// inherit carries every expected policy over that next does not have yet.
func (s *policyState) inherit(next map[string]*policyNode) {
	for _, n := range s.level {
		for _, p := range n.expected {
			if _, ok := next[p]; !ok {
				next[p] = &policyNode{policy: p, expected: []string{p}, parents: s.expecting(p)}
			}
		}
	}
}

// prepare is steps 6.1.4 (a), (b) and (h) to (j).
func (s *policyState) prepare(c *Certificate) bool {
	p := c.policies
	if p.mapsAny {
		return false
	}
	for from, to := range p.mappings {
		node, known := s.level[from]
		wild, hasAny := s.level[anyPolicy]
		switch {
		case s.mapping == 0:
			delete(s.level, from)
		case known:
			node.expected = to
		case hasAny:
			s.level[from] = &policyNode{policy: from, expected: to, parents: wild.parents}
		}
	}
	if !c.SelfIssued() {
		s.explicit, s.mapping, s.inhibitAny = max(s.explicit-1, 0), max(s.mapping-1, 0), max(s.inhibitAny-1, 0)
	}
	for count, limit := range map[*int]*int{&s.explicit: p.requireExplicit, &s.mapping: p.inhibitMapping, &s.inhibitAny: p.inhibitAny} {
		if limit != nil {
			*count = min(*count, *limit)
		}
	}
	return true
}

// wrapUp is 6.1.5 (a), (b) and (g).
func (s *policyState) wrapUp(leaf *Certificate, wanted []asn1.ObjectIdentifier) bool {
	s.explicit = max(s.explicit-1, 0)
	if r := leaf.policies.requireExplicit; r != nil && *r == 0 {
		s.explicit = 0
	}
	return s.explicit > 0 || s.satisfies(wanted)
}

// satisfies reports whether some policy of the deepest level descends from a
// wanted one; no wanted policy means any.
func (s *policyState) satisfies(wanted []asn1.ObjectIdentifier) bool {
	if len(wanted) == 0 || len(s.level) == 0 {
		return len(s.level) > 0
	}
	seen := map[*policyNode]bool{}
	var descends func(n *policyNode) bool
	descends = func(n *policyNode) bool {
		if seen[n] {
			return false
		}
		seen[n] = true
		fromAny := slices.ContainsFunc(n.parents, func(p *policyNode) bool { return p.policy == anyPolicy })
		if n.policy == anyPolicy || (fromAny && slices.ContainsFunc(wanted, func(w asn1.ObjectIdentifier) bool { return w.String() == n.policy })) {
			return true
		}
		return slices.ContainsFunc(n.parents, func(p *policyNode) bool { return p.policy != anyPolicy && descends(p) })
	}
	for _, n := range s.level {
		if descends(n) {
			return true
		}
	}
	return false
}
