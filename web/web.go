// Package web is the pages for people: the clerks' desk of an agency (Desk), the
// public verification pages (Public) and the start page of the demo (Start).
//
// Each is an http.Handler made of html/template and one small script of our own;
// every form works without the script. The pages decide nothing: they call the
// methods of package exchange as the actor of the request, and show what these
// say in Vietnamese or English. Documents are shown as page images and text made
// by package render; a document's bytes leave only as a download.
package web

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// Link leads from one agency's pages to another place of the same demo.
type Link struct {
	Name string
	URL  string
	// Text is the name in both languages; zero: Name serves in both.
	Text text.Message
}

// in is l with its name and address in a language.
func (l Link) in(lang text.Lang) Link {
	if !l.Text.IsZero() {
		l.Name = l.Text.In(lang)
	}
	return Link{Name: l.Name, URL: withLang(l.URL, lang)}
}

// site is what all pages of one handler share.
type site struct {
	prefix  string
	sandbox bool
	now     func() time.Time
	onError func(trace string, err error)
	// frame fills in what stands around every page; it may be nil.
	frame func(r *http.Request, p *page)
}

// page is what a template gets: the frame, and Data of the page itself.
type page struct {
	Lang    text.Lang
	Title   string
	Where   string // the entry of the navigation that is current
	Name    string // whose pages these are
	Nav     []navItem
	Links   []Link
	Me      *me    // who is at work; nil without a session
	Roles   []Link // of the demo: addresses to post to
	Sandbox bool
	Poll    int // seconds after which the page looks again by itself; 0: never
	Err     *errView
	Now     string // when the page was made, for its print
	Data    any

	prefix string
	path   string
	query  url.Values
}

type navItem struct {
	ID    string
	Label string
	URL   string
	Count string
}

// page begins the page for r.
func (s *site) page(r *http.Request, title text.Key, args ...any) page {
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	p := page{Lang: lang, Now: vnTime(s.now()), Title: text.Get(title, args...).In(lang), Sandbox: s.sandbox, prefix: s.prefix, path: r.URL.Path, query: r.URL.Query()}
	if s.frame != nil {
		s.frame(r, &p)
	}
	return p
}

// How soon a page looks again: while something is under way, and to notice what
// arrives.
const (
	soon  = 2
	later = 10
)

// again has the page look again after the given seconds, or sooner.
func (p *page) again(seconds int) {
	if p.Poll == 0 || seconds < p.Poll {
		p.Poll = seconds
	}
}

// at sets the address of the page itself, where it is not that of the request: a
// form that failed is shown on the page it stood on.
func (p *page) at(path string) {
	if p.path != path {
		p.path, p.query = path, url.Values{}
	}
}

// Self is the address of this page.
func (p page) Self() string {
	if len(p.query) == 0 {
		return p.U(strings.TrimPrefix(p.path, p.prefix))
	}
	return p.path + "?" + p.query.Encode()
}

// U is the address of a path of these pages in the page's language. Vietnamese is
// the default whatever the browser asks for: office machines often run browsers
// whose language nobody ever set.
func (p page) U(path string) string { return withLang(p.prefix+path, p.Lang) }

func withLang(path string, lang text.Lang) string {
	if lang != text.EN {
		return path
	}
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	q := u.Query()
	q.Set("lang", string(lang))
	u.RawQuery = q.Encode()
	return u.String()
}

// finder is a search form above a list.
type finder struct {
	Label  string
	Action string
	Keep   map[string]string // what stays as it is: tab and language
	Query  string
	Clear  string // the list without the search
}

// finder is the form that searches the list at path, whose tab it keeps.
func (p page) finder(path, label, tab, query string) finder {
	f := finder{Label: label, Action: p.prefix + path, Keep: map[string]string{}, Query: query, Clear: p.U(path)}
	if tab != "" {
		f.Keep["tab"] = tab
		f.Clear = p.U(path + "?tab=" + url.QueryEscape(tab))
	}
	if p.Lang == text.EN {
		f.Keep["lang"] = string(text.EN)
	}
	return f
}

// Asset is the address of an embedded file.
func (p page) Asset(name string) string { return p.prefix + "/assets/" + name + "?v=" + assetVersion }

