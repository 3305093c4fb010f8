package signer_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/tsa"
)

// TestOverHTTP signs with the drivers that products use, against services that
// answer, fall silent and lie.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	server, err := certstest.Start(certstest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	a := &authorities{PKI: server.PKI, keys: map[string]signer.Key{}}
	for _, role := range certstest.Roles() {
		a.add(role, server.Signer(role))
	}
	data := padestest.Simple(padestest.Stream, "1.7").Bytes()
	req := signer.Request{Key: certstest.RoleLeader, Level: ades.BLT}
	newSigner := func() *signer.Signer {
		client, err := fetch.New(fetch.Options{AllowHosts: []string{"127.0.0.1"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		stamps, err := tsa.New(tsa.Options{URLs: []string{server.TSAURL()}, Pauses: []time.Duration{}, Now: a.Now})
		if err != nil {
			t.Fatal(err)
		}
		s := a.signer()
		s.Revocation, s.Issuers, s.Timestamps = client, client, stamps
		return s
	}

	s := newSigner()
	for range 2 { // the second time with a warm cache, which may not serve the signer's own status
		out, _ := sign(t, s, data, req)
		if r := a.validate(t, out); r.Verdict != "valid" {
			t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
		}
	}
	refused(t, newSigner(), data, signer.Request{Key: certstest.RoleRevoked}, text.CertificateRevoked)

	for _, d := range []certstest.Defect{certstest.TSARejects, certstest.TSAGarbage, certstest.WrongImprint, certstest.WrongNonce, certstest.BadTSAUsage, certstest.BadTSASignature} {
		server.Break(d)
		refused(t, newSigner(), data, req, text.TSAUnavailable)
		server.Repair()
	}
	for _, d := range []certstest.Defect{certstest.OCSPUnknown, certstest.UnauthorisedResponder, certstest.BadOCSPSignature, certstest.OtherCertificateOCSP, certstest.StaleOCSP} {
		server.Break(d, certstest.CRLDown)
		refused(t, newSigner(), data, req, text.RevocationUnavailable)
		server.Repair()
	}
	server.Break(certstest.OCSPDown) // the CRL serves instead
	out, res := sign(t, newSigner(), data, req)
	if r := a.validate(t, out); !passed(r) || slices.Contains(res.Warnings, signer.WarnRevocationUnknown) {
		t.Errorf("with CRLs: %s %+v", r.Verdict, r.Reasons)
	}
	server.Repair()

	noAIA := a.keys[certstest.RoleLeader]
	noAIA.Chain = noAIA.Chain[:1] // the issuing CA has to be found by its address
	a.keys["short"] = noAIA
	out, _ = sign(t, newSigner(), data, signer.Request{Key: "short", Level: ades.BLT})
	if r := a.validate(t, out); !passed(r) || !bytes.HasPrefix(out, data) {
		t.Errorf("with a short chain: %s %+v", r.Verdict, r.Reasons)
	}
}
