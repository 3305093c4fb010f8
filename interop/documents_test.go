//go:build interop

package interop_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/signer/pades/padestest"
)

// document is a PDF of the matrix, before the signature under test.
type document struct {
	name    string
	path    string
	kind    padestest.Kind
	version string
	signed  bool // by pyHanko, in the field "Earlier"
}

// earlierField holds the signature that is there before the one under test.
const earlierField = "Earlier"

// documents makes the matrix of input files: kinds of cross-reference, versions,
// fresh and already signed by pyHanko.
func documents(t *testing.T, w *world) []document {
	t.Helper()
	dir := w.scratch(t)
	seed := filepath.Join(dir, "seed.pdf")
	if err := os.WriteFile(seed, seedPDF(), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []document
	for _, kind := range append(padestest.Kinds(), hybridWord) {
		for _, version := range []string{"1.4", "1.7", "2.0"} {
			if version == "1.4" && kind != padestest.Classic {
				continue // cross-reference streams came with 1.5
			}
			d := document{name: string(kind) + "-" + version, kind: kind, version: version}
			d.path = filepath.Join(dir, d.name+".pdf")
			if err := makeDocument(seed, d); err != nil {
				t.Fatalf("%s: %v", d.name, err)
			}
			if code, words, err := qpdfWords(d.path); err != nil || code != 0 {
				t.Fatalf("%s: qpdf exited with %d: %q (%v)", d.name, code, words, err)
			}
			s := d
			s.name, s.signed = d.name+"-signed", true
			s.path = filepath.Join(dir, s.name+".pdf")
			if err := w.pySignFile(d.path, s.path, keyRSA, "B-B", earlierField, false, false); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			all = append(all, d, s)
		}
	}
	return all
}

// makeDocument writes d. qpdf writes the kinds it knows from the seed; files with
// a cross-reference stream whose objects lie in the open, and hybrid ones, are
// written here, since qpdf makes none.
func makeDocument(seed string, d document) error {
	args := map[padestest.Kind][]string{
		padestest.Classic:       {"--object-streams=disable"},
		padestest.ObjectStreams: {"--object-streams=generate"},
	}[d.kind]
	if d.kind == hybridWord {
		return os.WriteFile(d.path, hybridWordPDF(seedDocument(d.kind, d.version)), 0o600)
	}
	if args == nil {
		return os.WriteFile(d.path, seedDocument(d.kind, d.version).Bytes(), 0o600)
	}
	args = append(args, "--force-version="+d.version, seed, d.path)
	code, out, err := run("qpdf", args...)
	if err == nil && code != 0 {
		err = fmt.Errorf("qpdf exited with %d: %s", code, out)
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(d.path)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(data), "%PDF-"+d.version) {
		return errors.New("qpdf wrote another version")
	}
	if table := strings.Contains(string(data), "\nxref\n"); table != (d.kind == padestest.Classic) {
		return errors.New("qpdf wrote another kind of cross-reference")
	}
	return nil
}

// seedPDF is a document of two pages with a text field and a link, enough for a
// signer to have something to keep as it is.
func seedPDF() []byte { return seedDocument(padestest.Classic, "1.7").Bytes() }

func seedDocument(kind padestest.Kind, version string) padestest.Document {
	const page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.28 841.89] /Contents %d 0 R /Resources << /Font << /F1 5 0 R >> >> %s>>"
	return padestest.Document{Kind: kind, Version: version, Objects: map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 9 0 R /Lang (vi-VN) >>",
		2: "<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>",
		3: fmt.Sprintf(page, 4, "/Annots [8 0 R 10 0 R] "),
		4: padestest.Body("", "BT /F1 24 Tf 72 700 Td (So 12/QD-UBND) Tj ET\n"),
		5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		6: fmt.Sprintf(page, 7, ""),
		7: padestest.Body("", "BT /F1 12 Tf 72 700 Td (Trang 2) Tj ET\n"),
		8: padestest.TextField("ghichu", "/DA (/Helv 11 Tf 0 g) "),
		9: "<< /Fields [8 0 R] /DR << /Font << /Helv 5 0 R >> >> /DA (/Helv 12 Tf 0 g) >>",
		10: "<< /Type /Annot /Subtype /Link /Rect [72 690 200 720] /Border [0 0 0] " +
			"/A << /S /URI /URI (https://example.vn/) >> >>",
	}}
}
