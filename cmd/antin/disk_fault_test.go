package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"antin/internal/text"
)

// failingDisk is the computer's own disk, whose failAt-th operation fails, and all
// that write after it, as on a disk that is full.
type failingDisk struct {
	osDisk
	failAt int // 0 fails nothing
	cause  error

	mu    sync.Mutex
	steps []string
}

func (d *failingDisk) step(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps = append(d.steps, name)
	switch n := len(d.steps); {
	case d.failAt == 0 || n < d.failAt:
		return nil
	case n > d.failAt && !strings.HasPrefix(name, "write"):
		return nil
	}
	return d.cause
}

func (d *failingDisk) MkdirAll(path string, mode fs.FileMode) error {
	if err := d.step("mkdir"); err != nil {
		return err
	}
	return d.osDisk.MkdirAll(path, mode)
}

func (d *failingDisk) CreateTemp(dir, pattern string) (diskFile, error) {
	if err := d.step("create"); err != nil {
		return nil, err
	}
	f, err := d.osDisk.CreateTemp(dir, pattern)
	return &failingFile{f, d}, err
}

func (d *failingDisk) Open(path string, flag int) (diskFile, error) {
	if err := d.step("open"); err != nil {
		return nil, err
	}
	f, err := d.osDisk.Open(path, flag)
	return &failingFile{f, d}, err
}

func (d *failingDisk) SyncTree(folder diskFile) (bool, error) {
	if err := d.step("syncfs"); err != nil {
		return true, err
	}
	return d.osDisk.SyncTree(folder.(*failingFile).diskFile)
}

func (d *failingDisk) Link(from, to string) error {
	if err := d.step("link"); err != nil {
		return err
	}
	return d.osDisk.Link(from, to)
}

func (d *failingDisk) Rename(from, to string) error {
	if err := d.step("rename"); err != nil {
		return err
	}
	return d.osDisk.Rename(from, to)
}

// failingFile writes half of what the failing operation was given, as a full disk may.
type failingFile struct {
	diskFile
	d *failingDisk
}

func (f *failingFile) Write(b []byte) (int, error) {
	if err := f.d.step("write"); err != nil {
		n, _ := f.diskFile.Write(b[:len(b)/2])
		return n, err
	}
	return f.diskFile.Write(b)
}

func (f *failingFile) Chmod(mode fs.FileMode) error {
	if err := f.d.step("chmod"); err != nil {
		return err
	}
	return f.diskFile.Chmod(mode)
}

func (f *failingFile) Sync() error {
	if err := f.d.step("sync"); err != nil {
		return err
	}
	return f.diskFile.Sync()
}

func (f *failingFile) Close() error {
	err := f.d.step("close")
	return errors.Join(f.diskFile.Close(), err) // the file is closed all the same
}

// invokeOn is invoke with outputs on d.
func invokeOn(t *testing.T, d disk, args ...string) (code int, stdout string) {
	t.Helper()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out, msg bytes.Buffer
	code = run(t.Context(), args, streams{in: in, out: &out, err: &msg, disk: d})
	return code, out.String()
}

// Whichever operation of the disk fails, first and for good, in signing one file, in
// signing several and in augmenting: it is storage-full, nothing but whole files stands
// under the outputs' names, nothing else is left, the inputs are as they were.
func TestADiskThatFailsAtAnyStepLeavesNothingPartial(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	files := b.inputs(t, fewFiles+2)
	original := samplePDF(t)
	signed := b.out("signed.pdf")
	if code, stdout, stderr := invoke(t, b.sign("lanh-dao", files[0], signed, "--level", "B-T", "--tsa", b.tsa)...); code != 0 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	before, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]func(out string) []string{
		"one": func(out string) []string { return b.signArgs(files[:1], out) },
		"replace": func(out string) []string {
			replaced := filepath.Join(out, filepath.Base(files[0]))
			if err := errors.Join(os.MkdirAll(out, 0o700), os.WriteFile(replaced, before, 0o600)); err != nil {
				t.Error(err)
			}
			return b.signArgs(files[:1], out, "--force")
		},
		"two":   func(out string) []string { return b.signArgs(files[:2], out, "--jobs", "1") },
		"batch": func(out string) []string { return b.signArgs(files, out, "--jobs", "1") },
		"augment": func(out string) []string {
			return []string{"augment", signed, "-o", out + "/a.pdf", "--level", "B-LTA", "--tsa", b.tsa,
				"--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow, "--json"}
		},
	}
	for name, args := range jobs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counted := &failingDisk{}
			if code, stdout := invokeOn(t, counted, args(b.out(name+"-0"))...); code != 0 {
				t.Fatalf("exit %d: %s", code, stdout)
			}
			for k := 1; k <= len(counted.steps); k++ {
				cause := []error{syscall.ENOSPC, syscall.EIO}[k%2]
				out := b.out(fmt.Sprintf("%s-%d", name, k))
				d := &failingDisk{failAt: k, cause: cause}
				code, stdout := invokeOn(t, d, args(out)...)
				step := d.steps[k-1]
				checkFailed(t, name+" "+step, code, stdout, step)
				wholeOrNothing(t, name+" "+step, out, original)
			}
		})
	}
	t.Cleanup(func() {
		for _, f := range files {
			if data, err := os.ReadFile(f); err != nil || !bytes.Equal(data, original) {
				t.Errorf("%s was touched: %v", f, err)
			}
		}
		if after, err := os.ReadFile(signed); err != nil || !bytes.Equal(after, before) {
			t.Errorf("the signed input was touched: %v", err)
		}
	})
}

// checkFailed wants storage-full, unless only closing a folder or the short way to a
// name failed, which loses nothing.
func checkFailed(t *testing.T, name string, code int, stdout, step string) {
	t.Helper()
	if (step == "close" || step == "link" || step == "syncfs") && code == 0 {
		return
	}
	if code != text.StorageFull.Exit() && code != 6 || !strings.Contains(stdout, `"storage-full"`) {
		t.Errorf("%s: exit %d: %s", name, code, stdout)
	}
	for line := range strings.Lines(stdout) {
		var l struct {
			Status, Output string
			Error          *struct{ Code, Message, Fix string }
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Errorf("%s: %v in %s", name, err, line)
			continue
		}
		if (l.Status == "failed") != (l.Error != nil && l.Error.Code == "storage-full" && l.Error.Fix != "") || (l.Status == "failed") == (l.Output != "") {
			t.Errorf("%s: %s", name, line)
		}
	}
}

// wholeOrNothing wants only whole files in the folder.
func wholeOrNothing(t *testing.T, name, out string, original []byte) {
	t.Helper()
	left, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", name, err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), ".antin") || !whole(t, filepath.Join(out, f.Name()), original) {
			t.Errorf("%s: %s was left", name, f.Name())
		}
	}
}
