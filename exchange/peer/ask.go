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
	"strconv"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

var (
	_ exchange.Remote             = (*Client)(nil)
	_ exchange.StatementTransport = (*Client)(nil)
)

const (
	// maxPage bounds a page of what waits: as many manifests as it names.
	maxPage = 100 * (jws.MaxSize + 1<<10)
	// maxHourPage bounds a page of the ledger.
	maxHourPage = 1 << 20
)

// get asks peer for JSON and decodes it into v. Members that v does not know are left
// out: a later version may say more.
func (c *Client) get(ctx context.Context, to exchange.Agency, at string, most int64, patience time.Duration, v any) error {
	p, err := c.remote(to)
	if err != nil {
		return err
	}
	_, contentType, body, err := p.do(ctx, request{method: http.MethodGet, at: at, body: http.NoBody, maxAnswer: most, patience: patience})
	if err != nil {
		return err
	}
	if contentType != typeJSON || json.Unmarshal(body, v) != nil {
		return &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("answer to %s is not what was asked for", at)}
	}
	return nil
}

// Waiting implements exchange.Remote.
func (c *Client) Waiting(ctx context.Context, to exchange.Agency, cursor string, wait time.Duration) (page exchange.WaitingPage, err error) {
	q := url.Values{"wait": {strconv.Itoa(int(wait / time.Second))}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	var a waitingAnswer
	patience := wait + c.Limits.withDefaults().Grace
	if err := c.get(ctx, to, "/x/v1/outbox?"+q.Encode(), maxPage, patience, &a); err != nil {
		return page, err
	}
	page.Cursor = a.Cursor
	for _, t := range a.Transfers {
		id, ok := exchange.ParseTransferID(t.TransferID)
		if !ok {
			return page, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: errors.New("waiting transfer without an id")}
		}
		page.Transfers = append(page.Transfers, exchange.WaitingTransfer{ID: id, Sender: exchange.AgencyCode(t.Sender), Manifest: []byte(t.Manifest), Size: t.Size})
	}
	return page, nil
}

// Fetch implements exchange.Remote.
func (c *Client) Fetch(ctx context.Context, to exchange.Agency, sender exchange.AgencyCode, id exchange.TransferID, offset int64) (io.ReadCloser, error) {
	p, err := c.remote(to)
	if err != nil {
		return nil, err
	}
	q := request{method: http.MethodGet, body: http.NoBody, header: http.Header{},
		at: "/x/v1/outbox/" + string(id) + "/parts/0?" + url.Values{"sender": {string(sender)}}.Encode()}
	if offset > 0 {
		q.header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
	}
	ctx, cancel := context.WithCancel(ctx)
	slow := time.AfterFunc(p.limits.Grace, cancel)
	res, _, err := p.send(ctx, q)
	if err != nil {
		slow.Stop()
		cancel()
		return nil, err
	}
	if offset > 0 && res.StatusCode != http.StatusPartialContent {
		slow.Stop()
		cancel()
		_ = res.Body.Close()
		return nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: errors.New("peer gave no range")}
	}
	return &fetchBody{ReadCloser: res.Body, slow: slow, stall: p.limits.Stall, cancel: cancel}, nil
}

// fetchBody ends a body that gives no byte for too long.
type fetchBody struct {
	io.ReadCloser
	slow   *time.Timer
	stall  time.Duration
	cancel context.CancelFunc
}

// Read implements io.Reader.
func (f *fetchBody) Read(b []byte) (int, error) {
	f.slow.Reset(f.stall)
	n, err := f.ReadCloser.Read(b)
	f.slow.Stop()
	return n, err
}

// Close implements io.Closer.
func (f *fetchBody) Close() error {
	f.slow.Stop()
	f.cancel()
	return f.ReadCloser.Close()
}

// Bring implements exchange.Remote.
func (c *Client) Bring(ctx context.Context, to exchange.Agency, receipt []byte) error {
	return c.post(ctx, to, "/x/v1/receipts", receipt)
}

