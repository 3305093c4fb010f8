//go:build !windows

package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// This file runs the commands of a page of the documentation. What a page can say
// to it is explained to writers in CONTRIBUTING.md; a reader sees none of it.

// pagePatience bounds one page: the longest takes a minute on a free machine.
const pagePatience = 4 * time.Minute

// strictVariable, set by .ci/run, makes a missing tool a failure.
const strictVariable = "ANTIN_CI"

// needTools ends the test where a tool that a page tells its reader to have is
// missing: as a failure in CI, else as a skip that says so.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv(strictVariable) != "" {
			t.Fatalf("%s is missing", tool)
		}
		t.Skipf("%s is missing: the commands of the page were not run", tool)
	}
}

// pageBlock is a part of a page that matters to the shell.
type pageBlock struct {
	line   int    // of its first line of content, from 1
	script string // what is run
	notRun string // why it is not; then script is what the reader sees
	until  string // the address that answers when it, which goes on running, is ready
}

var (
	blockMark = regexp.MustCompile("(?m)^[ ]*(?:```(\\w*)|<!-- (sh|not run:|after:|until:)(.*))$")
	comment   = regexp.MustCompile(` +#.*$`)
	exitMark  = regexp.MustCompile(`(?m)^echo \$\?[ ]+# (\d+)$`)
)

// blocksOf returns the shell blocks of a page in order, and the page that is to
// be followed first, if it names one.
func blocksOf(t *testing.T, page string) (blocks []pageBlock, after string) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines, reason, until := strings.Split(string(data), "\n"), "", ""
	for i := 0; i < len(lines); i++ {
		m := blockMark.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		end := "```"
		switch m[2] {
		case "after:":
			after = strings.TrimSpace(strings.TrimSuffix(m[3], "-->"))
			continue
		case "not run:":
			if reason = strings.TrimSpace(strings.TrimSuffix(m[3], "-->")); reason == "" {
				t.Errorf("%s:%d: a block is not run without a reason", page, i+1)
			}
			continue
		case "until:":
			until = strings.TrimSpace(strings.TrimSuffix(m[3], "-->"))
			continue
		case "sh":
			end = "-->"
		}
		begin := i + 1
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != end; i++ {
		}
		switch {
		case m[1] == "bash" || m[1] == "shell":
			t.Errorf("%s:%d: a block of commands is marked sh", page, begin)
		case m[1] == "sh" || m[2] == "sh":
			blocks = append(blocks, pageBlock{line: begin + 1, script: strings.Join(lines[begin:min(i, len(lines))], "\n"), notRun: reason, until: until})
		}
		if end == "```" {
			reason, until = "", ""
		}
	}
	return blocks, after
}

// scriptOf puts a page's blocks together as one session of a shell that stops at
// the first command that fails. `echo $?   # N` says which exit code is right.
func scriptOf(t *testing.T, page string) string {
	t.Helper()
	blocks, after := blocksOf(t, page)
	var b strings.Builder
	if after != "" {
		b.WriteString(scriptOf(t, filepath.Join(filepath.Dir(page), after)))
	}
	for _, block := range blocks {
		if block.notRun != "" {
			t.Logf("%s:%d is not run: %s", filepath.Base(page), block.line, block.notRun)
			continue
		}
		fmt.Fprintf(&b, "echo '== %s:%d' >&2\n", filepath.Base(page), block.line)
		if block.until != "" {
			command := comment.ReplaceAllString(strings.TrimSpace(block.script), "")
			if strings.Contains(command, "\n") {
				t.Errorf("%s:%d: one command alone can go on running", page, block.line)
			}
			probe := "curl -q -s -o " + os.DevNull + " " + block.until
			fmt.Fprintf(&b, "if %s; then echo %s is taken; exit 1; fi\n%s &\nuntil %s; do kill -0 $!; sleep 0.2; done\n", probe, block.until, command, probe)
			continue
		}
		script := exitMark.ReplaceAllString(block.script, `antin_exit=$$?; set -e; echo $$antin_exit; [ $$antin_exit = $1 ]; set +e`)
		if script != block.script {
			script = "set +e\n" + script + "\nset -e"
		}
		b.WriteString(script + "\n")
	}
	return b.String()
}

