package certs_test

import (
	"path/filepath"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
)

// evidenceNow is what the sandbox says about its signers now.
func evidenceNow(t *testing.T, p *certstest.PKI, c *certs.Certificate) (ocsp, crl certs.Evidence) {
	t.Helper()
	o, err := p.OCSP(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.CRL("issuing")
	if err != nil {
		t.Fatal(err)
	}
	return certs.Evidence{Kind: certs.EvidenceOCSP, DER: o, Origin: certs.OriginEmbedded}, certs.Evidence{Kind: certs.EvidenceCRL, DER: l}
}

func TestRevocationIsTheStatusAtATime(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	revokedAt := p.Now().Add(-48 * time.Hour).Truncate(time.Second).UTC()
	if err := p.Revoke(leaf, revokedAt, certstest.Superseded); err != nil {
		t.Fatal(err)
	}
	ocsp, crl := evidenceNow(t, p, leaf)
	for _, ev := range []certs.Evidence{ocsp, crl} {
		for at, want := range map[time.Time]string{revokedAt.Add(-time.Second): certs.StatusGood, revokedAt: certs.StatusRevoked, p.Now(): certs.StatusRevoked} {
			st := certs.CheckRevocation(leaf, issuer, []certs.Evidence{ev}, certs.RevocationOptions{At: at})
			if st.Status != want || !st.RevokedAt.Equal(revokedAt) || st.Reason != "superseded" {
				t.Errorf("%s at %v: %s %v %s, want %s", ev.Kind, at, st.Status, st.RevokedAt, st.Reason, want)
			}
			if st.Embedded != (ev.Origin == certs.OriginEmbedded) || st.Issuer == nil {
				t.Errorf("%s: embedded %v, issuer %v", ev.Kind, st.Embedded, st.Issuer)
			}
		}
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	ocsp, _ := evidenceNow(t, p, leaf)
	made := p.Now().Truncate(time.Second)
	for name, c := range map[string]struct {
		o    certs.RevocationOptions
		want string
	}{
		"before the time asked for, until nextUpdate": {certs.RevocationOptions{At: made.Add(23 * time.Hour)}, ""},
		"after nextUpdate":                            {certs.RevocationOptions{At: made.Add(25 * time.Hour)}, certs.WhyStale},
		"older than the policy takes":                 {certs.RevocationOptions{At: made.Add(3 * time.Hour), MaxOCSPAge: 2 * time.Hour}, certs.WhyStale},
		"the limit for CRLs is another one":           {certs.RevocationOptions{At: made.Add(3 * time.Hour), MaxCRLAge: 2 * time.Hour}, ""},
		"issued later counts always":                  {certs.RevocationOptions{At: made.Add(-1000 * time.Hour), MaxOCSPAge: time.Hour}, ""},
		"data from after a time is wanted":            {certs.RevocationOptions{At: made, NotBefore: made.Add(time.Minute)}, certs.WhyStale},
		"the same second is not before":               {certs.RevocationOptions{At: made, NotBefore: made.Add(-2 * time.Second)}, ""},
	} {
		st := certs.CheckRevocation(leaf, issuer, []certs.Evidence{ocsp}, c.o)
		if st.Why != c.want || (st.Status == certs.StatusGood) != (c.want == "") {
			t.Errorf("%s: %s (%s), want %q", name, st.Status, st.Why, c.want)
		}
	}
}

func TestEvidenceMadeAfterExpiryDoesNotSayGood(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leaf := p.Signer(certstest.RoleExpired).Certificate
	ocsp, crl := evidenceNow(t, p, leaf)
	st := certs.CheckRevocation(leaf, p.IssuingCA().Certificate, []certs.Evidence{ocsp, crl}, certs.RevocationOptions{At: leaf.NotAfter.Add(-time.Hour)})
	if st.Status != certs.StatusUnknown || st.Why != certs.WhyAfterExpiry {
		t.Errorf("status %s (%s)", st.Status, st.Why)
	}
}

func TestForgedEvidenceProvesNothing(t *testing.T) {
	t.Parallel()
	for defect, why := range map[certstest.Defect]string{
		certstest.UnauthorisedResponder: certs.WhyResponder, certstest.BadOCSPSignature: certs.WhySignature,
		certstest.OtherCertificateOCSP: certs.WhyOther, certstest.OCSPUnknown: certs.WhyResponderUnknown, certstest.StaleOCSP: certs.WhyStale,
	} {
		t.Run(string(defect), func(t *testing.T) {
			t.Parallel()
			p := newPKI(t)
			leaf := p.Leader().Certificate
			_, crl := evidenceNow(t, p, leaf)
			p.Break(defect)
			ocsp, _ := evidenceNow(t, p, leaf)
			st := certs.CheckRevocation(leaf, p.IssuingCA().Certificate, []certs.Evidence{ocsp}, certs.RevocationOptions{At: p.Now()})
			if st.Status != certs.StatusUnknown || st.Why != why {
				t.Errorf("status %s (%s), want unknown (%s)", st.Status, st.Why, why)
			}
			st = certs.CheckRevocation(leaf, p.IssuingCA().Certificate, []certs.Evidence{ocsp, crl}, certs.RevocationOptions{At: p.Now()})
			if st.Status != certs.StatusGood || st.Source != certs.SourceCRL {
				t.Errorf("with a CRL beside: %s by %s", st.Status, st.Source)
			}
		})
	}
}

func TestRevocationOutweighsOlderGood(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	good, _ := evidenceNow(t, p, leaf)
	if err := p.Revoke(leaf, p.Now().Add(-time.Hour), certstest.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	_, revoked := evidenceNow(t, p, leaf)
	for _, ev := range [][]certs.Evidence{{good, revoked}, {revoked, good}} {
		if st := certs.CheckRevocation(leaf, issuer, ev, certs.RevocationOptions{At: p.Now()}); st.Status != certs.StatusRevoked {
			t.Errorf("status %s", st.Status)
		}
	}
	// Final, however old the list is.
	if st := certs.CheckRevocation(leaf, issuer, []certs.Evidence{revoked}, certs.RevocationOptions{At: p.Now().Add(1000 * time.Hour)}); st.Status != certs.StatusRevoked {
		t.Errorf("by an old list: %s (%s)", st.Status, st.Why)
	}
}

func TestAHoldEndsWithNewerEvidence(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	clock := func() time.Time { return now }
	p, err := certstest.New(certstest.Options{LeafKey: certstest.P256, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	if err := p.Revoke(leaf, now.Add(-time.Hour), certstest.CertificateHold); err != nil {
		t.Fatal(err)
	}
	held, _ := evidenceNow(t, p, leaf)
	p.Reinstate(leaf)
	now = now.Add(time.Hour)
	lifted, _ := evidenceNow(t, p, leaf)
	for name, c := range map[string]struct {
		ev   []certs.Evidence
		want string
	}{"held": {[]certs.Evidence{held}, certs.StatusRevoked}, "lifted": {[]certs.Evidence{held, lifted}, certs.StatusGood}} {
		if st := certs.CheckRevocation(leaf, issuer, c.ev, certs.RevocationOptions{At: now}); st.Status != c.want {
			t.Errorf("%s: %s (%s)", name, st.Status, st.Why)
		}
	}
}

func TestNoEvidenceIsNotGood(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	junk := []certs.Evidence{{Kind: certs.EvidenceOCSP, DER: []byte("x")}, {Kind: certs.EvidenceCRL}, {Kind: "other"}}
	for why, ev := range map[string][]certs.Evidence{certs.WhyNone: nil, certs.WhyMalformed: junk} {
		st := certs.CheckRevocation(p.Leader().Certificate, p.IssuingCA().Certificate, ev, certs.RevocationOptions{At: p.Now()})
		if st.Status != certs.StatusUnknown || st.Why != why || st.Source != certs.SourceNone {
			t.Errorf("status %s (%s) by %s, want %s", st.Status, st.Why, st.Source, why)
		}
	}
}

// A CRL of the root says nothing about a certificate of the issuing CA, although
// the serial number is in neither.
func TestACRLOfAnotherCASaysNothing(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	l, err := p.CRL("root")
	if err != nil {
		t.Fatal(err)
	}
	st := certs.CheckRevocation(p.Leader().Certificate, p.IssuingCA().Certificate, []certs.Evidence{{Kind: certs.EvidenceCRL, DER: l}},
		certs.RevocationOptions{At: p.Now(), Anchors: p.Anchors(), Intermediates: []*certs.Certificate{p.Root()}})
	if st.Status != certs.StatusUnknown || st.Why != certs.WhyOther {
		t.Errorf("status %s (%s)", st.Status, st.Why)
	}
}

// One key answers for two CAs under two certificates; each answer needs the one of its CA.
func TestResponderWithOneKeyForTwoCAs(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "multitasking-ocsp")
	load := func(name string) *certs.Certificate { return loadOne(t, filepath.Join(dir, name)) }
	alice, interm, root := load("alice.cert.pem"), load("interm.cert.pem"), load("root.cert.pem")
	at := time.Date(2021, 8, 19, 12, 20, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		cert, issuer *certs.Certificate
		answer       string
	}{"leaf": {alice, interm, "ocsp-resp-alice.der"}, "CA": {interm, root, "ocsp-resp-interm.der"}} {
		ev := []certs.Evidence{evidenceFile(t, certs.EvidenceOCSP, filepath.Join(dir, c.answer))}
		st := certs.CheckRevocation(c.cert, c.issuer, ev, certs.RevocationOptions{At: at})
		if st.Status != certs.StatusGood || st.Issuer.Issuer != c.issuer.Subject {
			t.Errorf("%s: %s (%s) by %v", name, st.Status, st.Why, st.Issuer)
		}
		if st := certs.CheckRevocation(c.cert, alice, ev, certs.RevocationOptions{At: at}); st.Status != certs.StatusUnknown {
			t.Errorf("%s by a wrong issuer: %s", name, st.Status)
		}
	}
}

func TestFreshnessVectors(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "freshness")
	load := func(name string) *certs.Certificate { return loadOne(t, filepath.Join(dir, "certs", name)) }
	alice, interm, revoked, root := load("alice.crt"), load("interm.crt"), load("interm-revoked.crt"), load("root.crt")
	day := func(m time.Month, d int) time.Time { return time.Date(2020, m, d, 0, 1, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		cert, issuer *certs.Certificate
		file         string
		at           time.Time
		want, why    string
	}{
		"leaf good in October":          {alice, interm, "alice-2020-10-01.ors", day(10, 1), certs.StatusGood, ""},
		"October's answer in November":  {alice, interm, "alice-2020-10-01.ors", day(11, 29), certs.StatusUnknown, certs.WhyStale},
		"revoked by December":           {alice, interm, "alice-2020-12-10.ors", day(12, 10), certs.StatusRevoked, ""},
		"December's answer on November": {alice, interm, "alice-2020-12-10.ors", day(11, 29), certs.StatusGood, ""},
		"CA good by the November list":  {interm, root, "root-2020-11-29.crl", day(11, 29), certs.StatusGood, ""},
		"CA revoked by December":        {revoked, root, "root-2020-12-10.crl", day(12, 10), certs.StatusRevoked, ""},
	} {
		kind := certs.EvidenceOCSP
		if filepath.Ext(c.file) == ".crl" {
			kind = certs.EvidenceCRL
		}
		st := certs.CheckRevocation(c.cert, c.issuer, []certs.Evidence{evidenceFile(t, kind, filepath.Join(dir, c.file))}, certs.RevocationOptions{At: c.at})
		if st.Status != c.want || st.Why != c.why {
			t.Errorf("%s: %s (%s), want %s (%s)", name, st.Status, st.Why, c.want, c.why)
		}
	}
}
