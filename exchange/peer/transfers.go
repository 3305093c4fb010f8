package peer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// oneShotReaders are buffers that hold the longest manifest.
var oneShotReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, jws.MaxSize+1) }} //nolint:gochecknoglobals // empty, and the same for all

// oneShot takes manifest and bytes in one body: the manifest, a line feed, the bytes.
func (s *Server) oneShot(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	if r.ContentLength > OneShot+jws.MaxSize+1 {
		return nil, text.Errorf(text.TooLarge, fmt.Errorf("one-shot transfer of %d bytes", r.ContentLength))
	}
	body := newTimed(w, r, s.Limits, OneShot)
	defer body.stop()
	in := oneShotReaders.Get().(*bufio.Reader) //nolint:forcetypeassert // the pool holds nothing else
	in.Reset(io.LimitReader(body, OneShot+jws.MaxSize+1))
	defer func() {
		in.Reset(nil) // it is not to keep the request
		oneShotReaders.Put(in)
	}()
	manifest, err := readLine(in)
	if err != nil {
		return nil, err
	}
	return s.receive(r.Context(), exchange.Incoming{Peer: peer, ID: transferID(r), Manifest: manifest, Payload: in})
}

// readLine returns the manifest that stands before a line feed.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, notManifest(err)
	}
	return bytes.Clone(line[:len(line)-1]), nil
}

func transferID(r *http.Request) exchange.TransferID { return exchange.TransferID(r.PathValue("id")) }

// receive hands a transfer on. Once the bytes are here the work is finished even
// if the peer goes: it will ask again and find the receipt.
func (s *Server) receive(ctx context.Context, t exchange.Incoming) ([]byte, error) {
	receipt, err := s.Receiver.Receive(context.WithoutCancel(ctx), t)
	if err != nil {
		return nil, fmt.Errorf("receiving from %s: %w", t.Peer, err)
	}
	return receipt.JWS, nil
}

// putManifest opens a transfer in pieces, or tells what is still missing of one that
// is open. A transfer seen before, or one that is never taken, is answered with its
// receipt and no byte is asked for.
func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	manifest, err := s.readStatement(w, r)
	if err != nil {
		return nil, err
	}
	receipt, state, err := s.Receiver.OpenUpload(r.Context(), exchange.Incoming{Peer: peer, ID: transferID(r), Manifest: manifest})
	if err != nil {
		return nil, fmt.Errorf("opening for %s: %w", peer, err)
	}
	if receipt.JWS != nil {
		return receipt.JWS, nil
	}
	status := http.StatusOK
	if state.Fresh {
		status = http.StatusCreated
	}
	return nil, answerState(w, status, state)
}

