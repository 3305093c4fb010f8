package exchange

import (
	"context"
	"crypto"

	"antin/exchange/jws"
)

// LanePlace is a transfer's place in the order of its sender, its receiver and its
// class, which is its kind. Epoch grows when a sender was restored from a backup; Seq
// counts from 1 within it. The zero value is no place.
type LanePlace struct {
	Epoch int64 `json:"epoch"`
	Seq   int64 `json:"seq"`
}

// placeOf is the place that a manifest states.
func placeOf(l *jws.Lane) LanePlace {
	if l == nil {
		return LanePlace{}
	}
	return LanePlace{Epoch: l.Epoch, Seq: l.Seq}
}

// LaneOrder is how far a receiver has come in one class of a sender's transfers.
type LaneOrder struct {
	Recipient AgencyCode   `json:"recipient"`
	Sender    AgencyCode   `json:"sender"`
	Class     TransferKind `json:"class"`
	// Epoch and Seq are the last place up to which everything has come, was given up, or
	// is no longer waited for.
	Epoch int64 `json:"epoch"`
	Seq   int64 `json:"seq"`
	// Passed are the places behind Seq that need not be waited for either.
	Passed []int64 `json:"passed,omitempty"`
	// Waiting are the items behind Seq that wait for the places before them.
	Waiting map[int64]ID `json:"waiting,omitempty"`
}

// LanePlaceRows holds the order of lanes, on both sides.
type LanePlaceRows interface {
	// NextPlace takes the next place of a sender's lane to a receiver, the first being
	// epoch 1, seq 1.
	NextPlace(ctx context.Context, lane Lane, class TransferKind) (LanePlace, error)
	// LaneOrder returns how far a receiver has come, zero but for its names when nothing
	// was saved.
	LaneOrder(ctx context.Context, recipient, sender AgencyCode, class TransferKind) (LaneOrder, error)
	SaveLaneOrder(ctx context.Context, o LaneOrder) error
	// RaiseEpochs gives every lane the places of a new epoch: what was sent after a
	// backup was made is unknown to whoever was restored from it.
	RaiseEpochs(ctx context.Context) error
}

// unsignedManifest is the manifest of a delivery that is not committed yet.
type unsignedManifest struct {
	key       crypto.Signer
	statement jws.Manifest
}

// sign gives d its place and signs its manifest, once: a second signature would be a
// second identity. It happens within the transaction that commits the delivery, so
// that no place is taken by what was never sent; where that runs again nothing of the
// first run was kept.
func (d *Delivery) sign(ctx context.Context, tx Tx) error {
	if d.unsigned == nil {
		return nil
	}
	place, err := tx.NextPlace(ctx, d.Lane(), d.Kind)
	if err != nil {
		return err
	}
	m := d.unsigned.statement
	m.Lane = &jws.Lane{Class: string(d.Kind), Epoch: place.Epoch, Seq: place.Seq}
	d.Manifest, err = jws.SignManifest(nil, d.unsigned.key, m)
	return err
}
