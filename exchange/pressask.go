package exchange

import (
	"context"
	"time"

	"antin/internal/text"
)

// Asked is what somebody asked a person to do with an Issuance; a clerk who brings
// a draft to be signed (trình ký), or the agency's own system, which never signs.
type Asked struct {
	Signature Question `json:"signature,omitzero"`
	Seal      Question `json:"seal,omitzero"`
}

// Question is one thing asked for. The zero value was not asked.
type Question struct {
	Fact
	Operation ID `json:"operation,omitempty"`
}

// Returned says that the competent person sent a draft back. The zero value means
// that nobody did since it was last asked for.
type Returned struct {
	Fact
	Reason string `json:"reason,omitempty"`
}

// Ask queues a paper for the competent person's signature or for the seal, which
// only people give. Asking for what was asked already returns the same operation.
// Errors: not-allowed, not-found, state-conflict (done already),
// idempotency-key-reused.
func (ps *Press) Ask(ctx context.Context, actor Actor, id ID, kind SigningKind, key string) (Operation, error) {
	d, err := ps.take(ctx, actor, id, RoleClerk, RoleOfficer, RoleIntegrator)
	if err != nil {
		return Operation{}, err
	}
	verb := OperationSign
	switch kind {
	case SigningPerson:
	case SigningSeal:
		verb = OperationSeal
	default:
		return Operation{}, fieldError("kind")
	}
	idem, err := newOnce(actor.Agency, key, "press.ask", id, kind)
	if err != nil {
		return Operation{}, err
	}
	now := ps.Now().UTC()
	var op ID
	err = ps.Store.Update(ctx, func(tx Tx) error {
		made, ok, err := idem.done(ctx, tx)
		if op = made; ok || err != nil {
			return err
		}
		if err := d.load(ctx, tx); err != nil {
			return err
		}
		if op, err = ps.ask(ctx, tx, d, kind, Operation{ID: NewID(PrefixOperation, now), Agency: actor.Agency, Kind: verb, Subject: id, By: actor, CreatedAt: now}); err != nil {
			return err
		}
		return idem.keep(ctx, tx, op, now)
	})
	if err != nil {
		return Operation{}, err
	}
	return (&Operations{Store: ps.Store}).Operation(ctx, actor, op)
}

// ask notes the question in d, unless it stands there already.
func (ps *Press) ask(ctx context.Context, tx Tx, d *desk, kind SigningKind, op Operation) (ID, error) {
	i := d.issuance()
	q, done := &i.Asked.Signature, i.Signing
	if kind == SigningSeal {
		q, done = &i.Asked.Seal, i.Issued
	}
	if done.Done() || i.Issued.Done() {
		return "", text.Errorf(text.StateConflict, nil)
	}
	if q.Done() {
		return q.Operation, nil
	}
	*q = Question{Fact: Fact{At: op.CreatedAt, By: d.actor}, Operation: op.ID}
	if err := tx.CreateOperation(ctx, op); err != nil {
		return "", err
	}
	if err := d.save(ctx, tx); err != nil {
		return "", err
	}
	return op.ID, ps.note(ctx, tx, d, EventSigningAsked, op.CreatedAt, d.actor, i.Newest().Digest, map[string]string{"kind": string(kind)})
}

// Return has a competent person send a draft back unsigned, with the reason; what
// was asked is then no longer asked. Errors: not-allowed, not-found, invalid-input
// (no reason), state-conflict (signed already).
func (ps *Press) Return(ctx context.Context, leader Actor, id ID, reason string) error {
	d, err := ps.take(ctx, leader, id, RoleLeader)
	if err != nil {
		return err
	}
	tidy(&reason)
	if err := checkText("reason", reason, maxReason, true); err != nil {
		return err
	}
	person, err := d.office.Signatory(leader.ID)
	if err != nil {
		return err
	}
	now := ps.Now().UTC()
	return ps.Store.Update(ctx, func(tx Tx) error {
		if err := d.load(ctx, tx); err != nil {
			return err
		}
		i := d.issuance()
		done, err := signedBy(i, person)
		if done {
			err = text.Detailed(text.StateConflict, nil, "exchange.signed-by", person.Name)
		}
		if err != nil {
			return err
		}
		i.Returned, i.Asked = Returned{Fact: Fact{At: now, By: leader}, Reason: reason}, Asked{}
		if err := d.save(ctx, tx); err != nil {
			return err
		}
		if err := tx.DropSignings(ctx, id, SigningPerson); err != nil {
			return err
		}
		return ps.note(ctx, tx, d, EventSigningReturned, now, leader, i.Draft.Digest, map[string]string{"reason": reason})
	})
}

// ReturnedAfter reports whether the draft was sent back after t and has not been
// signed since.
func (i Issuance) ReturnedAfter(t time.Time) bool {
	return !i.Signing.Done() && i.Returned.At.After(t)
}
