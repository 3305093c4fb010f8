package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"antin/internal/text"
)

// The facts of a restored installation.
const (
	EventRestored EventKind = "restored" // from a backup; in quarantine from now on
	// EventQuarantineHeard: a peer has told what was sent to it after the backup.
	EventQuarantineHeard EventKind = "quarantine.heard"
	// EventQuarantineOverridden: a person goes on without having heard a peer.
	EventQuarantineOverridden EventKind = "quarantine.overridden"
	EventQuarantineEnded      EventKind = "quarantine.ended"
)

// quarantineSlack is how far before the backup the days are looked at: a peer's clock,
// whose day counts, may be behind ours.
const quarantineSlack = 24 * time.Hour

// Restored says that an installation was restored and whom it has heard since.
type Restored struct {
	BackupAt   time.Time   `json:"backup_at"` // when the backup was begun
	RestoredAt time.Time   `json:"restored_at"`
	Heard      []HeardPeer `json:"heard,omitempty"`
}

// HeardPeer is a peer that need not be waited for any more.
type HeardPeer struct {
	Own      AgencyCode `json:"own"`
	Peer     AgencyCode `json:"peer"`
	At       time.Time  `json:"at"`
	Returned int        `json:"returned"` // transfers that came back
	// By and Reason are set when a person decided to go on without the peer.
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func (r Restored) heard(own, peer AgencyCode) bool {
	return slices.ContainsFunc(r.Heard, func(h HeardPeer) bool { return h.Own == own && h.Peer == peer })
}

// MarkRestored puts the installation of agency into quarantine, and gives every lane a
// new epoch: what was sent after the backup was made is unknown here. It belongs into
// the act of restoring.
func MarkRestored(ctx context.Context, tx Tx, agency AgencyCode, backupAt, now time.Time) error {
	if err := saveRestored(ctx, tx, &Restored{BackupAt: backupAt.UTC(), RestoredAt: now.UTC()}); err != nil {
		return err
	}
	if err := tx.RaiseEpochs(ctx); err != nil || agency == "" {
		return err
	}
	_, err := tx.AppendEvent(ctx, Event{Agency: agency, At: now.UTC(), Kind: EventRestored, Subject: "restored", By: System(agency),
		Data: map[string]string{"backup": backupAt.UTC().Format(time.RFC3339)}})
	return err
}

// restoredIn returns the quarantine of the installation, nil when it is in none.
func restoredIn(ctx context.Context, tx Tx) (*Restored, error) {
	body, err := tx.Mark(ctx, "", restoredMark)
	if err != nil || body == nil {
		return nil, err
	}
	var r Restored
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("reading the mark of a restore: %w", err)
	}
	return &r, nil
}

