package fetch_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
)

// freshestAt is the extension that names where a list's deltas are.
func freshestAt(t *testing.T, url string) pkix.Extension {
	t.Helper()
	name := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(url)}
	type pointName struct {
		Full []asn1.RawValue `asn1:"optional,tag:0"`
	}
	type point struct {
		Name pointName `asn1:"optional,tag:0"`
	}
	value, err := asn1.Marshal([]point{{pointName{[]asn1.RawValue{name}}}})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 46}, Value: value}
}

func signList(t *testing.T, p *certstest.PKI, l *x509.RevocationList) []byte {
	t.Helper()
	ca := p.IssuingCA()
	issuer, err := x509.ParseCertificate(ca.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, issuer, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A list that names a delta is brought up to date by it, and both are kept.
func TestDeltasAreFetched(t *testing.T) {
	t.Parallel()
	p, err := certstest.New(certstest.Options{LeafKey: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	var asked, deltas atomic.Int64
	var list, delta []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case strings.HasPrefix(r.URL.Path, "/crl/"):
			_, _ = w.Write(list)
		case r.URL.Path == "/delta":
			deltas.Add(1)
			_, _ = w.Write(delta)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	if err := p.SetBaseURL(server.URL); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	list = signList(t, p, &x509.RevocationList{Number: big.NewInt(7), ThisUpdate: now.Add(-2 * time.Hour), NextUpdate: now.Add(22 * time.Hour),
		ExtraExtensions: []pkix.Extension{freshestAt(t, server.URL+"/delta")}})
	base, err := asn1.Marshal(7)
	if err != nil {
		t.Fatal(err)
	}
	delta = signList(t, p, &x509.RevocationList{Number: big.NewInt(8), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: leaf.Serial, RevocationTime: now.Add(-90 * time.Minute), ReasonCode: 1}},
		ExtraExtensions:           []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: base}}})
	client := newClient(t, fetch.Options{AllowHosts: []string{"127.0.0.1"}})
	judge := func() certs.RevocationStatus {
		ev, err := client.Revocation(context.Background(), leaf, issuer)
		if err != nil {
			t.Fatal(err)
		}
		return certs.CheckRevocation(leaf, issuer, ev, certs.RevocationOptions{At: now})
	}
	if st := judge(); st.Status != certs.StatusRevoked || st.Reason != "keyCompromise" || !bytes.Equal(st.Delta.DER, delta) {
		t.Fatalf("%s %s (%s)", st.Status, st.Reason, st.Why)
	}
	before := asked.Load()
	if st := judge(); st.Status != certs.StatusRevoked || asked.Load() != before || deltas.Load() != 1 {
		t.Errorf("again: %s after %d questions more", st.Status, asked.Load()-before)
	}
}

// An answer that repeats another nonce than the one sent answers somebody else.
func TestAnotherNonceIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Break(certstest.CRLDown)
	services := w.Handler()
	var replaced []byte
	middle := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			r.Body = io.NopCloser(bytes.NewReader(replaced))
		}
		services.ServeHTTP(rw, r)
	}))
	t.Cleanup(middle.Close)
	if err := w.SetBaseURL(middle.URL); err != nil {
		t.Fatal(err)
	}
	leaf, issuer := w.Leader().Certificate, w.IssuingCA().Certificate
	var err error
	if replaced, err = certs.OCSPRequestWithNonce(leaf, issuer, bytes.Repeat([]byte{7}, 32)); err != nil {
		t.Fatal(err)
	}
	careful, careless := w.client(t, fetch.Options{Nonce: true}), w.client(t, fetch.Options{})
	if ev, err := careful.Revocation(context.Background(), leaf, issuer); len(ev) != 0 || !fetch.IsKind(err, fetch.KindContent) {
		t.Errorf("%d pieces of evidence, %v", len(ev), err)
	}
	if ev, err := careless.Revocation(context.Background(), leaf, issuer); len(ev) != 1 || err != nil {
		t.Errorf("who sent no nonce: %d, %v", len(ev), err)
	}
}
