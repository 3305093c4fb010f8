package validation_test

import (
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/validation"
)

// A policy says from which domain of trust each kind of signer may come.
func TestAPolicyAcceptsAnchorsByDomainForEachKindOfSigner(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := func(d certs.Domain) (l certs.AnchorList) {
		for _, c := range b.Anchors() {
			l = append(l, certs.TrustAnchor{Certificate: c, Domain: d})
		}
		return l
	}
	seal := b.Signer(certstest.RoleSealA)
	isSeal := func(c *certs.Certificate) bool { return c.Equal(seal.Certificate) }
	one := func(k validation.SignerKind, d ...certs.Domain) map[validation.SignerKind][]certs.Domain {
		return map[validation.SignerKind][]certs.Domain{k: d}
	}
	sealed := as{who: seal, stamp: true}
	for name, c := range map[string]struct {
		a       as
		domains map[validation.SignerKind][]certs.Domain
		trust   certs.TrustStore
		seals   func(*certs.Certificate) bool
		verdict validation.Verdict
		code    validation.ReasonCode
	}{
		"none is all":                  {sealed, nil, in(certs.DomainPublic), isSeal, validation.Valid, ""},
		"the seal's domain":            {sealed, one(validation.SignerSeal, certs.DomainOfficial), in(certs.DomainOfficial), isSeal, validation.Valid, ""},
		"another than the seal's":      {sealed, one(validation.SignerSeal, certs.DomainOfficial), in(certs.DomainPublic), isSeal, validation.Inconclusive, validation.ReasonDomain},
		"not known as a seal":          {sealed, one(validation.SignerSeal, certs.DomainOfficial), in(certs.DomainPublic), nil, validation.Valid, ""},
		"a person's":                   {as{stamp: true}, one(validation.SignerPerson, certs.DomainOfficial), in(certs.DomainPublic), nil, validation.Inconclusive, validation.ReasonDomain},
		"a time-stamp's":               {as{stamp: true}, one(validation.SignerTimeStamp, certs.DomainOfficial), in(certs.DomainPublic), nil, validation.ValidWithNotes, validation.ReasonTimestamp},
		"one of several":               {as{stamp: true}, one(validation.SignerTimeStamp, certs.DomainOfficial, certs.DomainPublic), in(certs.DomainPublic), nil, validation.Valid, ""},
		"nobody at all":                {as{stamp: true}, one(validation.SignerPerson), in(certs.DomainPublic), nil, validation.Inconclusive, validation.ReasonDomain},
		"a store that knows of none":   {as{}, one(validation.SignerPerson, certs.DomainOwn), b.Anchors(), nil, validation.Valid, ""},
		"a store of none, another":     {as{}, one(validation.SignerPerson, certs.DomainOfficial), b.Anchors(), nil, validation.Inconclusive, validation.ReasonDomain},
		"trusted nowhere is no domain": {as{}, one(validation.SignerPerson, certs.DomainOfficial), newBench(t).Anchors(), nil, validation.Inconclusive, validation.ReasonUntrusted},
	} {
		v := b.online()
		v.Policy = policy(t, validation.DefaultPolicy)
		v.Policy.Domains, v.Trust, v.Seals = c.domains, c.trust, c.seals
		r := b.judge(v, b.sign(plain(), pades.Options{}, c.a))
		if r.Verdict != c.verdict || (c.code != "" && !has(r, c.code)) {
			t.Errorf("%s: %s", name, explain(r))
		}
		if s := r.Signatures[0]; c.code == validation.ReasonDomain && s.SubIndication != ades.ChainConstraintsFailure {
			t.Errorf("%s: %s", name, s.SubIndication)
		}
	}
	v := b.online()
	v.Policy = policy(t, validation.DefaultPolicy)
	v.Policy.Domains, v.Policy.Seals, v.Trust = one(validation.SignerSeal, certs.DomainOfficial), map[[32]byte]bool{seal.Certificate.SHA256(): true}, in(certs.DomainPublic)
	expect(t, b.judge(v, b.sign(plain(), pades.Options{}, sealed)), validation.Inconclusive, validation.ReasonDomain)
}

// The table of algorithms is data: a policy moves its dates.
func TestAPolicysTableDecidesHowLongAlgorithmsCount(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{})
	for name, c := range map[string]struct {
		until time.Time
		sub   ades.SubIndication
	}{"later": {b.clock().Add(time.Hour), ""}, "open": {time.Time{}, ""}, "before": {b.clock().Add(-time.Hour), ades.CryptoConstraintsFailureNoPOE}} {
		v := b.online()
		v.Policy = policy(t, validation.DefaultPolicy)
		var err error
		if v.Policy.Algorithms, err = certs.TS119312().With("own", "1", certs.AlgorithmLimit{Algorithm: "ECDSA", Bits: 256, Until: c.until}); err != nil {
			t.Fatal(err)
		}
		if s := b.judge(v, doc).Signatures[0]; s.SubIndication != c.sub {
			t.Errorf("%s: %s %s", name, s.Indication, s.SubIndication)
		}
	}
	for _, bad := range []certs.AlgorithmLimit{{}, {Hash: "SHA-9"}, {Algorithm: "Ed448"}, {Hash: "SHA-1", Algorithm: "ECDSA"}, {Hash: "SHA-1", Bits: 1}, {Algorithm: "ECDSA", Bits: -1}} {
		if _, err := certs.TS119312().With("x", "1", bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// EN 319 102-1, 5.3.4, step 6: a content time-stamp from after the end of the signature's
// algorithm shows that the signature was made with it past its time, which no proof of
// existence can mend; from before the end it shows nothing.
func TestASignatureMadeAfterTheEndOfItsAlgorithmLacksNoProof(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signer := b.issue(certstest.Spec{KeyType: certstest.RSA2048})
	made := b.clock()
	stamped := b.sign(plain(), pades.Options{}, as{who: signer, content: true})
	bare := b.sign(plain(), pades.Options{}, as{who: signer})
	b.wait(48 * time.Hour)
	for name, c := range map[string]struct {
		doc   []byte
		until time.Time
		sub   ades.SubIndication
	}{
		"content stamped after the end":    {stamped, made.Add(-time.Hour), ades.CryptoConstraintsFailure},
		"content stamped before the end":   {stamped, made.Add(time.Hour), ades.CryptoConstraintsFailureNoPOE},
		"made after the end, nobody knows": {bare, made.Add(-time.Hour), ades.CryptoConstraintsFailureNoPOE},
		"no end so far":                    {stamped, b.clock().Add(time.Hour), ""},
	} {
		v := b.online()
		v.Policy = policy(t, validation.DefaultPolicy)
		var err error
		if v.Policy.Algorithms, err = certs.TS119312().With("own", "1", certs.AlgorithmLimit{Algorithm: "RSA-PKCS1-v1.5", Bits: 2048, Until: c.until}); err != nil {
			t.Fatal(err)
		}
		if s := b.judge(v, c.doc).Signatures[0]; s.SubIndication != c.sub {
			t.Errorf("%s: %s %s, want %s", name, s.Indication, s.SubIndication, c.sub)
		}
	}
}
