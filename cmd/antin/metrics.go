package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"antin/certs"
	"antin/signer"
)

// metrics are this gateway's numbers for Prometheus. No label takes values that a
// caller can choose.
type metrics struct {
	g        *gateway
	requests *series
	seconds  *series
	stamps   *series
	signing  *series
}

func newMetrics(g *gateway) *metrics {
	return &metrics{
		g:        g,
		requests: counter("antin_http_requests_total", "Requests by listener, route and status.", "listener", "route", "status"),
		seconds: histogram("antin_http_request_seconds", "Time to answer a request.",
			[]float64{.005, .02, .05, .1, .25, .5, 1, 2.5, 10, 60}, "listener"),
		stamps:  counter("antin_tsa_requests_total", "Time-stamps asked for, by result.", "result"),
		signing: histogram("antin_sign_seconds", "Time that the key helper took for one signature value.", []float64{.001, .005, .02, .1, .5, 2, 10}, "result"),
	}
}

// handler is GET /metrics.
func (m *metrics) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		for _, s := range []*series{m.requests, m.seconds, m.stamps, m.signing} {
			s.write(&b)
		}
		rows, err := m.rows(r.Context())
		if err != nil {
			m.g.log.Error("metrics", "error", err)
			http.Error(w, "database", http.StatusInternalServerError)
			return
		}
		for _, s := range rows {
			s.write(&b)
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(b.Bytes())
	})
}

// count counts the requests that h answers.
func (m *metrics) count(listener string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		out := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			m.requests.add(listener, routeOf(r), strconv.Itoa(out.status))
			m.seconds.observe(time.Since(began).Seconds(), listener)
		}()
		h.ServeHTTP(out, r)
	})
}

// routes are the first words of paths that stand for themselves; every other path
// counts as "other".
var routes = []string{"", "v1", "assets", "documents", "inbox", "results", "registers", "verify", "login", "logout", "enter", "people", "accounts",
	"keys", "peers", "password", "tasks", "sign", "q", "openapi.json", "openapi.yaml", "docs", "healthz"}

// methods are those that count under their own names.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// resources are the words behind /v1/.
var resources = []string{"files", "signatures", "documents", "deliveries", "inbox", "results", "verifications", "agencies", "numbers", "registers", "operations", "events"}

// routeOf is a request's route in few words: the object's kind, without its id.
func routeOf(r *http.Request) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !slices.Contains(routes, first) || !slices.Contains(methods, r.Method) {
		return "other"
	}
	if first != "v1" {
		return r.Method + " /" + first
	}
	second, _, _ := strings.Cut(rest, "/")
	second, _, _ = strings.Cut(second, ":")
	if !slices.Contains(resources, second) {
		return "other"
	}
	return r.Method + " /v1/" + second
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
	began  bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if !w.began {
		w.status, w.began = status, status >= 200
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// gaugesFor bounds the reading of the rows.
const gaugesFor = 5 * time.Second

// rows reads what stands in the database and in memory now.
func (m *metrics) rows(ctx context.Context) ([]*series, error) {
	ctx, cancel := context.WithTimeout(ctx, gaugesFor)
	defer cancel()
	got, err := m.g.db.Gauges(ctx)
	if err != nil {
		return nil, err
	}
	now := m.g.now()
	oldest := gauge("antin_queue_oldest_seconds", "Age of the oldest delivery that waits for a receiver.", "receiver")
	for to, at := range got.Oldest {
		oldest.set(now.Sub(at).Seconds(), to)
	}
	deliveries := gauge("antin_deliveries", "Deliveries by state.", "state")
	for state, n := range got.Deliveries {
		deliveries.set(float64(n), state)
	}
	items := gauge("antin_inbox_items", "Incoming items by state.", "state")
	for state, n := range got.Inbox {
		items.set(float64(n), state)
	}
	open := gauge("antin_sessions", "Sessions in force.")
	open.set(float64(got.Sessions))
	days := gauge("antin_cert_days_left", "Days until a certificate ends.", "certificate")
	for name, end := range m.g.certificateEnds() {
		days.set(end.Sub(now).Hours()/24, name)
	}
	ready := gauge("antin_ready", "1 when the last proof of readiness succeeded.")
	ready.set(0)
	if m.g.health.last().Ready {
		ready.set(1)
	}
	build := gauge("antin_build_info", "Always 1.", "version", "go")
	build.set(1, version, runtime.Version())
	memory := gauge("antin_goroutines", "Goroutines of the process.")
	memory.set(float64(runtime.NumGoroutine()))
	return []*series{oldest, deliveries, items, open, days, ready, build, memory}, nil
}

// certificateEnds is when our own certificates end.
func (g *gateway) certificateEnds() map[string]time.Time {
	ends := map[string]time.Time{}
	if c, err := x509.ParseCertificate(g.identity.Certificate); err == nil {
		ends["transport"] = c.NotAfter
	}
	for i, der := range g.office.Agency.Seals {
		if c, err := certs.ParseCertificate(der); err == nil {
			ends["seal-"+strconv.Itoa(i+1)] = c.NotAfter
		}
	}
	for name, live := range map[string]*liveCertificate{"desk": g.deskTLS, "public": g.publicTLS} {
		if live == nil {
			continue
		}
		if c, err := live.leaf(); err == nil {
			ends[name] = c.NotAfter
		}
	}
	return ends
}

// countedStamps counts the time-stamps asked for.
type countedStamps struct {
	signer.TimestampSource
	g *gateway
}

// Timestamp implements signer.TimestampSource.
func (s countedStamps) Timestamp(ctx context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	token, err := s.TimestampSource.Timestamp(ctx, h, imprint)
	result := "ok"
	if err != nil {
		result = "failed"
	}
	if s.g.metrics != nil {
		s.g.metrics.stamps.add(result)
	}
	return token, err
}

// countedKeys times the signature values that keys make.
type countedKeys struct {
	signer.KeyProvider
	g *gateway
}

// Key implements signer.KeyProvider.
func (k countedKeys) Key(ctx context.Context, id string) (signer.Key, error) {
	key, err := k.KeyProvider.Key(ctx, id)
	if key.Signer != nil {
		key.Signer = countedKey{key.Signer, k.g}
	}
	return key, err
}

type countedKey struct {
	crypto.Signer
	g *gateway
}

// Sign implements crypto.Signer.
func (k countedKey) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	began := time.Now()
	value, err := k.Signer.Sign(r, digest, o)
	result := "ok"
	if err != nil {
		result = "failed"
	}
	k.g.metrics.signing.observe(time.Since(began).Seconds(), result)
	return value, err
}
