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

	scope  Scope // empty: open to everyone
	legal  bool  // has legal effect: an Idempotency-Key is required
	status int   // of success; 0 means 200
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
	if r.scope != "" {
		op.Security = []map[string][]string{{securityName: {string(r.scope)}}}
		op.Middlewares = append(op.Middlewares, s.authorise(r.scope))
	}
	if r.legal {
		op.Middlewares = append(op.Middlewares, s.requireKey)
	}
	if r.maxJSON > 0 {
		op.Middlewares = append(op.Middlewares, s.readJSON(r.maxJSON))
	}
	if r.returns != "" {
		op.Responses["200"] = &huma.Response{Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{r.returns: {Schema: binary()}}}
	}
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
	codes := append([]int{http.StatusInternalServerError}, r.errors...)
	if r.scope != "" {
		codes = append(codes, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(r.path, "{") {
		codes = append(codes, http.StatusNotFound)
	}
	if r.maxJSON > 0 || r.body != nil {
		codes = append(codes, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return append(codes, http.StatusUnprocessableEntity)
}

type grantKey struct{}

func grantOf(ctx context.Context) Grant {
	g, _ := ctx.Value(grantKey{}).(Grant)
	return g
}

// actor is who acts under the request's key. A person that the key names takes
// the key's place in the words, not in the id: it is the key's assertion.
func actor(ctx context.Context, person string) exchange.Actor {
	a := grantOf(ctx).Actor
	if person != "" {
		a.Name = person
	}
	return a
}

const (
	securityName = "key"
	// maxKey bounds an API key and an idempotency key, in bytes.
	maxKey = 200
	// keyPrefix keeps the idempotency keys of the API apart from those of the pages.
	keyPrefix = "api:"
)

// authorise lets a request pass whose key is in force, belongs to this agency and
// has scope.
func (s *Server) authorise(scope Scope) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		kind, key, _ := strings.Cut(ctx.Header("Authorization"), " ")
		if !strings.EqualFold(kind, "Bearer") || key == "" || len(key) > maxKey {
			s.refuse(ctx, unauthorised("api.no-key", `Bearer realm="antin"`))
			return
		}
		g, err := s.Access.Grant(ctx.Context(), key)
		switch {
		case text.CodeOf(err) == text.NotAllowed:
			s.refuse(ctx, unauthorised("api.wrong-key", `Bearer realm="antin", error="invalid_token"`))
		case err != nil:
			s.refuse(ctx, err)
		case g.Actor.Agency != s.Office.Agency.Code:
			s.refuse(ctx, text.Detailed(text.NotAllowed, nil, "api.other-agency"))
		case !g.has(scope):
			s.refuse(ctx, text.Detailed(text.NotAllowed, nil, "api.no-scope", string(scope)))
		default:
			next(huma.WithValue(ctx, grantKey{}, g))
		}
	}
}

func unauthorised(key text.Key, challenge string) error {
	return &refusal{err: text.Detailed(text.NotAllowed, nil, key), status: http.StatusUnauthorized,
		header: http.Header{"Www-Authenticate": {challenge}}}
}

// requireKey refuses a request with legal effect that could not be repeated safely.
func (s *Server) requireKey(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header("Idempotency-Key")
	ok := key != "" && len(key) <= maxKey
	for _, b := range []byte(key) {
		ok = ok && b > ' ' && b < 0x7f
	}
	if !ok {
		s.refuse(ctx, badRequest("header/Idempotency-Key", "api.idempotency-key", maxKey))
		return
	}
	next(ctx)
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
