package exchange

import (
	"context"
	"encoding/hex"
	"strings"
)

// TraceParent is the place in a trace that work belongs to, as the W3C header of that
// name has it: "00-", 32 hexadecimal digits of the trace, "-", 16 of the span, "-", two
// of flags. Empty means none. It goes with a transfer to the peer and rests with it
// while it waits, and says nothing of what is in it.
type TraceParent string

// The form of a TraceParent.
const (
	traceLength = 55 // in bytes, of version 00
	traceAt     = 3  // where the trace's id begins
	traceEnd    = 35
	spanEnd     = 52
)

// ParseTraceParent reads the value of a traceparent header; empty when it is none that
// can be followed. A later version is read by the form of this one, as the
// recommendation says.
func ParseTraceParent(s string) TraceParent {
	if len(s) < traceLength || s[2] != '-' || s[traceEnd] != '-' || s[spanEnd] != '-' || s[:2] == "ff" {
		return ""
	}
	if len(s) > traceLength && (s[:2] == "00" || s[traceLength] != '-') {
		return ""
	}
	trace, span, flags := s[traceAt:traceEnd], s[traceEnd+1:spanEnd], s[spanEnd+1:traceLength]
	for _, part := range []string{s[:2], trace, span, flags} {
		if b, err := hex.DecodeString(part); err != nil || hex.EncodeToString(b) != part {
			return ""
		}
	}
	if strings.Trim(trace, "0") == "" || strings.Trim(span, "0") == "" {
		return ""
	}
	return TraceParent("00-" + trace + "-" + span + "-" + flags)
}

// ID returns the id of the trace, 32 hexadecimal digits; empty for none.
func (p TraceParent) ID() string {
	if len(p) != traceLength {
		return ""
	}
	return string(p[traceAt:traceEnd])
}

type traceKey struct{}

// WithTrace returns a context whose work belongs to p; an empty p leaves ctx as it is.
func WithTrace(ctx context.Context, p TraceParent) context.Context {
	if p == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, p)
}

// TraceOf returns what the work of ctx belongs to; empty for none.
func TraceOf(ctx context.Context) TraceParent {
	p, _ := ctx.Value(traceKey{}).(TraceParent)
	return p
}

// Tracer hears of the work that is done for a request, on its way through queue and
// peer. Implementations are safe for concurrent use, quick, and never fail; what they
// are told of is ids and codes, never a name, a number or a title.
type Tracer interface {
	// Begin says that the work name begins, as part of parent, or of ctx's trace where
	// parent is empty. The context that it returns belongs to it.
	Begin(ctx context.Context, name string, parent TraceParent) (context.Context, Span)
}

// The names of spans.
const (
	SpanRequest   = "antin.request"   // one of the API or of the pages
	SpanSend      = "antin.send"      // a document handed to the outbox
	SpanTransfer  = "antin.transfer"  // one attempt at the peer
	SpanReceipt   = "antin.receipt"   // what its answer makes of the delivery, stored
	SpanReceive   = "antin.receive"   // a transfer taken in, up to its receipt
	SpanAdmission = "antin.admission" // what came in, read and checked
)

// Span is work that a Tracer heard of.
type Span interface {
	// Set says one particular: an id, a code or a count.
	Set(key, value string)
	// End says that the work has ended; err, where not nil, by its code alone.
	End(err error)
}

// describe says on s what d is: ids and codes.
func (d Delivery) describe(s Span) Span {
	if _, off := s.(silent); off {
		return s
	}
	s.Set("delivery", string(d.ID))
	s.Set("transfer", string(d.TransferID))
	s.Set("receiver", string(d.To))
	s.Set("kind", string(d.Kind))
	return s
}

// silent is the Span of no Tracer.
type silent struct{}

// Set implements Span.
func (silent) Set(string, string) {}

// End implements Span.
func (silent) End(error) {}

// begin is t.Begin, and free where t is nil.
func begin(ctx context.Context, t Tracer, name string, parent TraceParent) (context.Context, Span) {
	if t == nil {
		return WithTrace(ctx, parent), silent{}
	}
	return t.Begin(ctx, name, parent)
}
