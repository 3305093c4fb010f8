package web

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
	"antin/web/render"
)

// Public is the pages for everyone, on an origin of their own: checking a PDF, and
// what the QR of a dossier result leads to. They need no login and set no cookie.
// Its fields are set once, before Handler; the handler is safe for concurrent use.
type Public struct {
	Validator *validation.Validator
	// Results returns the issued result whose QR carries token and the office that
	// issued it; false when there is none.
	Results func(ctx context.Context, token string) (exchange.Result, exchange.Office, bool, error)
	// Result returns a result of an agency by id, to name the one in another's place;
	// nil leaves it unnamed.
	Result func(ctx context.Context, agency exchange.AgencyCode, id exchange.ID) (exchange.Result, error)
	Now    func() time.Time
	// Renderer draws the pages of checked files into the answers; nil answers in words
	// only. Have it separate from the desk's, so that nobody outside keeps a clerk
	// waiting.
	Renderer *render.Renderer
	// Client is the address that a request counts for (20 files a minute each); nil is
	// that of the connection. Behind a reverse proxy it is what the proxy forwards.
	Client func(r *http.Request) netip.Addr
	// Sandbox puts the banner DỮ LIỆU THỬ on every page.
	Sandbox bool
	// Nav leads to other places of the same demo.
	Nav []Link
	// OnError hears failures of our own side with the id that the page showed; may be nil.
	OnError func(trace string, err error)
}

const (
	// maxToken bounds the token of a QR, in bytes; ours have 26.
	maxToken = 64
)

type public struct {
	Public
	site
	checker      *checker
	files, codes *limiter
}

// Handler returns the pages, for the root of their origin.
func (p Public) Handler() http.Handler {
	h := &public{Public: p, checker: newChecker(p.Validator, p.Now),
		files: newLimiter(checksPerMinute), codes: newLimiter(lookUpsPerMinute)}
	if h.Client == nil {
		h.Client = remote
	}
	h.site = site{sandbox: p.Sandbox, now: p.Now, onError: p.OnError, frame: func(_ *http.Request, pg *page) {
		pg.Name = pg.say("web.public.name")
		for _, l := range p.Nav {
			pg.Links = append(pg.Links, l.in(pg.Lang))
		}
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", serveAsset)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		h.show(w, http.StatusOK, "verify", h.verifyPage(r))
	})
	mux.HandleFunc("POST /{$}", h.check)
	mux.HandleFunc("GET /q/{token}", h.lookUp)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, text.Errorf(text.NotFound, nil)) })
	return secure(mux, "/")
}

// verifyView is the form that takes a file, and what was found about the last one.
type verifyView struct {
	Action  string
	Privacy string // what becomes of the file
	Limit   int    // bytes
	LimitM  int    // megabytes
	Report  *reportView
	Lines   []line
	Paper   *paperView // nil: the pages are not shown
	Gone    string     // why they are not, when that needs saying
	// Keyed says that a file sent twice is one act: the desk keeps the report.
	Keyed bool
	Wrong map[string]string // what is wrong with the file
}

func (h *public) verifyPage(r *http.Request) page {
	p := h.page(r, "web.verify.title")
	p.Data = newVerifyView(p, "/", "web.verify.privacy")
	return p
}

// check judges an uploaded file. The page is the answer itself: nothing is kept
// that another page could show.
func (h *public) check(w http.ResponseWriter, r *http.Request) {
	p := h.verifyPage(r)
	report, u, err := h.validate(w, r)
	if err != nil {
		var f filled
		v := newVerifyView(p, "/", "web.verify.privacy")
		p.Err = h.blame(p.Lang, &f, err)
		f.put("file", "file")
		v.Wrong = f.wrong
		p.Data = v
		h.show(w, p.Err.status, "verify", p)
		return
	}
	v := newVerifyView(p, "/", "web.verify.privacy")
	v.judged(p.Lang, report)
	v.Paper = h.pagesOf(r.Context(), &p, u, report)
	v.Report.link(p, v.Paper)
	p.Data = v
	h.show(w, http.StatusOK, "verify", p)
}

func (h *public) validate(w http.ResponseWriter, r *http.Request) (*validation.Report, uploaded, error) {
	if !h.files.allow(h.Client(r), h.Now()) {
		return nil, uploaded{}, text.Errorf(text.RateLimited, nil)
	}
	return h.checker.check(w, r)
}

type lookUpView struct {
	Class    string // colour of the headline
	Icon     string
	Headline string
	Explain  string
	Number   string
	Date     time.Time
	Kind     string
	Agency   string
	Of       string // the agency above
	Owner    string // masked
	Host     string
}

// lookUp answers the QR of a dossier result: what to compare with the sheet in
// hand, never the file.
func (h *public) lookUp(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.q.title")
	if !h.codes.allow(h.Client(r), h.Now()) {
		h.fail(w, r, text.Errorf(text.RateLimited, nil))
		return
	}
	v, status := missing(p), http.StatusNotFound
	if token := r.PathValue("token"); len(token) <= maxToken {
		x, office, found, err := h.Results(r.Context(), token)
		switch {
		case err != nil && text.CodeOf(err) != text.NotFound:
			h.fail(w, r, err)
			return
		case err == nil && found:
			next, err := h.successor(r.Context(), x)
			if err != nil {
				h.fail(w, r, err)
				return
			}
			v, status = issued(p, x, office, next), http.StatusOK
		}
	}
	v.Host = r.Host
	p.Data = v
	p.path, p.query = r.URL.Path, url.Values{}
	h.show(w, status, "lookup", p)
}

func missing(p page) lookUpView {
	return lookUpView{Class: "invalid", Icon: "✕", Headline: p.say("web.q.missing"), Explain: p.say("web.q.missing.explain")}
}

// issued is the answer for a result that this gateway issued: in force, replaced or
// withdrawn, each in words of its own, so that none can be taken for another.
func issued(p page, x exchange.Result, office exchange.Office, successor *exchange.Result) lookUpView {
	n := x.Issuance.Number
	v := lookUpView{Class: "valid", Icon: "✓", Number: n.String(), Date: n.Date, Kind: x.Form.Kind.Name,
		Agency: office.Agency.Name, Of: office.Agency.InCharge, Owner: exchange.MaskedName(x.Form.Owner)}
	v.Headline, v.Explain = p.say("web.q.found", v.Agency, vnDate(v.Date)), p.say("web.q.compare")
	switch x.State() {
	case exchange.ResultIssued:
	case exchange.ResultWithdrawn:
		v.Class, v.Icon = "invalid", "✕"
		v.Headline, v.Explain = p.say("web.q.withdrawn", vnDate(x.Revoked.At)), p.say("web.q.withdrawn.explain", v.Agency)
	case exchange.ResultReplaced:
		v.Class, v.Icon = "warn", "!"
		v.Headline, v.Explain = p.say("web.q.replaced"), p.say("web.q.replaced.explain", v.Agency)
		if successor != nil {
			next := successor.Issuance.Number
			v.Headline = p.say("web.q.replaced.by", next.String(), vnDate(next.Date))
		}
	}
	return v
}

// successor is the issued result in x's place; nil when there is none to name.
func (h *public) successor(ctx context.Context, x exchange.Result) (*exchange.Result, error) {
	if x.ReplacedBy == "" || h.Result == nil {
		return nil, nil
	}
	next, err := h.Result(ctx, x.Agency, x.ReplacedBy)
	if text.CodeOf(err) == text.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !next.Issuance.Issued.Done() {
		return nil, nil
	}
	return &next, nil
}
