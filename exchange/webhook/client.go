// Package webhook calls the addresses of webhooks: one POST each, bounded in time and in
// what is read of the answer, without redirections, and only where a guard lets it
// connect. What is sent, and when again, is decided in package exchange.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// DefaultTimeout is how long one call may take, connection included: what Standard
	// Webhooks recommends, between 15 and 30 s.
	DefaultTimeout = 20 * time.Second
	// maxAnswer is how much of an answer is read, in bytes: enough that the connection of
	// an answer of common length can be used again.
	maxAnswer = 16 << 10
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 16 << 10
	// idleFor is how long a connection waits for the next event.
	idleFor = 90 * time.Second
	// maxIdle bounds the connections that wait, over all addresses.
	maxIdle = exchange.MaxWebhooks
)

// Guard decides where a connection may lead, and makes it.
type Guard interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	// Check returns why addr would not be connected to, nil when it would.
	Check(ctx context.Context, addr string) error
	// Blocked reports whether err is the guard's own refusal.
	Blocked(err error) bool
}

// Client calls webhooks. It is safe for concurrent use.
type Client struct {
	tls, plain Guard
	timeout    time.Duration
	http       *http.Client
}

var _ exchange.WebhookCaller = (*Client)(nil)

// New returns a client that connects to https addresses by secure, and to http ones by
// plain. timeout bounds one call; 0 is DefaultTimeout.
func New(secure, plain Guard, timeout time.Duration) *Client {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	c := &Client{tls: secure, plain: plain, timeout: timeout}
	transport := func(g Guard) *http.Transport {
		return &http.Transport{
			Proxy:       nil, // a proxy would connect where the guard does not look
			DialContext: g.DialContext, TLSHandshakeTimeout: timeout, DisableCompression: true,
			MaxResponseHeaderBytes: maxHeader, MaxIdleConns: maxIdle, MaxIdleConnsPerHost: 1, IdleConnTimeout: idleFor, ForceAttemptHTTP2: true,
		}
	}
	c.http = &http.Client{
		Transport:     byScheme{secure: transport(secure), plain: transport(plain)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// byScheme sends each request by the transport of its scheme.
type byScheme struct{ secure, plain *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return t.secure.RoundTrip(r)
	}
	return t.plain.RoundTrip(r)
}

// CloseIdleConnections is called by http.Client.
func (t byScheme) CloseIdleConnections() {
	t.secure.CloseIdleConnections()
	t.plain.CloseIdleConnections()
}

// Close closes idle connections. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Permits implements exchange.WebhookCaller.
func (c *Client) Permits(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	guard, port := c.tls, "443"
	switch u.Scheme {
	case "https":
	case "http":
		guard, port = c.plain, "80"
	default:
		return errors.New("neither http nor https")
	}
	if p := u.Port(); p != "" {
		port = p
	}
	return guard.Check(ctx, net.JoinHostPort(u.Hostname(), port))
}

// Call implements exchange.WebhookCaller.
func (c *Client) Call(ctx context.Context, w exchange.WebhookCall) (exchange.WebhookAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(w.Body))
	if err != nil {
		return exchange.WebhookAnswer{}, err
	}
	r.Header.Set("Content-Type", "application/cloudevents+json")
	r.Header.Set("User-Agent", "antin")
	r.Header.Set("Webhook-Id", w.ID)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(w.At.Unix(), 10))
	r.Header.Set("Webhook-Signature", w.Signature)
	res, err := c.http.Do(r)
	if err != nil {
		if c.tls.Blocked(err) || c.plain.Blocked(err) {
			return exchange.WebhookAnswer{}, text.Detailed(text.NotAllowed, err, "webhook.blocked")
		}
		return exchange.WebhookAnswer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	// The status is the answer; of the rest as much is read as frees the connection.
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	return exchange.WebhookAnswer{Status: res.StatusCode, RetryAfter: retryAfter(res.Header.Get("Retry-After"))}, nil
}

// retryAfter reads a number of seconds; another form asks for nothing.
func retryAfter(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
