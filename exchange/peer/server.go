package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// Receiver takes in transfers; *exchange.Inbox is the one that does.
type Receiver interface {
	// Receive reads the payload only of a transfer that it has not seen and does not refuse.
	Receive(ctx context.Context, t exchange.Incoming) (exchange.Receipt, error)
	CloseTransfer(ctx context.Context, peer exchange.AgencyCode, manifest []byte) (exchange.Receipt, error)
	OpenUpload(ctx context.Context, t exchange.Incoming) (exchange.Receipt, exchange.UploadState, error)
	PutPiece(ctx context.Context, p exchange.IncomingPiece) error
	CommitUpload(ctx context.Context, k exchange.UploadKey) (exchange.Receipt, error)
	UploadState(ctx context.Context, k exchange.UploadKey, recipient exchange.AgencyCode) (exchange.UploadState, error)
}

// Server is the receiving side. Its fields are set once, before use.
type Server struct {
	Receiver  Receiver
	Directory exchange.Directory
	Identity  Identity
	// Current is what Client.Current is.
	Current func() Identity
	Now     func() time.Time
	// Known returns the stored receipt of a transfer, not-found when there is none.
	Known func(ctx context.Context, key exchange.TransferKey) (exchange.Receipt, error)
	// The following, where nil, are not offered, and their routes answer 404.
	Held       Held       // the pull side
	Ledger     Ledger     // reconciliation
	Statements Statements // non-deliveries, corrections, skips
	// Offices, where set, are those whose signed capability is told.
	Offices exchange.Offices
	// Limits' zero fields mean the defaults.
	Limits Limits
	// OnHandshake, where set, is told of every finished handshake: who connected, or
	// why a certificate was refused. It must be quick and safe for concurrent use.
	OnHandshake func(peer exchange.AgencyCode, fingerprint [32]byte, err error)
	// OnError, where set, is told of every error that a peer sees only as a code.
	OnError func(err error)

	identities *identities
	polls      polls
	said       said
}

// Limits bound what peers may cost. The zero value means the defaults below.
type Limits struct {
	Header  time.Duration // to finish the handshake, and each request's header
	Idle    time.Duration // a connection without a request
	Stall   time.Duration // a body that gives no byte
	Grace   time.Duration // on top of MinRate for the whole body
	MinRate int64         // bytes a second of a body
	Payload int64         // bytes of one transfer
	Conns   int           // connections at once
}

// The defaults of Limits.
const (
	DefaultHeader  = 10 * time.Second
	DefaultIdle    = 2 * time.Minute
	DefaultStall   = 20 * time.Second
	DefaultGrace   = 30 * time.Second
	DefaultMinRate = 16 << 10 // under the slowest office line that still works
	DefaultConns   = 1000     // a province's peers, each with a few

	// maxHeaderBytes is far over what the protocol's few headers take.
	maxHeaderBytes = 16 << 10
	// maxStreams bounds the requests of one HTTP/2 connection at once.
	maxStreams = 32
	// OneShot is the greatest payload that goes in a single request, in bytes: one
	// round trip for nearly every message, and little to send again when it breaks.
	OneShot = 1 << 20
)

func (l Limits) withDefaults() Limits {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&l.Header, DefaultHeader)
	set(&l.Idle, DefaultIdle)
	set(&l.Stall, DefaultStall)
	set(&l.Grace, DefaultGrace)
	if l.MinRate <= 0 {
		l.MinRate = DefaultMinRate
	}
	if l.Payload <= 0 {
		l.Payload = exchange.DefaultMaxPayload
	}
	if l.Conns <= 0 {
		l.Conns = DefaultConns
	}
	return l
}

// whole is the time that size bytes may take.
func (l Limits) whole(size int64) time.Duration {
	return l.Grace + time.Duration(size/l.MinRate+1)*time.Second
}

