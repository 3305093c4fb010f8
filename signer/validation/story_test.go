package validation_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/validation"
)

// story is a PKI and an archive over twelve years: certificates are issued,
// suspended, revoked and expire, a CA is compromised, an algorithm reaches its end,
// and one document is renewed three times.
type story struct {
	*bench
	docs   map[string][]byte
	people map[string]*certstest.Entity
}

// until moves the clock to a day of the story, at the hour of its first day.
func (s *story) until(t *testing.T, at time.Time) {
	t.Helper()
	if d := at.Sub(s.clock()); d >= 0 {
		s.wait(d)
		return
	}
	t.Fatalf("the story runs backwards: %s after %s", at, s.clock())
}

func on(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 2, 0, 0, 0, time.UTC)
}

func (s *story) person(name string, spec certstest.Spec) *certstest.Entity {
	s.t.Helper()
	spec.CommonName = name
	if spec.NotBefore.IsZero() {
		spec.NotBefore = on(2025, time.November, 1)
	}
	e, err := s.Issue(spec)
	if err != nil {
		s.t.Fatal(err)
	}
	s.people[name] = e
	return e
}

// evidence appends the certificates of all given and what their CAs say of them now.
func (s *story) evidence(doc []byte, names ...string) []byte {
	s.t.Helper()
	d := pades.DSS{}
	for _, n := range names {
		e := s.people[n]
		der, err := s.OCSP(e.Certificate)
		if err != nil {
			s.t.Fatal(err)
		}
		d.Certs, d.OCSPs = append(d.Certs, e.Certificate.Raw), append(d.OCSPs, der)
	}
	return s.addEvidence(doc, d)
}

// signBy signs an empty page; tsa "" leaves the time-stamp out.
func (s *story) signBy(who, tsa string, content bool) []byte {
	s.t.Helper()
	s.tsa = s.people[tsa]
	return s.sign(plain(), pades.Options{}, as{who: s.people[who], stamp: tsa != "" && !content, content: content})
}

func (s *story) archiveBy(doc []byte, tsa string) []byte {
	s.t.Helper()
	s.tsa = s.people[tsa]
	return s.archive(doc)
}

func (s *story) revoke(name string, at time.Time, reason certstest.Reason) {
	s.t.Helper()
	if err := s.Revoke(s.people[name].Certificate, at, reason); err != nil {
		s.t.Fatal(err)
	}
}

// begin issues everybody. TSAs stand under the root, but for one.
func begin(t *testing.T) *story {
	t.Helper()
	s := &story{bench: newBench(t), docs: map[string][]byte{}, people: map[string]*certstest.Entity{}}
	ca := func(name string, issuer *certstest.Entity, key certstest.KeyType) *certstest.Entity {
		return s.person(name, certstest.Spec{CA: true, Name: name, Issuer: issuer, KeyType: key, NotBefore: on(2020, 1, 1), NotAfter: on(2045, 1, 1)})
	}
	tsa := func(name string, issuer *certstest.Entity, until time.Time) {
		s.person(name, certstest.Spec{Issuer: issuer, ExtKeyUsage: []asn1.ObjectIdentifier{certs.OIDExtKeyUsageTimeStamping},
			ExtKeyUsageCritical: true, NotAfter: until})
	}
	caA, caT := ca("ca-a", s.RootCA(), certstest.P256), ca("ca-t", s.RootCA(), certstest.P256)
	caR := ca("ca-r", s.RootCA(), certstest.RSA2048)
	caS := ca("ca-s", caR, certstest.P256)
	short := s.person("ca-short", certstest.Spec{CA: true, Name: "ca-short", Issuer: s.RootCA(), NotBefore: on(2020, 1, 1), NotAfter: on(2031, 1, 1)})
	tsa("tsa1", s.RootCA(), on(2030, time.June, 1))
	tsa("tsa2", s.RootCA(), on(2034, time.June, 1))
	tsa("tsa3", s.RootCA(), on(2041, time.June, 1))
	tsa("tsa4", caT, on(2041, time.June, 1))
	end := on(2029, time.November, 1)
	for name, spec := range map[string]certstest.Spec{
		"an": {Issuer: caA}, "binh": {Issuer: caA}, "cuong": {Issuer: caA}, "dung": {Issuer: caA, NotBefore: on(2027, 1, 1)},
		"em": {Issuer: caS}, "giang": {Issuer: caA, KeyType: certstest.RSA2048}, "hoa": {Issuer: short},
	} {
		spec.NotAfter = end
		s.person(name, spec)
	}
	return s
}

