package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// sessionCookie holds the token of a session, and nothing else.
const sessionCookie = "antin_session"

// sessionName is how much of the hash of a token names the session in logs.
const sessionName = 16

// sessionKey is the context key of the request's session.
type sessionKey struct{}

// errMustChange says that the session may do nothing but choose a new password.
var errMustChange = errors.New("the password must be changed first")

// sessionRoutes are log-in, log-out, the ticket's door and one's own password.
func (h *desk) sessionRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/login", Open: true, Handler: h.loginPage},
		{Method: http.MethodPost, Path: "/login", Open: true, Handler: h.login},
		{Method: http.MethodGet, Path: "/enter", Open: true, Handler: h.enter},
		{Method: http.MethodPost, Path: "/logout", Handler: h.logout},
		{Method: http.MethodGet, Path: "/password", Handler: h.passwordPage},
		{Method: http.MethodPost, Path: "/password", Handler: h.changePassword},
	}
}

// session returns r with the session of its cookie in the context, else
// session-expired, or errMustChange where only a new password is allowed.
func (h *desk) session(r *http.Request) (*http.Request, error) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, text.Errorf(text.SessionExpired, nil)
	}
	s, err := h.Access.Session(r.Context(), c.Value)
	if err != nil {
		return nil, err
	}
	if s.Account.Agency != h.Office.Agency.Code {
		return nil, text.Errorf(text.SessionExpired, nil) // of another agency on the same host
	}
	path := strings.TrimPrefix(r.URL.Path, h.Prefix)
	if s.Account.MustChange && path != "/password" && path != "/logout" {
		return nil, errMustChange
	}
	ctx := exchange.WithSession(context.WithValue(r.Context(), sessionKey{}, s), string(s.Hash[:sessionName]))
	return r.WithContext(ctx), nil
}

// sessionOf is the session of r; false on a page without one.
func sessionOf(r *http.Request) (exchange.Session, bool) {
	s, ok := r.Context().Value(sessionKey{}).(exchange.Session)
	return s, ok
}

// Actor is who acts in r: the session's actor; the zero Actor on a page without one,
// and while the password must be changed.
func (h *desk) Actor(r *http.Request) exchange.Actor {
	s, ok := sessionOf(r)
	if !ok {
		return exchange.Actor{}
	}
	return s.Actor
}

// noSession answers a request that needs a session: a page leads to log-in and back,
// a form gets 401 and stays as it was typed in the browser's history.
func (h *desk) noSession(w http.ResponseWriter, r *http.Request, err error) {
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	switch {
	case errors.Is(err, errMustChange) && get:
		http.Redirect(w, r, withLang(h.Prefix+"/password", lang), http.StatusSeeOther)
	case errors.Is(err, errMustChange):
		h.fail(w, r, text.Detailed(text.NotAllowed, nil, "people.must-change"))
	case text.CodeOf(err) != text.SessionExpired:
		h.fail(w, r, err)
	case get && !partial(r):
		to := h.Prefix + "/login"
		if p := r.URL.RequestURI(); h.local(p) && strings.TrimPrefix(r.URL.Path, h.Prefix) != "/" {
			to += "?next=" + url.QueryEscape(p)
		}
		http.Redirect(w, r, withLang(to, lang), http.StatusSeeOther)
	default:
		p := h.page(r, "people.login.title")
		p.at(h.Prefix + "/login")
		p.Err = h.errView(p.Lang, text.Errorf(text.SessionExpired, nil))
		p.Data = loginView{}
		h.show(w, http.StatusUnauthorized, "login", p)
	}
}

// partial reports whether r asks for a part of a page (a picture, or what the
// script fetches), which a log-in page cannot stand in for.
func partial(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return dest != "" && dest != "document"
}

// local reports whether p is a path of these pages, and no other site's address.
func (h *desk) local(p string) bool {
	return strings.HasPrefix(p, h.Prefix+"/") && !strings.HasPrefix(p, "//") && !strings.ContainsAny(p, "\\\r\n")
}

// loginView is the log-in page.
type loginView struct {
	Login string
	Next  string
	Wrong map[string]string // what is wrong with fields, by their names
}

func (h *desk) loginPage(w http.ResponseWriter, r *http.Request) {
	if _, ok := sessionOf(r); ok {
		h.enterAt(w, r, r.URL.Query().Get("next"))
		return
	}
	p := h.page(r, "people.login.title")
	v := loginView{}
	if next := r.URL.Query().Get("next"); h.local(next) {
		v.Next = next
	}
	p.Data = v
	h.show(w, http.StatusOK, "login", p)
}

