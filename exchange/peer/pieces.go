package peer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/failpoint"
	"antin/internal/text"
)

// assembleRate is what a peer puts pieces together with at the least, in bytes a
// second: it reads, hashes and writes them once.
const assembleRate = 4 << 20

// inParts sends a transfer in steps. Another attempt may have been quicker, or the
// peer has given an old upload up; one more round then finds out which.
func (p *remote) inParts(ctx context.Context, e exchange.Envelope) ([]byte, error) {
	receipt, err := p.steps(ctx, e)
	if errors.Is(err, &text.Error{Code: text.StateConflict}) {
		return p.steps(ctx, e)
	}
	return receipt, err
}

// steps asks first whether the peer wants the bytes at all, and which.
func (p *remote) steps(ctx context.Context, e exchange.Envelope) ([]byte, error) {
	status, contentType, body, err := p.do(ctx, request{method: http.MethodPut, id: e.TransferID, contentType: typeReceipt,
		body: bytes.NewReader(e.Manifest), size: int64(len(e.Manifest))})
	if err != nil {
		return nil, err
	}
	if contentType == typeReceipt {
		return body, nil
	}
	var state stateAnswer
	if err := json.Unmarshal(body, &state); err != nil {
		return nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("reading state: %w", err)}
	}
	if err := failpoint.Hit(failpoint.AttemptHalfSent); err != nil {
		return nil, err
	}
	if slices.Contains(state.Missing, 0) {
		if err := p.upload(ctx, e, state, status == http.StatusCreated); err != nil {
			return nil, err
		}
	}
	return p.receipt(ctx, request{method: http.MethodPost, id: e.TransferID, path: "/commit", body: http.NoBody,
		patience: p.limits.Grace + time.Duration(e.Payload.Size/assembleRate+1)*time.Second})
}

// upload sends what is missing. A part of which nobody sent anything yet goes whole
// where the peer takes that: it is then written once and copied nowhere. One that
// broke off before goes on in pieces, so that the next break costs one of them.
func (p *remote) upload(ctx context.Context, e exchange.Envelope, state stateAnswer, fresh bool) error {
	whole := state.Piece == 0 || fresh && e.Payload.Size <= min(state.Whole, exchange.MaxWhole) || e.Payload.Size <= min(state.Piece, exchange.MaxPiece)
	if whole && (len(state.Gaps) == 0 || state.Gaps[0] == gapAnswer{Length: e.Payload.Size}) {
		payload, err := openPayload(ctx, e)
		if err != nil {
			return err
		}
		return p.putPart(ctx, e, payload, http.Header{}, e.Payload.Size)
	}
	src, err := newPieceSource(ctx, e)
	if err != nil {
		return err
	}
	defer src.close()
	for _, g := range state.Gaps {
		if g.Part != 0 || g.Offset < 0 || g.Length <= 0 || g.Length > e.Payload.Size-g.Offset {
			return &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: errors.New("peer misses bytes that are not there")}
		}
		for at, end := g.Offset, g.Offset+g.Length; at < end; {
			size := min(end-at, min(state.Piece, exchange.MaxPiece))
			if err := p.putPiece(ctx, e, src, at, size); err != nil {
				return err
			}
			at += size
		}
	}
	return nil
}

func (p *remote) putPiece(ctx context.Context, e exchange.Envelope, src *pieceSource, offset, size int64) error {
	digest, body, err := src.piece(offset, size)
	if err != nil {
		return &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("reading payload: %w", err)}
	}
	return p.putPart(ctx, e, body, http.Header{"Content-Range": {contentRange(offset, size, e.Payload.Size)}, "Content-Digest": {digestField(digest)}}, size)
}

func (p *remote) putPart(ctx context.Context, e exchange.Envelope, body io.Reader, header http.Header, size int64) error {
	header.Set("Repr-Digest", ReprDigest(jws.Part{SHA256: string(e.Payload.Digest)}))
	_, _, _, err := p.do(ctx, request{method: http.MethodPut, id: e.TransferID, path: "/parts/0", contentType: "application/octet-stream",
		body: body, size: size, header: header})
	return err
}

// pieceSource gives the pieces of a payload in order. One that can be read at any
// offset is hashed where it lies and read again for the wire; else a piece is held
// in memory.
type pieceSource struct {
	payload io.ReadCloser
	at      io.ReaderAt // nil: not at any offset
	next    int64
}

func newPieceSource(ctx context.Context, e exchange.Envelope) (*pieceSource, error) {
	payload, err := openPayload(ctx, e)
	if err != nil {
		return nil, err
	}
	s := &pieceSource{payload: payload}
	s.at, _ = payload.(io.ReaderAt)
	return s, nil
}

// piece returns the digest of a piece and its bytes. Offsets only grow.
func (s *pieceSource) piece(offset, size int64) (digest string, body io.Reader, err error) {
	h := sha256.New()
	if s.at != nil {
		if _, err := io.Copy(h, io.NewSectionReader(s.at, offset, size)); err != nil {
			return "", nil, err
		}
		return hex.EncodeToString(h.Sum(nil)), io.NewSectionReader(s.at, offset, size), nil
	}
	if _, err := io.CopyN(io.Discard, s.payload, offset-s.next); err != nil {
		return "", nil, err
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(s.payload, b); err != nil {
		return "", nil, err
	}
	s.next = offset + size
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)), bytes.NewReader(b), nil
}

func (s *pieceSource) close() { _ = s.payload.Close() }
