//go:build interop

package interop_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"antin/certs/certstest"
)

// demoDir is a folder that the demo left: the one that ANTIN_DEMO_DIR names, else
// one that is made once.
func demoDir(t *testing.T, w *world) string {
	t.Helper()
	if w.demo == "" {
		if w.demo = os.Getenv("ANTIN_DEMO_DIR"); w.demo == "" {
			w.demo = runDemo(t, w)
		}
	}
	return w.demo
}

// runDemo runs the main job by itself; its services have ended when it returns.
func runDemo(t *testing.T, w *world, args ...string) string {
	t.Helper()
	dir := w.scratch(t)
	code, out, err := run(buildAntin(t, w), append([]string{"demo", "--once", "--dir", dir, "--addr", "127.0.0.1:0"}, args...)...)
	if err != nil || code != 0 {
		t.Fatalf("the demo exited with %d: %s (%v)", code, out, err)
	}
	return dir
}

func buildAntin(t *testing.T, w *world) string {
	t.Helper()
	path, err := w.antin()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDemoFiles lets every judge look at every PDF that the demo leaves. The
// services are gone by then: what holds, holds by what the files carry.
func TestDemoFiles(t *testing.T) {
	w := shared
	dir := demoDir(t, w)
	root := filepath.Join(dir, "pki", "root.pem")
	var files, signatures int
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		copied := filepath.Join(w.scratch(t), filepath.Base(filepath.Dir(path))+"-"+d.Name())
		if err := os.WriteFile(copied, read(t, path), 0o600); err != nil {
			return err
		}
		n, complaints := w.judgeIssued(copied, root, nil)
		for _, c := range complaints {
			t.Errorf("%s: %v", path, c)
		}
		if code, out, err := run(buildAntin(t, w), "verify", "--offline", "--trust", root, copied); err != nil || code != 0 {
			t.Errorf("%s: antin verify exited with %d: %s (%v)", path, code, out, err)
		}
		files++
		signatures += n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/ketqua.pdf", "a/vanban.pdf", "b/vanban.pdf"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
	for _, role := range certstest.Roles() {
		opensPKCS12(t, filepath.Join(dir, "pki", role+".p12"), filepath.Join(dir, "pki", "password.txt"))
	}
	t.Logf("counts: demo: %d PDF files with %d signatures accepted by all judges, %d PKCS #12 files opened", files, signatures, len(certstest.Roles()))
}

// judgeIssued collects what the judges have against a finished document: person's
// signature and seal, both long-term. Signatures in the fields named strangers are
// by people whom root does not know; they must be intact and no more.
func (w *world) judgeIssued(path, root string, strangers []string) (signatures int, complaints []error) {
	all, err := signaturesIn(path)
	if err != nil {
		return 0, []error{err}
	}
	add := func(err error) {
		if err != nil {
			complaints = append(complaints, err)
		}
	}
	var fields []string
	for _, s := range all {
		fields = append(fields, s.field)
	}
	if len(fields) < 2 {
		add(fmt.Errorf("only signed in %v", fields))
	}
	add(pdfsigJudge(path, fields, ""))
	add(mutoolJudge(path, len(fields), 0, ""))
	if code, words, err := qpdfWords(path, ""); err != nil || code != 0 {
		add(fmt.Errorf("qpdf exited with %d: %q (%w)", code, words, err))
	}
	for _, s := range all {
		if !slices.Contains(strangers, s.field) {
			add(opensslJudge(filepath.Dir(path), s, root))
		}
	}
	judged, err := w.pyJudge(path, root, true, false)
	add(err)
	for _, f := range fields {
		one, seen := judged[f]
		switch {
		case !seen:
			add(fmt.Errorf("pyHanko does not see %s", f))
		case slices.Contains(strangers, f):
			if !one.Intact || !one.Valid || !one.DocMDPOK {
				add(fmt.Errorf("pyHanko on %s: %+v", f, one))
			}
		case one.good(true) != "":
			add(fmt.Errorf("pyHanko on %s: %s", f, one.good(true)))
		}
	}
	return len(fields), complaints
}

// TestDemoSendsAnyPDF gives the demo other people's files: what it sends must pass
// the same judges, and a stranger's signature inside must stay intact.
func TestDemoSendsAnyPDF(t *testing.T) {
	w := shared
	names := []string{"hybrid-word-1.5", "object-streams-2.0", "signed-by-pyhanko"}
	sent, shelf := 0, newLibrary(t, w)
	for _, d := range documentKinds() {
		if !slices.Contains(names, d.name) {
			continue
		}
		d, err := shelf.get(d, noForm)
		if err != nil {
			t.Fatal(err)
		}
		dir := runDemo(t, w, "--pdf", d.path)
		root := filepath.Join(dir, "pki", "root.pem")
		var strangers []string
		want := 0
		if d.signed() {
			strangers, want = []string{earlierField}, 4
		}
		path := filepath.Join(dir, "b", "vanban.pdf")
		_, complaints := w.judgeIssued(path, root, strangers)
		if err := errors.Join(complaints...); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
		if code, out, err := run(buildAntin(t, w), "verify", "--offline", "--trust", root, path); err != nil || code != want {
			t.Errorf("%s: antin verify exited with %d, not %d: %s (%v)", d.name, code, want, out, err)
		}
		sent++
	}
	t.Logf("counts: demo with other people's files: %d sent and judged", sent)
	if sent != len(names) {
		t.Errorf("%d files were sent, not %d", sent, len(names))
	}
}

// TestDemoMessageIsWellFormed lets libxml2 read the edXML message.
func TestDemoMessageIsWellFormed(t *testing.T) {
	w := shared
	dir := demoDir(t, w)
	for _, name := range []string{"a/vanban.edxml", "b/vanban.edxml"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		mustRun(t, "xmllint", "--noout", "--nonet", path)
		broken := write(t, w.scratch(t), "broken.edxml", read(t, path)[:200])
		if code, _, err := run("xmllint", "--noout", "--nonet", broken); err != nil || code == 0 {
			t.Errorf("xmllint accepts a part of %s (%v)", name, err)
		}
	}
	t.Log("counts: edXML messages well-formed for xmllint: 2")
}
