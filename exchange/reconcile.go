package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// The facts of reconciliation.
const (
	// EventReconcileDifference: two gateways keep different receipts for a day. An alarm.
	EventReconcileDifference EventKind = "reconcile.difference"
	// EventReinstated: bytes and receipt came back from the sender after a restore.
	EventReinstated EventKind = "reinstated"
)

const (
	// reconcilePage is how many entries of an hour one answer holds.
	reconcilePage = 1000
	// reconcileBack is how many days are looked at again until they were compared.
	reconcileBack = 7
	// namedIDs is how many transfers an alarm names.
	namedIDs = 5
	hours    = 24
)

// DayQuery names one day, in UTC, of transfers of one direction.
type DayQuery struct {
	Sender, Recipient AgencyCode
	Day               time.Time // any moment of it
}

func (q DayQuery) start() time.Time { return q.Day.UTC().Truncate(24 * time.Hour) }

// HourSum is what one hour comes to.
type HourSum struct {
	Count int    `json:"count"`
	Root  string `json:"root"` // see merkle; lower-case hexadecimal
}

// DaySums is what one day comes to, by the hour of the receipts' time.
type DaySums struct {
	Count int       `json:"count"`
	Root  string    `json:"root"`
	Hours []HourSum `json:"hours"` // 24
}

// ReturnedTransfer is an ended transfer as the other side keeps it.
type ReturnedTransfer struct {
	Manifest []byte `json:"manifest"` // JWS
	Receipt  []byte `json:"receipt"`  // JWS
}

// Ledger answers what was exchanged, for peers and for ourselves. Its fields are set
// once, before use; its methods are safe for concurrent use.
type Ledger struct {
	Store   Store
	Offices Offices
}

// side says which of the pair of q is served here: not-found when asker is not the
// other.
func (l *Ledger) side(ctx context.Context, asker AgencyCode, sender, recipient AgencyCode) (own AgencyCode, outgoing bool, err error) {
	own, outgoing = sender, true
	if asker == sender {
		own, outgoing = recipient, false
	} else if asker != recipient {
		return "", false, text.Errorf(text.NotFound, nil)
	}
	if _, err := l.Offices.Office(ctx, own); err != nil {
		return "", false, text.Errorf(text.NotFound, err)
	}
	return own, outgoing, nil
}

// Day returns the sums of one day for asker, a party of it.
func (l *Ledger) Day(ctx context.Context, asker AgencyCode, q DayQuery) (DaySums, error) {
	own, outgoing, err := l.side(ctx, asker, q.Sender, q.Recipient)
	if err != nil {
		return DaySums{}, err
	}
	var sums DaySums
	for h := range hours {
		entries, err := l.hour(ctx, own, asker, outgoing, q, h)
		if err != nil {
			return DaySums{}, err
		}
		sums.Hours = append(sums.Hours, HourSum{Count: len(entries), Root: hourRoot(entries)})
		sums.Count += len(entries)
	}
	sums.Root = dayRoot(sums.Hours)
	return sums, nil
}

// hour returns all entries of one hour.
func (l *Ledger) hour(ctx context.Context, own, peer AgencyCode, outgoing bool, q DayQuery, h int) (all []Settled, err error) {
	from := q.start().Add(time.Duration(h) * time.Hour)
	sq := SettledQuery{Agency: own, Peer: peer, Outgoing: outgoing, From: from, To: from.Add(time.Hour), Limit: reconcilePage}
	for {
		var page []Settled
		err := l.Store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.SettledOf(ctx, sq)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < reconcilePage {
			return all, nil
		}
		last := page[len(page)-1]
		sq.AfterAt, sq.After = last.At, last.ID
	}
}

// Hour returns at most a page of one hour's entries behind after.
func (l *Ledger) Hour(ctx context.Context, asker AgencyCode, q DayQuery, hour int, after TransferID) ([]Settled, error) {
	own, outgoing, err := l.side(ctx, asker, q.Sender, q.Recipient)
	if err != nil {
		return nil, err
	}
	if hour < 0 || hour >= hours {
		return nil, text.Errorf(text.InvalidInput, errors.New("hour"))
	}
	all, err := l.hour(ctx, own, asker, outgoing, q, hour)
	if err != nil {
		return nil, err
	}
	if after != "" {
		i := slices.IndexFunc(all, func(s Settled) bool { return s.ID == after })
		all = all[i+1:]
	}
	return all[:min(len(all), reconcilePage)], nil
}

// Settled returns manifest and receipt of an ended transfer for asker, a party of it.
func (l *Ledger) Settled(ctx context.Context, asker AgencyCode, key TransferKey) (r ReturnedTransfer, err error) {
	_, outgoing, err := l.side(ctx, asker, key.Sender, key.Recipient)
	if err != nil {
		return r, err
	}
	err = l.Store.View(ctx, func(tx Tx) error {
		if outgoing {
			d, err := tx.DeliveryOf(ctx, key.Sender, key.Recipient, key.ID)
			if err == nil && d.Receipt == nil {
				err = text.Errorf(text.NotFound, nil)
			}
			r = ReturnedTransfer{d.Manifest, d.Receipt}
			return err
		}
		t, err := tx.Transfer(ctx, key)
		r = ReturnedTransfer{t.Manifest, t.Receipt}
		return err
	})
	return r, err
}

