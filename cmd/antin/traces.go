package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/internal/tracing"
)

// TracesConfig says whom to tell of spans. Without an endpoint nobody is told, and no
// network is used.
type TracesConfig struct {
	Endpoint string  `yaml:"endpoint"` // OTLP over HTTP
	Sample   float64 `yaml:"sample"`   // part of the requests that nobody decided on
	CAFile   string  `yaml:"ca_file" path:"file"`
}

// tracesEnd bounds the telling of what waits when the gateway stops.
const tracesEnd = 5 * time.Second

// checkTraces refuses half an address, and spans in clear over a network.
func (c *Config) checkTraces() error {
	t := c.Traces
	if t.Sample < 0 || t.Sample > 1 {
		return c.wrong("traces.sample", "config.want.between", "0", "1")
	}
	if t.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(hostPort(u))) {
		return c.wrong("traces.endpoint", "config.want.otlp")
	}
	return nil
}

func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":80"
	}
	return u.Host
}

// openTraces returns who is told of spans; nil when nobody is.
func (g *gateway) openTraces(ctx context.Context) (*tracing.Tracer, error) {
	t := g.cfg.Traces
	if t.Endpoint == "" {
		return nil, nil //nolint:nilnil // said above
	}
	o := tracing.Options{Endpoint: t.Endpoint, Sample: t.Sample, Agency: g.office.Agency.Code, Version: version}
	var last atomic.Int64
	o.OnError = func(err error) { // once a minute says enough
		if now := g.now().Unix() / 60; last.Swap(now) != now {
			g.log.Warn("traces not told", "error", err)
		}
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, inputError(t.CAFile, err)
		}
		o.CA = x509.NewCertPool()
		if !o.CA.AppendCertsFromPEM(pem) {
			return nil, text.Detailed(text.ConfigInvalid, nil, "cli.path", t.CAFile)
		}
	}
	return tracing.Open(ctx, o)
}

// trace has the parts of c tell t of their work.
func (c *core) trace(t exchange.Tracer) {
	c.outbox.Tracer, c.inbox.Tracer, c.tracer = t, t, t
}

// startTraces begins to tell of spans, where that is configured.
func (g *gateway) startTraces(ctx context.Context) error {
	t, err := g.openTraces(ctx)
	if err != nil || t == nil {
		return err
	}
	g.trace(t)
	g.endTraces = func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesEnd)
		defer cancel()
		if err := t.Close(end); err != nil {
			g.log.Warn("traces not told", "error", err)
		}
	}
	return nil
}

// traced gives each request its place in a trace: that of its traceparent header, or a
// new one. What answers an error shows the trace's id, what is sent for it goes under it.
func (c *core) traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parent := exchange.ParseTraceParent(r.Header.Get("Traceparent"))
		if c.tracer == nil {
			if parent == "" {
				parent = newTraceParent()
			}
			next.ServeHTTP(w, underTrace(r, exchange.WithTrace(r.Context(), parent), parent))
			return
		}
		ctx, span := c.tracer.Begin(r.Context(), exchange.SpanRequest, parent)
		out := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			span.Set("status", strconv.Itoa(out.status))
			span.Set("route", routeOf(r))
			span.End(nil)
		}()
		next.ServeHTTP(out, underTrace(r, ctx, exchange.TraceOf(ctx)))
	})
}

// underTrace is r in ctx, with its place in the trace where the pages and the API look
// for the id that they show.
func underTrace(r *http.Request, ctx context.Context, at exchange.TraceParent) *http.Request { //nolint:revive // the request is what it is about
	r = r.WithContext(ctx)
	r.Header = r.Header.Clone()
	r.Header.Set("Traceparent", string(at))
	return r
}

// newTraceParent begins a trace that nobody is told of.
func newTraceParent() exchange.TraceParent {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	id := hex.EncodeToString(b[:])
	return exchange.ParseTraceParent("00-" + id[:32] + "-" + id[32:] + "-00")
}
