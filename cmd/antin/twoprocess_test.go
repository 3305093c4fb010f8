//go:build !windows

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The pages that lead from nothing to a document at the other agency.
const (
	practisePage    = "practise-pki.md"
	twoAgenciesPage = "connect-two-agencies.md"
)

// TestTwoProcessesFollowTheHowTo does what the how-to says, word for word: a PKI
// made with openssl, two gateways and two key helpers as processes, a document
// from one to the other. Only where they listen is set from here.
func TestTwoProcessesFollowTheHowTo(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts many processes")
	}
	t.Parallel()
	needTools(t, "bash", "curl", "openssl", "python3")
	var env []string
	for _, name := range []string{"DICH_VU", "A_DESK", "A_PUBLIC", "A_PEER", "A_ADMIN", "B_DESK", "B_PUBLIC", "B_PEER", "B_ADMIN"} {
		env = append(env, name+"="+freePort(t))
	}
	s := newSession(t, "", env...)
	page := filepath.Join(repository(t), "docs", "how-to", twoAgenciesPage)
	out := s.follow(t, scriptOf(t, page))
	if !strings.Contains(out, "HỢP LỆ") || !strings.Contains(out, `"state":"DELIVERED"`) {
		t.Errorf("the page ended otherwise than it says:\n%s", tail(out, 40))
	}

	report := s.read(t, "baocao.json")
	var verdict struct {
		Verdict    string
		Signatures []struct {
			Level, Indication string
			Signer            struct{ Subject string }
		}
	}
	if err := json.Unmarshal(report, &verdict); err != nil || verdict.Verdict != "valid" || len(verdict.Signatures) != 2 {
		t.Fatalf("B's report: %v %s", err, report)
	}
	for i, who := range []string{"Nguyễn Văn Bình", "UBND xã Bình An"} {
		sig := verdict.Signatures[i]
		if sig.Level != "PAdES-B-LT" || sig.Indication != "TOTAL-PASSED" || !strings.Contains(sig.Signer.Subject, "CN="+who) {
			t.Errorf("signature %d: %+v", i, sig)
		}
	}
	for _, log := range []string{"a.log", "b.log"} {
		for line := range strings.Lines(string(s.read(t, log))) {
			if strings.Contains(line, `"level":"ERROR"`) {
				t.Errorf("%s: %s", log, line)
			}
		}
	}
	// What the helpers wrote down: A sealed once, B never.
	if log := string(s.read(t, "a/khoa/khoa.log")); !strings.Contains(log, "Phạm Thị Thư") {
		t.Errorf("A's key helper did not write down who had it seal: %s", log)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "b/khoa/khoa.log")); err == nil && len(s.read(t, "b/khoa/khoa.log")) > 0 {
		t.Errorf("B's key helper signed something: %s", s.read(t, "b/khoa/khoa.log"))
	}
}

// read reads a file that the page left.
func (s pageSession) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