// first makes the documents of the first day.
func (s *story) first() {
	d := s.docs
	d["an B-B"], d["an B-T"], d["an B-T/3"] = s.signBy("an", "", false), s.signBy("an", "tsa1", false), s.signBy("an", "tsa3", false)
	s.wait(time.Minute)
	d["an B-LT"] = s.evidence(d["an B-T"], "an", "ca-a", "tsa1")
	d["an B-LT/3"] = s.evidence(d["an B-T/3"], "an", "ca-a", "tsa3")
	d["an B-LT/4"] = s.evidence(s.signBy("an", "tsa4", false), "an", "ca-a", "tsa4", "ca-t")
	d["binh B-B"], d["binh B-T"] = s.signBy("binh", "", false), s.signBy("binh", "tsa3", false)
	d["cuong B-B"], d["cuong B-T"] = s.signBy("cuong", "", false), s.signBy("cuong", "tsa3", false)
	d["cuong B-LT"] = s.evidence(d["cuong B-T"], "cuong", "ca-a", "tsa3")
	d["dung B-T"] = s.signBy("dung", "tsa3", false)
	d["em B-LT"] = s.evidence(s.signBy("em", "tsa3", false), "em", "ca-s", "ca-r", "tsa3")
	d["giang B-B"], d["giang B-T"] = s.signBy("giang", "", false), s.signBy("giang", "tsa3", false)
	d["hoa B-LT"] = s.evidence(s.signBy("hoa", "tsa3", false), "hoa", "ca-short", "tsa3")
	d["an changed"] = bytes.Replace(d["an B-LT"], []byte("/MediaBox"), []byte("/MediaBoy"), 1)
}

// chapter is what happens on a day.
type chapter struct {
	at time.Time
	do func()
}

// advance moves to a day and lets happen what falls before it; it returns the rest.
func (s *story) advance(t *testing.T, next []chapter, at time.Time) []chapter {
	t.Helper()
	for len(next) > 0 && !next[0].at.After(at) {
		s.until(t, next[0].at)
		next[0].do()
		next = next[1:]
	}
	s.until(t, at)
	return next
}

func indicationOf(sub ades.SubIndication) ades.Indication {
	switch {
	case sub == "":
		return ades.TotalPassed
	case total[sub]:
		return ades.TotalFailed
	}
	return ades.Indeterminate
}

// chapters are what happens later, in order.
func (s *story) chapters() []chapter {
	d := s.docs
	return []chapter{
		{on(2026, 12, 1), func() {
			for doc, tsa := range map[string]string{"an B-LT": "tsa1", "an B-LT/3": "tsa3", "an B-LT/4": "tsa3", "em B-LT": "tsa3", "hoa B-LT": "tsa3"} {
				// The data on the TSA itself go in first, as signers do it.
				d[strings.Replace(doc, "B-LT", "B-LTA", 1)] = s.archiveBy(s.evidence(d[doc], tsa), tsa)
			}
			d["em bare"] = s.archiveBy(d["em B-LT"], "tsa3")
		}},
		{on(2027, 6, 1), func() { s.revoke("binh", s.clock(), certstest.CertificateHold) }},
		{on(2027, 7, 1), func() { d["binh held"] = s.signBy("binh", "tsa3", false) }},
		{on(2027, 9, 1), func() { s.Reinstate(s.people["binh"].Certificate) }},
		{on(2028, 3, 1), func() { s.revoke("cuong", s.clock(), certstest.KeyCompromise) }},
		{on(2028, 3, 15), func() {
			d["cuong late"], d["cuong proven late"] = s.signBy("cuong", "tsa3", false), s.signBy("cuong", "tsa3", true)
		}},
		{on(2029, 12, 1), func() {
			d["an late"], d["an proven late"] = s.signBy("an", "tsa3", false), s.signBy("an", "tsa3", true)
		}},
		{on(2030, 3, 1), func() { d["an renewed"] = s.archiveBy(s.evidence(d["an B-LTA"], "tsa1", "tsa2"), "tsa2") }},
		{on(2031, 2, 1), func() { s.revoke("ca-t", s.clock(), certstest.KeyCompromise) }},
		{on(2033, 5, 1), func() { s.revoke("ca-a", s.clock(), certstest.KeyCompromise) }},
		{on(2034, 3, 1), func() { d["an renewed twice"] = s.archiveBy(s.evidence(d["an renewed"], "tsa2", "tsa3"), "tsa3") }},
		{on(2037, 3, 1), func() {
			d["an renewed thrice"] = s.archiveBy(s.evidence(d["an renewed twice"], "tsa3"), "tsa3")
		}},
	}
}

