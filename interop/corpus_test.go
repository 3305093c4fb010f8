//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	// verifyTimeout is how long judging one of them may take, and memoryLimit what it
	// may use, in KiB.
	verifyTimeout = 5 * time.Second
	memoryLimit   = 256 << 10
	// examples is how many names a table shows for each outcome.
	examples = 12
	// leastSigned is the share of sound files that must be signed, in per cent.
	leastSigned = 95
)

// fittingSound are the codes with which a file may be refused that qpdf finds nothing
// to say about: the cross-reference has to be rebuilt, the header is not at the
// start, a password is missing, or the file itself forbids it.
var fittingSound = []text.Code{
	text.PDFRepairNeeded, text.NotAPDF, text.PasswordRequired, text.PermissionDenied, text.DocMDPForbids, text.FieldLocked, text.SeedValueUnmet,
}

// fittingOdd are those for all others.
var fittingOdd = append([]text.Code{text.PDFMalformed, text.EncryptionUnsupported, text.LimitExceeded}, fittingSound...)

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

// stranger is a file that somebody else made.
type stranger struct {
	path  string
	data  []byte
	sound bool // qpdf has nothing to say
	clear bool // sound and not encrypted
}

// TestCorpusIsSigned signs every PDF. What is signed must be intact to us, valid to
// pdfsig, and accepted by pyHanko where it can read the original; what pdfsig and
// pyHanko said of earlier signatures they must say still. What is not signed must be
// refused with a code that fits.
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
	var sound, clear, clearSigned atomic.Int64
	each(files, func(path string) {
		f, err := readStranger(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		outcome, err := w.signStranger(s, f, dir, verdicts)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		kind := "qpdf objects"
		if f.sound {
			sound.Add(1)
			kind = "qpdf-clean"
		}
		if f.clear {
			clear.Add(1)
			if strings.HasPrefix(outcome, "signed") {
				clearSigned.Add(1)
			}
		}
		outcomes.add(kind+": "+outcome, path)
	})
	outcomes.log(t, "signing the corpus")
	verdicts.log(t, "verdicts on what we signed")
	t.Logf("counts: corpus: %d PDF files, %d qpdf-clean, %d of them not encrypted, of which %d signed (%.1f %%)", len(files),
		sound.Load(), clear.Load(), clearSigned.Load(), 100*float64(clearSigned.Load())/float64(max(clear.Load(), 1)))
	if clear.Load() == 0 || clearSigned.Load()*100 < clear.Load()*leastSigned {
		t.Errorf("only %d of %d were signed", clearSigned.Load(), clear.Load())
	}
}

// readStranger reads the file at path and asks qpdf about it. A file on which qpdf
// itself crashes or never ends is not sound.
func readStranger(path string) (stranger, error) {
	data, err := os.ReadFile(path)
	f := stranger{path: path, data: data}
	if err != nil {
		return f, err
	}
	code, words, err := qpdfWords(path, "")
	f.sound = err == nil && code == 0
	f.clear = f.sound && slices.Contains(words, "File is not encrypted")
	return f, nil
}

// signStranger signs f and has the result judged. The outcome is "signed" and what
// is to be said about it, or the code of the refusal.
func (w *world) signStranger(s *signer.Signer, f stranger, dir string, verdicts *tally) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), fileTimeout)
	defer cancel()
	var out bytes.Buffer
	in := signer.Input{Reader: bytes.NewReader(f.data), Size: int64(len(f.data)), Name: filepath.Base(f.path)}
	result, err := s.Sign(ctx, in, &out, signer.Request{Key: keyRSA, Level: ades.BB})
	fitting := fittingOdd
	if f.sound {
		fitting = fittingSound
	}
	var refusal *text.Error
	switch {
	case errors.As(err, &refusal) && slices.Contains(fitting, refusal.Code):
		return "refused: " + string(refusal.Code), nil
	case err != nil:
		return "failed", err
	case !bytes.HasPrefix(out.Bytes(), f.data):
		return "failed", errors.New("the original is no prefix of the result")
	}
	signed := filepath.Join(dir, strings.NewReplacer("/", "_", " ", "_").Replace(f.path))
	if err := os.WriteFile(signed, out.Bytes(), 0o600); err != nil {
		return "failed", err
	}
	defer os.Remove(signed)
	if err := w.weOnStranger(f, out.Bytes(), result.Field, verdicts); err != nil {
		return "signed", err
	}
	if err := w.pyHankoOnStranger(f.path, signed, result.Field, verdicts); err != nil {
		return "signed", err
	}
	return w.pdfsigOnStranger(f.path, signed, result.Field)
}

// onlyReadersDiffer reports whether nothing is said of the file but that programs may
// read what was signed differently.
func onlyReadersDiffer(r *validation.Report) bool {
	for _, reason := range r.Reasons {
		if reason.Code != validation.ReasonReaders {
			return false
		}
	}
	return len(r.Reasons) > 0
}

