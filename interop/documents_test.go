//go:build interop

package interop_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"antin/signer/pades/padestest"
)

// form is what a seed document holds for a signer to find, beside its text field.
type form string

// The forms.
const (
	noForm   form = ""          // no signature field
	empty    form = "empty"     // an empty signature field
	locking  form = "locking"   // one with a /Lock over a text field
	seeded   form = "seeded"    // one with seed values, all of them demands
	nested   form = "nested"    // one below a field without a type of its own
	twoEmpty form = "two-empty" // two of them
)

// The names of the fields in the forms.
const (
	earlierField = "Earlier" // signed before the signature under test
	emptyField   = "O ky"
	otherField   = "O ky khac"
	nestedField  = "Nhom.O ky"
	textField    = "ghichu"
)

// The passwords of encrypted documents.
const (
	userPassword  = "nguoi-doc"
	ownerPassword = "chu-so-huu"
)

// document is a PDF of the matrix, before the signature under test.
type document struct {
	name    string
	kind    padestest.Kind
	version string
	earlier string // who has signed it before: "pyhanko", "dss" or nobody
	// passwords of an encrypted document: user may be empty, then it opens without.
	user, owner string
	cipher      []string // of qpdf, nil for a document in the clear
	flavour     string   // of PDF/A or PDF/UA that it keeps to, as veraPDF calls it
	linear      bool     // linearised
	form        form
	path        string
}

// strict reports whether pyHanko may be asked to be strict with it: files with
// hybrid cross-references need the contrary.
func (d document) strict() bool { return d.kind != padestest.Hybrid && d.kind != hybridWord }

// signed reports whether somebody has signed it before.
func (d document) signed() bool { return d.earlier != "" }

// password is what opens it, "" when nothing is needed.
func (d document) password() string { return d.user }

// documentKinds is every kind of document of the matrix: cross-references,
// versions, ciphers, profiles, signed before.
func documentKinds() []document {
	all := []document{
		{name: "linearised-1.4", kind: padestest.Classic, version: "1.4", linear: true},
		{name: "linearised-object-streams-1.7", kind: padestest.ObjectStreams, version: "1.7", linear: true},
		{name: "pdfa-1b", kind: padestest.Classic, version: "1.4", flavour: "1b"},
		{name: "pdfa-2b", kind: padestest.Stream, version: "1.7", flavour: "2b"},
		{name: "pdfa-2a-tagged", kind: padestest.Classic, version: "1.7", flavour: "2a"},
		{name: "pdfa-3b", kind: padestest.ObjectStreams, version: "1.7", flavour: "3b"},
		{name: "pdfa-4", kind: padestest.Classic, version: "2.0", flavour: "4"},
		{name: "pdfua-1-tagged", kind: padestest.Classic, version: "1.7", flavour: "ua1"},
		{name: "signed-by-pyhanko", kind: padestest.Classic, version: "1.7", earlier: "pyhanko"},
		{name: "signed-by-pyhanko-stream", kind: padestest.Stream, version: "1.5", earlier: "pyhanko"},
		{name: "signed-by-pyhanko-hybrid", kind: hybridWord, version: "1.7", earlier: "pyhanko"},
		{name: "signed-by-dss", kind: padestest.Classic, version: "1.4", earlier: "dss"},
		{name: "signed-by-dss-object-streams", kind: padestest.ObjectStreams, version: "2.0", earlier: "dss"},
		{name: "encrypted-rc4-40", kind: padestest.Classic, version: "1.4", owner: ownerPassword, cipher: []string{"40"}},
		{name: "encrypted-rc4-128-user", kind: padestest.Classic, version: "1.4", user: userPassword, owner: ownerPassword, cipher: []string{"128", "--use-aes=n"}},
		{name: "encrypted-aes-128", kind: padestest.ObjectStreams, version: "1.6", owner: ownerPassword, cipher: []string{"128", "--use-aes=y"}},
		{name: "encrypted-aes-128-clear-metadata", kind: padestest.Classic, version: "1.7", user: userPassword, owner: ownerPassword, cipher: []string{"128", "--use-aes=y", "--cleartext-metadata"}},
		{name: "encrypted-aes-256", kind: padestest.ObjectStreams, version: "1.7", owner: ownerPassword, cipher: []string{"256"}},
		{name: "encrypted-aes-256-user", kind: padestest.Classic, version: "2.0", user: userPassword, owner: ownerPassword, cipher: []string{"256"}},
		{name: "encrypted-aes-256-r5", kind: padestest.Classic, version: "1.7", user: userPassword, owner: ownerPassword, cipher: []string{"256", "--force-R5"}},
	}
	for _, v := range []string{"1.0", "1.1", "1.3", "1.4", "1.7", "2.0"} {
		all = append(all, document{name: "classic-" + v, kind: padestest.Classic, version: v})
	}
	for _, k := range []padestest.Kind{padestest.Stream, padestest.ObjectStreams, padestest.Hybrid, hybridWord} {
		for _, v := range []string{"1.5", "2.0"} {
			all = append(all, document{name: string(k) + "-" + v, kind: k, version: v})
		}
	}
	return all
}

