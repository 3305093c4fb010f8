package exchangetest

import (
	"context"
	"errors"
	"io"
	"sync"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// Direct is a transport without a wire: it calls a receiver.
type Direct struct {
	Receiver interface {
		Receive(ctx context.Context, t exchange.Incoming) (exchange.Receipt, error)
		CloseTransfer(ctx context.Context, peer exchange.AgencyCode, manifest []byte) (exchange.Receipt, error)
	}
}

// Deliver implements exchange.Transport.
func (d Direct) Deliver(ctx context.Context, _ exchange.Agency, e exchange.Envelope) ([]byte, error) {
	payload, err := e.Open(ctx)
	if err != nil {
		return nil, &exchange.DeliveryError{Class: exchange.ClassTransfer, Err: err}
	}
	defer func() { _ = payload.Close() }()
	r, err := d.Receiver.Receive(ctx, exchange.Incoming{Peer: e.From, Manifest: e.Manifest, Payload: payload})
	return r.JWS, classified(err)
}

// Close implements exchange.Transport.
func (d Direct) Close(ctx context.Context, _ exchange.Agency, e exchange.Envelope) ([]byte, error) {
	r, err := d.Receiver.CloseTransfer(ctx, e.From, e.Manifest)
	return r.JWS, classified(err)
}

func classified(err error) error {
	if err == nil {
		return nil
	}
	class := exchange.ClassPeerDown
	switch text.CodeOf(err) { //nolint:exhaustive // what a receiver answers; the rest is its own trouble
	case text.DigestMismatch:
		class = exchange.ClassTransfer
	case text.NotAllowed:
		class = exchange.ClassTrust
	case text.InvalidInput, text.NotForUs, text.ReplayConflict, text.TooLarge:
		class = exchange.ClassPermanent
	}
	return &exchange.DeliveryError{Class: class, Err: err}
}

// Fault is what goes wrong with one delivery.
type Fault string

// The faults.
const (
	Fine           Fault = "fine"
	LoseRequest    Fault = "lose the request"    // the peer never hears of it
	LoseAnswer     Fault = "lose the answer"     // the peer has it, the sender does not know
	Twice          Fault = "deliver twice"       // the answer is the second's
	SpoilByte      Fault = "spoil a byte"        // in the middle of the payload
	CutShort       Fault = "cut the payload"     // half of it arrives
	OtherTransfer  Fault = "receipt of another"  // signed well, for another transfer
	OtherDigest    Fault = "receipt of a digest" // signed well, for another manifest
	OtherKey       Fault = "receipt under a key" // of someone else
	OtherKind      Fault = "receipt of a kind"   // closed, though the bytes were taken
	SpoiledReceipt Fault = "spoil the receipt"   // one character differs
	Nonsense       Fault = "nonsense"            // no receipt at all
	Refuse         Fault = "refuse"              // a permanent refusal without receipt
	Distrust       Fault = "distrust"            // the peer's identity fails
	Late           Fault = "answer late"         // after Release
)

// errLost is what a lost request or answer shows the sender.
var errLost = errors.New("connection lost")

// Scripted carries deliveries by Next, one fault after the other from Script, then
// without faults. It is safe for concurrent use, though the order of faults is
// then the order in which deliveries begin.
type Scripted struct {
	Next exchange.Transport
	// Liar signs false receipts with the peer's own key. Needed by the faults that lie.
	Liar Party

	mu      sync.Mutex
	script  []Fault
	begun   int
	release chan struct{}
}

// NewScripted returns a transport that runs script over next.
func NewScripted(next exchange.Transport, liar Party, script ...Fault) *Scripted {
	return &Scripted{Next: next, Liar: liar, script: script, release: make(chan struct{})}
}

// Release lets deliveries under Late go on. It is called once.
func (s *Scripted) Release() { close(s.release) }

// Attempts is how many deliveries have begun.
func (s *Scripted) Attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

func (s *Scripted) fault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	if len(s.script) == 0 {
		return Fine
	}
	f := s.script[0]
	s.script = s.script[1:]
	return f
}

// Close implements exchange.Transport without faults.
func (s *Scripted) Close(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	return s.Next.Close(ctx, to, e)
}

