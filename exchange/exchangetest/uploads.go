package exchangetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// upload is an open transfer in memory: pieces by offset.
type upload struct {
	manifest []byte
	m        jws.Manifest
	pieces   map[int64][]byte
}

// Pieces is how many pieces of open transfers the gateway holds.
func (g *Gateway) Pieces() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, u := range g.uploads {
		n += len(u.pieces)
	}
	return n
}

// Forget gives up every open transfer.
func (g *Gateway) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.uploads = nil
}

// OpenUpload opens a transfer as exchange.Inbox does.
func (g *Gateway) OpenUpload(_ context.Context, t exchange.Incoming) (r exchange.Receipt, state exchange.UploadState, err error) {
	m, id, r, err := g.check(t)
	if err != nil || r.JWS != nil {
		return r, state, err
	}
	if g.MaxPayload > 0 && m.Parts[0].Size > g.MaxPayload {
		r, err = g.keep(m, id, exchange.ReceiptRejected, nil)
		return r, state, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	k := exchange.UploadKey{Sender: t.Peer, ID: exchange.TransferID(m.TransferID)}
	u, ok := g.uploads[k]
	if !ok {
		if g.uploads == nil {
			g.uploads = map[exchange.UploadKey]*upload{}
		}
		u = &upload{manifest: t.Manifest, m: m, pieces: map[int64][]byte{}}
		g.uploads[k] = u
	}
	if known, err := jws.PayloadDigest(u.manifest); err != nil || known != id {
		return r, state, text.Errorf(text.ReplayConflict, err)
	}
	return r, exchange.UploadState{Gaps: u.gaps(), Fresh: !ok}, nil
}

func (u *upload) offsets() (list []int64) {
	for at := range u.pieces {
		list = append(list, at)
	}
	slices.Sort(list)
	return list
}

func (u *upload) gaps() (gaps []exchange.Gap) {
	at := int64(0)
	for _, o := range u.offsets() {
		if o > at {
			gaps = append(gaps, exchange.Gap{Offset: at, Length: o - at})
		}
		at = o + int64(len(u.pieces[o]))
	}
	if size := u.m.Parts[0].Size; at < size || len(u.pieces) == 0 {
		gaps = append(gaps, exchange.Gap{Offset: at, Length: size - at})
	}
	return gaps
}

// PutPiece keeps a piece when its bytes are those stated.
func (g *Gateway) PutPiece(_ context.Context, p exchange.IncomingPiece) error {
	g.mu.Lock()
	u, ok := g.uploads[p.Key]
	g.mu.Unlock()
	if !ok {
		return text.Errorf(text.StateConflict, nil)
	}
	if p.Size < 0 {
		p.Size, p.Total = u.m.Parts[0].Size, u.m.Parts[0].Size
	}
	if p.Total != u.m.Parts[0].Size {
		return text.Errorf(text.DigestMismatch, nil)
	}
	b, err := io.ReadAll(io.LimitReader(p.Body, p.Size+1))
	if err != nil {
		return err
	}
	if exchange.DigestOf(b) != exchange.Digest(p.SHA256) || p.Size == p.Total && p.SHA256 != u.m.Parts[0].SHA256 {
		return text.Errorf(text.DigestMismatch, nil)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	u.pieces[p.Offset] = b
	return nil
}

// CommitUpload takes an open transfer in.
func (g *Gateway) CommitUpload(ctx context.Context, k exchange.UploadKey) (exchange.Receipt, error) {
	g.mu.Lock()
	u, ok := g.uploads[k]
	whole := ok && len(u.gaps()) == 0
	g.mu.Unlock()
	if !ok {
		if r, err := g.Known(ctx, exchange.TransferKey{Recipient: g.Self.Agency.Code, Sender: k.Sender, ID: k.ID}); err == nil {
			return r, nil
		}
	}
	if !whole {
		return exchange.Receipt{}, text.Errorf(text.StateConflict, errors.New("not open, or not whole"))
	}
	var all bytes.Buffer
	for _, o := range u.offsets() {
		all.Write(u.pieces[o])
	}
	r, err := g.Receive(ctx, exchange.Incoming{Peer: k.Sender, Manifest: u.manifest, Payload: &all})
	if err == nil {
		g.mu.Lock()
		delete(g.uploads, k)
		g.mu.Unlock()
	}
	return r, err
}

// UploadState tells what an open transfer lacks.
func (g *Gateway) UploadState(_ context.Context, k exchange.UploadKey, recipient exchange.AgencyCode) (exchange.UploadState, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, ok := g.uploads[k]
	if !ok || exchange.AgencyCode(u.m.Recipient) != recipient {
		return exchange.UploadState{}, text.Errorf(text.NotFound, nil)
	}
	return exchange.UploadState{Gaps: u.gaps()}, nil
}
