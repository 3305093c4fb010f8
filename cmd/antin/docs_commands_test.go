//go:build !windows

package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fromSources are commands that a reader gives in a checkout.
var fromSources = regexp.MustCompile(`(?m)go (?:run|build)\b.*\./cmd/antin|^make |(?:^|\s)\./antin `)

var shownPort = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// needPorts says whether the addresses that a page shows are free. What an earlier
// page started has ended by then; on a machine where people work, a demo of theirs may
// run. In CI nothing else does.
func needPorts(t *testing.T, script string) {
	t.Helper()
	for _, m := range shownPort.FindAllStringSubmatch(script, -1) {
		l, err := net.Listen("tcp", m[0])
		switch {
		case err == nil:
			l.Close()
		case os.Getenv(strictVariable) != "":
			t.Fatalf("%s is taken", m[0])
		default:
			t.Skipf("%s is taken: the commands of the page were not run", m[0])
		}
	}
}

// TestCommandsOfThePagesWork follows every page of the documentation in a folder
// of its own, with an empty HOME, and fails at the first command that does.
//
// The pages show fixed addresses (8080, 8318…), so they are followed one after
// the other and not beside other tests.
func TestCommandsOfThePagesWork(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts many processes")
	}
	root := repository(t)
	var pages []string
	for _, start := range []string{"README.md", "CONTRIBUTING.md", "docs", "interop"} {
		err := filepath.WalkDir(filepath.Join(root, start), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
				pages = append(pages, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	checkout := filepath.Join(t.TempDir(), "antin")
	copySources(t, checkout)
	followed := 0
	for _, page := range pages {
		if filepath.Base(page) == twoAgenciesPage || filepath.Base(page) == practisePage {
			continue // TestTwoProcessesFollowTheHowTo follows them together
		}
		name, err := filepath.Rel(root, page)
		if err != nil {
			t.Fatal(err)
		}
		blocks, _ := blocksOf(t, page)
		if len(blocks) == 0 {
			continue
		}
		followed++
		t.Run(name, func(t *testing.T) {
			script := scriptOf(t, page)
			dir := ""
			if fromSources.MatchString(script) {
				dir = checkout
			}
			session := newSession(t, dir)
			needPorts(t, script)
			session.follow(t, script)
		})
		if ents, err := os.ReadDir(checkout); err == nil { // a page begins with what a checkout holds
			for _, e := range ents {
				if _, err := os.Stat(filepath.Join(root, e.Name())); err != nil {
					_ = os.RemoveAll(filepath.Join(checkout, e.Name()))
				}
			}
		}
	}
	if followed < 6 {
		t.Errorf("only %d pages were followed: they are not read", followed)
	}
}
