package exchange

import (
	"context"
	"errors"
	"strconv"
	"time"

	"antin/internal/text"
)

// Decision is what a văn thư asks for.
type Decision struct {
	Item     ID
	Assignee string // who will handle it; with Accept and Handle
	Reason   string // why; required by Refuse
	// Number is the số đến given by the agency's own system, where that keeps the
	// register; else 0.
	Number int
	Key    string // idempotency key; may be empty
}

// Accept enters the document in the register of incoming documents and tells its
// sender (03). A document whose verdict is invalid, or that could not be read, is
// not accepted: not-allowed. An inconclusive one may be, under that word. Errors:
// not-allowed, not-found, state-conflict, storage-full.
func (in *Inbox) Accept(ctx context.Context, actor Actor, d Decision) (ItemView, error) {
	tidy(&d.Assignee)
	if err := checkText("assignee", d.Assignee, maxSubject, false); err != nil {
		return ItemView{}, err
	}
	office, err := in.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return ItemView{}, err
	}
	return in.decide(ctx, actor, d, decision{verb: "inbox.accept", signal: InboxAccept, code: StatusAccepted, kind: EventAccepted, roles: []Role{RoleIntegrator},
		check: func(i InboxItem) error {
			if i.Recall.Open() {
				return text.Detailed(text.StateConflict, nil, "flow.recall-open")
			}
			return nil
		},
		change: func(ctx context.Context, tx Tx, i *InboxItem, now time.Time) (map[string]string, error) {
			if !i.Blocked.IsZero() {
				return nil, &text.Error{Code: text.NotAllowed, Detail: i.Blocked.Message}
			}
			year := now.In(Vietnam).Year()
			seq, err := takeNumber(ctx, tx, office, Entry{Agency: i.Agency, Book: BookIncoming, Year: year, Subject: i.ID, At: now, By: actor}, d.Number)
			if err != nil {
				return nil, err
			}
			i.Accepted, i.Arrival, i.Year, i.Assignee = Fact{At: now, By: actor}, seq, year, d.Assignee
			return map[string]string{"arrival": itoa(seq), "verdict": string(i.Verdict), "assignee": d.Assignee}, nil
		}})
}

// Refuse returns the document to its sender (02) with the reason, which the sender
// will read as written. Errors: not-allowed, invalid-input without a reason,
// not-found, state-conflict, storage-full.
func (in *Inbox) Refuse(ctx context.Context, actor Actor, d Decision) (ItemView, error) {
	tidy(&d.Reason)
	if err := checkText("reason", d.Reason, maxReason, true); err != nil {
		return ItemView{}, err
	}
	return in.decide(ctx, actor, d, decision{verb: "inbox.refuse", signal: InboxRefuse, code: StatusReturned, kind: EventReturned, roles: []Role{RoleIntegrator},
		change: func(_ context.Context, _ Tx, i *InboxItem, now time.Time) (map[string]string, error) {
			i.Refused, i.Reason = Fact{At: now, By: actor}, d.Reason
			return map[string]string{"reason": d.Reason, "verdict": string(i.Verdict)}, nil
		}})
}

// Handle reports how far the handling of an accepted document is: assigned (04),
// in process (05) or completed (06). Errors: not-allowed, invalid-input for
// another code, not-found, state-conflict, storage-full.
func (in *Inbox) Handle(ctx context.Context, actor Actor, code StatusCode, d Decision) (ItemView, error) {
	signals := map[StatusCode]InboxSignal{StatusAssigned: InboxAssign, StatusProcessing: InboxProcess, StatusCompleted: InboxComplete}
	signal, ok := signals[code]
	if !ok {
		return ItemView{}, fieldError("code")
	}
	tidy(&d.Assignee, &d.Reason)
	if err := errors.Join(checkText("assignee", d.Assignee, maxSubject, false), checkText("reason", d.Reason, maxReason, false)); err != nil {
		return ItemView{}, err
	}
	return in.decide(ctx, actor, d, decision{verb: "inbox.handle." + string(code), signal: signal, code: code, kind: EventHandling, roles: []Role{RoleLeader, RoleIntegrator},
		change: func(_ context.Context, _ Tx, i *InboxItem, _ time.Time) (map[string]string, error) {
			if d.Assignee != "" {
				i.Assignee = d.Assignee
			}
			return map[string]string{"status": string(code), "assignee": d.Assignee}, nil
		}})
}

