package certs_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
)

const (
	onHold  = 6
	removed = 8
)

// list is a CRL to be made: entries by reason for the leaf, none when 0.
type list struct {
	number, base int64 // base 0: a complete list
	reason       int
	age          time.Duration
}

func (l list) make(t *testing.T, p *certstest.PKI, leaf *certs.Certificate, now time.Time) certs.Evidence {
	t.Helper()
	ca := p.IssuingCA()
	issuer, err := x509.ParseCertificate(ca.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	this := now.Add(-l.age).Truncate(time.Second)
	tmpl := &x509.RevocationList{Number: big.NewInt(l.number), ThisUpdate: this, NextUpdate: this.Add(24 * time.Hour)}
	if l.reason != 0 {
		tmpl.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: leaf.Serial, RevocationTime: this.Add(-time.Hour), ReasonCode: l.reason}}
	}
	if l.base != 0 {
		value, err := asn1.Marshal(l.base)
		if err != nil {
			t.Fatal(err)
		}
		tmpl.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: value}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, tmpl, issuer, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return certs.Evidence{Kind: certs.EvidenceCRL, DER: der}
}

func TestDeltaUpdatesItsListAndNoOther(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leaf, now := p.Leader().Certificate, p.Now()
	const hour = time.Hour
	for name, c := range map[string]struct {
		lists      []list
		status     string
		deltaUsed  bool
		thisUpdate time.Duration // age of the evidence
	}{
		"a delta adds a revocation":                       {[]list{{number: 5, age: 2 * hour}, {number: 6, base: 5, reason: 1, age: hour}}, certs.StatusRevoked, true, hour},
		"a delta lifts a hold":                            {[]list{{number: 5, reason: onHold, age: 2 * hour}, {number: 6, base: 4, reason: removed, age: hour}}, certs.StatusGood, true, hour},
		"a delta does not lift a final revocation":        {[]list{{number: 5, reason: 1, age: 2 * hour}, {number: 6, base: 5, reason: removed, age: hour}}, certs.StatusRevoked, true, hour},
		"silence of a delta brings the list up to date":   {[]list{{number: 5, age: 30 * hour}, {number: 6, base: 5, age: hour}}, certs.StatusGood, true, hour},
		"a delta from a later list does not fit":          {[]list{{number: 5, reason: onHold, age: 2 * hour}, {number: 7, base: 6, reason: removed, age: hour}}, certs.StatusRevoked, false, 2 * hour},
		"a delta older than the list is passed over":      {[]list{{number: 7, reason: onHold, age: hour}, {number: 6, base: 5, reason: removed, age: 2 * hour}}, certs.StatusRevoked, false, hour},
		"a stale delta lifts nothing":                     {[]list{{number: 5, reason: onHold, age: 2 * hour}, {number: 6, base: 5, reason: removed, age: 30 * hour}}, certs.StatusRevoked, false, 2 * hour},
		"a delta alone says nothing by its silence":       {[]list{{number: 6, base: 5, age: hour}}, certs.StatusUnknown, false, hour},
		"a revocation in a delta alone counts":            {[]list{{number: 6, base: 5, reason: 1, age: hour}}, certs.StatusRevoked, false, hour},
		"the newest of two deltas has the last word":      {[]list{{number: 5, age: 3 * hour}, {number: 7, base: 5, reason: removed, age: hour}, {number: 6, base: 5, reason: onHold, age: 2 * hour}}, certs.StatusGood, true, hour},
		"two deltas in the other order, the same outcome": {[]list{{number: 6, base: 5, reason: onHold, age: 2 * hour}, {number: 7, base: 5, reason: removed, age: hour}, {number: 5, age: 3 * hour}}, certs.StatusGood, true, hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ev []certs.Evidence
			for _, l := range c.lists {
				ev = append(ev, l.make(t, p, leaf, now))
			}
			st := certs.CheckRevocation(leaf, p.IssuingCA().Certificate, ev, certs.RevocationOptions{At: now})
			if st.Status != c.status || (len(st.Delta.DER) > 0) != c.deltaUsed {
				t.Errorf("status %s (%s), delta used %v; want %s, %v", st.Status, st.Why, len(st.Delta.DER) > 0, c.status, c.deltaUsed)
			}
			if want := now.Add(-c.thisUpdate).Truncate(time.Second); !st.ThisUpdate.Equal(want) {
				t.Errorf("evidence of %v, want %v", st.ThisUpdate, want)
			}
		})
	}
}
