package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
)

// looked is what one check finds, by its status; every finding that is not ok says
// what to do.
func looked(t *testing.T, check func(context.Context) []finding) []finding {
	t.Helper()
	out := check(t.Context())
	for _, f := range out {
		if (f.Status == findingOK) != f.Fix.IsZero() || f.What.IsZero() || strings.HasPrefix(f.What.VI, "doctor.") || strings.HasPrefix(f.Fix.VI, "doctor.") {
			t.Errorf("%s is %s and says %q, %q", f.Check, f.Status, f.What.VI, f.Fix.VI)
		}
	}
	return out
}

// wantFindings compares statuses and, of each, the text that the catalogue has for key.
func wantFindings(t *testing.T, what string, got []finding, want ...[2]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d findings %+v, want %d", what, len(got), got, len(want))
		return
	}
	for i, w := range want {
		key := text.Key(w[1])
		said, _, _ := strings.Cut(text.Get(key).VI, "%")
		if got[i].Status != w[0] || !strings.HasPrefix(got[i].What.VI, said) || w[0] != findingOK && got[i].Fix != text.Get(key+".fix") {
			t.Errorf("%s: %+v, want %s %s", what, got[i], w[0], key)
		}
	}
}

func probing(t *testing.T, change func(*Config)) *doctor {
	t.Helper()
	cfg := *initAgency(t, "H98.21").config
	change(&cfg)
	return &doctor{e: testEnv(io.Discard), cfg: &cfg}
}

func TestDoctorHasEachTimeStampingServiceMakeAStamp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "quota", http.StatusTooManyRequests) }))
	t.Cleanup(broken.Close)
	d := probing(t, func(c *Config) { c.TSA.URLs = []string{b.tsa, broken.URL} })
	wantFindings(t, "one that works, one that does not", looked(t, d.stamps), [2]string{findingOK, "doctor.tsa"}, [2]string{findingFail, "doctor.tsa.bad"})
	wantFindings(t, "the clock", looked(t, d.clock), [2]string{findingOK, "doctor.clock"})
	d.cfg.TSA.URLs = nil
	wantFindings(t, "none", looked(t, d.stamps), [2]string{findingWarn, "doctor.tsa.none"})
	wantFindings(t, "the clock alone", looked(t, d.clock), [2]string{findingWarn, "doctor.clock.alone"})
	for off, want := range map[time.Duration]string{20 * time.Second: findingWarn, 5 * time.Minute: findingFail} {
		d := probing(t, func(c *Config) { c.TSA.URLs = []string{b.tsa} })
		d.e.now = func() time.Time { return time.Now().Add(off) }
		wantFindings(t, "a clock "+off.String()+" off", looked(t, d.clock), [2]string{want, "doctor.clock.off"})
	}
}

func TestDoctorAsksAboutTheSealAndThePersons(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	root, seal := filepath.Join(b.dir, "root.pem"), filepath.Join(b.dir, "seal.pem")
	writePEMFile(t, root, b.services.Root().Raw)
	writePEMFile(t, seal, b.services.Signer(certstest.RoleSealA).Certificate.Raw)
	set := func(c *Config) {
		c.Trust.Anchors, c.Trust.AllowHosts, c.Keys.SealCertificates = []string{root}, []string{b.allow}, []string{seal}
	}
	d := probing(t, set)
	d.bound = []namedCertificate{{"lanhdao", b.services.Leader().Certificate.Raw}}
	wantFindings(t, "seal and leader", looked(t, d.ocsp), [2]string{findingOK, "doctor.ocsp"}, [2]string{findingOK, "doctor.ocsp"})
	d = probing(t, set)
	d.cfg.Trust.AllowHosts = nil // the services lie on the loopback network
	got := looked(t, d.ocsp)
	if len(got) != 1 || got[0].Status != findingFail {
		t.Errorf("a host that is not allowed: %+v", got)
	}
	d = probing(t, func(c *Config) { set(c); c.Trust.Anchors = nil })
	wantFindings(t, "without anchors", looked(t, d.ocsp), [2]string{findingWarn, "doctor.ocsp.none"})
	d = probing(t, func(c *Config) { set(c); c.Keys.SealCertificates = nil })
	wantFindings(t, "without certificates", looked(t, d.ocsp), [2]string{findingWarn, "doctor.ocsp.none"})
	other := newBench(t)
	strange := filepath.Join(b.dir, "strange.pem")
	writePEMFile(t, strange, other.services.RootCA().Certificate.Raw)
	d = probing(t, func(c *Config) { set(c); c.Trust.Anchors = []string{strange}; c.Trust.AllowHosts = nil })
	got = looked(t, d.ocsp)
	if len(got) != 1 || got[0].Status != findingFail {
		t.Errorf("a certificate of strangers: %+v", got)
	}
}

