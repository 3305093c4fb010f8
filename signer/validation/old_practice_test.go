package validation_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	_ "crypto/sha1" // what old signatures were made with
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/validation"
)

// knows offers certificates as a store of intermediates does.
type knows []*certs.Certificate

func (k knows) Issuers(context.Context, *certs.Certificate) ([]*certs.Certificate, error) {
	return k, nil
}

func has(r *validation.Report, code validation.ReasonCode) bool {
	return slices.ContainsFunc(r.Reasons, func(x validation.Reason) bool { return x.Code == code })
}

func policy(t *testing.T, name string) validation.Policy {
	t.Helper()
	p, err := validation.PolicyByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestALeafOnlyCMSIsNamedWhetherItsCAIsKnownOrNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{noChain: true})
	v := b.online()
	r := b.judge(v, doc)
	if r.Verdict != validation.Inconclusive || !has(r, validation.ReasonOldLeafOnly) || !has(r, validation.ReasonUntrusted) {
		t.Errorf("CA unknown: %s", explain(r))
	}
	v.Issuers = knows{b.IssuingCA().Certificate}
	// The sandbox's certificates name addresses to fetch from, which is where the
	// source of intermediates is asked.
	r = b.judge(v, doc)
	expect(t, r, validation.ValidWithNotes, validation.ReasonOldLeafOnly)
	// A document whose store brings the CA is as good as a whole CMS.
	r = b.judge(b.online(), b.addEvidence(doc, pades.DSS{Certs: [][]byte{b.IssuingCA().Certificate.Raw}}))
	expect(t, r, validation.Valid, "")
	v.Policy = policy(t, validation.DefaultPolicy)
	v.Policy.OldPractice = validation.RuleSilent
	expect(t, b.judge(v, doc), validation.Valid, "")
}

func TestVietnameseTimeMarkedUTCIsNamedAndMovesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for ahead, code := range map[time.Duration]validation.ReasonCode{
		7 * time.Hour: validation.ReasonOldLocalTime, 7*time.Hour + 20*time.Minute: validation.ReasonOldLocalTime, 6*time.Hour + 5*time.Minute: validation.ReasonOldLocalTime,
		30 * time.Second: "", 5 * time.Minute: validation.ReasonLateClaim, 24 * time.Hour: validation.ReasonLateClaim, -24 * time.Hour: "",
	} {
		doc := b.sign(plain(), pades.Options{M: b.clock().Add(ahead)}, as{stamp: true})
		stamped := b.clock()
		b.wait(time.Minute)
		r := b.judge(b.online(), doc)
		want := validation.ValidWithNotes
		if code == "" {
			want = validation.Valid
		}
		expect(t, r, want, code)
		if s := r.Signatures[0]; !s.BestTime.Equal(stamped) {
			t.Errorf("%s ahead: best time %s", ahead, s.BestTime)
		}
	}
	// Without a proof of time the present is the limit.
	doc := b.sign(plain(), pades.Options{M: b.clock().Add(7 * time.Hour)}, as{})
	expect(t, b.judge(b.online(), doc), validation.ValidWithNotes, validation.ReasonOldLocalTime)
}

// withoutESS signs as the older tools do: no signing-certificate attribute.
func withoutESS(attrs []byte) []byte {
	items, err := cms.Elements(attrs)
	if err != nil {
		panic(err)
	}
	ess, err := asn1.Marshal(cms.OIDSigningCertificateV2)
	if err != nil {
		panic(err)
	}
	items = slices.DeleteFunc(items, func(i []byte) bool { return slices.Equal(i[2:2+len(ess)], ess) || slices.Equal(i[3:3+len(ess)], ess) })
	set, err := asn1.MarshalWithParams(rawList(items), "set")
	if err != nil {
		panic(err)
	}
	return set
}

// oldCMS is a CMS with SHA-1 and ECDSA, which the encoder does not write: one with
// SHA-256 whose digest, identifiers and value are put in by hand.
func (b *bench) oldCMS(digest []byte, a as) []byte {
	b.t.Helper()
	alg, err := cms.AlgorithmFor(a.who.Key.Public(), crypto.SHA256, false)
	if err != nil {
		b.t.Fatal(err)
	}
	long := digestOf(digest)
	attrs, err := cms.SignedAttributes(cms.AttributeParams{MessageDigest: long, Certificate: a.who.Certificate, Algorithm: alg})
	if err != nil {
		b.t.Fatal(err)
	}
	attrs = rebuild(b.t, attrs, encoded(b.t, long), encoded(b.t, digest))
	h := crypto.SHA1.New()
	h.Write(attrs)
	value, err := a.who.Key.Sign(rand.Reader, h.Sum(nil), crypto.SHA1)
	if err != nil {
		b.t.Fatal(err)
	}
	der, err := cms.Build(cms.SignedDataParams{Algorithm: alg, Attributes: attrs, Signature: value, Certificate: a.who.Certificate, Certificates: a.who.Chain})
	if err != nil {
		b.t.Fatal(err)
	}
	der = replaceOID(b.t, der, ades.HashOID(crypto.SHA256), ades.HashOID(crypto.SHA1))
	// ecdsa-with-SHA256 to ecdsa-with-SHA1, in the signer alone: the certificate is
	// signed over its own bytes.
	return replaceLast(b.t, der, encoded(b.t, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}), encoded(b.t, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}))
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// replaceLast replaces the last occurrence of an element, which is found by a mark
// that no certificate holds.
func replaceLast(t *testing.T, der, old, now []byte) []byte {
	t.Helper()
	i := bytes.LastIndex(der, old)
	if i < 0 {
		t.Fatal("nothing to replace")
	}
	mark := bytes.Repeat([]byte{0x5A}, len(old))
	mark[0], mark[1] = old[0], old[1]
	marked := slices.Concat(der[:i], mark, der[i+len(old):])
	return rebuild(t, marked, mark, now)
}

func TestOlderFormsAreNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.judge(b.online(), b.sign(plain(), pades.Options{}, as{edit: withoutESS}))
	expect(t, r, validation.ValidWithNotes, validation.ReasonOldNoESS)
	if !has(r, validation.ReasonBelowBaseline) {
		t.Error("below the baseline is not said")
	}
	r = b.judge(b.online(), b.sign(plain(), pades.Options{SubFilter: pades.SubFilterPKCS7}, as{}))
	expect(t, r, validation.ValidWithNotes, validation.ReasonOldSubFilter)
	r = b.judge(b.online(), b.sign(plain(), pades.Options{}, as{hash: crypto.SHA1}))
	expect(t, r, validation.Inconclusive, validation.ReasonOldSHA1)
	if s := r.Signatures[0]; s.SubIndication != ades.CryptoConstraintsFailureNoPOE {
		t.Errorf("SHA-1: %s", s.SubIndication)
	}
}

// The national CAs name hosts that only the closed network of the state resolves.
func TestInternalHostsAreNamedWhenTheyHadToBeAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	access, err := asn1.Marshal([]struct {
		Method   asn1.ObjectIdentifier
		Location asn1.RawValue
	}{{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}, asn1.RawValue{Class: 2, Tag: 6, Bytes: []byte("http://ocsp.ca.ptc")}}})
	if err != nil {
		t.Fatal(err)
	}
	who, err := b.Issue(certstest.Spec{CommonName: "Người Mạng Kín", NoSandbox: true, NoAddresses: true,
		Extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, Value: access}}})
	if err != nil {
		t.Fatal(err)
	}
	doc := b.sign(plain(), pades.Options{}, as{who: who, stamp: true})
	r := b.judge(b.offline(), doc)
	expect(t, r, validation.Inconclusive, validation.ReasonOldInternal)
	b.wait(time.Minute)
	expect(t, b.judge(b.offline(), b.longTerm(doc, who)), validation.Valid, "")
}

func TestUnknownStatusSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{})
	for name, c := range map[string]struct {
		source certs.RevocationSource
		need   string
		after  time.Duration
	}{
		"offline":                  {nil, validation.NeedNetwork, 0},
		"the service is down":      {evidenceOf{}, validation.NeedSource, time.Hour},
		"the status is on its way": {source{b}, "", 0},
	} {
		v := b.offline()
		v.Revocation = c.source
		r := b.judge(v, doc)
		got := r.Signatures[0].TryAgain
		if c.need == "" {
			if got != (validation.TryAgain{}) {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if got.Need != c.need || !got.At.Equal(b.clock().Add(c.after)) || r.Verdict != validation.Inconclusive || !has(r, validation.ReasonRevocation) {
			t.Errorf("%s: %+v, %s", name, got, explain(r))
		}
	}
	// Strict wants data from after the proven time: the next ones are announced.
	stamped := b.sign(plain(), pades.Options{}, as{stamp: true})
	early := evidenceOf{}
	for _, e := range []*certstest.Entity{b.Leader(), b.IssuingCA(), b.TSA()} {
		early.add(t, b, e.Certificate)
	}
	b.wait(time.Hour)
	late := b.sign(plain(), pades.Options{}, as{stamp: true})
	_ = stamped
	v := b.offline()
	v.Revocation, v.Policy = early, policy(t, "strict")
	s := b.judge(v, late).Signatures[0]
	if s.SubIndication != ades.TryLater || s.TryAgain.Need != validation.NeedNewerData || !s.TryAgain.At.Equal(day0.Add(24*time.Hour)) {
		t.Errorf("strict: %s %+v", s.SubIndication, s.TryAgain)
	}
	// A suspension ends with newer data, whatever the network.
	if err := b.Revoke(b.Leader().Certificate, b.clock(), certstest.CertificateHold); err != nil {
		t.Fatal(err)
	}
	r := b.judge(b.online(), doc)
	expect(t, r, validation.Inconclusive, validation.ReasonSuspended)
	if s := r.Signatures[0]; s.TryAgain.Need != validation.NeedNewerData || !s.TryAgain.At.After(b.clock()) {
		t.Errorf("suspended: %+v", s.TryAgain)
	}
}
