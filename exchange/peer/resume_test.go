package peer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// TestUploadGoesOnWhereItStoppedAfterARestart: of 20 MiB, a first attempt goes whole
// and is lost; a second goes in pieces and breaks in the second of them; then the
// receiver is closed and opened again, and a third sends only what is missing.
func TestUploadGoesOnWhereItStoppedAfterARestart(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	payload := noise(20 << 20)
	e := a.envelope(a.send(t, b, payload))
	var left atomic.Int64
	e.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := a.db.Open(ctx, e.Payload.Digest)
		return cutting{r, &left}, err
	}
	for _, bytes := range []int64{3 << 20, 30 << 20} { // pieces are read twice: to hash, to send
		left.Store(bytes)
		if _, err := a.client.Deliver(t.Context(), b.party.Agency, e); err == nil {
			t.Fatal("half a payload was delivered")
		}
	}
	if len(b.items(t)) != 0 {
		t.Error("taken in before it was whole")
	}
	b.stop()
	b.start(t)
	left.Store(1 << 40)
	receipt, err := a.client.Deliver(t.Context(), b.party.Agency, e)
	must(t, err)
	if sent := (1<<40 - left.Load()) / 2; sent > 13<<20 || sent < 12<<20 {
		t.Errorf("the third attempt sent %d bytes of 12 MiB missing", sent)
	}
	again, err := a.client.Deliver(t.Context(), b.party.Agency, a.envelope(a.delivery(t, a.send(t, b, payload).ID)))
	must(t, err)
	if bytes.Equal(receipt, again) {
		t.Error("another transfer got this one's receipt")
	}
	must(t, b.db.Verify(t.Context(), e.Payload.Digest))
	if items := b.items(t); len(items) != 2 || items[1].Raw != e.Payload {
		t.Errorf("items %v", items)
	}
	must(t, b.db.View(t.Context(), func(tx exchange.Tx) error {
		open, _, _, err := tx.OpenUploads(t.Context(), a.party.Agency.Code, b.now())
		if open != 0 {
			t.Errorf("%d uploads still open", open)
		}
		return err
	}))
}

func TestPiecesAreIdempotentAndChecked(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, noise(10<<20))
	payload := noise(10 << 20)
	in := exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest}
	_, state, err := b.inbox.OpenUpload(t.Context(), in)
	must(t, err)
	if !state.Fresh || len(state.Gaps) != 1 || state.Gaps[0] != (exchange.Gap{Length: 10 << 20}) {
		t.Errorf("fresh upload: %+v", state)
	}
	piece := func(offset, size int64, change func(*exchange.IncomingPiece)) error {
		run := payload[offset : offset+size]
		p := exchange.IncomingPiece{Key: exchange.UploadKey{Sender: d.Agency, ID: d.TransferID}, Offset: offset, Size: size, Total: 10 << 20,
			SHA256: string(exchange.DigestOf(run)), Body: bytes.NewReader(run)}
		if change != nil {
			change(&p)
		}
		return b.inbox.PutPiece(t.Context(), p)
	}
	must(t, piece(8<<20, 2<<20, nil))
	must(t, piece(8<<20, 2<<20, func(p *exchange.IncomingPiece) { p.Body = strings.NewReader("not read again") }))
	for name, tc := range map[string]struct {
		err  error
		code text.Code
	}{
		"other bytes":      {piece(0, 1<<20, func(p *exchange.IncomingPiece) { p.Body = bytes.NewReader(payload[1 : 1+1<<20]) }), text.DigestMismatch},
		"cut off":          {piece(0, 1<<20, func(p *exchange.IncomingPiece) { p.Body = bytes.NewReader(payload[:1000]) }), text.DigestMismatch},
		"across another":   {piece(7<<20, 2<<20, nil), text.StateConflict},
		"behind the end":   {piece(0, 1<<20, func(p *exchange.IncomingPiece) { p.Offset = 10 << 20 }), text.InvalidInput},
		"negative":         {piece(0, 1<<20, func(p *exchange.IncomingPiece) { p.Offset = -1 }), text.InvalidInput},
		"of another size":  {piece(0, 1<<20, func(p *exchange.IncomingPiece) { p.Total = 11 << 20 }), text.DigestMismatch},
		"too great":        {piece(0, 9<<20, nil), text.TooLarge},
		"of none open":     {piece(0, 1<<20, func(p *exchange.IncomingPiece) { p.Key.Sender = "H15.50" }), text.StateConflict},
		"commit too early": {commitErr(t, b, d), text.StateConflict},
	} {
		if text.CodeOf(tc.err) != tc.code {
			t.Errorf("%s: %v", name, tc.err)
		}
	}
	must(t, piece(0, 8<<20, nil))
	r, err := b.inbox.CommitUpload(t.Context(), exchange.UploadKey{Sender: d.Agency, ID: d.TransferID})
	must(t, err)
	again, err := b.inbox.CommitUpload(t.Context(), exchange.UploadKey{Sender: d.Agency, ID: d.TransferID})
	must(t, err)
	if !bytes.Equal(r.JWS, again.JWS) || len(b.items(t)) != 1 {
		t.Error("a repeated commit is not a repeat")
	}
}

