package web

import (
	"net/http"
	"slices"

	"antin/exchange"
	"antin/internal/text"
)

// route is one line of the table of pages: who may open which path, and what
// answers. A path without a line here does not exist.
type route struct {
	Method, Path string
	// Roles may open it; nil: everyone who is logged in.
	Roles []exchange.Role
	// Open needs no session: log-in and files that pages load.
	Open bool
	// Upload admits a body with a file (maxUploadBody instead of maxForm).
	Upload  bool
	Handler http.HandlerFunc
}

// RouteInfo is a line of the table as tests and documentation read it. Path is
// without Desk.Prefix, in the pattern language of http.ServeMux.
type RouteInfo struct {
	Method string
	Path   string
	Roles  []exchange.Role // nil: every role
	Open   bool            // needs no session
}

// routes is the whole table.
func (h *desk) routes() []route {
	own := []route{{Method: http.MethodGet, Path: "/assets/{name}", Open: true, Handler: serveAsset}}
	return slices.Concat(own, h.homeRoutes(), h.inboxRoutes(), h.verifyRoutes(), h.documentRoutes(), h.resultRoutes(), h.registerRoutes(),
		h.signRoutes(), h.laneRoutes(), h.peopleRoutes(), h.sessionRoutes())
}

// Routes lists every page of the desk. It may be called before Handler.
func (d Desk) Routes() []RouteInfo {
	h := &desk{Desk: d}
	var out []RouteInfo
	for _, rt := range h.routes() {
		out = append(out, RouteInfo{Method: rt.Method, Path: rt.Path, Roles: slices.Clone(rt.Roles), Open: rt.Open})
	}
	return out
}

// mux puts the table behind, in this order: the headers of every answer, the check
// that a POST comes from our own pages, the session, the role, the handler.
func (h *desk) mux() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range h.routes() {
		mux.Handle(rt.Method+" "+h.Prefix+rt.Path, h.guarded(rt))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, text.Errorf(text.NotFound, nil)) })
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, text.Detailed(text.NotAllowed, nil, "web.origin"))
	}))
	return headers(crossOrigin.Handler(mux))
}

// guarded is rt behind session and role, with its body bounded.
func (h *desk) guarded(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxForm)
		if rt.Upload {
			limit = maxUploadBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if r.Method == http.MethodPost {
			if err := checkForm(r, rt.Upload); err != nil {
				h.fail(w, r, err)
				return
			}
		}
		in, err := h.session(r)
		switch {
		case err == nil:
			r = in
		case rt.Open: // the page knows nobody, and needs to know nobody
		default:
			h.noSession(w, r, err)
			return
		}
		if !rt.Open && rt.Roles != nil && !slices.Contains(rt.Roles, h.Actor(r).Role) {
			h.fail(w, r, text.Detailed(text.NotAllowed, nil, "web.role"))
			return
		}
		rt.Handler(w, r)
	})
}

// The groups of roles that most pages are for. Nobody but the people of an agency
// sees its documents: the operator looks after the gateway, not into the post.
var (
	clerks    = []exchange.Role{exchange.RoleClerk}
	inboxers  = []exchange.Role{exchange.RoleClerk, exchange.RoleLeader}
	desks     = []exchange.Role{exchange.RoleClerk, exchange.RoleLeader, exchange.RoleOfficer}
	operators = []exchange.Role{exchange.RoleOperator}
)

// navEntries are the main pages in the order shown; a role sees those that the
// table lets it open.
var navEntries = []struct{ ID, Path string }{
	{"home", "/home"}, {"sign", "/sign"}, {"inbox", "/inbox"}, {"documents", "/documents"}, {"results", "/results"},
	{"registers", "/registers"}, {"verify", "/verifications"},
	{"lanes", "/lanes"}, {"search", "/search"}, {"people", "/accounts"}, {"keys", "/api-keys"}, {"peers", "/peers"},
}

// nav is what actor may choose from.
func (h *desk) nav(p page, actor exchange.Actor) []navItem {
	var out []navItem
	for _, n := range navEntries {
		if h.may(actor.Role, n.Path) {
			out = append(out, navItem{ID: n.ID, Label: p.say(text.Key("web.nav." + n.ID)), URL: p.U(n.Path)})
		}
	}
	return out
}

// may reports whether role can open the page at path.
func (h *desk) may(role exchange.Role, path string) bool {
	return slices.ContainsFunc(h.table, func(rt route) bool {
		return rt.Method == http.MethodGet && rt.Path == path && (rt.Roles == nil || slices.Contains(rt.Roles, role))
	})
}