func (h *desk) login(w http.ResponseWriter, r *http.Request) {
	if err := form(r); err != nil {
		h.fail(w, r, err)
		return
	}
	login, next := r.PostFormValue("login"), r.PostFormValue("next")
	enter := func() (m made, err error) {
		m.secret, _, err = h.Access.Login(r.Context(), h.Office.Agency.Code, login, r.PostFormValue("password"), remote(r).String())
		return m, err
	}
	m, err := h.secrets.again(loginOf(r), h.now(), enter)
	if err == nil {
		if _, over := h.Access.Session(r.Context(), m.secret); over != nil { // logged out since, and back at the same form
			m, err = enter()
		}
	}
	if err != nil {
		p := h.page(r, "people.login.title")
		f := typed(r)
		if p.Err = h.blame(p.Lang, &f, err); text.CodeOf(err) == text.LoginFailed { // which of the two is wrong is told to nobody
			f.mark(p.Err, "password")
			f.mark(p.Err, "login")
		}
		f.put("login", "login")
		f.put("password", "password")
		v := loginView{Login: clip(login), Wrong: f.wrong}
		if h.local(next) {
			v.Next = next
		}
		p.Data = v
		h.show(w, p.Err.status, "login", p)
		return
	}
	h.setCookie(w, m.secret, exchange.Session{})
	h.enterAt(w, r, next)
}

// loginOf names the log-in form that r sends with what was typed: both halves of a
// double click open one session, and nobody else's form does.
func loginOf(r *http.Request) string {
	k := formKey(r)
	if k == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(r.PostFormValue("login") + "\x00" + r.PostFormValue("password")))
	return "login " + remote(r).String() + " " + k + " " + hex.EncodeToString(sum[:])
}

// clip is what a page repeats of a field that came in too long.
func clip(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}

// enter opens the session of a ticket. A browser that holds a session of that
// agency already (the link was opened twice) just goes on.
func (h *desk) enter(w http.ResponseWriter, r *http.Request) {
	next := r.URL.Query().Get("next")
	token, s, err := h.Access.Redeem(r.Context(), h.Office.Agency.Code, r.URL.Query().Get("ticket"), remote(r).String())
	if _, ok := sessionOf(r); err != nil && ok && text.CodeOf(err) == text.SessionExpired {
		h.enterAt(w, r, next)
		return
	}
	if err != nil {
		p := h.page(r, "people.login.title")
		p.at(h.Prefix + "/login")
		p.Err, p.Data = h.errView(p.Lang, err), loginView{}
		h.show(w, p.Err.status, "login", p)
		return
	}
	h.setCookie(w, token, s)
	h.enterAt(w, r, next)
}

// enterAt goes to a page of the desk, the first one when next is none.
func (h *desk) enterAt(w http.ResponseWriter, r *http.Request, next string) {
	if !h.local(next) {
		next = h.Prefix + "/"
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang(next, lang), http.StatusSeeOther) //nolint:gosec // local has seen that it is a path of these pages
}

// setCookie gives the browser the session. It is no persistent cookie: closing the
// browser forgets it, and the server ends the session by its own clock.
func (h *desk) setCookie(w http.ResponseWriter, token string, s exchange.Session) {
	path := h.Prefix
	if path == "" {
		path = "/"
	}
	c := &http.Cookie{Name: sessionCookie, Value: token, Path: path, HttpOnly: true, Secure: !h.PlainCookies, SameSite: http.SameSiteStrictMode} //nolint:gosec // Secure is off only on loopback, where the configuration says so
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (h *desk) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		if err := h.Access.Logout(r.Context(), c.Value); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	h.setCookie(w, "", exchange.Session{})
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang(h.Prefix+"/login", lang), http.StatusSeeOther)
}

// passwordView is the page of one's own password.
type passwordView struct {
	Must  bool
	Login string
	Name  string
	Wrong map[string]string // what is wrong with fields, by their names
}

func (h *desk) passwordPage(w http.ResponseWriter, r *http.Request) {
	s, _ := sessionOf(r)
	p := h.page(r, "people.password.title")
	p.Data = passwordView{Must: s.Account.MustChange, Login: s.Account.Login, Name: s.Account.Name}
	h.show(w, http.StatusOK, "password", p)
}

func (h *desk) changePassword(w http.ResponseWriter, r *http.Request) {
	s, _ := sessionOf(r)
	err := form(r)
	if err == nil && r.PostFormValue("new") != r.PostFormValue("again") {
		err = atField("again", text.Detailed(text.InvalidInput, nil, "people.password.differ"))
	}
	if err == nil {
		err = h.forms.do(h.formOf(r), func() error {
			return h.Access.ChangePassword(r.Context(), s, r.PostFormValue("old"), r.PostFormValue("new"))
		})
	}
	if text.CodeOf(err) == text.LoginFailed {
		err = atField("old", err)
	}
	if err != nil {
		p := h.page(r, "people.password.title")
		f := typed(r)
		p.Err = h.blame(p.Lang, &f, err)
		if f.wrong["again"] != "" { // either may be the slip
			f.mark(p.Err, "new")
		}
		for _, name := range []string{"old", "new", "again"} {
			f.put(name, name)
		}
		p.Data = passwordView{Must: s.Account.MustChange, Login: s.Account.Login, Name: s.Account.Name, Wrong: f.wrong}
		h.show(w, p.Err.status, "password", p)
		return
	}
	h.enterAt(w, r, "")
}

// me is who is at work, in the frame of every page.
type me struct {
	Name string
	Role string
	Must bool
}

// me is whose session r is; nil without one.
func (h *desk) me(r *http.Request, p *page) *me {
	s, ok := sessionOf(r)
	if !ok {
		return nil
	}
	return &me{Name: s.Account.Name, Role: p.say(text.Key("role." + string(s.Account.Role))), Must: s.Account.MustChange}
}
