package main

import (
	"context"
	"fmt"
	"sync"

	"antin/exchange"
	"antin/internal/exchangebench"
)

// deliveredFeed tells senders that their message's receipt is verified and stored,
// from the evidence log itself, as an agency's own systems learn of it.
type deliveredFeed struct {
	c    *core
	mu   sync.Mutex
	wait map[exchange.ID]chan exchange.EventKind
	done map[exchange.ID]exchange.EventKind // came before anyone waited
}

// run follows the log until ctx ends.
func (f *deliveredFeed) run(ctx context.Context) error {
	seq := int64(0)
	for {
		ring := f.c.bell.Next(benchSender)
		if err := eachEvent(ctx, f.c.db, benchSender, &seq, f.hear); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ring:
		}
	}
}

func (f *deliveredFeed) hear(ev exchange.Event) {
	switch ev.Kind {
	case exchange.EventDelivered, exchange.EventDeliveryRefused, exchange.EventDeliveryEnded, exchange.EventContradiction:
	default:
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := f.wait[ev.Subject]; ok {
		delete(f.wait, ev.Subject)
		c <- ev.Kind
		return
	}
	f.done[ev.Subject] = ev.Kind
}

// delivered returns when the delivery has come to its end, nil for delivered.
func (f *deliveredFeed) delivered(ctx context.Context, id exchange.ID) error {
	f.mu.Lock()
	kind, ok := f.done[id]
	delete(f.done, id)
	c := make(chan exchange.EventKind, 1)
	if !ok {
		f.wait[id] = c
	}
	f.mu.Unlock()
	if !ok {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case kind = <-c:
		}
	}
	if kind != exchange.EventDelivered {
		return fmt.Errorf("%s: %s", id, kind)
	}
	return nil
}

// send is the sending gateway with the people who send.
func (p endPlan) send(ctx context.Context, e *env) error {
	c, err := p.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { _ = c.close() }()
	feed := &deliveredFeed{c: c, wait: map[exchange.ID]chan exchange.EventKind{}, done: map[exchange.ID]exchange.EventKind{}}
	run, quit := context.WithCancel(ctx)
	var ended sync.WaitGroup
	defer ended.Wait()
	defer quit()
	ended.Go(func() { _ = c.worker.Run(run) })
	ended.Go(func() { _ = feed.run(run) })
	clerk := exchange.Actor{ID: "tk_bench", Name: "Văn thư", Role: exchange.RoleClerk, Agency: benchSender}
	f, err := p.load(e).Run(ctx, func(ctx context.Context, n uint64) error {
		d, err := c.outbox.SendReady(ctx, clerk, exchange.ReadyMessage{To: benchReceiver, Number: fmt.Sprintf("%d/VB", n), Message: exchangebench.Payload(n, p.Cell.Size)})
		if err != nil {
			return err
		}
		return feed.delivered(ctx, d.ID)
	})
	if err != nil {
		return err
	}
	return printJSON(e.out, endSays{Figures: &f})
}
