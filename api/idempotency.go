package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// keyPrefix keeps the idempotency keys of the API apart from those of the pages.
	keyPrefix = "api:"
	// maxReply bounds an answer that is kept word for word, in bytes: one delivery for
	// each of a thousand receivers. A longer one is made anew from what it is about.
	maxReply = 1 << 20
	// busyAfter is what a client is asked to wait, in seconds, while its first request
	// is still under way: signing and time-stamping take about as long.
	busyAfter = 2
)

// underWay holds the idempotency keys whose requests are being carried out.
type underWay struct {
	mu   sync.Mutex
	keys map[string]struct{}
}

// take reports whether key was free; it is then taken until give.
func (u *underWay) take(key string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.keys == nil {
		u.keys = map[string]struct{}{}
	}
	if _, busy := u.keys[key]; busy {
		return false
	}
	u.keys[key] = struct{}{}
	return true
}

func (u *underWay) give(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.keys, key)
}

// checkKey refuses a request that could not be repeated safely.
func (s *Server) checkKey(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header("Idempotency-Key")
	ok := key != "" && len(key) <= maxKey
	for _, b := range []byte(key) {
		ok = ok && b > ' ' && b < 0x7f
	}
	if !ok {
		s.refuse(ctx, badRequest("header/Idempotency-Key", "api.idempotency-key", maxKey))
		return
	}
	next(ctx)
}

// once gives the first answer to a request that was answered before, and lets
// nobody begin what is still under way. A refusal is not kept: nothing happened,
// so the same key may try again.
func (s *Server) once(ctx huma.Context, next func(huma.Context)) {
	agency, key := s.Office.Agency.Code, keyPrefix+ctx.Header("Idempotency-Key")
	if !s.running.take(key) {
		s.refuse(ctx, &refusal{err: text.Errorf(text.InProgress, nil), retryAfter: busyAfter})
		return
	}
	held := true
	release := func() {
		if held {
			held = false
			s.running.give(key)
		}
	}
	defer release()
	request := requestDigest(ctx)
	first, answered, err := s.replies.Find(ctx.Context(), agency, key, request)
	switch {
	case err != nil:
		s.refuse(ctx, err)
		return
	case answered:
		replay(ctx, first)
		return
	}
	rec := &recorder{humaContext: ctx, header: map[string]string{}}
	next(rec)
	if rec.status >= http.StatusOK && rec.status < http.StatusMultipleChoices && rec.body.Len() <= maxReply {
		err := s.replies.Keep(ctx.Context(), exchange.Reply{Agency: agency, Key: key, Request: request, Status: rec.status,
			Header: rec.header, Body: rec.body.Bytes()})
		if err != nil { // the act stands, and its own key with it
			s.report(callOf(ctx.Context()), err)
		}
	}
	release() // before the client can know the answer and ask again
	ctx.SetStatus(rec.status)
	_, _ = ctx.BodyWriter().Write(rec.body.Bytes())
}

// requestDigest stands for everything that was asked, and by whom.
func requestDigest(ctx huma.Context) exchange.Digest {
	u := ctx.URL()
	body, _ := ctx.Context().Value(rawBodyKey{}).([]byte)
	// Strings and bytes always encode.
	b, _ := json.Marshal([]any{ctx.Method(), u.Path, u.RawQuery, callerOf(ctx.Context()).actor.ID, ctx.Header("If-Match"), ctx.Header("Acting-Person"), body})
	return exchange.DigestOf(b)
}

func replay(ctx huma.Context, r exchange.Reply) {
	for name, v := range r.Header {
		ctx.SetHeader(name, v)
	}
	ctx.SetHeader("Idempotency-Replayed", "true")
	ctx.SetStatus(r.Status)
	_, _ = ctx.BodyWriter().Write(r.Body)
}

// keptHeaders are the headers of an answer that belong to what it says.
var keptHeaders = map[string]bool{"Content-Type": true, "Content-Language": true, "Location": true, "Etag": true, "Retry-After": true}

// recorder holds an answer back until it is kept.
type recorder struct {
	humaContext
	status int
	header map[string]string
	body   bytes.Buffer
}

// SetStatus implements huma.Context.
func (r *recorder) SetStatus(code int) { r.status = code }

// Status implements huma.Context.
func (r *recorder) Status() int { return r.status }

// SetHeader implements huma.Context.
func (r *recorder) SetHeader(name, value string) {
	if keptHeaders[http.CanonicalHeaderKey(name)] {
		r.header[http.CanonicalHeaderKey(name)] = value
	}
	r.humaContext.SetHeader(name, value)
}

// BodyWriter implements huma.Context.
func (r *recorder) BodyWriter() io.Writer { return &r.body }

// Unwrap gives adapters the context below.
func (r *recorder) Unwrap() huma.Context { return r.humaContext }
