//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/validation"
)

const (
	// fileTimeout is how long one file of strangers may take.
	fileTimeout = 10 * time.Second
	// memoryLimit is what judging one file may use, in KiB.
	memoryLimit = 512 << 10
	// examples is how many names a table shows for each outcome.
	examples = 12
	// leastSigned is the share of sound files that must be signed, in per cent.
	leastSigned = 95
)

// fitting are the codes with which a file that is sound to qpdf may be refused:
// what we ask of a file beyond that, and what its makers forbid.
var fitting = []text.Code{
	text.NotAPDF, text.PDFMalformed, text.PDFRepairNeeded, text.PermissionDenied, text.DocMDPForbids, text.FieldLocked, text.LimitExceeded,
}

// corpusFiles lists the files below a folder of the corpus, or skips.
func corpusFiles(t *testing.T, sub string) []string {
	t.Helper()
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: other people's files were neither signed nor judged")
	}
	var all []string
	err := filepath.WalkDir(filepath.Join(root, sub), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d files below %s (%v)", len(all), root, err)
	}
	return all
}

// tally counts outcomes and remembers a few examples of each.
type tally struct {
	mu       sync.Mutex
	counts   map[string]int
	examples map[string][]string
}

func newTally() *tally { return &tally{counts: map[string]int{}, examples: map[string][]string{}} }

func (c *tally) add(outcome, path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[outcome]++
	if len(c.examples[outcome]) < examples {
		c.examples[outcome] = append(c.examples[outcome], filepath.Base(path))
	}
}

func (c *tally) log(t *testing.T, title string) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(c.counts)) {
		t.Logf("table: %s: %-40s %4d  %s", title, k, c.counts[k], strings.Join(c.examples[k], ", "))
	}
}

// TestCorpusIsSigned signs every PDF that is sound to qpdf and not encrypted. What
// is signed must be intact to us and valid to pdfsig; what is not must be refused
// with a code that fits.
func TestCorpusIsSigned(t *testing.T) {
	w := shared
	var files []string
	for _, f := range corpusFiles(t, "pdf") {
		if strings.EqualFold(filepath.Ext(f), ".pdf") {
			files = append(files, f)
		}
	}
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	dir := w.scratch(t)
	outcomes, verdicts := newTally(), newTally()
	each(files, func(path string) {
		code, words, err := qpdfWords(path)
		switch {
		case err != nil:
			outcomes.add("left out: qpdf crashes or hangs", path)
			return
		case code != 0:
			outcomes.add("left out: qpdf objects", path)
			return
		case !slices.Contains(words, "File is not encrypted"):
			outcomes.add("left out: encrypted", path)
			return
		}
		outcome, err := w.signStranger(s, path, dir, verdicts)
		outcomes.add(outcome, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	})
	outcomes.log(t, "signing the corpus")
	verdicts.log(t, "our verdict on what we signed")
	signed, sound := 0, 0
	for k, n := range outcomes.counts {
		if strings.HasPrefix(k, "signed") {
			signed += n
		}
		if !strings.HasPrefix(k, "left out") {
			sound += n
		}
	}
	t.Logf("counts: corpus: %d PDF files, %d sound and not encrypted, %d signed (%.1f %%)", len(files), sound, signed, 100*float64(signed)/float64(max(sound, 1)))
	if sound == 0 || signed*100 < sound*leastSigned {
		t.Errorf("only %d of %d were signed", signed, sound)
	}
}

// signStranger signs the file at path and has the result judged. The outcome is
// "signed" and what is to be said about it, or the code of the refusal.
func (w *world) signStranger(s *signer.Signer, path, dir string, verdicts *tally) (outcome string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "unreadable", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), fileTimeout)
	defer cancel()
	var out bytes.Buffer
	in := signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Name: filepath.Base(path)}
	result, err := s.Sign(ctx, in, &out, signer.Request{Key: keyRSA, Level: ades.BB})
	var refusal *text.Error
	switch {
	case errors.As(err, &refusal) && slices.Contains(fitting, refusal.Code):
		return "refused: " + string(refusal.Code), nil
	case err != nil:
		return "failed", err
	case !bytes.HasPrefix(out.Bytes(), data):
		return "failed", errors.New("the original is no prefix of the result")
	}
	name := strings.NewReplacer("/", "_", " ", "_").Replace(path)
	signed := filepath.Join(dir, name)
	if err := os.WriteFile(signed, out.Bytes(), 0o600); err != nil {
		return "failed", err
	}
	defer os.Remove(signed)
	r, err := w.validate(out.Bytes(), true)
	if err != nil {
		return "signed", fmt.Errorf("validating the result: %w", err)
	}
	old, err := w.validate(data, true)
	if err != nil {
		return "signed", fmt.Errorf("validating the original: %w", err)
	}
	verdicts.add(fmt.Sprintf("%s before, %s now", old.Verdict, r.Verdict), path)
	if old.Verdict != validation.Unsigned && r.Verdict != old.Verdict || old.Verdict == validation.Unsigned && r.Verdict != validation.Valid {
		return "signed", fmt.Errorf("%s before, %s now: %v", old.Verdict, r.Verdict, reasons(r))
	}
	for _, sig := range r.Signatures {
		if sig.Field != result.Field {
			continue
		}
		if sig.Integrity != validation.IntegrityOK || sig.Indication != ades.TotalPassed || sig.Modifications != validation.ModificationNone {
			return "signed", fmt.Errorf("we call our own signature %s %s %s: %v", sig.Integrity, sig.Indication, sig.SubIndication, reasons(r))
		}
		return w.pdfsigOnStranger(path, signed, result.Field)
	}
	return "signed", errors.New("we do not see our own signature")
}

