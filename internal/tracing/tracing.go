// Package tracing tells an OpenTelemetry collector, over OTLP by HTTP, of the work that
// requests cause: the exchange.Tracer of a gateway that is configured to have one. What
// it tells is ids and codes. A collector that is away or slow costs a bounded queue in
// memory and nothing else: spans that do not fit are dropped.
package tracing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// maxQueue bounds the spans that wait for the collector, maxBatch those of one request
	// to it: some seconds of a busy gateway, a few megabytes.
	maxQueue, maxBatch = 4096, 512
	// batchEvery is how long a span waits for others, exportFor how long one request to the
	// collector may take.
	batchEvery, exportFor = 2 * time.Second, 10 * time.Second
	// maxAttributes and maxValue bound what one span says.
	maxAttributes, maxValue = 16, 200
)

// Options says where spans go. The zero value goes nowhere and is refused by Open.
type Options struct {
	// Endpoint is the whole address of the collector, "http://127.0.0.1:4318/v1/traces".
	Endpoint string
	// Sample is which part of the requests that nobody decided on is told of, 0 to 1.
	Sample float64
	// CA, where set, is trusted for https in place of the system's roots.
	CA *x509.CertPool
	// Agency and Version name this gateway.
	Agency  exchange.AgencyCode
	Version string
	// OnError hears of requests to the collector that failed; nil drops it.
	OnError func(err error)
}

// Tracer tells a collector of spans. It is safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

var _ exchange.Tracer = (*Tracer)(nil)

// Open prepares to tell the collector of o; it connects to nothing before the first span
// has ended.
func Open(ctx context.Context, o Options) (*Tracer, error) {
	with := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(o.Endpoint), otlptracehttp.WithTimeout(exportFor),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false})}
	if o.CA != nil {
		with = append(with, otlptracehttp.WithTLSClientConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.CA}))
	}
	out, err := otlptracehttp.New(ctx, with...)
	if err != nil {
		return nil, err
	}
	byRatio := sdk.TraceIDRatioBased(o.Sample)
	limits := sdk.NewSpanLimits()
	limits.AttributeCountLimit, limits.AttributeValueLengthLimit, limits.EventCountLimit, limits.LinkCountLimit = maxAttributes, maxValue, 0, 0
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(heard{out, o.OnError}, sdk.WithMaxQueueSize(maxQueue), sdk.WithMaxExportBatchSize(maxBatch), sdk.WithBatchTimeout(batchEvery),
			sdk.WithExportTimeout(exportFor)),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "antin"), attribute.String("service.version", o.Version),
			attribute.String("service.instance.id", string(o.Agency)))),
		// A peer that traces nothing says so of its part; ours is still told of.
		sdk.WithSampler(sdk.ParentBased(byRatio, sdk.WithRemoteParentNotSampled(byRatio))),
		sdk.WithRawSpanLimits(limits))
	return &Tracer{provider: provider, tracer: provider.Tracer("antin")}, nil
}

// Close tells of what waits, as far as ctx allows, and ends.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Flush tells the collector of what waits.
func (t *Tracer) Flush(ctx context.Context) error { return t.provider.ForceFlush(ctx) }

// heard is an exporter whose failures are told here, and not to the process's global
// handler.
type heard struct {
	sdk.SpanExporter
	onError func(error)
}

// ExportSpans implements sdk.SpanExporter.
func (h heard) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := h.SpanExporter.ExportSpans(ctx, spans); err != nil && h.onError != nil {
		h.onError(err)
	}
	return nil
}

// kinds says which spans stand at a border between gateways; all others are within one.
var kinds = map[string]trace.SpanKind{
	exchange.SpanRequest: trace.SpanKindServer, exchange.SpanTransfer: trace.SpanKindClient, exchange.SpanReceive: trace.SpanKindServer,
	exchange.SpanAdmission: trace.SpanKindConsumer, exchange.SpanSend: trace.SpanKindProducer,
}

// Begin implements exchange.Tracer.
func (t *Tracer) Begin(ctx context.Context, name string, parent exchange.TraceParent) (context.Context, exchange.Span) {
	if parent == "" {
		parent = exchange.TraceOf(ctx)
	}
	if within := trace.SpanContextFromContext(ctx); parent != "" && parentOf(within) != parent {
		ctx = trace.ContextWithRemoteSpanContext(ctx, contextOf(parent))
	}
	kind, ok := kinds[name]
	if !ok {
		kind = trace.SpanKindInternal
	}
	ctx, s := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	return exchange.WithTrace(ctx, parentOf(s.SpanContext())), span{s}
}

// parentOf writes c as a traceparent header does; empty when it is none.
func parentOf(c trace.SpanContext) exchange.TraceParent {
	if !c.IsValid() {
		return ""
	}
	return exchange.TraceParent("00-" + c.TraceID().String() + "-" + c.SpanID().String() + "-" + c.TraceFlags().String())
}

// contextOf reads a TraceParent.
func contextOf(p exchange.TraceParent) trace.SpanContext {
	const traceAt, spanAt, flagsAt = 3, 36, 53 // of the header's form
	var c trace.SpanContextConfig
	if p = exchange.ParseTraceParent(string(p)); p == "" {
		return trace.SpanContext{}
	}
	raw, err := hex.DecodeString(string(p[traceAt:traceAt+32] + p[spanAt:spanAt+16] + p[flagsAt:]))
	if err != nil {
		return trace.SpanContext{}
	}
	copy(c.TraceID[:], raw[:16])
	copy(c.SpanID[:], raw[16:24])
	c.TraceFlags, c.Remote = trace.TraceFlags(raw[24])&trace.FlagsSampled, true
	return trace.NewSpanContext(c)
}

type span struct{ trace.Span }

// Set implements exchange.Span.
func (s span) Set(key, value string) { s.SetAttributes(attribute.String("antin."+key, value)) }

// End implements exchange.Span.
func (s span) End(err error) {
	if err != nil {
		s.SetStatus(codes.Error, string(text.CodeOf(err)))
	}
	s.Span.End()
}
