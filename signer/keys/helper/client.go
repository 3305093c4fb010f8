package helper

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
)

const (
	// callLimit bounds one question and its answer: keys of files sign in
	// milliseconds, a token behind the same socket in a few seconds.
	callLimit = 30 * time.Second
	// dialLimit bounds reaching a socket of this machine.
	dialLimit = 5 * time.Second
	// maxIdle is how many connections wait for the next question.
	maxIdle = 4
)

// Client is a signer.KeyProvider over a key helper's socket. It is safe for
// concurrent use; Socket is set before. Every error that lies in reaching the helper
// is key-unavailable: nothing was signed. A request to sign whose answer is lost is
// signature-lost. After either the next call connects anew.
type Client struct {
	Socket string

	mu   sync.Mutex
	idle []net.Conn
}

var _ signer.KeyProvider = (*Client)(nil)

// Key implements signer.KeyProvider. The key signs for the signer.Purpose in ctx,
// and refuses without one; its certificates can be had without.
func (c *Client) Key(ctx context.Context, id string) (signer.Key, error) {
	a, err := c.call(ctx, request{Op: opCertificates, Key: id})
	if err != nil {
		return signer.Key{}, err
	}
	var chain []*certs.Certificate
	for _, der := range a.Certificates {
		parsed, err := certs.ParseCertificate(der)
		if err != nil {
			return signer.Key{}, text.Detailed(text.KeyUnavailable, err, "key.helper-answer")
		}
		chain = append(chain, parsed)
	}
	if len(chain) == 0 {
		return signer.Key{}, text.Detailed(text.KeyUnavailable, nil, "key.helper-answer")
	}
	purpose, _ := signer.PurposeOf(ctx)
	return signer.Key{Signer: &remoteKey{client: c, ctx: ctx, id: id, purpose: purpose, public: chain[0].PublicKey}, Chain: chain}, nil
}

// Ping asks whether the helper answers.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.call(ctx, request{Op: opPing})
	return err
}

// Close gives up idle connections; a later call connects anew.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, conn := range c.idle {
		err = errors.Join(err, conn.Close())
	}
	c.idle = nil
	return err
}

// remoteKey is a key of the helper, bound to one purpose.
type remoteKey struct {
	client  *Client
	ctx     context.Context //nolint:containedctx // crypto.Signer has none; a key is used within the call that asked for it
	id      string
	purpose signer.Purpose
	public  crypto.PublicKey
}

// Public implements crypto.Signer.
func (k *remoteKey) Public() crypto.PublicKey { return k.public }

// Sign implements crypto.Signer.
func (k *remoteKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	r := request{Op: opSign, Key: k.id, Digest: digest, Purpose: k.purpose}
	for name, h := range hashes {
		if h == opts.HashFunc() {
			r.Hash = name
		}
	}
	if _, ok := opts.(*rsa.PSSOptions); ok {
		r.PSS = true
	}
	a, err := k.client.call(k.ctx, r)
	if err != nil {
		return nil, err
	}
	if len(a.Signature) == 0 {
		return nil, text.Detailed(text.KeyUnavailable, nil, "key.helper-answer")
	}
	return a.Signature, nil
}

// call asks one question. A request to sign is asked once: an answer that is lost is
// signature-lost, since the key may have been used.
func (c *Client) call(ctx context.Context, r request) (answer, error) {
	conn, err := c.connection(ctx)
	if err != nil {
		return answer{}, unavailable(ctx, err)
	}
	a, err := exchangeFrames(ctx, conn, r)
	if err != nil {
		_ = conn.Close()
		if r.Op == opSign && ctx.Err() == nil && !errors.Is(err, errUnsent) {
			return answer{}, text.Errorf(text.SignatureLost, err)
		}
		return answer{}, unavailable(ctx, err)
	}
	c.put(conn)
	return a, a.err()
}

// connection returns a connection that has just answered a ping: an idle one may have
// died with the helper, a new one be turned away. When an idle one does not answer, the
// others are given up with it.
func (c *Client) connection(ctx context.Context) (net.Conn, error) {
	for {
		conn, fresh, err := c.take(ctx)
		if err != nil {
			return nil, err
		}
		if _, err = exchangeFrames(ctx, conn, request{Op: opPing}); err == nil {
			return conn, nil
		}
		_ = conn.Close()
		if fresh {
			return nil, err
		}
		_ = c.Close()
	}
}

// errUnsent is returned for a request that did not leave.
var errUnsent = errors.New("key helper: the request was not sent")

func exchangeFrames(ctx context.Context, conn net.Conn, r request) (a answer, err error) {
	deadline := time.Now().Add(callLimit) //nolint:forbidigo // deadlines of sockets are the machine's time
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return answer{}, errors.Join(errUnsent, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := writeFrame(conn, r); err != nil {
		return answer{}, errors.Join(errUnsent, err)
	}
	return a, readFrame(conn, &a)
}

// take returns a connection; fresh tells that it was made now.
func (c *Client) take(ctx context.Context) (conn net.Conn, fresh bool, err error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		conn, c.idle = c.idle[n-1], c.idle[:n-1]
	}
	c.mu.Unlock()
	if conn != nil {
		return conn, false, nil
	}
	dialer := net.Dialer{Timeout: dialLimit}
	conn, err = dialer.DialContext(ctx, "unix", c.Socket)
	return conn, true, err
}

func (c *Client) put(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) >= maxIdle {
		_ = conn.Close()
		return
	}
	c.idle = append(c.idle, conn)
}

func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return text.Errorf(text.KeyUnavailable, err)
}

// err is the answer as the error that it tells of; nil when all went well.
func (a answer) err() error {
	cause := fmt.Errorf("key helper: %s %s", a.Code, a.Reason)
	switch a.Code {
	case "":
		return nil
	case codeUnknownKey:
		return text.Errorf(text.KeyNotFound, cause)
	case codeNoPurpose, codeNotAllowed, codeUnbound, codeBadRequest:
		return text.Detailed(text.NotAllowed, cause, "key.helper-refused", a.Code)
	case codeRate:
		return text.Errorf(text.RateLimited, cause)
	case codeBusy, codeLog:
		return text.Detailed(text.KeyUnavailable, cause, "key.helper-code", a.Code)
	case codeKey:
		return text.Errorf(text.KeyLocked, cause)
	case codeAbsent:
		return text.Errorf(text.TokenAbsent, cause)
	case codeDown:
		return text.Detailed(text.KeyUnavailable, cause, "token.crashed")
	case codeLost:
		return text.Errorf(text.SignatureLost, cause)
	}
	return text.Detailed(text.KeyUnavailable, cause, "key.helper-answer")
}
