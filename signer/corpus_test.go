package signer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pdf"
)

// maxCorpusFile keeps the run short; larger files say nothing more about signing.
const maxCorpusFile = 32 << 20

// allowedRefusals are the codes that fit a file somebody else made.
var allowedRefusals = []text.Code{
	text.NotAPDF, text.PDFMalformed, text.PDFRepairNeeded, text.PasswordRequired, text.EncryptionUnsupported, text.PermissionDenied,
	text.DocMDPForbids, text.FieldLocked, text.LimitExceeded,
}

// TestCorpusIsSignedOrRefused signs every PDF of the corpus. What is signed has
// passed the signer's own check; what is not must be refused with a code that
// fits, quickly, and never by a panic.
func TestCorpusIsSignedOrRefused(t *testing.T) {
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set: the corpus was not signed")
	}
	a := newAuthorities(t)
	a.issue(t, "p256", certstest.Spec{KeyType: certstest.P256})
	s := a.signer()
	outcome := map[string]int{}
	var slowest time.Duration
	err := filepath.WalkDir(filepath.Join(root, "pdf"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxCorpusFile {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		start := time.Now()
		result := signOne(s, data)
		took := time.Since(start)
		slowest = max(slowest, took)
		if took > 10*time.Second {
			t.Errorf("%s: took %s", path, took)
		}
		var e *text.Error
		switch {
		case result == nil:
			outcome["signed"]++
		case errors.As(result, &e) && slices.Contains(allowedRefusals, e.Code):
			outcome[string(e.Code)]++
		default:
			outcome["unexpected"]++
			t.Errorf("%s: %v", strings.TrimPrefix(path, root), result)
		}
		if result != nil && os.Getenv("ANTIN_KEEP") != "" {
			t.Logf("REFUSED %s: %v", strings.TrimPrefix(path, root), result)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range slices.Sorted(maps.Keys(outcome)) {
		t.Logf("%-24s %d", k, outcome[k])
	}
	t.Logf("slowest %s", slowest.Round(time.Millisecond))
	if outcome["signed"] == 0 {
		t.Error("nothing was signed")
	}
}

// signOne signs data and makes sure of what a signed file must be.
func signOne(s *signer.Signer, data []byte) error {
	var out bytes.Buffer
	res, err := s.Sign(context.Background(), input(data), &out, signer.Request{Key: "p256", Level: ades.BB})
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(out.Bytes(), data) || int64(out.Len()) != res.Bytes {
		return errors.New("original is no prefix")
	}
	f, err := pdf.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), pdf.Options{})
	if err != nil {
		return fmt.Errorf("opening the result: %w", err)
	}
	if err := f.SigningProblem(); err != nil {
		return fmt.Errorf("result cannot be signed again: %w", err)
	}
	return nil
}
