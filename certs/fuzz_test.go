package certs_test

import (
	"os"
	"path/filepath"
	"testing"

	"antin/certs"
)

// seeds adds files of the corpus, where it is at hand, beside the sandbox's own.
func seeds(f *testing.F, own []byte, patterns ...string) {
	f.Helper()
	f.Add(own)
	root := os.Getenv("ANTIN_CORPUS")
	for _, p := range patterns {
		names, _ := filepath.Glob(filepath.Join(root, "pki", "certvalidator", p))
		for _, name := range names[:min(len(names), 40)] {
			if data, err := os.ReadFile(name); err == nil {
				f.Add(data)
			}
		}
	}
}

func FuzzParseCertificate(f *testing.F) {
	p := newPKI(f)
	seeds(f, p.Leader().Certificate.Raw, "nist_pkits/certs/*.crt")
	f.Add(p.IssuingCA().Certificate.Raw)
	issuer := p.IssuingCA().Certificate
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := certs.ParseCertificate(data)
		if err != nil {
			return
		}
		again, err := certs.ParseCertificate(c.Raw)
		if err != nil || !again.Equal(c) || again.Subject != c.Subject {
			t.Fatalf("parsing the same bytes again: %v", err)
		}
		if _, err := certs.BuildPath(t.Context(), c, certs.PathOptions{Anchors: p.Anchors(), Intermediates: []*certs.Certificate{issuer, c}, At: p.Now()}); err == nil {
			t.Fatal("a certificate without the sandbox's leave has a path")
		}
	})
}

func FuzzParseOCSP(f *testing.F) {
	p := newPKI(f)
	der, err := p.OCSP(p.Leader().Certificate)
	if err != nil {
		f.Fatal(err)
	}
	seeds(f, der, "multitasking-ocsp/*.der", "freshness/*.ors")
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := certs.ParseOCSP(data)
		st := certs.CheckRevocation(leaf, issuer, []certs.Evidence{{Kind: certs.EvidenceOCSP, DER: data}}, certs.RevocationOptions{At: p.Now()})
		if err != nil && st.Status != certs.StatusUnknown {
			t.Fatalf("%s by an answer that cannot be read", st.Status)
		}
		if st.Status == certs.StatusRevoked {
			t.Fatal("revoked by nobody's word")
		}
	})
}

func FuzzParseCRL(f *testing.F) {
	p := newPKI(f)
	der, err := p.CRL("issuing")
	if err != nil {
		f.Fatal(err)
	}
	seeds(f, der, "nist_pkits/crls/*.crl")
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := certs.ParseCRL(data)
		st := certs.CheckRevocation(leaf, issuer, []certs.Evidence{{Kind: certs.EvidenceCRL, DER: data}}, certs.RevocationOptions{At: p.Now()})
		if err != nil && st.Status != certs.StatusUnknown {
			t.Fatalf("%s by a list that cannot be read", st.Status)
		}
		if st.Status == certs.StatusRevoked {
			t.Fatal("revoked by nobody's word")
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	p := newPKI(f)
	seeds(f, p.RootPEM(), "certs_to_unpack/*")
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := certs.ParseBundle(data)
		if (err == nil) != (len(all) > 0) {
			t.Fatalf("%d certificates, %v", len(all), err)
		}
	})
}
