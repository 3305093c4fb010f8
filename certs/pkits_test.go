package certs_test

import (
	"context"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"antin/certs"
)

type pkitsCase struct {
	ID     string
	Name   string
	Cert   string
	Others []string `json:"other_certs"`
	CRLs   []string
	Error  *struct{ Class string }
	Params struct {
		Policies       []string `json:"user_initial_policy_set"`
		Explicit       bool     `json:"initial_explicit_policy"`
		InhibitMapping bool     `json:"initial_policy_mapping_inhibit"`
		InhibitAny     bool     `json:"initial_any_policy_inhibit"`
	}
}

func corpus(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: the corpus of certificates is not at hand")
	}
	return filepath.Join(append([]string{root, "pki", "certvalidator"}, parts...)...)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPKITS(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "nist_pkits")
	var cases []pkitsCase
	if err := json.Unmarshal(read(t, filepath.Join(dir, "pkits.json")), &cases); err != nil {
		t.Fatal(err)
	}
	load := func(name string) (*certs.Certificate, error) {
		return certs.ParseCertificate(read(t, filepath.Join(dir, "certs", name)))
	}
	root, err := load("TrustAnchorRootCertificate.crt")
	if err != nil {
		t.Fatal(err)
	}
	agree := 0
	for _, c := range cases {
		got := c.run(t, dir, root, load)
		if c.agrees(got) {
			agree++
			continue
		}
		t.Errorf("%s: got %v, want error %v", c.Name, got, c.Error)
	}
	t.Logf("NIST PKITS: %d of %d cases agree", agree, len(cases))
}

// agrees reports whether got is the expected outcome, for the expected reason.
func (c pkitsCase) agrees(got error) bool {
	var status statusError
	revocation := errors.As(got, &status)
	switch {
	case c.Error == nil || got == nil:
		return got == nil && c.Error == nil
	case c.Error.Class == "RevokedError":
		return revocation && status.Status == certs.StatusRevoked
	case c.Error.Class == "InsufficientRevinfoError", c.Error.Class == "StaleRevinfoError":
		return revocation && status.Status == certs.StatusUnknown
	}
	return !revocation
}

// run is what an application does: a path, then the status of each of its certificates.
func (c pkitsCase) run(t *testing.T, dir string, root *certs.Certificate, load func(string) (*certs.Certificate, error)) error {
	t.Helper()
	at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	leaf, err := load(c.Cert)
	if err != nil {
		return err
	}
	o := certs.PathOptions{Anchors: []*certs.Certificate{root}, At: at, RequireExplicitPolicy: c.Params.Explicit,
		InhibitPolicyMapping: c.Params.InhibitMapping, InhibitAnyPolicy: c.Params.InhibitAny}
	for _, p := range c.Params.Policies {
		o.InitialPolicies = append(o.InitialPolicies, oid(t, p))
	}
	for _, name := range c.Others {
		other, err := load(name)
		if err != nil {
			return err
		}
		o.Intermediates = append(o.Intermediates, other)
	}
	var evidence []certs.Evidence
	for _, name := range append(slices.Clone(c.CRLs), "TrustAnchorRootCRL.crl") {
		evidence = append(evidence, certs.Evidence{Kind: certs.EvidenceCRL, DER: read(t, filepath.Join(dir, "crls", name))})
	}
	path, err := certs.BuildPath(context.Background(), leaf, o)
	if err != nil {
		return err
	}
	return checkPathRevocation(path, evidence, o, 0)
}

type statusError certs.RevocationStatus

func (e statusError) Error() string { return e.Status + " " + e.Reason + e.Why }

// checkPathRevocation asks for every certificate below the anchor, and for who
// signed the evidence when that is another certificate.
func checkPathRevocation(path certs.Path, evidence []certs.Evidence, o certs.PathOptions, depth int) error {
	for _, c := range path[:len(path)-1] {
		st := certs.CheckRevocation(c, path.Issuer(c), evidence, certs.RevocationOptions{At: o.At, Intermediates: o.Intermediates, Anchors: o.Anchors})
		if st.Status != certs.StatusGood {
			return statusError(st)
		}
		if !slices.ContainsFunc(path, st.Issuer.Equal) && depth < 3 {
			if err := checkPathRevocation(st.IssuerPath, evidence, o, depth+1); err != nil {
				// Evidence of a signer who is not in order proves nothing.
				return fmt.Errorf("signer of the evidence: %w", statusError{Status: certs.StatusUnknown, Why: err.Error()})
			}
		}
	}
	return nil
}

func oid(t testing.TB, dotted string) asn1.ObjectIdentifier {
	t.Helper()
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(dotted, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatal(err)
		}
		id = append(id, n)
	}
	return id
}
