package certs_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"antin/certs"
)

// The certificates of every published test PKI are read, and lead to their root by
// the algorithms in use there; Ed448 is known by name and called unsupported.
func TestPublishedTestAuthorities(t *testing.T) {
	t.Parallel()
	for dir, key := range map[string]string{"testing-ca-ed25519": "Ed25519", "testing-ca-ed448": "Ed448", "testing-ca-pss": "RSA",
		"testing-ca-pss-exclusive": "1.2.840.113549.1.1.10", "multilayer/certs": "RSA"} {
		files, err := filepath.Glob(corpus(t, dir, "*.pem"))
		if err != nil || len(files) < 3 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		var all []*certs.Certificate
		for _, f := range files {
			all = append(all, loadOne(t, f))
		}
		root := loadOne(t, corpus(t, dir, "root.cert.pem"))
		for i, c := range all {
			if c.KeyAlgorithm != key {
				t.Errorf("%s: key %s", files[i], c.KeyAlgorithm)
			}
			o := certs.PathOptions{Anchors: []*certs.Certificate{root}, Intermediates: all, At: c.NotBefore.Add(time.Hour)}
			path, err := certs.BuildPath(context.Background(), c, o)
			var e *certs.PathError
			switch {
			case !slices.ContainsFunc(all, func(x *certs.Certificate) bool { return bytes.Equal(x.SubjectKeyID, c.AuthorityKeyID) }):
				// The key that it names is not published with it; openssl finds no issuer either.
				if !errors.As(err, &e) || e.Reason != certs.ReasonNoPath {
					t.Errorf("%s: %v, want no path", files[i], err)
				}
			case key == "Ed448" && !c.Equal(root):
				if !errors.As(err, &e) || e.Reason != certs.ReasonAlgorithm {
					t.Errorf("%s: %v, want an unsupported algorithm", files[i], err)
				}
			case err != nil || !path.Anchor().Equal(root):
				t.Errorf("%s: %v, %v", files[i], path.Subjects(), err)
			}
		}
	}
}

// Four certificates in a row: any order of the candidates gives the same path, and
// without one of them there is none.
func TestOrderOfCandidatesDoesNotMatter(t *testing.T) {
	t.Parallel()
	load := func(name string) *certs.Certificate {
		return loadOne(t, corpus(t, "multilayer", "certs", name+".cert.pem"))
	}
	alice, one, two, root := load("alice"), load("interm1"), load("interm2"), load("root")
	pool := []*certs.Certificate{alice, one, two, root}
	at := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	want := []string{alice.Subject, two.Subject, one.Subject, root.Subject}
	for range len(pool) {
		pool = append(pool[1:], pool[0])
		path, err := certs.BuildPath(context.Background(), alice, certs.PathOptions{Anchors: []*certs.Certificate{root}, Intermediates: pool, At: at})
		if err != nil || !slices.Equal(path.Subjects(), want) {
			t.Fatalf("%v, %v", path.Subjects(), err)
		}
	}
	wantReason(t, alice, certs.PathOptions{Anchors: []*certs.Certificate{root}, Intermediates: []*certs.Certificate{alice, two, root}, At: at}, certs.ReasonNoPath)
	wantReason(t, alice, certs.PathOptions{Anchors: []*certs.Certificate{root}, Intermediates: []*certs.Certificate{two}, Issuers: certs.Known{one}, At: at}, "")
}

// Revoked on 1 December 2020, by CRL and by OCSP; each vector at each of its dates.
func TestTimeSlideVectors(t *testing.T) {
	t.Parallel()
	load := func(name string) *certs.Certificate {
		return loadOne(t, corpus(t, "ades", "time-slide", "certs", name+".crt"))
	}
	alice, interm, revoked, root := load("alice"), load("interm"), load("interm-revoked"), load("root")
	day := func(m time.Month, d int) time.Time { return time.Date(2020, m, d, 0, 1, 0, 0, time.UTC) }
	for _, c := range []struct {
		cert, issuer *certs.Certificate
		file         string
		at           time.Time
		want, why    string
	}{
		{alice, interm, "interm-2020-10-01.crl", day(10, 1), certs.StatusGood, ""},
		{alice, interm, "interm-2020-10-01.crl", day(11, 29), certs.StatusUnknown, certs.WhyStale},
		{alice, interm, "interm-2020-11-29.crl", day(11, 29), certs.StatusGood, ""},
		{alice, interm, "interm-2020-12-10.crl", day(11, 29), certs.StatusGood, ""},
		{alice, interm, "interm-2020-12-10.crl", day(12, 10), certs.StatusRevoked, ""},
		{alice, interm, "alice-2020-10-01.ors", day(10, 1), certs.StatusGood, ""},
		{alice, interm, "alice-2020-11-29.ors", day(11, 29), certs.StatusGood, ""},
		{alice, interm, "alice-2020-12-10.ors", day(11, 29), certs.StatusGood, ""},
		{alice, interm, "alice-2020-12-10.ors", day(12, 10), certs.StatusRevoked, ""},
		{interm, root, "root-2020-10-01.crl", day(10, 1), certs.StatusGood, ""},
		{interm, root, "root-2020-12-10.crl", day(12, 10), certs.StatusGood, ""},
		{revoked, root, "root-2020-11-29.crl", day(11, 29), certs.StatusGood, ""},
		{revoked, root, "root-2020-12-10.crl", day(11, 29), certs.StatusGood, ""},
		{revoked, root, "root-2020-12-10.crl", day(12, 10), certs.StatusRevoked, ""},
		{alice, root, "root-2020-12-10.crl", day(12, 10), certs.StatusUnknown, certs.WhyOther},
		{interm, root, "interm-2020-12-10.crl", day(12, 10), certs.StatusUnknown, certs.WhyOther},
	} {
		kind := certs.EvidenceOCSP
		if filepath.Ext(c.file) == ".crl" {
			kind = certs.EvidenceCRL
		}
		ev := []certs.Evidence{evidenceFile(t, kind, corpus(t, "ades", "time-slide", c.file))}
		st := certs.CheckRevocation(c.cert, c.issuer, ev, certs.RevocationOptions{At: c.at})
		if st.Status != c.want || st.Why != c.why {
			t.Errorf("%s by %s on %s: %s (%s), want %s (%s)", c.cert.Subject, c.file, c.at.Format(time.DateOnly), st.Status, st.Why, c.want, c.why)
		}
	}
}

// LDAP addresses are read, and are for the fetcher to refuse.
func TestLDAPAddressesAreRead(t *testing.T) {
	t.Parallel()
	c := loadOne(t, corpus(t, "testing-aia", "with-ldap-urls.der"))
	if len(c.CRLDistributionPoints) != 2 || len(c.IssuingCertificateURL) != 2 || c.IssuingCertificateURL[0] != "ldap://ldap.example.com/blah" {
		t.Errorf("CRL %v, issuer %v", c.CRLDistributionPoints, c.IssuingCertificateURL)
	}
	if p := loadOne(t, corpus(t, "self-signed-with-policy.crt")); len(p.PolicyOIDs) == 0 || !p.SelfIssued() {
		t.Errorf("policies %v", p.PolicyOIDs)
	}
}
