package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer"
	"antin/web"
)

const (
	// canaryEvery is how old a proof of readiness may grow: it costs a signature and a
	// time-stamp, of which services give a limited number.
	canaryEvery = 5 * time.Minute
	// canaryRetry is the wait after a failure, so that readiness returns soon.
	canaryRetry = 30 * time.Second
	// lookEvery is how often everything around is probed: services give a limited
	// number of answers, and certificates do not end from one hour to the next.
	lookEvery = time.Hour
	// canaryFor bounds one proof.
	canaryFor = time.Minute
)

// health knows whether this gateway can do its work, because it has just done it.
type health struct {
	canary *canary
	store  func(ctx context.Context) error
	now    func() time.Time
	tell   func(error)

	// look probes what the gateway depends on, for the operator's list.
	look func(ctx context.Context) []finding

	mu     sync.Mutex
	result readiness
	found  []finding
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready     bool          `json:"ready"`
	CheckedAt time.Time     `json:"checked_at"`
	Checks    []healthCheck `json:"checks"`
}

// healthCheck is one part of it.
type healthCheck struct {
	Name   string       `json:"name"`
	OK     bool         `json:"ok"`
	Reason text.Message `json:"reason,omitzero"`
	Detail string       `json:"detail,omitempty"`
}

func newHealth(g *gateway) (*health, error) {
	var stamps signer.TimestampSource
	if g.stamps != nil {
		stamps = countedStamps{g.stamps, g}
	}
	c, err := newCanary(g.office.Agency, stamps, g.judge, g.now)
	if err != nil {
		return nil, err
	}
	c.judge.Revocation, c.judge.Issuers = g.judge.Revocation, g.judge.Issuers // a TSA's certificate is judged like any other
	return &health{canary: c, store: g.probeStore, now: g.now, tell: func(err error) { g.log.Error("not ready", "error", err) },
		look: g.look}, nil
}

// probeStore takes the database's writer and writes a file as blobs are written.
func (g *gateway) probeStore(ctx context.Context) error {
	err := g.db.Update(ctx, func(tx exchange.Tx) error {
		return tx.Started(ctx, exchange.Job{Kind: exchange.JobAdmit, Key: "readyz"}, g.now())
	})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(g.cfg.DataDir, ".readyz-*")
	if err != nil {
		return storageError(err)
	}
	_, werr := f.WriteString("readyz")
	if err := errors.Join(werr, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return storageError(err)
	}
	return nil
}

// run proves readiness again and again until ctx ends.
func (h *health) run(ctx context.Context) {
	var looked time.Time
	for {
		wait := canaryEvery
		if now := h.now(); looked.IsZero() || now.Sub(looked) >= lookEvery {
			h.probe(ctx)
			looked = now
		}
		if !h.check(ctx).Ready {
			wait = canaryRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// probe looks around and keeps what was found.
func (h *health) probe(ctx context.Context) {
	found := h.look(ctx)
	if ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.found = found
}

// harms orders findings on the operator's list.
var harms = map[string]int{findingOK: 0, findingWarn: 1, findingFail: 3}

// probes is web.Desk's Probes: what the last look found.
func (h *health) probes(context.Context) []web.Probe {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []web.Probe
	for _, f := range h.found {
		out = append(out, web.Probe{Name: text.Get(text.Key("doctor.name." + f.Check)), OK: f.Status == findingOK, Detail: f.What, Fix: f.Fix, Harm: harms[f.Status]})
	}
	return out
}

// look does the checks of doctor that can be done while serving.
func (g *gateway) look(ctx context.Context) []finding {
	d := &doctor{e: &env{now: g.now}, cfg: g.cfg}
	accounts, err := g.access.Accounts(ctx, exchange.System(g.office.Agency.Code))
	if err != nil {
		return []finding{bad(findingFail, "database", err, "doctor.database.bad")}
	}
	for _, a := range accounts {
		if len(a.Certificate) > 0 && !a.Disabled {
			d.bound = append(d.bound, namedCertificate{a.Login, a.Certificate})
		}
	}
	var out []finding
	for _, f := range []func(context.Context) []finding{d.clock, d.trust, d.permissions, d.disk, d.keys, d.certificates, d.stamps, d.ocsp, d.peers} {
		out = append(out, f(ctx)...)
	}
	return out
}

// check does every check now and keeps the outcome.
func (h *health) check(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, canaryFor)
	defer cancel()
	r := readiness{Ready: true}
	for _, c := range []struct {
		name string
		do   func(context.Context) error
		key  text.Key
	}{{"store", h.store, "health.store"}, {"canary", h.canary.sing, "health.canary"}} {
		out := healthCheck{Name: c.name, OK: true}
		if err := c.do(ctx); err != nil {
			out = healthCheck{Name: c.name, Reason: text.Get(c.key), Detail: err.Error()}
			r.Ready = false
			if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
				h.tell(err)
			}
		}
		r.Checks = append(r.Checks, out)
	}
	r.CheckedAt = h.now().UTC()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.result = r
	return r
}

// last is the newest outcome; before the first, and when it has grown old because
// the checks hang, nothing is ready.
func (h *health) last() readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.result
	if age := h.now().Sub(r.CheckedAt); r.Ready && age > canaryEvery+canaryFor+canaryRetry {
		r.Ready = false
		r.Checks = append(r.Checks[:len(r.Checks):len(r.Checks)], healthCheck{Name: "age", Reason: text.Get("health.old")})
	}
	return r
}

// adminPages answers monitoring: alive, ready, and the numbers.
func (g *gateway) adminPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", g.health.answer)
	mux.Handle("GET /metrics", g.metrics.handler())
	return mux
}

// answer is GET /readyz.
func (h *health) answer(w http.ResponseWriter, _ *http.Request) {
	r := h.last()
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	answerJSON(w, status, r)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a caller that has gone reads nothing
}
