package main

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/time/rate"

	"antin/api"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/internal/text"
	"antin/web"
	"antin/web/render"
)

// apiKeyPrefix marks keys that open test data only.
const apiKeyPrefix = "antin_test_"

// The demo's public page takes 20 files a minute, as a real one does for an address.
const publicPerMinute = 20

// handlers puts the pages, the API and the trust services on their ports.
func (d *demo) handlers(e *env, client *fetch.Client) error {
	renderer, err := d.renderer()
	if err != nil {
		return err
	}
	deskURL, publicURL := "http://"+d.desk.Addr().String(), "http://"+d.public.Addr().String()
	mux := http.NewServeMux()
	desks, endpoints := map[*node]*web.Desk{}, map[*node]api.Endpoint{}
	for _, n := range []struct {
		*node
		prefix string
	}{{d.a, "/a"}, {d.b, "/b"}} {
		key := apiKeyPrefix + rand.Text()
		server := n.api(e, n.prefix, key)
		h, err := server.Handler()
		if err != nil {
			return err
		}
		for _, p := range []string{"/v1/", "/openapi.json", "/openapi.yaml", "/healthz"} {
			mux.Handle(n.prefix+p, h)
		}
		endpoints[n.node] = api.Endpoint{Base: deskURL + n.prefix, Key: key, Agency: n.office.Agency.Code}
		desks[n.node] = n.desk(e, n.prefix, renderer, []web.Link{{Name: text.Get("cli.link.start").VI, URL: "/"}, {Name: text.Get("cli.link.public").VI, URL: publicURL}})
		mux.Handle(n.prefix+"/", desks[n.node].Handler())
	}
	var commands []web.Command
	for _, ex := range api.CurlExamples(endpoints[d.a], endpoints[d.b]) {
		commands = append(commands, web.Command{Title: ex.Title, Command: ex.Command})
	}
	mux.Handle("/", web.Start{Story: startStory{d.story}, A: desks[d.a], B: desks[d.b], Public: publicURL, Commands: commands,
		Now: e.now, Sandbox: true, OnError: e.pageTrouble}.Handler())
	d.handler = mux
	return d.publicPages(e, client, deskURL)
}

// renderer starts page images in children of this very program.
func (d *demo) renderer() (*render.Renderer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cache, err := renderCache(d.dir)
	if err != nil {
		return nil, err
	}
	return render.New([]string{self, "render"}, cache), nil
}

// renderCache keeps PDFium's compiled form between demos where the system has a
// place for such things; else in the demo's own folder.
func renderCache(dir string) (string, error) {
	if base, err := os.UserCacheDir(); err == nil {
		cache := filepath.Join(base, "antin", "render")
		if err := os.MkdirAll(cache, 0o700); err == nil {
			return cache, nil
		}
	}
	cache := filepath.Join(dir, "render")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", storageError(err)
	}
	return cache, nil
}

// api is the node's API; its one key acts for văn thư and can neither sign nor seal.
func (n *node) api(e *env, prefix, key string) *api.Server {
	actor := exchange.Actor{ID: "api", Name: n.clerk.Name, Role: exchange.RoleClerk, Agency: n.office.Agency.Code}
	return &api.Server{
		Office: n.office, Outbox: n.outbox, Inbox: n.inbox, Results: n.results, Evidence: n.evidence,
		Files: &exchange.Files{Store: n.db, Blobs: n.db, Now: e.now}, Validator: n.inbox.Validator,
		Access: api.Keys{{Hash: api.KeyHash(key), Grant: api.Grant{Actor: actor, Scopes: api.Scopes()}}},
		Now:    e.now, Prefix: prefix, OnError: func(err error) { e.trouble(string(n.office.Agency.Code), err) },
	}
}

// desk is the node's pages. The demo has no passwords: whoever opens them acts as
// its văn thư.
func (n *node) desk(e *env, prefix string, renderer *render.Renderer, nav []web.Link) *web.Desk {
	return &web.Desk{Office: n.office, Prefix: prefix, Outbox: n.outbox, Inbox: n.inbox, Results: n.results, Evidence: n.evidence,
		Renderer: renderer, Actor: func(*http.Request) exchange.Actor { return n.clerk }, Now: e.now, Sandbox: true, Nav: nav, OnError: e.pageTrouble}
}

// publicPages serves verification, the QR's address and the trust services.
func (d *demo) publicPages(e *env, client *fetch.Client, deskURL string) error {
	judge, err := sandboxValidator(d.pki, client)
	if err != nil {
		return err
	}
	limit := rate.NewLimiter(rate.Every(time.Minute/publicPerMinute), publicPerMinute)
	mux := http.NewServeMux()
	trust := d.pki.Handler()
	for _, p := range []string{"/tsa", "/ocsp", "/ocsp/", "/crl/", "/aia/"} {
		mux.Handle(p, trust)
	}
	mux.Handle("/", web.Public{Validator: judge, Results: d.byToken, Now: e.now, Sandbox: true,
		Allow: func(*http.Request) bool { return limit.Allow() },
		Nav:   []web.Link{{Name: text.Get("cli.link.start").VI, URL: deskURL}}, OnError: e.pageTrouble}.Handler())
	d.publicHandler = mux
	return nil
}

// byToken looks a QR's token up at both agencies.
func (d *demo) byToken(ctx context.Context, token string) (exchange.Result, exchange.Office, bool, error) {
	for _, n := range []*node{d.a, d.b} {
		r, err := n.results.ByToken(ctx, token)
		switch {
		case err == nil:
			return r, n.office, true, nil
		case text.CodeOf(err) != text.NotFound:
			return r, n.office, false, err
		}
	}
	return exchange.Result{}, exchange.Office{}, false, nil
}

// pageTrouble reports a failure behind a page, with the id that the page showed.
func (e *env) pageTrouble(trace string, err error) { e.trouble(trace, err) }

// startStory is the story as the start page tells it.
type startStory struct{ *story }

// Prepare implements web.Story.
func (s startStory) Prepare(ctx context.Context) (exchange.ID, error) {
	if _, err := s.Result(ctx); err != nil {
		return "", err
	}
	d, err := s.Document(ctx, "")
	if err != nil {
		return "", err
	}
	d, err = s.Sign(ctx, d.ID)
	return d.ID, err
}

// PrepareFile implements web.Story.
func (s startStory) PrepareFile(ctx context.Context, name string, pdf io.Reader) (exchange.ID, error) {
	d, err := s.DocumentFrom(ctx, name, pdf)
	if err != nil {
		return "", err
	}
	d, err = s.Sign(ctx, d.ID)
	return d.ID, err
}

// Send implements web.Story.
func (s startStory) Send(ctx context.Context, id exchange.ID) error {
	_, err := s.story.Send(ctx, id)
	return err
}

// Tamper implements web.Story.
func (s startStory) Tamper(ctx context.Context, id exchange.ID) (exchange.ID, error) {
	d, err := s.story.Tamper(ctx, id)
	if err != nil {
		return "", err
	}
	_, err = s.story.Send(ctx, d.ID)
	return d.ID, err
}
