package docs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
)

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inline = regexp.MustCompile("`[^`]*`")
)

func TestRelativeLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	pages := markdown(t)
	for page, content := range pages {
		prose, _ := split(content)
		for i, line := range prose {
			for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(line, ""), -1) {
				target, anchor, _ := strings.Cut(m[1], "#")
				if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue
				}
				to := page
				if target != "" {
					to = path.Join(path.Dir(page), target)
				}
				if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(to))); err != nil || strings.HasPrefix(to, "..") {
					t.Errorf("%s:%d: %s leads nowhere", page, i+1, m[1])
					continue
				}
				if anchor != "" && strings.HasSuffix(to, ".md") && !slices.Contains(anchors(pages[to]), anchor) {
					t.Errorf("%s:%d: %s has no heading #%s", page, i+1, to, anchor)
				}
			}
		}
	}
}

// anchors are the names under which the headings of a page can be linked.
func anchors(page string) (out []string) {
	prose, _ := split(page)
	for _, line := range prose {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title)))
	}
	return out
}

// A page works on everybody's machine or on none.
func TestPagesNameNoMachine(t *testing.T) {
	t.Parallel()
	machine := regexp.MustCompile(`(^|[^A-Za-z0-9_.{])(/(home|root|Users|work|mnt|opt)/|[A-Z]:\\)`)
	for page, content := range markdown(t) {
		for i, line := range strings.Split(content, "\n") {
			if machine.MatchString(line) {
				t.Errorf("%s:%d names a path of one machine: %s", page, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// program is the binary, built once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "antin-docs-")
	if err != nil {
		return "", err
	}
	scratch = dir
	bin := filepath.Join(dir, "antin")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "antin/cmd/antin").CombinedOutput()
	if err != nil {
		return "", &buildError{string(out), err}
	}
	return bin, nil
})

type buildError struct {
	out string
	err error
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.out }

// scratch is the folder of the program built, to be removed at the end.
var scratch string

func TestMain(m *testing.M) {
	code := m.Run()
	if scratch != "" {
		_ = os.RemoveAll(scratch)
	}
	os.Exit(code)
}

// help is what `antin VERB --help` prints in English; "" asks for the program's own.
func help(t *testing.T, verb string) string {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--lang", "en", "--help"}
	if verb != "" {
		args = append(strings.Fields(verb), args...)
	}
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "COLUMNS=80")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("antin %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// verbs are those that the program lists, "user add" where a verb has verbs of its own.
func verbs(t *testing.T) (out []string) {
	t.Helper()
	_, list, ok := strings.Cut(help(t, ""), "Commands:\n")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)(?: |$)`).FindAllStringSubmatch(list, -1) {
		out = append(out, m[1])
	}
	if !ok || len(out) < 5 {
		t.Fatalf("verbs: %v", out)
	}
	return out
}

func TestCommandLinePageIsTheHelp(t *testing.T) {
	page := read(t, "docs/reference/cli.md")
	for _, v := range append([]string{""}, verbs(t)...) {
		name := strings.TrimSpace("help " + v)
		if !strings.Contains(page, "<!-- generated: "+name+" -->") {
			t.Errorf("cli.md has no part for antin %s", v)
			continue
		}
		section(t, "docs/reference/cli.md", name, "```text\n"+strings.TrimRight(help(t, v), "\n")+"\n```")
	}
}

// command finds the program's calls in a line of shell: what stands after its name
// up to what ends a simple command.
var command = regexp.MustCompile(`(?:^|[;&|(])\s*(?:\./antin|antin|go run \./cmd/antin)((?:\s+[^\s;&|<>()#]+)*)`)

func TestCommandsInPagesExist(t *testing.T) {
	known := map[string]string{}
	for _, v := range verbs(t) {
		known[v] = help(t, v)
	}
	calls := 0
	for page, content := range markdown(t) {
		_, fences := split(content)
		for _, f := range fences {
			if f.language != "sh" && f.language != "bash" {
				continue
			}
			script := strings.ReplaceAll(strings.Join(f.lines, "\n"), "\\\n", " ")
			for _, line := range strings.Split(script, "\n") {
				for _, m := range command.FindAllStringSubmatch(line, -1) {
					if args := strings.Fields(m[1]); len(args) > 0 {
						calls++
						checkCall(t, page, args, known)
					}
				}
			}
		}
	}
	if calls < 20 {
		t.Errorf("only %d commands were found: the pages are not read", calls)
	}
}

func checkCall(t *testing.T, page string, args []string, known map[string]string) {
	t.Helper()
	text, ok := known[args[0]]
	if !ok && len(args) > 1 {
		text, ok = known[args[0]+" "+args[1]]
	}
	for i := 0; !ok && i < len(args) && strings.HasPrefix(args[0], "-"); i++ { // flags before the verb are every verb's
		if text, ok = known[args[i]]; ok {
			args = append([]string{args[i]}, slices.Delete(slices.Clone(args), i, i+1)...)
		}
	}
	for v, help := range known { // a verb with a default verb below it
		if !ok && strings.HasPrefix(v, args[0]+" ") && strings.Contains(help, "default") {
			text, ok = help, true
		}
	}
	if !ok {
		if !strings.HasPrefix(args[0], "-") {
			t.Errorf("%s: antin %s: there is no such command", page, args[0])
		}
		return
	}
	for _, a := range args[1:] {
		name, _, _ := strings.Cut(a, "=")
		switch {
		case strings.HasPrefix(name, "--"):
			if !regexp.MustCompile(`[\s,]` + regexp.QuoteMeta(name) + `[\s=\[]`).MatchString(text) {
				t.Errorf("%s: antin %s has no %s", page, args[0], name)
			}
		case len(name) == 2 && name[0] == '-':
			if !strings.Contains(text, "  "+name+", ") {
				t.Errorf("%s: antin %s has no %s", page, args[0], name)
			}
		}
	}
}

// A test that a page names as proof exists, in a package of that name.
func TestTestsNamedInPagesExist(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, "_test.go") {
			return err
		}
		b, err := os.ReadFile(p)
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			have[filepath.Base(filepath.Dir(p))+"."+m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for page, content := range markdown(t) {
		for _, m := range regexp.MustCompile("`([a-z]+\\.(?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(content, -1) {
			named++
			if !have[m[1]] {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d tests are named: the pages are not read", named)
	}
}
