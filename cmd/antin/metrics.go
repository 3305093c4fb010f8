package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"antin/certs"
	"antin/signer"
)

// metrics are this gateway's numbers for Prometheus, in a registry of its own. No
// label takes values that a caller can choose.
type metrics struct {
	g        *gateway
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	stamps   *prometheus.CounterVec
	signing  *prometheus.HistogramVec
}

func newMetrics(g *gateway) *metrics {
	m := &metrics{
		g: g, registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "antin_http_requests_total", Help: "Requests by listener, route and status."},
			[]string{"listener", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "antin_http_request_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.005, .02, .05, .1, .25, .5, 1, 2.5, 10, 60}}, []string{"listener"}),
		stamps: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "antin_tsa_requests_total", Help: "Time-stamps asked for, by result."}, []string{"result"}),
		signing: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "antin_sign_seconds", Help: "Time that the key helper took for one signature value.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10}}, []string{"result"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.stamps, m.signing, gatewayRows{g}, databasePools{g.db})
	return m
}

// handler is GET /metrics. What cannot be read is missing from no answer unseen: the
// whole of it then fails.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: scrapeLog{m.g}, ErrorHandling: promhttp.HTTPErrorOnError})
}

// scrapeLog hears why a scrape failed.
type scrapeLog struct{ g *gateway }

// Println implements promhttp.Logger.
func (l scrapeLog) Println(v ...any) { l.g.log.Error("metrics", "error", fmt.Sprint(v...)) }

// count counts the requests that h answers.
func (m *metrics) count(listener string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		out := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			m.requests.WithLabelValues(listener, routeOf(r), strconv.Itoa(out.status)).Inc()
			m.seconds.WithLabelValues(listener).Observe(time.Since(began).Seconds())
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
var resources = []string{"files", "signatures", "documents", "deliveries", "inbox", "results", "verifications", "agencies", "lanes", "numbers", "registers", "operations", "events", "webhooks"}

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

// gatewayRows are what stands in the database and in memory at the moment of a scrape. It
// implements prometheus.Collector.
type gatewayRows struct{ g *gateway }

// describe names a gauge; its values come with each scrape.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (r gatewayRows) Describe(out chan<- *prometheus.Desc) {
	for _, d := range r.descriptions() {
		out <- d
	}
}

// The gauges by their keys in descriptions.
const (
	gaugeOldest     = "antin_queue_oldest_seconds"
	gaugeDeliveries = "antin_deliveries"
	gaugeInbox      = "antin_inbox_items"
	gaugeSessions   = "antin_sessions"
	gaugeDays       = "antin_cert_days_left"
	gaugeReady      = "antin_ready"
	gaugeBuild      = "antin_build_info"
	gaugeRoutines   = "antin_goroutines"
)

func (gatewayRows) descriptions() map[string]*prometheus.Desc {
	return map[string]*prometheus.Desc{
		gaugeOldest:     describe(gaugeOldest, "Age of the oldest delivery that waits for a receiver.", "receiver"),
		gaugeDeliveries: describe(gaugeDeliveries, "Deliveries by state.", "state"),
		gaugeInbox:      describe(gaugeInbox, "Incoming items by state.", "state"),
		gaugeSessions:   describe(gaugeSessions, "Sessions in force."),
		gaugeDays:       describe(gaugeDays, "Days until a certificate ends.", "certificate"),
		gaugeReady:      describe(gaugeReady, "1 when the last proof of readiness succeeded."),
		gaugeBuild:      describe(gaugeBuild, "Always 1.", "version", "go"),
		gaugeRoutines:   describe(gaugeRoutines, "Goroutines of the process."),
	}
}

// Collect implements prometheus.Collector.
func (r gatewayRows) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), gaugesFor)
	defer cancel()
	d := r.descriptions()
	got, err := r.g.db.Gauges(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(d[gaugeDeliveries], err)
		return
	}
	tell := func(name string, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d[name], prometheus.GaugeValue, v, labels...)
	}
	now := r.g.now()
	for to, at := range got.Oldest {
		tell(gaugeOldest, now.Sub(at).Seconds(), to)
	}
	for state, n := range got.Deliveries {
		tell(gaugeDeliveries, float64(n), state)
	}
	for state, n := range got.Inbox {
		tell(gaugeInbox, float64(n), state)
	}
	tell(gaugeSessions, float64(got.Sessions))
	for name, end := range r.g.certificateEnds() {
		tell(gaugeDays, end.Sub(now).Hours()/24, name)
	}
	ready := 0.0
	if r.g.health.current(ctx).Ready {
		ready = 1
	}
	tell(gaugeReady, ready)
	tell(gaugeBuild, 1, version, runtime.Version())
	tell(gaugeRoutines, float64(runtime.NumGoroutine()))
}

// certificateEnds is when our own certificates end.
func (g *gateway) certificateEnds() map[string]time.Time {
	ends := map[string]time.Time{}
	if c, err := x509.ParseCertificate(g.own.current().Certificate); err == nil {
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
		s.g.metrics.stamps.WithLabelValues(result).Inc()
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
	k.g.metrics.signing.WithLabelValues(result).Observe(time.Since(began).Seconds())
	return value, err
}