// row is one question of the story. The expectations were derived from the clauses
// named, under policy vn-2026 and the dates of TS 119 312, before the code was run.
type row struct {
	at     time.Time
	doc    string
	online bool
	sub    ades.SubIndication // "" is TOTAL-PASSED
	clause string             // of EN 319 102-1
}

// total are the sub-indications that go with TOTAL-FAILED (EN 319 102-1, table 6).
var total = map[ades.SubIndication]bool{ades.HashFailure: true, ades.Revoked: true, ades.Expired: true, ades.NotYetValid: true, ades.SigCryptoFailure: true}

var rows = []row{
	// The first days.
	{on(2026, 11, 24), "an B-B", true, "", "5.3: path and fresh revocation data now"},
	{on(2026, 11, 24), "an B-B", false, ades.TryLater, "5.2.6.4: no revocation data"},
	{on(2026, 11, 24), "an B-T", true, "", "5.5.4: as 5.3, with a best signature time"},
	{on(2026, 11, 24), "an B-T", false, ades.TryLater, "5.2.6.4: no revocation data at the best signature time"},
	{on(2026, 11, 24), "an B-LT", false, "", "5.5.4: the data are in the document"},
	{on(2026, 11, 24), "an changed", false, ades.HashFailure, "5.2.7.4: the digest differs"},
	{on(2026, 11, 24), "dung B-T", true, ades.NotYetValid, "5.5.4 (3): best signature time before notBefore"},
	{on(2026, 12, 2), "an B-LTA", false, "", "5.6.3: as 5.5, the time-stamp proves more"},
	{on(2027, 2, 1), "dung B-T", true, ades.NotYetValid, "5.5.4 (3): the certificate being valid today does not help"},
	// Suspension, June to September 2027.
	{on(2027, 5, 31), "binh B-B", true, "", "5.3: nothing has happened yet"},
	{on(2027, 7, 2), "binh B-B", true, ades.TryLater, "5.2.6.4: on hold now"},
	{on(2027, 7, 2), "binh B-T", true, "", "5.5.4: best signature time before the hold"},
	{on(2027, 7, 2), "binh held", true, ades.TryLater, "5.2.6.4: on hold at the best signature time"},
	{on(2027, 10, 1), "binh B-B", true, "", "5.3: the hold was lifted (RFC 5280, 5.3.1: as if it had not been)"},
	{on(2027, 10, 1), "binh held", true, "", "5.5.4: likewise at the best signature time"},
	// Revocation for key compromise, 1 March 2028.
	{on(2028, 2, 28), "cuong B-B", true, "", "5.3"},
	{on(2028, 4, 1), "cuong B-B", true, ades.RevokedNoPOE, "5.2.6.4: revoked, nothing proves existence before"},
	{on(2028, 4, 1), "cuong B-T", true, "", "5.5.4 (2a): best signature time before the revocation"},
	{on(2028, 4, 1), "cuong B-LT", false, "", "5.5.4: the document's own data cover the best signature time"},
	{on(2028, 4, 1), "cuong B-LT", true, "", "5.5.4 (2a): knowing of the later revocation changes nothing"},
	{on(2028, 4, 1), "cuong late", true, ades.RevokedNoPOE, "5.5.4 (2a): best signature time after it; a time-stamp is an upper bound only"},
	{on(2028, 4, 1), "cuong proven late", true, ades.Revoked, "5.3.4: a content time-stamp proves signing after the revocation"},
	{on(2028, 6, 1), "an B-B", true, "", "5.3"},
	{on(2028, 6, 1), "an B-LTA", false, "", "5.6.3"},
	// RSA-2048 ends with 2028.
	{on(2028, 12, 30), "giang B-B", true, "", "5.2.8: RSA-2048 counts until the end of 2028"},
	{on(2028, 12, 30), "em B-LT", false, "", "5.2.8: so does it in the CA above the CA"},
	{on(2029, 1, 2), "giang B-B", true, ades.CryptoConstraintsFailureNoPOE, "5.2.8.4: no proof of existence before the end"},
	{on(2029, 1, 2), "giang B-T", true, "", "5.5.4 (2c): the signature existed while RSA-2048 counted"},
	{on(2029, 1, 2), "em B-LT", false, ades.CryptoConstraintsFailureNoPOE, "5.6.2.4: no proof that the certificate signed with RSA-2048 existed before"},
	{on(2029, 1, 2), "em B-LTA", false, "", "5.6.2.4: the document time-stamp of 2026 is that proof"},
	{on(2029, 1, 2), "em bare", true, "", "5.4: the TSA's status can be asked for"},
	{on(2029, 1, 2), "em bare", false, ades.CryptoConstraintsFailureNoPOE, "5.4 with 5.2.6.4: TRY_LATER of the time-stamp, on whose TSA the document holds no data from its time"},
	{on(2029, 1, 2), "an B-T/3", true, "", "5.5.4: ECDSA P-256 is open-ended"},
	// The signers' certificates expire on 1 November 2029.
	{on(2029, 10, 31), "an B-B", true, "", "5.3: the last day"},
	{on(2029, 11, 2), "an B-B", true, ades.OutOfBoundsNoPOE, "5.2.6.4: expired, and no data cover it any more"},
	{on(2029, 11, 2), "an B-T", true, ades.OutOfBoundsNoPOE, "5.5.4 (2b): OUT_OF_BOUNDS_NO_POE stays, since whether it was revoked is not known"},
	{on(2029, 11, 2), "an B-LT", false, "", "5.5.4 (2b): best signature time inside the validity, not revoked then"},
	{on(2029, 11, 2), "an B-LTA", false, "", "5.6.3"},
	{on(2029, 12, 2), "an late", true, ades.OutOfBoundsNoPOE, "5.5.4 (2b): best signature time after the expiry"},
	{on(2029, 12, 2), "an proven late", true, ades.Expired, "5.3.4: a content time-stamp proves signing after the expiry"},
	{on(2030, 5, 31), "an B-LT", false, "", "5.5.4: the TSA's certificate still holds"},
	{on(2030, 5, 31), "an renewed", false, "", "5.6.3"},
	// The first TSA's certificate expires on 1 June 2030.
	{on(2030, 6, 2), "an B-LT", false, ades.OutOfBoundsNoPOE, "5.4: the time-stamp is out of bounds and proves nothing; then 5.2.6.4"},
	{on(2030, 6, 2), "an B-LTA", false, ades.OutOfBoundsNoPOE, "5.4: the document time-stamp by the same TSA as well"},
	{on(2030, 6, 2), "an renewed", false, "", "5.6.2.3: the renewal proves that the older time-stamps existed before"},
	{on(2030, 6, 2), "an B-LT/3", false, "", "5.5.4: a TSA that lasts longer"},
	// The CA of the fourth TSA is compromised on 1 February 2031; a CA expires on 1 January 2031.
	{on(2030, 12, 31), "hoa B-LT", false, "", "5.5.4"},
	{on(2031, 1, 2), "hoa B-LT", false, ades.OutOfBoundsNoPOE, "5.6.2.2: the CA expired and nothing proves its data from before"},
	{on(2031, 1, 2), "hoa B-LTA", false, "", "5.6.2.2: the document time-stamp proves them"},
	{on(2031, 1, 31), "an B-LT/4", false, "", "5.5.4"},
	{on(2031, 3, 1), "an B-LT/4", true, ades.OutOfBoundsNoPOE, "5.4 with 5.2.6.4: REVOKED_CA_NO_POE of the time-stamp, so that no proof of time is left"},
	{on(2031, 3, 1), "an B-LTA/4", true, "", "5.6.2.4: the time-stamp and its data are proven from before"},
	// The signers' CA is compromised on 1 May 2033.
	{on(2033, 4, 30), "an B-LT/3", true, "", "5.5.4"},
	{on(2033, 6, 1), "an B-LT/3", true, ades.RevokedCANoPOE, "5.6.2.2: whoever has the CA's key could have made these data"},
	{on(2033, 6, 1), "an B-LTA/3", true, "", "5.6.2.4: the data are proven from before the compromise"},
	{on(2033, 6, 1), "an renewed", true, "", "5.6.2.4: likewise"},
	{on(2033, 6, 1), "an B-T/3", true, ades.OutOfBoundsNoPOE, "5.5.4 (2b): no data on the expired certificate"},
	{on(2033, 6, 1), "cuong B-LT", true, ades.RevokedCANoPOE, "5.6.2.2"},
	// The second TSA's certificate expires on 1 June 2034.
	{on(2034, 5, 31), "an renewed", false, "", "5.6.3"},
	{on(2034, 6, 2), "an renewed", false, ades.OutOfBoundsNoPOE, "5.4: without a second renewal no time-stamp is left"},
	{on(2034, 6, 2), "an renewed twice", false, "", "5.6.2.3"},
	{on(2034, 6, 2), "an renewed twice", true, "", "5.6.2.4: the compromise of 2033 changes nothing"},
	{on(2038, 11, 1), "an renewed twice", false, "", "5.6.3: the third TSA still holds"},
	{on(2038, 11, 1), "an renewed thrice", false, "", "5.6.3"},
	{on(2038, 11, 1), "an renewed thrice", true, "", "5.6.2.4"},
	{on(2038, 11, 1), "an B-LTA/3", false, "", "5.6.3"},
	{on(2038, 11, 1), "hoa B-LTA", false, "", "5.6.2.2"},
	{on(2038, 11, 1), "an changed", true, ades.HashFailure, "5.2.7.4: a broken signature stays broken"},
}

