package exchange_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"antin/exchange"
)

func TestTraceParentsAreReadAsTheRecommendationSays(t *testing.T) {
	t.Parallel()
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	if p := exchange.ParseTraceParent(good); string(p) != good || p.ID() != "4bf92f3577b34da6a3ce929d0e0e4736" {
		t.Errorf("read %q", p)
	}
	if p := exchange.ParseTraceParent("cc" + good[2:] + "-more"); string(p) != good {
		t.Errorf("a later version: %q", p)
	}
	for _, bad := range []string{"", good[:54], good + "-more", good + "x", "ff" + good[2:], strings.ToUpper(good), strings.Replace(good, "4bf92f3577b34da6a3ce929d0e0e4736", strings.Repeat("0", 32), 1),
		strings.Replace(good, "00f067aa0ba902b7", strings.Repeat("0", 16), 1), strings.ReplaceAll(good, "-", "_"), "zz" + good[2:]} {
		if p := exchange.ParseTraceParent(bad); p != "" || p.ID() != "" {
			t.Errorf("%q is read as %q", bad, p)
		}
	}
}

// spans remembers what was begun and under what, and gives each a place of its own.
type spans struct {
	mu    sync.Mutex
	begun []string
}

func (s *spans) Begin(ctx context.Context, name string, parent exchange.TraceParent) (context.Context, exchange.Span) {
	if parent == "" {
		parent = exchange.TraceOf(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, name)
	return exchange.WithTrace(ctx, parent), s
}

func (s *spans) Set(_, value string) {
	if value == "" || strings.ContainsAny(value, " /") { // ids and codes hold neither
		panic("a span says " + value)
	}
}

func (s *spans) End(error) {}

// A document, its receipt and the signal that comes back belong to the trace of the
// request that sent it, on both gateways, also past a restart of either.
func TestOneTraceHoldsBothSides(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	at, bt := &spans{}, &spans{}
	a.outbox.Tracer, a.inbox.Tracer, b.outbox.Tracer, b.inbox.Tracer = at, at, bt, bt
	const parent exchange.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	d := a.unsigned(t, 1)
	sent, err := a.outbox.Send(exchange.WithTrace(t.Context(), parent), a.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{"H15.02"}})
	must(t, err)
	if got := a.delivery(t, sent[0].ID).Trace; got != parent {
		t.Errorf("the delivery belongs to %q", got)
	}
	settle(t, a, b) // by another context, as after a restart
	for _, s := range []*site{a, b} {
		operator := exchange.Actor{ID: "it", Name: "IT", Role: exchange.RoleOperator, Agency: s.office.Agency.Code}
		found, err := (&exchange.Finder{Store: s.db, Now: s.Now}).Find(t.Context(), operator, parent.ID())
		must(t, err)
		if want := map[bool]exchange.ID{true: d.ID, false: b.documents(t)[0].ID}[s == a]; !slices.Contains(found.Subjects, want) {
			t.Errorf("%s finds %v, want %s", s.office.Agency.Code, found.Subjects, want)
		}
	}
	for name, c := range map[string]struct {
		got  []string
		want []string
	}{
		"sender":   {at.begun, []string{exchange.SpanSend, exchange.SpanTransfer, exchange.SpanReceipt, exchange.SpanReceive, exchange.SpanAdmission}},
		"receiver": {bt.begun, []string{exchange.SpanReceive, exchange.SpanAdmission, exchange.SpanTransfer, exchange.SpanReceipt}},
	} {
		for _, w := range c.want {
			if !slices.Contains(c.got, w) {
				t.Errorf("%s begins %v, without %s", name, c.got, w)
			}
		}
	}
}
