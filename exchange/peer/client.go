package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// Client is the sending side: an exchange.Transport that keeps connections to
// each peer open. Its fields are set once, before use; the zero value of those
// after Now is ready. It is safe for concurrent use.
type Client struct {
	Identity Identity
	// Current, where set, is asked for the identity at each handshake, in place of
	// Identity: a key changes over without a restart. It is safe for concurrent use.
	Current func() Identity
	Now     func() time.Time
	// Limits' Header, Idle, Grace and MinRate bound each request; zero means the defaults.
	Limits Limits
	// OneShot is the greatest payload sent in one request, in bytes; 0 means the
	// protocol's constant, negative sends everything in parts.
	OneShot int64

	mu    sync.Mutex
	peers map[exchange.AgencyCode]*remote
}

var _ exchange.Transport = (*Client)(nil)

// remote is one peer's connections, for as long as its directory entry stays.
type remote struct {
	endpoint string
	pins     [][32]byte
	http     *http.Client
	limits   Limits
	noBatch  atomic.Bool // the peer does not know batches
	// capability is what the peer said of itself last; nil before it was asked.
	capability atomic.Pointer[jws.Capability]
}

// Deliver implements exchange.Transport.
func (c *Client) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	p, err := c.remote(to)
	if err != nil {
		return nil, err
	}
	limits := c.Limits.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, limits.whole(e.Payload.Size))
	defer cancel()
	oneShot := c.OneShot
	if oneShot == 0 {
		oneShot = OneShot
	}
	if e.Payload.Size <= min(oneShot, OneShot) {
		return p.oneShot(ctx, e)
	}
	return p.inParts(ctx, e)
}

// Close implements exchange.Transport.
func (c *Client) Close(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	p, err := c.remote(to)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Limits.withDefaults().whole(0))
	defer cancel()
	return p.receipt(ctx, request{method: http.MethodPost, id: e.TransferID, path: "/close", contentType: typeReceipt,
		body: bytes.NewReader(e.Manifest), size: int64(len(e.Manifest))})
}

// CloseIdle closes connections that no request uses.
func (c *Client) CloseIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.peers {
		p.http.CloseIdleConnections()
	}
}

// remote returns the connections to an agency, anew when its entry has changed.
func (c *Client) remote(to exchange.Agency) (*remote, error) {
	u, err := url.Parse(to.Endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" || len(to.TLS) == 0 {
		return nil, &exchange.DeliveryError{Class: exchange.ClassTrust,
			Err: text.Errorf(text.PeerUnavailable, fmt.Errorf("directory entry of %s has no https endpoint or no certificate", to.Code))}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.peers[to.Code]; ok {
		if p.endpoint == to.Endpoint && slices.Equal(p.pins, to.TLS) {
			return p, nil
		}
		p.http.CloseIdleConnections()
	}
	if c.peers == nil {
		c.peers = map[exchange.AgencyCode]*remote{}
	}
	p := &remote{endpoint: to.Endpoint, pins: slices.Clone(to.TLS), limits: c.Limits.withDefaults()}
	p.http = c.httpClient(p.pins)
	c.peers[to.Code] = p
	return p, nil
}

func (c *Client) httpClient(pins [][32]byte) *http.Client {
	limits := c.Limits.withDefaults()
	const perPeer = 8 // enough to fill an office line; the peer's own limits come on top
	return &http.Client{
		// A gateway has no reason to point elsewhere, and a manifest is not sent after it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			// No time for the answer's header of its own: putting a great part together
			// takes the peer longer than any other answer. Each request has its own end.
			DialTLSContext: c.dial(pins), IdleConnTimeout: limits.Idle,
			MaxIdleConnsPerHost: perPeer, MaxConnsPerHost: perPeer, MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression: true,
		},
	}
}

// request is one call, below a transfer's address or at another.
type request struct {
	method, path, contentType string
	id                        exchange.TransferID
	at                        string        // where not below a transfer: the whole path
	maxAnswer                 int64         // bytes; 0 means maxAnswer
	patience                  time.Duration // for the whole call; 0 means what the limits give its size
	body                      io.Reader     // closed by the transport when it can be
	size                      int64
	header                    http.Header
}

// maxAnswer bounds what a peer may answer, in bytes: a receipt or a problem.
const maxAnswer = jws.MaxSize

// do sends a request and returns a 2xx answer; everything else is a *DeliveryError.
func (p *remote) do(ctx context.Context, q request) (status int, contentType string, body []byte, err error) {
	patience := q.patience
	if patience == 0 {
		patience = p.limits.whole(q.size)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, used, err := p.send(ctx, q)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = res.Body.Close() }()
	limit := q.maxAnswer
	if limit == 0 {
		limit = maxAnswer
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return 0, "", nil, unreached(err, used.alert())
	}
	if int64(len(body)) > limit {
		return 0, "", nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: errors.New("answer is too long")}
	}
	return res.StatusCode, res.Header.Get("Content-Type"), body, nil
}

// send sends a request and returns a 2xx answer with its body open; everything else
// is a *DeliveryError.
func (p *remote) send(ctx context.Context, q request) (*http.Response, *usedConn, error) {
	if q.at == "" {
		q.at = "/x/v1/transfers/" + string(q.id) + q.path
	}
	r, err := http.NewRequestWithContext(ctx, q.method, strings.TrimSuffix(p.endpoint, "/")+q.at, q.body)
	if err != nil {
		if c, ok := q.body.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
		return nil, nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("building request: %w", err)}
	}
	if q.header != nil {
		r.Header = q.header
	}
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	if trace := exchange.TraceOf(ctx); trace != "" {
		r.Header.Set(traceHeader, string(trace))
	}
	r.ContentLength = q.size
	used := &usedConn{}
	res, err := p.http.Do(r.WithContext(used.trace(ctx)))
	if err != nil {
		return nil, nil, unreached(err, used.alert())
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what is there says enough
		_ = res.Body.Close()
		return nil, nil, refused(res, body)
	}
	return res, used, nil
}

// receipt is do for a call that only a receipt answers.
func (p *remote) receipt(ctx context.Context, q request) ([]byte, error) {
	_, contentType, body, err := p.do(ctx, q)
	if err != nil {
		return nil, err
	}
	if contentType != typeReceipt {
		return nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("answer is %q, no receipt", contentType)}
	}
	return body, nil
}

func (p *remote) oneShot(ctx context.Context, e exchange.Envelope) ([]byte, error) {
	payload, err := openPayload(ctx, e)
	if err != nil {
		return nil, err
	}
	head := io.MultiReader(bytes.NewReader(e.Manifest), strings.NewReader("\n"), payload)
	return p.receipt(ctx, request{method: http.MethodPost, id: e.TransferID, contentType: typeTransfer,
		body: closing{head, payload}, size: int64(len(e.Manifest)) + 1 + e.Payload.Size})
}

// closing gives a composed body the payload's Close: an answer may come while the
// transport still reads, so that only it knows when the payload is done with.
type closing struct {
	io.Reader
	io.Closer
}

// openPayload opens our own bytes; a failure is this transfer's, not the peer's.
func openPayload(ctx context.Context, e exchange.Envelope) (io.ReadCloser, error) {
	payload, err := e.Open(ctx)
	if err != nil {
		return nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("opening payload: %w", err)}
	}
	return payload, nil
}
