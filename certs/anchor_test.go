package certs_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"antin/certs"
)

func TestAnchorsCountInTheirTime(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	root, issuing := p.Root(), p.IssuingCA().Certificate
	now := p.Now()
	withdrawn := certs.TrustAnchor{Certificate: root, Domain: certs.DomainOfficial, Until: now}
	later := certs.TrustAnchor{Certificate: issuing, Domain: certs.DomainOwn, From: now.Add(time.Hour)}
	list := certs.AnchorList{withdrawn, later}
	for at, want := range map[time.Time]int{now: 1, now.Add(time.Minute): 0, now.Add(time.Hour): 1, now.AddDate(200, 0, 0): 0} {
		if got, err := list.Anchors(context.Background(), at); err != nil || len(got) != want {
			t.Errorf("at %v: %d, %v, want %d", at, len(got), err, want)
		}
	}
	if list.DomainOf(root) != certs.DomainOfficial || list.DomainOf(p.Leader().Certificate) != "" || len(list.In(certs.DomainOwn)) != 1 {
		t.Error("domains are mixed up")
	}
}

func TestDifferenceNamesEveryAnchor(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	a := certs.TrustAnchor{Certificate: p.Root(), Domain: certs.DomainOwn}
	b := certs.TrustAnchor{Certificate: p.IssuingCA().Certificate, Domain: certs.DomainOwn}
	moved := a
	moved.Until = p.Now()
	for name, c := range map[string]struct {
		before, after certs.AnchorList
		want          []certs.AnchorChangeKind
	}{
		"nothing":   {nil, nil, nil},
		"added":     {nil, certs.AnchorList{a}, []certs.AnchorChangeKind{certs.AnchorAdded}},
		"removed":   {certs.AnchorList{a}, nil, []certs.AnchorChangeKind{certs.AnchorRemoved}},
		"kept":      {certs.AnchorList{a}, certs.AnchorList{a}, []certs.AnchorChangeKind{certs.AnchorKept}},
		"withdrawn": {certs.AnchorList{a}, certs.AnchorList{moved}, []certs.AnchorChangeKind{certs.AnchorChanged}},
		"exchanged": {certs.AnchorList{a}, certs.AnchorList{b}, []certs.AnchorChangeKind{certs.AnchorAdded, certs.AnchorRemoved}},
	} {
		var got []certs.AnchorChangeKind
		for _, ch := range certs.DiffAnchors(c.before, c.after) {
			got = append(got, ch.Kind)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPinsAreDistinctAndKnowNoSandbox(t *testing.T) {
	t.Parallel()
	seen := map[[32]byte]bool{}
	roots := map[certs.Domain]int{}
	for _, p := range certs.Pins() {
		if seen[p.SHA256] || p.SHA256 == [32]byte{} || p.Name == "" {
			t.Errorf("pin %+v", p)
		}
		seen[p.SHA256] = true
		if p.Root {
			roots[p.Domain]++
		}
	}
	if roots[certs.DomainOfficial] != 2 || roots[certs.DomainPublic] != 1 {
		t.Errorf("roots %v", roots)
	}
	if pin, ok := certs.PinOf(newPKI(t).Root()); ok {
		t.Errorf("the sandbox's root is %s", pin.Name)
	}
}
