package main

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs"
	"antin/internal/text"
)

// realRoot is a root without the mark of test data.
func realRoot(t *testing.T, name string) *certs.Certificate {
	t.Helper()
	file := filepath.Join(t.TempDir(), "root.pem")
	authority(t, name, file, true)
	list, _, err := loadTrust([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func TestServingTakesUpAChangedTrust(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, folder := filepath.Join(dir, "trust.yaml"), filepath.Join(dir, "goc")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name string, c *certs.Certificate) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b, c := realRoot(t, "A"), realRoot(t, "B"), realRoot(t, "C")
	put("a.pem", a)
	var passed atomic.Int64
	var troubles []error
	now := func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	live, err := openTrust(&TrustConfig{Anchors: []string{folder}, Store: store}, now, func(err error) { troubles = append(troubles, err) })
	if err != nil {
		t.Fatal(err)
	}
	trusts := func(when string, want ...*certs.Certificate) {
		t.Helper()
		passed.Add(int64(2 * recheck))
		list, err := live.Anchors(t.Context(), time.Now())
		if err != nil || len(list) != len(want) {
			t.Fatalf("%s: %d anchors, want %d; %v", when, len(list), len(want), err)
		}
		for i, w := range want {
			if !list[i].Equal(w) {
				t.Errorf("%s: anchor %d is %s", when, i, list[i].Subject)
			}
		}
	}
	trusts("at first", a)
	if err := (trusted{anchors: certs.AnchorList{{Certificate: b, Domain: certs.DomainOfficial}}}).write(store); err != nil {
		t.Fatal(err)
	}
	trusts("a store that was not there", a, b)
	if live.DomainOf(b) != certs.DomainOfficial || live.DomainOf(a) != certs.DomainOwn {
		t.Errorf("domains %s %s", live.DomainOf(b), live.DomainOf(a))
	}
	put("c.pem", c)
	trusts("another file in the folder", a, c, b)
	if err := os.Remove(filepath.Join(folder, "a.pem")); err != nil {
		t.Fatal(err)
	}
	trusts("a file less", c, b)
	if len(troubles) > 0 {
		t.Errorf("%v", troubles)
	}
	if err := os.WriteFile(store, []byte("anchors: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	trusts("a store half written", c, b)
	if len(troubles) == 0 || text.CodeOf(troubles[0]) != text.ConfigInvalid {
		t.Errorf("%v", troubles)
	}
}
