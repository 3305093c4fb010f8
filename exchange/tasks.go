package exchange

import (
	"cmp"
	"context"
	"slices"
	"time"

	"antin/internal/text"
)

// TaskKind names what is to be done.
type TaskKind string

// The kinds of task, in the order of harm.
const (
	TaskLaneHalted  TaskKind = "lane_halted"  // a peer's identity does not hold: nothing leaves for it
	TaskQuarantined TaskKind = "quarantined"  // deliveries that failed too often
	TaskUnknown     TaskKind = "unknown"      // expired, and nobody knows whether they arrived
	TaskLaneDown    TaskKind = "lane_down"    // a peer does not answer
	TaskHandover    TaskKind = "handover"     // the agency's own systems do not take what is handed to them
	TaskDamaged     TaskKind = "damaged"      // incoming documents that cannot be read
	TaskKeyExpiring TaskKind = "key_expiring" // API keys that end soon
	TaskLocked      TaskKind = "locked"       // accounts locked after wrong passwords
	TaskManual      TaskKind = "manual"       // to be handed over outside the network
)

// Task is one thing for the operator to look after.
type Task struct {
	Kind  TaskKind
	Peer  AgencyCode // empty when it is about no peer
	Count int        // how many documents or messages it holds up
	Since time.Time  // zero when unknown
	What  text.Message
	Fix   text.Message
}

// Tasks finds what the rows say is to be done. Its fields are set once, before
// use; its methods are safe for concurrent use.
type Tasks struct {
	Store     Store
	Directory Directory
	Now       func() time.Time
}

// List returns what is to be done for the operator's agency, the most harmful
// first. Errors: not-allowed.
func (t *Tasks) List(ctx context.Context, operator Actor) (out []Task, err error) {
	if err := operator.may(RoleOperator, RoleClerk); err != nil {
		return nil, err
	}
	err = t.Store.View(ctx, func(tx Tx) error {
		out = nil
		counts, err := tx.DeliveryCounts(ctx, operator.Agency, DeliveryReady, DeliveryHeld, DeliveryQuarantined, DeliveryUnknownExpired, DeliveryManual)
		if err != nil {
			return err
		}
		lanes, err := tx.Lanes(ctx, operator.Agency)
		if err != nil {
			return err
		}
		damaged, err := tx.InboxCount(ctx, operator.Agency, InboxDamaged)
		if err != nil {
			return err
		}
		if out, err = t.people(ctx, tx, operator.Agency); err != nil {
			return err
		}
		handed, err := handoverTasks(ctx, tx, operator.Agency)
		out = append(out, handed...)
		out = t.tasks(ctx, counts, lanes, damaged, out)
		return err
	})
	return out, err
}

// keyWarning is how long before its end a key is shown: time for the agency's
// supplier to come and change it.
const keyWarning = 14 * 24 * time.Hour

// people finds accounts that are locked and keys that end soon.
func (t *Tasks) people(ctx context.Context, tx Tx, agency AgencyCode) (out []Task, err error) {
	now := t.Now()
	accounts, err := tx.Accounts(ctx, agency, "")
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		if !a.Disabled && a.LockedUntil.After(now) {
			out = append(out, Task{Kind: TaskLocked, Count: 1,
				What: text.Get("flow.task-locked", a.Name, a.LockedUntil.In(Vietnam).Format("15:04 02/01/2006")), Fix: text.Get("flow.task-locked-fix")})
		}
	}
	keys, err := tx.Keys(ctx, agency)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.InForce(now) && k.ExpiresAt.Before(now.Add(keyWarning)) {
			out = append(out, Task{Kind: TaskKeyExpiring, Count: 1,
				What: text.Get("flow.task-key-expiring", k.Name, k.ExpiresAt.In(Vietnam).Format("02/01/2006")), Fix: text.Get("flow.task-key-expiring-fix")})
		}
	}
	return out, nil
}

// downAfter is how many failures in a row make a peer worth a look: a restart of
// its gateway passes below it.
const downAfter = 3

func (t *Tasks) tasks(ctx context.Context, counts []DeliveryCount, lanes []LaneState, damaged int, out []Task) []Task {
	ready := map[AgencyCode]DeliveryCount{}
	for _, c := range counts {
		peer := t.name(ctx, c.To)
		switch c.State { //nolint:exhaustive // the states asked for
		case DeliveryReady:
			ready[c.To] = c
		case DeliveryQuarantined:
			out = append(out, Task{Kind: TaskQuarantined, Peer: c.To, Count: c.Count, Since: c.Oldest,
				What: text.Get("flow.task-quarantined", c.Count, peer), Fix: text.Get("flow.task-quarantined-fix")})
		case DeliveryUnknownExpired:
			out = append(out, Task{Kind: TaskUnknown, Peer: c.To, Count: c.Count, Since: c.Oldest,
				What: text.Get("flow.task-unknown", c.Count, peer), Fix: text.Get("flow.task-unknown-fix", peer)})
		case DeliveryManual:
			out = append(out, Task{Kind: TaskManual, Peer: c.To, Count: c.Count, Since: c.Oldest,
				What: text.Get("flow.task-manual", c.Count, peer), Fix: text.Get("flow.task-manual-fix", peer)})
		}
	}
	for _, l := range lanes {
		peer, waiting := t.name(ctx, l.Lane.To), ready[l.Lane.To]
		switch {
		case l.Halted:
			what := text.Get("flow.task-lane-halted", peer)
			what.VI, what.EN = what.VI+l.Note.Message.VI, what.EN+l.Note.Message.EN
			out = append(out, Task{Kind: TaskLaneHalted, Peer: l.Lane.To, Count: waiting.Count, Since: waiting.Oldest,
				What: what, Fix: text.Get("flow.task-lane-halted-fix", peer)})
		case l.Failures >= downAfter && waiting.Count > 0:
			out = append(out, Task{Kind: TaskLaneDown, Peer: l.Lane.To, Count: waiting.Count, Since: waiting.Oldest,
				What: text.Get("flow.task-lane-down", peer, waiting.Count, waiting.Oldest.In(Vietnam).Format("15:04 02/01/2006")),
				Fix:  text.Get("flow.task-lane-down-fix", peer)})
		}
	}
	if damaged > 0 {
		out = append(out, Task{Kind: TaskDamaged, Count: damaged, What: text.Get("flow.task-damaged", damaged), Fix: text.Get("flow.task-damaged-fix")})
	}
	order := []TaskKind{TaskLaneHalted, TaskQuarantined, TaskUnknown, TaskLaneDown, TaskHandover, TaskDamaged, TaskKeyExpiring, TaskLocked, TaskManual}
	slices.SortStableFunc(out, func(a, b Task) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), a.Since.Compare(b.Since))
	})
	return out
}

func (t *Tasks) name(ctx context.Context, code AgencyCode) string {
	if a, err := t.Directory.Agency(ctx, code); err == nil {
		return a.Name
	}
	return string(code)
}