// library makes the documents of the matrix, each once and only when asked for.
type library struct {
	w    *world
	dir  string
	mu   sync.Mutex
	made map[string]func() (string, error)
}

// newLibrary makes the shelves.
func newLibrary(t *testing.T, w *world) *library {
	return &library{w: w, dir: w.scratch(t), made: map[string]func() (string, error){}}
}

// get returns d with the form f inside, its path set.
func (l *library) get(d document, f form) (document, error) {
	d.form = f
	name := d.name
	if f != noForm {
		name += "-" + string(f)
	}
	l.mu.Lock()
	once, known := l.made[name]
	if !known {
		once = sync.OnceValues(func() (string, error) { return l.build(d, filepath.Join(l.dir, name+".pdf")) })
		l.made[name] = once
	}
	l.mu.Unlock()
	path, err := once()
	if err != nil {
		return d, fmt.Errorf("document %s: %w", name, err)
	}
	d.path = path
	return d, nil
}

// build writes d to path, has it signed where it is one that was signed before,
// and makes sure that qpdf finds nothing to say.
func (l *library) build(d document, path string) (string, error) {
	first := path
	if d.signed() {
		first = strings.TrimSuffix(path, ".pdf") + ".unsigned.pdf"
	}
	if err := makeDocument(d, first); err != nil {
		return "", err
	}
	var err error
	switch d.earlier {
	case "pyhanko":
		err = l.w.pySignFile(first, path, keyRSA, "B-B", earlierField, false, false)
	case "dss":
		err = l.w.dssSign(first, path, dssSigning{key: keyRSA, level: "B-B", digest: "SHA256", field: ""})
	}
	if err != nil {
		return "", err
	}
	most := 0
	if d.earlier == "dss" {
		most = 3 // warnings: DSS counts one object too many where a cross-reference stream is updated
	}
	code, words, err := qpdfWords(path, d.password())
	if err == nil && code > most {
		err = fmt.Errorf("qpdf exited with %d: %q", code, words)
	}
	return path, err
}

// makeDocument writes d, unsigned, to path. qpdf writes the kinds that it knows
// from a classic file; files with a cross-reference stream whose objects lie in
// the open, hybrid ones and those that keep to a profile are written here.
func makeDocument(d document, path string) error {
	if d.kind == hybridWord {
		return os.WriteFile(path, hybridWordPDF(seedDocument(d)), 0o600)
	}
	byUs := d.kind == padestest.Stream || d.kind == padestest.Hybrid || d.flavour != ""
	if byUs {
		return os.WriteFile(path, seedDocument(d).Bytes(), 0o600)
	}
	seed := path + ".seed"
	plain := d
	plain.kind, plain.version = padestest.Classic, "1.7"
	if err := os.WriteFile(seed, seedDocument(plain).Bytes(), 0o600); err != nil {
		return err
	}
	defer os.Remove(seed)
	args := []string{"--force-version=" + d.version, "--object-streams=disable"}
	if d.kind == padestest.ObjectStreams {
		args[1] = "--object-streams=generate"
	}
	if d.linear {
		args = append(args, "--linearize")
	}
	if d.cipher != nil {
		args = append(args, "--allow-weak-crypto")
		args = append(append(append(args, "--encrypt", d.user, d.owner), d.cipher...), "--")
	}
	code, out, err := run("qpdf", append(args, seed, path)...)
	if err == nil && code != 0 {
		err = fmt.Errorf("qpdf exited with %d: %s", code, out)
	}
	if err != nil {
		return err
	}
	return checkMade(d, path)
}

// checkMade makes sure that qpdf wrote what was asked for.
func checkMade(d document, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	switch s := string(data); {
	case !strings.HasPrefix(s, "%PDF-"+d.version):
		return errors.New("qpdf wrote another version")
	case strings.Contains(s, "\nxref\n") != (d.kind == padestest.Classic):
		return errors.New("qpdf wrote another kind of cross-reference")
	case strings.Contains(s, "/Linearized") != d.linear:
		return errors.New("qpdf did not linearise as asked")
	}
	return nil
}