// Serve answers peers on ln until ctx ends, then lets running requests finish for
// a moment. It closes ln. A Server serves once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.Limits = s.Limits.withDefaults()
	s.identities = &identities{directory: s.Directory, now: s.Now}
	srv := &http.Server{
		Handler: s.routes(), TLSConfig: s.tlsConfig(ctx),
		ReadHeaderTimeout: s.Limits.Header, IdleTimeout: s.Limits.Idle, MaxHeaderBytes: maxHeaderBytes,
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    discardLog(),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		const patience = 5 * time.Second // what a receipt in the making takes, and more
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err := srv.Shutdown(end)
		stopped <- errors.Join(err, srv.Close())
	})
	err := srv.ServeTLS(limitConns(ln, s.Limits.Conns), "", "")
	if !stop() {
		if err := <-stopped; err != nil && s.OnError != nil {
			s.OnError(fmt.Errorf("closing peers' connections: %w", err)) // they send again
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving peers: %w", err)
}

func (s *Server) tlsConfig(ctx context.Context) *tls.Config {
	base := &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return inForce(s.Identity, s.Current).pair(), nil
		},
		ClientAuth: tls.RequireAnyClientCert, // judged by the directory below, not by a CA
		// A resumed session would skip nothing here, but it would outlive a key's removal.
		SessionTicketsDisabled: true,
	}
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		cfg := base.Clone()
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			err := s.verifyConnection(ctx, state)
			if c, ok := hello.Conn.(*limitedConn); ok {
				c.refused.Store(err != nil)
			}
			return err
		}
		return cfg, nil
	}
	return base
}

// verifyConnection refuses, inside the handshake, a certificate that no agency
// lists. When the directory itself cannot be read, the peer is not to blame: the
// handshake passes and each request is answered with a reason to come again.
func (s *Server) verifyConnection(ctx context.Context, state tls.ConnectionState) error {
	code, err := s.identities.of(ctx, &state)
	if s.OnHandshake != nil {
		var pin [32]byte
		if len(state.PeerCertificates) > 0 {
			pin = Fingerprint(state.PeerCertificates[0].Raw)
		}
		s.OnHandshake(code, pin, err)
	}
	if distrusted(err) {
		return err
	}
	return nil
}

func distrusted(err error) bool {
	return errors.Is(err, ErrUnknownPeer) || errors.Is(err, errCertificate)
}

// traceHeader is where gateways tell one another which trace a transfer belongs to
// (W3C Trace Context).
const traceHeader = "Traceparent"

// handler is a route whose peer is known. A nil receipt with a nil error means
// that it has answered itself.
type handler func(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) (receipt []byte, err error)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	const base = "/x/v1/transfers/{id}"
	mux.Handle("POST "+base, s.route(s.oneShot))
	mux.Handle("PUT "+base, s.route(s.putManifest))
	mux.Handle("PUT "+base+"/parts/{n}", s.route(s.putPart))
	mux.Handle("POST "+base+"/commit", s.route(s.commit))
	mux.Handle("POST "+base+"/close", s.route(s.close))
	mux.Handle("GET "+base, s.route(s.state))
	mux.Handle("POST /x/v1/signals", s.route(s.batch))
	s.more(mux)
	mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answerProblem(w, text.Errorf(text.NotFound, nil))
	}))
	return mux
}

// route identifies the peer, bounds the body and writes the answer.
func (s *Server) route(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, err := s.identities.of(r.Context(), r.TLS)
		switch {
		case distrusted(err):
			s.fail(w, text.Errorf(text.NotAllowed, err))
			return
		case err != nil:
			s.fail(w, text.Errorf(text.PeerUnavailable, err))
			return
		}
		if _, ok := exchange.ParseTransferID(r.PathValue("id")); !ok && strings.Contains(r.Pattern, "{id}") {
			s.fail(w, text.Errorf(text.InvalidInput, errors.New("transfer id in the path")))
			return
		}
		if trace := exchange.ParseTraceParent(r.Header.Get(traceHeader)); trace != "" {
			r = r.WithContext(exchange.WithTrace(r.Context(), trace))
		}
		receipt, err := h(w, r, code)
		switch {
		case err != nil:
			s.fail(w, err)
		case receipt != nil:
			w.Header().Set("Content-Type", typeReceipt)
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(receipt) // a peer that has gone asks again and gets the same
		}
	})
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	s.hear(err)
	answerProblem(w, err)
}

func (s *Server) hear(err error) {
	if s.OnError != nil {
		s.OnError(err)
	}
}