// putPart stores a part or a piece of it. What the part must be the manifest has said.
func (s *Server) putPart(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	if r.PathValue("n") != "0" { // this version takes one part
		return nil, text.Errorf(text.NotFound, errors.New("part number"))
	}
	p, err := pieceOf(r)
	if err != nil {
		return nil, err
	}
	p.Key = exchange.UploadKey{Sender: peer, ID: transferID(r)}
	if p.Size > exchange.MaxWhole || p.Total > s.Limits.Payload {
		return nil, text.Errorf(text.TooLarge, fmt.Errorf("piece of %d bytes, part of %d", p.Size, p.Total))
	}
	size := p.Size
	if size < 0 {
		size = exchange.MaxPiece
	}
	body := newTimed(w, r, s.Limits, size)
	defer body.stop()
	p.Body = body
	if err := s.Receiver.PutPiece(r.Context(), p); err != nil {
		return nil, fmt.Errorf("piece from %s: %w", peer, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// pieceOf reads what the header says of a piece: without Content-Range it is the
// whole part, whose digest is that of the representation.
func pieceOf(r *http.Request) (p exchange.IncomingPiece, err error) {
	repr, ok := parseDigest(r.Header.Get("Repr-Digest"))
	if !ok {
		return p, text.Errorf(text.DigestMismatch, errors.New("Repr-Digest"))
	}
	p.Size, p.Total, p.SHA256 = r.ContentLength, r.ContentLength, repr
	field := r.Header.Get("Content-Range")
	if field == "" {
		return p, nil
	}
	first, last, total, ok := parseRange(field)
	if !ok || last-first+1 != p.Size {
		return p, text.Errorf(text.InvalidInput, errors.New("Content-Range"))
	}
	p.Offset, p.Total = first, total
	if first == 0 && p.Size == total {
		return p, nil
	}
	if p.SHA256, ok = parseDigest(r.Header.Get("Content-Digest")); !ok {
		return p, text.Errorf(text.DigestMismatch, errors.New("Content-Digest"))
	}
	return p, nil
}

// parseRange reads "bytes first-last/total".
func parseRange(field string) (first, last, total int64, ok bool) {
	var again string
	if n, err := fmt.Sscanf(field, "bytes %d-%d/%d", &first, &last, &total); err != nil || n != 3 {
		return 0, 0, 0, false
	}
	again = contentRange(first, last-first+1, total) // and nothing else stands there
	return first, last, total, again == field && first >= 0 && last >= first && total > last
}

func contentRange(offset, size, total int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", offset, offset+size-1, total)
}

// commit hands an uploaded transfer to the receiver.
func (s *Server) commit(_ http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	receipt, err := s.Receiver.CommitUpload(context.WithoutCancel(r.Context()), exchange.UploadKey{Sender: peer, ID: transferID(r)})
	if err != nil {
		return nil, fmt.Errorf("committing for %s: %w", peer, err)
	}
	return receipt.JWS, nil
}

func (s *Server) close(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	manifest, err := s.readStatement(w, r)
	if err != nil {
		return nil, err
	}
	m, _, err := jws.PeekManifest(manifest)
	if err != nil {
		return nil, notManifest(err)
	}
	if m.TransferID != r.PathValue("id") {
		return nil, text.Errorf(text.InvalidInput, errors.New("manifest of another transfer"))
	}
	receipt, err := s.Receiver.CloseTransfer(context.WithoutCancel(r.Context()), peer, manifest)
	if err != nil {
		return nil, fmt.Errorf("closing for %s: %w", peer, err)
	}
	return receipt.JWS, nil
}

// state answers the receipt, else what an open transfer lacks.
func (s *Server) state(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	recipient := exchange.AgencyCode(r.URL.Query().Get("recipient"))
	if !recipient.Valid() {
		return nil, text.Errorf(text.InvalidInput, errors.New("recipient of the transfer asked for"))
	}
	receipt, err := s.Known(r.Context(), exchange.TransferKey{Recipient: recipient, Sender: peer, ID: transferID(r)})
	if err == nil {
		return receipt.JWS, nil
	}
	if text.CodeOf(err) != text.NotFound {
		return nil, fmt.Errorf("looking up transfer for %s: %w", peer, err)
	}
	state, err := s.Receiver.UploadState(r.Context(), exchange.UploadKey{Sender: peer, ID: transferID(r)}, recipient)
	if err != nil {
		return nil, fmt.Errorf("looking up transfer for %s: %w", peer, err)
	}
	return nil, answerState(w, http.StatusOK, state)
}

// FromStore returns the receipts that store holds, for Server.Known.
func FromStore(store exchange.Store) func(context.Context, exchange.TransferKey) (exchange.Receipt, error) {
	return func(ctx context.Context, key exchange.TransferKey) (exchange.Receipt, error) {
		var t exchange.Transfer
		err := store.View(ctx, func(tx exchange.Tx) (err error) {
			t, err = tx.Transfer(ctx, key)
			return err
		})
		return exchange.Receipt{Kind: t.Answer, JWS: t.Receipt}, err
	}
}

// readStatement reads a body that is one statement.
func (s *Server) readStatement(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body := newTimed(w, r, s.Limits, jws.MaxSize)
	defer body.stop()
	statement, err := io.ReadAll(io.LimitReader(body, jws.MaxSize+1))
	if err != nil || len(statement) > jws.MaxSize {
		return nil, notManifest(err)
	}
	return statement, nil
}

func notManifest(err error) error {
	if errors.Is(err, errSlow) || errors.Is(err, errCut) {
		return err
	}
	return text.Errorf(text.InvalidInput, fmt.Errorf("reading manifest: %w", errors.Join(jws.ErrFormat, err)))
}

// stateAnswer is the answer about a transfer without a receipt.
type stateAnswer struct {
	Missing []int       `json:"missing"`         // numbers of parts that are not whole, from 0
	Gaps    []gapAnswer `json:"gaps"`            // what they lack
	Piece   int64       `json:"piece,omitempty"` // the greatest piece taken, bytes
	Whole   int64       `json:"whole,omitempty"` // the greatest part taken in one piece, bytes
}

type gapAnswer struct {
	Part   int   `json:"part"`
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
}

func answerState(w http.ResponseWriter, status int, state exchange.UploadState) error {
	a := stateAnswer{Missing: []int{}, Gaps: []gapAnswer{}, Piece: exchange.MaxPiece, Whole: exchange.MaxWhole}
	for _, g := range state.Gaps {
		a.Gaps = append(a.Gaps, gapAnswer{Offset: g.Offset, Length: g.Length})
	}
	if len(a.Gaps) > 0 {
		a.Missing = append(a.Missing, 0)
	}
	return answerJSON(w, status, a)
}

func answerJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing answer: %w", err)
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a peer that has gone asks again
	return nil
}
