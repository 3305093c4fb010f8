package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"antin/internal/text"
)

// drainFor is how long requests under way may take to finish after SIGTERM; the
// unit's TimeoutStopSec leaves room for it.
const drainFor = 30 * time.Second

// serveCmd runs one agency.
type serveCmd struct{}

// Run serves until the context ends, then drains.
func (c *serveCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	return serve(ctx, e, cfg, nil)
}

// serve runs the gateway of cfg until ctx ends. ready, which may be nil, hears of
// the addresses once every listener answers.
func serve(ctx context.Context, e *env, cfg *Config, ready func(addresses)) error {
	if err := cfg.checkServe(); err != nil {
		return err
	}
	if err := checkClock(e.now()); err != nil {
		return err
	}
	e.log = newLogger(e, cfg)
	for _, name := range cfg.strange {
		e.log.Warn("unknown variable", "name", name)
	}
	g, err := openGateway(ctx, e, cfg)
	if err != nil {
		return err
	}
	doors, err := g.openDoors(ctx)
	if err != nil {
		return errors.Join(err, g.close())
	}
	a := doors.addresses()
	e.log.Info("serving", "agency", cfg.Agency.Code, "desk", a.Desk, "public", a.Public, "peer", a.Peer, "admin", a.Admin, "version", version)
	if f, ok := e.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) { // elsewhere the log is for machines alone
		e.say("serve.ready", cfg.Desk.URL, cfg.Public.URL, a.Peer, a.Admin)
	}
	if ready != nil {
		ready(a)
	}
	err = doors.serve(ctx, g)
	e.log.Info("stopped")
	return errors.Join(err, g.close())
}

// earliest is a day before this program was written: no right clock shows it.
var earliest = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// checkClock refuses a clock that cannot be right, as after an empty battery: what
// is numbered and signed would bear that date for ever.
func checkClock(now time.Time) error {
	if now.Before(earliest) || now.Year() > 2100 {
		return text.Detailed(text.ConfigInvalid, nil, "serve.clock", now.Format(time.RFC3339))
	}
	return nil
}

// clockSlack is how far the clock may be set back between two runs, as when it is
// corrected by the network.
const clockSlack = 5 * time.Minute

// checkClockBehind refuses a clock that is behind what was recorded last: numbers and
// signatures would be dated before earlier ones.
func (g *gateway) checkClockBehind(ctx context.Context) error {
	newest, err := g.evidence.Newest(ctx, g.office.Agency.Code)
	if err != nil {
		return err
	}
	if now := g.now(); now.Add(clockSlack).Before(newest) {
		return text.Detailed(text.ConfigInvalid, nil, "serve.clock.behind", now.Format(time.RFC3339), newest.Format(time.RFC3339))
	}
	return nil
}

func newLogger(e *env, cfg *Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // one of four words, checked when it was read
	return slog.New(slog.NewJSONHandler(e.err, &slog.HandlerOptions{Level: level}))
}

// addresses are where the listeners really are.
type addresses struct{ Desk, Public, Peer, Admin string }

// doors are the open listeners with what answers on them.
type doors struct {
	desk, public, peer, admin net.Listener
	deskTLS, publicTLS        *liveCertificate
	deskHandler, publicPages  http.Handler
	adminHandler              http.Handler
}

func (d *doors) addresses() addresses {
	return addresses{d.desk.Addr().String(), d.public.Addr().String(), d.peer.Addr().String(), d.admin.Addr().String()}
}

func (d *doors) close() {
	for _, l := range []net.Listener{d.desk, d.public, d.peer, d.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// openDoors opens the four listeners and builds their handlers.
func (g *gateway) openDoors(ctx context.Context) (_ *doors, err error) {
	d := &doors{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	c := g.cfg
	tlsTrouble := func(err error) { g.log.Error("TLS certificate not reloaded", "error", err) }
	for _, t := range []struct {
		files TLSConfig
		into  **liveCertificate
	}{{c.Desk.TLS, &d.deskTLS}, {c.Public.TLS, &d.publicTLS}} {
		if t.files.Certificate == "" {
			continue
		}
		if *t.into, err = openCertificate(t.files, g.now, tlsTrouble); err != nil {
			return nil, err
		}
	}
	g.deskTLS, g.publicTLS = d.deskTLS, d.publicTLS
	desk, err := g.deskAndAPI()
	if err != nil {
		return nil, err
	}
	if d.deskHandler, err = newGate(c.Desk, c.Listen.Desk, g.metrics.count("desk", g.traced(desk))); err != nil {
		return nil, err
	}
	if d.publicPages, err = newGate(c.Public, c.Listen.Public, g.metrics.count("public", g.publicPages())); err != nil {
		return nil, err
	}
	d.adminHandler = g.adminPages()
	for _, l := range []struct {
		addr string
		into *net.Listener
	}{{c.Listen.Desk, &d.desk}, {c.Listen.Public, &d.public}, {c.Listen.Peer, &d.peer}, {c.Listen.Admin, &d.admin}} {
		if *l.into, err = listen(ctx, l.addr); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// serve answers on every door until ctx ends or one of them fails, then drains:
// nothing new is accepted, what is under way finishes, the worker ends its jobs.
// Health is told to the end.
func (d *doors) serve(ctx context.Context, g *gateway) error {
	defer d.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	adminCtx, endAdmin := context.WithCancel(context.WithoutCancel(ctx))
	defer endAdmin()
	var group errgroup.Group
	run := func(what string, f func() error) {
		group.Go(func() error {
			defer cancel()
			if err := f(); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			return nil
		})
	}
	run("desk", func() error { return serveDrained(ctx, d.desk, d.deskHandler, d.deskTLS) })
	run("public", func() error { return serveDrained(ctx, d.public, d.publicPages, d.publicTLS) })
	run("peers", func() error { return g.peers.Serve(ctx, d.peer) })
	run("worker", func() error { return g.worker.Run(ctx) })
	run("readiness", func() error { g.health.run(ctx); return nil })
	admin := make(chan error, 1)
	go func() { admin <- serveDrained(adminCtx, d.admin, d.adminHandler, nil) }()
	select {
	case <-ctx.Done():
	case err := <-admin:
		cancel()
		admin <- err
	}
	err := group.Wait()
	endAdmin()
	return errors.Join(err, <-admin)
}

// serveDrained serves h on l until ctx ends, then lets requests under way finish
// for drainFor. Without cert it speaks plain HTTP.
func serveDrained(ctx context.Context, l net.Listener, h http.Handler, cert *liveCertificate) error {
	srv := newHTTPServer(h)
	srv.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // handshakes of scanners
	if cert != nil {
		srv.TLSConfig = cert.config()
		l = tls.NewListener(l, srv.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		_ = srv.Close() // what is cut off now is repeated under its idempotency key
	}
	if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
