package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"antin/internal/text"
)

const (
	// webhookLook is how often the log is looked at while nobody rings: what another
	// process wrote is handed over with this delay.
	webhookLook = 5 * time.Second
	// webhookPage is how many events are read at a time: what one webhook holds of memory.
	webhookPage = 64
	// webhookTurn bounds one turn at a webhook, so that a turn is not held for hours.
	webhookTurn = 30 * time.Second
	// webhookPatience is how long one event is tried again before it is set aside: a
	// weekend, and the Monday morning on which somebody sees it.
	webhookPatience = 72 * time.Hour
	// maxWebhookRetryAfter bounds what an address may ask for, so that it cannot put the
	// alarm off.
	maxWebhookRetryAfter = time.Hour
)

// webhookBackoff is the pause after each failure in a row; the last holds from then on.
var webhookBackoff = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

// WebhookCall is one request to the address of a webhook.
type WebhookCall struct {
	URL       string
	ID        string // webhook-id
	At        time.Time
	Signature string // webhook-signature
	Body      []byte
}

// WebhookAnswer is what came back.
type WebhookAnswer struct {
	Status     int           // of HTTP
	RetryAfter time.Duration // as it asked; 0 when it did not
}

// WebhookCaller reaches the addresses of webhooks. Implementations are safe for
// concurrent use, follow no redirection and read a bounded part of the answer.
type WebhookCaller interface {
	// Permits returns nil when the configuration lets address be called; an address whose
	// host has no answer at the moment is permitted when its name is listed.
	Permits(ctx context.Context, address string) error
	// Call makes one request. The error says why no whole answer came.
	Call(ctx context.Context, c WebhookCall) (WebhookAnswer, error)
}

// Run hands events over until ctx is done. Each webhook has a goroutine of its own with
// one request under way at most; without webhooks the database is looked at now and then
// and nothing else is done.
func (h *Webhooks) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	running := map[ID]context.CancelFunc{}
	for {
		changed := h.poked.Next(h.Agency) // before the look: what changes during it is seen
		active, err := h.active(ctx)
		if err != nil && ctx.Err() == nil {
			h.report(fmt.Errorf("looking for webhooks: %w", err))
		}
		for id, stop := range running {
			if err == nil && !active[id] {
				stop()
				delete(running, id)
			}
		}
		for id := range active {
			if running[id] != nil {
				continue
			}
			one, stop := context.WithCancel(ctx)
			running[id] = stop
			wg.Go(func() { defer stop(); h.serve(one, id) })
		}
		if !await(ctx, webhookLook, changed, nil) {
			return nil
		}
	}
}

// await waits for the first of its channels or for pause; false when ctx has ended.
func await(ctx context.Context, pause time.Duration, a, b <-chan struct{}) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-a:
	case <-b:
	}
	return true
}

// active returns the webhooks that are to be called.
func (h *Webhooks) active(ctx context.Context) (ids map[ID]bool, err error) {
	ids = map[ID]bool{}
	err = h.Store.View(ctx, func(tx Tx) error {
		clear(ids)
		all, err := tx.Webhooks(ctx, h.Agency)
		for _, w := range all {
			if !w.Disabled.Done() && len(ids) < MaxWebhooks {
				ids[w.ID] = true
			}
		}
		return err
	})
	return ids, err
}

// serve hands over to one webhook until ctx is done.
func (h *Webhooks) serve(ctx context.Context, id ID) {
	for {
		changed := h.poked.Next(h.Agency)
		var rung <-chan struct{}
		if h.Bell != nil {
			rung = h.Bell.Next(h.Agency)
		}
		next, err := h.drainSafely(ctx, id)
		if err != nil && ctx.Err() == nil {
			h.report(fmt.Errorf("webhook %s: %w", id, err))
		}
		pause := webhookLook
		if !next.IsZero() {
			rung = nil // what is new waits its turn
			pause = min(pause, max(0, next.Sub(h.now())))
		}
		if !await(ctx, pause, changed, rung) {
			return
		}
	}
}

// drainSafely is Drain; a panic in it ends this time, not the process.
func (h *Webhooks) drainSafely(ctx context.Context, id ID) (next time.Time, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return h.Drain(ctx, id)
}

func (h *Webhooks) report(err error) {
	if h.OnError != nil {
		h.OnError(err)
	}
}

// Drain hands over to one webhook what is due: events that are asked for again, then the
// next of the log, one after the other, until there is none or one is not taken. It
// returns when to come again, zero where that is when something new happens. What was
// handed over and not yet noted when the process died is handed over again, under the
// same id. An error means that our own side failed.
func (h *Webhooks) Drain(ctx context.Context, id ID) (next time.Time, err error) {
	w, err := h.look(ctx, id)
	if err != nil || !w.due(h.now()) {
		return w.row.NextAt, err
	}
	do := func(ctx context.Context, fence int64) (err error) {
		next, err = h.drain(ctx, id, fence)
		return err
	}
	if h.Worker == nil {
		return next, do(ctx, 0)
	}
	err = h.Worker.inTurn(ctx, Job{Kind: JobHandover, Key: string(id)}, do)
	return next, err
}

