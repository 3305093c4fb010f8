package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// Story performs the acts of the demo that no clerk's page offers.
type Story interface {
	// Prepare has A compose, sign, number and seal a sample document, and returns its id.
	Prepare(ctx context.Context) (exchange.ID, error)
	// PrepareFile does the same with a PDF that a person brought along.
	PrepareFile(ctx context.Context, name string, pdf io.Reader) (exchange.ID, error)
	// Send sends the document to B.
	Send(ctx context.Context, id exchange.ID) error
	// Tamper makes a copy of the issued document with one digit changed, has A send
	// it to B and returns the copy's id.
	Tamper(ctx context.Context, id exchange.ID) (exchange.ID, error)
}

// Command is one line to try on a terminal.
type Command struct {
	Title   text.Message
	Command string
}

// Start is the demo's first page: the main job in cards, one button each, and the
// roles that a visitor may take. It opens by a ticket of A's Access, which the demo
// prints; the ticket opens the desks as their văn thư too. Its fields are set once,
// before Handler; the handler is safe for concurrent use.
type Start struct {
	Story Story
	A, B  *Desk // the agencies' desks, whose pages it links and whose state it shows
	// Public is the address of the public verification page.
	Public   string
	Commands []Command // for the developer's card
	// Enter makes a one-time ticket for a named role of an agency and returns the address
	// that redeems it, which begins with the agency's Prefix and has the query "ticket".
	Enter func(ctx context.Context, agency exchange.AgencyCode, role exchange.Role) (ticketURL string, err error)
	Now   func() time.Time
	// Sandbox puts the banner DỮ LIỆU THỬ on the page.
	Sandbox bool
	// OnError hears failures of our own side with the id that the page showed; may be nil.
	OnError func(trace string, err error)
}

type start struct {
	Start
	site
	once onceForms
	// roleDoors are the addresses that open a role, by the form that asked for it.
	roleDoors secretOnce
	images    *imager
}

// Handler returns the page, for the root: "/", "/assets/…" and "/start/…".
func (s Start) Handler() http.Handler {
	h := &start{Start: s, images: newImager(s.A.Renderer)}
	h.site = site{sandbox: s.Sandbox, now: s.Now, onError: s.OnError, frame: func(_ *http.Request, p *page) {
		p.Name = p.say("web.start.name")
		for _, l := range []Link{{Name: "A: " + s.A.Office.Agency.Name, URL: s.A.Prefix + "/documents"}, {Name: "B: " + s.B.Office.Agency.Name, URL: s.B.Prefix + "/inbox"},
			{Name: p.say("web.nav.public"), URL: s.Public}} {
			if l.URL != "" {
				p.Links = append(p.Links, l.in(p.Lang))
			}
		}
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", serveAsset)
	mux.HandleFunc("GET /enter", h.enter)
	mux.HandleFunc("GET /{$}", h.known(func(w http.ResponseWriter, r *http.Request) { h.cards(w, r, nil) }))
	mux.HandleFunc("GET /start/pages/{id}", h.known(h.thumbnail))
	mux.HandleFunc("POST /start/role", h.known(h.takeRole))
	mux.HandleFunc("POST /start/prepare", h.known(h.prepare))
	mux.HandleFunc("POST /start/send", h.known(h.act(func(ctx context.Context, id exchange.ID) error { return h.Story.Send(ctx, id) })))
	mux.HandleFunc("POST /start/tamper", h.known(h.act(func(ctx context.Context, id exchange.ID) error {
		_, err := h.Story.Tamper(ctx, id)
		return err
	})))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, text.Errorf(text.NotFound, nil)) })
	return secure(http.NewCrossOriginProtection().Handler(mux), "/start/prepare")
}

// prepare is card 1: the sample, or the PDF that came with the form.
func (h *start) prepare(w http.ResponseWriter, r *http.Request) {
	u, err := readUpload(w, r)
	if err == nil && u.values["key"] == "" {
		err = wrongField("key") // none of our forms
	}
	if err == nil {
		err = h.once.do(u.values["key"], func() error {
			var err error
			switch {
			case u.data != nil:
				_, err = h.Story.PrepareFile(r.Context(), u.name, bytes.NewReader(u.data))
			case u.values["own"] != "":
				err = text.Detailed(text.InvalidInput, nil, "web.upload.none")
			default:
				_, err = h.Story.Prepare(r.Context())
			}
			return err
		})
	}
	h.done(w, r, err)
}

// act is a card whose form names the document of card 1.
func (h *start) act(do func(ctx context.Context, id exchange.ID) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := form(r)
		if err == nil {
			id := exchange.ID(r.PostFormValue("document"))
			if !id.Has(exchange.PrefixDocument) {
				h.done(w, r, wrongField("document"))
				return
			}
			err = h.once.do(r.PostFormValue("key"), func() error { return do(r.Context(), id) })
		}
		h.done(w, r, err)
	}
}

func (h *start) done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		h.cards(w, r, err)
		return
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang("/", lang), http.StatusSeeOther)
}
