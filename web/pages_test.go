package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
	"antin/web"
)

// keyInSource finds the catalogue keys that templates and Go files name.
var keyInSource = regexp.MustCompile(`"((?:web|desk|people|lanes)\.[a-z0-9_.-]+)"`)

// areas are the parts of the catalogue that only pages speak.
var areas = []string{"web.", "desk.", "people.", "lanes."}

func TestEveryTextThatThePagesNameExists(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		must(t, err)
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			must(t, err)
			for _, m := range keyInSource.FindAllStringSubmatch(string(b), -1) {
				used[m[1]] = true
			}
		}
	}
	// Keys that are put together from a value.
	together := map[string][]string{
		"web.nav.": {"home", "sign", "inbox", "documents", "results", "registers", "verify", "lanes", "search", "people", "keys", "peers"}, "web.priority.": {"1", "2", "3", "4"},
		"web.stage.":     {string(exchange.StageDraft), string(exchange.StageAwaitingSignature), string(exchange.StageAwaitingSeal), string(exchange.StageSigned), string(exchange.StageNumbered), string(exchange.StageIssued)},
		"web.integrity.": {string(validation.IntegrityOK), string(validation.IntegrityBroken), string(validation.IntegrityNotChecked)},
		"web.modified.": {string(validation.ModificationNone), string(validation.ModificationEvidence), string(validation.ModificationForm),
			string(validation.ModificationAnnotation), string(validation.ModificationForbidden)},
		"web.refuse.":    {"wrong_receiver", "missing_signature", "invalid_signature", "damaged_file", "duplicate", "not_competent", "other"},
		"web.inbox.tab.": {"open", "accepted", "returned", "all"}, "web.inbox.empty.": {"open", "accepted", "returned", "all"},
		"web.accept.caution.": {string(exchange.VerdictInconclusive), string(exchange.VerdictUnsigned)},
	}
	if len(used) < 150 {
		t.Fatalf("only %d keys found: the search does not see the files", len(used))
	}
	for key := range used {
		ends, prefix := together[key]
		switch {
		case !prefix && strings.HasSuffix(key, "."): // put together elsewhere: whatever the catalogue has of it
			for _, k := range text.Keys() {
				if end, ok := strings.CutPrefix(string(k), key); ok {
					ends = append(ends, end)
				}
			}
			if len(ends) == 0 {
				t.Errorf("nothing in the catalogue begins with %s", key)
			}
		case !prefix:
			ends = []string{""}
		}
		for _, end := range ends {
			if !text.Known(text.Key(key + end)) {
				t.Errorf("%s%s is not in the catalogue", key, end)
			}
			used[key+end] = true
		}
	}
	for _, key := range text.Keys() {
		page := slices.ContainsFunc(areas, func(a string) bool { return strings.HasPrefix(string(key), a) })
		if page && !used[string(key)] {
			t.Errorf("%s is in the catalogue and nothing says it", key)
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	desk, public := a.handler(t), a.public(t).Handler()
	start := entered(t, web.Start{Story: &story{t: t, a: a, b: b}, Enter: enter(t, a, b), A: &a.desk, B: &b.desk, Now: time.Now})
	for _, c := range []struct {
		h    http.Handler
		path string
	}{
		{desk, "/a/inbox"}, {desk, "/a/documents"}, {desk, "/a/results"}, {desk, "/a/inbox/none"}, {desk, "/a/assets/style.css"}, {desk, "/a/x"},
		{public, "/"}, {public, "/q/x"}, {public, "/x"}, {public, "/assets/antin.js"}, {start, "/"}, {start, "/assets/style.css"}, {start, "/x"},
	} {
		w := get(t, c.h, c.path)
		head := w.Header()
		policy := head.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", c.path, policy)
		}
		if head.Get("X-Content-Type-Options") != "nosniff" || head.Get("Referrer-Policy") == "" || head.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", c.path, head)
		}
		if !strings.Contains(c.path, "assets") {
			if head.Get("Cache-Control") != "no-store" {
				t.Errorf("%s may be kept: %q", c.path, head.Get("Cache-Control"))
			}
			body := w.Body.String()
			wantAll(t, body, `<html lang="vi">`)
			if inline.MatchString(body) {
				t.Errorf("%s holds inline script or style: %s", c.path, inline.FindString(body))
			}
		}
	}
	if w := get(t, desk, "/a/assets/..%2fweb.go"); w.Code != http.StatusNotFound {
		t.Errorf("another file is served: %d", w.Code)
	}
}

// inline finds what the content policy would stop.
var inline = regexp.MustCompile(`<script>|<script [^>]*>[^<]|<style|\sstyle="|\son[a-z]+="|javascript:`)