// Reconciler compares with peers what was exchanged, and fetches back what this side
// has lost. Its fields are set once, before use.
type Reconciler struct {
	Ledger    *Ledger
	Inbox     *Inbox
	Remote    Remote
	Directory Directory
	Now       func() time.Time
	OnError   func(err error) // hears of peers that could not be asked; nil drops it
}

// Difference is what two sides' ledgers of a day do not have in common.
type Difference struct {
	OnlyHere, OnlyThere, Other []Settled // Other: receipts of different bytes
}

// Run compares every full day of the last week that was not compared yet, with every
// peer that can be asked. It is run every hour.
func (r *Reconciler) Run(ctx context.Context) error {
	offices, err := r.Ledger.Offices.Offices(ctx)
	if err != nil {
		return err
	}
	agencies, err := r.Directory.Agencies(ctx)
	if err != nil {
		return err
	}
	today := r.Now().UTC().Truncate(24 * time.Hour)
	for _, o := range offices {
		for _, a := range agencies {
			if a.Endpoint == "" || slices.ContainsFunc(offices, func(o Office) bool { return o.Agency.Code == a.Code }) {
				continue
			}
			for back := 1; back <= reconcileBack; back++ {
				if err := r.once(ctx, o.Agency.Code, a.Code, today.AddDate(0, 0, -back)); err != nil {
					if ctx.Err() != nil {
						return err
					}
					if r.OnError != nil {
						r.OnError(fmt.Errorf("comparing with %s: %w", a.Code, err))
					}
					break // the peer is asked again within the week
				}
			}
		}
	}
	return nil
}

// once is Day for a day that was not compared yet.
func (r *Reconciler) once(ctx context.Context, own, peer AgencyCode, day time.Time) error {
	key := "reconcile>" + string(peer) + ">" + day.Format(time.DateOnly)
	done := false
	err := r.Ledger.Store.View(ctx, func(tx Tx) error {
		_, err := tx.Answer(ctx, own, key)
		if done = err == nil; done || text.CodeOf(err) == text.NotFound {
			return nil
		}
		return err
	})
	if err != nil || done {
		return err
	}
	if err := r.Day(ctx, own, peer, day); err != nil {
		return err
	}
	return r.Ledger.Store.Update(ctx, func(tx Tx) error {
		err := tx.SaveAnswer(ctx, Answer{Agency: own, Key: key, Subject: ID(own + ">" + peer), At: r.Now().UTC()})
		if errors.Is(err, ErrExists) {
			return nil
		}
		return err
	})
}

// Day compares one day of both directions between own and peer. What peer sent and
// this side has lost is fetched back; every other difference is an alarm.
func (r *Reconciler) Day(ctx context.Context, own, peer AgencyCode, day time.Time) error {
	agency, err := r.Directory.Agency(ctx, peer)
	if err != nil {
		return err
	}
	for _, outgoing := range []bool{true, false} {
		q := DayQuery{Sender: peer, Recipient: own, Day: day}
		if outgoing {
			q.Sender, q.Recipient = own, peer
		}
		d, err := r.compare(ctx, own, agency, outgoing, q)
		if err != nil {
			return err
		}
		if !outgoing {
			if d.OnlyThere, err = r.pullBack(ctx, own, agency, d.OnlyThere); err != nil {
				return err
			}
		} else if d.OnlyThere, err = r.unsettled(ctx, d.OnlyThere); err != nil {
			return err
		}
		if err := r.alarm(ctx, own, peer, outgoing, q, d); err != nil {
			return err
		}
	}
	return nil
}

// compare finds what differs, hour by hour where the sums do.
func (r *Reconciler) compare(ctx context.Context, own AgencyCode, peer Agency, outgoing bool, q DayQuery) (d Difference, err error) {
	mine, err := r.Ledger.Day(ctx, peer.Code, q)
	if err != nil {
		return d, err
	}
	theirs, err := r.Remote.Day(ctx, peer, q)
	if err != nil {
		return d, err
	}
	if mine.Root == theirs.Root && mine.Count == theirs.Count {
		return d, nil
	}
	if len(theirs.Hours) != hours {
		return d, text.Errorf(text.PeerUnavailable, errors.New("day without hours"))
	}
	for h := range hours {
		if mine.Hours[h] == theirs.Hours[h] {
			continue
		}
		here, err := r.Ledger.hour(ctx, own, peer.Code, outgoing, q, h)
		if err != nil {
			return d, err
		}
		there, err := r.remoteHour(ctx, peer, q, h)
		if err != nil {
			return d, err
		}
		d.add(here, there)
	}
	return d, nil
}

// maxHour bounds what a peer may say of one hour: twenty a second.
const maxHour = 72_000

func (r *Reconciler) remoteHour(ctx context.Context, peer Agency, q DayQuery, h int) (all []Settled, err error) {
	after := TransferID("")
	for len(all) < maxHour {
		page, err := r.Remote.Hour(ctx, peer, q, h, after)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) == 0 || page[len(page)-1].ID == after {
			return all, nil
		}
		after = page[len(page)-1].ID
	}
	return all, nil
}

