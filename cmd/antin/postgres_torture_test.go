//go:build failpoint && linux

package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// postgresDeaths is how often the server dies in one trial.
	postgresDeaths = 3
	// postgresPatience bounds its start, recovery included.
	postgresPatience = 2 * time.Minute
)

// ownPostgres is a server that belongs to one test, so that it can be killed.
type ownPostgres struct {
	t        *testing.T
	bin, dir string
	port     string
	as       *syscall.Credential // nil: this user, who is not root
	pid      int
	ended    chan struct{} // closed when that process has ended; nil before the first
}

// newOwnPostgres makes a server with fsync on and starts it. Without Debian's PostgreSQL
// the test is skipped, and fails where ANTIN_CI is set.
func newOwnPostgres(t *testing.T) *ownPostgres {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 && os.Getenv("ANTIN_CI") != "" {
		t.Fatal("there is no PostgreSQL (Debian: postgresql)")
	}
	if len(found) == 0 {
		t.Skip("there is no PostgreSQL here (Debian: postgresql), so none was killed")
	}
	slices.Sort(found)
	dir, err := os.MkdirTemp("", "antin-pg-") // below a folder that another user may enter
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &ownPostgres{t: t, bin: filepath.Dir(found[len(found)-1]), dir: dir, port: port}
	t.Cleanup(func() {
		p.kill()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if os.Getuid() == 0 { // a server refuses to run as root
		p.as = p.unprivileged()
		if err := os.Chown(dir, int(p.as.Uid), int(p.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := p.command("initdb", "-D", p.data(), "-U", "antin", "-E", "UTF8", "--auth=trust", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *ownPostgres) data() string { return filepath.Join(p.dir, "data") }

func (p *ownPostgres) unprivileged() *syscall.Credential {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	p.t.Fatal("there is no user for the server to run as")
	return nil
}

// command is a program of PostgreSQL.
func (p *ownPostgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir, cmd.Env = p.dir, []string{"LC_ALL=C.UTF-8", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	return cmd
}

// start returns when the server answers, having recovered what it was killed in.
func (p *ownPostgres) start() error {
	db, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, stop := context.WithTimeout(p.t.Context(), postgresPatience)
	defer stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for db.PingContext(ctx) != nil {
		if ctx.Err() != nil {
			said, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			return fmt.Errorf("the server does not start: %s", tail(string(said), 50))
		}
		if err := p.begin(); err != nil {
			return err
		}
		<-tick.C
	}
	return nil
}

// begin starts the server unless it runs. One that finds the memory of the dead still in
// use ends at once, and is begun again.
func (p *ownPostgres) begin() error {
	if p.ended != nil {
		select {
		case <-p.ended:
		default:
			return nil
		}
	}
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := p.command("postgres", "-D", p.data(), "-c", "listen_addresses=127.0.0.1", "-c", "port="+p.port,
		"-c", "unix_socket_directories="+p.dir, "-c", "fsync=on", "-c", "shared_buffers=64MB", "-c", "max_connections=60")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.pid, p.ended = cmd.Process.Pid, ended
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	return nil
}

// kill ends the server and all that works for it, none of which can do a thing about it:
// it is stopped first, so that it begins no other.
func (p *ownPostgres) kill() {
	if p.ended == nil {
		return
	}
	_ = syscall.Kill(p.pid, syscall.SIGSTOP)
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.pid, p.pid))
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	_ = syscall.Kill(p.pid, syscall.SIGKILL)
	<-p.ended
	p.ended = nil
}

func (p *ownPostgres) url(database string) string {
	return "postgres://antin@127.0.0.1:" + p.port + "/" + database + "?sslmode=disable"
}

// place gives a side a database of its own.
func (p *ownPostgres) place(s *savedAgency) {
	db, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	name := "side_" + map[side]string{sender: "a", receiver: "b"}[s.Side]
	if _, err := db.ExecContext(p.t.Context(), `CREATE DATABASE `+name); err != nil {
		p.t.Fatal(err)
	}
	s.Database = p.url(name)
}

// TestTortureKillsPostgreSQL kills the server that both sides keep their rows on, again
// and again at seeded moments, while they commit; and one of them with it. It comes back,
// and nothing that was acknowledged is lost, nothing done twice.
func TestTortureKillsPostgreSQL(t *testing.T) {
	if os.Getenv(tortureSeeds) == "" {
		t.Skip("of the long form alone: it waits for what the dead held, for a minute and more")
	}
	for seed := range uint64(times(t, tortureSeeds)) {
		p := newOwnPostgres(t)
		rng := rand.New(rand.NewPCG(seed, 5))
		deaths, gap := 0, 5+rng.IntN(20)
		noted := func(s *supervisor, h heardFact) {
			if gap--; gap > 0 || s.down || deaths == postgresDeaths || h.Kind == factMeasured {
				return
			}
			deaths++
			gap, s.down = 5+rng.IntN(30), true
			p.kill()
			go func() {
				err := p.start()
				s.acts <- func() { s.must(err); s.down = false; s.repeat(sender); s.resume() }
			}()
		}
		s := tortured(t, trial{transfers: tortureTransfers, kills: 2, seed: seed, place: p.place, noted: noted, shaky: true})
		s.run()
		t.Logf("seed %d: the server died %d times, the sides %v", seed, deaths, s.killed)
		if deaths != postgresDeaths {
			t.Errorf("seed %d: only %d deaths found their moment", seed, deaths)
		}
		s.check()
		p.kill()
	}
}
