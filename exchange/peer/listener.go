package peer

import (
	"io"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// discardLog keeps net/http from writing handshake failures to stderr: OnHandshake
// tells of them.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// connLimit holds back Accept while too many connections are open.
type connLimit struct {
	net.Listener
	slots chan struct{}
	done  chan struct{}
	once  sync.Once
}

func limitConns(ln net.Listener, n int) net.Listener {
	return &connLimit{Listener: ln, slots: make(chan struct{}, n), done: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *connLimit) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, free: func() { <-l.slots }}, nil
}

// Close implements net.Listener.
func (l *connLimit) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// limitedConn frees its slot when closed.
type limitedConn struct {
	net.Conn
	once    sync.Once
	free    func()
	refused atomic.Bool
}

// maxLinger bounds what a refused peer may still send, in bytes.
const maxLinger = 64 << 10

// Close implements net.Conn. A peer whose certificate was refused has often begun
// its request already; closing over unread bytes would reset the connection and
// take the alert with it that tells the peer why. So its bytes are read away first.
func (c *limitedConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.refused.Load() && half.CloseWrite() == nil {
		end := time.AfterFunc(time.Second, func() { _ = c.Conn.Close() })
		_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, maxLinger))
		end.Stop()
	}
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}
