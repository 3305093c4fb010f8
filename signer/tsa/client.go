// Package tsa obtains time-stamp tokens over HTTP (RFC 3161, 3.4). It implements
// signer.TimestampSource with several services tried in order. It decides only
// whether an answer is a right token for its request; whether the service is
// trusted is the validator's to judge.
package tsa

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"time"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/tsp"
)

// Defaults and limits.
const (
	// DefaultTimeout bounds one request: state services were seen to take 131 s.
	DefaultTimeout = 180 * time.Second
	// DefaultConcurrency bounds the requests under way; services refuse more.
	DefaultConcurrency = 4
	// maxResponse bounds an answer in bytes; tokens have some 3 to 15 KiB.
	maxResponse = 1 << 20
	// maxSkew bounds how far a token's time may be from the local clock. It finds
	// replayed tokens and wrong time zones, not drift.
	maxSkew = time.Hour
	// maxRedirects bounds how often a service may send a request elsewhere.
	maxRedirects = 3
	// nonceBits is the size of the nonce; RFC 3161 suggests 64 at least.
	nonceBits = 127
)

// DefaultPauses are the waits before the list is tried a second and a third time.
func DefaultPauses() []time.Duration { return []time.Duration{2 * time.Second, 4 * time.Second} }

// Options configure a Client. URLs and Now are required; every other zero value
// is the default.
type Options struct {
	// URLs are the services in the order they are tried; http and https. User name
	// and password in a URL are sent as basic authentication.
	URLs []string
	// Timeout bounds one request; zero is DefaultTimeout. Timeouts bounds those to
	// single services, by the host of their URL, with its port where it has one.
	Timeout  time.Duration
	Timeouts map[string]time.Duration
	// Pauses are the waits between rounds over the list when every failure was of
	// a kind that may pass; nil is DefaultPauses, empty makes one round.
	Pauses []time.Duration
	// Concurrency bounds the requests under way; zero is DefaultConcurrency.
	Concurrency int
	// Policy asks for a TSA policy; nil takes any.
	Policy asn1.ObjectIdentifier
	// Transport carries the requests; nil is a clone of http.DefaultTransport.
	Transport http.RoundTripper
	// Random makes nonces; nil is crypto/rand.
	Random io.Reader
	// Now is the clock that tokens are compared with and failures are timed by.
	Now func() time.Time
}

// Client is a signer.TimestampSource. It is safe for concurrent use.
type Client struct {
	o        Options
	http     *http.Client
	services []*service
	slots    chan struct{}
}

var _ signer.TimestampSource = (*Client)(nil)

// New makes a Client; an unusable option is a *text.Error with code invalid-input.
func New(o Options) (*Client, error) {
	if o.Now == nil {
		return nil, text.Errorf(text.InvalidInput, errors.New("tsa: no clock"))
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Concurrency <= 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Pauses == nil {
		o.Pauses = DefaultPauses()
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Transport == nil {
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			o.Transport = t.Clone()
		}
	}
	c := &Client{o: o, slots: make(chan struct{}, o.Concurrency)}
	c.http = &http.Client{Transport: o.Transport, CheckRedirect: checkRedirect}
	for _, raw := range o.URLs {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, text.Detailed(text.InvalidInput, err, "tsa.url", raw)
		}
		c.services = append(c.services, &service{url: u, timeout: cmp.Or(o.Timeouts[u.Host], o.Timeout)})
	}
	for host, d := range o.Timeouts {
		if d <= 0 || !slices.ContainsFunc(c.services, func(s *service) bool { return s.url.Host == host }) {
			return nil, text.Detailed(text.InvalidInput, nil, "tsa.timeout-of", host)
		}
	}
	return c, nil
}

// checkRedirect follows only redirects that repeat the request as it is.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || r.Method != http.MethodPost {
		return http.ErrUseLastResponse
	}
	return nil
}

// Timestamp implements signer.TimestampSource. Each service gets one request per
// round; the first right token is returned. When all fail, the rounds are
// repeated as Pauses say while some failure may pass. The error then is a
// *text.Error with code tsa-unavailable whose detail names each service and what
// was wrong with it; so it is when ctx runs out of time. A cancelled ctx is ctx's
// error.
func (c *Client) Timestamp(ctx context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	if len(c.services) == 0 {
		return nil, text.Detailed(text.TSAUnavailable, nil, "tsa.none")
	}
	for round := 0; ; round++ {
		token, failures := c.round(ctx, h, imprint)
		if token != nil {
			return token, nil
		}
		if ctx.Err() == nil {
			if round == len(c.o.Pauses) || !mayPass(failures) {
				return nil, unavailable(failures, nil)
			}
			wait(ctx, c.o.Pauses[round])
		}
		switch err := ctx.Err(); {
		case errors.Is(err, context.DeadlineExceeded):
			return nil, unavailable(failures, err)
		case err != nil:
			return nil, fmt.Errorf("obtaining a time-stamp: %w", err)
		}
	}
}

// round asks each service once.
func (c *Client) round(ctx context.Context, h crypto.Hash, imprint []byte) ([]byte, []*failure) {
	var failures []*failure
	for _, s := range c.services {
		if ctx.Err() != nil {
			return nil, failures
		}
		started := c.o.Now()
		if !s.mayAsk(started) {
			failures = append(failures, fail(s, true, nil, "tsa.resting"))
			continue
		}
		token, f := c.ask(ctx, s, h, imprint)
		if f == nil {
			s.succeeded()
			return token, nil
		}
		if ctx.Err() == nil && f.passing {
			s.failed(started, c.o.Now())
		}
		failures = append(failures, f)
	}
	return nil, failures
}

// ask makes one request with a nonce of its own and checks the answer.
func (c *Client) ask(ctx context.Context, s *service, h crypto.Hash, imprint []byte) ([]byte, *failure) {
	nonce, err := rand.Int(c.o.Random, new(big.Int).Lsh(big.NewInt(1), nonceBits))
	if err != nil {
		return nil, fail(s, false, err, "tsa.unreachable")
	}
	q := tsp.Query{Hash: h, Imprint: imprint, Nonce: nonce, Policy: c.o.Policy}
	request, err := q.Encode()
	if err != nil {
		return nil, fail(s, false, err, "tsa.algorithm")
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, fail(s, false, ctx.Err(), "tsa.unreachable")
	}
	reply, f := c.post(ctx, s, request)
	if f != nil {
		return nil, f
	}
	return c.check(s, q, reply)
}

// wait waits for d or for ctx.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
