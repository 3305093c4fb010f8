package web

import (
	"context"
	"crypto/sha256"
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
	// Actor tells who acts in a request: the seam for sessions.
	Actor func(r *http.Request) exchange.Actor
	Now   func() time.Time
	// Sandbox puts the banner DỮ LIỆU THỬ on every page.
	Sandbox bool
	// Nav leads to other places of the same demo.
	Nav []Link
	// OnError hears failures of our own side with the id that the page showed; may be nil.
	OnError func(trace string, err error)
}

// desk is a Desk at work.
type desk struct {
	Desk
	site
	images *imager
}

// maxCounted bounds what the navigation counts.
const maxCounted = 50

// Handler returns the pages, for requests whose path begins with Prefix.
func (d Desk) Handler() http.Handler {
	h := &desk{Desk: d, images: newImager(d.Renderer)}
	h.site = site{prefix: d.Prefix, sandbox: d.Sandbox, now: d.Now, onError: d.OnError, frame: h.around}
	mux := http.NewServeMux()
	get := func(path string, f http.HandlerFunc) { mux.HandleFunc("GET "+d.Prefix+path, f) }
	post := func(path string, f http.HandlerFunc) { mux.HandleFunc("POST "+d.Prefix+path, f) }
	get("/assets/{name}", serveAsset)
	get("/{$}", h.home)
	get("/documents", h.documents)
	get("/documents/{id}", h.document)
	get("/documents/{id}/file", h.documentFile)
	get("/documents/{id}/message", h.documentMessage)
	get("/documents/{id}/pages/{page}", h.documentPage)
	post("/documents/{id}/seal", h.sealDocument)
	post("/documents/{id}/send", h.sendDocument)
	get("/inbox", h.inbox)
	get("/inbox/{id}", h.item)
	get("/inbox/{id}/message", h.itemMessage)
	get("/inbox/{id}/receipt", h.itemReceipt)
	get("/inbox/{id}/files/{n}", h.itemFile)
	get("/inbox/{id}/files/{n}/report", h.itemReport)
	get("/inbox/{id}/files/{n}/pages/{page}", h.itemPage)
	post("/inbox/{id}/accept", h.accept)
	post("/inbox/{id}/refuse", h.refuse)
	get("/results", h.results)
	get("/results/{id}", h.result)
	get("/results/{id}/file", h.resultFile)
	get("/results/{id}/pages/{page}", h.resultPage)
	post("/results/{id}/seal", h.sealResult)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, text.Errorf(text.NotFound, nil)) })
	return secure(mux)
}

// around fills in the frame of every page of the desk.
func (h *desk) around(r *http.Request, p *page) {
	p.Name = h.Office.Agency.Name
	for _, l := range h.Nav {
		p.Links = append(p.Links, Link{Name: l.Name, URL: withLang(l.URL, p.Lang)})
	}
	for _, n := range []struct{ id, path string }{{"inbox", "/inbox"}, {"documents", "/documents"}, {"results", "/results"}} {
		p.Nav = append(p.Nav, navItem{ID: n.id, Label: p.say(text.Key("web.nav." + n.id)), URL: p.U(n.path)})
	}
	if n := h.waiting(r.Context(), h.Actor(r)); n > 0 {
		p.Nav[0].Count = strconv.Itoa(n)
		if n >= maxCounted {
			p.Nav[0].Count = strconv.Itoa(maxCounted-1) + "+"
		}
	}
}

// waiting counts what waits for the clerk; an error counts nothing, since the page
// itself will tell it.
func (h *desk) waiting(ctx context.Context, actor exchange.Actor) int {
	n := 0
	for _, state := range []exchange.InboxState{exchange.InboxWaiting, exchange.InboxDamaged} {
		items, err := h.Inbox.List(ctx, actor, exchange.InboxFilter{State: state, Page: exchange.Page{Limit: maxCounted}})
		if err == nil {
			n += len(items)
		}
	}
	return n
}

// home is the incoming queue: what the clerk looks at first.
func (h *desk) home(w http.ResponseWriter, r *http.Request) {
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang(h.Prefix+"/inbox", lang), http.StatusSeeOther)
}

// back sends the browser to the page of an object below folder after a form was done.
func (h *desk) back(w http.ResponseWriter, r *http.Request, folder string, id exchange.ID) {
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	to := withLang(h.Prefix+folder+url.PathEscape(string(id)), lang)
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