// webhookWork is what a webhook has before it.
type webhookWork struct {
	Webhook
	row    Handover
	events []Event
	again  []ParkedEvent
}

// due reports whether there is something to hand over at now.
func (w webhookWork) due(now time.Time) bool {
	if w.Disabled.Done() {
		return false
	}
	return len(w.again) > 0 || len(w.events) > 0 && w.row.Parked.IsZero() && !w.row.NextAt.After(now)
}

func (h *Webhooks) look(ctx context.Context, id ID) (w webhookWork, err error) {
	err = h.Store.View(ctx, func(tx Tx) (err error) {
		w = webhookWork{}
		if w.Webhook, err = tx.Webhook(ctx, id); err != nil || w.Disabled.Done() {
			return err
		}
		if w.row, err = tx.Handover(ctx, w.Agency, w.handover()); err != nil {
			return err
		}
		parked, err := tx.ParkedEvents(ctx, id, 0, webhookPage)
		if err != nil {
			return err
		}
		for _, p := range parked {
			if p.Again {
				w.again = append(w.again, p)
			}
		}
		if !w.row.Parked.IsZero() {
			return nil
		}
		w.events, err = tx.EventsAfter(ctx, w.Agency, w.row.Seq, webhookPage)
		return err
	})
	return w, err
}

// drain is Drain within a turn.
func (h *Webhooks) drain(ctx context.Context, id ID, fence int64) (next time.Time, err error) {
	begun := h.now()
	for {
		w, err := h.look(ctx, id)
		if err != nil || !w.due(h.now()) {
			return w.row.NextAt, err
		}
		for _, p := range w.again {
			if err := h.redeliver(ctx, w.Webhook, p, fence); err != nil {
				return time.Time{}, err
			}
		}
		goOn, err := h.page(ctx, w, fence)
		if err != nil || ctx.Err() != nil {
			return time.Time{}, err
		}
		if !goOn || h.now().Sub(begun) > webhookTurn {
			w, err := h.look(ctx, id)
			if w.due(h.now()) {
				return h.now(), err
			}
			return w.row.NextAt, err
		}
	}
}

// page hands one page of events over, in order; goOn is false when one was not taken.
func (h *Webhooks) page(ctx context.Context, w webhookWork, fence int64) (goOn bool, err error) {
	if w.row.NextAt.After(h.now()) { // only what was asked for again was due
		return false, nil
	}
	passed := int64(0)
	for _, e := range w.events {
		if !w.wants(e.Kind) {
			passed = e.Seq
			continue
		}
		answer, err := h.call(ctx, w.Webhook, e)
		if ctx.Err() != nil {
			return false, nil // stopping: whether it arrived is unknown, so it is told again
		}
		if goOn, err := h.settle(ctx, w.Webhook, e.Seq, fence, outcomeOf(answer, err)); err != nil || !goOn {
			return false, err
		}
		passed = 0
	}
	if passed == 0 {
		return true, nil
	}
	return h.settle(ctx, w.Webhook, passed, fence, called{})
}

// call tells w of e once.
func (h *Webhooks) call(ctx context.Context, w Webhook, e Event) (WebhookAnswer, error) {
	body, err := webhookBody(e)
	if err != nil {
		return WebhookAnswer{}, fmt.Errorf("writing event %d: %w", e.Seq, err)
	}
	now := h.now()
	return h.Caller.Call(ctx, WebhookCall{URL: w.URL, ID: e.WebhookID(), At: now, Signature: w.signature(e.WebhookID(), now, body), Body: body})
}

// called is what a call came to: the zero value that the event was taken.
type called struct {
	note  Note
	pause time.Duration // as the address asked
	gone  bool          // it asked not to be called any more
}

// The statuses of HTTP that mean something here.
const (
	statusTaken  = 200 // to 299
	statusMoved  = 300
	statusRefuse = 400
	statusGone   = 410
	statusFailed = 500
)

func outcomeOf(a WebhookAnswer, err error) called {
	switch {
	case err != nil && text.CodeOf(err) == text.Internal:
		return called{note: NoteOf(text.Detailed(text.PeerUnavailable, err, "webhook.unreached"))}
	case err != nil:
		return called{note: NoteOf(err)}
	case a.Status >= statusTaken && a.Status < statusMoved:
		return called{}
	case a.Status >= statusRefuse && a.Status < statusFailed:
		return called{note: NoteOf(text.Detailed(text.PeerRefused, nil, "webhook.status", a.Status)), pause: a.RetryAfter, gone: a.Status == statusGone}
	}
	return called{note: NoteOf(text.Detailed(text.PeerUnavailable, nil, "webhook.status", a.Status)), pause: a.RetryAfter}
}

