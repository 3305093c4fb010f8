package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
)

// Public is the pages for everyone, on an origin of their own: checking a PDF, and
// what the QR of a dossier result leads to. They need no login and set no cookie.
// Its fields are set once, before Handler; the handler is safe for concurrent use.
type Public struct {
	Validator *validation.Validator
	// Results returns the issued result whose QR carries token and the office that
	// issued it; false when there is none.
	Results func(ctx context.Context, token string) (exchange.Result, exchange.Office, bool, error)
	Now     func() time.Time
	// Allow may refuse a request that checks a file or looks up a token (answer 429);
	// nil allows all. The seam for limits by address.
	Allow func(r *http.Request) bool
	// Sandbox puts the banner DỮ LIỆU THỬ on every page.
	Sandbox bool
	// Nav leads to other places of the same demo.
	Nav []Link
	// OnError hears failures of our own side with the id that the page showed; may be nil.
	OnError func(trace string, err error)
}

const (
	// maxUploads bounds the files that are read, or held in memory, at a time.
	maxUploads = 16
	// maxChecks bounds those that are judged at a time, which takes the processor;
	// slow senders do not count.
	maxChecks = 4
	// checkWait is how long a file waits for its turn.
	checkWait = 20 * time.Second
	// maxToken bounds the token of a QR, in bytes; ours have 26.
	maxToken = 64
)

type public struct {
	Public
	site
	uploads, checks chan struct{}
}

// Handler returns the pages, for the root of their origin.
func (p Public) Handler() http.Handler {
	h := &public{Public: p, uploads: make(chan struct{}, maxUploads), checks: make(chan struct{}, maxChecks)}
	h.site = site{sandbox: p.Sandbox, now: p.Now, onError: p.OnError, frame: func(_ *http.Request, pg *page) {
		pg.Name = pg.say("web.public.name")
		for _, l := range p.Nav {
			pg.Links = append(pg.Links, Link{Name: l.Name, URL: withLang(l.URL, pg.Lang)})
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

type verifyView struct {
	Limit  int // bytes
	LimitM int // megabytes
	Report *reportView
	Lines  []line
}

func (h *public) verifyPage(r *http.Request) page {
	p := h.page(r, "web.verify.title")
	p.Data = verifyView{Limit: MaxUpload, LimitM: MaxUpload >> 20}
	return p
}

// check judges an uploaded file. The page is the answer itself: nothing is kept
// that another page could show.
func (h *public) check(w http.ResponseWriter, r *http.Request) {
	p := h.verifyPage(r)
	report, err := h.validate(w, r)
	if err != nil {
		p.Err = h.errView(p.Lang, err)
		h.show(w, p.Err.status, "verify", p)
		return
	}
	v := verifyView{Limit: MaxUpload, LimitM: MaxUpload >> 20, Report: viewReport(p.Lang, report, sender{})}
	v.Lines = fiveLines(p.Lang, exchange.ItemView{}, report, sender{})[:4] // the fifth is about the way it came
	p.Data = v
	h.show(w, http.StatusOK, "verify", p)
}

func (h *public) validate(w http.ResponseWriter, r *http.Request) (*validation.Report, error) {
	if h.Allow != nil && !h.Allow(r) {
		return nil, errBusy
	}
	if err := turn(r.Context(), h.uploads); err != nil {
		return nil, err
	}
	defer func() { <-h.uploads }()
	u, err := readUpload(w, r)
	if err != nil {
		return nil, err
	}
	if u.data == nil {
		return nil, text.Detailed(text.InvalidInput, nil, "web.upload.none")
	}
	if err := turn(r.Context(), h.checks); err != nil {
		return nil, err
	}
	defer func() { <-h.checks }()
	return h.Validator.Validate(r.Context(), validation.Input{Reader: bytes.NewReader(u.data), Size: int64(len(u.data)),
		Name: path.Base(strings.ReplaceAll(u.name, `\`, "/"))}, h.Now())
}

// turn waits for a place among slots; whoever gets one gives it back.
func turn(ctx context.Context, slots chan<- struct{}) error {
	wait := time.NewTimer(checkWait)
	defer wait.Stop()
	select {
	case slots <- struct{}{}:
		return nil
	case <-wait.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errBusy asks to come back later (429).
var errBusy = errors.New("too many checks at once")

type lookUpView struct {
	Found  bool
	Number string
	Date   time.Time
	Kind   string
	Agency string
	Of     string // the agency above
	Owner  string // masked
	Host   string
}

// lookUp answers the QR of a dossier result: what to compare with the sheet in
// hand, never the file.
func (h *public) lookUp(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.q.title")
	if h.Allow != nil && !h.Allow(r) {
		h.fail(w, r, errBusy)
		return
	}
	v := lookUpView{Host: r.Host}
	status := http.StatusNotFound
	if token := r.PathValue("token"); len(token) <= maxToken {
		x, office, found, err := h.Results(r.Context(), token)
		switch {
		case err != nil && text.CodeOf(err) != text.NotFound:
			h.fail(w, r, err)
			return
		case err == nil && found:
			n := x.Issuance.Number
			v = lookUpView{Found: true, Number: n.String(), Date: n.Date, Kind: x.Form.Kind.Name, Agency: office.Agency.Name,
				Of: office.Agency.InCharge, Owner: masked(x.Form.Owner), Host: r.Host}
			status = http.StatusOK
		}
	}
	p.Data = v
	p.path, p.query = r.URL.Path, url.Values{}
	h.show(w, status, "lookup", p)
}

// masked is a person's name of which only the given name, the last word, is told:
// enough to compare with the sheet in hand.
func masked(name string) string {
	words := strings.Fields(name)
	for i, w := range words {
		if i == len(words)-1 && i > 0 {
			break
		}
		first := []rune(w)[:1]
		words[i] = string(first) + "***"
	}
	return strings.Join(words, " ")
}
