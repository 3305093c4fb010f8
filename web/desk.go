package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/web/render"
)

// Desk is the clerks' pages of one agency: văn bản đi, văn bản đến, kết quả. Its
// fields are set once, before Handler; the handler is safe for concurrent use.
type Desk struct {
	Office   exchange.Office
	Prefix   string // where the pages are mounted, "/a"; empty for the root
	Outbox   *exchange.Outbox
	Inbox    *exchange.Inbox
	Results  *exchange.Results
	Evidence *exchange.Evidence
	// Renderer makes page images; nil shows documents in words only.
	Renderer *render.Renderer
	// Verifications keeps the reports on files that people check here.
	Verifications *exchange.Verifications
	// Access knows who is logged in.
	Access *exchange.Access
	// Finder tells the operator what the id of a transfer or of a failure stands for;
	// nil: such ids find nothing.
	Finder *exchange.Finder
	// Probes looks at what the gateway depends on (clock, keys, certificates, TSA,
	// OCSP, peers, disk), for the operator's list of things to do; nil: nothing is probed.
	Probes func(ctx context.Context) []Probe
	// PlainCookies lets the session's cookie travel without TLS: on loopback only.
	PlainCookies bool
	Now          func() time.Time
	// Sandbox puts the banner DỮ LIỆU THỬ on every page.
	Sandbox bool
	// Nav leads to other places of the same demo.
	Nav []Link
	// Demo are the roles that the demo lets anyone take, from DemoRoles. Empty in
	// production.
	Demo []Link
	// OnError hears failures of our own side with the id that the page showed; may be nil.
	OnError func(trace string, err error)
}

// Probe is what one look at something that the gateway depends on found.
type Probe struct {
	Name   text.Message // what was looked at
	OK     bool
	Detail text.Message // what was found
	Fix    text.Message // what to do; zero where OK
	// Harm orders what is not OK: 3 stops work now, 2 soon, 1 is worth knowing.
	Harm int
}

// desk is a Desk at work.
type desk struct {
	Desk
	site
	images  *imager
	checker *checker
	shelf   *shelf
	table   []route
	secrets secretOnce
	forms   onceForms // of acts whose idempotency is theirs alone: editing, trying again
}

// maxCounted bounds what the navigation counts.
const maxCounted = 50

// Handler returns the pages, for requests whose path begins with Prefix.
func (d Desk) Handler() http.Handler {
	h := &desk{Desk: d, images: newImager(d.Renderer), checker: newChecker(d.Inbox.Validator, d.Now), shelf: newShelf(d.Now)}
	h.site = site{prefix: d.Prefix, sandbox: d.Sandbox, now: d.Now, onError: d.OnError, frame: h.around}
	h.table = h.routes()
	return h.mux()
}

// around fills in the frame of every page of the desk.
func (h *desk) around(r *http.Request, p *page) {
	p.Name = h.Office.Agency.Name
	for _, l := range h.Nav {
		p.Links = append(p.Links, l.in(p.Lang))
	}
	for _, l := range h.Demo {
		p.Roles = append(p.Roles, Link{Name: p.say(text.Key("role." + l.Name)), URL: withLang(l.URL, p.Lang)})
	}
	p.Me = h.me(r, p)
	actor := h.Actor(r)
	if actor.ID == "" {
		return // log-in: nobody is here yet
	}
	p.Nav = h.nav(*p, actor)
	for i := range p.Nav {
		if p.Nav[i].ID != "inbox" {
			continue
		}
		if n := h.waiting(r.Context(), actor); n >= maxCounted {
			p.Nav[i].Count = strconv.Itoa(maxCounted-1) + "+"
		} else if n > 0 {
			p.Nav[i].Count = strconv.Itoa(n)
		}
	}
}

// waiting counts what waits for the clerk; an error counts nothing, since the page
// itself will tell it.
func (h *desk) waiting(ctx context.Context, actor exchange.Actor) int {
	n, err := h.Inbox.Waiting(ctx, actor, maxCounted)
	if err != nil {
		return 0
	}
	return n
}

// back sends the browser to the page of an object below folder after a form was
// done, and there to the part named by anchor, if any.
func (h *desk) back(w http.ResponseWriter, r *http.Request, folder string, id exchange.ID, anchor ...string) {
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	to := withLang(h.Prefix+folder+url.PathEscape(string(id)), lang)
	for _, a := range anchor {
		to += "#" + a
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// nameOf is the directory's name of an agency, else its code.
func (h *desk) nameOf(ctx context.Context, code exchange.AgencyCode) string {
	if a, err := h.Outbox.Directory.Agency(ctx, code); err == nil && a.Name != "" {
		return a.Name
	}
	return string(code)
}

// sender is what the directory knows of the agency that should have sealed.
func (h *desk) sender(ctx context.Context, code exchange.AgencyCode) sender {
	a, err := h.Outbox.Directory.Agency(ctx, code)
	if err != nil {
		return sender{}
	}
	s := sender{name: a.Name}
	for _, der := range a.Seals {
		sum := sha256.Sum256(der)
		s.seals = append(s.seals, sum[:])
	}
	return s
}

// form reads the body of a POST; the error is fit to show.
func form(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return text.Errorf(text.InvalidInput, err)
	}
	return nil
}

// formKey is the idempotency key that a form carries, in the name space of pages.
func formKey(r *http.Request) string {
	if k := r.PostFormValue("key"); k != "" {
		return "web-" + k
	}
	return ""
}

// onceOf names the form that r sends, what f says was typed in it, and who sends it; ""
// when it is none of ours. Typed anew after going back, it is another.
func (h *desk) onceOf(r *http.Request, f filled) string {
	k := f.key()
	if k == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(f.values.Encode()))
	return h.Actor(r).ID + " " + r.URL.Path + " " + k + " " + hex.EncodeToString(sum[:])
}

// twice calls act again when the state stood in its way: the first half of a
// double click may just have done the same, and under the same key the repeat
// gets its outcome.
func twice(key string, act func() error) error {
	err := act()
	if key != "" && text.CodeOf(err) == text.StateConflict {
		err = act()
	}
	return err
}
