//go:build failpoint && !windows

package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"antin/internal/failpoint"
	"antin/store/storetest"
)

const (
	// tortureSeeds sets how often each point is tried; the record is of 25.
	tortureSeeds = "ANTIN_TORTURE_SEEDS"
	// tortureRounds sets how many rounds of random kills are made, of crashKills each;
	// the record is of 50.
	tortureRounds = "ANTIN_TORTURE_ROUNDS"
	// torturePatience bounds one exchange, where a loss is expected.
	torturePatience = "ANTIN_TORTURE_PATIENCE"
	// tortureEngine is the engine of both sides: none for SQLite, or postgres, which
	// ANTIN_POSTGRES names.
	tortureEngine = "ANTIN_TORTURE_ENGINE"
	// tortureTransfers is enough for one that goes in parts (see crashPDF).
	tortureTransfers = 8
)

func times(t *testing.T, variable string) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		return 1
	}
	return n
}

// tortured is newSupervisor for a trial of this file.
func tortured(t *testing.T, what trial) *supervisor {
	t.Helper()
	what.patience, _ = time.ParseDuration(os.Getenv(torturePatience)) // none: the usual
	switch engine := os.Getenv(tortureEngine); {
	case what.place != nil, engine == "":
	case engine == "postgres":
		what.place = func(s *savedAgency) { s.Database = storetest.Postgres(t) }
	default:
		t.Fatalf("%s=%s: there is no such engine", tortureEngine, engine)
	}
	return newSupervisor(t, what)
}

// place is a point with who passes it, and how often at least.
type place struct {
	point failpoint.Point
	who   []side
	times int
}

func places() []place {
	const n = tortureTransfers
	// Small transfers leave several at a time, and commits come together: those are as
	// many as there are at least.
	const together = 2
	a, both := []side{sender}, []side{sender, receiver}
	return []place{
		{failpoint.SendBeforeCommit, a, n}, {failpoint.SendAfterCommit, a, n},
		{failpoint.AttemptBegins, both, together}, {failpoint.AttemptHalfSent, a, 1}, {failpoint.AttemptAnswered, both, together}, {failpoint.AttemptSettled, both, together},
		{failpoint.BlobBeforeName, both, 1}, {failpoint.BlobAfterName, both, 1},
		{failpoint.ReceiveBegins, both, n - 1}, {failpoint.ReceiveBeforeReceipt, both, n}, {failpoint.ReceiveBeforeCommit, both, n}, {failpoint.ReceiveAfterCommit, both, n},
		{failpoint.AdmitBegins, both, n}, {failpoint.AdmitBeforeCommit, []side{receiver}, n}, {failpoint.AdmitAfterCommit, both, n},
		{failpoint.StoreBeforeCommit, both, n}, {failpoint.StoreAfterCommit, both, n},
	}
}

func TestTortureKnowsEveryPoint(t *testing.T) {
	t.Parallel()
	var known []failpoint.Point
	for _, p := range places() {
		known = append(known, p.point)
	}
	if !slices.Equal(known, failpoint.Points()) {
		t.Errorf("tried %v, there are %v", known, failpoint.Points())
	}
}

// TestTortureKillsAtEveryPoint kills a side at each line of the crash matrix, at a
// seeded passing of it. Nothing acknowledged may be lost, nothing done twice.
func TestTortureKillsAtEveryPoint(t *testing.T) {
	for _, p := range places() {
		t.Run(string(p.point), func(t *testing.T) {
			for seed := range uint64(times(t, tortureSeeds)) {
				who := p.who[int(seed)%len(p.who)]
				at := 1 + rand.New(rand.NewPCG(seed, 2)).IntN(p.times)
				s := tortured(t, trial{transfers: tortureTransfers, seed: seed, harm: harm(who, failpoint.Variable, "%s=kill@%d", p.point, at)})
				s.run()
				if s.fell[who] != 1 {
					t.Errorf("seed %d: %s passed %s fewer than %d times", seed, who, p.point, at)
				}
				s.check()
			}
		})
	}
}

func harm(who side, variable, format string, args ...any) (out [2][]string) {
	out[who] = []string{variable + "=" + fmt.Sprintf(format, args...)}
	return out
}

