package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// verbMark replaces, towards the router, the slash and colon of a verb: echo reads
// a colon as the start of a parameter, so "/documents/{id}:send" is routed as
// "/documents/{id}/@send". No path of ours begins a segment with it, and one that
// comes from outside is refused.
const verbMark = "@"

// internalPath returns the path of r as the router knows it; ok is false for a
// path that cannot be one of ours. A colon may come percent-encoded; a slash may
// not, because it would turn one segment into two.
func (s *Server) internalPath(r *http.Request) (path string, ok bool) {
	path, ok = strings.CutPrefix(r.URL.Path, s.Prefix)
	if !ok || !strings.HasPrefix(path, "/") || strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2f") {
		return "", false
	}
	i := strings.LastIndexByte(path, '/') + 1
	segment := path[i:]
	if strings.HasPrefix(segment, verbMark) {
		return "", false
	}
	id, verb, colon := strings.Cut(segment, ":")
	if !colon {
		return path, true
	}
	if id == "" || strings.ContainsAny(verb, ":") {
		return "", false
	}
	return path[:i] + id + "/" + verbMark + verb, true
}

// colonAdapter registers operations under the paths that internalPath produces;
// the OpenAPI document keeps the colon.
type colonAdapter struct{ huma.Adapter }

// Handle implements huma.Adapter.
func (a colonAdapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	routed := *op
	routed.Path = strings.Replace(op.Path, "}:", "}/"+verbMark, 1)
	a.Adapter.Handle(&routed, handler)
}
