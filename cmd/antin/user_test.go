package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/store"
)

func TestAccountsAndKeysAreManagedWhileTheGatewayHoldsItsData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, config, password := filepath.Join(dir, "data"), filepath.Join(dir, "antin.yaml"), filepath.Join(dir, "pw")
	for name, content := range map[string]string{config: "agency:\n  code: H15.01\n  name: SỞ NỘI VỤ\ndata_dir: data\n", password: "một câu dài dễ nhớ\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	antin := func(code int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(context.Background(), append([]string{"--config", config}, args...), streams{in: os.Stdin, out: &out, err: &errs}); got != code {
			t.Fatalf("antin %s: exit %d, want %d: %s", strings.Join(args, " "), got, code, errs.String())
		}
		return out.String()
	}
	antin(8, "user", "list") // no data yet
	db, err := store.Open(t.Context(), store.Options{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })

	if made := antin(0, "user", "add", "--login", "an", "--name", "Nguyễn Văn An", "--role", "van_thu"); len(made) != len("abcd-efgh-ijkl-mnop\n") {
		t.Errorf("the made password reads %q", made)
	}
	if shown := antin(0, "user", "add", "--login", "binh", "--name", "Bình", "--role", "lanh_dao", "--position", "GIÁM ĐỐC", "--password-file", password); shown != "" {
		t.Errorf("a password that was brought is printed: %q", shown)
	}
	antin(9, "user", "add", "--login", "AN", "--name", "Khác", "--role", "it")
	antin(2, "user", "add", "--login", "chi", "--name", "Chi", "--role", "lanh_dao") // no position
	antin(2, "user", "add", "--login", "chi", "--name", "Chi", "--role", "system")
	antin(8, "user", "passwd", "--login", "nobody")
	if antin(0, "user", "passwd", "--login", "binh") == "" {
		t.Error("no password is printed after a reset")
	}
	list := antin(0, "user", "list", "--json")
	if strings.Count(list, "\n") != 2 || strings.Contains(list, "argon2") || !strings.Contains(list, `"must_change":true`) {
		t.Errorf("accounts: %s", list)
	}

	var k shownKey
	if err := json.Unmarshal([]byte(antin(0, "apikey", "new", "--name", "QLVB", "--scope", "verify,inbox:read", "--expires", "90d", "--json")), &k); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(k.Secret, "antin_live_") || len(k.Scopes) != 2 {
		t.Errorf("key %+v", k)
	}
	antin(2, "apikey", "new", "--name", "x", "--scope", "sign")
	antin(2, "apikey", "new", "--name", "x", "--scope", "verify", "--expires", "soon")
	if next := strings.TrimSpace(antin(0, "apikey", "rotate", string(k.ID), "--overlap", "1d")); next == k.Secret || !strings.HasPrefix(next, "antin_live_") {
		t.Errorf("rotated secret %q", next)
	}
	antin(0, "apikey", "revoke", string(k.ID))
	antin(9, "apikey", "rotate", string(k.ID))
	if keys := antin(0, "apikey", "list", "--json"); strings.Contains(keys, `"secret"`) || !strings.Contains(keys, `"revoked_at"`) {
		t.Errorf("keys: %s", keys)
	}
}
