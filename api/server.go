package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
)

// Server is the API of one agency. Its fields are set once, before Handler; every
// field but Limits, Address, Prefix and OnError is required.
type Server struct {
	Office        exchange.Office
	Outbox        *exchange.Outbox
	Inbox         *exchange.Inbox
	Results       *exchange.Results
	Evidence      *exchange.Evidence
	Files         *exchange.Files
	Press         *exchange.Press
	Registers     *exchange.Registers
	Operations    *exchange.Operations
	Verifications *exchange.Verifications
	Finder        *exchange.Finder
	Webhooks      *exchange.Webhooks
	Validator     *validation.Validator
	Access        Access
	Now           func() time.Time
	Limits        Limits
	// Address returns the address that a request comes from, for the limits; nil
	// takes that of the connection, which is a proxy's where there is one.
	Address func(*http.Request) string
	// Prefix stands before every path, "/a"; empty for none. It does not end in a slash.
	Prefix string
	// OnError is told every failure that the client sees as 500 only, with its trace
	// id and the request's method and path; nil logs it. It is called from several
	// goroutines.
	OnError func(trace, request string, err error)

	verifying chan struct{} // one token for each verification that may run at once
	waiting   chan struct{} // one for each question that waits for events
	running   underWay
	calls     counter
	replies   *exchange.Replies
	routes    []Route
}

// Handler returns the API: Prefix/v1/…, Prefix/healthz, Prefix/openapi.json and
// .yaml, Prefix/docs; 404 for all else. It is called once. The error says what Server lacks.
func (s *Server) Handler() (http.Handler, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	s.verifying = make(chan struct{}, maxVerifying)
	s.waiting = make(chan struct{}, maxWaiting)
	s.replies = &exchange.Replies{Store: s.Files.Store, Now: s.Now}
	e := echo.New()
	e.HTTPErrorHandler = s.echoError
	plain := humaecho.New(e, huma.Config{OpenAPI: &huma.OpenAPI{}}).Adapter()
	b := &builder{server: s, api: huma.NewAPI(s.config(), colonAdapter{plain})}
	s.operations(b)
	if err := b.finish(); err != nil {
		return nil, err
	}
	s.routes = b.routes
	if err := s.serveDescription(e, b.api.OpenAPI()); err != nil {
		return nil, err
	}
	return s.outer(e), nil
}

// Routes lists every operation; empty before Handler. The description and its pages,
// which everyone may read, are not among them.
func (s *Server) Routes() []Route { return slices.Clone(s.routes) }

// Paths lists what the handler answers, as patterns for an http.ServeMux; the
// prefix is in them.
func (s *Server) Paths() []string {
	out := []string{}
	for _, p := range []string{"/v1", "/v1/", "/healthz", "/openapi.json", "/openapi.yaml", "/docs", "/docs/"} {
		out = append(out, s.Prefix+p)
	}
	return out
}

func (s *Server) check() error {
	switch {
	case s.Outbox == nil, s.Inbox == nil, s.Results == nil, s.Evidence == nil, s.Files == nil, s.Press == nil,
		s.Registers == nil, s.Operations == nil, s.Verifications == nil, s.Finder == nil, s.Webhooks == nil, s.Validator == nil, s.Access == nil, s.Now == nil:
		return errors.New("api: a required field of Server is nil")
	case !s.Office.Agency.Code.Valid():
		return fmt.Errorf("api: %q is no agency", s.Office.Agency.Code)
	case s.Prefix != "" && (s.Prefix[0] != '/' || strings.HasSuffix(s.Prefix, "/")):
		return fmt.Errorf("api: prefix %q must begin with a slash and not end in one", s.Prefix)
	}
	return nil
}

// serveDescription serves the OpenAPI document, which is the same for every caller.
func (s *Server) serveDescription(e *echo.Echo, doc *huma.OpenAPI) error {
	asJSON, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("writing openapi.json: %w", err)
	}
	asYAML, err := doc.YAML()
	if err != nil {
		return fmt.Errorf("writing openapi.yaml: %w", err)
	}
	if err := s.serveDocs(e, doc); err != nil {
		return err
	}
	e.GET("/openapi.json", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/openapi+json", asJSON) })
	e.GET("/openapi.yaml", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/openapi+yaml", asYAML) })
	return nil
}

// call is what every request knows of itself.
type call struct {
	request string // method and path, for the log
	trace   string
	lang    text.Lang
	address string // where it comes from
	foreign bool   // a browser says that another site's page sends it
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

// outer is what stands before the router: the request gets its id and language,
// its path loses prefix and colon, and a panic becomes a 500 of our shape.
func (s *Server) outer(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{request: r.Method + " " + clip(r.URL.Path), trace: traceID(r.Header.Get("Traceparent")), lang: language(r.Header.Get("Accept-Language")),
			address: s.address(r), foreign: origins.Check(r) != nil}
		ctx := context.WithValue(r.Context(), callKey{}, c)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Add("Vary", "Accept-Language")
		h.Set("Trace-Id", c.trace)
		out := &watched{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(p)
			}
			err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			if out.began {
				s.report(c, err)
				panic(http.ErrAbortHandler) // the answer is cut: let the client see that
			}
			s.writeProblem(ctx, w, err)
		}()
		path, ok := s.internalPath(r)
		if !ok {
			s.writeProblem(ctx, out, text.Errorf(text.NotFound, nil))
			return
		}
		inner := r.Clone(ctx)
		inner.URL.Path, inner.URL.RawPath = path, ""
		next.ServeHTTP(out, inner)
	})
}

// watched notes whether an answer has begun.
type watched struct {
	http.ResponseWriter
	began bool
}

// WriteHeader implements http.ResponseWriter.
func (w *watched) WriteHeader(status int) {
	w.began = true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	w.began = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// writeProblem answers with a problem outside huma.
func (s *Server) writeProblem(ctx context.Context, w http.ResponseWriter, err error) {
	p := s.problem(ctx, err)
	for k, v := range p.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Content-Language", string(p.lang))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that has gone reads nothing
}

// echoError answers what the router itself refuses.
func (s *Server) echoError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound:
			err = text.Errorf(text.NotFound, nil)
		case http.StatusMethodNotAllowed:
			err = &refusal{err: text.Detailed(text.InvalidInput, nil, "api.method", c.Request().Method), status: he.Code}
		case http.StatusRequestEntityTooLarge:
			err = text.Errorf(text.TooLarge, nil)
		}
	}
	s.writeProblem(c.Request().Context(), c.Response(), err)
}

func (s *Server) report(c call, err error) {
	if s.OnError != nil {
		s.OnError(c.trace, c.request, err)
		return
	}
	slog.Error("api", "request", c.request, "trace_id", c.trace, "error", err)
}

// traceID returns the trace id of a W3C traceparent header, or a fresh one.
func traceID(parent string) string {
	if len(parent) >= 55 && parent[2] == '-' && parent[35] == '-' {
		id := parent[3:35]
		if b, err := hex.DecodeString(id); err == nil && hex.EncodeToString(b) == id && strings.Trim(id, "0") != "" {
			return id
		}
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}