// weOnStranger wants our signature to be valid to us, and the document no worse than
// it was.
func (w *world) weOnStranger(f stranger, signed []byte, field string, verdicts *tally) error {
	r, err := w.validate(signed, true)
	if err != nil {
		return fmt.Errorf("validating the result: %w", err)
	}
	old, err := w.validate(f.data, true)
	if err != nil {
		return fmt.Errorf("validating the original: %w", err)
	}
	verdicts.add(fmt.Sprintf("ours: %s before, %s now", old.Verdict, r.Verdict), f.path)
	want := old.Verdict
	if want == validation.Unsigned {
		want = validation.Valid
		if onlyReadersDiffer(r) { // of the original: what we added is read alike by all
			want = validation.ValidWithNotes
		}
	}
	if r.Verdict != want {
		return fmt.Errorf("%s before, %s now: %v", old.Verdict, r.Verdict, reasons(r))
	}
	for _, sig := range r.Signatures {
		if sig.Field != field {
			continue
		}
		if sig.Integrity != validation.IntegrityOK || sig.Indication != ades.TotalPassed || sig.Modifications != validation.ModificationNone {
			return fmt.Errorf("we call our own signature %s %s %s: %v", sig.Integrity, sig.Indication, sig.SubIndication, reasons(r))
		}
		return nil
	}
	return errors.New("we do not see our own signature")
}

// pyHankoOnStranger lets pyHanko judge our signature in field, and what was signed
// before as it did then, where it can read the original at all.
func (w *world) pyHankoOnStranger(original, signed, field string, verdicts *tally) error {
	before, err := w.pyAsk(pyValidate{File: original, Root: w.root, Local: true})
	if err != nil {
		verdicts.add("pyHanko cannot read the original", original)
		return nil
	}
	now, err := w.pyAsk(pyValidate{File: signed, Root: w.root, Local: true})
	if err != nil {
		return fmt.Errorf("pyHanko reads the original, but not the result: %w", err)
	}
	for name, old := range before {
		if s := now[name]; s.Intact != old.Intact || s.Valid != old.Valid || s.DocMDPOK != old.DocMDPOK {
			return fmt.Errorf("pyHanko on the earlier signature %s: %+v before, %+v now", name, old, s)
		}
	}
	s, seen := now[field]
	if !seen || !s.Intact || !s.Valid || !s.DocMDPOK || s.Coverage != "ENTIRE_FILE" {
		return fmt.Errorf("pyHanko on our signature: %+v", s)
	}
	verdicts.add(fmt.Sprintf("pyHanko accepts, %d earlier signatures as before", len(before)), original)
	return nil
}

// pdfsigLockedOut reports whether pdfsig asks for a password.
func pdfsigLockedOut(path string) bool {
	_, out, err := runWithin(judgeTimeout, "pdfsig", "-nocert", path)
	return err == nil && strings.Contains(out, "Incorrect password")
}

// pdfsigOnStranger lets pdfsig judge our signature in field, and what was signed
// before as it did then. Some file makes it run for ever before it is signed, and
// one it does not open without a password that others do without; there mutool has
// to do.
func (w *world) pdfsigOnStranger(original, signed, field string) (outcome string, err error) {
	before, stuck := pdfsigVerdicts(original, "")
	now, err := pdfsigVerdicts(signed, "")
	switch {
	case err == nil && len(now) == 0 && pdfsigLockedOut(original):
		return "signed, pdfsig does not open the original", mutoolJudge(signed, 1, 0, "")
	case errors.Is(err, errStuck) && errors.Is(stuck, errStuck):
		return "signed, pdfsig stuck before and after", mutoolJudge(signed, 1, 0, "")
	case err != nil:
		return "signed", err
	case now[field] != pdfsigValid:
		return "signed", fmt.Errorf("pdfsig on %s: %q (all: %v)", field, now[field], now)
	}
	for name, old := range before {
		if now[name] != old {
			return "signed", fmt.Errorf("pdfsig on the earlier signature %s: %q before, %q now", name, old, now[name])
		}
	}
	return "signed", nil
}

// TestNothingInTheCorpusHarmsValidation runs `antin verify` on every file of the
// corpus, whatever it is, each in a process of its own: no crash, no hang, no
// more memory than the limit, and the same bytes of JSON at a second run.
func TestNothingInTheCorpusHarmsValidation(t *testing.T) {
	files := corpusFiles(t, "")
	program := buildAntin(t, shared)
	exits := newTally()
	var mu sync.Mutex
	var slowest time.Duration
	var largest int64
	var slow, large string
	each(files, func(path string) {
		code, took, kib, said, err := verifyAlone(program, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, _, _, again, err := verifyAlone(program, path); err != nil || !bytes.Equal(said, again) {
			t.Errorf("%s: another answer at the second run (%v)", path, err)
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

// judgedAt is the time of the judgement on the corpus, so that answers can be compared.
const judgedAt = "2026-11-24T00:00:00Z"

// verifyAlone judges one file in a process and reports how that process ended and
// what it said.
func verifyAlone(program, path string) (code int, took time.Duration, kib int64, said []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), verifyTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "verify", "--offline", "--json", "--at", judgedAt, path)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err = cmd.Run()
	took = time.Since(start)
	if cmd.ProcessState == nil {
		return -1, took, 0, nil, err
	}
	code, kib = cmd.ProcessState.ExitCode(), peakMemory(cmd.ProcessState)
	switch {
	case ctx.Err() != nil:
		return code, took, kib, nil, fmt.Errorf("took more than %s", verifyTimeout)
	case bytes.Contains(errs.Bytes(), []byte("panic:")) || bytes.Contains(errs.Bytes(), []byte("fatal error:")):
		return code, took, kib, nil, fmt.Errorf("crashed: %.400s", errs.String())
	case !slices.Contains([]int{0, 1, 3, 4, 5, 7}, code):
		return code, took, kib, nil, fmt.Errorf("exited with %d: %.400s", code, errs.String())
	}
	return code, took, kib, out.Bytes(), nil
}
