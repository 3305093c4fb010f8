package api

import (
	"context"
	"time"

	"antin/exchange"
)

const (
	// maxWait is the longest that a question for events waits for one, in seconds: less
	// than proxies wait for an answer.
	maxWait = 25
	// waitLook is how often the feed is looked at while someone waits and nobody rings:
	// what another process writes into the same data, as `antin user` does, is told of
	// with this delay. A look is the read of one row.
	waitLook = 5 * time.Second
	// maxWaiting bounds the questions that wait at once; the next one is answered as it stands.
	maxWaiting = 64
)

// alarms are what ends the wait for events: log has grown, look once more, give up.
type alarms struct {
	grown      func() <-chan struct{} // of the next growth; taken before each look
	look, over <-chan time.Time
}

// awaitEvents looks until there is something, or time is over.
func awaitEvents(ctx context.Context, a alarms, look func() ([]exchange.Event, error)) ([]exchange.Event, error) {
	for {
		grown := a.grown() // before the look: what is written during it still wakes us
		events, err := look()
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-a.over:
			return nil, nil
		case <-grown:
		case <-a.look:
		}
	}
}
