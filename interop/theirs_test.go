//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"antin/signer/ades"
	"antin/signer/validation"
)

// theirField is where pyHanko signs.
const theirField = "Theirs"

// TestPyHankoSignatures judges what pyHanko signs, over the same matrix, against
// the same services. With the network every file must be valid. A B-LT file must
// be valid without it too, where pyHanko fetched the revocation data after its
// time-stamp; pyHanko's signing in one step fetches it before, which our policy
// notes (revocation_before_signing), unless both fell into one second.
func TestPyHankoSignatures(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	all := combinations(documents(t, w))
	var mu sync.Mutex
	verdicts := map[string]int{}
	each(all, func(c combination) {
		path := filepath.Join(dir, c.String()+".pdf")
		oneStep := c.visible // so that both ways meet every document, key and kind
		if err := w.pySignFile(c.path, path, c.key, string(c.level), theirField, c.visible, oneStep); err != nil {
			t.Errorf("%s: signing: %v", c, err)
			return
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", c, err)
			return
		}
		online, err := w.judgeTheirs(c, data, true)
		if err == nil && online != validation.Valid {
			err = fmt.Errorf("our verdict with the network is %s", online)
		}
		if err != nil {
			t.Errorf("%s: %v", c, err)
		}
		mu.Lock()
		verdicts[fmt.Sprintf("with the network %s", online)]++
		mu.Unlock()
		if c.level != ades.BLT || c.signed {
			return // holds no data on every signer
		}
		offline, err := w.judgeTheirs(c, data, false)
		if err == nil && offline != validation.Valid && (offline != validation.ValidWithNotes || !oneStep) {
			err = fmt.Errorf("our verdict without the network is %s", offline)
		}
		if err != nil {
			t.Errorf("%s: %v", c, err)
		}
		mu.Lock()
		verdicts[fmt.Sprintf("B-LT without the network, one step=%v: %s", oneStep, offline)]++
		mu.Unlock()
	})
	t.Logf("counts: pyHanko's signatures: %d combinations: %v", len(all), verdicts)
	if len(all) != matrixSize {
		t.Errorf("%d combinations, not %d", len(all), matrixSize)
	}
}

// judgeTheirs validates what pyHanko made of c. The error says what is wrong
// beside the verdict: a signature that did not pass, a level not reached, a note
// that has no business there.
func (w *world) judgeTheirs(c combination, data []byte, online bool) (validation.Verdict, error) {
	r, err := w.validate(data, online)
	if err != nil {
		return "", err
	}
	fields := c.fields(theirField)
	if len(r.Signatures) != len(fields) {
		return r.Verdict, fmt.Errorf("%d signatures seen, not %d", len(r.Signatures), len(fields))
	}
	for _, s := range r.Signatures {
		if s.Integrity != validation.IntegrityOK || s.Indication != ades.TotalPassed {
			return r.Verdict, fmt.Errorf("%s: %s %s %s: %v", s.Field, s.Integrity, s.Indication, s.SubIndication, reasons(r))
		}
	}
	if got := levelOf(r, theirField); got != "PAdES-"+string(c.level) {
		return r.Verdict, fmt.Errorf("level %s, not %s", got, c.level)
	}
	if i := slices.IndexFunc(r.Reasons, func(x validation.Reason) bool { return x.Code != validation.ReasonEarlierData || online }); i >= 0 {
		return r.Verdict, fmt.Errorf("unexpected: %v", reasons(r))
	}
	return r.Verdict, nil
}
