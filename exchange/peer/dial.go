package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync"
)

// dial returns the dialler of connections to a peer with those pins.
//
// Connections speak HTTP/1.1: net/http's HTTP/2 hides the TLS alert by which a
// peer says that it does not know our certificate, and that alert decides whether
// a lane waits or stops.
func (c *Client) dial(pins [][32]byte) func(ctx context.Context, network, addr string) (net.Conn, error) {
	limits := c.Limits.withDefaults()
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"http/1.1"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return inForce(c.Identity, c.Current).pair(), nil
		},
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares with the directory's pins, which is stricter than any CA
		VerifyConnection:   func(state tls.ConnectionState) error { return pinned(state, pins, c.Now()) },
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, limits.Header)
		defer cancel()
		raw, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, fmt.Errorf("connecting: %w", err)
		}
		conn := tls.Client(raw, cfg)
		if err := conn.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("shaking hands: %w", err), raw.Close())
		}
		return &alertConn{Conn: conn}, nil
	}
}

// alertConn remembers the TLS alert that a peer ended the connection with. In
// TLS 1.3 a server judges the client's certificate only after the client's side
// of the handshake is over, so the alert comes in place of the first answer.
type alertConn struct {
	*tls.Conn
	mu    sync.Mutex
	alert error
}

// Read implements net.Conn.
func (c *alertConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" { // how crypto/tls marks an alert
		c.mu.Lock()
		c.alert = op.Err
		c.mu.Unlock()
	}
	return n, err
}

// usedConn finds the connection that a request went over.
type usedConn struct {
	mu   sync.Mutex
	conn *alertConn
}

func (u *usedConn) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.conn, _ = i.Conn.(*alertConn)
	}})
}

func (u *usedConn) alert() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conn == nil {
		return nil
	}
	u.conn.mu.Lock()
	defer u.conn.mu.Unlock()
	return u.conn.alert
}
