package exchange_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/internal/text"
	written "antin/signer/report"
	"antin/signer/validation"
)

// withCertificate gives the office's gateway key a certificate of its own, as its
// transport key has one.
func withCertificate(t *testing.T, o exchange.Office, at time.Time) exchange.Office {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: string(o.Agency.Code)},
		NotBefore: at.Add(-time.Hour), NotAfter: at.Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, o.GatewayKey.Public(), o.GatewayKey)
	must(t, err)
	o.GatewayCertificate = der
	return o
}

func judgedReport(at time.Time) *validation.Report {
	return &validation.Report{File: "a.pdf", SHA256: strings.Repeat("0", 64), Verdict: validation.Unsigned, Headline: text.Message{VI: "CHƯA KÝ", EN: "UNSIGNED"},
		Reasons: []validation.Reason{}, Signatures: []validation.Signature{}, Changes: []validation.Change{},
		Policy: validation.PolicyName{Name: "vn-2026", Version: "2"}, CheckedAt: validation.Time{Time: at}}
}

func TestTheReportOnPaperIsSignedByTheGatewayAndNeverRemade(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	office := withCertificate(t, a.office, a.Now())
	vs := &exchange.Verifications{Store: a.db, Blobs: a.db, Offices: exchange.OfficeList{office}, Now: a.Now}
	kept, err := vs.Keep(t.Context(), a.clerk, judgedReport(a.Now().UTC()), "a.pdf", exchange.DigestOf([]byte("x")))
	must(t, err)
	first, ok, err := vs.Written(t.Context(), kept, written.PDF)
	must(t, err)
	if !ok {
		t.Fatal("no paper was kept")
	}
	c, err := certs.ParseCertificate(office.GatewayCertificate)
	must(t, err)
	v := validation.Validator{Trust: certs.Anchors{c}}
	r, err := v.Validate(t.Context(), validation.Input{Reader: bytes.NewReader(first), Size: int64(len(first))}, a.Now())
	must(t, err)
	if len(r.Signatures) != 1 || r.Signatures[0].Indication != "TOTAL-PASSED" || !r.Signatures[0].Covers.WholeFile || r.Signatures[0].Level != "PAdES-B-B" {
		t.Errorf("%+v", r)
	}
	xml, ok, err := vs.Written(t.Context(), kept, written.XML)
	if err != nil || !ok || !bytes.Contains(xml, []byte("ValidationReport")) {
		t.Errorf("XML %v, %v", ok, err)
	}

	// Read again later, with another key in force: the same bytes.
	vs.Offices = exchange.OfficeList{a.office}
	again, err := vs.Verification(t.Context(), a.clerk, kept.ID)
	must(t, err)
	second, ok, err := vs.Written(t.Context(), again, written.PDF)
	if err != nil || !ok || !bytes.Equal(first, second) {
		t.Errorf("remade: %v, %v", ok, err)
	}
	if len(again.Blobs()) != 3 {
		t.Errorf("keeps alive %v", again.Blobs())
	}
}

func TestWithoutAGatewayKeyThePaperIsKeptUnsigned(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for name, offices := range map[string]exchange.Offices{"no office": nil, "no certificate": exchange.OfficeList{a.office}} {
		vs := &exchange.Verifications{Store: a.db, Blobs: a.db, Offices: offices, Now: a.Now}
		kept, err := vs.Keep(t.Context(), a.clerk, judgedReport(a.Now().UTC()), "a.pdf", exchange.DigestOf([]byte(name)))
		must(t, err)
		paper, ok, err := vs.Written(t.Context(), kept, written.PDF)
		if err != nil || !ok || bytes.Contains(paper, []byte("/ByteRange")) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	plain, err := (&exchange.Verifications{Store: a.db, Blobs: a.db, Now: a.Now}).Save(t.Context(), a.clerk, []byte(`{}`), "b.pdf", exchange.DigestOf([]byte("y")))
	must(t, err)
	if _, ok, err := (&exchange.Verifications{Blobs: a.db}).Written(t.Context(), plain, written.PDF); ok || err != nil {
		t.Errorf("an older report has a paper: %v, %v", ok, err)
	}
}
