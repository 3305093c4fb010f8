package storetest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"antin/exchange"
)

// ErrFault is what a write that was made to fail returns.
var ErrFault = errors.New("fault injected by the test")

// Faults wraps an engine so that one chosen write fails, as if the process had
// died there: writes count from 1 and are, in the order they happen, each Put
// (before and after its bytes are stored), each writing method of a transaction,
// and each commit (before and after it). After the fault every further write fails
// too, until Heal: a dead process writes nothing.
type Faults struct {
	Engine

	mu     sync.Mutex
	failAt int
	count  int
	dead   bool
}

// FailAt makes the nth write from now on fail; 0 makes none fail.
func (f *Faults) FailAt(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failAt, f.count, f.dead = n, 0, false
}

// Heal ends the fault and reports whether it had happened.
func (f *Faults) Heal() (happened bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	happened = f.dead
	f.failAt, f.count, f.dead = 0, 0, false
	return happened
}

// Pause does what is no part of what is made to fail: its writes are not counted, and
// none fails.
func (f *Faults) Pause(do func()) {
	f.mu.Lock()
	failAt, count, dead := f.failAt, f.count, f.dead
	f.failAt, f.count, f.dead = 0, 0, false
	f.mu.Unlock()
	do()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failAt, f.count, f.dead = failAt, count, dead
}

// point is one moment at which a process may die.
func (f *Faults) point() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failAt == 0 {
		return nil
	}
	if f.count++; f.count >= f.failAt {
		f.dead = true
	}
	if f.dead {
		return ErrFault
	}
	return nil
}

// Put implements exchange.Blobs.
func (f *Faults) Put(ctx context.Context, r io.Reader) (exchange.Blob, error) {
	if err := f.point(); err != nil {
		return exchange.Blob{}, err
	}
	b, err := f.Engine.Put(ctx, r)
	return b, errors.Join(err, f.point())
}

// Update implements exchange.Store.
func (f *Faults) Update(ctx context.Context, fn func(exchange.Tx) error) error {
	err := f.Engine.Update(ctx, func(tx exchange.Tx) error {
		if err := fn(faultyTx{tx, f}); err != nil {
			return err
		}
		return f.point()
	})
	if err != nil {
		return err
	}
	return f.point()
}

// faultyTx has a point before each write.
type faultyTx struct {
	exchange.Tx
	f *Faults
}

func (t faultyTx) do(write func() error) error {
	if err := t.f.point(); err != nil {
		return err
	}
	return write()
}

func (t faultyTx) CreateDocument(ctx context.Context, d exchange.Document) error {
	return t.do(func() error { return t.Tx.CreateDocument(ctx, d) })
}

func (t faultyTx) SaveDocument(ctx context.Context, d exchange.Document) error {
	return t.do(func() error { return t.Tx.SaveDocument(ctx, d) })
}

func (t faultyTx) CreateResult(ctx context.Context, r exchange.Result) error {
	return t.do(func() error { return t.Tx.CreateResult(ctx, r) })
}

func (t faultyTx) SaveResult(ctx context.Context, r exchange.Result) error {
	return t.do(func() error { return t.Tx.SaveResult(ctx, r) })
}

func (t faultyTx) CreateDelivery(ctx context.Context, d exchange.Delivery) error {
	return t.do(func() error { return t.Tx.CreateDelivery(ctx, d) })
}

func (t faultyTx) SaveDelivery(ctx context.Context, d exchange.Delivery) error {
	return t.do(func() error { return t.Tx.SaveDelivery(ctx, d) })
}

func (t faultyTx) SaveLane(ctx context.Context, s exchange.LaneState) error {
	return t.do(func() error { return t.Tx.SaveLane(ctx, s) })
}

func (t faultyTx) CreateTransfer(ctx context.Context, x exchange.Transfer) error {
	return t.do(func() error { return t.Tx.CreateTransfer(ctx, x) })
}

func (t faultyTx) CreateInboxItem(ctx context.Context, i exchange.InboxItem) error {
	return t.do(func() error { return t.Tx.CreateInboxItem(ctx, i) })
}

func (t faultyTx) SaveInboxItem(ctx context.Context, i exchange.InboxItem) error {
	return t.do(func() error { return t.Tx.SaveInboxItem(ctx, i) })
}

func (t faultyTx) AppendStatus(ctx context.Context, s exchange.Status) error {
	return t.do(func() error { return t.Tx.AppendStatus(ctx, s) })
}

func (t faultyTx) TakeNumber(ctx context.Context, e exchange.Entry) (n int, err error) {
	err = t.do(func() error { n, err = t.Tx.TakeNumber(ctx, e); return err })
	return n, err
}

func (t faultyTx) AppendEvent(ctx context.Context, e exchange.Event) (out exchange.Event, err error) {
	err = t.do(func() error { out, err = t.Tx.AppendEvent(ctx, e); return err })
	return out, err
}

func (t faultyTx) SaveAnswer(ctx context.Context, a exchange.Answer) error {
	return t.do(func() error { return t.Tx.SaveAnswer(ctx, a) })
}

func (t faultyTx) Enqueue(ctx context.Context, j exchange.Job) error {
	return t.do(func() error { return t.Tx.Enqueue(ctx, j) })
}

func (t faultyTx) Started(ctx context.Context, j exchange.Job, now time.Time) error {
	return t.do(func() error { return t.Tx.Started(ctx, j, now) })
}
