//go:build !windows

package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/store/storetest"
)

const (
	clusterDocuments = 60
	// clusterPace is what lies between two documents: the load goes on over both deaths.
	clusterPace = 60 * time.Millisecond
	// takeOver is how long the lanes of a dead process may rest.
	takeOver = 10 * time.Second
	// slowMachine is what other tests beside this one may add to it.
	slowMachine = 20 * time.Second
)

// TestWorkGoesOnWhenProcessesOfAClusterAreKilled runs three processes of one agency on
// one PostgreSQL database and kills two of them, one after the other, while documents
// go out to another agency's process. Every document arrives, each once, and the
// evidence of both is whole.
func TestWorkGoesOnWhenProcessesOfAClusterAreKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts many processes")
	}
	t.Parallel()
	url := storetest.Postgres(t)
	pki := newPlainPKI(t)
	anchors := pki.saveAnchor(t)
	a := newMember(t, "H98.71", anchors, "ANTIN_DATABASE_URL="+url)
	b := newMember(t, "H98.72", anchors)
	a.knows(t, b)
	b.knows(t, a)
	b.start(t)
	documents := a.prepare(t)
	lives := []*member{a, a.another(t), a.another(t)}
	for _, m := range lives {
		m.start(t)
	}
	g := a.gateway(t)
	defer g.close()
	clerk := a.clerk(t, g)
	var died []time.Time
	for i, id := range documents {
		if i == len(documents)/3 || i == 2*len(documents)/3 {
			lives[len(died)].kill()
			died = append(died, time.Now())
		}
		if _, err := g.outbox.Send(t.Context(), clerk, exchange.SendRequest{Document: id, To: []exchange.AgencyCode{b.code}}); err != nil {
			t.Fatal(err)
		}
		<-time.After(clusterPace) // a load, not a wait for anything
	}
	last := a.awaitDelivered(t, g, documents, append(lives, b))
	rest := last.Sub(died[1]) - time.Duration(len(documents)/3)*clusterPace
	t.Logf("the last document arrived %v after the last was sent, a process having died", rest.Round(time.Millisecond))
	if rest > takeOver+slowMachine {
		t.Errorf("the last document rested for %v after the second death", rest)
	}
	a.checkEvidence(t, g, documents)
	for _, m := range append(lives[2:], b) {
		m.kill()
	}
	b.checkInbox(t, len(documents))
}

// member is one process of an agency.
type member struct {
	code   exchange.AgencyCode
	dir    string
	env    []string
	ports  []string // desk, public, admin
	peer   string
	entry  []byte
	cmd    *exec.Cmd
	stderr *watched
}

// saveAnchor writes the certificate that signatures are judged by.
func (p plainPKI) saveAnchor(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "anchor.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.ca.Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// newMember sets an agency up as the program does.
func newMember(t *testing.T, code exchange.AgencyCode, anchors string, env ...string) *member {
	t.Helper()
	m := &member{code: code, dir: filepath.Join(t.TempDir(), "agency"), peer: freePort(t), ports: []string{freePort(t), freePort(t), freePort(t)}}
	args := []string{"init", "--no-input", "--dir", m.dir, "--code", string(code), "--name", "UBND XÃ " + string(code), "--place", "Thử",
		"--desk-url", "http://" + m.ports[0], "--public-url", "http://" + m.ports[1], "--peer-url", "https://" + m.peer}
	for _, e := range env {
		if u, ok := strings.CutPrefix(e, "ANTIN_DATABASE_URL="); ok {
			args = append(args, "--database-url", withoutPassword(t, u), "--database-password-file", passwordOf(t, u))
		}
	}
	var errs bytes.Buffer
	cmd := again(t, roleProgram, args...)
	cmd.Stderr = &errs
	entry, err := cmd.Output()
	if err != nil {
		t.Fatalf("init: %v: %s", err, &errs)
	}
	m.entry = entry
	m.env = []string{"ANTIN_TRUST_ANCHORS=" + anchors, "ANTIN_DIRECTORY=" + filepath.Join(m.dir, "directory.yaml")}
	return m
}

// knows lists other in m's directory.
func (m *member) knows(t *testing.T, other *member) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, "directory.yaml"), other.entry, 0o600); err != nil {
		t.Fatal(err)
	}
}

// another is one more process of the same agency.
func (m *member) another(t *testing.T) *member {
	t.Helper()
	o := *m
	o.peer, o.ports = freePort(t), []string{freePort(t), freePort(t), freePort(t)}
	return &o
}

func (m *member) variables() []string {
	return append(slices.Clone(m.env), "ANTIN_LISTEN_DESK="+m.ports[0], "ANTIN_LISTEN_PUBLIC="+m.ports[1], "ANTIN_LISTEN_ADMIN="+m.ports[2], "ANTIN_LISTEN_PEER="+m.peer)
}

