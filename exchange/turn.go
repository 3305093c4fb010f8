package exchange

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// DefaultInFlight is how many transfers may be under way to one peer at once: enough
	// to fill a line whose answers take some milliseconds, and what one commit of the
	// store can hold together.
	DefaultInFlight = 16
	// liveSlots bounds transfers under way to all peers that answer, probeSlots those to
	// peers that failed last: five hundred dead peers wait for one another and never
	// hold up a live one.
	liveSlots, probeSlots = 64, 32
	// drainBatch is how many deliveries are read at a time.
	drainBatch = 64
	// drainTime bounds one turn of a lane, so that a job of the queue ends in time; what
	// is left gets a turn of its own.
	drainTime = 30 * time.Second
)

// slots bounds what is under way over all lanes. Lanes get theirs in the order they
// asked, each for one transfer at a time, so that a lane with a thousand documents
// takes turns with a lane that has one. The zero value is ready.
type slots struct {
	once        sync.Once
	live, probe chan struct{}
}

func (s *slots) take(ctx context.Context, probing bool) (release func(), err error) {
	s.once.Do(func() { s.live, s.probe = make(chan struct{}, liveSlots), make(chan struct{}, probeSlots) })
	c := s.live
	if probing {
		c = s.probe
	}
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Drain sends what is due in lane, several transfers at a time, urgent ones first,
// then the oldest, until nothing is due, the peer fails or its turn ends, and sees to
// it that the lane is woken again when something will be due. A peer that was not
// heard of since the process began, or failed last, gets one transfer alone first. An
// error means that our own side failed.
func (o *Outbox) Drain(ctx context.Context, lane Lane) error { return o.drain(ctx, lane, 0, nil) }

// drain is Drain; each word that comes says that more may be due by now. fence is that
// of the turn at the lane, 0 where nobody else may have one.
func (o *Outbox) drain(ctx context.Context, lane Lane, fence int64, word <-chan struct{}) error {
	if o.shut(ctx) {
		return nil
	}
	t := &turn{o: o, lane: lane, word: word, begin: o.Now().UTC(), look: true, width: 1, flying: map[ID]bool{},
		done: make(chan landed, o.inFlight())}
	t.trouble.fence = fence
	if o.warm(lane) {
		t.width = o.inFlight()
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	return t.end(ctx)
}

func (o *Outbox) inFlight() int {
	if o.InFlight > 0 {
		return o.InFlight
	}
	return DefaultInFlight
}

// turn is a lane at work. Its attempts run beside one another; all else is done by
// the one goroutine that runs it.
type turn struct {
	o       *Outbox
	lane    Lane
	word    <-chan struct{}
	begin   time.Time
	state   LaneState // as it was when the turn last looked
	width   int       // how many may be under way
	look    bool      // more may be due than was read
	ready   []Delivery
	flying  map[ID]bool
	done    chan landed
	trouble trouble
	over    bool // the peer failed, we did, or the time is up: nothing more begins
	failed  error
}

// landed is an attempt that ended.
type landed struct {
	id   ID
	goOn bool
	err  error
}

func (t *turn) run(ctx context.Context) error {
	for {
		if err := t.fill(ctx); err != nil {
			t.fail(err)
		}
		if len(t.flying) == 0 && (t.over || len(t.ready) == 0) {
			return t.failed
		}
		select {
		case l := <-t.done:
			t.land(l)
		case <-t.word:
			t.look = true
		}
	}
}

// fill begins as many attempts as may be under way.
func (t *turn) fill(ctx context.Context) error {
	if t.o.Now().Sub(t.begin) > drainTime || ctx.Err() != nil {
		t.over = true
	}
	for !t.over && len(t.flying) < t.width {
		if len(t.ready) == 0 {
			if !t.look {
				return nil
			}
			if err := t.read(ctx); err != nil || len(t.ready) == 0 {
				return err
			}
		}
		release, err := t.o.slots.take(ctx, t.state.Failures > 0)
		if err != nil {
			t.over = true // stopping
			return nil
		}
		d := t.ready[0]
		t.ready = t.ready[1:]
		t.flying[d.ID] = true
		go t.fly(ctx, d, release)
	}
	return nil
}

// read looks for what is due and not under way yet.
func (t *turn) read(ctx context.Context) error {
	now := t.o.Now().UTC()
	under := make([]ID, 0, len(t.flying))
	for id := range t.flying {
		under = append(under, id)
	}
	err := t.o.Store.View(ctx, func(tx Tx) (err error) {
		if t.state, err = tx.Lane(ctx, t.lane); err != nil {
			return err
		}
		if t.ready = nil; t.state.stopped(now) {
			return nil
		}
		t.ready, err = tx.DueDeliveries(ctx, t.lane, now, drainBatch, under...)
		return err
	})
	if t.state.Failures > 0 || t.state.Halted {
		t.trouble.some.Store(true)
	}
	t.look = len(t.ready) == drainBatch
	return err
}

// fly makes one attempt. A panic in it ends the attempt, not the process.
func (t *turn) fly(ctx context.Context, d Delivery, release func()) {
	l := landed{id: d.ID}
	defer func() {
		if p := recover(); p != nil {
			l.goOn, l.err = false, panicked(p)
		}
		release()
		t.done <- l // its buffer holds as many as may be under way
	}()
	if l.goOn, l.err = t.o.attempt(ctx, d, &t.trouble); l.err != nil {
		l.err = fmt.Errorf("sending %s: %w", d.ID, l.err)
	}
}

func (t *turn) land(l landed) {
	delete(t.flying, l.id)
	switch {
	case l.err != nil:
		t.fail(l.err)
	case !l.goOn:
		t.over = true
		t.o.cool(t.lane)
	default:
		t.state = t.state.mended()
		t.width = t.o.inFlight()
		t.o.heat(t.lane)
	}
}

func (t *turn) fail(err error) {
	t.over = true
	if t.failed == nil {
		t.failed = err
	}
}

// end sees to it that the lane is woken when its next delivery is due. Where nothing
// waits, nothing is written.
func (t *turn) end(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil // whoever starts next looks at every lane
	}
	var at time.Time
	var some bool
	err := t.o.Store.View(ctx, func(tx Tx) (err error) {
		at, some, err = nextTurn(ctx, tx, t.lane)
		return err
	})
	if err != nil || !some || t.o.alarmSet(t.lane, at) {
		return err
	}
	err = t.o.Store.Update(ctx, func(tx Tx) error {
		return tx.Enqueue(ctx, Job{Kind: JobLane, Key: t.lane.key(), At: at})
	})
	if err == nil {
		t.o.setAlarm(t.lane, at)
	}
	return err
}

// nextTurn is when lane has something to do next; some is false when nothing waits.
func nextTurn(ctx context.Context, tx Tx, lane Lane) (at time.Time, some bool, err error) {
	at, some, err = tx.NextInLane(ctx, lane)
	if err != nil || !some {
		return at, false, err
	}
	state, err := tx.Lane(ctx, lane)
	if err != nil || state.Held.Done() {
		return at, false, err
	}
	if state.RetryAt.After(at) {
		at = state.RetryAt
	}
	return at, true, nil
}

// stopped reports whether nothing may be tried at now.
func (s LaneState) stopped(now time.Time) bool { return s.Held.Done() || s.RetryAt.After(now) }

// laneMemory is what the process remembers of its lanes between turns: which peers
// answered last, and for when the queue was asked to wake a lane. Forgetting it costs
// one careful attempt or one more row. The zero value is ready.
type laneMemory struct {
	mu     sync.Mutex
	warm   map[Lane]bool
	alarms map[Lane]time.Time
}

func (o *Outbox) warm(l Lane) bool {
	o.memory.mu.Lock()
	defer o.memory.mu.Unlock()
	return o.memory.warm[l]
}

func (o *Outbox) heat(l Lane) {
	o.memory.mu.Lock()
	defer o.memory.mu.Unlock()
	if o.memory.warm == nil {
		o.memory.warm = map[Lane]bool{}
	}
	o.memory.warm[l] = true
	delete(o.memory.alarms, l)
}

func (o *Outbox) cool(l Lane) {
	o.memory.mu.Lock()
	defer o.memory.mu.Unlock()
	delete(o.memory.warm, l)
}

// alarmSet reports whether the queue was asked already to wake l at the time at,
// which is still to come.
func (o *Outbox) alarmSet(l Lane, at time.Time) bool {
	o.memory.mu.Lock()
	defer o.memory.mu.Unlock()
	set, ok := o.memory.alarms[l]
	return ok && set.Equal(at) && at.After(o.Now())
}

func (o *Outbox) setAlarm(l Lane, at time.Time) {
	o.memory.mu.Lock()
	defer o.memory.mu.Unlock()
	if o.memory.alarms == nil {
		o.memory.alarms = map[Lane]time.Time{}
	}
	o.memory.alarms[l] = at
}
