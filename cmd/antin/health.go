package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// canaryRetry is the wait after a failure, so that readiness returns soon. It
	// doubles with each further one: a time-stamping service that refuses us counts
	// every try, and some shut out who asks too often.
	canaryRetry = 30 * time.Second
	// storeEvery is how old the last look at the data directory may be when somebody
	// asks: a disk is full, and is cleared again, from one minute to the next. A look
	// costs the database's writer and one fsync, so it is not done for every question.
	storeEvery = 5 * time.Second
	// storeFor bounds one look at the data directory.
	storeFor = 10 * time.Second
	// diskReserve is the room below which a gateway is not ready although it may still
	// write a row: the database's log grows to half of it before it is folded in.
	diskReserve = 8 << 20
	// lookEvery is how often everything around is probed: services give a limited
	// number of answers, and certificates do not end from one hour to the next.
	lookEvery = time.Hour
	// canaryFor bounds one proof, beside what the time-stamping service is given.
	canaryFor = time.Minute
)

// health knows whether this gateway can do its work, because it has just done it.
type health struct {
	canary *canary
	store  func(ctx context.Context) error
	now    func() time.Time
	// tell hears of a check that begins to fail, or fails otherwise than before, and
	// with nil of one that is mended.
	tell func(check string, err error)

	stampFor time.Duration // what the time-stamping service is given; 0 without one

	// look probes what the gateway depends on, for the operator's list.
	look func(ctx context.Context) []finding

	asked sync.Mutex // held by who looks at the store because somebody asked

	mu     sync.Mutex
	checks [2]healthCheck // by checkStore and checkCanary
	found  []finding
}

// The places of the checks in health.checks.
const (
	checkStore = iota
	checkCanary
)

// readiness is the answer of /readyz.
type readiness struct {
	Ready     bool          `json:"ready"`
	CheckedAt time.Time     `json:"checked_at"`
	Checks    []healthCheck `json:"checks"`
}

// healthCheck is one part of it.
type healthCheck struct {
	Name      string       `json:"name"`
	OK        bool         `json:"ok"`
	CheckedAt time.Time    `json:"checked_at,omitzero"`
	Reason    text.Message `json:"reason,omitzero"`
	Detail    string       `json:"detail,omitempty"`
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
	return &health{canary: c, store: g.probeStore, now: g.now, tell: g.tellHealth, look: g.look, stampFor: g.cfg.TSA.Timeout}, nil
}

func (g *gateway) tellHealth(check string, err error) {
	if err != nil {
		g.log.Error("not ready", "check", check, "error", err)
		return
	}
	g.log.Info("ready again", "check", check)
}

// probeStore looks for room, takes the database's writer and writes a file as blobs
// are written.
func (g *gateway) probeStore(ctx context.Context) error {
	if free, err := freeBytes(g.cfg.DataDir); err == nil && free < diskReserve {
		return storageError(fmt.Errorf("less than %d MB free in %s", diskReserve>>20, g.cfg.DataDir))
	}
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
	failures := 0
	for {
		if now := h.now(); looked.IsZero() || now.Sub(looked) >= lookEvery {
			h.probe(ctx)
			looked = now
		}
		if h.check(ctx).Ready {
			failures = 0
		} else {
			failures++
		}
		timer := time.NewTimer(canaryWait(failures))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// canaryWait is how long the next canary waits after so many failures in a row.
func canaryWait(failures int) time.Duration {
	wait := canaryRetry
	for n := 1; n < failures && wait < canaryEvery; n++ {
		wait *= 2
	}
	if failures == 0 || wait > canaryEvery {
		return canaryEvery
	}
	return wait
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
	for _, f := range []func(context.Context) []finding{d.clock, d.trust, d.permissions, d.disk, d.keys, d.certificates, d.stamps, d.ocsp, d.directory, d.peers} {
		out = append(out, f(ctx)...)
	}
	return out
}

// check does every check now and keeps the outcome.
func (h *health) check(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, canaryFor+h.stampFor)
	defer cancel()
	h.do(ctx, checkStore)
	h.do(ctx, checkCanary)
	return h.last()
}

// do does one check now and keeps the outcome.
func (h *health) do(ctx context.Context, which int) {
	out := healthCheck{Name: "store", OK: true}
	act, reason := h.store, text.Key("health.store")
	if which == checkCanary {
		out.Name, act, reason = "canary", h.canary.sing, "health.canary"
	}
	err := act(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return // we are being stopped, which says nothing about the gateway
	}
	if err != nil {
		out.OK, out.Reason, out.Detail = false, text.Get(reason), err.Error()
	}
	out.CheckedAt = h.now().UTC()
	h.mu.Lock()
	before := h.checks[which]
	h.checks[which] = out
	h.mu.Unlock()
	if before.Detail != out.Detail {
		h.tell(out.Name, err)
	}
}

// current is last, after a new look at the data directory unless the last one is
// fresh: what is asked of a full disk is whether it is full now.
func (h *health) current(ctx context.Context) readiness {
	if h.asked.TryLock() { // who comes while another looks gets the last outcome
		defer h.asked.Unlock()
		h.mu.Lock()
		age := h.now().Sub(h.checks[checkStore].CheckedAt)
		h.mu.Unlock()
		if age >= storeEvery || age < 0 {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor) // a caller that has gone leaves an outcome to the next
			defer cancel()
			h.do(ctx, checkStore)
		}
	}
	return h.last()
}

// last is the newest outcome; before the first, and when it has grown old because
// the checks hang, nothing is ready.
func (h *health) last() readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := readiness{Ready: true}
	for _, c := range h.checks {
		if c.Name == "" {
			r.Ready = false
			continue
		}
		r.Checks = append(r.Checks, c)
		r.Ready = r.Ready && c.OK
		if c.CheckedAt.After(r.CheckedAt) {
			r.CheckedAt = c.CheckedAt
		}
	}
	if age := h.now().Sub(h.checks[checkCanary].CheckedAt); r.Ready && age > canaryEvery+canaryFor+h.stampFor+canaryRetry {
		r.Ready = false
		r.Checks = append(r.Checks, healthCheck{Name: "age", Reason: text.Get("health.old")})
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
func (h *health) answer(w http.ResponseWriter, req *http.Request) {
	r := h.current(req.Context())
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
