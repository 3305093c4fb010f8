package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
	"antin/store"
)

// signedWorld is a gateway's side of a signed directory: its database outlives every
// opening of the file.
type signedWorld struct {
	t     *testing.T
	dir   string
	file  string
	guard *exchange.DirectoryGuard
	now   time.Time
	told  []error
}

func newSignedWorld(t *testing.T) *signedWorld {
	t.Helper()
	w := &signedWorld{t: t, dir: t.TempDir(), now: time.Now().Truncate(time.Second)}
	w.file = filepath.Join(w.dir, "peers.yaml")
	for _, k := range []string{"signer", "next", "stranger", "peer"} {
		_, _ = tlsPair(t, w.dir, k)
	}
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w.guard = &exchange.DirectoryGuard{Store: db, Agency: "H98.1", Now: func() time.Time { return w.now }}
	return w
}

// sign returns a directory that holds the agency name, and our own.
func (w *signedWorld) sign(key string, serial int64, name string, life time.Duration) []byte {
	w.t.Helper()
	k, err := loadSigningKey(filepath.Join(w.dir, key+".key"))
	if err != nil {
		w.t.Fatal(err)
	}
	body := "agencies:\n  - code: H98.1\n    name: ours\n  - code: H98.2\n    name: " + name + "\n    url: https://b:8443\n    certificates:\n" +
		indented(w.t, filepath.Join(w.dir, "peer.pem"))
	signed, err := jws.SignDirectory(nil, k, jws.Directory{Serial: serial, IssuedAt: w.now, ExpiresAt: w.now.Add(life)}, []byte(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return signed
}

// put replaces the file, a second and more later.
func (w *signedWorld) put(data []byte) {
	w.t.Helper()
	if err := os.WriteFile(w.file, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	if err := os.Chtimes(w.file, w.now, w.now); err != nil {
		w.t.Fatal(err)
	}
}

func (w *signedWorld) open(trust ...string) (*peerDirectory, error) {
	w.t.Helper()
	cfg := defaultConfig()
	cfg.Directory = w.file
	for _, k := range trust {
		cfg.DirectoryTrust = append(cfg.DirectoryTrust, filepath.Join(w.dir, k+".pem"))
	}
	w.told = nil
	d, err := cfg.openDirectory(exchange.Agency{Code: "H98.1", Name: "us"}, func() time.Time { return w.now }, func(err error) { w.told = append(w.told, err) })
	if err != nil {
		return nil, err
	}
	return d, d.bind(w.t.Context(), w.guard)
}

// name is what the directory in force calls the peer.
func (w *signedWorld) name(d *peerDirectory) string {
	w.t.Helper()
	a, err := d.Agency(w.t.Context(), "H98.2")
	if err != nil {
		return ""
	}
	return a.Name
}

// events are the kinds of what stands about the directory in the evidence.
func (w *signedWorld) events() (out []string) {
	w.t.Helper()
	if err := w.guard.Store.View(w.t.Context(), func(tx exchange.Tx) error {
		list, err := tx.EventsOf(w.t.Context(), "directory")
		for _, e := range list {
			out = append(out, string(e.Kind)+" "+e.Data["serial"])
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

const quarter = 90 * 24 * time.Hour

func TestThreatDirectoryRollback(t *testing.T) {
	t.Parallel()
	w := newSignedWorld(t)
	old, fresh := w.sign("signer", 4, "old", quarter), w.sign("signer", 5, "fresh", quarter)
	w.put(old)
	d, err := w.open("signer")
	if err != nil || w.name(d) != "old" {
		t.Fatalf("%q: %v", w.name(d), err)
	}
	w.put(fresh)
	if got := w.name(d); got != "fresh" || len(w.told) != 0 {
		t.Fatalf("%q, told %v", got, w.told)
	}
	w.put(old)
	if got := w.name(d); got != "fresh" || len(w.told) != 1 || text.CodeOf(w.told[0]) != text.StateConflict {
		t.Errorf("the old one came back: %q, told %v", got, w.told)
	}
	w.put(w.sign("signer", 5, "other", quarter))
	if got := w.name(d); got != "fresh" || len(w.told) != 2 {
		t.Errorf("other bytes of one serial: %q, told %v", got, w.told)
	}
	// A restart finds the old file and goes on with what it knows to be newer.
	w.put(old)
	d, err = w.open("signer")
	if err != nil || w.name(d) != "fresh" || len(w.told) != 1 {
		t.Errorf("after a restart: %q, told %v, %v", w.name(d), w.told, err)
	}
	// So does one that finds no directory at all.
	if err := os.Remove(w.file); err != nil {
		t.Fatal(err)
	}
	if d, err = w.open("signer"); err != nil || w.name(d) != "fresh" {
		t.Errorf("without the file: %v", err)
	}
	w.put(w.sign("signer", 6, "newest", quarter))
	if got := w.name(d); got != "newest" {
		t.Errorf("a newer one is not taken: %q", got)
	}
	want := "directory.accepted 4, directory.accepted 5, directory.refused 4, directory.refused 5, directory.refused 4, directory.accepted 6"
	if got := strings.Join(w.events(), ", "); got != want {
		t.Errorf("evidence:\n got %s\nwant %s", got, want)
	}
}

func TestThreatDirectoryForged(t *testing.T) {
	t.Parallel()
	w := newSignedWorld(t)
	good := w.sign("signer", 1, "good", quarter)
	w.put(good)
	d, err := w.open("signer")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"without a signature": good[bytes.IndexByte(good, '\n')+1:],
		"a stranger's":        w.sign("stranger", 2, "bad", quarter),
		"changed":             bytes.Replace(good, []byte("name: good"), []byte("name: evil"), 1),
		"from the future": func() []byte {
			w.now = w.now.Add(time.Hour)
			s := w.sign("signer", 2, "bad", quarter)
			w.now = w.now.Add(-time.Hour)
			return s
		}(),
		"with names of files": func() []byte {
			k, err := loadSigningKey(filepath.Join(w.dir, "signer.key"))
			if err != nil {
				t.Fatal(err)
			}
			s, err := jws.SignDirectory(nil, k, jws.Directory{Serial: 2, IssuedAt: w.now, ExpiresAt: w.now.Add(quarter)},
				[]byte("agencies:\n  - code: H98.2\n    name: bad\n    url: https://b\n    certificates: [peer.pem]\n"))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}(),
	} {
		w.told = nil
		w.put(data)
		if got := w.name(d); got != "good" || len(w.told) != 1 || text.CodeOf(w.told[0]) != text.ConfigInvalid {
			t.Errorf("%s: %q, told %v", name, got, w.told)
		}
	}
	// An installation that never had a good one has none to go on with.
	w.put(w.sign("stranger", 2, "bad", quarter))
	w.guard.Agency = "H98.9"
	if _, err := w.open("signer"); text.CodeOf(err) != text.ConfigInvalid {
		t.Errorf("starts with a stranger's directory: %v", err)
	}
}

func TestThreatDirectoryExpired(t *testing.T) {
	t.Parallel()
	w := newSignedWorld(t)
	w.put(w.sign("signer", 1, "x", time.Hour))
	d, err := w.open("signer")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.closed(t.Context()); err != nil {
		t.Fatalf("closed too early: %v", err)
	}
	w.now = w.now.Add(2 * time.Hour)
	if err := d.closed(t.Context()); text.CodeOf(err) != text.ConfigInvalid || w.name(d) != "x" {
		t.Errorf("an expired directory: %v; its entries must still be known", err)
	}
	w.put(w.sign("signer", 2, "y", quarter))
	if err := d.closed(t.Context()); err != nil {
		t.Errorf("with a new one: %v", err)
	}
}

func TestTheDirectorysKeyChangesOver(t *testing.T) {
	t.Parallel()
	w := newSignedWorld(t)
	w.put(w.sign("signer", 1, "one", quarter))
	if _, err := w.open("signer"); err != nil {
		t.Fatal(err)
	}
	d, err := w.open("signer", "next") // both are pinned for a while
	if err != nil || w.name(d) != "one" {
		t.Fatalf("%q: %v", w.name(d), err)
	}
	w.put(w.sign("next", 2, "two", quarter))
	if got := w.name(d); got != "two" {
		t.Fatalf("%q, told %v", got, w.told)
	}
	if d, err = w.open("next"); err != nil || w.name(d) != "two" {
		t.Fatalf("%q: %v", w.name(d), err)
	}
	w.put(w.sign("signer", 3, "three", quarter))
	if got := w.name(d); got != "two" || len(w.told) != 1 {
		t.Errorf("the old key still counts: %q, told %v", got, w.told)
	}
}

func TestDirectoryVerbsSignVerifyShowAndCompare(t *testing.T) {
	t.Parallel()
	w := newSignedWorld(t)
	plain := filepath.Join(w.dir, "plain.yaml")
	write := func(name string) {
		t.Helper()
		body := "agencies:\n  - code: H98.2\n    name: " + name + "\n    url: https://b:8443\n    certificates:\n" + indented(t, filepath.Join(w.dir, "peer.pem"))
		if err := os.WriteFile(plain, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want int, args ...string) string {
		t.Helper()
		code, out, said := invoke(t, args...)
		if code != want {
			t.Fatalf("%v: exit %d, %s", args, code, said)
		}
		return out
	}
	signed, key, trust := filepath.Join(w.dir, "d1.yaml"), filepath.Join(w.dir, "signer.key"), filepath.Join(w.dir, "signer.pem")
	write("Một")
	var v directoryVersion
	if err := json.Unmarshal([]byte(run(0, "directory", "sign", plain, "-o", signed, "--key", key, "--json")), &v); err != nil || v.Serial != 1 || v.Agencies != 1 {
		t.Fatalf("%+v: %v", v, err)
	}
	first, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	before := filepath.Join(w.dir, "d0.yaml")
	if err := os.WriteFile(before, first, 0o600); err != nil {
		t.Fatal(err)
	}
	write("Hai")
	if out := run(0, "directory", "sign", plain, "-o", signed, "--key", key, "--force", "--json"); !strings.Contains(out, `"serial":2`) {
		t.Errorf("the next one: %s", out)
	}
	if out := run(0, "directory", "verify", signed, "--trust", trust, "--json"); !strings.Contains(out, `"serial":2`) {
		t.Errorf("verify: %s", out)
	}
	run(changedExit, "directory", "verify", signed, "--trust", filepath.Join(w.dir, "stranger.pem"))
	run(changedExit, "directory", "verify", plain, "--trust", trust)
	if out := run(0, "directory", "show", signed); !strings.Contains(out, "H98.2  Hai  https://b:8443") {
		t.Errorf("show: %s", out)
	}
	if out := run(0, "directory", "diff", before, signed); !strings.HasPrefix(out, "~ H98.2") {
		t.Errorf("diff: %q", out)
	}
	if out := run(0, "directory", "diff", plain, signed); out != "" {
		t.Errorf("diff of the same: %q", out)
	}
	run(2, "directory", "sign", signed, "-o", plain, "--key", key, "--force")
	run(2, "directory", "sign", plain, "-o", signed, "--key", key, "--force", "--days", "5000")
}

func TestNothingLeavesWhileTheGateIsShut(t *testing.T) {
	t.Parallel()
	w := newSignedWorld(t)
	asked := 0
	o := &exchange.Outbox{Store: w.guard.Store, Now: time.Now, Gate: func(context.Context) error { asked++; return io.ErrClosedPipe }}
	if err := o.Drain(t.Context(), exchange.Lane{From: "H98.1", To: "H98.2"}); err != nil || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	page, err := (&exchange.Held{Outbox: &exchange.Outbox{Store: w.guard.Store, Offices: exchange.OfficeList{}, Gate: o.Gate}}).Waiting(t.Context(), "H98.2", "", 0)
	if err != nil || len(page.Transfers) != 0 || asked != 2 {
		t.Errorf("%+v, asked %d times: %v", page, asked, err)
	}
}
