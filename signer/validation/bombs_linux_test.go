package validation_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/validation"
)

const (
	// bombCPU and bombMemory are what the judgement of any file of a few megabytes may
	// cost: processor time, and the memory of the whole process in bytes.
	bombCPU    = 2 * time.Second
	bombMemory = 256 << 20
	// yardstick is the processor time that the calibration takes where the limit is
	// meant as it stands; a slower machine, or a slower build, gets as much more.
	yardstick = 40 * time.Millisecond
	// bombChild names the file that the test is to judge as a process of its own.
	bombChild = "ANTIN_TEST_JUDGE_FILE"
)

// cost is what a judgement in a process of its own took.
type cost struct {
	Said        string        `json:"said"`
	CPU         time.Duration `json:"cpu"`
	Calibration time.Duration `json:"calibration"`
	Peak        int64         `json:"peak"` // bytes
}

// bounded judges doc in a process of its own, and fails where that takes more
// processor time or memory than any file may.
func (b *bench) bounded(t *testing.T, doc []byte) {
	t.Helper()
	if raceEnabled {
		return // the bound is on what is shipped; the race detector takes ten times as much
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.pdf")
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Root().Raw})
	if err := os.WriteFile(path+".root", root, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestJudgesOneFile$", "-test.count=1")
	cmd.Env = append(os.Environ(), bombChild+"="+path, "ANTIN_TEST_JUDGE_AT="+b.clock().Format(time.RFC3339))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %.2000s", err, said.String())
	}
	raw, err := os.ReadFile(path + ".cost")
	if err != nil {
		t.Fatal(err)
	}
	var c cost
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if c.Said == "" || c.Said == string(text.Internal) {
		t.Errorf("nothing with a name was said: %q", c.Said)
	}
	limit := bombCPU
	if c.Calibration > yardstick {
		limit = time.Duration(float64(bombCPU) * float64(c.Calibration) / float64(yardstick))
	}
	t.Logf("alone: %s in %s of processor time (%s allowed), %d MB", c.Said, c.CPU.Round(time.Millisecond), limit.Round(time.Millisecond), c.Peak>>20)
	if c.CPU > limit || c.Peak > bombMemory {
		t.Errorf("took %s of processor time and %d MB: at most %s and %d MB", c.CPU, c.Peak>>20, limit, bombMemory>>20)
	}
}

// TestJudgesOneFile is the process that bounded starts; in a run of its own it has
// nothing to do.
func TestJudgesOneFile(t *testing.T) {
	path := os.Getenv(bombChild)
	if path == "" {
		t.Skip("started by the tests of files that cost much")
	}
	at, err := time.Parse(time.RFC3339, os.Getenv("ANTIN_TEST_JUDGE_AT"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(path + ".root")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(root)
	anchor, err := certs.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	// What was given up must not count only because it was not collected yet.
	debug.SetMemoryLimit(bombMemory * 3 / 4)
	begin := processorTime(t)
	v := &validation.Validator{Trust: certs.Anchors{anchor}, AllowSandbox: true}
	r, err := v.Validate(context.Background(), validation.Input{Reader: f, Size: info.Size(), Name: "a.pdf"}, at)
	c := cost{CPU: processorTime(t) - begin}
	if err != nil {
		c.Said = string(text.CodeOf(err))
	} else {
		c.Said = string(r.Verdict)
	}
	c.Peak = mostMemory(t)
	c.Calibration = calibrate(t)
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".cost", raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// processorTime is what this process has used so far, the kernel's work for it included.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// mostMemory is the most that this process has held in memory, in bytes. What wait
// tells of a child counts in what its parent held when it was started.
func mostMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, _, _ := strings.Cut(rest, "kB")
	n, err := strconv.ParseInt(strings.TrimSpace(kib), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// calibrate says how fast this machine and build are now, by work of the kind that a
// bomb makes: inflating, and following references from one place to another.
func calibrate(t *testing.T) time.Duration {
	t.Helper()
	begin := processorTime(t)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	block := bytes.Repeat([]byte("0 0 0 rg "), 1<<17)
	for range 8 {
		if _, err := z.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r, err := zlib.NewReader(bytes.NewReader(packed.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int]int{}
	for i := range 200_000 {
		seen[i*7919%200_003] = seen[i] + 1
	}
	return processorTime(t) - begin
}
