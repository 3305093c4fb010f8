//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/signer/ades"
	"antin/signer/validation"
)

// The two words that both sides can say of a stranger's signature, and ours for
// one that we cannot verify.
const (
	sound    = "sound"
	notSound = "not sound"
	unjudged = "not judged by us"
)

// TestCorpusSignaturesAreJudgedAlike compares our word on every signature of the
// corpus with pyHanko's: intact, over whole revisions, and nothing changed later
// that is not allowed. Nobody knows the signers, so trust is left aside.
func TestCorpusSignaturesAreJudgedAlike(t *testing.T) {
	w := shared
	outcomes := newTally()
	for _, path := range corpusFiles(t, "pdf") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.validate(data, false)
		if err != nil || len(r.Signatures) == 0 {
			continue
		}
		theirs, err := w.pyJudge(path, w.root, true, false)
		for _, s := range r.Signatures {
			if s.Type == validation.DocumentTimestamp {
				continue
			}
			our, their := ourWord(s), notSound // a file that it cannot read is not sound either
			if one, seen := theirs[s.Field]; err == nil && seen {
				their = theirWord(one)
			}
			outcomes.add(fmt.Sprintf("we %s, pyHanko %s", our, their), path)
			if our != unjudged && our != their {
				t.Errorf("%s, %s: %s for us (%s %s %s: %v), %s for pyHanko (%v)", filepath.Base(path), s.Field,
					our, s.Integrity, s.SubIndication, s.Modifications, reasons(r), their, err)
			}
		}
	}
	outcomes.log(t, "signatures in the corpus")
	if outcomes.counts["we sound, pyHanko sound"] == 0 || outcomes.counts["we not sound, pyHanko not sound"] == 0 {
		t.Error("the corpus no longer tests both words")
	}
}

func ourWord(s validation.Signature) string {
	switch {
	case s.Integrity == validation.IntegrityNotChecked && s.Indication == ades.Indeterminate:
		return unjudged
	case s.Integrity == validation.IntegrityOK && s.Modifications != validation.ModificationForbidden:
		return sound
	}
	return notSound
}

func theirWord(s pyStatus) string {
	if s.Intact && s.Valid && s.DocMDPOK && strings.HasPrefix(s.Coverage, "ENTIRE_") {
		return sound
	}
	return notSound
}
