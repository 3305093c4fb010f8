package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/unicode/norm"

	"antin/exchange"
	"antin/internal/text"
)

// Scope is one right of an API key.
type Scope string

// The scopes. None lets a key sign, and none lets it use the agency's seal: a key
// only puts what needs them in the queue.
const (
	ScopeFilesRead      Scope = "files:read"
	ScopeFilesWrite     Scope = "files:write"
	ScopeDocumentsRead  Scope = "documents:read"
	ScopeDocumentsWrite Scope = "documents:write"
	ScopeDocumentsSend  Scope = "documents:send"
	ScopeSignQueue      Scope = "sign:queue"
	ScopeSealQueue      Scope = "seal:queue"
	ScopeInboxRead      Scope = "inbox:read"
	ScopeInboxDecide    Scope = "inbox:decide"
	ScopeResultsRead    Scope = "results:read"
	ScopeResultsWrite   Scope = "results:write"
	ScopeResultsIssue   Scope = "results:issue"
	ScopeResultsRevoke  Scope = "results:revoke"
	ScopeRegistersRead  Scope = "registers:read"
	ScopeRegistersWrite Scope = "registers:write"
	ScopeOperationsRead Scope = "operations:read"
	ScopeEventsRead     Scope = "events:read"
	ScopeAgenciesRead   Scope = "agencies:read"
	ScopeVerify         Scope = "verify"
	ScopeLanesRead      Scope = "lanes:read"
	ScopeLanesWrite     Scope = "lanes:write"
)

var (
	clerk     = []exchange.Role{exchange.RoleClerk}
	clerks    = []exchange.Role{exchange.RoleClerk, exchange.RoleOfficer}
	deskRoles = []exchange.Role{exchange.RoleClerk, exchange.RoleLeader, exchange.RoleOfficer}
	watchers  = []exchange.Role{exchange.RoleClerk, exchange.RoleOperator}
	signers   = []exchange.Role{exchange.RoleClerk, exchange.RoleLeader}
	everyone  = []exchange.Role{exchange.RoleClerk, exchange.RoleLeader, exchange.RoleOfficer, exchange.RoleOperator}
)

// sessionRoles says who may do by a session what the scope lets a key do. The
// exchange itself refuses an act to the wrong role as well.
var sessionRoles = map[Scope][]exchange.Role{
	ScopeFilesRead: deskRoles, ScopeFilesWrite: deskRoles, ScopeDocumentsRead: deskRoles, ScopeDocumentsWrite: deskRoles, ScopeDocumentsSend: clerk,
	ScopeSignQueue: clerks, ScopeSealQueue: clerks, ScopeInboxRead: deskRoles, ScopeInboxDecide: signers, ScopeResultsRead: deskRoles,
	ScopeResultsWrite: clerks, ScopeResultsIssue: clerks, ScopeResultsRevoke: clerk, ScopeRegistersRead: deskRoles, ScopeRegistersWrite: clerk,
	ScopeOperationsRead: deskRoles, ScopeEventsRead: everyone, ScopeAgenciesRead: everyone, ScopeVerify: everyone,
	ScopeLanesRead: watchers, ScopeLanesWrite: watchers,
}

// Scopes lists every scope.
func Scopes() []Scope {
	return []Scope{ScopeFilesRead, ScopeFilesWrite, ScopeDocumentsRead, ScopeDocumentsWrite, ScopeDocumentsSend, ScopeSignQueue, ScopeSealQueue,
		ScopeInboxRead, ScopeInboxDecide, ScopeResultsRead, ScopeResultsWrite, ScopeResultsIssue, ScopeResultsRevoke, ScopeRegistersRead,
		ScopeRegistersWrite, ScopeOperationsRead, ScopeEventsRead, ScopeAgenciesRead, ScopeVerify, ScopeLanesRead, ScopeLanesWrite}
}

// ScopeNames lists every scope as text, for those who issue keys.
func ScopeNames() []string {
	var out []string
	for _, s := range Scopes() {
		out = append(out, string(s))
	}
	return out
}

// Access knows the API keys and the sessions of people; *exchange.Access is one.
// Implementations are safe for concurrent use.
type Access interface {
	// KeyBySecret returns the key in force whose secret is given; not-allowed when
	// there is none.
	KeyBySecret(ctx context.Context, secret string) (exchange.APIKey, error)
	// Session returns the session of a token; session-expired when there is none.
	Session(ctx context.Context, token string) (exchange.Session, error)
}

const (
	securityName   = "key"
	securityPerson = "session"
	securityCookie = "cookie"
	// SessionPrefix stands before a session's token where it is sent as a bearer's,
	// which tells it from a key.
	SessionPrefix = "antin_session_"
	// SessionCookie holds the token of a session in browsers.
	SessionCookie = "antin_session"
	// maxKey bounds an API key, a session token and an idempotency key, in bytes.
	maxKey = 200
	// maxPerson bounds the name of an acting person, in characters.
	maxPerson = 200
)