// pdfsigOnStranger lets pdfsig judge our signature in field. Some file makes it run
// for ever before it is signed; there mutool has to do.
func (w *world) pdfsigOnStranger(original, signed, field string) (outcome string, err error) {
	err = pdfsigJudge(signed, []string{field})
	if !errors.Is(err, errStuck) {
		return "signed", err
	}
	if _, err := pdfsigVerdicts(original); !errors.Is(err, errStuck) {
		return "signed", errors.Join(errors.New("pdfsig is stuck, but was not before signing"), err)
	}
	return "signed, pdfsig stuck before and after", mutoolJudge(signed, 1)
}

// TestNothingInTheCorpusHarmsValidation runs `antin verify` on every file of the
// corpus, whatever it is, each in a process of its own: no crash, no hang, no
// more memory than the limit.
func TestNothingInTheCorpusHarmsValidation(t *testing.T) {
	files := corpusFiles(t, "")
	program := buildAntin(t, shared)
	exits := newTally()
	var mu sync.Mutex
	var slowest time.Duration
	var largest int64
	var slow, large string
	each(files, func(path string) {
		code, took, kib, err := verifyAlone(program, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if kib > memoryLimit {
			t.Errorf("%s: %d MiB", path, kib>>10)
		}
		exits.add(fmt.Sprintf("exit %d", code), path)
		mu.Lock()
		defer mu.Unlock()
		if took > slowest {
			slowest, slow = took, path
		}
		if kib > largest {
			largest, large = kib, path
		}
	})
	exits.log(t, "antin verify --offline")
	t.Logf("counts: %d files of the corpus judged; slowest %s (%s), most memory %d MiB (%s)", len(files),
		slowest.Round(time.Millisecond), filepath.Base(slow), largest>>10, filepath.Base(large))
}

// verifyAlone judges one file in a process and reports how that process ended.
func verifyAlone(program, path string) (code int, took time.Duration, kib int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), fileTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "verify", "--offline", "--json", path)
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &errs
	start := time.Now()
	err = cmd.Run()
	took = time.Since(start)
	if cmd.ProcessState == nil {
		return -1, took, 0, err
	}
	code, kib = cmd.ProcessState.ExitCode(), peakMemory(cmd.ProcessState)
	switch {
	case ctx.Err() != nil:
		return code, took, kib, fmt.Errorf("took more than %s", fileTimeout)
	case bytes.Contains(errs.Bytes(), []byte("panic:")) || bytes.Contains(errs.Bytes(), []byte("fatal error:")):
		return code, took, kib, fmt.Errorf("crashed: %.400s", errs.String())
	case !slices.Contains([]int{0, 1, 3, 4, 5, 7}, code):
		return code, took, kib, fmt.Errorf("exited with %d: %.400s", code, errs.String())
	}
	return code, took, kib, nil
}