func (d *Difference) add(here, there []Settled) {
	theirs := map[TransferID]Settled{}
	for _, s := range there {
		theirs[s.ID] = s
	}
	for _, s := range here {
		t, ok := theirs[s.ID]
		delete(theirs, s.ID)
		switch {
		case !ok:
			d.OnlyHere = append(d.OnlyHere, s)
		case t.Receipt != s.Receipt:
			d.Other = append(d.Other, s)
		}
	}
	for _, s := range there {
		if _, left := theirs[s.ID]; left {
			d.OnlyThere = append(d.OnlyThere, s)
		}
	}
}

// unsettled leaves out transfers of ours whose receipt is still on its way: the
// delivery asks for it by itself.
func (r *Reconciler) unsettled(ctx context.Context, list []Settled) (lost []Settled, err error) {
	err = r.Ledger.Store.View(ctx, func(tx Tx) error {
		lost = nil
		for _, s := range list {
			d, err := tx.DeliveryOf(ctx, s.Agency, s.Peer, s.ID)
			if err == nil && !d.State.Final() {
				continue
			}
			if err != nil && text.CodeOf(err) != text.NotFound {
				return err
			}
			lost = append(lost, s)
		}
		return nil
	})
	return lost, err
}

// pullBack fetches what peer has our receipt for and this side has not, and returns
// what could not be had.
func (r *Reconciler) pullBack(ctx context.Context, own AgencyCode, peer Agency, list []Settled) (left []Settled, err error) {
	for _, s := range list {
		key := TransferKey{Recipient: own, Sender: peer.Code, ID: s.ID}
		back, err := r.Remote.Settled(ctx, peer, key)
		if err == nil {
			err = r.Inbox.Reinstate(ctx, peer.Code, back, func() (io.ReadCloser, error) { return r.Remote.Fetch(ctx, peer, peer.Code, s.ID, 0) })
		}
		if err != nil && (ctx.Err() != nil || classOf(err).Class == ClassPeerDown && text.CodeOf(err) == text.PeerUnavailable) {
			return nil, err
		}
		if err != nil {
			left = append(left, s)
		}
	}
	return left, nil
}

// alarm notes a difference that stays.
func (r *Reconciler) alarm(ctx context.Context, own, peer AgencyCode, outgoing bool, q DayQuery, d Difference) error {
	if len(d.OnlyHere)+len(d.OnlyThere)+len(d.Other) == 0 {
		return nil
	}
	direction := "in"
	if outgoing {
		direction = "out"
	}
	var named []string
	for _, s := range slices.Concat(d.OnlyHere, d.OnlyThere, d.Other) {
		if len(named) < namedIDs {
			named = append(named, string(s.ID))
		}
	}
	return r.Ledger.Store.Update(ctx, func(tx Tx) error {
		_, err := tx.AppendEvent(ctx, Event{Agency: own, At: r.Now().UTC(), Kind: EventReconcileDifference, Subject: ID(own + ">" + peer),
			By: System(own), Peer: peer, Data: map[string]string{"day": q.start().Format(time.DateOnly), "direction": direction,
				"only_here": strconv.Itoa(len(d.OnlyHere)), "only_there": strconv.Itoa(len(d.OnlyThere)), "other": strconv.Itoa(len(d.Other)),
				"transfers": strings.Join(named, " ")}})
		return err
	})
}

// Returned returns the transfers that own sent to peer on a day and that this side,
// restored from a backup, knows nothing of: manifest and receipt as peer keeps them,
// both verified.
func (r *Reconciler) Returned(ctx context.Context, own, peer AgencyCode, day time.Time) ([]ReturnedTransfer, error) {
	agency, err := r.Directory.Agency(ctx, peer)
	if err != nil {
		return nil, err
	}
	q := DayQuery{Sender: own, Recipient: peer, Day: day}
	d, err := r.compare(ctx, own, agency, true, q)
	if err != nil {
		return nil, err
	}
	lost, err := r.unsettled(ctx, d.OnlyThere)
	if err != nil {
		return nil, err
	}
	office, err := r.Ledger.Offices.Office(ctx, own)
	if err != nil {
		return nil, err
	}
	keys, err := office.Agency.keysAt(r.Now())
	if err != nil {
		return nil, err
	}
	var out []ReturnedTransfer
	for _, s := range lost {
		back, err := r.Remote.Settled(ctx, agency, TransferKey{Recipient: peer, Sender: own, ID: s.ID})
		if err != nil {
			return nil, err
		}
		if _, _, err := jws.VerifyManifest(back.Manifest, keys); err != nil {
			return nil, text.Errorf(text.PeerUnavailable, fmt.Errorf("manifest of %s: %w", s.ID, err))
		}
		if _, _, err := checkReceipt(back.Receipt, back.Manifest, agency, r.Now()); err != nil {
			return nil, text.Errorf(text.PeerUnavailable, fmt.Errorf("receipt of %s: %w", s.ID, err))
		}
		out = append(out, back)
	}
	return out, nil
}
