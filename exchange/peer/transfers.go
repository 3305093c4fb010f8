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
	"strconv"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// oneShot takes manifest and bytes in one body: the manifest, a line feed, the bytes.
func (s *Server) oneShot(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	if r.ContentLength > OneShot+jws.MaxSize+1 {
		return nil, text.Errorf(text.TooLarge, fmt.Errorf("one-shot transfer of %d bytes", r.ContentLength))
	}
	body := newTimed(w, r, s.Limits, OneShot)
	defer body.stop()
	in := bufio.NewReaderSize(io.LimitReader(body, OneShot+jws.MaxSize+1), jws.MaxSize+1)
	manifest, err := in.ReadSlice('\n')
	if err != nil {
		return nil, notManifest(err)
	}
	manifest = bytes.Clone(bytes.TrimSuffix(manifest, []byte("\n")))
	if err := sameID(r, manifest); err != nil {
		return nil, err
	}
	return s.receive(r.Context(), peer, manifest, in)
}

// receive hands a transfer on. Once the bytes are here the work is finished even
// if the peer goes: it will ask again and find the receipt.
func (s *Server) receive(ctx context.Context, peer exchange.AgencyCode, manifest []byte, payload io.Reader) ([]byte, error) {
	receipt, err := s.Receiver.Receive(context.WithoutCancel(ctx), exchange.Incoming{Peer: peer, Manifest: manifest, Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("receiving from %s: %w", peer, err)
	}
	return receipt.JWS, nil
}

// errUpload is what the probe of putManifest reads: the transfer is unknown and
// would be taken.
var errUpload = errors.New("bytes wanted")

type wanted struct{}

func (wanted) Read([]byte) (int, error) { return 0, errUpload }

// putManifest opens a transfer. It lets the receiver run all its checks up to the
// point where the bytes are needed: a transfer seen before, or one that is never
// taken, is answered with its receipt and no byte is asked for.
func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	manifest, err := s.readManifest(w, r)
	if err != nil {
		return nil, err
	}
	receipt, err := s.receive(r.Context(), peer, manifest, wanted{})
	if err == nil || !errors.Is(err, errUpload) {
		return receipt, err
	}
	m, id, err := jws.PeekManifest(manifest)
	if err != nil {
		return nil, notManifest(err)
	}
	u, err := s.uploads.open(uploadKey{peer, m.TransferID}, manifest, m, id)
	if err != nil {
		return nil, err
	}
	return nil, answerState(w, http.StatusCreated, s.uploads.missing(u))
}

// putPart stores one part, whole. What the part must be the manifest has said.
func (s *Server) putPart(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	u, ok := s.uploads.find(uploadKey{peer, r.PathValue("id")})
	if !ok {
		return nil, text.Errorf(text.StateConflict, errors.New("part of a transfer that is not open"))
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(u.manifest.Parts) {
		return nil, text.Errorf(text.NotFound, errors.New("part number"))
	}
	part := u.manifest.Parts[n]
	switch {
	case part.Size > s.Limits.Payload || r.ContentLength > part.Size:
		return nil, text.Errorf(text.TooLarge, fmt.Errorf("part of %d bytes, %d stated", r.ContentLength, part.Size))
	case r.Header.Get("Content-Range") != "":
		return nil, text.Errorf(text.InvalidInput, errors.New("pieces of a part are not taken"))
	case r.Header.Get("Repr-Digest") != ReprDigest(part):
		return nil, text.Errorf(text.DigestMismatch, errors.New("Repr-Digest is not that of the manifest"))
	}
	body := newTimed(w, r, s.Limits, part.Size)
	defer body.stop()
	blob, err := s.Blobs.Put(r.Context(), newExactly(body, part))
	if err != nil {
		return nil, fmt.Errorf("storing part %d from %s: %w", n, peer, err)
	}
	s.uploads.store(u, n, blob)
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// commit hands an uploaded transfer to the receiver.
func (s *Server) commit(_ http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	key := uploadKey{peer, r.PathValue("id")}
	u, ok := s.uploads.find(key)
	if !ok {
		return nil, text.Errorf(text.StateConflict, errors.New("commit of a transfer that is not open"))
	}
	blobs, complete := s.uploads.blobs(u)
	if !complete {
		return nil, text.Errorf(text.StateConflict, errors.New("commit before all parts came"))
	}
	var readers []io.Reader
	for _, b := range blobs {
		f, err := s.Blobs.Open(r.Context(), b.Digest)
		if err != nil {
			return nil, fmt.Errorf("opening part from %s: %w", peer, err)
		}
		defer func() { _ = f.Close() }() // at most jws's number of parts
		readers = append(readers, f)
	}
	receipt, err := s.receive(r.Context(), peer, u.jws, io.MultiReader(readers...))
	if err != nil {
		return nil, err
	}
	s.uploads.drop(key)
	return receipt, nil
}

func (s *Server) close(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	manifest, err := s.readManifest(w, r)
	if err != nil {
		return nil, err
	}
	receipt, err := s.Receiver.CloseTransfer(context.WithoutCancel(r.Context()), peer, manifest)
	if err != nil {
		return nil, fmt.Errorf("closing for %s: %w", peer, err)
	}
	s.uploads.drop(uploadKey{peer, r.PathValue("id")})
	return receipt.JWS, nil
}

// state answers the receipt, else the missing parts of an open transfer.
func (s *Server) state(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	recipient := exchange.AgencyCode(r.URL.Query().Get("recipient"))
	if !recipient.Valid() {
		return nil, text.Errorf(text.InvalidInput, errors.New("recipient of the transfer asked for"))
	}
	id := r.PathValue("id")
	receipt, err := s.Known(r.Context(), exchange.TransferKey{Recipient: recipient, Sender: peer, ID: exchange.TransferID(id)})
	if err == nil {
		return receipt.JWS, nil
	}
	u, ok := s.uploads.find(uploadKey{peer, id})
	if !ok || text.CodeOf(err) != text.NotFound || exchange.AgencyCode(u.manifest.Recipient) != recipient {
		return nil, fmt.Errorf("looking up transfer for %s: %w", peer, err)
	}
	return nil, answerState(w, http.StatusOK, s.uploads.missing(u))
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

func (s *Server) readManifest(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body := newTimed(w, r, s.Limits, jws.MaxSize)
	defer body.stop()
	manifest, err := io.ReadAll(io.LimitReader(body, jws.MaxSize+1))
	if err != nil || len(manifest) > jws.MaxSize {
		return nil, notManifest(err)
	}
	return manifest, sameID(r, manifest)
}

func notManifest(err error) error {
	if errors.Is(err, errSlow) || errors.Is(err, errCut) {
		return err
	}
	return text.Errorf(text.InvalidInput, fmt.Errorf("reading manifest: %w", errors.Join(jws.ErrFormat, err)))
}

// sameID refuses a manifest under another transfer's address.
func sameID(r *http.Request, manifest []byte) error {
	m, _, err := jws.PeekManifest(manifest)
	if err != nil {
		return notManifest(err)
	}
	if m.TransferID != r.PathValue("id") {
		return text.Errorf(text.InvalidInput, errors.New("manifest of another transfer"))
	}
	return nil
}

// state is the answer about a transfer without a receipt.
type stateAnswer struct {
	Missing []int `json:"missing"` // part numbers, from 0
}

func answerState(w http.ResponseWriter, status int, missing []int) error {
	if missing == nil {
		missing = []int{} // an empty list, not null
	}
	body, err := json.Marshal(stateAnswer{Missing: missing})
	if err != nil {
		return fmt.Errorf("writing state: %w", err)
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a peer that has gone asks again
	return nil
}