// peerEntry writes a directory of one agency.
func peerEntry(t *testing.T, code, url string, certificates ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "peers.yaml")
	yaml := fmt.Sprintf("agencies:\n  - code: %s\n    name: %s\n    url: %s\n    certificates: [%s]\n", code, code, url, strings.Join(certificates, ", "))
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDoctorReachesPeersAndIsKnownToThem(t *testing.T) {
	t.Parallel()
	one, two := initAgency(t, "H98.21"), initAgency(t, "H98.35")
	two.config.Directory = peerEntry(t, "H98.21", "https://127.0.0.1:1", one.config.Peer.Certificate)
	s := startServe(t, two.config)
	look := func(cfg *Config, directory string) []finding {
		c := *cfg
		c.Directory = directory
		return looked(t, (&doctor{e: testEnv(io.Discard), cfg: &c}).peers)
	}
	right := peerEntry(t, "H98.35", "https://"+s.Peer, two.config.Peer.Certificate)
	wantFindings(t, "a peer that knows us", look(one.config, right), [2]string{findingOK, "doctor.peers"})
	stranger := initAgency(t, "H98.36")
	wantFindings(t, "one that does not", look(stranger.config, right), [2]string{findingFail, "doctor.peers.bad"})
	wantFindings(t, "another certificate than the directory's",
		look(one.config, peerEntry(t, "H98.35", "https://"+s.Peer, stranger.config.Peer.Certificate)), [2]string{findingFail, "doctor.peers.bad"})
	wantFindings(t, "nobody there", look(one.config, peerEntry(t, "H98.35", "https://127.0.0.1:1", two.config.Peer.Certificate)), [2]string{findingFail, "doctor.peers.bad"})
	wantFindings(t, "no directory", look(one.config, right+"x"), [2]string{findingFail, "doctor.peers.directory"})
}

// heldBy runs a key helper with the sandbox's seal of A and returns its configuration.
func heldBy(t *testing.T, b *bench) (file, socket, log string) {
	t.Helper()
	e := b.services.Signer(certstest.RoleSealA)
	dir := t.TempDir()
	socket, log, file = filepath.Join(dir, "keys.sock"), filepath.Join(dir, "keys.log"), filepath.Join(dir, "keys.yaml")
	yaml := fmt.Sprintf("socket: %s\nlog: %s\nkeys:\n  - {id: seal, kind: seal, p12: %s}\n", socket, log, filepath.Join(b.pki, "co-quan-a.p12"))
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	server := &helper.Server{LogPath: log, Now: time.Now, Keys: map[string]helper.HeldKey{"seal": {Key: signer.Key{Signer: e.Key, Chain: e.Chain}, Kind: helper.KindSeal}}}
	l, err := helper.Listen(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return file, socket, log
}

func TestDoctorHoldsTheHelpersSealAgainstTheDirectoryEntry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, socket, _ := heldBy(t, b)
	// Sandbox certificates are refused before they are compared, so the certificate
	// that peers are told is one without the mark.
	other, _ := tlsPair(t, t.TempDir(), "seal")
	d := probing(t, func(c *Config) { c.Keys.Helper, c.Keys.Seal = socket, "seal" })
	wantFindings(t, "nothing told", looked(t, d.keys), [2]string{findingOK, "doctor.keys"}, [2]string{findingWarn, "doctor.seal.untold"})
	d.cfg.Keys.SealCertificates = []string{other}
	wantFindings(t, "another told", looked(t, d.keys), [2]string{findingOK, "doctor.keys"}, [2]string{findingFail, "doctor.seal.other"})
	wantFindings(t, "a helper without certificates", d.sealCertificate(signer.Key{}), [2]string{findingFail, "doctor.seal.other"})
	data, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	told, err := certs.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, "the one that is told", d.sealCertificate(signer.Key{Chain: []*certs.Certificate{told}}), [2]string{findingOK, "doctor.seal"})
	d.cfg.Keys.Helper += "x"
	wantFindings(t, "no helper", looked(t, d.keys), [2]string{findingFail, "doctor.keys.bad"})
}

