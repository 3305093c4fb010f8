package exchange_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
)

// ready sends n opaque messages to the agency to.
func (s *site) ready(t *testing.T, to exchange.AgencyCode, n, priority int) (out []exchange.Delivery) {
	t.Helper()
	for i := range n {
		d, err := s.outbox.SendReady(t.Context(), s.clerk, exchange.ReadyMessage{To: to, Priority: priority,
			Message: strings.NewReader(fmt.Sprintf("%s %d %d", to, priority, i))})
		must(t, err)
		out = append(out, d)
	}
	return out
}

// gate is a transport that lets nothing through until it is opened, and sees how much
// waits before it. It is safe for concurrent use.
type gate struct {
	exchange.Transport
	open    chan struct{}
	arrived chan exchange.TransferID
	most    atomic.Int64
	now     atomic.Int64
}

func newGate(next exchange.Transport) *gate {
	return &gate{Transport: next, open: make(chan struct{}), arrived: make(chan exchange.TransferID, 1000)}
}

// Deliver implements exchange.Transport.
func (g *gate) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	n := g.now.Add(1)
	defer g.now.Add(-1)
	for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
	}
	g.arrived <- e.TransferID
	<-g.open
	return g.Transport.Deliver(ctx, to, e)
}

func TestALaneSendsOneToAnUnprovenPeerThenSeveralAtATime(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	sent := a.ready(t, "H15.02", 40, 0)
	g := newGate(a.wire)
	a.outbox.Transport = g
	done := make(chan error, 1)
	go func() { done <- a.outbox.Drain(t.Context(), a.lane(b)) }()
	if first := <-g.arrived; first != sent[0].TransferID {
		t.Error("the oldest did not go first")
	}
	if n := g.now.Load(); n != 1 {
		t.Errorf("%d transfers at a peer that has not answered yet", n)
	}
	close(g.open)
	must(t, <-done)
	if most := g.most.Load(); most < 2 || most > exchange.DefaultInFlight {
		t.Errorf("at most %d were under way", most)
	}
	for _, d := range sent {
		if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered {
			t.Fatalf("%s is %s", d.ID, got.State)
		}
	}
	a.checkEvidence(t)
	b.checkEvidence(t)
}

func TestUrgentDocumentsLeaveFirst(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	a.outbox.InFlight = 1
	var order []exchange.TransferID
	a.outbox.Transport = watched{a.wire, func(id exchange.TransferID) { order = append(order, id) }}
	slow, urgent, middle := a.ready(t, "H15.02", 3, 0), a.ready(t, "H15.02", 2, 3), a.ready(t, "H15.02", 1, 1)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	want := append(append(urgent, middle...), slow...)
	for i, d := range want {
		if order[i] != d.TransferID {
			t.Fatalf("place %d went to another", i)
		}
	}
}

// watched tells of every delivery that begins.
type watched struct {
	exchange.Transport
	saw func(exchange.TransferID)
}

func (w watched) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	w.saw(e.TransferID)
	return w.Transport.Deliver(ctx, to, e)
}

// together answers nobody, once all are there.
type together struct {
	all *sync.WaitGroup
}

func (x together) Deliver(context.Context, exchange.Agency, exchange.Envelope) ([]byte, error) {
	x.all.Done()
	x.all.Wait()
	return nil, &exchange.DeliveryError{Class: exchange.ClassPeerDown, Err: fmt.Errorf("no answer")}
}

func (x together) Close(context.Context, exchange.Agency, exchange.Envelope) ([]byte, error) {
	return nil, fmt.Errorf("no answer")
}

func TestOneOutageCountsOnceHoweverManyWereUnderWay(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	a.ready(t, "H15.02", 1, 0)
	must(t, a.outbox.Drain(t.Context(), a.lane(b))) // the peer answers: the lane is wide now
	sent := a.ready(t, "H15.02", exchange.DefaultInFlight, 0)
	var all sync.WaitGroup
	all.Add(len(sent))
	a.outbox.Transport = together{&all}
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	lane, err := a.outbox.Lane(t.Context(), a.clerk, "H15.02")
	must(t, err)
	if lane.Failures != 1 || lane.RetryAt.Sub(a.Now()) > 10*time.Second {
		t.Errorf("%d failures, next try in %s", lane.Failures, lane.RetryAt.Sub(a.Now()))
	}
	a.outbox.Transport = a.wire
	a.advance(time.Minute)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	for _, d := range sent {
		if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered || got.Attempts != 0 {
			t.Fatalf("%s after %d attempts", got.State, got.Attempts)
		}
	}
}

