package exchange

import (
	"context"
	"errors"
	"strings"
	"time"

	"antin/internal/text"
)

// The facts about webhooks.
const (
	EventWebhookCreated     EventKind = "webhook.created"
	EventWebhookRotated     EventKind = "webhook.rotated"
	EventWebhookDisabled    EventKind = "webhook.disabled"
	EventWebhookEnabled     EventKind = "webhook.enabled"
	EventWebhookRedelivered EventKind = "webhook.redelivered" // asked for by a person
	EventWebhookParked      EventKind = "webhook.parked"      // given up, or one event set aside
)

const (
	// maxWebhookOverlap is how long an old secret may go on beside its successor.
	maxWebhookOverlap = 30 * 24 * time.Hour
	// maxParkedShown bounds the events set aside that a view of a webhook lists.
	maxParkedShown = 100
)

// Webhooks are the addresses that facts are handed to: who may change them, and, by Run,
// the handing over itself. Its fields are set once, before use; its methods are safe for
// concurrent use.
type Webhooks struct {
	Store Store
	Now   func() time.Time
	// Caller reaches the addresses. Nil where none is called from this process: then
	// addresses are not judged when they are added, but when they are called.
	Caller WebhookCaller
	// Worker shares the work out among several processes on one database.
	Worker *Worker
	// Agency is whose log is handed over by Run.
	Agency AgencyCode
	// Bell, where set, tells Run of new events; without it they are looked for.
	Bell *Bell
	// OnAlarm hears of a webhook that was given up and of an event that was set aside;
	// OnError of what failed on our own side. Either may be nil.
	OnAlarm func(w Webhook, h Handover)
	OnError func(err error)

	poked Bell // rings when something about the webhooks was changed here
}

func (h *Webhooks) now() time.Time { return h.Now().UTC().Truncate(time.Microsecond) }

// Add makes a webhook and returns its secret, which is not shown again. Errors:
// not-allowed, invalid-input, limit-exceeded.
func (h *Webhooks) Add(ctx context.Context, by Actor, n NewWebhook) (secret string, v WebhookView, err error) {
	if err := manages(by); err != nil {
		return "", v, err
	}
	if n, err = checkWebhook(n); err != nil {
		return "", v, err
	}
	if h.Caller != nil {
		if err := h.Caller.Permits(ctx, n.URL); err != nil {
			return "", v, text.Detailed(text.InvalidInput, err, "webhook.blocked")
		}
	}
	now := h.now()
	w := Webhook{ID: NewID(PrefixWebhook, now), Agency: by.Agency, Name: n.Name, URL: n.URL, Kinds: n.Kinds, Secret: newWebhookSecret(), CreatedAt: now}
	err = h.Store.Update(ctx, func(tx Tx) error {
		if err := roomForWebhook(ctx, tx, by.Agency, ""); err != nil {
			return err
		}
		if err := tx.CreateWebhook(ctx, w); err != nil {
			return err
		}
		if err := h.event(ctx, tx, EventWebhookCreated, by, w, map[string]string{"name": w.Name, "host": hostOf(w.URL)}); err != nil {
			return err
		}
		last, err := tx.LastEvent(ctx, by.Agency)
		if err != nil {
			return err
		}
		from := last.Seq
		if n.After >= 0 {
			from = min(n.After, last.Seq)
		}
		return tx.SaveHandover(ctx, Handover{Agency: by.Agency, Name: w.handover(), Seq: from})
	})
	if err != nil {
		return "", v, err
	}
	h.poke()
	v, err = h.Get(ctx, by, w.ID)
	return string(w.Secret), v, err
}

// roomForWebhook returns limit-exceeded when agency has as many webhooks as it may,
// besides the webhook but.
func roomForWebhook(ctx context.Context, tx Tx, agency AgencyCode, but ID) error {
	all, err := tx.Webhooks(ctx, agency)
	if err != nil {
		return err
	}
	n := 0
	for _, w := range all {
		if !w.Disabled.Done() && w.ID != but {
			n++
		}
	}
	if n >= MaxWebhooks {
		return text.Detailed(text.LimitExceeded, nil, "webhook.many", MaxWebhooks)
	}
	return nil
}