// settle notes what became of the event of seq: taken, to be tried again, set aside, or
// the webhook given up. goOn is false when the next event must wait, also because a
// person or another process came between.
func (h *Webhooks) settle(ctx context.Context, w Webhook, seq int64, fence int64, c called) (goOn bool, err error) {
	now := h.now()
	var alarm *Handover
	err = h.Store.Update(ctx, func(tx Tx) error {
		goOn, alarm = false, nil
		if mine, err := holdsHandover(ctx, tx, string(w.ID), fence); err != nil || !mine {
			return err
		}
		fresh, err := tx.Webhook(ctx, w.ID)
		if err != nil {
			return err
		}
		row, err := tx.Handover(ctx, w.Agency, w.handover())
		if err != nil || row.Seq >= seq || !row.Parked.IsZero() {
			return err
		}
		if c.note.IsZero() {
			goOn = !fresh.Disabled.Done()
			return tx.SaveHandover(ctx, row.taken(seq, now))
		}
		if c.gone && !fresh.Disabled.Done() {
			return h.gone(ctx, tx, fresh, c.note)
		}
		row = row.failed(c.note, now, max(h.pause(row.Attempts+1, w.ID), min(c.pause, maxWebhookRetryAfter)))
		if now.Sub(row.FailingSince) < webhookPatience && !row.Parking {
			return tx.SaveHandover(ctx, row)
		}
		row, err = h.giveUp(ctx, tx, w, row, seq, now)
		goOn, alarm = row.Parked.IsZero(), &row
		return err
	})
	if err == nil && alarm != nil && h.OnAlarm != nil {
		h.OnAlarm(w, *alarm)
	}
	return goOn, err
}

// holdsHandover reports whether the turn at a taker is still ours.
func holdsHandover(ctx context.Context, tx Tx, key string, fence int64) (bool, error) {
	if fence == 0 {
		return true, nil
	}
	return tx.HoldsTurn(ctx, JobHandover, key, fence)
}

// gone stops a webhook whose address says that it is no more.
func (h *Webhooks) gone(ctx context.Context, tx Tx, w Webhook, why Note) error {
	by := System(w.Agency)
	w.Disabled, w.Why = Fact{At: h.now(), By: by}, why
	if err := tx.SaveWebhook(ctx, w); err != nil {
		return err
	}
	return h.event(ctx, tx, EventWebhookDisabled, by, w, map[string]string{"name": w.Name})
}

// giveUp sets the event of seq aside, so that one that the address chokes on does not
// hold up the others; where the next one is not taken either, it gives up the webhook.
func (h *Webhooks) giveUp(ctx context.Context, tx Tx, w Webhook, row Handover, seq int64, now time.Time) (Handover, error) {
	data := map[string]string{"name": w.Name, "code": string(row.Note.Code)}
	if row.Parking {
		row.Parked, row.NextAt = now, time.Time{}
	} else {
		if err := tx.ParkEvent(ctx, ParkedEvent{Webhook: w.ID, Seq: seq, At: now, Note: row.Note}); err != nil {
			return row, err
		}
		row = Handover{Agency: row.Agency, Name: row.Name, Seq: seq, TakenAt: row.TakenAt, Note: row.Note, Parking: true}
	}
	if err := tx.SaveHandover(ctx, row); err != nil {
		return row, err
	}
	return row, h.event(ctx, tx, EventWebhookParked, System(w.Agency), w, data)
}

// pause is how long to wait after so many failures in a row: the schedule, 20 % more or
// less, so that webhooks that failed together do not come back together.
func (h *Webhooks) pause(failures int, id ID) time.Duration {
	return spread(webhookBackoff[min(max(failures, 1), len(webhookBackoff))-1], fmt.Sprintf("%s %d", id, failures))
}

// redeliver tells w once more of an event that was asked for.
func (h *Webhooks) redeliver(ctx context.Context, w Webhook, p ParkedEvent, fence int64) error {
	var e Event
	err := h.Store.View(ctx, func(tx Tx) error {
		events, err := tx.EventsAfter(ctx, w.Agency, p.Seq-1, 1)
		if err != nil {
			return err
		}
		if len(events) == 0 || events[0].Seq != p.Seq {
			return errors.New("the log has no such event")
		}
		e = events[0]
		return nil
	})
	if err != nil {
		return err
	}
	answer, err := h.call(ctx, w, e)
	if ctx.Err() != nil {
		return nil
	}
	c := outcomeOf(answer, err)
	return h.Store.Update(ctx, func(tx Tx) error {
		if mine, err := holdsHandover(ctx, tx, string(w.ID), fence); err != nil || !mine {
			return err
		}
		if c.note.IsZero() {
			return tx.UnparkEvent(ctx, w.ID, p.Seq)
		}
		return tx.ParkEvent(ctx, ParkedEvent{Webhook: w.ID, Seq: p.Seq, At: h.now(), Note: c.note})
	})
}

// poke has Run look at once.
func (h *Webhooks) poke() { h.poked.Ring(h.Agency) }
