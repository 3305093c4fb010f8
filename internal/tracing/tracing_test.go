package tracing_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"antin/exchange"
	"antin/internal/text"
	"antin/internal/tracing"
)

// collected is an OTLP collector over HTTP.
type collected struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
	hang  chan struct{} // where set, answers wait for it
}

func newCollector(t *testing.T) *collected {
	t.Helper()
	c := &collected{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(body, &m) != nil || r.URL.Path != "/v1/traces" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		hang := c.hang
		for _, rs := range m.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				c.spans = append(c.spans, ss.GetSpans()...)
			}
		}
		c.mu.Unlock()
		if hang != nil {
			<-hang
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, c *collected, sample float64) *tracing.Tracer {
	t.Helper()
	tr, err := tracing.Open(t.Context(), tracing.Options{Endpoint: c.URL + "/v1/traces", Sample: sample, Agency: "H15.01", Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close(context.WithoutCancel(t.Context())) })
	return tr
}

func (c *collected) all(t *testing.T, tr *tracing.Tracer) []*otlp.Span {
	t.Helper()
	if err := tr.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

const remote exchange.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestSpansGoUnderTheirParents(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tr := open(t, c, 1)
	ctx, outer := tr.Begin(t.Context(), exchange.SpanTransfer, remote)
	at := exchange.TraceOf(ctx)
	inner, s := tr.Begin(ctx, exchange.SpanReceipt, "")
	s.Set("state", "DELIVERED")
	s.End(text.Errorf(text.PeerUnavailable, errors.New("Nguyễn Văn A, 12/QĐ")))
	outer.End(nil)
	if at.ID() != remote.ID() || at == remote || exchange.TraceOf(inner).ID() != remote.ID() {
		t.Errorf("at %s, then %s", at, exchange.TraceOf(inner))
	}
	spans := c.all(t, tr)
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	receipt, transfer := spans[0], spans[1]
	if !slices.Equal(receipt.GetParentSpanId(), transfer.GetSpanId()) || receipt.GetName() != exchange.SpanReceipt || transfer.GetKind() != otlp.Span_SPAN_KIND_CLIENT {
		t.Errorf("spans %v", spans)
	}
	if st := receipt.GetStatus(); st.GetMessage() != string(text.PeerUnavailable) || strings.Contains(receipt.String(), "Nguyễn") {
		t.Errorf("said of a failure: %v", receipt)
	}
}

func TestWhatNobodyDecidedOnIsSampled(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	none := open(t, c, 0)
	for _, parent := range []exchange.TraceParent{"", remote[:53] + "00"} {
		ctx, s := none.Begin(t.Context(), exchange.SpanReceive, parent)
		s.End(nil)
		if exchange.TraceOf(ctx) == "" {
			t.Error("a trace that is not told of has no id")
		}
	}
	if spans := c.all(t, none); len(spans) != 0 {
		t.Errorf("%d spans", len(spans))
	}
	_, s := none.Begin(t.Context(), exchange.SpanReceive, remote) // the peer tells of it
	s.End(nil)
	if spans := c.all(t, none); len(spans) != 1 {
		t.Errorf("%d spans of a sampled parent", len(spans))
	}
}

// A collector that does not answer holds nothing up: spans that do not fit are dropped.
func TestACollectorThatHangsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.hang = make(chan struct{})
	tr := open(t, c, 1)
	for range 50_000 {
		_, s := tr.Begin(t.Context(), exchange.SpanSend, "")
		s.End(nil)
	}
	close(c.hang)
	if err := tr.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.spans); n == 0 || n > 50_000 {
		t.Errorf("%d spans", n)
	}
}

func TestACollectorThatFailsIsReported(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	heard := make(chan error, 10)
	tr, err := tracing.Open(t.Context(), tracing.Options{Endpoint: away.URL + "/v1/traces", Sample: 1, OnError: func(err error) { heard <- err }})
	if err != nil {
		t.Fatal(err)
	}
	_, s := tr.Begin(t.Context(), exchange.SpanSend, "")
	s.End(nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := tr.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-heard; err == nil {
		t.Error("told of nothing")
	}
}