// TestTortureKillsAtRandom kills without regard to points.
func TestTortureKillsAtRandom(t *testing.T) {
	for round := range times(t, tortureRounds) {
		s := tortured(t, trial{transfers: crashTransfers, kills: crashKills, seed: crashSeed + uint64(round)})
		s.run()
		s.check()
		t.Logf("round %d: %v", round, s.killed)
	}
}

// TestTortureFailsTheDisk lets one commit, or the naming of one file, fail on either
// side: whoever asked is told so, asks again, and nothing is lost or doubled.
func TestTortureFailsTheDisk(t *testing.T) {
	for _, p := range places() {
		if !slices.Contains([]failpoint.Point{failpoint.StoreBeforeCommit, failpoint.BlobBeforeName}, p.point) {
			continue
		}
		for _, fault := range []string{"eio", "enospc"} {
			for at := 1; at <= p.times; at += stride() {
				for _, who := range p.who {
					t.Run(fmt.Sprintf("%s/%s/%s/%d", p.point, fault, who, at), func(t *testing.T) {
						t.Parallel()
						s := tortured(t, trial{transfers: 3, seed: uint64(at), harm: harm(who, failpoint.Variable, "%s=%s@%d", p.point, fault, at)})
						s.run()
						s.check()
					})
				}
			}
		}
	}
}

// stride is by how much the short form goes from one write to the next; with seeds each
// is tried.
func stride() int {
	if os.Getenv(tortureSeeds) == "" {
		return 4
	}
	return 1
}

// TestTortureMovesTheClock lets one side be a day early, a day late, or go back.
func TestTortureMovesTheClock(t *testing.T) {
	for _, by := range []string{"24h", "-24h", "0s,-1h,150", "24h,0s,150"} {
		for _, who := range []side{sender, receiver} {
			t.Run(by+"/"+who.String(), func(t *testing.T) {
				t.Parallel()
				s := tortured(t, trial{transfers: tortureTransfers, seed: 1, harm: harm(who, failpoint.ClockVariable, "%s", by)})
				s.run()
				s.check()
			})
		}
	}
}

// TestTortureFindsALoss applies each patch of testdata/torture, which takes away one
// thing that nothing may do without, to a copy of the program: the same tests must
// then fail, or they would prove nothing.
func TestTortureFindsALoss(t *testing.T) {
	patches, err := filepath.Glob("testdata/torture/*.patch")
	if err != nil || len(patches) == 0 {
		t.Fatalf("no patches: %v", err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, patch := range patches {
		if os.Getenv(tortureSeeds) == "" && strings.HasSuffix(patch, "power.segment.patch") {
			continue // the short form tries one of each kind
		}
		t.Run(filepath.Base(patch), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "antin")
			if err := os.CopyFS(dir, sources(root)); err != nil {
				t.Fatal(err)
			}
			file, err := filepath.Abs(patch)
			if err != nil {
				t.Fatal(err)
			}
			in(t, dir, true, "git", "apply", file)
			point := strings.TrimSuffix(filepath.Base(patch), ".patch")
			by := "TestTortureKillsAtEveryPoint/" + point
			if strings.HasPrefix(point, "power.") { // without something that makes durable
				by = "TestTortureCutsThePower"
			}
			began := time.Now()
			out := in(t, dir, false, "go", "test", "-count=1", "-tags", "failpoint", "-run", by, "./cmd/antin")
			if !strings.Contains(out, "--- FAIL: "+by) && !strings.Contains(out, "--- FAIL: TestTortureKillsAtEveryPoint") {
				t.Errorf("the loss was not found: %s", out)
			}
			t.Logf("found in %v", time.Since(began).Round(time.Second))
		})
	}
}

// noHistory is a tree without its version control.
type noHistory struct{ fs.FS }

func sources(root string) fs.FS { return noHistory{os.DirFS(root)} }

// ReadDir implements fs.ReadDirFS.
func (n noHistory) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(n.FS, name)
	return slices.DeleteFunc(list, func(d fs.DirEntry) bool { return d.Name() == ".git" }), err
}

// in runs a command in dir and returns what it says; ok says whether it must succeed.
func in(t *testing.T, dir string, ok bool, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), tortureSeeds+"=2", torturePatience+"=30s")
	out, err := cmd.CombinedOutput()
	if (err == nil) != ok {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}
