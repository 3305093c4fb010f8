package pdf_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"antin/internal/text"
	"antin/signer/pdf"
)

const (
	// corpusTime is the longest that opening and walking one file may take.
	corpusTime = 10 * time.Second
	// corpusMemory is the most heap that one file may allocate at a time.
	corpusMemory = 512 << 20
	// walkBudget is the most objects loaded from one file.
	walkBudget = 200_000
	// decodeBudget is the most bytes decoded from one stream.
	decodeBudget = 64 << 20
)

// corpus calls do for every PDF of the corpus.
func corpus(t *testing.T, do func(name string, data []byte)) {
	t.Helper()
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: no corpus to read")
	}
	root = filepath.Join(root, "pdf")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		do(name, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// walk loads everything that f holds within budgets, and returns the number of
// objects and of those that could not be loaded.
func walk(f *pdf.File) (objects, bad int) {
	for num := range f.Objects() {
		if objects++; objects > walkBudget {
			break
		}
		e, _ := f.Entry(num)
		o, err := f.Load(pdf.Ref{Num: num, Gen: e.Gen})
		if err == nil {
			if s, ok := o.(*pdf.Stream); ok {
				_, err = f.Decode(s, decodeBudget)
			}
		}
		if err != nil && !errors.Is(err, pdf.ErrFilter) {
			bad++
		}
	}
	for _, err := range f.Pages() {
		if err != nil {
			bad++
		}
	}
	return objects, bad
}

func TestEveryCorpusFileOpensOrFailsWithACode(t *testing.T) {
	counts := map[string]int{}
	var files, objects, bad, revisions int
	corpus(t, func(name string, data []byte) {
		files++
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
		if err != nil {
			code := text.CodeOf(err)
			counts[string(code)]++
			t.Logf("%s: %v", name, err)
			switch code {
			case text.NotAPDF, text.PDFMalformed, text.PDFRepairNeeded, text.LimitExceeded:
			default:
				t.Errorf("%s: unexpected code %s", name, code)
			}
		} else {
			counts["opened"]++
			if f.Encrypted() {
				counts["encrypted: "+string(text.CodeOf(f.EncryptionError()))]++
			}
			n, b := walk(f)
			objects += n
			bad += b
			if b > 0 && !f.Encrypted() {
				t.Logf("%s: %d of %d objects cannot be read", name, b, n)
			}
			if irr := f.Irregularities(); len(irr) > 0 {
				t.Logf("%s: %v", name, irr)
			}
			revs := f.Revisions()
			revisions += len(revs)
			for i := range revs {
				if _, err := f.At(i); err != nil {
					counts["revisions that are no file"]++
					t.Logf("%s: revision %d of %d: %v", name, i, len(revs), err)
				}
			}
		}
		if d := time.Since(begin); d > corpusTime {
			t.Errorf("%s takes %s", name, d)
		}
		runtime.ReadMemStats(&after)
		if grown := after.HeapSys - min(before.HeapSys, after.HeapSys); grown > corpusMemory {
			t.Errorf("%s takes %d MB", name, grown>>20)
		}
	})
	if files == 0 {
		t.Fatal("the corpus holds no PDF")
	}
	t.Logf("%d files: %v; %d objects, %d of them unreadable; %d revisions", files, counts, objects, bad, revisions)
}