// State implements exchange.StatementTransport.
func (c *Client) State(ctx context.Context, to exchange.Agency, statement []byte) error {
	return c.post(ctx, to, "/x/v1/statements", statement)
}

func (c *Client) post(ctx context.Context, to exchange.Agency, at string, statement []byte) error {
	p, err := c.remote(to)
	if err != nil {
		return err
	}
	_, _, _, err = p.do(ctx, request{method: http.MethodPost, at: at, contentType: typeReceipt, body: bytes.NewReader(statement), size: int64(len(statement))})
	return err
}

func dayPath(q exchange.DayQuery, more ...string) string {
	v := url.Values{"day": {q.Day.UTC().Format(time.DateOnly)}, "sender": {string(q.Sender)}, "recipient": {string(q.Recipient)}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return "/x/v1/reconcile?" + v.Encode()
}

// Day implements exchange.Remote.
func (c *Client) Day(ctx context.Context, to exchange.Agency, q exchange.DayQuery) (sums exchange.DaySums, err error) {
	return sums, c.get(ctx, to, dayPath(q), maxAnswer, 0, &sums)
}

// Hour implements exchange.Remote.
func (c *Client) Hour(ctx context.Context, to exchange.Agency, q exchange.DayQuery, hour int, after exchange.TransferID) (out []exchange.Settled, err error) {
	more := []string{"hour", strconv.Itoa(hour)}
	if after != "" {
		more = append(more, "after", string(after))
	}
	var a hourAnswer
	if err := c.get(ctx, to, dayPath(q, more...), maxHourPage, 0, &a); err != nil {
		return nil, err
	}
	own, outgoing := q.Sender, true
	if to.Code == q.Sender {
		own, outgoing = q.Recipient, false
	}
	for _, e := range a.Entries {
		id, ok := exchange.ParseTransferID(e.TransferID)
		digest, hex := exchange.ParseDigest(e.ReceiptSHA256)
		if !ok || !hex {
			return nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: errors.New("entry without id or digest")}
		}
		out = append(out, exchange.Settled{Agency: own, Peer: to.Code, Outgoing: outgoing, At: e.ReceivedAt, ID: id, Receipt: digest})
	}
	return out, nil
}

// Settled implements exchange.Remote.
func (c *Client) Settled(ctx context.Context, to exchange.Agency, key exchange.TransferKey) (back exchange.ReturnedTransfer, err error) {
	var a settledAnswer
	v := url.Values{"sender": {string(key.Sender)}, "recipient": {string(key.Recipient)}}
	if err := c.get(ctx, to, "/x/v1/settled/"+string(key.ID)+"?"+v.Encode(), 2*maxAnswer+1<<10, 0, &a); err != nil {
		return back, err
	}
	return exchange.ReturnedTransfer{Manifest: []byte(a.Manifest), Receipt: []byte(a.Receipt)}, nil
}

// Capability returns what the gateway of to says of itself, verified under the keys
// that to lists now. It is asked for once and then remembered until it expires: a
// peer that is away is known still. A peer of an earlier version has none: not-found.
func (c *Client) Capability(ctx context.Context, to exchange.Agency) (jws.Capability, error) {
	p, err := c.remote(to)
	if err != nil {
		return jws.Capability{}, err
	}
	now := c.Now()
	if known := p.capability.Load(); known != nil && now.Before(known.ExpiresAt) {
		return *known, nil
	}
	compact, err := p.receipt(ctx, request{method: http.MethodGet, at: "/.well-known/gateway?" + url.Values{"agency": {string(to.Code)}}.Encode(), body: http.NoBody})
	if err != nil {
		return jws.Capability{}, err
	}
	said, err := to.VerifyCapability(compact, now)
	if err != nil {
		return jws.Capability{}, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: text.Errorf(text.PeerUnavailable, err)}
	}
	p.capability.Store(&said)
	return said, nil
}
