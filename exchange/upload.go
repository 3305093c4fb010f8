package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// The bounds of transfers between manifest and commit.
const (
	// MaxPiece is the greatest piece of a part, in bytes: what a line that breaks has
	// to send again.
	MaxPiece = 8 << 20
	// MaxWhole is the greatest part taken in one piece: it is written once and never
	// copied, which counts on a good line.
	MaxWhole = 64 << 20
	// maxPieces bounds an upload's rows: 32 GiB in pieces of the full size.
	maxPieces = 4096
	// maxUploads and maxUploadBytes bound what one peer has open at once.
	maxUploads     = 16
	maxUploadBytes = 64 << 30
	// uploadPause is the time without a piece after which an upload makes room for
	// another of the same peer, and uploadIdle that after which it goes in any case.
	uploadPause = time.Hour
	uploadIdle  = 48 * time.Hour
	// uploadSweep is how many go in one transaction.
	uploadSweep = 100
)

// EventUploadFailed says that the bytes of an upload, all there, were not those of
// its manifest: it begins anew.
const EventUploadFailed EventKind = "upload.failed"

// Gap is a run of bytes of a part that has not come.
type Gap struct {
	Offset int64
	Length int64
}

// UploadState is what an open upload lacks.
type UploadState struct {
	Gaps  []Gap
	Fresh bool // opened by this very call
}

// OpenUpload begins a transfer in pieces, or finds the one that is open: it returns
// the receipt of a transfer that is known or will never be taken, else what is
// missing. Nothing is written before the manifest is believed. Errors are those of
// Receive; peer-unavailable while the peer has too many open.
func (in *Inbox) OpenUpload(ctx context.Context, t Incoming) (answer Receipt, state UploadState, err error) {
	c, answer, err := in.examine(ctx, t)
	if err != nil || answer.JWS != nil {
		return answer, state, err
	}
	u := Upload{Sender: c.key.Sender, ID: c.key.ID, Recipient: c.key.Recipient, Manifest: c.jws, Size: c.part.Size, OpenedAt: c.now}
	var pieces []Piece
	err = in.Store.Update(ctx, func(tx Tx) error {
		state, pieces = UploadState{}, nil
		known, err := tx.Upload(ctx, u.Key())
		if text.CodeOf(err) == text.NotFound && err != nil {
			state.Fresh = true
			return in.makeRoom(ctx, tx, u)
		}
		if err != nil {
			return err
		}
		if id, err := jws.PayloadDigest(known.Manifest); err != nil || id != c.id {
			return errors.Join(err, text.Errorf(text.ReplayConflict, errors.New("transfer is open with another manifest")))
		}
		pieces, err = tx.Pieces(ctx, u.Key())
		return err
	})
	if err != nil {
		return Receipt{}, UploadState{}, fmt.Errorf("opening upload %s: %w", u.ID, err)
	}
	state.Gaps = gapsOf(u.Size, pieces)
	return Receipt{}, state, nil
}

// makeRoom adds u when its sender has room for it, at the cost of what has lain
// still for long.
func (in *Inbox) makeRoom(ctx context.Context, tx Tx, u Upload) error {
	open, size, old, err := tx.OpenUploads(ctx, u.Sender, u.OpenedAt.Add(-uploadPause))
	if err != nil {
		return err
	}
	for ; open >= maxUploads && len(old) > 0; open, old = open-1, old[1:] {
		if err := tx.DropUpload(ctx, old[0]); err != nil {
			return err
		}
	}
	if open >= maxUploads || size+u.Size > max(maxUploadBytes, in.maxPayload()) {
		return text.Errorf(text.PeerUnavailable, fmt.Errorf("%s has %d uploads open", u.Sender, open))
	}
	return tx.CreateUpload(ctx, u)
}

// gapsOf returns what pieces, in order, leave open of size bytes.
func gapsOf(size int64, pieces []Piece) (gaps []Gap) {
	var at int64
	for _, p := range pieces {
		if p.Offset > at {
			gaps = append(gaps, Gap{at, p.Offset - at})
		}
		at = max(at, p.Offset+p.Size)
	}
	if at < size || size == 0 && len(pieces) == 0 {
		gaps = append(gaps, Gap{at, size - at})
	}
	return gaps
}

// IncomingPiece is a run of bytes as it arrives.
type IncomingPiece struct {
	Key    UploadKey
	Offset int64
	Size   int64  // negative: the whole part, as long as it is
	Total  int64  // of the part, as the sender has it
	SHA256 string // of the piece, lower-case hexadecimal
	Body   io.Reader
}