func commitErr(t *testing.T, g *gate, d exchange.Delivery) error {
	_, err := g.inbox.CommitUpload(t.Context(), exchange.UploadKey{Sender: d.Agency, ID: d.TransferID})
	return err
}

// TestPiecesThatAreNotThePartBeginAnew: each piece is what it says, the whole is not.
func TestPiecesThatAreNotThePartBeginAnew(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, noise(2<<20))
	key := exchange.UploadKey{Sender: d.Agency, ID: d.TransferID}
	_, _, err := b.inbox.OpenUpload(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest})
	must(t, err)
	false1 := make([]byte, 1<<20)
	for _, at := range []int64{0, 1 << 20} {
		must(t, b.inbox.PutPiece(t.Context(), exchange.IncomingPiece{Key: key, Offset: at, Size: 1 << 20, Total: 2 << 20,
			SHA256: string(exchange.DigestOf(false1)), Body: bytes.NewReader(false1)}))
	}
	if err := commitErr(t, b, d); text.CodeOf(err) != text.DigestMismatch {
		t.Fatal(err)
	}
	if err := commitErr(t, b, d); text.CodeOf(err) != text.StateConflict {
		t.Error("the false upload is still open", err)
	}
	a.drain(t, b)
	if got := a.delivery(t, d.ID).State; got != exchange.DeliveryDelivered {
		t.Error(got)
	}
}

// TestThreatFloodOfOpenTransfers: a peer opens no more than its share, and what lies
// still makes room.
func TestThreatFloodOfOpenTransfers(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	var first exchange.Delivery
	for n := range 17 {
		d := a.send(t, b, []byte{byte(n), 1, 2})
		if n == 0 {
			first = d
		}
		_, _, err := b.inbox.OpenUpload(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest})
		if n < 16 && err != nil || n == 16 && text.CodeOf(err) != text.PeerUnavailable {
			t.Errorf("upload %d: %v", n, err)
		}
	}
	must(t, b.inbox.SweepUploads(t.Context())) // all are young
	if _, _, err := b.inbox.OpenUpload(t.Context(), exchange.Incoming{Peer: first.Agency, Manifest: first.Manifest}); err != nil {
		t.Error("an open one is not found again:", err)
	}
}

func TestAPeerThatTakesOnlyWholePartsIsStillReached(t *testing.T) {
	t.Parallel()
	var state map[string]any // an earlier version's answer has no gaps, a later one's has more
	must(t, json.Unmarshal([]byte(`{"missing":[0]}`), &state))
	w := start(t, peer.Limits{})
	w.client.OneShot = -1
	if _, err := w.client.Deliver(t.Context(), w.b.Agency, w.envelope(t, []byte("x"))); err != nil || len(state) != 1 {
		t.Error(err)
	}
}

func TestABatchIsAnsweredItemByItem(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	var es []exchange.Envelope
	for n := range 5 {
		es = append(es, a.envelope(a.send(t, b, noise(1000+n))))
	}
	spoiled := es[2]
	spoiled.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(make([]byte, spoiled.Payload.Size))), nil
	}
	es[2] = spoiled
	for round := range 2 {
		out := a.client.DeliverBatch(t.Context(), b.party.Agency, es)
		for n, got := range out {
			var de *exchange.DeliveryError
			switch {
			case n == 2 && (!errors.As(got.Err, &de) || de.Class != exchange.ClassTransfer || text.CodeOf(got.Err) != text.DigestMismatch):
				t.Errorf("round %d, spoiled: %v", round, got.Err)
			case n != 2 && (got.Err != nil || len(got.Receipt) == 0):
				t.Errorf("round %d, item %d: %v", round, n, got.Err)
			}
		}
	}
	if n := len(b.items(t)); n != 4 {
		t.Errorf("%d items", n)
	}
	unreachable := b.party.Agency
	b.stop()
	for _, got := range a.client.DeliverBatch(t.Context(), unreachable, es) {
		var de *exchange.DeliveryError
		if !errors.As(got.Err, &de) || de.Class != exchange.ClassPeerDown {
			t.Error(got.Err)
		}
	}
}
