package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/internal/text"
)

const whole = `socket: s.sock
log: /var/lib/x/keys.log
module: lib.so
sessions: 2
allow_uids: [990]
keys:
  - id: con-dau
    kind: seal
    uri: pkcs11:token=Con%20dau;object=seal
    pin_file: pin
`

func configFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestConfigurationIsReadWithPathsBesideTheFile(t *testing.T) {
	t.Parallel()
	file := configFile(t, whole)
	c, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Dir(file)
	if c.Socket != filepath.Join(base, "s.sock") || c.Module != filepath.Join(base, "lib.so") || c.Log != "/var/lib/x/keys.log" ||
		c.Keys[0].PINFile != filepath.Join(base, "pin") || c.Keys[0].uri.Token != "Con dau" {
		t.Errorf("%+v", c)
	}
	if err := os.WriteFile(c.Keys[0].PINFile, []byte("2468\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if pin, err := c.Keys[0].pin(); err != nil || pin != "2468" {
		t.Errorf("%q, %v", pin, err)
	}
}

func TestConfigurationThatIsWrongIsRefusedByName(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"socket":          {"socket: s.sock\n", ""},
		"log":             {"log: /var/lib/x/keys.log\n", ""},
		"nothing":         {"sessions", "nothing"}, // an entry that is not known
		"sessions":        {"sessions: 2", "sessions: 1000"},
		"allow_uids":      {"[990]", "[-1]"},
		"keys[0].kind":    {"kind: seal", "kind: anything"},
		"keys[0].uri":     {"pkcs11:token", "p12:token"},
		"keys[0].id":      {"id: con-dau", "id: ''"},
		"pin-source":      {"object=seal", "object=seal?pin-value=1"},
		"rate_per_minute": {"pin_file: pin", "rate_per_minute: -1"},
	} {
		_, err := loadConfig(configFile(t, strings.Replace(whole, change[0], change[1], 1)))
		if text.CodeOf(err) != text.ConfigInvalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	head, _, _ := strings.Cut(whole, "keys:")
	if _, err := loadConfig(configFile(t, head)); text.CodeOf(err) != text.ConfigInvalid {
		t.Errorf("without keys: %v", err)
	}
}

func TestUnknownVerbIsAUsageError(t *testing.T) {
	t.Parallel()
	var out, bad strings.Builder
	if code := run(t.Context(), []string{"sign"}, &out, &bad); code != 2 || !strings.Contains(bad.String(), "--help") {
		t.Errorf("exit %d: %s", code, bad.String())
	}
	if code := run(t.Context(), []string{"check", "--config", filepath.Join(t.TempDir(), "none.yaml")}, &out, &bad); code != text.FileUnreadable.Exit() {
		t.Errorf("a missing file ends with %d", code)
	}
}