// Other is the other language and the address of this page in it.
func (p page) Other() Link {
	q := url.Values{}
	for k, v := range p.query {
		if k != "lang" {
			q[k] = v
		}
	}
	l := Link{Name: "Tiếng Việt", URL: p.path}
	if p.Lang != text.EN {
		l.Name = "English"
		q.Set("lang", string(text.EN))
	}
	if len(q) > 0 {
		l.URL += "?" + q.Encode()
	}
	return l
}

// Tongue is the language of Other.
func (p page) Tongue() text.Lang {
	if p.Lang == text.EN {
		return text.VI
	}
	return text.EN
}

// say is a catalogue entry in the page's language.
func (p page) say(key text.Key, args ...any) string { return text.Get(key, args...).In(p.Lang) }

// show writes the page made by the template name.
func (s *site) show(w http.ResponseWriter, status int, name string, p page) {
	var b bytes.Buffer
	if err := templates()[p.Lang].ExecuteTemplate(&b, name, p); err != nil {
		s.report(newTrace(), err)
		http.Error(w, text.Errorf(text.Internal, err).Message().In(p.Lang), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

// errView is an error as a person reads it.
type errView struct {
	Message string
	Fix     string
	Trace   string // only where an operator has to look
	status  int
	field   string            // the field that is wrong; empty when none is
	places  map[string]string // ids of the controls that are marked, by their fields
}

// Href leads from the top of the page to the field that is wrong; empty when the page
// shows none.
func (v *errView) Href() string {
	if id := v.places[v.field]; id != "" {
		return "#" + id
	}
	return ""
}

// errView puts err in words; what is unexpected is reported under a trace id.
func (s *site) errView(lang text.Lang, err error) *errView {
	return s.errViewUnder(newTrace(), lang, err)
}

// errViewUnder is errView with the id for what is unexpected.
func (s *site) errViewUnder(trace string, lang text.Lang, err error) *errView {
	if errors.Is(err, errBusy) {
		return &errView{Message: text.Get("web.busy").In(lang), Fix: text.Get("web.busy.fix").In(lang), status: http.StatusTooManyRequests}
	}
	e := text.As(err)
	v := &errView{Message: e.Message().In(lang), Fix: e.Fix().In(lang), status: httpStatus(e.Code)}
	if name, invisible := fieldIn(e); name != "" && e.Code == text.InvalidInput {
		v.Message, v.field = fieldWords(lang, name, invisible), name
	}
	if e.Code == text.Internal {
		v.Trace = trace
		s.report(v.Trace, err)
	}
	return v
}

// fail shows a page that holds nothing but err.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.page(r, "web.error.title")
	p.Err = s.errViewUnder(traceOf(r), p.Lang, err)
	s.show(w, p.Err.status, "error", p)
}

func (s *site) report(trace string, err error) {
	if s.onError != nil {
		s.onError(trace, err)
	}
}

// traceOf is the id of the trace that r belongs to, or that of a failure of its own.
func traceOf(r *http.Request) string {
	if id := exchange.TraceOf(r.Context()).ID(); id != "" {
		return id
	}
	return newTrace()
}

// newTrace names one failure, for the page and the log.
func newTrace() string { return rand.Text()[:10] }

// httpStatus is the status under which an error code is answered.
func httpStatus(c text.Code) int {
	switch c { //nolint:exhaustive // the rest is the client's input
	case text.NotFound, text.KeyNotFound, text.ReceiverUnknown:
		return http.StatusNotFound
	case text.NotAllowed:
		return http.StatusForbidden
	case text.StateConflict, text.ReplayConflict, text.NumberTaken, text.DocumentChanged, text.IdempotencyKeyReused, text.InProgress:
		return http.StatusConflict
	case text.TooLarge:
		return http.StatusRequestEntityTooLarge
	case text.RateLimited, text.LockedOut:
		return http.StatusTooManyRequests
	case text.SessionExpired, text.LoginFailed:
		return http.StatusUnauthorized
	case text.PreconditionFailed:
		return http.StatusPreconditionFailed
	case text.Internal:
		return http.StatusInternalServerError
	}
	if c.Exit() == 10 {
		return http.StatusServiceUnavailable
	}
	return http.StatusUnprocessableEntity
}

// vnTime is a moment as people here write it.
func vnTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(exchange.Vietnam).Format("02/01/2006 15:04 (-07:00)")
}

// vnShort is a moment in a list, whose zone goes without saying.
func vnShort(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(exchange.Vietnam).Format("02/01/2006 15:04")
}

// vnDate is a day as people here write it.
func vnDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(exchange.Vietnam).Format("02/01/2006")
}