// saveRestored keeps r; nil ends the quarantine.
func saveRestored(ctx context.Context, tx Tx, r *Restored) error {
	if r == nil {
		return tx.SetMark(ctx, "", restoredMark, nil)
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return tx.SetMark(ctx, "", restoredMark, body)
}

// refuseInQuarantine refuses what a restored installation must not do before it knows
// what it has forgotten.
func refuseInQuarantine(ctx context.Context, tx Tx) error {
	r, err := restoredIn(ctx, tx)
	if err != nil || r == nil {
		return err
	}
	return text.Detailed(text.StateConflict, nil, "quarantine.on")
}

// Quarantine keeps a restored installation from sending and numbering until every peer
// has said what was sent to it after the backup, or a person went on without it. Its
// fields are set once, before use; its methods are safe for concurrent use.
type Quarantine struct {
	Store      Store
	Offices    Offices
	Directory  Directory
	Reconciler *Reconciler // asks the peers; nil where only a person decides
	Now        func() time.Time
	OnError    func(err error) // hears of peers that did not answer; nil drops it

	on atomic.Bool
}

// Load reads whether the installation is in quarantine. It is called once, before
// anything is sent.
func (q *Quarantine) Load(ctx context.Context) error {
	_, err := q.State(ctx)
	return err
}

// State returns the quarantine, nil when there is none.
func (q *Quarantine) State(ctx context.Context) (r *Restored, err error) {
	err = q.Store.View(ctx, func(tx Tx) (err error) {
		r, err = restoredIn(ctx, tx)
		return err
	})
	if err == nil {
		q.on.Store(r != nil)
	}
	return r, err
}

// Gate is Outbox.Gate: state-conflict while the installation is in quarantine.
func (q *Quarantine) Gate(context.Context) error {
	if !q.on.Load() {
		return nil
	}
	return text.Detailed(text.StateConflict, nil, "quarantine.on")
}

// pair is an agency served here with one that it exchanges with.
type pair struct{ own, peer AgencyCode }

// waiting returns the pairs that have not been heard: every agency with an electronic
// channel may have got something.
func (q *Quarantine) waiting(ctx context.Context, r *Restored) (out []pair, err error) {
	offices, err := q.Offices.Offices(ctx)
	if err != nil {
		return nil, err
	}
	agencies, err := q.Directory.Agencies(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range offices {
		for _, a := range agencies {
			served := slices.ContainsFunc(offices, func(o Office) bool { return o.Agency.Code == a.Code })
			if served || a.Endpoint == "" && !a.Pull || r.heard(o.Agency.Code, a.Code) {
				continue
			}
			out = append(out, pair{o.Agency.Code, a.Code})
		}
	}
	return out, nil
}

// Waiting returns the codes of the peers that have not been heard yet, sorted.
func (q *Quarantine) Waiting(ctx context.Context) ([]AgencyCode, error) {
	r, err := q.State(ctx)
	if err != nil || r == nil {
		return nil, err
	}
	left, err := q.waiting(ctx, r)
	var out []AgencyCode
	for _, p := range left {
		out = append(out, p.peer)
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// Run asks every peer that was not heard yet, takes in what it returns, and ends the
// quarantine when none is left. Outside a quarantine it does nothing. It is run every
// minute.
func (q *Quarantine) Run(ctx context.Context) error {
	r, err := q.State(ctx)
	if err != nil || r == nil {
		return err
	}
	left, err := q.waiting(ctx, r)
	if err != nil {
		return err
	}
	silent := 0
	for _, p := range left {
		if err := q.hear(ctx, *r, p); err != nil {
			if ctx.Err() != nil {
				return err
			}
			if silent++; q.OnError != nil {
				q.OnError(fmt.Errorf("asking %s what it got after the backup: %w", p.peer, err))
			}
		}
	}
	if silent > 0 {
		return nil
	}
	return q.end(ctx)
}

// hear takes in what one peer returns, day by day.
func (q *Quarantine) hear(ctx context.Context, r Restored, p pair) error {
	returned := 0
	today := q.Now().UTC()
	for day := r.BackupAt.Add(-quarantineSlack).UTC().Truncate(24 * time.Hour); !day.After(today); day = day.AddDate(0, 0, 1) {
		list, err := q.Reconciler.Returned(ctx, p.own, p.peer, day)
		if err != nil {
			return err
		}
		for _, back := range list {
			if err := q.register(ctx, p, back); err != nil {
				return err
			}
			returned++
		}
	}
	return q.note(ctx, p.own, HeardPeer{Own: p.own, Peer: p.peer, At: q.Now().UTC(), Returned: returned}, EventQuarantineHeard, System(p.own))
}

// note adds a peer to those that need not be waited for.
func (q *Quarantine) note(ctx context.Context, own AgencyCode, h HeardPeer, kind EventKind, by Actor) error {
	return q.Store.Update(ctx, func(tx Tx) error {
		r, err := restoredIn(ctx, tx)
		if err != nil || r == nil || r.heard(h.Own, h.Peer) {
			return err
		}
		r.Heard = append(r.Heard, h)
		if err := saveRestored(ctx, tx, r); err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: own, At: h.At, Kind: kind, Subject: "restored", By: by, Peer: h.Peer,
			Data: map[string]string{"returned": strconv.Itoa(h.Returned), "reason": h.Reason}})
		return err
	})
}

// Override goes on without peer, in the name of an operator who says why: peer is gone
// for good, or was asked by other means. Errors: not-allowed, invalid-input without a
// reason, state-conflict outside a quarantine, receiver-unknown.
func (q *Quarantine) Override(ctx context.Context, actor Actor, peer AgencyCode, reason string) error {
	if err := actor.may(RoleOperator, RoleSystem); err != nil {
		return err
	}
	tidy(&reason)
	if err := checkText("reason", reason, maxDeliveryReason, true); err != nil {
		return err
	}
	if _, err := q.Directory.Agency(ctx, peer); err != nil {
		return err
	}
	if r, err := q.State(ctx); err != nil || r == nil {
		return errors.Join(err, text.Detailed(text.StateConflict, nil, "quarantine.none"))
	}
	return q.note(ctx, actor.Agency, HeardPeer{Own: actor.Agency, Peer: peer, At: q.Now().UTC(), By: actor.Name, Reason: reason}, EventQuarantineOverridden, actor)
}

// RaiseRegister notes that numbers of outgoing documents up to last were given after
// the backup, which no peer can know: results and paper have numbers too. The ones that
// came back from nobody are explained as lost when the quarantine ends. Errors:
// not-allowed, invalid-input, number-taken when last stands in the register already,
// state-conflict outside a quarantine.
func (q *Quarantine) RaiseRegister(ctx context.Context, actor Actor, year, last int) error {
	if err := errors.Join(actor.may(RoleOperator, RoleSystem), BookOutgoing.check(year)); err != nil {
		return err
	}
	now := q.Now().UTC()
	return q.Store.Update(ctx, func(tx Tx) error {
		r, err := restoredIn(ctx, tx)
		if err != nil || r == nil {
			return errors.Join(err, text.Detailed(text.StateConflict, nil, "quarantine.none"))
		}
		lines, err := tx.Register(ctx, actor.Agency, BookOutgoing, year)
		if err != nil {
			return err
		}
		if n := len(lines); last < 1 || last > maxNumber || n > 0 && lines[n-1].Seq >= last {
			return text.Detailed(text.NumberTaken, nil, "flow.number", last, year)
		}
		return voidLost(ctx, tx, actor.Agency, year, last, now)
	})
}

// end lifts the quarantine, unless a peer has come to the directory meanwhile.
func (q *Quarantine) end(ctx context.Context) error {
	r, err := q.State(ctx)
	if err != nil || r == nil {
		return err
	}
	if left, err := q.waiting(ctx, r); err != nil || len(left) > 0 {
		return err
	}
	offices, err := q.Offices.Offices(ctx)
	if err != nil {
		return err
	}
	now := q.Now().UTC()
	err = q.Store.Update(ctx, func(tx Tx) error {
		if r, err := restoredIn(ctx, tx); err != nil || r == nil {
			return err
		}
		if err := saveRestored(ctx, tx, nil); err != nil {
			return err
		}
		for _, o := range offices {
			lost, err := explainLost(ctx, tx, o.Agency.Code, now)
			if err != nil {
				return err
			}
			if _, err := tx.AppendEvent(ctx, Event{Agency: o.Agency.Code, At: now, Kind: EventQuarantineEnded, Subject: "restored",
				By: System(o.Agency.Code), Data: map[string]string{"lost_numbers": strconv.Itoa(lost)}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		q.on.Store(false)
	}
	return err
}
