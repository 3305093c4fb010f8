package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"antin/internal/text"
)

// operators are the roles that stop and start what leaves the agency.
var operators = []Role{RoleOperator, RoleClerk, RoleIntegrator}

// maxDeliveryReason bounds what is said about a stop, in characters.
const maxDeliveryReason = 500

// Hold stops a delivery until Resume; what is under way at this moment may still
// arrive. Errors: not-allowed, invalid-input without a reason, not-found,
// state-conflict when it has ended or nobody answers for it any more.
func (o *Outbox) Hold(ctx context.Context, actor Actor, id ID, reason string) error {
	return o.stopDelivery(ctx, actor, id, reason, SignalHeld, EventDeliveryHeld)
}

// Quarantine sets a delivery aside for somebody to look at, as eight failures of its
// own do. Errors are those of Hold.
func (o *Outbox) Quarantine(ctx context.Context, actor Actor, id ID, reason string) error {
	return o.stopDelivery(ctx, actor, id, reason, SignalExhausted, EventDeliveryQuarantined)
}

func (o *Outbox) stopDelivery(ctx context.Context, actor Actor, id ID, reason string, signal DeliverySignal, kind EventKind) error {
	if err := actor.may(operators...); err != nil {
		return err
	}
	tidy(&reason)
	if err := checkText("reason", reason, maxDeliveryReason, true); err != nil {
		return err
	}
	now := o.Now().UTC()
	return o.Store.Update(ctx, func(tx Tx) error {
		d, err := tx.Delivery(ctx, id)
		if err != nil || d.Agency != actor.Agency {
			return errors.Join(err, ownedBy(d.Agency, actor))
		}
		was := d.State
		moved, err := d.advance(signal, now)
		if err != nil {
			return err
		}
		if !moved {
			if was != DeliveryHeld && was != DeliveryQuarantined {
				return text.Detailed(text.StateConflict, nil, "exchange.delivery-conflict", string(was), string(signal))
			}
			return nil
		}
		d.Note = Note{Code: text.StateConflict, Message: text.Message{VI: reason, EN: reason}}
		if err := tx.SaveDelivery(ctx, d); err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: d.Agency, At: now, Kind: kind, Subject: d.ID, Parent: d.timeline(), By: actor,
			Peer: d.To, Data: map[string]string{"reason": reason}})
		return err
	})
}

// HoldLane stops everything that waits for an agency until ReleaseLane; what is under
// way at this moment may still arrive. Errors: not-allowed, invalid-input.
func (o *Outbox) HoldLane(ctx context.Context, actor Actor, to AgencyCode, reason string) error {
	tidy(&reason)
	if err := checkText("reason", reason, maxDeliveryReason, true); err != nil {
		return err
	}
	return o.changeLane(ctx, actor, to, EventLaneHeld, reason, func(s *LaneState, now time.Time) bool {
		changed := !s.Held.Done()
		s.Held, s.HeldWhy = Fact{At: now, By: actor}, reason
		return changed
	})
}

// ReleaseLane lets what waits for an agency leave again, and tries a peer that failed
// at once. Errors: not-allowed.
func (o *Outbox) ReleaseLane(ctx context.Context, actor Actor, to AgencyCode) error {
	return o.changeLane(ctx, actor, to, EventLaneReleased, "", func(s *LaneState, _ time.Time) bool {
		changed := s.Held.Done() || s.Failures > 0
		*s = LaneState{Lane: s.Lane}
		return changed
	})
}

