package exchange

import (
	"context"

	"antin/internal/text"
)

// ResultState is what the public page says of a result.
type ResultState string

// The public states of a result.
const (
	ResultIssued    ResultState = "issued"
	ResultReplaced  ResultState = "replaced"
	ResultWithdrawn ResultState = "withdrawn"
)

// State returns what the public page says of r, which must be issued.
func (r Result) State() ResultState {
	switch {
	case r.Revoked.Done():
		return ResultWithdrawn
	case r.ReplacedBy != "":
		return ResultReplaced
	}
	return ResultIssued
}

// Revoke takes an issued result back, with the reason; the public page says so from
// then on. A repeat under the same key changes nothing. Errors: not-allowed,
// invalid-input, not-found, state-conflict.
func (rs *Results) Revoke(ctx context.Context, actor Actor, id ID, reason, key string) (Result, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return Result{}, err
	}
	tidy(&reason)
	if err := checkText("reason", reason, maxReason, true); err != nil {
		return Result{}, err
	}
	idem, err := newOnce(actor.Agency, key, "result.revoke", id, reason)
	if err != nil {
		return Result{}, err
	}
	now := rs.Now().UTC()
	err = rs.Store.Update(ctx, func(tx Tx) error {
		if _, ok, err := idem.done(ctx, tx); ok || err != nil {
			return err
		}
		p := &resultPaper{id: id, actor: actor}
		if err := p.load(ctx, tx); err != nil {
			return err
		}
		if !p.result.Issuance.Issued.Done() {
			return text.Detailed(text.StateConflict, nil, "flow.result-unissued")
		}
		if p.result.Revoked.Done() {
			return text.Detailed(text.StateConflict, nil, "flow.result-revoked")
		}
		p.result.Revoked, p.result.RevokeReason = Fact{At: now, By: actor}, reason
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.AppendEvent(ctx, Event{Agency: p.result.Agency, At: now, Kind: EventResultRevoked, Subject: id, By: actor,
			Digest: p.result.Issuance.Final.Digest, Data: map[string]string{"reason": reason}}); err != nil {
			return err
		}
		return idem.keep(ctx, tx, id, now)
	})
	if err != nil {
		return Result{}, err
	}
	return rs.Result(ctx, actor, id)
}

// Replace composes a result that stands in place of an issued one. The old one's
// public page says "replaced" once the new one is issued. Errors: those of Create;
// state-conflict when the old one is not issued, was revoked, or has a replacement.
func (rs *Results) Replace(ctx context.Context, actor Actor, id ID, req NewResult, reason string) (Result, error) {
	if err := actor.may(RoleOfficer, RoleClerk, RoleIntegrator); err != nil {
		return Result{}, err
	}
	tidy(&reason)
	if err := checkText("reason", reason, maxReason, true); err != nil {
		return Result{}, err
	}
	if _, err := rs.Result(ctx, actor, id); err != nil {
		return Result{}, err
	}
	return rs.create(ctx, actor, req, replacing{id: id, reason: reason})
}

// linkResult sets the way from the old result to its replacement made.
func (r replacing) linkResult(ctx context.Context, tx Tx, actor Actor, made Result) error {
	if r.id == "" {
		return nil
	}
	old := &resultPaper{id: r.id, actor: actor}
	if err := old.load(ctx, tx); err != nil {
		return err
	}
	switch {
	case !old.result.Issuance.Issued.Done():
		return text.Detailed(text.StateConflict, nil, "flow.result-unissued")
	case old.result.Revoked.Done():
		return text.Detailed(text.StateConflict, nil, "flow.result-revoked")
	case old.result.ReplacedBy != "":
		return text.Detailed(text.StateConflict, nil, "flow.result-replaced")
	}
	old.result.ReplacedBy = made.ID
	if err := old.save(ctx, tx); err != nil {
		return err
	}
	_, err := tx.AppendEvent(ctx, Event{Agency: made.Agency, At: made.CreatedAt, Kind: EventResultReplaced, Subject: r.id, Parent: made.ID, By: actor,
		Data: map[string]string{"by": string(made.ID), "reason": r.reason}})
	return err
}
