package certstest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"

	"crypto/x509"

	"antin/certs"
	"antin/certs/certstest"
)

func start(t *testing.T, o certstest.Options) *certstest.Server {
	t.Helper()
	if o.LeafKey == "" {
		o.LeafKey = certstest.P256
	}
	s, err := certstest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestEverySignerHasAPathToTheRoot(t *testing.T) {
	t.Parallel()
	s := start(t, certstest.Options{})
	for _, role := range certstest.Roles() {
		e := s.Signer(role)
		path, err := certs.BuildPath(context.Background(), e.Certificate, certs.PathOptions{
			Intermediates: e.Chain, Anchors: s.Anchors(), At: e.Certificate.NotAfter, Usage: certs.UsageDocumentSigning, AllowSandbox: true})
		if err != nil || len(path) != 3 {
			t.Errorf("%s: path of %d, %v", role, len(path), err)
		}
		if !e.Certificate.Sandbox {
			t.Errorf("%s carries no sandbox mark", role)
		}
	}
	tsa := s.TSA().Certificate
	if _, err := certs.BuildPath(context.Background(), tsa, certs.PathOptions{Anchors: s.Anchors(), At: s.Now(), Usage: certs.UsageTimeStamping, AllowSandbox: true}); err != nil {
		t.Errorf("TSA: %v", err)
	}
	if left := tsa.NotAfter.Sub(s.Now()); left < 10*365*24*time.Hour {
		t.Errorf("the TSA's certificate ends in %v", left)
	}
}

func TestOCSPAnswersReadAlikeByAnotherParser(t *testing.T) {
	t.Parallel()
	s := start(t, certstest.Options{})
	issuer, err := x509.ParseCertificate(s.IssuingCA().Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for role, want := range map[string]int{certstest.RoleLeader: ocsp.Good, certstest.RoleRevoked: ocsp.Revoked} {
		leaf, err := x509.ParseCertificate(s.Signer(role).Certificate.Raw)
		if err != nil {
			t.Fatal(err)
		}
		req, err := ocsp.CreateRequest(leaf, issuer, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(leaf.OCSPServer[0], "application/ocsp-request", bytes.NewReader(req))
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, err = body.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ocsp.ParseResponseForCert(body.Bytes(), leaf, issuer)
		if err != nil || got.Status != want {
			t.Fatalf("%s: status %v, %v, want %d", role, got, err, want)
		}
	}
}

func TestTimestampIsReadByItsOwnLibrary(t *testing.T) {
	t.Parallel()
	s := start(t, certstest.Options{})
	imprint := sha256.Sum256([]byte("văn bản"))
	der, err := s.Timestamp(crypto.SHA256, imprint[:])
	if err != nil {
		t.Fatal(err)
	}
	ts, err := timestamp.ParseResponse(der)
	if err != nil || !bytes.Equal(ts.HashedMessage, imprint[:]) || len(ts.Certificates) != 1 {
		t.Fatalf("token %+v, %v", ts, err)
	}
}

func TestSavedPKIRunsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, certstest.Options{})
	if err := s.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lanh-dao.p12", "co-quan-a.p12", "co-quan-b.p12", "revoked.p12", "expired.p12", "password.txt", "services/state.json"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	again, err := certstest.Load(dir, certstest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !again.Root().Equal(s.Root()) || !again.Leader().Certificate.Equal(s.Leader().Certificate) || again.BaseURL() != s.URL {
		t.Fatal("loaded PKI differs from the saved one")
	}
	for role, want := range map[string]string{certstest.RoleLeader: certs.StatusGood, certstest.RoleRevoked: certs.StatusRevoked} {
		c := again.Signer(role).Certificate
		der, err := again.OCSP(c)
		if err != nil {
			t.Fatal(err)
		}
		st := certs.CheckRevocation(c, again.IssuingCA().Certificate, []certs.Evidence{{Kind: certs.EvidenceOCSP, DER: der}}, certs.RevocationOptions{At: again.Now()})
		if st.Status != want {
			t.Errorf("%s is %s (%s), want %s", role, st.Status, st.Why, want)
		}
	}
}

func TestLoadSaysThatNothingIsSaved(t *testing.T) {
	t.Parallel()
	if _, err := certstest.Load(t.TempDir(), certstest.Options{}); !os.IsNotExist(err) {
		t.Fatalf("error %v, want %v", err, fs.ErrNotExist)
	}
}
