package validation_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"antin/signer/validation"
)

// corpus returns the folder of other people's files, or skips.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ANTIN_CORPUS")
	if dir == "" {
		t.Skip("ANTIN_CORPUS is not set: other people's files are not judged")
	}
	return filepath.Join(dir, "pdf")
}

var checkedAt = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

func judge(t *testing.T, v *validation.Validator, pdf []byte) *validation.Report {
	t.Helper()
	r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(pdf), Size: int64(len(pdf)), Name: "x.pdf"}, checkedAt)
	if err != nil {
		t.Fatalf("validation did not run: %v", err)
	}
	return r
}

func readFile(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTamperedByteRangesCoverNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpus(t), "pyhanko", "coverage-anomalies")
	// The honest one covers its revision; its CMS is all zeros, which is another matter.
	for name, revision := range map[string]int{
		"base.pdf": 1, "one-byterange.pdf": 0, "signature-gap-too-big.pdf": 0, "tail-uncovered.pdf": 0, "weird-byterange.pdf": 0,
	} {
		r := judge(t, &validation.Validator{}, readFile(t, dir, name))
		if r.Verdict != validation.Invalid || len(r.Signatures) != 1 || r.Signatures[0].SubIndication != "FORMAT_FAILURE" {
			t.Fatalf("%s is %s: %+v", name, r.Verdict, r.Reasons)
		}
		if got := r.Signatures[0].Covers.Revision; got != revision {
			t.Errorf("%s covers revision %d, want %d", name, got, revision)
		}
	}
}

func TestAnAppearanceUsedElsewhereMayNotBeReplaced(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpus(t), "pyhanko")
	files, err := filepath.Glob(filepath.Join(dir, "form-update-*.pdf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, f := range files {
		r := judge(t, &validation.Validator{}, readFile(t, f))
		want := validation.Inconclusive // honest, signer unknown
		if strings.Contains(f, "sneaky") {
			want = validation.Invalid
		}
		if r.Verdict != want {
			t.Errorf("%s is %s, want %s: %v", filepath.Base(f), r.Verdict, want, r.Reasons)
		}
	}
}

func TestNothingInTheCorpusHangsOrGrows(t *testing.T) {
	dir := corpus(t)
	counts := map[string]int{}
	var slowest time.Duration
	var slow string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		b := readFile(t, path)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		r, err := (&validation.Validator{}).Validate(ctx, validation.Input{Reader: bytes.NewReader(b), Size: int64(len(b)), Name: d.Name()}, checkedAt)
		expired := ctx.Err() != nil
		cancel()
		took := time.Since(begin)
		if took > slowest {
			slowest, slow = took, d.Name()
		}
		if expired || took > 10*time.Second {
			t.Errorf("%s took %s", d.Name(), took)
		}
		if err != nil {
			counts["error"]++
			return nil
		}
		counts[string(r.Verdict)]++
		if r.Verdict == validation.Valid || r.Verdict == validation.ValidWithNotes {
			t.Errorf("%s is %s without any trust anchor", d.Name(), r.Verdict)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("verdicts %v; slowest %s (%s); memory taken from the system %d MB", counts, slowest, slow, m.Sys>>20)
	if m.Sys > 512<<20 {
		t.Errorf("memory grew to %d MB", m.Sys>>20)
	}
}
