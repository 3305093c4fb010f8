package certstest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a PKI whose services answer on a loopback port of their own.
type Server struct {
	*PKI
	// URL is the base address, AllowHost what --allow-host must name to reach it.
	URL, AllowHost string

	http *http.Server
	done chan struct{}
}

// Start builds a PKI and serves it on a free loopback port, whose address is in
// the certificates. Close ends it.
func Start(o Options) (*Server, error) {
	p, err := New(o)
	if err != nil {
		return nil, err
	}
	s, err := Serve(p, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if err := p.SetBaseURL(s.URL); err != nil {
		return nil, err
	}
	return s, nil
}

// Serve serves an existing PKI on addr (host:port; port 0 is a free one). The
// addresses in its certificates are left as they are.
func Serve(p *PKI, addr string) (*Server, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	s := &Server{PKI: p, URL: "http://" + l.Addr().String(), AllowHost: l.Addr().String(), done: make(chan struct{}),
		http: &http.Server{Handler: p.Handler(), ReadHeaderTimeout: 10 * time.Second}}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // always ErrServerClosed: only Close ends it
	}()
	return s, nil
}

// TSAURL is the address of the time-stamping service.
func (s *Server) TSAURL() string { return s.URL + "/tsa" }

// Close ends the service and every connection. A second call does nothing.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}
