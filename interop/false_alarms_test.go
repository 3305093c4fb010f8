//go:build interop

package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// pyWork asks pyHanko or PDFium for one lawful piece of work after signing.
type pyWork struct {
	Command string `json:"command"`
	In      string `json:"in"`
	Out     string `json:"out"`
	Field   string `json:"field"`
	Value   string `json:"value"`
	Root    string `json:"root"`
	TSA     string `json:"tsa"`
}

// lawful is a piece of work that somebody may do to a signed file.
type lawful struct {
	name string
	do   func(w *world, in, out string) error
	// worst is the gravest kind of change that the first signature may be told of.
	worst validation.Modification
	// fills says what is done about a field's value.
	fills filling
	// classic is true for what works on files with a cross-reference table alone: PDFium
	// writes updates of others that pyHanko cannot read either, and pyHanko does not
	// update what DSS did to them.
	classic bool
}

// filling says whether a value is filled in, and whether somebody signs it then.
type filling int

// The kinds of filling. A value that nobody signs is judged by the file's own
// permission (contract, changed_uncovered); one that somebody does is a note.
const (
	fillsNothing filling = iota
	fillsUnsigned
	fillsSigned
)

// lawfulWork is all of it.
func lawfulWork() []lawful {
	py := func(command string) func(w *world, in, out string) error {
		return func(w *world, in, out string) error {
			_, err := w.py.ask(pyWork{command, in, out, textField, "12/QĐ-UBND", w.root, w.TSAURL()})
			return err
		}
	}
	pySign := func(level string) func(w *world, in, out string) error {
		return func(w *world, in, out string) error {
			return w.pySignFile(in, out, keyP256, level, theirField, false, false)
		}
	}
	dssSign := func(level string) func(w *world, in, out string) error {
		return func(w *world, in, out string) error {
			return w.dssSign(in, out, dssSigning{key: keyP256, level: level, digest: "SHA256"})
		}
	}
	dssExtend := func(level string) func(w *world, in, out string) error {
		return func(w *world, in, out string) error { return w.dssExtend(in, out, level, "") }
	}
	then := func(steps ...func(w *world, in, out string) error) func(w *world, in, out string) error {
		return func(w *world, in, out string) error {
			for i, step := range steps {
				next := out
				if i < len(steps)-1 {
					next = fmt.Sprintf("%s.step%d.pdf", out, i)
				}
				if err := step(w, in, next); err != nil {
					return err
				}
				in = next
			}
			return nil
		}
	}
	return []lawful{
		{"nothing", func(_ *world, in, out string) error { return copyFile(in, out) }, validation.ModificationNone, fillsNothing, false},
		{"checked by qpdf", func(_ *world, in, out string) error {
			if _, _, err := qpdfWords(in, ""); err != nil {
				return err
			}
			return copyFile(in, out)
		}, validation.ModificationNone, fillsNothing, false},
		{"signed again by pyHanko", pySign("B-B"), validation.ModificationForm, fillsNothing, false},
		{"signed again by pyHanko at B-LT", pySign("B-LT"), validation.ModificationForm, fillsNothing, false},
		{"signed again by DSS", dssSign("B-B"), validation.ModificationForm, fillsNothing, false},
		{"signed again by DSS at B-LTA", dssSign("B-LTA"), validation.ModificationForm, fillsNothing, false},
		{"signed twice more, by pyHanko and DSS", then(pySign("B-T"), dssSign("B-B")), validation.ModificationForm, fillsNothing, false},
		{"raised to B-LT by DSS", dssExtend("B-LT"), validation.ModificationEvidence, fillsNothing, false},
		{"raised to B-LTA by DSS", dssExtend("B-LTA"), validation.ModificationEvidence, fillsNothing, false},
		{"archived by pyHanko", py("archive"), validation.ModificationEvidence, fillsNothing, false},
		{"archived by pyHanko twice", then(py("archive"), py("archive")), validation.ModificationEvidence, fillsNothing, false},
		{"archived by pyHanko, then by DSS", then(py("archive"), dssExtend("B-LTA")), validation.ModificationEvidence, fillsNothing, false},
		{"archived by DSS, then by pyHanko", then(dssExtend("B-LTA"), py("archive")), validation.ModificationEvidence, fillsNothing, true},
		{"filled by pyHanko", py("fill"), validation.ModificationForm, fillsUnsigned, false},
		{"filled by pdf.js", fillByPDFJS, validation.ModificationForm, fillsUnsigned, false},
		{"filled by PDFium", py("fill_pdfium"), validation.ModificationForm, fillsUnsigned, true},
		{"filled by pyHanko and signed", then(py("fill"), pySign("B-B")), validation.ModificationForm, fillsSigned, false},
		{"filled by pdf.js and signed", then(fillByPDFJS, pySign("B-B")), validation.ModificationForm, fillsSigned, false},
		{"filled by PDFium and signed", then(py("fill_pdfium"), pySign("B-B")), validation.ModificationForm, fillsSigned, true},
	}
}

