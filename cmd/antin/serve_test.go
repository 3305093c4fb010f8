package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// madeAgency is what `antin init` made, with ports that nobody else has.
type madeAgency struct {
	dir    string
	entry  string // what the other side gets
	said   string // with the password and the key
	config *Config
}

func initAgency(t *testing.T, code string, more ...string) madeAgency {
	t.Helper()
	m := madeAgency{dir: filepath.Join(t.TempDir(), "agency")}
	var out, said bytes.Buffer
	args := append([]string{"init", "--dir", m.dir, "--code", code, "--name", "Cơ quan " + code, "--no-input"}, more...)
	if rc := run(t.Context(), args, streams{out: &out, err: &said}); rc != 0 {
		t.Fatalf("init: exit %d: %s", rc, said.String())
	}
	m.entry, m.said = out.String(), said.String()
	m.load(t)
	return m
}

// load reads the configuration as serve does, on free ports.
func (m *madeAgency) load(t *testing.T) {
	t.Helper()
	e := testEnv(&bytes.Buffer{})
	e.config = filepath.Join(m.dir, "antin.yaml")
	cfg, err := loadConfig(e)
	if err != nil {
		t.Fatal(err)
	}
	desk, public := freePort(t), freePort(t)
	cfg.Listen = ListenConfig{Desk: desk, Public: public, Peer: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	cfg.Desk.URL, cfg.Public.URL = "http://"+desk, "http://"+public
	m.config = cfg
}

// running is a serve in this process.
type running struct {
	addresses
	stop func() error // SIGTERM, and what serve returned
}

func startServe(t *testing.T, cfg *Config) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan addresses, 1), make(chan error, 1)
	go func() { ended <- serve(ctx, testEnv(newWatched()), cfg, func(a addresses) { ready <- a }) }()
	select {
	case a := <-ready:
		stop := sync.OnceValue(func() error { cancel(); return <-ended })
		t.Cleanup(func() { _ = stop() }) // it has ended before its folder is removed
		return running{a, stop}
	case err := <-ended:
		cancel()
		t.Fatalf("serve: %v", err)
		return running{}
	}
}

// status is the answer to a GET, after change.
func status(t *testing.T, url string, change func(*http.Request)) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// withoutVariables hides what tests are told by ANTIN_* variables: to an
// installation these are misspelt settings.
func withoutVariables(t *testing.T) {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "ANTIN_") {
			t.Setenv(name, value) // puts it back in the end
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestInitServesAndIsWell(t *testing.T) {
	t.Setenv("HOME", "")
	withoutVariables(t)
	m := initAgency(t, "H98.21")
	if st, err := os.Stat(m.config.Peer.Key); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the transport key: %v, %v", st.Mode(), err)
	}
	if !strings.Contains(m.said, "antin_live_") || strings.Contains(m.entry, "PRIVATE") {
		t.Errorf("said %s\nentry %s", m.said, m.entry)
	}
	s := startServe(t, m.config)
	for url, want := range map[string]int{
		"http://" + s.Desk + "/":            http.StatusSeeOther, // to log-in
		"http://" + s.Desk + "/v1/agencies": http.StatusUnauthorized,
		"http://" + s.Desk + "/metrics":     http.StatusNotFound,
		"http://" + s.Public + "/":          http.StatusOK,
		"http://" + s.Public + "/login":     http.StatusNotFound,
		"http://" + s.Admin + "/healthz":    http.StatusOK,
		"http://" + s.Admin + "/metrics":    http.StatusOK,
	} {
		if got := status(t, url, nil); got != want {
			t.Errorf("%s: %d, want %d", url, got, want)
		}
	}
	if got := status(t, "http://"+s.Desk+"/", func(r *http.Request) { r.Host = "evil.example" }); got != http.StatusMisdirectedRequest {
		t.Errorf("another host name gets %d", got)
	}
	key := m.said[strings.Index(m.said, "antin_live_"):]
	key = key[:strings.IndexAny(key, "\n ")]
	if got := status(t, "http://"+s.Desk+"/v1/agencies", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }); got != http.StatusOK {
		t.Errorf("the key that init made gets %d", got)
	}
	if err := serve(t.Context(), testEnv(newWatched()), m.config, nil); text.CodeOf(err) != text.DataInUse || text.CodeOf(err).Exit() != 9 {
		t.Errorf("a second process: %v", err)
	}
	m.backsUpWhileServing(t)
	m.doctors(t)
	if err := s.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// backsUpWhileServing makes a backup beside the running serve and restores it.
