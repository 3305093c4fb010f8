package archtest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "antin"
	root   = "../.."
)

func TestPackagesImportOnlyWhatTheRulesAllow(t *testing.T) {
	t.Parallel()
	for pkg, imports := range readImports(t, false) {
		allowed, ok := rules[pkg]
		if !ok {
			t.Errorf("package %s has no entry in the import rules", pkg)
			continue
		}
		for _, imp := range imports {
			if !isStandard(imp) && !matchesAny(allowed, imp) {
				t.Errorf("package %s must not import %s", pkg, imp)
			}
		}
	}
}

func TestPurePackagesDoNotReachOutside(t *testing.T) {
	t.Parallel()
	found := readImports(t, false)
	for _, pkg := range pure {
		for _, imp := range found[pkg] {
			if slices.Contains(outside, imp) {
				t.Errorf("package %s is pure and must not import %s", pkg, imp)
			}
		}
	}
}

func TestTestPackagesStayOutOfTheProduct(t *testing.T) {
	t.Parallel()
	for pkg, imports := range readImports(t, false) {
		if pkg == "cmd/antin" || slices.Contains(testOnly, pkg) {
			continue
		}
		for _, imp := range imports {
			if slices.Contains(testOnly, strings.TrimPrefix(imp, module+"/")) {
				t.Errorf("package %s must not import the test package %s", pkg, imp)
			}
		}
	}
}

func TestEveryRuleNamesAPackageThatExists(t *testing.T) {
	t.Parallel()
	found := readImports(t, true)
	for key := range rules {
		if _, ok := found[key]; !ok {
			t.Errorf("the import rules name %s, which does not exist", key)
		}
	}
}

// readImports returns the imports of every package of the module by its path
// below the module's root; test files count only when tests is set.
func readImports(t *testing.T, tests bool) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (name == "testdata" || strings.HasPrefix(name, ".") || name == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || (strings.HasSuffix(name, "_test.go") && !tests) {
			return nil
		}
		return addImports(found, path)
	})
	if err != nil {
		t.Fatalf("reading the module's files: %v", err)
	}
	if len(found) < 3 {
		t.Fatalf("found only %d packages: the walk does not see the module", len(found))
	}
	return found
}

func addImports(found map[string][]string, path string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	pkg := filepath.ToSlash(rel)
	found[pkg] = append(found[pkg], []string{}...)
	for _, spec := range file.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if !slices.Contains(found[pkg], imp) {
			found[pkg] = append(found[pkg], imp)
		}
	}
	return nil
}

func isStandard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return first != module && !strings.Contains(first, ".")
}

func matchesAny(patterns []string, imp string) bool {
	for _, p := range patterns {
		if !strings.Contains(strings.SplitN(p, "/", 2)[0], ".") && !strings.HasPrefix(p, module+"/") {
			p = module + "/" + p
		}
		if imp == p {
			return true
		}
		if base, tree := strings.CutSuffix(p, "/..."); tree && (imp == base || strings.HasPrefix(imp, base+"/")) {
			return true
		}
	}
	return false
}

func TestThePatternsMatchAsWritten(t *testing.T) {
	t.Parallel()
	cases := []struct {
		pattern, imp string
		want         bool
	}{
		{"signer/pdf", "antin/signer/pdf", true},
		{"signer/pdf", "antin/signer/pdf/font", false},
		{"golang.org/x/crypto/...", "golang.org/x/crypto/ocsp", true},
		{"golang.org/x/crypto/...", "golang.org/x/cryptography", false},
		{"antin/...", "antin/web", true},
	}
	for _, c := range cases {
		if got := matchesAny([]string{c.pattern}, c.imp); got != c.want {
			t.Errorf("%s against %s: %v", c.pattern, c.imp, got)
		}
	}
}
