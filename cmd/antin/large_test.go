package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const (
	largeSize = 1 << 30
	// largePeak is what signing or verifying may take at its peak, in bytes: the update
	// and some buffers, whatever the file's size.
	largePeak = 64 << 20
)

// writeLargePDF writes a PDF whose only page shows one uncompressed image of size
// bytes: all black, so that the file is a hole on the disk.
func writeLargePDF(path string, side int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	at, offsets := int64(0), []int64{}
	write := func(format string, args ...any) {
		n, werr := fmt.Fprintf(f, format, args...)
		at += int64(n)
		if err == nil {
			err = werr
		}
	}
	object := func(format string, args ...any) {
		offsets = append(offsets, at)
		write("%d 0 obj\n"+format, append([]any{len(offsets)}, args...)...)
	}
	write("%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n")
	object("<< /Type /Catalog /Pages 2 0 R >>\nendobj\n")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /Im1 5 0 R >> >> >>\nendobj\n")
	const draw = "595 0 0 842 0 0 cm /Im1 Do"
	object("<< /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(draw), draw)
	object("<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Length %d >>\nstream\n", side, side, side*side)
	at += side * side
	if _, serr := f.Seek(at, io.SeekStart); err == nil {
		err = serr
	}
	write("\nendstream\nendobj\n")
	xref := at
	write("xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		write("%010d 00000 n \n", o)
	}
	write("trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return err
}

func TestGreatFileIsSignedAndVerifiedInLittleMemory(t *testing.T) {
	if underRace() {
		t.Skip("the race detector multiplies memory, so that its limit says nothing")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the peak of memory is read from /proc")
	}
	t.Parallel()
	b := newBench(t)
	in, out := b.out("lon.pdf"), b.out("lon-da-ky.pdf")
	if err := writeLargePDF(in, 32768); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(in)
	if err != nil || before.Size() < largeSize {
		t.Fatalf("%d bytes, %v", before.Size(), err)
	}
	t.Cleanup(func() { _ = os.Remove(out) }) // a gigabyte that the next test may need
	for _, step := range []struct {
		name string
		args []string
		want string
	}{
		{"sign", b.sign("lanh-dao", in, out, "--level", "B-LT", "--tsa", b.tsa, "--page", "last", "--rect", "100,100,200,60", "--json"), `"level":"PAdES-B-LT"`},
		{"verify", []string{"verify", out, "--json", "--fail-on", "note", "--offline", "--trust", filepath.Join(b.pki, "root.pem")}, `"verdict":"valid"`},
	} {
		code, said, m := runMeasured(t, step.args...)
		if code != 0 || !strings.Contains(said, step.want) {
			t.Fatalf("%s: exit %d: %s", step.name, code, said)
		}
		t.Logf("%s of %d MB: peak %.1f MB", step.name, before.Size()>>20, float64(m.PeakKB)/1024)
		if m.PeakKB == 0 || m.PeakKB > largePeak>>10 {
			t.Errorf("%s: peak of %d kB, at most %d", step.name, m.PeakKB, largePeak>>10)
		}
	}
	after, err := os.Stat(out)
	if err != nil || after.Size()-before.Size() > 1<<20 {
		t.Errorf("the signed file is %d bytes greater: %v", after.Size()-before.Size(), err)
	}
}
