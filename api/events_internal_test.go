package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"antin/exchange"
)

// feed is a log that grows when the test says so.
type feed struct{ events []exchange.Event }

func (f *feed) look() ([]exchange.Event, error) { return f.events, nil }

func TestWhoWaitsIsWokenByTheBellByTheLookAndByTheEnd(t *testing.T) {
	t.Parallel()
	grow := func(f *feed) { f.events = append(f.events, exchange.Event{Seq: 1}) }
	for name, wake := range map[string]func(bell *exchange.Bell, look chan<- time.Time){
		"bell": func(bell *exchange.Bell, _ chan<- time.Time) { bell.Ring("A") },
		"look": func(_ *exchange.Bell, look chan<- time.Time) { look <- time.Time{} },
	} {
		bell, f, look := &exchange.Bell{}, &feed{}, make(chan time.Time)
		first := true
		got, err := awaitEvents(t.Context(), alarms{grown: func() <-chan struct{} { return bell.Next("A") }, look: look}, func() ([]exchange.Event, error) {
			if first { // nothing is there yet; it comes while we wait
				first = false
				go func() {
					bell.Ring("B") // another agency's wakes nobody here
					wake(bell, look)
				}()
				defer grow(f)
				return nil, nil
			}
			return f.look()
		})
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	over := make(chan time.Time, 1)
	over <- time.Time{}
	none := func() <-chan struct{} { return nil }
	if got, err := awaitEvents(t.Context(), alarms{grown: none, over: over}, (&feed{}).look); err != nil || len(got) != 0 {
		t.Errorf("the end of the wait: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := awaitEvents(ctx, alarms{grown: none}, (&feed{}).look); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that went: %v", err)
	}
}

func TestAGrowthDuringTheLookIsNotMissed(t *testing.T) {
	t.Parallel()
	bell, f, looks := &exchange.Bell{}, &feed{}, 0
	got, err := awaitEvents(t.Context(), alarms{grown: func() <-chan struct{} { return bell.Next("A") }}, func() ([]exchange.Event, error) {
		if looks++; looks == 1 {
			seen := f.events
			f.events = []exchange.Event{{Seq: 1}} // written and rung for just after we looked
			bell.Ring("A")
			return seen, nil
		}
		return f.look()
	})
	if err != nil || len(got) != 1 || looks != 2 {
		t.Errorf("%v, %v after %d looks", got, err, looks)
	}
}
