package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// schemathesisVariable names the program of the Python package schemathesis;
// .ci/run installs it.
const schemathesisVariable = "ANTIN_SCHEMATHESIS"

// generatedCalls is how many requests are made up for each operation in each phase.
const generatedCalls = "25"

// plannedCall is what interop/schemathesis_hooks.py knows of an operation.
type plannedCall struct {
	Authorization string            `json:"authorization"`
	Path          map[string]string `json:"path"`
	Query         map[string]string `json:"query"`
	Headers       map[string]string `json:"headers"`
	Type          string            `json:"type"`
	Body          any               `json:"body"`
	Raw           string            `json:"raw"` // base64, of a body that is no JSON
}

// tally counts the answers of each operation, whatever the generator reports.
type tally struct {
	next     http.Handler
	patterns map[string]*regexp.Regexp // method and path, by operation

	mu    sync.Mutex
	seen  map[string]map[int]int
	worst []string
}

// ServeHTTP implements http.Handler.
func (c *tally) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	c.next.ServeHTTP(rec, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, p := range c.patterns {
		if p.MatchString(r.Method + " " + strings.TrimPrefix(r.URL.EscapedPath(), "/a")) {
			if c.seen[id] == nil {
				c.seen[id] = map[int]int{}
			}
			c.seen[id][rec.status]++
		}
	}
	if rec.status >= 500 && rec.status != http.StatusServiceUnavailable {
		c.worst = append(c.worst, fmt.Sprintf("%s %s: %d", r.Method, r.URL, rec.status))
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// planned is r as the generator's hooks send it.
func (sc *scene) planned(t *testing.T, o operation, r request) plannedCall {
	t.Helper()
	secret := r.good(o)
	if s := r.at.secrets[secret]; s != "" {
		secret = s
	}
	p := plannedCall{Path: map[string]string{}, Query: map[string]string{}, Headers: map[string]string{}}
	if secret != "" {
		p.Authorization = "Bearer " + secret
	}
	u, err := url.Parse(r.path)
	must(t, err)
	for name, v := range u.Query() {
		p.Query[name] = v[0]
	}
	m := pathPattern(o.path).FindStringSubmatch(u.EscapedPath())
	if m == nil {
		t.Fatalf("%s: %s is not %s", o.id, u.Path, o.path)
	}
	for i, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(o.path, -1) {
		p.Path[name[1]] = m[i+1]
	}
	for i := 0; i+1 < len(r.header); i += 2 {
		p.Headers[r.header[i]] = r.header[i+1]
	}
	if o.keyed {
		p.Headers["Idempotency-Key"] = "lan-dau-" + o.id
	}
	switch body := r.body.(type) {
	case nil:
	case []byte:
		p.Type, p.Raw = "application/pdf", base64.StdEncoding.EncodeToString(body)
	default:
		p.Type, p.Body = "application/json", body
	}
	return p
}

// pathPattern matches the paths of an OpenAPI template.
func pathPattern(template string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(template)
	return regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(quoted, `([^/]+?)`) + "$")
}

// front serves A, and B's inbox in the place of A's, which is empty: one API to
// whoever calls it.
func (sc *scene) front(t *testing.T) http.Handler {
	t.Helper()
	a, err := sc.a.server.Handler()
	must(t, err)
	b, err := sc.b.server.Handler()
	must(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/a/v1/inbox") {
			a.ServeHTTP(w, r)
			return
		}
		u := *r.URL
		u.Path = "/b" + strings.TrimPrefix(u.Path, "/a")
		if u.RawPath != "" {
			u.RawPath = "/b" + strings.TrimPrefix(u.RawPath, "/a")
		}
		r2 := r.Clone(r.Context())
		r2.URL, r2.RequestURI = &u, u.RequestURI()
		b.ServeHTTP(w, r2)
	})
}

// TestEveryOperationStandsAGeneratedTest has schemathesis make up requests for every
// operation, with credentials that may call it and objects that are there: each
// succeeds at least once, answers as the OpenAPI document says, and never fails by
// our own fault.
func TestEveryOperationStandsAGeneratedTest(t *testing.T) {
	program := os.Getenv(schemathesisVariable)
	if program == "" {
		if os.Getenv("ANTIN_CI") != "" {
			t.Fatalf("%s is not set", schemathesisVariable)
		}
		t.Skipf("%s is not set: nothing was generated", schemathesisVariable)
	}
	t.Parallel()
	sc := newScene(t)
	requests, plan := sc.requests(t), map[string]plannedCall{}
	count := &tally{next: sc.front(t), patterns: map[string]*regexp.Regexp{}, seen: map[string]map[int]int{}}
	ops := sc.a.operations(t)
	for _, o := range ops {
		plan[o.id] = sc.planned(t, o, requests[o.id])
		p := pathPattern(o.path).String()
		count.patterns[o.id] = regexp.MustCompile("^" + o.method + " " + strings.TrimPrefix(p, "^"))
	}
	srv := httptest.NewServer(count)
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.json")
	data, err := json.Marshal(plan)
	must(t, err)
	must(t, os.WriteFile(file, data, 0o600))
	hooks, err := filepath.Abs(filepath.Join("..", "interop", "schemathesis_hooks.py"))
	must(t, err)
	cmd := exec.CommandContext(t.Context(), program, "run", srv.URL+"/a/openapi.json", "--url", srv.URL+"/a", "--seed", "20261124", "--no-shrink",
		"--phases", "examples,coverage,fuzzing", "--max-examples", generatedCalls, "--continue-on-failure", "--suppress-health-check", "all",
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance",
		"--generation-database", "none", "--warnings", "off")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS="+hooks, "ANTIN_PLAN="+file, "NO_COLOR=1", "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("schemathesis: %v\n%s", err, out)
	}
	calls := 0
	for _, o := range ops {
		good := 0
		for status, n := range count.seen[o.id] {
			calls += n
			if status/100 == 2 {
				good += n
			}
			if documented := o.raw["responses"].(map[string]any); documented[fmt.Sprint(status)] == nil && status != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d is not documented", o.id, status)
			}
		}
		if good == 0 {
			t.Errorf("%s never succeeded: %v", o.id, count.seen[o.id])
		}
	}
	slices.Sort(count.worst)
	for _, w := range slices.Compact(count.worst) {
		t.Error(w)
	}
	for _, s := range []*site{sc.a, sc.b} {
		if f := s.failures(); len(f) > 0 {
			t.Errorf("%s: %v", s.office.Agency.Code, f)
		}
	}
	t.Logf("%d operations, %d calls", len(ops), calls)
}
