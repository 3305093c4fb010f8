package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/certs"
)

// authority writes a root of its own to a file and returns its fingerprint.
func authority(t *testing.T, name, file string, ca bool) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: ca,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0)},
		&x509.Certificate{Subject: pkix.Name{CommonName: name}}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := certs.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return anchorSum(c)
}

func TestTrustIsLoadedWithAShownDifference(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, store := filepath.Join(dir, "antin.yaml"), filepath.Join(dir, "trust.yaml")
	if err := os.WriteFile(config, []byte("trust:\n  store: trust.yaml\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "root.pem")
	sum := authority(t, "Gốc của tỉnh", root, true)
	trust := func(args ...string) (int, string, string) {
		return invoke(t, append([]string{"--lang", "en", "--config", config, "trust"}, args...)...)
	}
	if code, _, msg := trust("load", root); code != 2 && code != 1 || !strings.Contains(msg, sum) {
		t.Errorf("an anchor that nobody vouches for: exit %d, %s", code, msg)
	}
	code, out, msg := trust("load", root, "--sha256", strings.ToUpper(sum))
	if code != 0 || !strings.Contains(out, "+ Agency's own root: CN=Gốc của tỉnh") || !strings.Contains(out, sum) || !strings.Contains(msg, "--yes") {
		t.Errorf("shown: exit %d, %s%s", code, out, msg)
	}
	if _, err := os.Stat(store); err == nil {
		t.Error("showing wrote the store")
	}
	if code, _, msg := trust("load", root, "--sha256", sum, "--yes"); code != 0 {
		t.Fatalf("loading: exit %d, %s", code, msg)
	}
	if code, out, _ := trust("list", "--json"); code != 0 || !strings.Contains(out, `"domain":"own"`) || !strings.Contains(out, sum) {
		t.Errorf("list: exit %d, %s", code, out)
	}
	if code, _, msg := trust("load", root, "--sha256", sum); code != 0 || !strings.Contains(msg, "Nothing changes") {
		t.Errorf("again: exit %d, %s", code, msg)
	}
	if code, out, _ := trust("remove", sum, "--until", "2026-01-01T00:00:00Z", "--yes"); code != 0 || !strings.Contains(out, "~ ") || !strings.Contains(out, "2026-01-01") {
		t.Errorf("withdrawn: exit %d, %s", code, out)
	}
	if code, out, _ := trust("list"); code != 0 || !strings.Contains(out, "trusted until 2026-01-01 only") {
		t.Errorf("list: exit %d, %s", code, out)
	}
	if code, out, _ := trust("remove", sum, "--yes"); code != 0 || !strings.Contains(out, "- ") {
		t.Errorf("removed: exit %d, %s", code, out)
	}
	if code, _, _ := trust("remove", sum); code != 8 {
		t.Errorf("what is not there: exit %d", code)
	}
	leaf := filepath.Join(dir, "leaf.pem")
	authority(t, "Không phải CA", leaf, false)
	if code, _, msg := trust("load", leaf); code == 0 || !strings.Contains(msg, "no CA certificate") {
		t.Errorf("a signer's certificate: exit %d, %s", code, msg)
	}
}

// A store whose certificate was exchanged by hand is refused: the fingerprint beside
// it no longer fits.
func TestAStoreThatWasAlteredIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := filepath.Join(dir, "trust.yaml")
	first, second := authority(t, "Một", filepath.Join(dir, "1.pem"), true), authority(t, "Hai", filepath.Join(dir, "2.pem"), true)
	list, _, err := loadTrust([]string{filepath.Join(dir, "1.pem")})
	if err != nil {
		t.Fatal(err)
	}
	t1 := trusted{known: certs.Known(list)}
	t1.add(list)
	if err := t1.write(store); err != nil {
		t.Fatal(err)
	}
	back, err := readTrustStore(store)
	if err != nil || len(back.anchors) != 1 || len(back.known) != 1 || back.anchors[0].Domain != certs.DomainOwn {
		t.Fatalf("%+v, %v", back, err)
	}
	data, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(store, []byte(strings.ReplaceAll(string(data), first, second)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readTrustStore(store); err == nil {
		t.Error("it was taken")
	}
}

// Offline, CRLs of a folder answer what the network would; without them the answer
// is open.
func TestVerifyOfflineUsesCRLsAtHand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.out("ky.pdf")
	if code, _, msg := invoke(t, b.sign("lanh-dao", b.pdf, signed, "--level", "B-B")...); code != 0 {
		t.Fatalf("signing: exit %d, %s", code, msg)
	}
	folder := filepath.Join(b.dir, "crl")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	verify := []string{"verify", signed, "--json", "--offline", "--trust", filepath.Join(b.pki, "root.pem"), "--crls", folder}
	if code, out, _ := invoke(t, verify...); code != 4 || !strings.Contains(out, `"online":false`) {
		t.Errorf("without a list: exit %d, %s", code, out)
	}
	for _, ca := range []string{"issuing", "root"} {
		der, err := b.services.CRL(ca)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, ca+".crl"), der, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, _ := invoke(t, verify...); code != 0 || !strings.Contains(out, `"source":"crl"`) || !strings.Contains(out, `"online":false`) {
		t.Errorf("with lists: exit %d, %s", code, out)
	}
	for _, bad := range []string{"x", "=y", "a=b/c"} {
		if code, _, _ := invoke(t, append(verify, "--rewrite-host", bad)...); code == 0 {
			t.Errorf("--rewrite-host %q was taken", bad)
		}
	}
}
