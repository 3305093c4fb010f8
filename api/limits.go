package api

import (
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"antin/internal/text"
)

const (
	// perMinute is how many requests a minute one key or session may make when
	// Limits says nothing: ten a second, more than an office's own system needs.
	perMinute = 600
	// perMinuteOpen is the same for one address without a key, and for one that tries
	// keys that do not exist.
	perMinuteOpen = 120
	// maxCallers bounds the callers that are counted at once; behind it the oldest
	// minute is forgotten.
	maxCallers = 100_000
	window     = time.Minute
)

// Limits are the bounds that an operator may set. Zero fields have defaults.
type Limits struct {
	PerMinute     int // requests a minute for each key or session; 0 means 600
	PerMinuteOpen int // the same for each address without one; 0 means 120
}

func (l Limits) keyed() int {
	if l.PerMinute > 0 {
		return l.PerMinute
	}
	return perMinute
}

func (l Limits) open() int {
	if l.PerMinuteOpen > 0 {
		return l.PerMinuteOpen
	}
	return perMinuteOpen
}

// counter counts requests by caller, in minutes that begin with the caller's first.
// Safe for concurrent use.
type counter struct {
	mu    sync.Mutex
	calls map[string]*minute
	swept time.Time
}

type minute struct {
	began time.Time
	n     int
}

// allowance is what is left to a caller.
type allowance struct {
	limit, left int
	reset       time.Duration // until the count begins anew
	ok          bool
}

// take counts one request of caller.
func (c *counter) take(caller string, limit int, now time.Time) allowance {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(now)
	m := c.calls[caller]
	if m == nil || now.Sub(m.began) >= window || now.Before(m.began) {
		m = &minute{began: now}
		c.calls[caller] = m
	}
	a := allowance{limit: limit, reset: window - now.Sub(m.began)}
	if m.n < limit {
		m.n++
		a.ok = true
	}
	a.left = limit - m.n
	return a
}

// sweep forgets minutes that are over; c.mu is held.
func (c *counter) sweep(now time.Time) {
	if c.calls == nil || len(c.calls) >= maxCallers {
		c.calls, c.swept = map[string]*minute{}, now
		return
	}
	if now.Sub(c.swept) < window {
		return
	}
	c.swept = now
	for caller, m := range c.calls {
		if now.Sub(m.began) >= window {
			delete(c.calls, caller)
		}
	}
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// allow counts a request and tells the caller what is left. It answers itself, and
// returns false, when nothing is.
func (s *Server) allow(ctx huma.Context, caller string, limit int) bool {
	a := s.calls.take(caller, limit, s.Now())
	ctx.SetHeader("RateLimit-Limit", strconv.Itoa(a.limit))
	ctx.SetHeader("RateLimit-Remaining", strconv.Itoa(a.left))
	ctx.SetHeader("RateLimit-Reset", strconv.Itoa(seconds(a.reset)))
	if !a.ok {
		s.refuse(ctx, &refusal{err: text.Errorf(text.RateLimited, nil), retryAfter: seconds(a.reset)})
	}
	return a.ok
}

// openly lets a request pass that needs no key, counted by address.
func (s *Server) openly(ctx huma.Context, next func(huma.Context)) {
	if s.allow(ctx, "address:"+callOf(ctx.Context()).address, s.Limits.open()) {
		next(ctx)
	}
}

// address is the one that a request comes from.
func (s *Server) address(r *http.Request) string {
	if s.Address != nil {
		return s.Address(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
