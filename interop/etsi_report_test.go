//go:build interop

package interop_test

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxReports bounds the corpus files of which a report is made.
const maxReports = 120

// TestETSIReportHoldsAgainstItsSchema writes the XML report on honest, broken and
// unsigned files and lets xmllint judge them by the schema that EU DSS ships. No
// network: what the schema imports lies beside it.
func TestETSIReportHoldsAgainstItsSchema(t *testing.T) {
	w := shared
	schema, catalog := schemas(t, w)
	demo := demoDir(t, w)
	root := filepath.Join(demo, "pki", "root.pem")
	files := pdfs(t, demo)
	if len(files) == 0 {
		t.Fatal("the demo left no PDF")
	}
	broken := filepath.Join(w.scratch(t), "broken.pdf")
	data := read(t, files[0])
	data[len(data)/3] ^= 1
	if err := os.WriteFile(broken, data, 0o600); err != nil {
		t.Fatal(err)
	}
	files = append(files, broken)
	if corpus := os.Getenv("ANTIN_CORPUS"); corpus != "" {
		more := pdfs(t, filepath.Join(corpus, "pdf", "pyhanko"))
		files = append(files, more[:min(len(more), maxReports)]...)
	}
	dir := w.scratch(t)
	var reports []string
	for i, f := range files {
		out := filepath.Join(dir, fmt.Sprintf("%03d.xml", i))
		if _, _, err := run(buildAntin(t, w), "verify", "--quiet", "--offline", "--trust", root, "--report", out, f); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(out); err == nil { // a file that is no readable PDF has an error and no report
			reports = append(reports, out)
		}
	}
	if len(reports) < 5 {
		t.Fatalf("%d reports from %d files", len(reports), len(files))
	}
	t.Logf("counts: %d reports", len(reports))
	cmd := exec.Command("xmllint", append([]string{"--nonet", "--noout", "--schema", schema}, reports...)...)
	cmd.Env = append(os.Environ(), "XML_CATALOG_FILES="+catalog)
	if out, err := cmd.CombinedOutput(); err != nil {
		for line := range strings.Lines(string(out)) {
			if !strings.HasSuffix(strings.TrimSpace(line), " validates") {
				t.Error(strings.TrimSpace(line))
			}
		}
	}
}

func pdfs(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.EqualFold(filepath.Ext(path), ".pdf") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var (
	targetNamespace = regexp.MustCompile(`targetNamespace="([^"]+)"`)
	schemaImport    = regexp.MustCompile(`<\w+:import\s+namespace="([^"]+)"\s+schemaLocation="([^"]+)"`)
)

// schemas unpacks the schemas from DSS's jars and writes a catalogue that finds
// every imported one by its namespace.
func schemas(t *testing.T, w *world) (schema, catalog string) {
	t.Helper()
	lib := os.Getenv("ANTIN_JUDGES")
	jars, err := filepath.Glob(filepath.Join(lib, "specs-*.jar"))
	if lib == "" || err != nil || len(jars) == 0 {
		t.Fatalf("ANTIN_JUDGES must name the folder with DSS's jars: %d schema jars, %v", len(jars), err)
	}
	dir := w.scratch(t)
	byNamespace := map[string]string{}
	imports := map[string]string{} // address to namespace
	for _, jar := range jars {
		z, err := zip.OpenReader(jar)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			if filepath.Ext(f.Name) != ".xsd" {
				continue
			}
			text := unzip(t, f)
			path := filepath.Join(dir, filepath.Base(f.Name))
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if m := targetNamespace.FindStringSubmatch(text); m != nil {
				if old := byNamespace[m[1]]; old == "" || len(path) < len(old) { // the plain name is the plain schema
					byNamespace[m[1]] = path
				}
			}
			for _, m := range schemaImport.FindAllStringSubmatch(text, -1) {
				imports[m[2]] = m[1]
			}
		}
		_ = z.Close()
	}
	var b strings.Builder
	b.WriteString(`<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">`)
	for address, namespace := range imports {
		if path := byNamespace[namespace]; path != "" {
			fmt.Fprintf(&b, `<system systemId=%q uri=%q/><uri name=%q uri=%q/>`, address, path, address, path)
		}
	}
	b.WriteString(`</catalog>`)
	catalog = filepath.Join(dir, "catalog.xml")
	if err := os.WriteFile(catalog, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "1910202xmlSchema.xsd"), catalog
}

func unzip(t *testing.T, f *zip.File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