// counted counts what is asked of a store and its queue.
type counted struct {
	exchange.Store
	updates, views, jobs atomic.Int64
}

func (c *counted) Update(ctx context.Context, fn func(tx exchange.Tx) error) error {
	c.updates.Add(1)
	return c.Store.Update(ctx, func(tx exchange.Tx) error { return fn(countedTx{tx, c}) })
}

func (c *counted) View(ctx context.Context, fn func(tx exchange.Tx) error) error {
	c.views.Add(1)
	return c.Store.View(ctx, fn)
}

type countedTx struct {
	exchange.Tx
	c *counted
}

func (t countedTx) Enqueue(ctx context.Context, j exchange.Job) error {
	t.c.jobs.Add(1)
	return t.Tx.Enqueue(ctx, j)
}

func TestDeadPeersCostNothingWhileTheyRest(t *testing.T) {
	t.Parallel()
	const peers, each = 50, 20
	a, _ := newPair(t)
	directory := exchange.AgencyList{a.office.Agency}
	for i := range peers {
		directory = append(directory, exchangetest.NewParty(exchange.AgencyCode(fmt.Sprintf("H16.%02d", i))).Agency)
	}
	a.outbox.Directory, a.outbox.Transport = directory, unreachable{}
	for _, peer := range directory[1:] {
		a.ready(t, peer.Code, each, 0)
	}
	c := &counted{Store: a.db}
	a.outbox.Store, a.worker.Store = c, c
	for _, peer := range directory[1:] {
		must(t, a.outbox.Drain(t.Context(), exchange.Lane{From: "H15.01", To: peer.Code}))
	}
	// One attempt and one wake-up for a peer, whatever waits for it.
	if n := c.updates.Load(); n != 2*peers {
		t.Errorf("%d updates for %d peers", n, peers)
	}
	if n := c.jobs.Load(); n != peers {
		t.Errorf("%d jobs for %d peers", n, peers)
	}
	c.updates.Store(0)
	c.views.Store(0)
	c.jobs.Store(0)
	// Woken for nothing, or a hundred times more, nothing is tried and nothing written.
	for range 3 {
		for _, peer := range directory[1:] {
			must(t, a.outbox.Drain(t.Context(), exchange.Lane{From: "H15.01", To: peer.Code}))
		}
	}
	if u, j := c.updates.Load(), c.jobs.Load(); u != 0 || j != 0 {
		t.Errorf("resting peers cost %d updates and %d jobs", u, j)
	}
}

func TestAThousandReceiversShareOneCopyOfTheBytes(t *testing.T) {
	t.Parallel()
	const receivers = 1000
	a, _ := newPair(t)
	directory := exchange.AgencyList{a.office.Agency}
	var to []exchange.AgencyCode
	one := exchangetest.NewParty("H17.0000").Agency
	for i := range receivers {
		agency := one
		agency.Code = exchange.AgencyCode(fmt.Sprintf("H17.%04d", i))
		directory, to = append(directory, agency), append(to, agency.Code)
	}
	a.outbox.Directory = directory
	doc := a.unsigned(t, 1)
	c := &counted{Store: a.db}
	a.outbox.Store = c
	out, err := a.outbox.Send(t.Context(), a.clerk, exchange.SendRequest{Document: doc.ID, To: to})
	must(t, err)
	if len(out) != receivers {
		t.Fatalf("%d deliveries", len(out))
	}
	ids := map[exchange.TransferID]bool{}
	for _, d := range out {
		ids[d.TransferID] = true
		if d.Payload != out[0].Payload || d.State != exchange.DeliveryReady || len(d.Manifest) == 0 {
			t.Fatalf("%s: %+v", d.To, d.Payload)
		}
	}
	if len(ids) != receivers || c.updates.Load() != 1 {
		t.Errorf("%d transfers in %d updates", len(ids), c.updates.Load())
	}
}
