package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/internal/text"
)

func TestTokenKeyThatCannotBeUsedSaysWhy(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv(envModule, "")
	in, module := filepath.Join(dir, "a.pdf"), filepath.Join(dir, "lib.so")
	for _, f := range []string{in, module} {
		if err := os.WriteFile(f, []byte("%PDF-1.7\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for uri, want := range map[string]struct {
		code text.Code
		says string
	}{
		"pkcs11:token=a?module-path=" + module:         {text.KeyUnavailable, "go build ./cmd/antin-pkcs11"},
		"pkcs11:token=a":                               {text.InvalidInput, "ANTIN_PKCS11_MODULE"},
		"pkcs11:token=a?module-path=" + dir + "/no.so": {text.KeyUnavailable, "module-path"},
		"pkcs11:token=a?pin-value=1234":                {text.InvalidInput, "pin-source"},
		"pkcs11:nonsense":                              {text.InvalidInput, "RFC 7512"},
	} {
		code, _, stderr := invoke(t, "sign", in, "-o", filepath.Join(dir, "b.pdf"), "--key", uri, "--no-input")
		if code != want.code.Exit() || !strings.Contains(stderr, string(want.code)) || !strings.Contains(stderr, want.says) {
			t.Errorf("%s: exit %d, %s", uri, code, stderr)
		}
		if strings.Contains(stderr, "1234") {
			t.Errorf("the PIN was printed: %s", stderr)
		}
	}
}

func TestCertificatesBesideATokenAreReadFromTheFileNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "c.pem")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCertificates(file); text.CodeOf(err) != text.FileUnreadable {
		t.Errorf("got %v", err)
	}
	if _, err := readCertificates(file + ".none"); text.CodeOf(err) != text.KeyNotFound {
		t.Errorf("got %v", err)
	}
}
