package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// inputs writes n documents and returns their names.
func (b *bench) inputs(t *testing.T, n int) []string {
	t.Helper()
	list := make([]string, n)
	for i := range list {
		list[i] = b.write(t, fmt.Sprintf("vao-%03d.pdf", i), samplePDF(t))
	}
	return list
}

// signArgs are the arguments that sign files into the folder out, offline.
func (b *bench) signArgs(files []string, out string, more ...string) []string {
	args := append([]string{"sign"}, files...)
	args = append(append(args, "-o", out+"/", "--json", "--offline"), b.key("lanh-dao")...)
	return append(args, more...)
}

// whole reports whether a file ends as a PDF ends and is longer than its input.
func whole(t *testing.T, path string, original []byte) bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.HasPrefix(data, original) && len(data) > len(original) && bytes.HasSuffix(bytes.TrimSpace(data), []byte("%%EOF"))
}

func TestManyFilesAreSignedTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const n = batchFiles + 9 // more than one sync
	files := b.inputs(t, n)
	files[7] = b.write(t, "hong.pdf", []byte("no document"))
	out := b.out("ra")
	code, stdout, stderr := invoke(t, b.signArgs(files, out)...)
	if code != 6 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != n {
		t.Fatalf("%d lines for %d files", len(lines), n)
	}
	for i, line := range lines {
		var l struct{ File, Output, Status string }
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.File != files[i] {
			t.Fatalf("line %d: %v %s", i, err, line)
		}
		if want := i != 7; (l.Status == "signed") != want || (l.Output != "") != want {
			t.Errorf("line %d: %s", i, line)
		}
	}
	left, err := os.ReadDir(out)
	if err != nil || len(left) != n-1 {
		t.Errorf("%d files in the folder, %v", len(left), err)
	}
	code, stdout, _ = invoke(t, b.signArgs(files[:6], out)...)
	if code != 9 || strings.Count(stdout, "output-exists") != 6 {
		t.Errorf("again without --force: exit %d: %s", code, stdout)
	}
}

// A process that is killed in the middle leaves whole files or none under the
// outputs' names, and every file it acknowledged.
func TestKilledBatchLeavesNoPartialFile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	files := b.inputs(t, 3*batchFiles)
	original := samplePDF(t)
	for kills, after := range []int{1, batchFiles / 2, batchFiles + 1} {
		out := b.out(fmt.Sprintf("ra-%d", kills))
		cmd := exec.CommandContext(t.Context(), os.Args[0], b.signArgs(files, out, "--jobs", "2")...)
		cmd.Env = append(os.Environ(), roleVariable+"="+roleProgram)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			var l struct{ Output, Status string }
			if json.Unmarshal(lines.Bytes(), &l) == nil && l.Status == "signed" {
				acknowledged = append(acknowledged, l.Output)
			}
			if len(acknowledged) == after {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait() // killed
		left, err := filepath.Glob(filepath.Join(out, "vao-*.pdf"))
		if err != nil || len(left) < len(acknowledged) || len(acknowledged) < after {
			t.Errorf("%d acknowledged, %d there, %v", len(acknowledged), len(left), err)
		}
		for _, path := range append(left, acknowledged...) {
			if !whole(t, path, original) {
				t.Errorf("%s is not whole", path)
			}
		}
	}
	for _, f := range files {
		if data, err := os.ReadFile(f); err != nil || !bytes.Equal(data, original) {
			t.Fatalf("%s was touched: %v", f, err)
		}
	}
}

// Where the disk is full, signing says so and leaves nothing behind. A limit on the
// length of files stands for the full disk: the kernel refuses the write.
func TestFullDiskIsNamedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the shell's limit on file size is counted as on Linux")
	}
	b := newBench(t)
	files := b.inputs(t, 3)
	for name, list := range map[string][]string{"one": files[:1], "batch": files} {
		out := b.out("day-" + name)
		args := b.signArgs(list, out)
		// ulimit -f counts blocks of 1024 or 512 bytes; both are more than the input and less than the output.
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `trap '' XFSZ; ulimit -f 4; exec "$0" "$@"`, os.Args[0]}, args...)...)
		cmd.Env = append(os.Environ(), roleVariable+"="+roleProgram)
		stdout, err := cmd.Output()
		if code := cmd.ProcessState.ExitCode(); code != 10 || !strings.Contains(string(stdout), `"storage-full"`) {
			t.Errorf("%s: exit %d, %v: %s", name, code, err, stdout)
		}
		left, _ := os.ReadDir(out)
		if len(left) > 0 {
			t.Errorf("%s: %s was left", name, left[0].Name())
		}
	}
}