func (m madeAgency) backsUpWhileServing(t *testing.T) {
	t.Helper()
	config := filepath.Join(m.dir, "antin.yaml")
	file := filepath.Join(t.TempDir(), "backup.tar")
	var said bytes.Buffer
	quiet := streams{out: &said, err: &said}
	if rc := run(t.Context(), []string{"--config", config, "backup", "-o", file}, quiet); rc != 0 {
		t.Fatalf("backup: exit %d: %s", rc, said.String())
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the backup: %v, %v", st, err)
	}
	if rc := run(t.Context(), []string{"--config", config, "backup", "-o", file}, quiet); rc != 9 {
		t.Errorf("over an existing backup: exit %d", rc)
	}
	if rc := run(t.Context(), []string{"--config", config, "restore", file}, quiet); rc == 0 {
		t.Error("restored into a directory that is not empty")
	}
	other := filepath.Join(t.TempDir(), "restored")
	t.Setenv("ANTIN_DATA_DIR", other)
	if rc := run(t.Context(), []string{"--config", config, "restore", file, "--dry-run"}, quiet); rc != 0 || store.Exists(other) {
		t.Errorf("dry run: exit %d, wrote %v", rc, store.Exists(other))
	}
	if rc := run(t.Context(), []string{"--config", config, "restore", file}, quiet); rc != 0 || !store.Exists(other) {
		t.Errorf("restore: exit %d: %s", rc, said.String())
	}
	t.Setenv("ANTIN_DATA_DIR", m.config.DataDir)
}

// doctors looks at the agency beside the running serve.
func (m madeAgency) doctors(t *testing.T) {
	t.Helper()
	var out, said bytes.Buffer
	if rc := run(t.Context(), []string{"--config", filepath.Join(m.dir, "antin.yaml"), "doctor", "--json"}, streams{out: &out, err: &said}); rc != 1 {
		t.Errorf("doctor: exit %d with nothing trusted: %s", rc, said.String())
	}
	found := map[string]finding{}
	for line := range strings.Lines(out.String()) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if (f.Fix.IsZero()) != (f.Status == findingOK) {
			t.Errorf("%s is %s with fix %q", f.Check, f.Status, f.Fix.VI)
		}
		found[f.Check] = f
	}
	for check, want := range map[string]string{"config": findingOK, "trust": findingFail, "allow-hosts": findingWarn, "permissions": findingOK, "database": findingOK,
		"evidence": findingOK, "accounts": findingOK, "keys": findingWarn, "certificates": findingOK, "tsa": findingWarn, "ocsp": findingWarn, "peers": findingWarn} {
		if found[check].Status != want {
			t.Errorf("%s is %q, want %s: %s", check, found[check].Status, want, found[check].What.VI)
		}
	}
}

func TestInitNeverOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	s := streams{out: &said, err: &said}
	if rc := run(t.Context(), []string{"init", "--dir", dir, "--code", "A", "--name", "A", "--no-input"}, s); rc != text.OutputExists.Exit() {
		t.Errorf("exit %d: %s", rc, said.String())
	}
	free := filepath.Join(dir, "new")
	for _, args := range [][]string{{"--name", "A"}, {"--code", "A"}, {"--code", "không", "--name", "A"}, {"--code", "A", "--name", "A", "--desk-url", "http://desk.example"}} {
		if rc := run(t.Context(), append([]string{"init", "--dir", free, "--no-input"}, args...), s); rc != 2 {
			t.Errorf("%v: exit %d", args, rc)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".antin-init-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestServeRefusesAtItsStart(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.21")
	pki, err := certstest.New(certstest.Options{BaseURL: "http://127.0.0.1:1", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	root, seal := filepath.Join(m.dir, "root.pem"), filepath.Join(m.dir, "seal.pem")
	writePEMFile(t, root, pki.Root().Raw)
	writePEMFile(t, seal, pki.Signer(certstest.RoleSealA).Certificate.Raw)
	peerSeal := filepath.Join(m.dir, "peers.yaml")
	if err := os.WriteFile(peerSeal, []byte("agencies:\n  - code: H98.35\n    name: B\n    seals: [seal.pem]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(c *Config)
		code   text.Code
	}{
		"plain HTTP off loopback":       {func(c *Config) { c.Listen.Desk = "0.0.0.0:0" }, text.ConfigInvalid},
		"plain public pages everywhere": {func(c *Config) { c.Listen.Public = ":0" }, text.ConfigInvalid},
		"https without TLS or proxy":    {func(c *Config) { c.Desk.URL = "https://desk.example" }, text.ConfigInvalid},
		"metrics for everyone":          {func(c *Config) { c.Listen.Admin = ":0" }, text.ConfigInvalid},
		"no agency":                     {func(c *Config) { c.Agency.Code = "" }, text.ConfigInvalid},
		"no transport key":              {func(c *Config) { c.Peer.Certificate, c.Peer.Key = "", "" }, text.ConfigInvalid},
		"key of another certificate":    {func(c *Config) { c.Peer.Key = otherKey(t, m.dir) }, text.ConfigInvalid},
		"no directory file":             {func(c *Config) { c.Directory += "x" }, text.NotFound},
		"sandbox anchor":                {func(c *Config) { c.Trust.Anchors = []string{root} }, text.SandboxCertificate},
		"sandbox seal":                  {func(c *Config) { c.Keys.SealCertificates = []string{seal} }, text.SandboxCertificate},
		"sandbox seal of a peer":        {func(c *Config) { c.Directory = peerSeal }, text.SandboxCertificate},
		"TLS file that is none":         {func(c *Config) { c.Desk.TLS = TLSConfig{root, root}; c.Desk.URL = "https://desk.example" }, text.ConfigInvalid},
	} {
		cfg := *m.config
		tc.change(&cfg)
		if err := serve(t.Context(), testEnv(newWatched()), &cfg, nil); text.CodeOf(err) != tc.code {
			t.Errorf("%s: %v, want %s", name, err, tc.code)
		}
	}
	if err := checkClock(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)); text.CodeOf(err) != text.ConfigInvalid {
		t.Errorf("a clock of 2020: %v", err)
	}
}

func TestServeRefusesSandboxCertificatesBoundEarlier(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.21")
	pki, err := certstest.New(certstest.Options{BaseURL: "http://127.0.0.1:1", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	db, err := openStore(t.Context(), testEnv(&bytes.Buffer{}), m.config)
	if err != nil {
		t.Fatal(err)
	}
	trial := &exchange.Access{Store: db, Now: time.Now}
	_, _, err = trial.AddAccount(t.Context(), exchange.System("H98.21"), exchange.NewAccount{Login: "lanh-dao", Name: pki.Leader().Certificate.CommonName,
		Role: exchange.RoleLeader, Position: "Chủ tịch", NoPassword: true, Certificate: pki.Leader().Certificate.Raw})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := serve(t.Context(), testEnv(newWatched()), m.config, nil); text.CodeOf(err) != text.SandboxCertificate {
		t.Errorf("got %v", err)
	}
}

func writePEMFile(t *testing.T, file string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func otherKey(t *testing.T, dir string) string {
	t.Helper()
	_, key := tlsPair(t, dir, "other")
	return key
}

func TestDrainingFinishesWhatIsUnderWayAndTakesNothingNew(t *testing.T) {
	t.Parallel()
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := tlsPair(t, t.TempDir(), "localhost")
	live, err := openCertificate(TLSConfig{cert, key}, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	inside, goOn := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- serveDrained(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(inside)
			<-goOn
			_, _ = w.Write([]byte("done"))
		}), live)
	}()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	status := make(chan int, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+l.Addr().String()+"/", http.NoBody)
		if err != nil {
			status <- 0
			return
		}
		res, err := client.Do(req)
		if err != nil {
			status <- 0
			return
		}
		_ = res.Body.Close()
		status <- res.StatusCode
	}()
	<-inside
	cancel()
	for { // the listener closes at once, while the request goes on
		c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	close(goOn)
	if got := <-status; got != http.StatusOK {
		t.Errorf("the request under way got %d", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
