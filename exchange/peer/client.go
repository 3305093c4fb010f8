package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
	p := &remote{endpoint: to.Endpoint, pins: slices.Clone(to.TLS)}
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
			DialTLSContext:        c.dial(pins),
			ResponseHeaderTimeout: limits.Grace, IdleConnTimeout: limits.Idle,
			MaxIdleConnsPerHost: perPeer, MaxConnsPerHost: perPeer, MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression: true,
		},
	}
}

// request is one call below a transfer's address.
type request struct {
	method, path, contentType string
	id                        exchange.TransferID
	body                      io.Reader // closed by the transport when it can be
	size                      int64
	header                    http.Header
}

// maxAnswer bounds what a peer may answer, in bytes: a receipt or a problem.
const maxAnswer = jws.MaxSize

// do sends a request and returns a 2xx answer; everything else is a *DeliveryError.
func (p *remote) do(ctx context.Context, q request) (status int, contentType string, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, q.method, strings.TrimSuffix(p.endpoint, "/")+"/x/v1/transfers/"+string(q.id)+q.path, q.body)
	if err != nil {
		if c, ok := q.body.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
		return 0, "", nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("building request: %w", err)}
	}
	if q.header != nil {
		r.Header = q.header
	}
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	r.ContentLength = q.size
	var used usedConn
	res, err := p.http.Do(r.WithContext(used.trace(ctx)))
	if err != nil {
		return 0, "", nil, unreached(err, used.alert())
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, "", nil, unreached(err, used.alert())
	}
	if len(body) > maxAnswer {
		return 0, "", nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: errors.New("answer is too long")}
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return 0, "", nil, refused(res, body)
	}
	return res.StatusCode, res.Header.Get("Content-Type"), body, nil
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

// inParts sends a transfer in steps. A peer forgets an upload when it restarts or
// when another attempt was quicker; one more round then finds out which.
func (p *remote) inParts(ctx context.Context, e exchange.Envelope) ([]byte, error) {
	receipt, err := p.steps(ctx, e)
	if errors.Is(err, &text.Error{Code: text.StateConflict}) {
		return p.steps(ctx, e)
	}
	return receipt, err
}

// steps asks first whether the peer wants the bytes at all.
func (p *remote) steps(ctx context.Context, e exchange.Envelope) ([]byte, error) {
	_, contentType, body, err := p.do(ctx, request{method: http.MethodPut, id: e.TransferID, contentType: typeReceipt,
		body: bytes.NewReader(e.Manifest), size: int64(len(e.Manifest))})
	if err != nil {
		return nil, err
	}
	if contentType == typeReceipt {
		return body, nil
	}
	var state stateAnswer
	if err := json.Unmarshal(body, &state); err != nil {
		return nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("reading state: %w", err)}
	}
	if slices.Contains(state.Missing, 0) {
		if err := p.putPart(ctx, e); err != nil {
			return nil, err
		}
	}
	return p.receipt(ctx, request{method: http.MethodPost, id: e.TransferID, path: "/commit", body: http.NoBody})
}

func (p *remote) putPart(ctx context.Context, e exchange.Envelope) error {
	payload, err := openPayload(ctx, e)
	if err != nil {
		return err
	}
	digest := ReprDigest(jws.Part{SHA256: string(e.Payload.Digest)})
	_, _, _, err = p.do(ctx, request{method: http.MethodPut, id: e.TransferID, path: "/parts/0", contentType: "application/octet-stream",
		body: payload, size: e.Payload.Size, header: http.Header{"Repr-Digest": {digest}}})
	return err
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