// caller is who sent the request.
type caller struct {
	actor  exchange.Actor
	scopes []string // of a key
	person bool     // a session: the actor is a person who logged in
	named  string   // the Acting-Person header of a key's request
	// session names the session in the log of the key helper, without its secret.
	session string
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// actor is who asks, for what has no legal effect.
func actor(ctx context.Context) exchange.Actor {
	c := callerOf(ctx)
	if c.named != "" {
		c.actor.Name = c.named
	}
	return c.actor
}

// acting is who performs a legal act: the person of the session, or the one whom a
// key names, whose name stands beside the key's id as that key's assertion.
func acting(ctx context.Context, named string) (exchange.Actor, error) {
	c := callerOf(ctx)
	if named == "" {
		named = c.named
	}
	switch {
	case c.person && named != "":
		return c.actor, invalid("/acting_person", faultUnknown)
	case c.person:
		return c.actor, nil
	case strings.TrimSpace(named) == "":
		return c.actor, &refusal{err: text.Detailed(text.InvalidInput, nil, "api.acting-person", maxPerson), fields: []fault{newFault("/acting_person", faultRequired)}}
	case utf8.RuneCountInString(named) > maxPerson || strings.ContainsAny(named, "\r\n\t") || !showable(named):
		return c.actor, invalid("/acting_person", faultValue)
	}
	c.actor.Name = strings.TrimSpace(named)
	return c.actor, nil
}

// authorise lets a request pass whose key or session is in force, belongs to this
// agency and may do r.
func (s *Server) authorise(r route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c, err := s.caller(ctx)
		if err != nil {
			if statusOf(text.CodeOf(err)) < http.StatusInternalServerError && !s.allow(ctx, "address:"+callOf(ctx.Context()).address, s.Limits.open()) {
				return // who tries keys that do not exist is counted
			}
			s.refuse(ctx, err)
			return
		}
		if !s.allow(ctx, "caller:"+c.actor.ID, s.Limits.keyed()) {
			return
		}
		if err := s.may(c, r); err != nil {
			s.refuse(ctx, err)
			return
		}
		within := exchange.WithSession(context.WithValue(ctx.Context(), callerKey{}, c), c.session)
		next(huma.WithContext(ctx, within))
	}
}

// may returns nil when c may do r.
func (s *Server) may(c caller, r route) error {
	if c.actor.Agency != s.Office.Agency.Code {
		return text.Detailed(text.NotAllowed, nil, "api.other-agency")
	}
	if !c.person {
		switch {
		case r.people:
			return text.Detailed(text.NotAllowed, nil, "api.people-only")
		case !slices.Contains(c.scopes, string(r.scope)):
			return text.Detailed(text.NotAllowed, nil, "api.no-scope", string(r.scope))
		}
		return nil
	}
	roles := r.roles
	if roles == nil {
		roles = sessionRoles[r.scope]
	}
	if !slices.Contains(roles, c.actor.Role) {
		return text.Detailed(text.NotAllowed, nil, "api.role")
	}
	return nil
}

// caller finds out who sends the request.
func (s *Server) caller(ctx huma.Context) (caller, error) {
	token, cookie := bearer(ctx)
	switch {
	case token == "":
		return caller{}, unauthorised(text.NotAllowed, "api.no-key", `Bearer realm="antin"`)
	case cookie && callOf(ctx.Context()).foreign:
		return caller{}, text.Detailed(text.NotAllowed, nil, "api.foreign")
	case strings.HasPrefix(token, SessionPrefix) || cookie:
		session, err := s.Access.Session(ctx.Context(), strings.TrimPrefix(token, SessionPrefix))
		if code := text.CodeOf(err); err != nil && (code == text.SessionExpired || code == text.NotAllowed) {
			return caller{}, unauthorised(text.SessionExpired, "", `Bearer realm="antin", error="invalid_token"`)
		}
		return caller{actor: session.Actor, person: true, session: string(session.Hash)}, err
	}
	key, err := s.Access.KeyBySecret(ctx.Context(), token)
	if text.CodeOf(err) == text.NotAllowed {
		return caller{}, unauthorised(text.NotAllowed, "api.wrong-key", `Bearer realm="antin", error="invalid_token"`)
	}
	if err != nil {
		return caller{}, err
	}
	named, err := headerName(ctx.Header("Acting-Person"))
	return caller{actor: exchange.Actor{ID: string(key.ID), Name: cmpName(named, key.Name), Role: exchange.RoleIntegrator, Agency: key.Agency},
		scopes: key.Scopes, named: named}, err
}

func cmpName(named, key string) string {
	if named != "" {
		return named
	}
	return key
}

// bearer returns the token of the request, and whether it came in a cookie; "" when
// there is none that could be one.
func bearer(ctx huma.Context) (token string, cookie bool) {
	kind, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if kind != "" {
		if !strings.EqualFold(kind, "Bearer") || len(token) > maxKey {
			return "", false
		}
		return token, false
	}
	if c, err := huma.ReadCookie(ctx, SessionCookie); err == nil && len(c.Value) <= maxKey {
		return c.Value, true
	}
	return "", false
}

// headerName reads a person's name from a header, where it stands in UTF-8, percent-encoded.
func headerName(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	name, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(name) || !showable(name) || strings.ContainsAny(name, "\r\n\t") || utf8.RuneCountInString(name) > maxPerson {
		return "", invalid("header/Acting-Person", faultValue)
	}
	return norm.NFC.String(strings.TrimSpace(name)), nil
}

func unauthorised(code text.Code, key text.Key, challenge string) error {
	err := text.Errorf(code, nil)
	if key != "" {
		err = text.Detailed(code, nil, key)
	}
	return &refusal{err: err, status: http.StatusUnauthorized, header: http.Header{"Www-Authenticate": {challenge}}}
}
