package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"antin/exchange"
	"antin/internal/text"
)

// route is one operation beside its types: what it needs, and how it is described.
// Its texts are the catalogue's "api.op." + id.
type route struct {
	id, method, path, tag string

	scope  Scope           // what a key needs; empty: open to everyone, unless people
	people bool            // keys may not: it needs a person's session
	roles  []exchange.Role // of sessions; nil: those of the scope
	// keyed requires an Idempotency-Key; legal, which implies it, also says that a
	// key must name the acting person.
	keyed, legal bool
	status       int // of success; 0 means 200
	// maxJSON is the greatest JSON body in bytes; 0 for an operation without one.
	maxJSON int64
	errors  []int // beside those every operation has

	// returns is the media type of an answer that is not JSON; body describes a
	// request body that the handler reads itself.
	returns string
	body    *huma.RequestBody
}

// builder registers operations and then completes the OpenAPI document.
type builder struct {
	server *Server
	api    huma.API
	own    []route // those whose body is described by hand
	routes []Route
}

// Route is one operation, for those who check that none is open to the wrong caller.
type Route struct {
	ID, Method string
	Path       string // without the prefix, "/v1/documents/{id}:send"
	Scope      Scope  // what a key needs; empty with People, and where all may
	People     bool   // no key may
	// Roles may by a session; empty where all may, with or without one.
	Roles []exchange.Role
	Keyed bool // needs an Idempotency-Key
	Legal bool // has legal effect
}

// Open reports whether r needs neither key nor session.
func (r Route) Open() bool { return r.Scope == "" && !r.People }

func (r route) sessionRoles() []exchange.Role {
	if r.roles != nil {
		return r.roles
	}
	return sessionRoles[r.scope]
}

// secure puts before an operation what finds out who calls.
func (r route) secure(s *Server, op *huma.Operation) {
	if r.scope == "" && !r.people {
		op.Security = []map[string][]string{} // none, said in so many words
		op.Middlewares = append(op.Middlewares, s.openly)
		return
	}
	if !r.people {
		op.Security = append(op.Security, map[string][]string{securityName: {}})
		// OpenAPI has no scopes for keys; this is where ours stands.
		op.Extensions = map[string]any{"x-scope": string(r.scope)}
		op.Description += ". Scope: `" + string(r.scope) + "`"
	}
	op.Security = append(op.Security, map[string][]string{securityPerson: {}}, map[string][]string{securityCookie: {}})
	op.Middlewares = append(op.Middlewares, s.authorise(r))
}

func ptr[T any](v T) *T { return &v }

func fileResponse(status int, mediaType string) *huma.Response {
	r := &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{mediaType: {Schema: binary()}}}
	if mediaType == octetType { // which of the two is seen in the file
		r.Content[pdfType] = &huma.MediaType{Schema: binary()}
	}
	return r
}

// checkQuery refuses a parameter that is there without a value where only a number or
// one of a few words can stand (it would pass for one that was left out), and one
// with characters that no text of ours has: nothing would be found by it.
func (s *Server) checkQuery(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	given := u.Query()
	for _, p := range ctx.Operation().Parameters {
		if p.In != "query" || !given.Has(p.Name) {
			continue
		}
		blank := given.Get(p.Name) == "" && p.Schema != nil && (p.Schema.Type != huma.TypeString || len(p.Schema.Enum) > 0 || p.Schema.Format != "")
		if blank || !showable(given.Get(p.Name)) {
			s.refuse(ctx, invalid("query/"+p.Name, faultValue))
			return
		}
	}
	next(ctx)
}

// register adds an operation: authenticate, check the idempotency key, read and
// check the body, call h once, encode.
func register[I, O any](b *builder, r route, h func(context.Context, *I) (*O, error)) {
	s := b.server
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Tags: []string{r.tag}, DefaultStatus: r.status,
		Summary: text.Get(text.Key("api.op." + r.id)).VI, Description: both(text.Get(text.Key("api.op." + r.id))),
		Responses: map[string]*huma.Response{}, BodyReadTimeout: -1, MaxBodyBytes: -1, // both are ours: see readJSON and upload
		RejectUnknownQueryParameters: true,
	}
	r.keyed = r.keyed || r.legal
	r.secure(s, &op)
	op.Middlewares = append(op.Middlewares, s.checkQuery)
	if r.keyed {
		op.Middlewares = append(op.Middlewares, s.checkKey)
	}
	if r.maxJSON > 0 {
		op.Middlewares = append(op.Middlewares, s.readJSON(r.maxJSON))
	}
	if r.keyed {
		op.Middlewares = append(op.Middlewares, s.once)
	}
	if r.legal && !r.people {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "Acting-Person", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: ptr(maxPerson)}})
	}
	if r.returns != "" {
		op.Responses["200"] = fileResponse(http.StatusOK, r.returns)
		op.Responses["206"] = fileResponse(http.StatusPartialContent, r.returns)
		op.Responses["304"] = &huma.Response{Description: http.StatusText(http.StatusNotModified)}
		r.errors = append(r.errors, http.StatusRequestedRangeNotSatisfiable)
	}
	b.routes = append(b.routes, Route{ID: r.id, Method: r.method, Path: r.path, Scope: r.scope, People: r.people, Roles: r.sessionRoles(), Keyed: r.keyed, Legal: r.legal})
	if r.body != nil {
		b.own = append(b.own, r)
	}
	for _, code := range r.failures() {
		op.Responses[statusText(code)] = problemResponse(code)
	}
	huma.Register(b.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

// failures are the statuses that an operation documents.
func (r route) failures() []int {
	codes := append([]int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests}, r.errors...)
	if r.scope != "" || r.people {
		codes = append(codes, http.StatusUnauthorized, http.StatusForbidden)
	}
	if r.keyed {
		codes = append(codes, http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed)
	}
	if r.method == http.MethodPatch || r.method == http.MethodDelete {
		codes = append(codes, http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	}
	if strings.Contains(r.path, "{") {
		codes = append(codes, http.StatusNotFound)
	}
	if r.maxJSON > 0 || r.body != nil {
		codes = append(codes, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return append(codes, http.StatusUnprocessableEntity)
}

// refuse answers with a problem before a handler has run.
func (s *Server) refuse(ctx huma.Context, err error) {
	p := s.problem(ctx.Context(), err)
	for k, values := range p.header {
		for _, v := range values {
			ctx.AppendHeader(k, v)
		}
	}
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetHeader("Content-Language", string(p.lang))
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p) // a client that has gone reads nothing
}
