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
	"testing"

	"antin/signer"
	"antin/signer/ades"
	"antin/signer/validation"
)

// raise is one file that one side signs and the other raises.
type raise struct {
	theirs
	to ades.Level
}

func (c raise) String() string { return fmt.Sprintf("%s_to_%s", c.theirs, c.to) }

// raises chooses pairs of document, key, level and the level to be reached.
func raises(makers []string, from, to []ades.Level) []raise {
	docs := documentKinds()
	keys := []struct {
		name string
		pss  bool
	}{{keyRSA, false}, {keyRSA3072, true}, {keyP256, false}}
	at := func(r []int) raise {
		c := theirs{docs[r[1]], makers[r[0]], keys[r[2]].name, keys[r[2]].pss, from[r[3]], false}
		return raise{c, to[r[4]]}
	}
	var all []raise
	for _, r := range pairwise([]int{len(makers), len(docs), len(keys), len(from), len(to)}, func(r []int) bool {
		c := at(r)
		return c.earlier == "" && c.possible() && !c.level.AtLeast(c.to)
	}) {
		all = append(all, at(r))
	}
	return all
}

// TestWeAugmentTheirs raises what pyHanko and DSS signed at B-B and B-T. DSS has to
// say the new level from the file alone, pyHanko and we have to accept it so, and
// the original has to be a prefix where the signature was stamped already.
func TestWeAugmentTheirs(t *testing.T) {
	w, dir, shelf := shared, shared.scratch(t), newLibrary(t, shared)
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	all := raises([]string{"pyhanko", "dss"}, []ades.Level{ades.BB, ades.BT}, []ades.Level{ades.BT, ades.BLT, ades.BLTA})
	verdicts := newTally()
	each(all, func(c raise) {
		d, err := shelf.get(c.document, noForm)
		if err != nil {
			t.Errorf("%s: %v", c, err)
			return
		}
		c.document = d
		signed, path := filepath.Join(dir, c.theirs.String()+"."+string(c.to)+".before.pdf"), filepath.Join(dir, c.String()+".pdf")
		if err := c.sign(w, signed); err != nil {
			t.Errorf("%s: signing: %v", c, err)
			return
		}
		keep(signed)
		if err := augmentFile(s, c.document, signed, path, c.to, c.level.AtLeast(ades.BT)); err != nil {
			t.Errorf("%s: %v", c, err)
			return
		}
		keep(path)
		c.acceptedBy(t, w, signed, path, verdicts)
	})
	logCounts(t, "others' signatures augmented by us", len(all), verdicts)
}

// acceptedBy lets the judges look at what was raised to c.to.
func (c raise) acceptedBy(t *testing.T, w *world, before, path string, verdicts *tally) {
	r := row{document: c.document, level: c.to, sort: sort{steps: []func(*signer.Request){inNewField(c.field())}}, algorithm: algorithm{key: c.key, pss: c.pss}, raised: true}
	r.earlier, r.path = "", before
	judges := []judgement{
		{judgePdfsig, func(_ *world, r row, path string) error { return pdfsigJudge(path, r.fields(), r.password()) }},
		{judgeQpdf, func(_ *world, r row, path string) error { return qpdfJudge(r.path, path, r.password()) }},
		{judgeOpenSSL, (*world).opensslRow},
		{judgeTS, (*world).stampsRow},
		{judgePyHanko, (*world).pyHankoRow},
		{judgeDSS, (*world).dssRow},
		{judgeUs, (*world).ourRow},
	}
	for _, j := range judges {
		if err := j.judge(w, r, path); err != nil {
			t.Errorf("%s: %s: %v", c, j.name, err)
			continue
		}
		verdicts.add(j.name+" accepts", path)
	}
}

// augmentFile raises the file at from to level with our signer. What is stamped
// already has to be a prefix of the result.
func augmentFile(s *signer.Signer, d document, from, to string, level ades.Level, stamped bool) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	in := signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Name: d.name, Password: d.password()}
	result, err := s.Augment(context.Background(), in, &out, level)
	switch {
	case err != nil:
		return err
	case stamped && !bytes.HasPrefix(out.Bytes(), data): // else the token may have gone into the signature's own gap
		return errors.New("the original is no prefix of the result")
	case result.Level != "PAdES-"+string(level):
		return fmt.Errorf("result says %s, not %s", result.Level, level)
	}
	return os.WriteFile(to, out.Bytes(), 0o600)
}

// TestTheyAugmentOurs has DSS raise what we signed, and both sides accept it.
func TestTheyAugmentOurs(t *testing.T) {
	w, dir, shelf := shared, shared.scratch(t), newLibrary(t, shared)
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	all := raises([]string{"dss"}, []ades.Level{ades.BB, ades.BT, ades.BLT}, []ades.Level{ades.BT, ades.BLT, ades.BLTA})
	verdicts := newTally()
	each(all, func(c raise) {
		d, err := shelf.get(c.document, noForm)
		if err != nil {
			t.Errorf("%s: %v", c, err)
			return
		}
		c.document = d
		ours := row{document: d, level: c.level, sort: sorts()[0], algorithm: algorithm{key: c.key, pss: c.pss}}
		name := strings.Replace(c.String(), "dss_", "ours_", 1)
		signed, path := filepath.Join(dir, name+".before.pdf"), filepath.Join(dir, name+".pdf")
		if err := signRow(s, ours, signed); err != nil {
			t.Errorf("%s: signing: %v", name, err)
			return
		}
		if err := w.dssExtend(signed, path, string(c.to), d.password()); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		keep(path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		r, err := w.validateDocument(d, data, !c.to.AtLeast(ades.BLT))
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case r.Verdict != validation.Valid || levelOf(r, ourField) != "PAdES-"+string(c.to):
			t.Errorf("%s: our verdict is %s at %s: %v", name, r.Verdict, levelOf(r, ourField), reasons(r))
		default:
			verdicts.add("we accept "+string(c.to), path)
		}
		ours.level = c.to
		if err := w.dssRow(ours, path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	logCounts(t, "our signatures augmented by DSS", len(all), verdicts)
}
