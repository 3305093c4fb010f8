//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"antin/signer/ades"
	"antin/signer/validation"
)

// theirField is where pyHanko signs.
const theirField = "Theirs"

// theirs is one file that somebody else signs.
type theirs struct {
	document
	maker   string // "pyhanko" or "dss"
	key     string
	pss     bool
	level   ades.Level
	visible bool // of pyHanko: also whether it fetches before the time-stamp, in one step
}

func (c theirs) String() string {
	return fmt.Sprintf("%s_%s_%s-pss=%v_%s_visible=%v", c.maker, c.name, c.key, c.pss, c.level, c.visible)
}

// field is where the maker signs.
func (c theirs) field() string {
	switch {
	case c.maker == "pyhanko":
		return theirField
	case c.earlier == "dss":
		return "Signature2"
	}
	return dssField
}

// fields lists what should be signed in the end.
func (c theirs) fields() []string {
	switch c.earlier {
	case "pyhanko":
		return []string{earlierField, c.field()}
	case "dss":
		return []string{dssField, c.field()}
	}
	return []string{c.field()}
}

// sign has the maker sign.
func (c theirs) sign(w *world, path string) error {
	if c.maker == "pyhanko" {
		return w.pySignFile(c.path, path, c.key, string(c.level), theirField, c.visible, c.visible)
	}
	return w.dssSign(c.path, path, dssSigning{key: c.key, level: string(c.level), digest: "SHA256", pss: c.pss, password: c.password()})
}

// theirMatrix chooses pairs of maker, document, key, level and look.
func theirMatrix() []theirs {
	docs := documentKinds()
	makers := []string{"pyhanko", "dss"}
	keys := []struct {
		name string
		pss  bool
	}{{keyRSA, false}, {keyRSA3072, true}, {keyP256, false}, {keyP384, false}}
	at := func(r []int) theirs {
		return theirs{docs[r[1]], makers[r[0]], keys[r[2]].name, keys[r[2]].pss, levels()[r[3]], r[4] == 1}
	}
	var all []theirs
	for _, r := range pairwise([]int{len(makers), len(docs), len(keys), len(levels()), 2}, func(r []int) bool { return at(r).possible() }) {
		all = append(all, at(r))
	}
	return all
}

// possible reports whether the maker can do what the values ask of it.
func (c theirs) possible() bool {
	if c.maker == "pyhanko" {
		return !c.pss && c.level != ades.BLTA && c.cipher == nil
	}
	return !c.visible && c.strict() // DSS writes hybrid files wrongly: see README.md
}

// TestTheirSignatures judges what pyHanko and DSS sign, against the same services.
// With the network every file must be valid. From B-LT on a file must be valid
// without it too, where the revocation data was fetched after the time-stamp;
// signing in one step fetches it before, which our policy notes
// (revocation_before_signing), unless both fell into one second.
func TestTheirSignatures(t *testing.T) {
	w, dir, shelf := shared, shared.scratch(t), newLibrary(t, shared)
	all := theirMatrix()
	verdicts := newTally()
	each(all, func(c theirs) {
		d, err := shelf.get(c.document, noForm)
		if err != nil {
			t.Errorf("%s: %v", c, err)
			return
		}
		c.document = d
		path := filepath.Join(dir, c.String()+".pdf")
		if err := c.sign(w, path); err != nil {
			t.Errorf("%s: signing: %v", c, err)
			return
		}
		keep(path)
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
		verdicts.add(fmt.Sprintf("%s, with the network: %s", c.maker, online), path)
		if !c.level.AtLeast(ades.BLT) || c.signed() {
			return // holds no data on every signer
		}
		offline, err := w.judgeTheirs(c, data, false)
		if err == nil && offline != validation.Valid && (offline != validation.ValidWithNotes || !c.visible) {
			err = fmt.Errorf("our verdict without the network is %s", offline)
		}
		if err != nil {
			t.Errorf("%s: without the network: %v", c, err)
		}
		verdicts.add(fmt.Sprintf("%s, %s without the network: %s", c.maker, c.level, offline), path)
	})
	logCounts(t, "others' signatures", len(all), verdicts)
}

// judgeTheirs validates what c's maker made. The error says what is wrong beside
// the verdict: a signature that did not pass, a level not reached, a note that has
// no business there.
func (w *world) judgeTheirs(c theirs, data []byte, online bool) (validation.Verdict, error) {
	r, err := w.validateDocument(c.document, data, online)
	if err != nil {
		return "", err
	}
	seen := 0
	for _, s := range r.Signatures {
		if s.Type == validation.DocumentTimestamp {
			continue
		}
		seen++
		if s.Integrity != validation.IntegrityOK || s.Indication != ades.TotalPassed {
			return r.Verdict, fmt.Errorf("%s: %s %s %s: %v", s.Field, s.Integrity, s.Indication, s.SubIndication, reasons(r))
		}
	}
	if seen != len(c.fields()) {
		return r.Verdict, fmt.Errorf("%d signatures seen, not %d", seen, len(c.fields()))
	}
	if got := levelOf(r, c.field()); got != "PAdES-"+string(c.level) {
		return r.Verdict, fmt.Errorf("level %s, not %s", got, c.level)
	}
	if i := slices.IndexFunc(r.Reasons, func(x validation.Reason) bool { return x.Code != validation.ReasonEarlierData || online }); i >= 0 {
		return r.Verdict, fmt.Errorf("unexpected: %v", reasons(r))
	}
	return r.Verdict, nil
}
