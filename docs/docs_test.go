// Package docs_test keeps the documentation true: what can be generated from the
// program is generated here and compared, commands must exist, links must lead
// somewhere.
//
// After a change of codes, reasons, limits, flags or changes, run
//
//	go test ./docs -update
//
// and read the difference before committing it.
package docs_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of the documentation anew")

// root is the repository, seen from this folder.
const root = ".."

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// markdown returns every page of the repository by its path from the root.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".md") {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		pages[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 10 {
		t.Fatalf("found only %d pages: the walk does not see the repository", len(pages))
	}
	return pages
}

// section compares what stands in page between the marks of name with want, or
// writes it with -update.
func section(t *testing.T, page, name, want string) {
	t.Helper()
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end: "+name+" -->"
	content := read(t, page)
	head, rest, ok := strings.Cut(content, begin)
	have, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no generated part %q", page, name)
	}
	want = "\n" + strings.TrimSpace(want) + "\n\n"
	switch {
	case have == want:
	case *update:
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(page)), []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s: the part %q is not what the program says; run go test ./docs -update", page, name)
	}
}

// fence is a fenced block of a page.
type fence struct {
	language string
	line     int // of its first line of content, from 1
	lines    []string
}

// split takes the fenced blocks out of a page; the prose keeps its line numbers.
func split(page string) (prose []string, fences []fence) {
	var open *fence
	mark := ""
	for i, line := range strings.Split(page, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case open == nil && (strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~")):
			mark = trimmed[:3]
			open = &fence{language: strings.TrimLeft(trimmed, "`~"), line: i + 2}
			prose = append(prose, "")
		case open != nil && strings.HasPrefix(trimmed, mark):
			fences = append(fences, *open)
			open = nil
			prose = append(prose, "")
		case open != nil:
			open.lines = append(open.lines, line)
			prose = append(prose, "")
		default:
			prose = append(prose, line)
		}
	}
	return prose, fences
}