// decision is one legal act on an inbox item.
type decision struct {
	verb   string
	signal InboxSignal
	code   StatusCode
	kind   EventKind
	roles  []Role                  // beside RoleClerk
	check  func(i InboxItem) error // beside the signal; may be nil
	// change writes the act into the item and returns what the evidence says of it.
	change func(ctx context.Context, tx Tx, i *InboxItem, now time.Time) (map[string]string, error)
}

// allowed moves i as the act does; an error says why it may not.
func (d decision) allowed(i *InboxItem) error {
	if d.check != nil {
		if err := d.check(*i); err != nil {
			return err
		}
	}
	if d.signal == "" {
		return nil
	}
	return i.advance(d.signal)
}

// decide performs an act: item, register, history, evidence and the status message
// to the sender in one transaction.
func (in *Inbox) decide(ctx context.Context, actor Actor, req Decision, act decision) (ItemView, error) {
	if err := actor.may(append([]Role{RoleClerk}, act.roles...)...); err != nil {
		return ItemView{}, err
	}
	idem, err := newOnce(actor.Agency, req.Key, act.verb, req.Item, req.Assignee, req.Reason, req.Number)
	if err != nil {
		return ItemView{}, err
	}
	if id, ok, err := idem.seen(ctx, in.Store); ok || err != nil {
		if err != nil {
			return ItemView{}, err
		}
		return in.Item(ctx, actor, id)
	}
	before, err := in.Item(ctx, actor, req.Item)
	if err != nil {
		return ItemView{}, err
	}
	if err := act.allowed(&before.InboxItem); err != nil {
		return ItemView{}, err // of the copy: nothing is built for an act that cannot be
	}
	office, err := in.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return ItemView{}, err
	}
	now := in.Now().UTC()
	status := Status{Subject: req.Item, Code: act.code, Direction: DirectionOut, At: now.Truncate(time.Second), RecordedAt: now,
		By: actor.Name, Reason: req.Reason}
	var told Delivery
	byHand := before.Hand.Channel != "" // its sender is told by whatever way it came
	if !byHand {
		if told, err = in.tell(ctx, office, before.InboxItem, &status, now); err != nil {
			return ItemView{}, err
		}
	}
	err = in.Store.Update(ctx, func(tx Tx) error {
		if _, ok, err := idem.done(ctx, tx); ok || err != nil {
			return err
		}
		if err := in.commitDecision(ctx, tx, actor, req.Item, act, status, now); err != nil {
			return err
		}
		if !byHand {
			if err := commitDelivery(ctx, tx, told, actor); err != nil {
				return err
			}
		}
		return idem.keep(ctx, tx, req.Item, now)
	})
	if err != nil {
		return ItemView{}, err
	}
	return in.Item(ctx, actor, req.Item)
}

func (in *Inbox) commitDecision(ctx context.Context, tx Tx, actor Actor, id ID, act decision, s Status, now time.Time) error {
	i, err := tx.InboxItem(ctx, id)
	if err != nil {
		return err
	}
	if err := ownedBy(i.Agency, actor); err != nil {
		return err
	}
	if err := act.allowed(&i); err != nil {
		return err
	}
	data, err := act.change(ctx, tx, &i, now)
	if err != nil {
		return err
	}
	if err := tx.SaveInboxItem(ctx, i); err != nil {
		return err
	}
	if err := tx.AppendStatus(ctx, s); err != nil {
		return err
	}
	return in.event(ctx, tx, i, act.kind, now, actor, data)
}

func itoa(n int) string { return strconv.Itoa(n) }
