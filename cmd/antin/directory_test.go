package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// indented is a PEM file's text as an entry of a YAML list.
func indented(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	writePEM(&b, string(data))
	return b.String()
}

func TestDirectoryIsStrict(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, _ := tlsPair(t, dir, "one")
	_, _ = tlsPair(t, dir, "two")
	own := exchange.Agency{Code: "H98.1", TLS: [][32]byte{{1}}}
	file := filepath.Join(dir, "peers.yaml")
	open := func(yaml string) error {
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openDirectory(file, own, time.Now, nil)
		return err
	}
	good := "agencies:\n  - code: H98.2\n    name: Cơ quan 2\n    url: https://b:8443\n    certificates:\n      - two.pem\n" + indented(t, cert) +
		"    max_payload_mb: 10\n    valid_from: 2026-01-01\n  - code: H98.3\n    name: No channel\n"
	if err := open(good); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ yaml, says string }{
		"unknown key":        {"agencies:\n  - code: A\n    nam: x\n", "dòng 3"},
		"twice":              {good + "  - code: H98.2\n    name: again\n", "H98.2"},
		"own":                {"agencies:\n  - code: H98.1\n    name: we\n", "dòng 2"},
		"no name":            {"agencies:\n  - code: A\n", "thiếu tên"},
		"bad code":           {"agencies:\n  - code: \"a b\"\n    name: x\n", "mã định danh"},
		"plain address":      {"agencies:\n  - code: A\n    name: x\n    url: http://b\n    certificates: [one.pem]\n", "https"},
		"no certificate":     {"agencies:\n  - code: A\n    name: x\n    url: https://b\n", "certificates"},
		"certificate absent": {"agencies:\n  - code: A\n    name: x\n    url: https://b\n    certificates: [none.pem]\n", "none.pem"},
		"a key for one":      {"agencies:\n  - code: A\n    name: x\n    url: https://b\n    certificates: [one.key]\n", "one.key"},
		"somebody else's":    {good + "  - code: H98.4\n    name: x\n    url: https://b\n    certificates: [one.pem]\n", "H98.2"},
		"backward dates":     {"agencies:\n  - code: A\n    name: x\n    valid_from: 2026-02-01\n    valid_to: 2026-01-01\n", "valid_to"},
		"no date":            {"agencies:\n  - code: A\n    name: x\n    valid_from: soon\n", "dòng 4"},
	} {
		err := open(tc.yaml)
		if m := text.As(err); err == nil || m.Code != text.ConfigInvalid || !strings.Contains(m.Message().VI, tc.says) {
			t.Errorf("%s: %v does not say %q", name, err, tc.says)
		}
	}
}

func TestDirectoryIsReadAgainAndABadOneKeepsTheOld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	oldCert, _ := tlsPair(t, dir, "old")
	newCert, _ := tlsPair(t, dir, "new")
	file := filepath.Join(dir, "peers.yaml")
	now := time.Now()
	write := func(certificates string) {
		t.Helper()
		yaml := "agencies:\n  - code: H98.2\n    name: x\n    url: https://b:1\n    certificates:\n" + certificates
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		if err := os.Chtimes(file, now, now); err != nil {
			t.Fatal(err)
		}
	}
	var told []error
	write(indented(t, oldCert))
	d, err := openDirectory(file, exchange.Agency{Code: "H98.1"}, func() time.Time { return now }, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	pins := func() int {
		t.Helper()
		a, err := d.Agency(context.Background(), "H98.2")
		if err != nil {
			t.Fatal(err)
		}
		return len(a.TLS)
	}
	for _, step := range []struct {
		certificates string
		want, told   int
	}{
		{indented(t, oldCert) + indented(t, newCert), 2, 0},
		{"      - nonsense.pem\n", 2, 1},
		{indented(t, newCert), 1, 1},
	} {
		write(step.certificates)
		if got := pins(); got != step.want || len(told) != step.told {
			t.Errorf("%d certificates, told %v; want %d", got, told, step.want)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if got := pins(); got != 1 || len(told) != 2 {
		t.Errorf("without the file: %d, told %v", got, told)
	}
}

func TestACompromisedKeyNeitherVerifiesNorGetsIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, _ := tlsPair(t, dir, "one")
	file := filepath.Join(dir, "peers.yaml")
	yaml := fmt.Sprintf("agencies:\n  - code: B\n    name: x\n    url: https://b\n    certificates: [%s]\n    keys:\n      - certificate: %s\n        compromised: true\n", cert, cert)
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := openDirectory(file, exchange.Agency{Code: "A"}, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.Agency(t.Context(), "B")
	if err != nil || len(a.TLS) != 0 || len(a.Keys) != 1 || a.Keys[0].In(time.Now()) {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestInitsEntryIsTheOtherSidesDirectory(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.35", "--peer-url", "https://b.example:8443", "--place", "Mẫu \"Đơn\"")
	file := filepath.Join(t.TempDir(), "peers.yaml")
	if err := os.WriteFile(file, []byte(m.entry), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := openDirectory(file, exchange.Agency{Code: "H98.21"}, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.Agency(t.Context(), "H98.35")
	if err != nil {
		t.Fatal(err)
	}
	id, err := loadIdentity(m.config)
	if err != nil {
		t.Fatal(err)
	}
	if a.Name != "Cơ quan H98.35" || a.Place != "Mẫu \"Đơn\"" || a.Endpoint != "https://b.example:8443" || len(a.TLS) != 1 || a.TLS[0] != peer.Fingerprint(id.Certificate) {
		t.Errorf("%+v", a)
	}
}
