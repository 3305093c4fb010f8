package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"antin/api"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
	"antin/web"
	"antin/web/render"
)

// apiPaths are the paths of the desk's origin that the API answers.
var apiPaths = []string{"/v1", "/v1/", "/docs", "/docs/", "/openapi.json", "/openapi.yaml", "/healthz"}

// deskAndAPI is the clerks' origin: pages and API on one listener.
func (g *gateway) deskAndAPI() (http.Handler, error) {
	server := g.apiServer(g.now, "", g.apiTrouble)
	server.Limits.PerMinute = g.cfg.Limits.RequestsPerMinute
	h, err := server.Handler()
	if err != nil {
		return nil, err
	}
	desk := g.desk(g.now, "", g.renderer, g.pageTrouble)
	desk.PlainCookies = strings.HasPrefix(g.cfg.Desk.URL, "http://")
	desk.Probes = g.health.probes
	desk.Nav = []web.Link{{Text: text.Get("serve.link.public"), URL: g.cfg.Public.URL}}
	mux := http.NewServeMux()
	for _, p := range apiPaths {
		mux.Handle(p, h)
	}
	mux.Handle("/", desk.Handler())
	return mux, nil
}

// apiServer is the agency's API below prefix.
func (c *core) apiServer(now func() time.Time, prefix string, onError func(trace, request string, err error)) *api.Server {
	return &api.Server{
		Office: c.office, Outbox: c.outbox, Inbox: c.inbox, Results: c.results, Evidence: c.evidence, Files: c.files, Press: c.press,
		Registers: c.registers, Operations: c.operations, Verifications: c.verifications, Finder: c.finder, Webhooks: c.webhooks, Validator: c.judge, Access: c.access,
		Now: now, Prefix: prefix, OnError: onError,
	}
}

// desk is the agency's pages below prefix.
func (c *core) desk(now func() time.Time, prefix string, renderer *render.Renderer, onError func(string, error)) *web.Desk {
	return &web.Desk{Office: c.office, Prefix: prefix, Outbox: c.outbox, Inbox: c.inbox, Results: c.results, Evidence: c.evidence,
		Verifications: c.verifications, Access: c.access, Finder: c.finder, Renderer: renderer, Now: now, Sandbox: c.office.Sandbox, OnError: onError}
}

// keys reaches the agency's seal.
func (c *Config) keys() signer.KeyProvider {
	if c.Keys.Helper == "" {
		return noKeys{}
	}
	return &helper.Client{Socket: c.Keys.Helper}
}

// noKeys stands where no key helper is configured: nothing is signed here, and
// whoever asks is told so.
type noKeys struct{}

// Key implements signer.KeyProvider.
func (noKeys) Key(context.Context, string) (signer.Key, error) {
	return signer.Key{}, text.Detailed(text.KeyUnavailable, nil, "serve.no_helper")
}