// PutPiece stores one piece of an open upload; it is durable when PutPiece returns
// nil. A piece that has come is not read again. Errors: state-conflict when no such
// upload is open or the piece lies across others; too-large; digest-mismatch, after
// which nothing is kept; invalid-input for a run that the part does not have.
func (in *Inbox) PutPiece(ctx context.Context, p IncomingPiece) error {
	u, pieces, err := in.upload(ctx, p.Key)
	if err != nil {
		return err
	}
	if p.Size < 0 {
		p.Size, p.Total = u.Size, u.Size
	}
	whole := p.Offset == 0 && p.Size == u.Size
	switch {
	case p.Total != u.Size:
		return text.Errorf(text.DigestMismatch, fmt.Errorf("part of %d bytes, %d stated", p.Total, u.Size))
	case p.Offset < 0 || p.Size < 0 || p.Size > u.Size-p.Offset || p.Size == 0 && !whole:
		return text.Errorf(text.InvalidInput, fmt.Errorf("piece %d+%d of %d bytes", p.Offset, p.Size, u.Size))
	case p.Size > MaxPiece && (!whole || p.Size > MaxWhole), len(pieces) >= maxPieces:
		return text.Errorf(text.TooLarge, fmt.Errorf("piece of %d bytes, the %dth", p.Size, len(pieces)+1))
	}
	for _, have := range pieces {
		if have.Offset == p.Offset && have.Size == p.Size && have.SHA256 == p.SHA256 {
			return nil
		}
		if p.Offset < have.Offset+have.Size && have.Offset < p.Offset+p.Size {
			return text.Errorf(text.StateConflict, fmt.Errorf("piece %d+%d lies across %d+%d", p.Offset, p.Size, have.Offset, have.Size))
		}
	}
	piece := Piece{Offset: p.Offset, Size: p.Size, SHA256: p.SHA256}
	if piece.Blob, err = in.putPiece(ctx, u, p, whole); err != nil {
		return fmt.Errorf("storing piece of %s: %w", u.ID, err)
	}
	err = in.Store.Update(ctx, func(tx Tx) error { return tx.AddPiece(ctx, p.Key, piece, in.Now().UTC()) })
	switch {
	case errors.Is(err, ErrExists): // the same came twice at once
		return nil
	case err != nil && text.CodeOf(err) == text.NotFound:
		return text.Errorf(text.StateConflict, err)
	}
	return err
}

// upload returns an open upload with what it has; state-conflict when it is not open.
func (in *Inbox) upload(ctx context.Context, k UploadKey) (u Upload, pieces []Piece, err error) {
	err = in.Store.View(ctx, func(tx Tx) error {
		if u, err = tx.Upload(ctx, k); err != nil {
			return err
		}
		pieces, err = tx.Pieces(ctx, k)
		return err
	})
	if err != nil && text.CodeOf(err) == text.NotFound {
		err = text.Errorf(text.StateConflict, fmt.Errorf("transfer %s is not open", k.ID))
	}
	return u, pieces, err
}

// putPiece stores the bytes of p. The whole part is stored as it is, under the name
// that its manifest gives it. A lesser piece follows its mark, so that no other row
// ever names the same bytes and they can go as soon as the part is put together.
func (in *Inbox) putPiece(ctx context.Context, u Upload, p IncomingPiece, whole bool) (Blob, error) {
	part := jws.Part{Size: p.Size, SHA256: p.SHA256}
	if !whole {
		return in.Blobs.Put(ctx, io.MultiReader(bytes.NewReader(mark(u, p.Offset)), newStated(p.Body, part)))
	}
	m, _, err := jws.PeekManifest(u.Manifest)
	if err != nil {
		return Blob{}, err
	}
	if m.Parts[0].SHA256 != p.SHA256 {
		return Blob{}, text.Errorf(text.DigestMismatch, errors.New("digest is not that of the manifest"))
	}
	return in.putStated(ctx, p.Body, part)
}

// mark stands before the bytes of a piece.
func mark(u Upload, offset int64) []byte {
	return []byte("antin piece " + string(u.Sender) + " " + string(u.Recipient) + " " + string(u.ID) + " " + strconv.FormatInt(offset, 10) + "\n")
}

// UploadState returns what an open upload of sender for recipient lacks; not-found
// when there is none.
func (in *Inbox) UploadState(ctx context.Context, k UploadKey, recipient AgencyCode) (UploadState, error) {
	u, pieces, err := in.upload(ctx, k)
	if text.CodeOf(err) == text.StateConflict || err == nil && u.Recipient != recipient {
		return UploadState{}, text.Errorf(text.NotFound, nil)
	}
	return UploadState{Gaps: gapsOf(u.Size, pieces)}, err
}