// Deliver implements exchange.Transport.
func (s *Scripted) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	fault := s.fault()
	switch fault {
	case LoseRequest:
		return nil, &exchange.DeliveryError{Class: exchange.ClassPeerDown, Err: errLost}
	case Refuse:
		return nil, &exchange.DeliveryError{Class: exchange.ClassPermanent, Err: text.Errorf(text.PeerRefused, nil)}
	case Distrust:
		return nil, &exchange.DeliveryError{Class: exchange.ClassTrust, Err: text.Errorf(text.PeerUnavailable, nil)}
	case SpoilByte, CutShort:
		e.Open = spoiled(e, fault)
	case Twice:
		if _, err := s.Next.Deliver(ctx, to, e); err != nil {
			return nil, err
		}
	case Late:
		select {
		case <-s.release:
		case <-ctx.Done():
			return nil, &exchange.DeliveryError{Class: exchange.ClassPeerDown, Err: ctx.Err()}
		}
	case Fine, LoseAnswer, OtherTransfer, OtherDigest, OtherKey, OtherKind, SpoiledReceipt, Nonsense:
	}
	receipt, err := s.Next.Deliver(ctx, to, e)
	if err != nil {
		return nil, err
	}
	return s.answer(fault, e, receipt)
}

// answer is what becomes of an honest receipt on its way back.
func (s *Scripted) answer(fault Fault, e exchange.Envelope, receipt []byte) ([]byte, error) {
	m, id, err := jws.PeekManifest(e.Manifest)
	if err != nil {
		return nil, err
	}
	key := s.Liar.Key
	kind := exchange.ReceiptAccepted
	switch fault {
	case LoseAnswer:
		return nil, &exchange.DeliveryError{Class: exchange.ClassPeerDown, Err: errLost}
	case SpoiledReceipt:
		spoiled := append([]byte(nil), receipt...)
		spoiled[len(spoiled)/2] ^= 1
		return spoiled, nil
	case Nonsense:
		return []byte("<html>OK</html>"), nil
	case OtherTransfer:
		m.TransferID = string(exchange.NewTransferID(Clock()))
	case OtherDigest:
		id[0] ^= 1
	case OtherKey:
		key = NewParty(e.To).Key
	case OtherKind:
		kind = exchange.ReceiptClosed
	default:
		return receipt, nil
	}
	return SignAnswer(key, kind, m, id)
}

// spoiled opens e's payload with one byte changed or its second half missing.
func spoiled(e exchange.Envelope, fault Fault) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		r, err := e.Open(ctx)
		if err != nil {
			return nil, err
		}
		half := e.Payload.Size / 2
		if fault == CutShort {
			return struct {
				io.Reader
				io.Closer
			}{io.LimitReader(r, half), r}, nil
		}
		return &flip{ReadCloser: r, at: half}, nil
	}
}

// flip changes the byte at offset at.
type flip struct {
	io.ReadCloser
	at int64
}

// Read implements io.Reader.
func (f *flip) Read(b []byte) (int, error) {
	n, err := f.ReadCloser.Read(b)
	if f.at >= 0 && f.at < int64(n) {
		b[f.at] ^= 0x20
	}
	f.at -= int64(n)
	return n, err
}

// Reordered holds deliveries back until n are waiting, then lets them through in
// the opposite order, one at a time. Deliveries past the n-th go straight through.
type Reordered struct {
	exchange.Transport
	n int

	mu      sync.Mutex
	waiting []chan struct{}
	open    bool
	turn    sync.Mutex
}

// NewReordered returns a transport over next that turns the first n around.
func NewReordered(next exchange.Transport, n int) *Reordered {
	return &Reordered{Transport: next, n: n}
}

// Deliver implements exchange.Transport.
func (r *Reordered) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	mine, last := r.enter()
	if mine != nil {
		if last {
			r.letGo(len(r.waiting) - 1)
		}
		select {
		case <-mine:
		case <-ctx.Done():
			return nil, &exchange.DeliveryError{Class: exchange.ClassPeerDown, Err: ctx.Err()}
		}
		defer r.after(mine)
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	return r.Transport.Deliver(ctx, to, e)
}

func (r *Reordered) enter() (mine chan struct{}, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open {
		return nil, false
	}
	mine = make(chan struct{})
	r.waiting = append(r.waiting, mine)
	r.open = len(r.waiting) == r.n
	return mine, r.open
}

func (r *Reordered) letGo(i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i >= 0 {
		close(r.waiting[i])
	}
}

// after lets the one that came before mine go.
func (r *Reordered) after(mine chan struct{}) {
	r.mu.Lock()
	i := 0
	for i < len(r.waiting) && r.waiting[i] != mine {
		i++
	}
	r.mu.Unlock()
	r.letGo(i - 1)
}

// Waiting is how many deliveries are or were held back.
func (r *Reordered) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}
