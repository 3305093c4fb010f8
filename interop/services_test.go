//go:build interop

package interop_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
)

// TestOpenSSLAcceptsTimestamps lets OpenSSL ask the time-stamping service and
// verify the answer.
func TestOpenSSLAcceptsTimestamps(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	data, other := write(t, dir, "data", []byte("dữ liệu")), write(t, dir, "other", []byte("khác"))
	checked := 0
	for _, hash := range []string{"-sha256", "-sha384", "-sha512"} {
		query, reply := filepath.Join(dir, "query"+hash), filepath.Join(dir, "reply"+hash)
		mustRun(t, "openssl", "ts", "-query", "-data", data, hash, "-cert", "-out", query)
		write(t, dir, filepath.Base(reply), post(t, w.TSAURL(), "application/timestamp-query", read(t, query)))
		issuing := writePEM(t, dir, "issuing.pem", w.IssuingCA().Certificate)
		for _, against := range [][]string{{"-queryfile", query}, {"-data", data}} {
			out := mustRun(t, "openssl", append([]string{"ts", "-verify", "-in", reply, "-CAfile", w.root, "-untrusted", issuing}, against...)...)
			if !strings.Contains(out, "Verification: OK") {
				t.Errorf("%s %v: %s", hash, against, out)
			}
			checked++
		}
		if code, out, err := run("openssl", "ts", "-verify", "-in", reply, "-CAfile", w.root, "-untrusted", issuing, "-data", other); err != nil || code == 0 {
			t.Errorf("OpenSSL accepts the token for other data: %s (%v)", out, err)
		}
	}
	t.Logf("counts: time-stamps accepted by openssl ts: %d", checked)
}

// TestOpenSSLAcceptsOCSP lets OpenSSL ask the responder about signers of every
// condition.
func TestOpenSSLAcceptsOCSP(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	issuing, root := w.IssuingCA().Certificate, w.Root()
	for i, c := range []struct {
		cert, issuer *certs.Certificate
		want         string
	}{
		{w.Leader().Certificate, issuing, "good"},
		{w.Signer(certstest.RoleSealA).Certificate, issuing, "good"},
		{w.Signer(certstest.RoleRevoked).Certificate, issuing, "revoked"},
		{issuing, root, "good"},
	} {
		leaf, issuer := writePEM(t, dir, fmt.Sprintf("leaf%d.pem", i), c.cert), writePEM(t, dir, fmt.Sprintf("issuer%d.pem", i), c.issuer)
		out := mustRun(t, "openssl", "ocsp", "-issuer", issuer, "-cert", leaf, "-url", w.URL+"/ocsp", "-CAfile", w.root, "-verify_other", issuer)
		if !strings.Contains(out, "Response verify OK") || !strings.Contains(out, leaf+": "+c.want) {
			t.Errorf("%s: %s", c.cert.CommonName, out)
		}
	}
	t.Log("counts: OCSP answers accepted by openssl ocsp: 4")
}

// TestOpenSSLAcceptsCRLs checks paths with both CAs' lists.
func TestOpenSSLAcceptsCRLs(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	issuing := writePEM(t, dir, "issuing.pem", w.IssuingCA().Certificate)
	args := []string{"verify", "-crl_check_all", "-CAfile", w.root, "-untrusted", issuing}
	for _, name := range []string{"root", "issuing"} {
		der := get(t, w.URL+"/crl/"+name+".crl")
		list := write(t, dir, name+".crl.pem", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
		ca := map[string]string{"root": w.root, "issuing": issuing}[name]
		if out := mustRun(t, "openssl", "crl", "-in", list, "-noout", "-verify", "-CAfile", ca); !strings.Contains(out, "verify OK") {
			t.Errorf("%s: %s", name, out)
		}
		args = append(args, "-CRLfile", list)
	}
	for i, c := range []struct {
		role string
		want string
	}{
		{certstest.RoleLeader, ": OK"}, {certstest.RoleSealA, ": OK"}, {certstest.RoleSealB, ": OK"},
		{certstest.RoleRevoked, "certificate revoked"}, {certstest.RoleExpired, "certificate has expired"},
	} {
		leaf := writePEM(t, dir, fmt.Sprintf("leaf%d.pem", i), w.Signer(c.role).Certificate)
		_, out, err := run("openssl", append(args[:len(args):len(args)], leaf)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %s (%v)", c.role, out, err)
		}
	}
	t.Log("counts: paths judged alike by openssl verify -crl_check_all: 5, lists accepted: 2")
}

// TestOpenSSLOpensPKCS12 opens the key files that the sandbox writes, checks the
// key inside against its certificate, and is refused with a wrong password.
func TestOpenSSLOpensPKCS12(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	if err := w.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, role := range certstest.Roles() {
		opensPKCS12(t, filepath.Join(dir, role+".p12"), filepath.Join(dir, "password.txt"))
	}
	t.Logf("counts: PKCS #12 files opened by openssl: %d", len(certstest.Roles()))
}

// opensPKCS12 lets OpenSSL open the file with the password in passwordFile.
func opensPKCS12(t *testing.T, file, passwordFile string) {
	t.Helper()
	out := mustRun(t, "openssl", "pkcs12", "-in", file, "-passin", "file:"+passwordFile, "-noenc")
	if n := strings.Count(out, "BEGIN CERTIFICATE"); n < 2 || strings.Count(out, "BEGIN PRIVATE KEY") != 1 {
		t.Errorf("%s holds %d certificates and %d keys", file, n, strings.Count(out, "BEGIN PRIVATE KEY"))
	}
	dir := t.TempDir()
	whole := write(t, dir, "whole.pem", []byte(blocks.FindString(out)))
	key := mustRun(t, "openssl", "pkey", "-in", write(t, dir, "key.pem", []byte(keyBlock.FindString(out))), "-pubout")
	if cert := mustRun(t, "openssl", "x509", "-in", whole, "-noout", "-pubkey"); cert != key {
		t.Errorf("%s: the key does not belong to the first certificate", file)
	}
	if code, _, err := run("openssl", "pkcs12", "-in", file, "-passin", "pass:sai", "-noout"); err != nil || code == 0 {
		t.Errorf("%s opens with a wrong password (%v)", file, err)
	}
}

var (
	blocks   = regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n`)
	keyBlock = regexp.MustCompile(`(?s)-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\n`)
)

// mustRun runs a tool that has to succeed.
func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	code, out, err := run(name, args...)
	if err != nil || code != 0 {
		t.Fatalf("%s %v exited with %d: %s (%v)", name, args, code, out, err)
	}
	return out
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func writePEM(t *testing.T, dir, name string, c *certs.Certificate) string {
	t.Helper()
	return write(t, dir, name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// httpClient bounds what a stuck service can cost.
var httpClient = &http.Client{Timeout: 20 * time.Second}

func post(t *testing.T, url, contentType string, body []byte) []byte {
	t.Helper()
	resp, err := httpClient.Post(url, contentType, bytes.NewReader(body))
	return answerOf(t, resp, err)
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := httpClient.Get(url)
	return answerOf(t, resp, err)
}

func answerOf(t *testing.T, resp *http.Response, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}
