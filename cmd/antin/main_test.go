package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The roles in which the test binary starts itself again, each a process of its
// own: roleVariable in its environment says which.
const (
	roleVariable = "ANTIN_TEST_AS"
	roleProgram  = "program"  // the program as it ships: main and nothing else
	roleMeasured = "measured" // the program, which then reports what it took and left
	roleAgency   = "agency"   // one agency of the demo; see agencyProcess
)

// reportVariable names the file that roleMeasured writes its measurement to.
const reportVariable = "ANTIN_TEST_REPORT"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case roleProgram:
		main()
	case roleMeasured:
		os.Exit(measured())
	case roleAgency:
		os.Exit(agencyProcess())
	}
	// The pages draw documents in a child of the same executable, which is this one.
	if len(os.Args) > 1 && os.Args[1] == "render" {
		main()
	}
	os.Exit(m.Run())
}

// measurement is what a process of roleMeasured found about itself at its end.
type measurement struct {
	PeakKB     int      `json:"peak_kb"`    // greatest resident size; 0 where the system does not tell
	Goroutines []string `json:"goroutines"` // stacks of what still ran
}

// measured runs the program as main does and reports before it ends. The peak
// comes from the process itself: what the parent could read of a child includes
// the parent's own pages, shared until the child began its program.
func measured() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	r := measurement{PeakKB: peakKB(), Goroutines: leftRunning()}
	data, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(os.Getenv(reportVariable), data, 0o600)
	}
	if err != nil {
		return 99
	}
	return code
}

// peakKB reads the greatest resident size of this process from Linux.
func peakKB() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// leftRunning returns the stacks of goroutines that are neither this one nor the
// runtime's. What is about to end is given a moment.
func leftRunning() []string {
	var left []string
	for range 1500 {
		buf := make([]byte, 4<<20)
		all := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		left = slices.DeleteFunc(all[1:], func(s string) bool { return strings.Contains(s, "os/signal.loop") })
		if len(left) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return left
}

// underRace reports whether the race detector is built in: it multiplies memory
// and time, so that limits on either say nothing.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// again prepares the test binary as a process in a role. It dies with the test.
func again(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Dir = t.TempDir()
	return cmd
}

// runMeasured runs the program in a process of its own to its end.
func runMeasured(t *testing.T, args ...string) (code int, output string, m measurement) {
	t.Helper()
	cmd := again(t, roleMeasured, args...)
	report := filepath.Join(cmd.Dir, "report.json")
	cmd.Env = append(cmd.Env, reportVariable+"="+report)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out), readMeasurement(t, report)
}

func readMeasurement(t *testing.T, file string) (m measurement) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// watched collects what a process writes and tells when it has written something.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func newWatched() *watched { return &watched{more: make(chan struct{}, 1)} }

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(p)
	select {
	case w.more <- struct{}{}:
	default:
	}
	return n, err
}

// String is everything written so far.
func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

func TestDemoIsReadySoonAndCtrlCStopsItCleanly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent Ctrl-C here")
	}
	t.Parallel()
	for _, role := range []string{roleProgram, roleMeasured} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			said := newWatched()
			cmd := again(t, role, "demo", "--addr", "127.0.0.1:0", "--dir", t.TempDir())
			report := filepath.Join(cmd.Dir, "report.json")
			cmd.Env = append(cmd.Env, reportVariable+"="+report)
			cmd.Stdout, cmd.Stderr = io.Discard, said
			begin := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			addrs := waitForAddresses(t, said, ended)
			t.Logf("ready after %v", time.Since(begin).Round(time.Millisecond))
			for _, want := range []string{"Đã sẵn sàng", "DỮ LIỆU THỬ", "Bắt đầu tại đây", "Ctrl-C"} {
				if !strings.Contains(said.String(), want) {
					t.Errorf("%q is not said: %s", want, said)
				}
			}
			for _, a := range addrs {
				answers(t, a)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ended:
			case <-time.After(time.Minute):
				t.Fatalf("still there a minute after Ctrl-C: %s", said)
			}
			if code := cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit %d after Ctrl-C: %s", code, said)
			}
			for _, a := range addrs {
				if c, err := net.DialTimeout("tcp", a, time.Second); err == nil {
					_ = c.Close()
					t.Errorf("%s is still open", a)
				}
			}
			if role == roleMeasured {
				if m := readMeasurement(t, report); len(m.Goroutines) > 0 {
					t.Errorf("%d goroutines were left:\n%s", len(m.Goroutines), strings.Join(m.Goroutines, "\n\n"))
				}
			}
		})
	}
}

// waitForAddresses waits until the demo has said that it is ready and where.
func waitForAddresses(t *testing.T, said *watched, ended <-chan error) []string {
	t.Helper()
	// Three seconds are promised on a quiet machine; this one runs other tests too.
	const limit = 2 * time.Minute
	late := time.After(limit)
	ready := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/`)
	for {
		if s := said.String(); strings.Contains(s, "Ctrl-C") {
			var addrs []string
			for _, m := range ready.FindAllStringSubmatch(s, -1) {
				addrs = append(addrs, m[1])
			}
			if len(addrs) < 2 {
				t.Fatalf("not both addresses are said: %s", s)
			}
			return addrs
		}
		select {
		case <-said.more:
		case err := <-ended:
			t.Fatalf("the demo ended before it was ready: %v: %s", err, said)
		case <-late:
			t.Fatalf("not ready after %v: %s", limit, said)
		}
	}
}

// answers checks that someone speaks HTTP at addr, whatever the answer.
func answers(t *testing.T, addr string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	res, err := client.Do(req)
	if err != nil {
		t.Errorf("%s does not answer: %v", addr, err)
		return
	}
	_ = res.Body.Close()
	if res.StatusCode >= 500 {
		t.Errorf("%s answers %d", addr, res.StatusCode)
	}
}