// pageSession is where a page is followed: a folder, a home and a path of its own.
type pageSession struct {
	dir string
	env []string
}

// newSession prepares an empty HOME, the program under its name, and dir as the
// folder to work in; "" makes an empty one.
func newSession(t *testing.T, dir string, env ...string) pageSession {
	t.Helper()
	needTools(t, "bash", "curl", "openssl")
	base := t.TempDir()
	if dir == "" {
		dir = filepath.Join(base, "work")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := fmt.Sprintf("#!/bin/sh\n%s=%s exec %q \"$@\"\n", roleVariable, roleProgram, self)
	for _, d := range []string{dir, filepath.Join(base, "home"), filepath.Join(base, "bin"), filepath.Join(base, "tmp")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "bin", "antin"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join(base, "tmp", "mau.pdf")
	if err := os.WriteFile(sample, samplePDF(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s := pageSession{dir: dir, env: []string{
		"SAMPLE_PDF=" + sample,
		"HOME=" + filepath.Join(base, "home"), "TMPDIR=" + filepath.Join(base, "tmp"), "CURL_HOME=" + filepath.Join(base, "tmp"), "LANG=C.UTF-8", "NO_COLOR=1",
		"PATH=" + filepath.Join(base, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
	}}
	s.env = append(s.env, goEnvironment(t)...)
	s.env = append(s.env, env...)
	return s
}

// goEnvironment is what keeps the go command off the empty home: where it found
// its caches, so that nothing is fetched or compiled twice.
func goEnvironment(t *testing.T) (env []string) {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOSUMDB", "GOTOOLCHAIN"}
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
		env = append(env, names[i]+"="+v)
	}
	if root := os.Getenv("PYENV_VERSION"); root != "" {
		env = append(env, "PYENV_VERSION="+root)
	}
	return append(env, "GOFLAGS=-trimpath -buildvcs=false")
}

// follow runs a script as one session and returns what it printed. Whatever it left
// running ends with it.
func (s pageSession) follow(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pagePatience)
	defer cancel()
	file := filepath.Join(t.TempDir(), "page.sh")
	if err := os.WriteFile(file, []byte("set -euo pipefail\n"+script), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(file + ".log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "bash", file)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, append(slices.Clone(s.env), "PAGE_LOG="+log.Name()), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	alive, held, err := os.Pipe() // whatever the page starts holds its end open for as long as it lives
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	cmd.ExtraFiles = []*os.File{held}
	err = cmd.Run()
	held.Close()
	if cmd.Process != nil {
		endGroup(cmd.Process.Pid, alive)
	}
	out, readErr := os.ReadFile(log.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	if err != nil {
		t.Fatalf("the page cannot be followed: %v\n%s", err, tail(string(out), 60))
	}
	return string(out)
}

// endPatience is how long a program may take to end in order.
const endPatience = 10 * time.Second

// endGroup asks the processes of a group to end, and ends those that do not. It
// returns once they have: nothing is left that holds the other end of alive.
func endGroup(group int, alive *os.File) {
	_ = syscall.Kill(-group, syscall.SIGTERM)
	late := time.AfterFunc(endPatience, func() { _ = syscall.Kill(-group, syscall.SIGKILL) })
	defer late.Stop()
	_ = alive.SetReadDeadline(time.Now().Add(2 * endPatience)) // a process that left the group is not ours to wait for
	_, _ = io.Copy(io.Discard, alive)
}

func tail(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// repository is the root of the sources.
func repository(t *testing.T) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if wd, err := os.Getwd(); err == nil && !filepath.IsAbs(file) {
		return filepath.Join(wd, "..", "..") // built with -trimpath: tests run in their package's folder
	}
	if !ok {
		t.Fatal("where are the sources?")
	}
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// copySources copies what a checkout holds and a page builds from, so that
// following a page leaves nothing in the repository.
func copySources(t *testing.T, to string) {
	t.Helper()
	root := repository(t)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		if strings.HasSuffix(rel, "_test.go") || !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