// hostOf is what a log says of an address: a path may hold a key.
func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	return host
}

func (h *Webhooks) event(ctx context.Context, tx Tx, kind EventKind, by Actor, w Webhook, data map[string]string) error {
	_, err := tx.AppendEvent(ctx, Event{Agency: w.Agency, At: h.now(), Kind: kind, Subject: w.ID, By: by, Data: data})
	return err
}

// List returns the webhooks of by's agency, oldest first. Error: not-allowed.
func (h *Webhooks) List(ctx context.Context, by Actor) (out []WebhookView, err error) {
	if err := manages(by); err != nil {
		return nil, err
	}
	err = h.Store.View(ctx, func(tx Tx) error {
		out = nil
		all, err := tx.Webhooks(ctx, by.Agency)
		if err != nil {
			return err
		}
		for _, w := range all {
			v, err := webhookView(ctx, tx, w)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// Get returns one webhook. Errors: not-allowed, not-found.
func (h *Webhooks) Get(ctx context.Context, by Actor, id ID) (v WebhookView, err error) {
	if err := manages(by); err != nil {
		return v, err
	}
	err = h.Store.View(ctx, func(tx Tx) error {
		w, err := ownWebhook(ctx, tx, by, id)
		if err != nil {
			return err
		}
		v, err = webhookView(ctx, tx, w)
		return err
	})
	return v, err
}

func ownWebhook(ctx context.Context, tx Tx, by Actor, id ID) (Webhook, error) {
	w, err := tx.Webhook(ctx, id)
	if err != nil {
		return w, err
	}
	return w, ownedBy(w.Agency, by)
}

// webhookView tells how far w has come, and leaves its secrets out.
func webhookView(ctx context.Context, tx Tx, w Webhook) (v WebhookView, err error) {
	v.Webhook = w
	v.Secret, v.OldSecret = "", ""
	if v.Handover, err = tx.Handover(ctx, w.Agency, w.handover()); err != nil {
		return v, err
	}
	last, err := tx.LastEvent(ctx, w.Agency)
	if err != nil {
		return v, err
	}
	v.Behind = max(0, last.Seq-v.Handover.Seq)
	switch {
	case w.Disabled.Done():
		v.State = WebhookDisabled
	case !v.Handover.Parked.IsZero():
		v.State = WebhookParked
	case v.Handover.Attempts > 0:
		v.State = WebhookFailing
	default:
		v.State = WebhookActive
	}
	v.Parked, err = tx.ParkedEvents(ctx, w.ID, 0, maxParkedShown)
	return v, err
}

// change has f change a webhook of by's agency, saves it, and says so in the log.
func (h *Webhooks) change(ctx context.Context, by Actor, id ID, kind EventKind, f func(tx Tx, w *Webhook) (bool, error)) error {
	if err := manages(by); err != nil {
		return err
	}
	err := h.Store.Update(ctx, func(tx Tx) error {
		w, err := ownWebhook(ctx, tx, by, id)
		if err != nil {
			return err
		}
		changed, err := f(tx, &w)
		if err != nil || !changed {
			return err
		}
		if err := tx.SaveWebhook(ctx, w); err != nil {
			return err
		}
		return h.event(ctx, tx, kind, by, w, map[string]string{"name": w.Name})
	})
	if err == nil {
		h.poke()
	}
	return err
}

// Disable stops a webhook: no further call begins. What happens meanwhile waits for it
// in the log. A repeat changes nothing. Errors: not-allowed, not-found.
func (h *Webhooks) Disable(ctx context.Context, by Actor, id ID) error {
	return h.change(ctx, by, id, EventWebhookDisabled, func(_ Tx, w *Webhook) (bool, error) {
		if w.Disabled.Done() {
			return false, nil
		}
		w.Disabled = Fact{At: h.now(), By: by}
		return true, nil
	})
}

// Enable lets a webhook that was disabled or given up go on where it stopped, at once.
// Errors: not-allowed, not-found, limit-exceeded.
func (h *Webhooks) Enable(ctx context.Context, by Actor, id ID) error {
	return h.change(ctx, by, id, EventWebhookEnabled, func(tx Tx, w *Webhook) (bool, error) {
		row, err := tx.Handover(ctx, w.Agency, w.handover())
		if err != nil {
			return false, err
		}
		if !w.Disabled.Done() && row.Attempts == 0 && row.Parked.IsZero() {
			return false, nil
		}
		if err := roomForWebhook(ctx, tx, w.Agency, w.ID); err != nil {
			return false, err
		}
		w.Disabled, w.Why = Fact{}, Note{}
		return true, tx.SaveHandover(ctx, Handover{Agency: row.Agency, Name: row.Name, Seq: row.Seq, TakenAt: row.TakenAt})
	})
}

// Rotate gives a webhook a new secret, which is not shown again. For overlap, at most
// 30 days, messages carry a signature by the old one too. Errors: not-allowed,
// not-found, invalid-input.
func (h *Webhooks) Rotate(ctx context.Context, by Actor, id ID, overlap time.Duration) (secret string, v WebhookView, err error) {
	if overlap < 0 || overlap > maxWebhookOverlap {
		return "", v, text.Detailed(text.InvalidInput, nil, "access.overlap")
	}
	fresh := newWebhookSecret()
	err = h.change(ctx, by, id, EventWebhookRotated, func(_ Tx, w *Webhook) (bool, error) {
		w.OldSecret, w.OldUntil = w.Secret, h.now().Add(overlap)
		if overlap == 0 {
			w.OldSecret, w.OldUntil = "", time.Time{}
		}
		w.Secret, w.RotatedAt = fresh, h.now()
		return true, nil
	})
	if err != nil {
		return "", v, err
	}
	v, err = h.Get(ctx, by, id)
	return string(fresh), v, err
}

// Redeliver has events handed over once more, beside what the webhook is at: the event
// of seq, or where that is 0 every event that was set aside. It keeps their ids and
// changes nothing of the webhook's own health. It returns how many will be. Errors:
// not-allowed, not-found (no such event, or none set aside), state-conflict (disabled).
func (h *Webhooks) Redeliver(ctx context.Context, by Actor, id ID, seq int64) (n int, err error) {
	if err := manages(by); err != nil {
		return 0, err
	}
	err = h.Store.Update(ctx, func(tx Tx) error {
		n = 0
		w, err := ownWebhook(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if w.Disabled.Done() {
			return text.Detailed(text.StateConflict, nil, "webhook.disabled")
		}
		again, err := h.toRedeliver(ctx, tx, w, seq)
		if err != nil {
			return err
		}
		for _, p := range again {
			p.Again, p.At = true, h.now()
			if err := tx.ParkEvent(ctx, p); err != nil {
				return err
			}
		}
		n = len(again)
		return h.event(ctx, tx, EventWebhookRedelivered, by, w, map[string]string{"name": w.Name})
	})
	if err == nil {
		h.poke()
	}
	return n, err
}

// toRedeliver finds the events that Redeliver speaks of.
func (h *Webhooks) toRedeliver(ctx context.Context, tx Tx, w Webhook, seq int64) (out []ParkedEvent, err error) {
	if seq > 0 {
		events, err := tx.EventsAfter(ctx, w.Agency, seq-1, 1)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 || events[0].Seq != seq {
			return nil, text.Errorf(text.NotFound, errors.New("no such event"))
		}
		return []ParkedEvent{{Webhook: w.ID, Seq: seq}}, nil
	}
	var after int64
	for {
		page, err := tx.ParkedEvents(ctx, w.ID, after, maxParkedShown)
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			if after = p.Seq; !p.Again {
				out = append(out, p)
			}
		}
		if len(page) < maxParkedShown {
			break
		}
	}
	if len(out) == 0 {
		return nil, text.Errorf(text.NotFound, errors.New("nothing is set aside"))
	}
	return out, nil
}
