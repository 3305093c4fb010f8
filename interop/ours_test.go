//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"antin/signer"
	"antin/signer/ades"
	"antin/signer/appearance"
	"antin/signer/validation"
)

// combination is one way to sign a document of the matrix.
type combination struct {
	document
	key     string
	level   ades.Level
	visible bool
}

func (c combination) String() string {
	return fmt.Sprintf("%s-%s-%s-visible=%v", c.name, c.key, c.level, c.visible)
}

// combinations is the whole matrix.
func combinations(docs []document) []combination {
	var all []combination
	for _, d := range docs {
		for _, key := range []string{keyRSA, keyP256} {
			for _, level := range []ades.Level{ades.BB, ades.BT, ades.BLT} {
				for _, visible := range []bool{false, true} {
					all = append(all, combination{d, key, level, visible})
				}
			}
		}
	}
	return all
}

// fields lists what should be signed in the end.
func (c combination) fields(field string) []string {
	if c.signed {
		return []string{earlierField, field}
	}
	return []string{field}
}

// matrixSize is how many combinations there are: eleven kinds and versions, fresh
// and signed before, two keys, three levels, visible and not.
const matrixSize = 11 * 2 * 2 * 3 * 2

// ourField is where we sign.
const ourField = "Chữ ký 1"

// TestOurSignatures lets every judge look at what we sign, over the whole matrix.
func TestOurSignatures(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	all := combinations(documents(t, w))
	var files, signatures atomic.Int64
	each(all, func(c combination) {
		path := filepath.Join(dir, c.String()+".pdf")
		if err := signOurs(s, c, path); err != nil {
			t.Errorf("%s: signing: %v", c, err)
			return
		}
		for _, complaint := range w.judgeOurs(c, path) {
			t.Errorf("%s: %v", c, complaint)
		}
		files.Add(1)
		signatures.Add(int64(len(c.fields(ourField))))
	})
	t.Logf("counts: our signatures: %d combinations signed and judged, %d signatures in them", files.Load(), signatures.Load())
	if int(files.Load()) != len(all) || len(all) != matrixSize {
		t.Errorf("%d of %d combinations were judged", files.Load(), len(all))
	}
}

// signOurs signs c and makes sure that the original is a prefix of the result.
func signOurs(s *signer.Signer, c combination, path string) error {
	data, err := os.ReadFile(c.path)
	if err != nil {
		return err
	}
	req := signer.Request{Key: c.key, Level: c.level, Field: ourField, Reason: "Phê duyệt", Location: "Tỉnh Thử Nghiệm"}
	if c.visible {
		req.Page, req.Rect = 2, [4]float64{300, 100, 480, 160}
		req.Appearance = appearance.Person(appearance.PersonMark{Name: "Nguyễn Văn An"})
	}
	var out bytes.Buffer
	in := signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Name: c.name}
	result, err := s.Sign(context.Background(), in, &out, req)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(out.Bytes(), data) {
		return errors.New("the original is no prefix of the result")
	}
	if len(result.Warnings) > 0 {
		return fmt.Errorf("warnings %v", result.Warnings)
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}

// judgeOurs collects the complaints of all judges about the file made for c.
func (w *world) judgeOurs(c combination, path string) []error {
	fields := c.fields(ourField)
	complaints := []error{
		pdfsigJudge(path, fields),
		mutoolJudge(path, len(fields)),
		qpdfJudge(c.path, path),
		w.pyHankoAccepts(path, fields, c.level, !hybrid(c.kind)),
		w.opensslAccepts(path, w.root, fields),
		w.weAccept(c, path),
	}
	var found []error
	for _, err := range complaints {
		if err != nil {
			found = append(found, err)
		}
	}
	return found
}

// pyHankoAccepts lets pyHanko judge all fields with the network and, for B-LT, the
// last one from the file alone.
func (w *world) pyHankoAccepts(path string, fields []string, level ades.Level, strict bool) error {
	last := fields[len(fields)-1]
	online, err := w.pyJudge(path, w.root, false, strict)
	if err != nil {
		return err
	}
	if len(online) != len(fields) {
		return fmt.Errorf("pyHanko saw %d of %d signatures", len(online), len(fields))
	}
	for _, f := range fields {
		if bad := online[f].good(f == last && level.AtLeast(ades.BT)); bad != "" {
			return fmt.Errorf("pyHanko on %s: %s", f, bad)
		}
	}
	if !level.AtLeast(ades.BLT) {
		return nil
	}
	offline, err := w.pyJudge(path, w.root, true, strict)
	if err != nil {
		return err
	}
	if bad := offline[last].good(true); bad != "" {
		return fmt.Errorf("pyHanko without a network on %s: %s", last, bad)
	}
	return nil
}

// opensslAccepts lets OpenSSL judge the CMS of every field.
func (w *world) opensslAccepts(path, root string, fields []string) error {
	dir := strings.TrimSuffix(path, ".pdf") + ".cms"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	all, err := signaturesIn(path)
	if err != nil {
		return err
	}
	if len(all) != len(fields) {
		return fmt.Errorf("%d signatures found, not %d", len(all), len(fields))
	}
	for _, s := range all {
		if err := opensslJudge(dir, s, root); err != nil {
			return fmt.Errorf("field %s: %w", s.field, err)
		}
	}
	return nil
}

// weAccept wants our own verdict to be valid, for B-LT from the file alone.
func (w *world) weAccept(c combination, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	r, err := w.validate(data, c.signed || !c.level.AtLeast(ades.BLT)) // the earlier signature holds no data
	if err != nil {
		return err
	}
	if r.Verdict != validation.Valid {
		return fmt.Errorf("our verdict is %s: %v", r.Verdict, reasons(r))
	}
	if got := levelOf(r, ourField); got != "PAdES-"+string(c.level) {
		return fmt.Errorf("level %s, not %s", got, c.level)
	}
	return nil
}

// reasons is the codes of a report, with the field they concern.
func reasons(r *validation.Report) []string {
	var all []string
	for _, x := range r.Reasons {
		all = append(all, fmt.Sprintf("%s(%s): %s", x.Code, x.Signature, x.Message.EN))
	}
	return all
}

// levelOf is the level reached by the signature in field.
func levelOf(r *validation.Report, field string) string {
	for _, s := range r.Signatures {
		if s.Field == field {
			return s.Level
		}
	}
	return "none"
}
