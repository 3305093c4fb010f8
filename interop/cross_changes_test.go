//go:build interop

package interop_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/validation/attacktest"
)

// The judges of later changes.
const (
	byDSS     = "DSS"
	byPyHanko = "pyHanko"
	byMutool  = "mutool"
)

// What was done to a file that nobody attacked.
const (
	honest   = "honest"
	asSigned = "as it was signed"
)

// corpusShare is of how many attacks one is made on a file of the corpus, another
// on each; ANTIN_LONG makes all. Our own verdict on all of them is a test of
// signer/validation. everyAttack is the turn of a file that gets all of them.
const (
	corpusShare = 4
	everyAttack = -1
)

// leastChanged is how many files must have been judged by all.
const leastChanged = 500

// seedOf is an honest signed file that others are made from.
type seedOf struct {
	name string
	document
	sort  sort
	level ades.Level
}

// changeSeeds are the honest files: each kind of cross-references, each sort of
// permission, each level.
func changeSeeds() []seedOf {
	all := map[string]sort{}
	for _, s := range sorts() {
		all[s.name] = s
	}
	approval := all["approval"]
	kind := func(k padestest.Kind, version string) document {
		return document{name: string(k) + "-" + version, kind: k, version: version}
	}
	classic := kind(padestest.Classic, "1.7")
	return []seedOf{
		{"classic", classic, approval, ades.BB},
		{"stream", kind(padestest.Stream, "1.5"), approval, ades.BT},
		{"objstm", kind(padestest.ObjectStreams, "2.0"), approval, ades.BLT},
		{"hybrid", kind(padestest.Hybrid, "1.5"), approval, ades.BB},
		{"linear", document{name: "linearised-1.4", kind: padestest.Classic, version: "1.4", linear: true}, approval, ades.BB},
		{"tagged", document{name: "pdfa-2a-tagged", kind: padestest.Classic, version: "1.7", flavour: "2a"}, approval, ades.BB},
		{"archive", classic, approval, ades.BLTA},
		{"certify-1", classic, all["certify-1"], ades.BB},
		{"certify-2", classic, all["certify-2"], ades.BB},
		{"certify-3", classic, all["certify-3"], ades.BB},
		{"lock-all", classic, all["lock-all"], ades.BB},
		{"field-lock", classic, all["field-lock"], ades.BB},
		{"several", classic, all["several"], ades.BB},
		{"certify-2-then", classic, all["certify-2-then-existing"], ades.BB},
	}
}

// changedFiles makes every attack on every seed, and on the signed files of the
// corpus, beside the honest files themselves.
func changedFiles(t *testing.T, w *world, dir string) []specimen {
	t.Helper()
	var mu sync.Mutex
	var all []specimen
	put := func(s specimen, data []byte) {
		s.name = strings.NewReplacer("/", "_", " ", "_", "'", "").Replace(s.seed + "__" + s.what + ".pdf")
		s.path = filepath.Join(dir, s.name)
		if err := os.WriteFile(s.path, data, 0o600); err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
	}
	spread := func(s specimen, turn int, doc []byte) {
		s.class, s.what = honest, asSigned
		put(s, doc)
		for i, a := range attacktest.All() {
			if turn != everyAttack && (i+turn)%corpusShare != 0 && os.Getenv("ANTIN_LONG") == "" {
				continue
			}
			if forged := a.Make(doc); forged != nil {
				s.class, s.what = a.Class, a.Name
				put(s, forged)
			}
		}
	}
	key, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	shelf := newLibrary(t, w)
	each(changeSeeds(), func(c seedOf) {
		doc, err := signedSeed(key, shelf, c, dir)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			return
		}
		spread(specimen{seed: c.name, lenient: !c.strict()}, everyAttack, doc)
	})
	for i, s := range corpusSigned(t) {
		spread(specimen{seed: strings.TrimSuffix(filepath.Base(s.path), ".pdf")}, i, s.data)
	}
	return all
}

// signedSeed signs c's document.
func signedSeed(key *signer.Signer, shelf *library, c seedOf, dir string) ([]byte, error) {
	d, err := shelf.get(c.document, c.sort.form)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, c.name+".seed.pdf")
	r := row{document: d, level: c.level, sort: c.sort, algorithm: algorithm{key: keyP256}, visible: true}
	if err := signRow(key, r, path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// corpusSigned are the corpus's signed files; none where it is not at hand.
func corpusSigned(t *testing.T) []stranger {
	if os.Getenv("ANTIN_CORPUS") == "" {
		return nil
	}
	var all []stranger
	for _, path := range corpusFiles(t, "pdf") {
		data, err := os.ReadFile(path)
		if err != nil || !strings.EqualFold(filepath.Ext(path), ".pdf") || !bytes.Contains(data, []byte("/ByteRange")) {
			continue
		}
		all = append(all, stranger{path: path, data: data})
	}
	return all
}

// TestChangesAreJudgedBesideOthers puts our word on honest files and on every
// attack on them beside that of DSS, pyHanko and mutool. Where one says yes and
// another no, docs/explanation/disagreements.md says why.
func TestChangesAreJudgedBesideOthers(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	files := changedFiles(t, w, dir)
	reg := newRegister(changeDisagreements())
	reg.files = len(files)
	each(files, func(s specimen) {
		data, err := os.ReadFile(s.path)
		if err != nil {
			t.Error(err)
			return
		}
		ours, report := w.ourOpinion(data)
		if s.class != honest && ours == accepts {
			t.Errorf("%s: we accept an attack", s.name)
		}
		for judge, ask := range map[string]func() (opinion, string){
			byDSS:     func() (opinion, string) { return w.dssOpinion(s) },
			byPyHanko: func() (opinion, string) { return w.pyOpinion(s) },
			byMutool:  func() (opinion, string) { return mutoolOpinion(s) },
		} {
			theirs, why := ask()
			if words := reg.add(s, judge, ours, theirs); words != "" {
				keep(s.path)
				t.Errorf("unexplained: %s [%s]: %s (%v; %.300s)", s.name, s.class, words, reasons(report), why)
			}
		}
	})
	reg.finish(t, "changes", leastChanged)
}