func TestTwelveYearsOfAPKIFollowTheStandardsTable(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.first()
	next := s.chapters()
	points := map[time.Time]bool{}
	for _, r := range rows {
		next = s.advance(t, next, r.at)
		v := s.offline()
		if r.online {
			v = s.online()
		}
		report := s.judge(v, s.docs[r.doc])
		want := indicationOf(r.sub)
		if got := report.Signatures[0]; got.Indication != want || got.SubIndication != r.sub {
			t.Errorf("%s, %s, online %t: %s %s, want %s %s by %s\n%s", r.at.Format(time.DateOnly), r.doc, r.online, got.Indication, got.SubIndication,
				want, r.sub, r.clause, explain(report))
		}
		points[r.at] = true
	}
	t.Logf("%d rows at %d points in time", len(rows), len(points))
}

// span is what a document is worth until a day, from the end of the span before.
type span struct {
	until  time.Time
	sub    ades.SubIndication
	clause string
}

var forever = on(2040, 1, 1)

// lives are the expectations for documents over the whole time, derived like rows.
var lives = []struct {
	doc    string
	online bool
	spans  []span
}{
	{"an B-B", true, []span{{on(2029, 11, 1), "", "5.3"}, {forever, ades.OutOfBoundsNoPOE, "5.2.6.4: expired"}}},
	{"an B-LT", false, []span{{on(2030, 6, 1), "", "5.5.4"}, {forever, ades.OutOfBoundsNoPOE, "5.4: the TSA's certificate expired"}}},
	{"an B-LT/3", true, []span{{on(2033, 5, 1), "", "5.5.4"}, {forever, ades.RevokedCANoPOE, "5.6.2.2: CA compromised, data not proven"}}},
	{"an B-LTA/3", true, []span{{forever, "", "5.6.2.4"}}},
	{"an newest", true, []span{{forever, "", "5.6.2.3: renewed in time, each time"}}},
	{"an newest", false, []span{{forever, "", "5.6.2.3: the document holds everything"}}},
	{"binh B-B", true, []span{{on(2027, 6, 1), "", "5.3"}, {on(2027, 9, 1), ades.TryLater, "5.2.6.4: on hold"}, {on(2029, 11, 1), "", "5.3: lifted"},
		{forever, ades.OutOfBoundsNoPOE, "5.2.6.4: expired"}}},
	{"cuong B-B", true, []span{{on(2028, 3, 1), "", "5.3"}, {forever, ades.RevokedNoPOE, "5.2.6.4: a revocation outlives the certificate"}}},
	{"cuong B-T", true, []span{{on(2033, 5, 1), "", "5.5.4 (2a)"}, {forever, ades.RevokedCANoPOE, "5.6.2.2: CA compromised, data not proven"}}},
	{"giang B-B", true, []span{{on(2029, 1, 1), "", "5.3"}, {on(2029, 11, 1), ades.CryptoConstraintsFailureNoPOE, "5.2.8.4"},
		{forever, ades.OutOfBoundsNoPOE, "5.2.6.4 comes before 5.2.8"}}},
	{"em B-LT", false, []span{{on(2029, 1, 1), "", "5.5.4"}, {forever, ades.CryptoConstraintsFailureNoPOE, "5.6.2.4"}}},
	{"hoa B-LT", false, []span{{on(2031, 1, 1), "", "5.5.4"}, {forever, ades.OutOfBoundsNoPOE, "5.6.2.2: CA expired, data not proven"}}},
	{"hoa B-LTA", false, []span{{forever, "", "5.6.2.2"}}},
	{"dung B-T", true, []span{{forever, ades.NotYetValid, "5.5.4 (3)"}}},
	{"an changed", false, []span{{forever, ades.HashFailure, "5.2.7.4"}}},
}