func TestDoctorSeesLinesTakenOffTheKeyLog(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file, socket, log := heldBy(t, b)
	d := probing(t, func(c *Config) { c.Keys.Helper, c.Keys.Seal = socket, "seal" })
	d.keyFile = file
	client := &helper.Client{Socket: socket}
	defer func() { _ = client.Close() }()
	key, err := client.Key(t.Context(), "seal")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.Signer.Sign(nil, make([]byte, 32), crypto.SHA256); err == nil { // refused for want of a purpose, and logged
		t.Fatal("signed without a purpose")
	}
	wantFindings(t, "a whole log", looked(t, d.keyLog), [2]string{findingOK, "doctor.keylog"})
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, "an emptied log", looked(t, d.keyLog), [2]string{findingFail, "doctor.keylog.bad"})
	d.keyFile += "x"
	if got := d.keyLog(t.Context()); got != nil {
		t.Errorf("a log of somebody else: %+v", got)
	}
}

func TestPEMFilesThatTheDirectoryNamesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, _ := tlsPair(t, dir, "first")
	second, _ := tlsPair(t, dir, "second")
	named := filepath.Join(dir, "peer.pem")
	put := func(from string) {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(named+".new", data, 0o600)
		}
		if err == nil {
			err = os.Rename(named+".new", named)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pin := func(file string) [32]byte {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		return peer.Fingerprint(block.Bytes)
	}
	put(first)
	now := time.Now()
	var told []error
	d, err := openDirectory(peerEntry(t, "H98.35", "https://b.example", named), exchange.Agency{Code: "H98.21"}, func() time.Time { return now }, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	inForce := func() [32]byte {
		now = now.Add(2 * directoryEvery)
		a, err := d.Agency(t.Context(), "H98.35")
		if err != nil {
			t.Fatal(err)
		}
		return a.TLS[0]
	}
	if inForce() != pin(first) {
		t.Error("not what the file holds")
	}
	put(second)
	if inForce() != pin(second) || len(told) > 0 {
		t.Errorf("the new certificate is not in force; told %v", told)
	}
	if err := os.Remove(named); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if inForce() != pin(second) || len(told) != 1 {
			t.Errorf("without the file; told %v", told)
		}
	}
	put(first)
	if inForce() != pin(first) {
		t.Error("the file that came back is not in force")
	}
}

func TestANewTransportKeyIsTakenUpWithoutARestart(t *testing.T) {
	t.Parallel()
	one, two := initAgency(t, "H98.21"), initAgency(t, "H98.35")
	two.config.Directory = peerEntry(t, "H98.21", "https://127.0.0.1:1", one.config.Peer.Certificate)
	e := testEnv(newWatched())
	later := time.Now()
	e.now = func() time.Time { return later }
	g, err := openGateway(t.Context(), e, two.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.close() })
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.peers.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-ended })
	visitor, err := loadIdentity(one.config)
	if err != nil {
		t.Fatal(err)
	}
	shown := func() [32]byte {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true,
			Certificates: []tls.Certificate{{Certificate: [][]byte{visitor.Certificate}, PrivateKey: visitor.Key}}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return peer.Fingerprint(conn.ConnectionState().PeerCertificates[0].Raw)
	}
	old, err := loadIdentity(two.config)
	if err != nil {
		t.Fatal(err)
	}
	if shown() != old.Fingerprint() {
		t.Fatal("shows another certificate than its file's")
	}
	fresh := initAgency(t, "H98.35").config
	for from, to := range map[string]string{fresh.Peer.Key: two.config.Peer.Key, fresh.Peer.Certificate: two.config.Peer.Certificate} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	later = later.Add(time.Minute)
	next, err := loadIdentity(two.config)
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != next.Fingerprint() || got == old.Fingerprint() {
		t.Error("the new certificate is not shown")
	}
	office, err := g.offices.Office(t.Context(), "H98.35")
	if err != nil {
		t.Fatal(err)
	}
	if !next.Key.Public().(*ecdsa.PublicKey).Equal(office.GatewayKey.Public()) {
		t.Error("manifests and receipts are signed with the old key")
	}
	if len(office.Agency.TLS) != 2 || office.Agency.TLS[0] != next.Fingerprint() {
		t.Errorf("the agency's own entry lists %d certificates", len(office.Agency.TLS))
	}
}

func TestDoctorSaysThatNoDirectoryIsSet(t *testing.T) {
	t.Parallel()
	d := probing(t, func(c *Config) { c.Directory = "" })
	wantFindings(t, "no directory", looked(t, d.peers), [2]string{findingWarn, "doctor.peers.unset"})
}