// CommitUpload puts an upload's pieces together and takes the transfer in, as
// Receive does; of a transfer that was taken in before it returns the receipt.
// Errors: state-conflict when it is not open or something is missing;
// digest-mismatch when the pieces are not the part: then the upload begins anew.
func (in *Inbox) CommitUpload(ctx context.Context, k UploadKey) (Receipt, error) {
	end, err := in.flights.enter(ctx, k)
	if err != nil {
		return Receipt{}, err
	}
	defer end()
	u, pieces, err := in.upload(ctx, k)
	if text.CodeOf(err) == text.StateConflict {
		if known, lookErr := in.knownOf(ctx, k); lookErr != nil || known.JWS != nil {
			return known, lookErr
		}
	}
	if err != nil {
		return Receipt{}, err
	}
	if len(gapsOf(u.Size, pieces)) > 0 {
		return Receipt{}, text.Errorf(text.StateConflict, errors.New("commit before all bytes came"))
	}
	c, answer, err := in.examine(ctx, Incoming{Peer: k.Sender, Manifest: u.Manifest})
	if err != nil || answer.JWS != nil {
		return answer, errors.Join(err, in.dropUpload(ctx, k, pieces))
	}
	payload := pieces[0].Blob
	if len(pieces) > 1 || pieces[0].Size != u.Size || payload.Size != u.Size {
		payload, err = in.assemble(ctx, c, u, pieces)
		if err != nil {
			return Receipt{}, err
		}
	}
	answer, err = in.take(ctx, c, payload, func(tx Tx) error { return tx.DropUpload(ctx, k) })
	if err == nil {
		in.discard(ctx, pieces, payload)
	}
	return answer, err
}

// assemble stores the part that pieces make. When they do not make it, or one is
// gone, nothing of them is of use.
func (in *Inbox) assemble(ctx context.Context, c *incoming, u Upload, pieces []Piece) (Blob, error) {
	r := &pieceReader{ctx: ctx, blobs: in.Blobs, u: u, rest: pieces}
	defer r.close()
	payload, err := in.putStated(ctx, r, c.part)
	if code := text.CodeOf(err); err != nil && (code == text.DigestMismatch || code == text.NotFound) {
		err = text.Errorf(text.DigestMismatch, err)
		return Blob{}, errors.Join(err, in.dropUpload(ctx, u.Key(), pieces), in.Store.Update(ctx, func(tx Tx) error {
			return in.note(ctx, tx, c, EventUploadFailed, "", nil)
		}))
	}
	return payload, err
}

// dropUpload forgets an upload that leads nowhere.
func (in *Inbox) dropUpload(ctx context.Context, k UploadKey, pieces []Piece) error {
	err := in.Store.Update(ctx, func(tx Tx) error { return tx.DropUpload(ctx, k) })
	if err == nil {
		in.discard(ctx, pieces, Blob{})
	}
	return err
}

// discard frees the bytes of pieces that no row names any more, where the store can
// do so at once; else, and when it fails, the sweeper does it later.
func (in *Inbox) discard(ctx context.Context, pieces []Piece, keep Blob) {
	d, ok := in.Blobs.(DiscardingBlobs)
	if !ok {
		return
	}
	for _, p := range pieces {
		if p.Blob != keep && p.Blob.Size != p.Size { // marked: nobody else's bytes
			_ = d.Discard(ctx, p.Blob.Digest) // what stays, the sweeper takes
		}
	}
}

// knownOf returns the stored receipt of a transfer to any agency served here, zero
// when there is none.
func (in *Inbox) knownOf(ctx context.Context, k UploadKey) (Receipt, error) {
	offices, err := in.Offices.Offices(ctx)
	if err != nil {
		return Receipt{}, err
	}
	for _, o := range offices {
		r, err := in.Known(ctx, TransferKey{Recipient: o.Agency.Code, Sender: k.Sender, ID: k.ID})
		if err == nil || text.CodeOf(err) != text.NotFound {
			return r, err
		}
	}
	return Receipt{}, nil
}

// SweepUploads gives up uploads that got nothing for long; the worker calls it.
func (in *Inbox) SweepUploads(ctx context.Context) error {
	before := in.Now().UTC().Add(-uploadIdle)
	var old []UploadKey
	err := in.Store.View(ctx, func(tx Tx) (err error) {
		old, err = tx.OldUploads(ctx, before, uploadSweep)
		return err
	})
	if err != nil {
		return err
	}
	for _, k := range old {
		_, pieces, err := in.upload(ctx, k)
		if err == nil {
			err = in.dropUpload(ctx, k, pieces)
		}
		if err != nil && text.CodeOf(err) != text.StateConflict {
			return err
		}
	}
	return nil
}

// pieceReader reads the bytes of pieces one after the other, one open at a time.
type pieceReader struct {
	ctx   context.Context //nolint:containedctx // lives for one assemble
	blobs Blobs
	u     Upload
	rest  []Piece
	open  BlobReader
	run   io.Reader
}

// Read implements io.Reader.
func (r *pieceReader) Read(b []byte) (int, error) {
	for {
		if r.run != nil {
			n, err := r.run.Read(b)
			if n > 0 || err != nil && err != io.EOF {
				return n, err
			}
			if err == nil {
				continue
			}
			r.close()
		}
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		p := r.rest[0]
		r.rest = r.rest[1:]
		f, err := r.blobs.Open(r.ctx, p.Blob.Digest)
		if err != nil {
			return 0, err
		}
		r.open = f
		r.run = io.NewSectionReader(f, int64(len(mark(r.u, p.Offset))), p.Size)
	}
}

func (r *pieceReader) close() {
	if r.open != nil {
		_ = r.open.Close()
	}
	r.open, r.run = nil, nil
}
