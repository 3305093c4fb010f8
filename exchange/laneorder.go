package exchange

import (
	"context"
	"slices"
	"strconv"
	"time"

	"antin/exchange/jws"
)

const (
	// laneGrace is how long a status message waits for those before it: longer than a
	// retry of a line that works, shorter than a clerk's patience.
	laneGrace = 10 * time.Minute
	// maxLaneWaiting bounds what waits in one lane, and what is remembered as passed:
	// past it nothing is waited for.
	maxLaneWaiting = 1000
)

// inOrder reports whether a status message is to wait for those its sender sent
// before it. Documents never wait. What waits stays received, and is looked at again
// when the gap closes, or after laneGrace, when it is let past with an event.
func (in *Inbox) inOrder(ctx context.Context, tx Tx, item InboxItem, now time.Time) (wait bool, err error) {
	if item.Kind != KindStatus || item.Place.Seq == 0 {
		return false, nil
	}
	o, err := tx.LaneOrder(ctx, item.Agency, item.From, item.Kind)
	if err != nil {
		return false, err
	}
	if !o.enter(item.Place) {
		return false, nil // late, of places no longer waited for
	}
	if item.Place.Seq > o.Seq+1 {
		due := item.ReceivedAt.Add(laneGrace)
		if now.Before(due) && len(o.Waiting) < maxLaneWaiting {
			o.wait(item)
			if err := tx.SaveLaneOrder(ctx, o); err != nil {
				return true, err
			}
			return true, tx.Enqueue(ctx, Job{Kind: JobAdmit, Key: string(item.ID), At: due})
		}
		if err := noteGap(ctx, tx, item, o.Seq+1, now); err != nil {
			return false, err
		}
	}
	o.pass(item.Place.Seq, 1)
	o.Seq = max(o.Seq, item.Place.Seq)
	return false, o.goOn(ctx, tx)
}

// noteGap says that places from the given one up to the item's are no longer waited for.
func noteGap(ctx context.Context, tx Tx, item InboxItem, from int64, now time.Time) error {
	_, err := tx.AppendEvent(ctx, Event{Agency: item.Agency, At: now, Kind: EventLaneGap, Subject: item.ID, By: System(item.Agency), Peer: item.From,
		Data: map[string]string{"epoch": strconv.FormatInt(item.Place.Epoch, 10), "from": strconv.FormatInt(from, 10),
			"to": strconv.FormatInt(item.Place.Seq-1, 10)}})
	return err
}

// passLane notes that a transfer which was refused or closed, or that its sender gave
// up, is not to be waited for: count places from that of l on.
func passLane(ctx context.Context, tx Tx, recipient, sender AgencyCode, l *jws.Lane, count int64) error {
	if l == nil || TransferKind(l.Class) != KindStatus {
		return nil
	}
	o, err := tx.LaneOrder(ctx, recipient, sender, KindStatus)
	if err != nil || !o.enter(placeOf(l)) {
		return err
	}
	o.pass(l.Seq, count)
	return o.goOn(ctx, tx)
}

// enter turns to the epoch of p and reports whether p is still waited for.
func (o *LaneOrder) enter(p LanePlace) bool {
	if p.Epoch > o.Epoch {
		// What the old epoch still owes is not waited for: its sender does not know of it.
		*o = LaneOrder{Recipient: o.Recipient, Sender: o.Sender, Class: o.Class, Epoch: p.Epoch}
	}
	return p.Epoch == o.Epoch && p.Seq > o.Seq
}

func (o *LaneOrder) wait(item InboxItem) {
	if o.Waiting == nil {
		o.Waiting = map[int64]ID{}
	}
	o.Waiting[item.Place.Seq] = item.ID
}

// pass marks count places from seq on.
func (o *LaneOrder) pass(seq, count int64) {
	if seq <= o.Seq+1 {
		o.Seq = max(o.Seq, seq+count-1)
		return
	}
	for s := seq; s < seq+count && len(o.Passed) < maxLaneWaiting; s++ {
		if !slices.Contains(o.Passed, s) {
			o.Passed = append(o.Passed, s)
		}
	}
}

// goOn takes up what follows without a gap, wakes who waited for it, and saves o.
func (o *LaneOrder) goOn(ctx context.Context, tx Tx) error {
	slices.Sort(o.Passed)
	for len(o.Passed) > 0 && o.Passed[0] <= o.Seq+1 {
		o.Seq = max(o.Seq, o.Passed[0])
		o.Passed = o.Passed[1:]
	}
	for seq, id := range o.Waiting {
		if seq > o.Seq+1 {
			continue
		}
		delete(o.Waiting, seq)
		if err := tx.Enqueue(ctx, Job{Kind: JobAdmit, Key: string(id)}); err != nil {
			return err
		}
	}
	return tx.SaveLaneOrder(ctx, *o)
}