// Every document at sixty points in time, 73 days apart, from December 2026 to the
// end of 2038.
func TestSixtyPointsInTimeGiveTheExpectedIndications(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.first()
	next := s.chapters()
	for i := range 60 {
		at := on(2026, 12, 2).Add(time.Duration(i) * 73 * 24 * time.Hour)
		next = s.advance(t, next, at)
		s.docs["an newest"] = s.docs["an B-LTA"]
		for _, later := range []string{"an renewed", "an renewed twice", "an renewed thrice"} {
			if d := s.docs[later]; d != nil {
				s.docs["an newest"] = d
			}
		}
		for _, l := range lives {
			v := s.offline()
			if l.online {
				v = s.online()
			}
			want := l.spans[slices.IndexFunc(l.spans, func(p span) bool { return at.Before(p.until) })]
			report := s.judge(v, s.docs[l.doc])
			if got := report.Signatures[0]; got.Indication != indicationOf(want.sub) || got.SubIndication != want.sub {
				t.Errorf("%s, %s, online %t: %s %s, want %s %s by %s\n%s", at.Format(time.DateOnly), l.doc, l.online, got.Indication, got.SubIndication,
					indicationOf(want.sub), want.sub, want.clause, explain(report))
			}
		}
	}
}

// dated is a trust store whose anchors were withdrawn on a day.
type dated struct {
	list certs.Anchors
	off  time.Time
}

func (d dated) Anchors(ctx context.Context, at time.Time) ([]*certs.Certificate, error) {
	if !at.Before(d.off) {
		return nil, nil
	}
	return d.list.Anchors(ctx, at)
}

// An anchor counts for what is proven from its time (EN 319 102-1, 5.2.6.4).
func TestAWithdrawnAnchorCountsOnlyForWhatIsProvenFromBefore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := newBench(t)
	doc := b.sign(plain(), pades.Options{}, as{})
	b.wait(48 * time.Hour)
	v := b.online()
	v.Trust = dated{b.Anchors(), b.clock().Add(-time.Hour)}
	r := b.judge(v, doc)
	if s := r.Signatures[0]; s.SubIndication != ades.NoCertificateChainFoundNoPOE || r.Verdict != validation.Inconclusive {
		t.Errorf("withdrawn: %s", explain(r))
	}
	v.Trust = dated{other.Anchors(), b.clock().Add(-time.Hour)}
	if s := b.judge(v, doc).Signatures[0]; s.SubIndication != ades.NoCertificateChainFound {
		t.Errorf("never trusted: %s", s.SubIndication)
	}
}