// changeLane applies change to a lane; an event is left where it changed anything.
func (o *Outbox) changeLane(ctx context.Context, actor Actor, to AgencyCode, kind EventKind, reason string, change func(s *LaneState, now time.Time) bool) error {
	if err := actor.may(operators...); err != nil {
		return err
	}
	if !to.Valid() {
		return fieldError("organ_id")
	}
	now, lane := o.Now().UTC(), Lane{From: actor.Agency, To: to}
	return o.Store.Update(ctx, func(tx Tx) error {
		s, err := tx.Lane(ctx, lane)
		if err != nil {
			return err
		}
		if !change(&s, now) {
			return nil
		}
		if err := tx.SaveLane(ctx, s); err != nil {
			return err
		}
		data := map[string]string{}
		if reason != "" {
			data["reason"] = reason
		}
		if _, err := tx.AppendEvent(ctx, Event{Agency: actor.Agency, At: now, Kind: kind, Subject: ID(lane.key()), By: actor, Peer: to, Data: data}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, Job{Kind: JobLane, Key: lane.key()})
	})
}

// LaneView is the way to one agency as an operator sees it.
type LaneView struct {
	To      AgencyCode
	Name    string // of the directory; the code where it lists none
	Waiting int    // deliveries to be tried
	// Oldest is when the oldest of them was handed over; zero when none waits.
	Oldest      time.Time
	Held        int // deliveries that a person stopped
	Quarantined int // deliveries that failed too often by themselves
	Unknown     int // deliveries whose end the peer has not told
	State       LaneState
}

// Lanes returns every way on which something waits or stands still, or whose peer
// failed last, sorted by code. Errors: not-allowed.
func (o *Outbox) Lanes(ctx context.Context, actor Actor) ([]LaneView, error) {
	if actor.Agency == "" || !slices.Contains(operators, actor.Role) {
		return nil, text.Errorf(text.NotAllowed, nil)
	}
	var counts []DeliveryCount
	var states []LaneState
	err := o.Store.View(ctx, func(tx Tx) (err error) {
		if counts, err = tx.DeliveryCounts(ctx, actor.Agency, DeliveryReady, DeliveryHeld, DeliveryQuarantined, DeliveryUnknownExpired); err != nil {
			return err
		}
		states, err = tx.Lanes(ctx, actor.Agency)
		return err
	})
	if err != nil {
		return nil, err
	}
	views := map[AgencyCode]*LaneView{}
	at := func(to AgencyCode) *LaneView {
		if views[to] == nil {
			views[to] = &LaneView{To: to, Name: o.nameOf(ctx, to), State: LaneState{Lane: Lane{From: actor.Agency, To: to}}}
		}
		return views[to]
	}
	for _, c := range counts {
		at(c.To).count(c)
	}
	for _, s := range states {
		if s.Failures > 0 || s.Held.Done() || views[s.Lane.To] != nil {
			at(s.Lane.To).State = s
		}
	}
	out := make([]LaneView, 0, len(views))
	for _, v := range views {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b LaneView) int { return strings.Compare(string(a.To), string(b.To)) })
	return out, nil
}

func (v *LaneView) count(c DeliveryCount) {
	switch c.State { //nolint:exhaustive // the states asked for
	case DeliveryReady:
		v.Waiting, v.Oldest = c.Count, c.Oldest
	case DeliveryHeld:
		v.Held = c.Count
	case DeliveryQuarantined:
		v.Quarantined = c.Count
	case DeliveryUnknownExpired:
		v.Unknown = c.Count
	}
}

func (o *Outbox) nameOf(ctx context.Context, code AgencyCode) string {
	if a, err := o.Directory.Agency(ctx, code); err == nil && a.Name != "" {
		return a.Name
	}
	return string(code)
}

// Delivery returns one delivery of the actor's agency with what its receiver
// reported; not-found otherwise.
func (o *Outbox) Delivery(ctx context.Context, actor Actor, id ID) (v DeliveryView, err error) {
	err = o.Store.View(ctx, func(tx Tx) error {
		d, err := tx.Delivery(ctx, id)
		if err != nil {
			return err
		}
		if err := ownedBy(d.Agency, actor); err != nil {
			return err
		}
		history, err := tx.History(ctx, id)
		v = DeliveryView{Delivery: d, Business: Current(history), History: history}
		return err
	})
	if err == nil {
		v.Receiver = o.nameOf(ctx, v.To)
	}
	return v, err
}
