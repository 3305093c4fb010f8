package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// wireTests are the suite's part about uploads and the ledger.
var wireTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"keeps an upload and its pieces until it is dropped", uploads},
	{"counts what a peer has open and finds what lies still", openUploads},
	{"lists ended transfers by time and id", ledger},
	{"finds a delivery by its transfer and what waits for a receiver", waitingFor},
}

func uploads(t *testing.T, e Engine) {
	u := exchange.Upload{Sender: "H26.18", ID: exchange.NewTransferID(at), Recipient: agency, Manifest: []byte("m"), Size: 300, OpenedAt: at}
	second := exchange.Piece{Offset: 200, Size: 100, SHA256: "cd", Blob: put(t, e, []byte("second"))}
	first := exchange.Piece{Offset: 0, Size: 200, SHA256: "ab", Blob: put(t, e, []byte("first"))}
	update(t, e, func(tx exchange.Tx) error { return tx.CreateUpload(t.Context(), u) })
	for _, p := range []exchange.Piece{second, first} {
		update(t, e, func(tx exchange.Tx) error { return tx.AddPiece(t.Context(), u.Key(), p, at.Add(time.Minute)) })
	}
	update(t, e, func(tx exchange.Tx) error {
		if err := tx.CreateUpload(t.Context(), u); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a second upload: %v", err)
		}
		if err := tx.AddPiece(t.Context(), u.Key(), first, at); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a second piece: %v", err)
		}
		return nil
	})
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.Upload(t.Context(), u.Key())
		same(t, "upload", got, u)
		pieces, perr := tx.Pieces(t.Context(), u.Key())
		same(t, "pieces", pieces, []exchange.Piece{first, second})
		return errors.Join(err, perr)
	})
	if _, err := e.Sweep(t.Context(), at.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	must(t, e.Verify(t.Context(), first.Blob.Digest)) // an open upload keeps its bytes
	err := e.Update(t.Context(), func(tx exchange.Tx) error {
		return tx.AddPiece(t.Context(), exchange.UploadKey{Sender: "H26.18", ID: "none"}, first, at)
	})
	wantCode(t, err, text.NotFound)
	update(t, e, func(tx exchange.Tx) error { return tx.DropUpload(t.Context(), u.Key()) })
	update(t, e, func(tx exchange.Tx) error { return tx.DropUpload(t.Context(), u.Key()) }) // there is none
	view(t, e, func(tx exchange.Tx) error {
		_, err := tx.Upload(t.Context(), u.Key())
		wantCode(t, err, text.NotFound)
		pieces, err := tx.Pieces(t.Context(), u.Key())
		same(t, "pieces of a dropped upload", len(pieces), 0)
		return err
	})
}

func openUploads(t *testing.T, e Engine) {
	var keys []exchange.UploadKey
	for n, sender := range []exchange.AgencyCode{"H26.18", "H26.18", "H26.19"} {
		u := exchange.Upload{Sender: sender, ID: exchange.NewTransferID(at.Add(time.Duration(n) * time.Second)), Recipient: agency, Size: 100,
			OpenedAt: at.Add(time.Duration(n) * time.Hour)}
		update(t, e, func(tx exchange.Tx) error { return tx.CreateUpload(t.Context(), u) })
		keys = append(keys, u.Key())
	}
	view(t, e, func(tx exchange.Tx) error {
		open, size, old, err := tx.OpenUploads(t.Context(), "H26.18", at.Add(30*time.Minute))
		same(t, "of one sender", []any{open, size, old}, []any{2, int64(200), keys[:1]})
		all, oerr := tx.OldUploads(t.Context(), at.Add(3*time.Hour), 10)
		same(t, "of all", all, keys)
		return errors.Join(err, oerr)
	})
	piece := exchange.Piece{Size: 1, Blob: put(t, e, []byte("x"))}
	update(t, e, func(tx exchange.Tx) error { return tx.AddPiece(t.Context(), keys[0], piece, at.Add(4*time.Hour)) })
	view(t, e, func(tx exchange.Tx) error {
		all, err := tx.OldUploads(t.Context(), at.Add(3*time.Hour), 10)
		same(t, "after a piece", all, keys[1:])
		return err
	})
}

func ledger(t *testing.T, e Engine) {
	var all []exchange.Settled
	for n := range 5 {
		all = append(all, exchange.Settled{Agency: agency, Peer: "H26.18", Outgoing: true, At: at.Add(time.Duration(n/2) * time.Second),
			ID: exchange.NewTransferID(at.Add(time.Duration(n) * time.Millisecond)), Receipt: exchange.DigestOf([]byte{byte(n)})})
	}
	for _, s := range []exchange.Settled{all[4], all[2], all[0], all[1], all[3], all[3], {Agency: agency, Peer: "H26.18", At: at, ID: all[0].ID}} {
		update(t, e, func(tx exchange.Tx) error { return tx.AddSettled(t.Context(), s) })
	}
	q := exchange.SettledQuery{Agency: agency, Peer: "H26.18", Outgoing: true, From: at, To: at.Add(2 * time.Second), Limit: 3}
	view(t, e, func(tx exchange.Tx) error {
		page, err := tx.SettledOf(t.Context(), q)
		same(t, "first page", page, all[:3])
		q.AfterAt, q.After = all[2].At, all[2].ID
		rest, rerr := tx.SettledOf(t.Context(), q)
		same(t, "second page", rest, all[3:4]) // the fifth is past To
		return errors.Join(err, rerr)
	})
}

func waitingFor(t *testing.T, e Engine) {
	var made []exchange.Delivery
	for n := range 3 {
		d := newDelivery(n, "H26.18")
		d.State = exchange.DeliveryReady
		d.Payload = put(t, e, []byte(fmt.Sprint(n)))
		update(t, e, func(tx exchange.Tx) error { return tx.CreateDelivery(t.Context(), d) })
		made = append(made, d)
	}
	made[1].State, made[1].Version = exchange.DeliveryDelivered, 1
	update(t, e, func(tx exchange.Tx) error { return tx.SaveDelivery(t.Context(), made[1]) })
	find := func(ctx context.Context, tx exchange.Tx, after exchange.ID) (ids []exchange.ID) {
		list, err := tx.WaitingFor(ctx, "H26.18", after, 10)
		must(t, err)
		for _, d := range list {
			ids = append(ids, d.ID)
		}
		return ids
	}
	view(t, e, func(tx exchange.Tx) error {
		same(t, "all", find(t.Context(), tx, ""), []exchange.ID{made[0].ID, made[2].ID})
		same(t, "behind the first", find(t.Context(), tx, made[0].ID), []exchange.ID{made[2].ID})
		d, err := tx.DeliveryOf(t.Context(), made[2].Agency, "H26.18", made[2].TransferID)
		same(t, "by transfer", d.ID, made[2].ID)
		_, none := tx.DeliveryOf(t.Context(), made[2].Agency, "H26.99", made[2].TransferID)
		wantCode(t, none, text.NotFound)
		return err
	})
}
