//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"antin/internal/text"
)

// mounted has cmd run behind a mount of its own, which nobody else sees and for which
// nobody needs to be root: in new user and mount namespaces. script makes the mounts;
// the program takes its place.
func mounted(t *testing.T, cmd *exec.Cmd, script string) *exec.Cmd {
	t.Helper()
	wrap := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", script + ` && exec "$@"`, "sh"}, args...)...)
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
		return c
	}
	if out, err := wrap("true").CombinedOutput(); err != nil {
		t.Skipf("this machine lets no test mount a disk of its own: %v: %s", err, out)
	}
	c := wrap(append([]string{cmd.Path}, cmd.Args[1:]...)...)
	c.Env, c.Dir = cmd.Env, cmd.Dir
	return c
}

func TestAReadOnlyDataDirectoryIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.71")
	dir := m.config.DataDir
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	prog := again(t, roleProgram, "--config", filepath.Join(m.dir, "antin.yaml"), "serve")
	cmd := mounted(t, prog, fmt.Sprintf("mount --bind %s %s && mount -o remount,ro,bind %s", dir, dir, dir))
	cmd.Env = append(cmd.Env, m.listening()...)
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != text.StorageFull.Exit() || !strings.Contains(string(out), text.Errorf(text.StorageFull, nil).Message().VI) {
		t.Errorf("exit %d: %s", code, out)
	}
	if left, err := os.ReadDir(dir); err != nil || fmt.Sprint(left) != fmt.Sprint(before) {
		t.Errorf("written: %v, before %v, %v", left, before, err)
	}
}

func TestAFullDiskIsToldOfAndNothingThatWasTakenIsLost(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.72")
	dir := m.config.DataDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	serve := again(t, roleProgram, "--config", filepath.Join(m.dir, "antin.yaml"), "serve")
	admin := freePort(t)
	key := m.said[strings.Index(m.said, "antin_live_"):]
	key = key[:strings.IndexAny(key, "\n ")]
	keep := filepath.Join(t.TempDir(), "keep")
	script := fmt.Sprintf("cp -a %s %s && mount -t tmpfs -o size=48m tmpfs %s && cp -a %s/. %s/ && head -c %d /dev/zero > %s/ballast",
		dir, keep, dir, keep, dir, 16<<20, dir)
	cmd := mounted(t, serve, script)
	cmd.Env = append(append(cmd.Env, m.listening()...), "ANTIN_LISTEN_ADMIN="+admin) // the last one counts
	said := newWatched()
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: servePatience}
	ask := func(method, path string, body []byte) (int, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), method, m.config.Desk.URL+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/octet-stream")
		res, err := client.Do(req)
		if err != nil {
			return 0, nil
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, b
	}
	readyz := func() (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+admin+"/readyz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			return 0, ""
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	await := func(want int) (body string) {
		t.Helper()
		tick, late := time.NewTicker(50*time.Millisecond), time.After(servePatience) // far below the five minutes between canaries
		defer tick.Stop()
		for {
			code, body := readyz()
			if code == want {
				return body
			}
			select {
			case <-late:
				t.Fatalf("readyz says %d %s, not %d: %s", code, body, want, said)
			case <-tick.C:
			}
		}
	}
	await(http.StatusOK)
	taken := map[string][]byte{}
	refused := false
	var last []byte
	for n := 0; n < 400 && !refused; n++ {
		file := bytes.Repeat(fmt.Appendf(nil, "%07d.", n), 16<<10) // 128 kB each: a file, not a row
		if n%4 == 0 {
			file = file[:20<<10] // and small ones, which are rows
		}
		last = file
		code, body := ask(http.MethodPost, "/v1/files", file)
		switch code {
		case http.StatusCreated:
			var made struct{ SHA256 string }
			if err := json.Unmarshal(body, &made); err != nil {
				t.Fatal(err)
			}
			taken[made.SHA256] = file
		case http.StatusServiceUnavailable:
			var p struct{ Code, Fix, Detail string }
			if err := json.Unmarshal(body, &p); err != nil || p.Code != string(text.StorageFull) || p.Fix == "" {
				t.Errorf("refused as %s", body)
			}
			refused = true
		default:
			t.Fatalf("file %d: %d %s", n, code, body)
		}
	}
	if !refused || len(taken) < 10 {
		t.Fatalf("%d files taken, refused: %v", len(taken), refused)
	}
	for sum, want := range taken {
		if code, got := ask(http.MethodGet, "/v1/files/"+sum, nil); code != http.StatusOK || !bytes.Equal(got, want) {
			t.Errorf("%s, taken before the disk was full: %d, %d bytes", sum, code, len(got))
		}
	}
	if code, _ := ask(http.MethodGet, "/healthz", nil); code != http.StatusOK {
		t.Errorf("reading no longer works: %d", code)
	}
	if body := await(http.StatusServiceUnavailable); !strings.Contains(body, `"store"`) || !strings.Contains(body, "thư mục dữ liệu") {
		t.Errorf("not ready, because %s", body)
	}
	// Somebody makes room, inside the mount that only the process sees.
	if err := os.Remove(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "root", dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	await(http.StatusOK)
	if code, body := ask(http.MethodPost, "/v1/files", last); code != http.StatusCreated {
		t.Errorf("what was refused, once there is room: %d %s", code, body)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stopping with a full disk: %v: %s", err, said)
	}
}
