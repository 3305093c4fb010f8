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

// typeBatch is the body of a batch: one transfer after the other, each as in a
// one-shot request. The manifest says where its bytes end.
const typeBatch = "application/vnd.antin.batch"

// maxBatchBody bounds the body of a batch.
const maxBatchBody = exchange.MaxBatchBytes + exchange.MaxBatch*(jws.MaxSize+1)

// batchAnswer is what became of one transfer of a batch, in the batch's order.
type batchAnswer struct {
	TransferID string   `json:"transferId"`
	Receipt    string   `json:"receipt,omitempty"`
	Problem    *problem `json:"problem,omitempty"`
}

type batchAnswers struct {
	Answers []batchAnswer `json:"answers"`
}

// batch takes small transfers in one shot. Each stands for itself: an answer for one
// is given whatever became of the others. Where the body cannot be followed any
// further the answers end.
func (s *Server) batch(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	if r.ContentLength > maxBatchBody {
		return nil, text.Errorf(text.TooLarge, fmt.Errorf("batch of %d bytes", r.ContentLength))
	}
	body := newTimed(w, r, s.Limits, maxBatchBody)
	defer body.stop()
	in := bufio.NewReaderSize(io.LimitReader(body, maxBatchBody), jws.MaxSize+1)
	out := batchAnswers{Answers: []batchAnswer{}}
	left := int64(exchange.MaxBatchBytes)
	for len(out.Answers) < exchange.MaxBatch {
		if _, err := in.Peek(1); errors.Is(err, io.EOF) {
			break
		}
		manifest, err := readLine(in)
		var m jws.Manifest
		if err == nil {
			m, _, err = jws.PeekManifest(manifest)
		}
		if err != nil {
			if len(out.Answers) == 0 {
				return nil, notManifest(err)
			}
			break
		}
		size := m.Parts[0].Size
		if size > exchange.MaxBatchPayload || size > left || len(m.Parts) != 1 {
			out.Answers = append(out.Answers, problemAnswer(m.TransferID, text.Errorf(text.TooLarge, nil)))
			break // where the next one begins is behind more than is taken
		}
		left -= size
		payload := io.LimitReader(in, size)
		receipt, err := s.receive(r.Context(), exchange.Incoming{Peer: peer, Manifest: manifest, Payload: payload})
		if err != nil {
			s.hear(err)
			out.Answers = append(out.Answers, problemAnswer(m.TransferID, err))
		} else {
			out.Answers = append(out.Answers, batchAnswer{TransferID: m.TransferID, Receipt: string(receipt)})
		}
		if _, err := io.Copy(io.Discard, payload); err != nil {
			break
		}
	}
	return nil, answerJSON(w, http.StatusOK, out)
}

func problemAnswer(id string, err error) batchAnswer {
	p := problemOf(err)
	return batchAnswer{TransferID: id, Problem: &p}
}

// maxBatchAnswer bounds the answer to a batch, in bytes.
const maxBatchAnswer = exchange.MaxBatch * (maxAnswer + 4<<10)

var _ exchange.BatchTransport = (*Client)(nil)

// DeliverBatch implements exchange.BatchTransport. A peer that does not know
// batches gets the transfers one by one.
func (c *Client) DeliverBatch(ctx context.Context, to exchange.Agency, es []exchange.Envelope) []exchange.BatchAnswer {
	if len(es) > 1 {
		if out, ok := c.oneBatch(ctx, to, es); ok {
			return out
		}
	}
	out := make([]exchange.BatchAnswer, len(es))
	for i, e := range es {
		out[i].Receipt, out[i].Err = c.Deliver(ctx, to, e)
	}
	return out
}

// oneBatch sends es in one request; ok is false when the peer does not know how.
func (c *Client) oneBatch(ctx context.Context, to exchange.Agency, es []exchange.Envelope) (out []exchange.BatchAnswer, ok bool) {
	out = make([]exchange.BatchAnswer, len(es))
	all := func(err error) []exchange.BatchAnswer {
		for i := range out {
			out[i].Err = err
		}
		return out
	}
	p, err := c.remote(to)
	if err != nil {
		return all(err), true
	}
	if p.noBatch.Load() {
		return nil, false
	}
	body, size, err := batchBody(ctx, es)
	if err != nil {
		return all(err), true
	}
	ctx, cancel := context.WithTimeout(ctx, c.Limits.withDefaults().whole(size))
	defer cancel()
	_, _, answer, err := p.do(ctx, request{method: http.MethodPost, at: "/x/v1/signals", contentType: typeBatch, body: body, size: size, maxAnswer: maxBatchAnswer})
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		p.noBatch.Store(true)
		return nil, false
	}
	if err != nil {
		return all(err), true
	}
	var said batchAnswers
	if err := json.Unmarshal(answer, &said); err != nil {
		return all(&exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("reading answers: %w", err)}), true
	}
	return matchAnswers(es, said), true
}

// matchAnswers gives each envelope what the peer said of it. One without an answer
// is tried again by itself.
func matchAnswers(es []exchange.Envelope, said batchAnswers) []exchange.BatchAnswer {
	byID := map[string]batchAnswer{}
	for _, a := range said.Answers {
		byID[a.TransferID] = a
	}
	out := make([]exchange.BatchAnswer, len(es))
	for i, e := range es {
		a, ok := byID[string(e.TransferID)]
		switch {
		case ok && a.Receipt != "":
			out[i].Receipt = []byte(a.Receipt)
		case ok && a.Problem != nil:
			out[i].Err = problemError(*a.Problem, 0)
		default:
			out[i].Err = &exchange.DeliveryError{Class: exchange.ClassTransfer,
				Err: text.Errorf(text.PeerUnavailable, errors.New("no answer for this transfer of a batch"))}
		}
	}
	return out
}

// batchBody composes the body of a batch, payloads opened as they are read.
func batchBody(ctx context.Context, es []exchange.Envelope) (io.ReadCloser, int64, error) {
	var readers []io.Reader
	var closers closeAll
	var size int64
	for _, e := range es {
		lazy := &lazyPayload{ctx: ctx, e: e}
		closers = append(closers, lazy)
		readers = append(readers, bytes.NewReader(e.Manifest), bytes.NewReader([]byte("\n")), lazy)
		size += int64(len(e.Manifest)) + 1 + e.Payload.Size
	}
	if len(es) > exchange.MaxBatch || size > maxBatchBody {
		return nil, 0, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: fmt.Errorf("batch of %d transfers, %d bytes", len(es), size)}
	}
	return closing{io.MultiReader(readers...), closers}, size, nil
}

// lazyPayload opens an envelope's payload when its first byte is wanted.
type lazyPayload struct {
	ctx context.Context //nolint:containedctx // of the one request that reads it
	e   exchange.Envelope

	mu   sync.Mutex // the transport may close while it reads
	open io.ReadCloser
	done bool
}

// Read implements io.Reader.
func (l *lazyPayload) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return 0, io.ErrClosedPipe
	}
	if l.open == nil {
		var err error
		if l.open, err = openPayload(l.ctx, l.e); err != nil {
			return 0, err
		}
	}
	return l.open.Read(b)
}

// Close implements io.Closer.
func (l *lazyPayload) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done = true; l.open == nil {
		return nil
	}
	return l.open.Close()
}

type closeAll []io.Closer

// Close implements io.Closer.
func (c closeAll) Close() error {
	var errs []error
	for _, one := range c {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}
