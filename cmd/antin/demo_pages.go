package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"antin/api"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/internal/text"
	"antin/web"
	"antin/web/render"
)

// handlers puts the pages, the API and the trust services on their ports.
func (d *demo) handlers(ctx context.Context, e *env, client *fetch.Client) error {
	renderer, err := d.renderer(render.New)
	if err != nil {
		return err
	}
	deskURL, publicURL := "http://"+d.desk.Addr().String(), "http://"+d.public.Addr().String()
	mux := http.NewServeMux()
	desks, endpoints := map[*node]*web.Desk{}, map[*node]api.Endpoint{}
	for _, n := range []*node{d.a, d.b} {
		code := string(n.office.Agency.Code)
		prefix := d.prefix(n)
		h, err := n.apiServer(e.now, prefix, func(_, _ string, err error) { e.trouble(code, err) }).Handler()
		if err != nil {
			return err
		}
		for _, p := range apiPaths {
			mux.Handle(prefix+p, h)
		}
		key, _, err := n.access.NewKey(ctx, exchange.System(n.office.Agency.Code), exchange.NewAPIKey{Name: text.Get("demo.key").VI, Scopes: api.ScopeNames()})
		if err != nil {
			return err
		}
		endpoints[n] = api.Endpoint{Base: deskURL + prefix, Key: key, Agency: n.office.Agency.Code}
		desk := n.desk(e.now, prefix, renderer, e.pageTrouble)
		desk.PlainCookies = true // the demo stays on loopback
		desk.Nav = []web.Link{{Text: text.Get("cli.link.start"), URL: "/"}, {Text: text.Get("cli.link.public"), URL: publicURL}}
		desk.Demo = web.DemoRoles(desk)
		desks[n] = desk
		mux.Handle(prefix+"/", desk.Handler())
	}
	var commands []web.Command
	for _, ex := range api.CurlExamples(endpoints[d.a], endpoints[d.b]) {
		commands = append(commands, web.Command{Title: ex.Title, Command: ex.Command})
	}
	mux.Handle("/", web.Start{Story: startStory{d.story}, A: desks[d.a], B: desks[d.b], Public: publicURL, Commands: commands, Enter: d.enter,
		Now: e.now, Sandbox: true, OnError: e.pageTrouble}.Handler())
	d.handler = mux
	return d.publicPages(e, client, deskURL)
}

// prefix is where a node's pages and API are.
func (d *demo) prefix(n *node) string {
	if n == d.b {
		return "/b"
	}
	return "/a"
}

// enter makes the address of a one-time ticket for a role of an agency.
func (d *demo) enter(ctx context.Context, agency exchange.AgencyCode, role exchange.Role) (string, error) {
	n := d.a
	if agency == d.b.office.Agency.Code {
		n = d.b
	}
	actor, err := n.in(role)
	if err != nil {
		return "", err
	}
	ticket, err := n.access.Ticket(ctx, actor)
	return d.prefix(n) + "/enter?ticket=" + url.QueryEscape(ticket), err
}

// links are the addresses that the demo prints, each with a ticket of its own: the
// start page, which opens both agencies, and each agency's pages.
func (d *demo) links(ctx context.Context) (start, a, b string, err error) {
	base := "http://" + d.desk.Addr().String()
	ticket, err := d.a.access.Ticket(ctx, d.a.clerk)
	if err != nil {
		return "", "", "", err
	}
	if a, err = d.enter(ctx, d.a.office.Agency.Code, exchange.RoleClerk); err != nil {
		return "", "", "", err
	}
	b, err = d.enter(ctx, d.b.office.Agency.Code, exchange.RoleClerk)
	return base + "/enter?ticket=" + url.QueryEscape(ticket), base + a, base + b, err
}

// renderer starts page images in children of this very program.
func (d *demo) renderer(open func(command []string, cacheDir string) *render.Renderer) (*render.Renderer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cache, err := renderCache(d.dir)
	if err != nil {
		return nil, err
	}
	return open([]string{self, "render"}, cache), nil
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

// publicPages serves verification, the QR's address and the trust services.
func (d *demo) publicPages(e *env, client *fetch.Client, deskURL string) error {
	judge, err := sandboxValidator(d.pki, client)
	if err != nil {
		return err
	}
	renderer, err := d.renderer(render.NewPublic)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	trust := d.pki.Handler()
	for _, p := range []string{"/tsa", "/ocsp", "/ocsp/", "/crl/", "/aia/"} {
		mux.Handle(p, trust)
	}
	mux.Handle("/", web.Public{Validator: judge, Results: d.byToken, Result: d.successor, Now: e.now, Renderer: renderer, Sandbox: true,
		Nav: []web.Link{{Text: text.Get("cli.link.start"), URL: deskURL}}, OnError: e.pageTrouble}.Handler())
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
