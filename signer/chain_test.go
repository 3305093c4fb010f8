package signer_test

import (
	"slices"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// A token gives the signer's certificate alone; what stands above it comes from what
// is at hand, so that no reader has to know it.
func TestALeafOnlyKeySignsWithTheIntermediatesThatAreKnown(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	leaf := a.keys[certstest.RoleLeader]
	a.keys["token"] = signer.Key{Signer: leaf.Signer, Chain: leaf.Chain[:1]}
	ca := a.IssuingCA().Certificate
	for name, c := range map[string]struct {
		trust   certs.TrustStore
		known   certs.Known
		offline bool
		alone   bool
	}{
		"known, trust and network":          {a.signer().Trust, certs.Known{ca}, false, false},
		"known, no trust, no network":       {nil, certs.Known{ca}, true, false},
		"an anchor of ours, no network":     {certs.Anchors{ca, a.Root()}, nil, true, false},
		"known with the root, no network":   {nil, certs.Known{ca, a.Root()}, true, false},
		"nothing is known, nobody is asked": {nil, nil, true, true},
	} {
		s := a.signer()
		s.Trust, s.Known = c.trust, c.known
		doc, res := sign(t, s, padestest.Simple(padestest.Classic, "1.7").Bytes(), signer.Request{Key: "token", Level: ades.BB, Offline: c.offline})
		if got := slices.Contains(res.Warnings, signer.WarnChainIncomplete); got != c.alone {
			t.Errorf("%s: warnings %v", name, res.Warnings)
		}
		r := a.validate(t, doc)
		noted := slices.ContainsFunc(r.Reasons, func(x validation.Reason) bool { return x.Code == validation.ReasonOldLeafOnly })
		if noted != c.alone {
			t.Errorf("%s: %+v", name, r.Reasons)
		}
	}
}

// An object number that stands in the file twice is how a shadow is prepared: the
// signer hears of it.
func TestADocumentThatReadersTakeForAnotherIsSignedWithAWarning(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	twice := padestest.Simple(padestest.Classic, "1.7").With(4, padestest.Body("", "q Q")+"\nendobj\n4 0 obj\n"+padestest.Body("", "q Q Q")).Bytes()
	for doc, want := range map[string]bool{string(twice): true, string(padestest.Simple(padestest.Classic, "1.7").Bytes()): false} {
		_, res := sign(t, a.signer(), []byte(doc), signer.Request{Key: certstest.RoleLeader, Level: ades.BB})
		if slices.Contains(res.Warnings, signer.WarnReadersDiffer) != want {
			t.Errorf("warnings %v, want one of readers: %v", res.Warnings, want)
		}
	}
}
