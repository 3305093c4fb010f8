package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"antin/certs"
)

// DefaultTimeout is how long one answer may take, connection included.
const DefaultTimeout = 10 * time.Second

const (
	maxOCSPAnswer = certs.MaxOCSPSize
	maxCRLAnswer  = certs.MaxCRLSize
	// maxIssuerAnswer holds any certificate or bundle of issuers.
	maxIssuerAnswer = 1 << 20
	// maxURLs bounds the addresses of one kind tried for one certificate.
	maxURLs = 3
	// maxURLLength bounds an address; longer ones are attacks or errors.
	maxURLLength = 2048
	// maxRedirects bounds redirections, which never leave the host.
	maxRedirects = 2
	// restAfterTimeout is how long an address that let us wait is left alone, so
	// that a batch does not wait for a dead responder at every document.
	restAfterTimeout = 30 * time.Second
)

// Options says how to fetch. The zero value asks public addresses on ports 80
// and 443, by the computer's clock, and caches in memory.
type Options struct {
	// AllowHosts lists, as HOST|CIDR[:PORT], what may be asked although it lies
	// on loopback or private networks or on other ports than 80 and 443. Without
	// a port an entry holds for every port. Link-local and metadata addresses are
	// refused even when listed.
	AllowHosts []string
	// ListedOnly refuses everything that AllowHosts does not list.
	ListedOnly bool
	// RefuseHosts, in the same form, is refused even when listed: the program's
	// own listeners.
	RefuseHosts []string
	// Rewrite maps a host name of certificates to the one to ask instead
	// ("ocsp.ca.ptc" to "ocsp.ca.gov.vn"); the guard judges the latter.
	Rewrite map[string]string
	// Now is the clock; nil is the computer's.
	Now func() time.Time
	// Timeout bounds one answer; 0 is DefaultTimeout.
	Timeout time.Duration
	// CacheDir keeps answers over restarts; empty keeps them in memory only.
	CacheDir string
	// CacheOnly asks nobody: what is cached, or lies in CRLDir, must do.
	CacheOnly bool
	// CRLDir is a folder of CRLs in DER or PEM (.crl, .der, .pem) that somebody
	// carried here, with the dates that stand in them; empty has none. Files that
	// come, go or change are noticed.
	CRLDir string
	// Nonce puts a nonce into OCSP questions (RFC 9654). Responders may leave it out
	// of the answer; one that repeats another is refused.
	Nonce bool
	// Resolver looks names up; nil is the system's.
	Resolver Resolver
	// TLS, where set, replaces the default configuration for https addresses.
	TLS *tls.Config
}

// Client fetches revocation evidence and issuer certificates. It implements
// certs.RevocationSource and certs.IssuerSource, and is safe for concurrent use.
type Client struct {
	*shared
	cacheOnly bool
}

var (
	_ certs.RevocationSource = (*Client)(nil)
	_ certs.IssuerSource     = (*Client)(nil)
)

// shared is what a client and its cache-only view have in common.
type shared struct {
	now     func() time.Time
	timeout time.Duration
	rewrite map[string]string
	nonce   bool
	http    *http.Client
	cache   *cache
	lists   *lists // of CRLDir; nil without one
	flight  singleflight.Group

	mu      sync.Mutex
	resting map[string]time.Time // addresses that timed out, until when
}

// New checks o and returns a client. The error is about AllowHosts, RefuseHosts,
// Rewrite, CacheDir or CRLDir.
func New(o Options) (*Client, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	store, err := newCache(o.CacheDir, o.Now)
	if err != nil {
		return nil, err
	}
	lists, err := openLists(o.CRLDir)
	if err != nil {
		return nil, err
	}
	rewrite, err := rewriteTable(o.Rewrite)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                  nil, // a proxy would connect where the guard does not look
		DialContext:            g.dial,
		TLSClientConfig:        o.TLS,
		TLSHandshakeTimeout:    o.Timeout,
		DisableCompression:     true, // what is capped is what is sent
		MaxResponseHeaderBytes: 64 << 10,
		MaxConnsPerHost:        8,
		MaxIdleConns:           32,
		IdleConnTimeout:        30 * time.Second,
	}
	s := &shared{now: o.Now, timeout: o.Timeout, rewrite: rewrite, nonce: o.Nonce, cache: store, lists: lists, resting: map[string]time.Time{},
		http: &http.Client{Transport: transport, CheckRedirect: checkRedirect}}
	return &Client{shared: s, cacheOnly: o.CacheOnly}, nil
}