// fillByPDFJS fills the text field as the viewer of Firefox does.
func fillByPDFJS(_ *world, in, out string) error {
	code, said, err := run("node", "pdfjs_fill.mjs", os.Getenv("ANTIN_PDFJS"), in, out, textField, "12/QĐ-UBND")
	if err == nil && code != 0 {
		err = fmt.Errorf("pdf.js: %.300s", said)
	}
	return err
}

func copyFile(in, out string) error {
	data, err := os.ReadFile(in)
	return errors.Join(err, os.WriteFile(out, data, 0o600))
}

// alarm is one cell of the table: a file on which lawful work is done.
type alarm struct {
	document
	sort sort
	work lawful
}

func (a alarm) String() string { return a.name + ", " + a.sort.name + ", " + a.work.name }

// TestLawfulWorkIsNoAlarm has others do what is lawful after signing, on files of
// every kind, uncertified and certified for filling in: the first signature stays
// intact, no change is forbidden, and the verdict is the one of the table. A value
// that nobody signs is a note where the signer permitted filling in, and named as
// changed_uncovered where nobody said so.
func TestLawfulWorkIsNoAlarm(t *testing.T) {
	if os.Getenv("ANTIN_PDFJS") == "" {
		t.Fatal("ANTIN_PDFJS must name the folder of pdfjs-dist (npm)")
	}
	w, dir, shelf := shared, shared.scratch(t), newLibrary(t, shared)
	key, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	table := newTally()
	each(alarms(), func(a alarm) {
		d, err := shelf.get(a.document, a.sort.form)
		if err != nil {
			t.Errorf("%s: %v", a, err)
			return
		}
		name := filepath.Join(dir, fmt.Sprintf("%s-%s-%d", a.name, a.sort.name, slices.IndexFunc(lawfulWork(), func(l lawful) bool { return l.name == a.work.name })))
		signed, path := name+".signed.pdf", name+".pdf"
		if err := signRow(key, row{document: d, level: ades.BT, sort: a.sort, algorithm: algorithm{key: keyP256}}, signed); err != nil {
			t.Errorf("%s: %v", a, err)
			return
		}
		if err := a.work.do(w, signed, path); err != nil {
			t.Errorf("%s: %v", a, err)
			return
		}
		verdict, err := a.judge(w, signed, path)
		if err != nil {
			keep(path)
			t.Errorf("%s: %v", a, err)
		}
		table.add(fmt.Sprintf("%-40s %-9s %s", a.work.name, a.sort.name, verdict), path)
	})
	table.log(t, "lawful work")
	t.Logf("counts: lawful work: %d files", len(alarms()))
}

// alarms is every kind of document with every permission and piece of work.
func alarms() []alarm {
	var all []alarm
	kinds := []document{
		{name: "classic-1.7", kind: padestest.Classic, version: "1.7"},
		{name: "stream-1.5", kind: padestest.Stream, version: "1.5"},
		{name: "objstm-2.0", kind: padestest.ObjectStreams, version: "2.0"},
	}
	for _, s := range sorts() {
		if s.name != "approval" && s.name != "certify-2" {
			continue
		}
		for _, d := range kinds {
			for _, l := range lawfulWork() {
				if d.kind == padestest.Classic || !l.classic {
					all = append(all, alarm{d, s, l})
				}
			}
		}
	}
	return all
}

// judge is our verdict on the file at path, which was made from the signed one. The
// error says what is not as it should be.
func (a alarm) judge(w *world, signed, path string) (validation.Verdict, error) {
	before, err1 := os.ReadFile(signed)
	data, err2 := os.ReadFile(path)
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	if !bytes.HasPrefix(data, before) {
		return "", errors.New("the maker did not keep the signed bytes")
	}
	r, err := w.validate(data, true)
	if err != nil {
		return "", err
	}
	want := validation.Valid
	switch {
	case a.work.fills == fillsSigned, a.work.fills == fillsUnsigned && a.sort.name == "certify-2":
		want = validation.ValidWithNotes
	case a.work.fills == fillsUnsigned:
		want = validation.Invalid // changed_uncovered, below
	}
	for _, c := range r.Changes {
		if !c.Allowed {
			return r.Verdict, fmt.Errorf("a lawful change is forbidden: %s", c.Message.EN)
		}
	}
	if len(r.Signatures) == 0 {
		return r.Verdict, fmt.Errorf("no signature is seen: %v", reasons(r))
	}
	first := r.Signatures[0]
	kinds := []validation.Modification{validation.ModificationNone, validation.ModificationEvidence, validation.ModificationForm}
	switch {
	case first.Integrity != validation.IntegrityOK || slices.Index(kinds, first.Modifications) > slices.Index(kinds, a.work.worst) || !slices.Contains(kinds, first.Modifications):
		return r.Verdict, fmt.Errorf("%s, %s: %v", first.Integrity, first.Modifications, reasons(r))
	case r.Verdict != want:
		return r.Verdict, fmt.Errorf("verdict %s, not %s: %v", r.Verdict, want, reasons(r))
	case want == validation.Invalid && slices.ContainsFunc(r.Reasons, func(x validation.Reason) bool { return x.Code != validation.ReasonUncovered }):
		return r.Verdict, fmt.Errorf("more than an uncovered value: %v", reasons(r))
	}
	return r.Verdict, nil
}