func (m *member) start(t *testing.T) {
	t.Helper()
	m.stderr = newWatched()
	m.cmd = again(t, roleProgram, "--config", filepath.Join(m.dir, "antin.yaml"), "serve")
	m.cmd.Env = append(m.cmd.Env, m.variables()...)
	m.cmd.Stderr = m.stderr
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.kill)
	late := time.After(servePatience)
	for !strings.Contains(m.stderr.String(), `"msg":"serving"`) {
		select {
		case <-m.stderr.more:
		case <-late:
			t.Fatalf("serve does not begin: %s", m.stderr)
		}
	}
}

func (m *member) kill() {
	if m.cmd.ProcessState == nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
	}
}

// gateway opens m's parts in this process, which does not work the queue.
func (m *member) gateway(t *testing.T) *gateway {
	t.Helper()
	e := testEnv(io.Discard)
	e.config = filepath.Join(m.dir, "antin.yaml")
	cfg, err := loadConfig(e)
	if err == nil {
		err = cfg.fromEnvironment(m.variables())
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := openGateway(t.Context(), e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (m *member) clerk(t *testing.T, g *gateway) exchange.Actor {
	t.Helper()
	acc, err := g.access.AccountByLogin(t.Context(), m.code, "van-thu")
	if err != nil {
		t.Fatal(err)
	}
	return acc.Actor()
}

// prepare makes the documents that are to go out.
func (m *member) prepare(t *testing.T) (ids []exchange.ID) {
	t.Helper()
	g := m.gateway(t)
	defer g.close()
	if _, _, err := g.access.AddAccount(t.Context(), exchange.System(m.code), exchange.NewAccount{Login: "van-thu", Name: "Lê Thị Văn Thư",
		Role: exchange.RoleClerk, Password: servedPassword, Keep: true}); err != nil {
		t.Fatal(err)
	}
	clerk := m.clerk(t, g)
	for i := range clusterDocuments {
		d, err := g.outbox.Create(t.Context(), clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND",
			Subject: fmt.Sprintf("Gửi %d", i), PDF: bytes.NewReader(crashPDF(t, 1)), FileName: "vb.pdf", Final: &exchange.Number{Seq: 1000 + i, Date: time.Now()}, Confirmed: true})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	return ids
}

// awaitDelivered waits until every document is delivered and returns when the last one was.
func (m *member) awaitDelivered(t *testing.T, g *gateway, documents []exchange.ID, all []*member) (last time.Time) {
	t.Helper()
	late := time.After(servePatience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		waiting := 0
		err := g.db.View(t.Context(), func(tx exchange.Tx) error {
			byDocument, err := tx.DeliveriesIn(t.Context(), documents)
			for _, id := range documents {
				if ds := byDocument[id]; len(ds) != 1 || ds[0].State != exchange.DeliveryDelivered {
					waiting++
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if waiting == 0 {
			return time.Now()
		}
		select {
		case <-late:
			for _, o := range all {
				t.Logf("%s: %s", o.code, tail(o.stderr.String(), 20))
			}
			t.Fatalf("%d of %d were not delivered", waiting, len(documents))
		case <-tick.C:
		}
	}
}

// checkEvidence checks the sender's log: whole, and each delivery in it once.
func (m *member) checkEvidence(t *testing.T, g *gateway, documents []exchange.ID) {
	t.Helper()
	if _, _, err := g.evidence.Verify(t.Context(), m.code); err != nil {
		t.Error(err)
	}
	for _, id := range documents {
		var events []exchange.Event
		if err := g.db.View(t.Context(), func(tx exchange.Tx) (err error) { events, err = tx.EventsOf(t.Context(), id); return err }); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range events {
			if e.Kind == exchange.EventDelivered {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s was delivered %d times by the evidence", id, n)
		}
	}
}

// checkInbox checks what came in: so many documents, each once.
func (m *member) checkInbox(t *testing.T, want int) {
	t.Helper()
	g := m.gateway(t)
	defer g.close()
	if _, _, err := g.evidence.Verify(t.Context(), m.code); err != nil {
		t.Error(err)
	}
	items, err := g.inbox.List(t.Context(), exchange.System(m.code), exchange.InboxFilter{Kind: exchange.KindDocument, Page: exchange.Page{Limit: 500}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, i := range items {
		seen[i.Header.DocumentID] = true
	}
	if len(items) != want || len(seen) != want {
		t.Errorf("%d items of %d documents came in, want %d", len(items), len(seen), want)
	}
}

func withoutPassword(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(u.User.Username())
	return u.String()
}

// passwordOf writes the password of an address into a file.
func passwordOf(t *testing.T, address string) (file string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	file = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
