package exchangebench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	headerSignature = "X-Signature"
	// maxReceipt bounds a receipt: a signature of RSA-2048 at most.
	maxReceipt = 1 << 10
	// maxStreams is over the number of senders that are measured.
	maxStreams = 256
)

// Receiver is the bare loop's receiving side.
type Receiver struct {
	rows *rows
	key  crypto.Signer
	peer crypto.PublicKey
	srv  *http.Server
}

// NewReceiver opens a receiver that keeps its rows in dir and takes messages from
// the holder of peer's certificate alone.
func NewReceiver(ctx context.Context, dir string, own Identity, peer []byte) (*Receiver, error) {
	r := &Receiver{}
	cfg, err := own.tls(peer)
	if err == nil {
		r.key, err = own.Signer()
	}
	if err == nil {
		r.peer, err = Public(peer)
	}
	if err == nil {
		r.rows, err = openRows(ctx, dir)
	}
	if err != nil {
		return nil, err
	}
	r.srv = &http.Server{Handler: r, TLSConfig: cfg, ReadHeaderTimeout: 10 * time.Second, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams}}
	return r, nil
}

// Serve answers on l until Close.
func (r *Receiver) Serve(l net.Listener) error {
	if err := r.srv.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Received is how many messages are kept.
func (r *Receiver) Received(ctx context.Context) (uint64, error) { return r.rows.count(ctx) }

// Close ends Serve and closes the rows.
func (r *Receiver) Close() error { return errors.Join(r.srv.Close(), r.rows.close()) }

// ServeHTTP hashes, verifies, signs, keeps and answers.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	receipt, err := r.take(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(receipt) //nolint:gosec // a signature, to a program
}

func (r *Receiver) take(q *http.Request) ([]byte, error) {
	m := &row{id: q.URL.Path}
	var err error
	if m.signature, err = base64.StdEncoding.DecodeString(q.Header.Get(headerSignature)); err != nil {
		return nil, err
	}
	if q.ContentLength >= 0 && q.ContentLength <= inline {
		m.data = make([]byte, q.ContentLength)
		if _, err = io.ReadFull(q.Body, m.data); err == nil {
			m.digest = sha256.Sum256(m.data)
		}
	} else {
		m.digest, err = r.rows.file(q.Body, sha256.New())
	}
	if err != nil {
		return nil, err
	}
	if err := verify(r.peer, statement("manifest", m.id, m.digest), m.signature); err != nil {
		return nil, err
	}
	if m.receipt, err = sign(r.key, statement("receipt", m.id, m.digest)); err != nil {
		return nil, err
	}
	return m.receipt, r.rows.keep(m)
}

// statement is what is signed: a kind, whose message, its bytes.
func statement(kind, id string, digest [32]byte) [32]byte {
	return sha256.Sum256(append([]byte(kind+" "+id+" "), digest[:]...))
}

// Sender is the bare loop's sending side.
type Sender struct {
	rows *rows
	key  crypto.Signer
	peer crypto.PublicKey
	base string
	http *http.Client
}

// NewSender opens a sender that keeps its rows in dir and sends to the holder of
// peer's certificate at addr.
func NewSender(ctx context.Context, dir, addr string, own Identity, peer []byte) (*Sender, error) {
	s := &Sender{base: "https://" + addr}
	cfg, err := own.tls(peer)
	if err == nil {
		s.key, err = own.Signer()
	}
	if err == nil {
		s.peer, err = Public(peer)
	}
	if err == nil {
		s.rows, err = openRows(ctx, dir)
	}
	if err != nil {
		return nil, err
	}
	s.http = &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true, DisableCompression: true}}
	return s, nil
}

// Send sends message n of size bytes; it returns when the receipt is kept.
func (s *Sender) Send(ctx context.Context, n uint64, size int64) error {
	m := &row{id: "/" + strconv.FormatUint(n, 10)}
	var body io.Reader
	if size <= inline {
		data, err := io.ReadAll(Payload(n, size))
		if err != nil {
			return err
		}
		m.digest, body = sha256.Sum256(data), bytes.NewReader(data)
	} else {
		h := sha256.New()
		if _, err := io.CopyBuffer(h, onlyReader{Payload(n, size)}, make([]byte, copyBuffer)); err != nil {
			return err
		}
		h.Sum(m.digest[:0])
		body = Payload(n, size)
	}
	var err error
	if m.signature, err = sign(s.key, statement("manifest", m.id, m.digest)); err != nil {
		return err
	}
	if m.receipt, err = s.post(ctx, m, body, size); err != nil {
		return err
	}
	if err := verify(s.peer, statement("receipt", m.id, m.digest), m.receipt); err != nil {
		return err
	}
	return s.rows.keep(m)
}

func (s *Sender) post(ctx context.Context, m *row, body io.Reader, size int64) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+m.id, body)
	if err != nil {
		return nil, err
	}
	q.ContentLength = size
	q.Header.Set(headerSignature, base64.StdEncoding.EncodeToString(m.signature))
	res, err := s.http.Do(q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxReceipt))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("receiver answered %d: %s", res.StatusCode, answer)
	}
	return answer, nil
}

// Kept is how many receipts are kept.
func (s *Sender) Kept(ctx context.Context) (uint64, error) { return s.rows.count(ctx) }

// Close closes connections and rows.
func (s *Sender) Close() error {
	s.http.CloseIdleConnections()
	return s.rows.close()
}
