package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchExchangePrintsEachCellBesideItsCeiling(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts gateways")
	}
	t.Parallel()
	// Speed is not asked here: other tests run beside this one.
	dir := t.TempDir()
	cmd := again(t, roleProgram, "bench", "exchange", "--cells", "20KB/2/p256,300KB/2/rsa2048", "--seconds", "0.3", "--warm", "0.1", "--profile", dir, "--json")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.String())
	}
	seen := map[string]exchangeLine{}
	for line := range strings.Lines(string(out)) {
		var l exchangeLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		seen[l.Job] = l
	}
	for _, cell := range []string{"20 KB, 2 senders, p256", "300 KB, 2 senders, rsa2048"} {
		limit, l := seen["ceiling: "+cell], seen[cell]
		if l.N == 0 || limit.N == 0 || l.Limit != limit.PerS || l.P50 <= 0 || l.P99 < l.P50 || l.Wire < 1 || l.Wire > 1.5 {
			t.Errorf("%s: %+v beside %+v", cell, l, limit)
		}
	}
	if l := seen["P-256 sign"]; l.PerS <= 0 {
		t.Errorf("no figures of the machine among %v", seen)
	}
	if p, _ := filepath.Glob(filepath.Join(dir, "*.pprof")); len(p) != 4 {
		t.Errorf("profiles: %v", p)
	}
}

func TestBenchExchangeRefusesWhatIsNoCell(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "100KB", "100KB/16", "100KB/16/ed25519", "100/16/p256", "0KB/1/p256", "100KB/0/p256", "3000MB/1/p256", "1MB/5000/p256", "-1MB/1/p256"} {
		if c, err := parseCell(s); err == nil {
			t.Errorf("%q is %+v", s, c)
		}
	}
}
