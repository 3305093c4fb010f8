package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/exchange"
	"antin/store"
)

func TestMigrateCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := func(name, data, more string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("agency: {code: H98.21, name: Sở Nội vụ}\ndata_dir: "+filepath.Join(dir, data)+"\n"+more), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	from, to := config("a.yaml", "a", ""), config("b.yaml", "b", "")
	db, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(dir, "a")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx exchange.Tx) error {
		_, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: "H98.21", Subject: "vb_1", Kind: exchange.EventSent})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	migrate := func(args ...string) (string, error) {
		var stderr strings.Builder
		cmd := again(t, roleProgram, append([]string{"migrate", "--lang", "en"}, args...)...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		return string(out) + stderr.String(), err
	}
	if out, err := migrate("--config", from, "--to", to); err == nil || !strings.Contains(out, "data-in-use") {
		t.Errorf("while serve runs: %v\n%s", err, out)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ to, says string }{
		"itself":         {from, "in use"},
		"another agency": {strings.Replace(config("c.yaml", "c", ""), "c.yaml", "d.yaml", 1), ""},
	} {
		if name == "another agency" {
			if err := os.WriteFile(tc.to, []byte("agency: {code: H98.35, name: Khác}\ndata_dir: "+filepath.Join(dir, "d")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := migrate("--config", from, "--to", tc.to); err == nil || !strings.Contains(out, tc.says) {
			t.Errorf("to %s: %v\n%s", name, err, out)
		}
	}
	out, err := migrate("--config", from, "--to", to, "--json", "--quiet")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var m store.Migrated
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	rows := map[string]int64{}
	for _, s := range m.Tables {
		rows[s.Table] = s.Rows
	}
	if rows["event"] != 1 {
		t.Errorf("proved %+v", m)
	}
	if out, err := migrate("--config", from, "--to", to); err == nil {
		t.Errorf("to a place that holds rows: %s", out)
	}
}

func TestBlobsConfigIsWholeOrRefused(t *testing.T) {
	t.Parallel()
	whole := S3Config{Endpoint: "https://s3.noi-bo:9000", Bucket: "antin", Prefix: "h98/blobs", AccessKeyFile: "/a", SecretKeyFile: "/s"}
	for name, tc := range map[string]struct {
		change func(s *S3Config)
		ok     bool
	}{
		"nothing":              {func(s *S3Config) { *s = S3Config{} }, true},
		"whole":                {func(*S3Config) {}, true},
		"http here":            {func(s *S3Config) { s.Endpoint = "http://127.0.0.1:9000" }, true},
		"http over a network":  {func(s *S3Config) { s.Endpoint = "http://s3.noi-bo:9000" }, false},
		"no endpoint":          {func(s *S3Config) { s.Endpoint = "" }, false},
		"a path":               {func(s *S3Config) { s.Endpoint += "/antin" }, false},
		"a password":           {func(s *S3Config) { s.Endpoint = "https://a:b@s3" }, false},
		"no bucket":            {func(s *S3Config) { s.Bucket = "" }, false},
		"a bucket in capitals": {func(s *S3Config) { s.Bucket = "Antin" }, false},
		"a prefix that climbs": {func(s *S3Config) { s.Prefix = "../x" }, false},
		"no access key":        {func(s *S3Config) { s.AccessKeyFile = "" }, false},
		"no secret key":        {func(s *S3Config) { s.SecretKeyFile = "" }, false},
	} {
		c := Config{Blobs: BlobsConfig{S3: whole}}
		tc.change(&c.Blobs.S3)
		if err := c.checkBlobs(); (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