// CacheOnly returns a client over the same cache that never asks anybody.
func (c *Client) CacheOnly() *Client { return &Client{shared: c.shared, cacheOnly: true} }

// Offline reports whether the client never asks anybody.
func (c *Client) Offline() bool { return c.cacheOnly }

// Close closes idle connections. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

var errRedirect = errors.New("fetch: redirected to another host or too often")

func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || (req.URL.Scheme != "http" && req.URL.Scheme != "https") || req.Method != http.MethodGet || via[0].Method != http.MethodGet ||
		!strings.EqualFold(req.URL.Hostname(), first.Hostname()) || (first.Scheme == "https" && req.URL.Scheme != "https") {
		return errRedirect
	}
	return nil
}

// request is one question: a GET without a body, a POST with one.
type request struct {
	url         string
	id          string // tells questions to the same address apart
	body        []byte
	contentType string
	limit       int64
	// cached answers from the cache; keep puts an answer there if it is worth it.
	cached func() ([]byte, bool)
	keep   func([]byte)
	// read takes what was asked for out of the body of the answer.
	read func([]byte) ([]byte, error)
}

func (r request) key() string { return r.url + "|" + r.id }

// get asks once, however many callers want the same, each by its own context.
func (c *Client) get(ctx context.Context, r request) ([]byte, error) {
	target, err := c.target(r.url)
	if err != nil {
		return nil, err
	}
	if c.cacheOnly {
		return nil, &Error{Kind: KindOffline, URL: r.url}
	}
	if c.rests(r.url) {
		return nil, &Error{Kind: KindTimeout, URL: r.url, Err: errors.New("it did not answer a moment ago")}
	}
	answer := c.flight.DoChan(r.key(), func() (any, error) {
		// One caller that gives up must not end the question of the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
		defer cancel()
		if data, ok := r.cached(); ok { // put there while this caller was on its way here
			return data, nil
		}
		data, err := c.send(ctx, target, r)
		if err == nil {
			data, err = r.read(data)
		}
		if err == nil {
			r.keep(data)
		}
		return data, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-answer:
		if got.Err != nil {
			return nil, got.Err
		}
		return got.Val.([]byte), nil
	}
}

// target checks an address's form and rewrites its host.
func (c *Client) target(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxURLLength || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return nil, &Error{Kind: KindScheme, URL: shorten(raw), Err: errors.New("only plain http and https addresses are asked")}
	}
	u = c.rewritten(u)
	u.Fragment = ""
	return u, nil
}

func shorten(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

func (c *Client) send(ctx context.Context, target *url.URL, r request) ([]byte, error) {
	fail := func(k Kind, err error) ([]byte, error) { return nil, &Error{Kind: k, URL: r.url, Err: err} }
	method := http.MethodGet
	if r.body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return fail(KindScheme, err)
	}
	if r.body != nil {
		req.Header.Set("Content-Type", r.contentType)
	}
	req.Header.Set("User-Agent", "antin")
	resp, err := c.http.Do(req)
	if err != nil {
		return fail(c.kindOf(ctx, r.url, err), err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing left to read or to tell
	if resp.StatusCode != http.StatusOK {
		return fail(KindStatus, fmt.Errorf("HTTP status %d", resp.StatusCode))
	}
	if resp.ContentLength > r.limit {
		return fail(KindTooLarge, fmt.Errorf("%d bytes announced, at most %d are read", resp.ContentLength, r.limit))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, r.limit+1))
	switch {
	case err != nil:
		return fail(c.kindOf(ctx, r.url, err), err)
	case int64(len(body)) > r.limit:
		return fail(KindTooLarge, fmt.Errorf("more than %d bytes", r.limit))
	}
	return body, nil
}

func (c *Client) kindOf(ctx context.Context, rawURL string, err error) Kind {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errBlocked):
		return KindBlocked
	case errors.Is(err, errRedirect):
		return KindRedirect
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		c.rest(rawURL)
		return KindTimeout
	}
	return KindNetwork
}

// maxResting bounds the memory of addresses that timed out.
const maxResting = 1000

func (c *Client) rest(rawURL string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.resting) >= maxResting {
		clear(c.resting)
	}
	c.resting[rawURL] = c.now().Add(restAfterTimeout)
}

func (c *Client) rests(rawURL string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.resting[rawURL]
	if ok && !c.now().Before(until) {
		delete(c.resting, rawURL)
		return false
	}
	return ok
}
