package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"antin/exchange"
	"antin/internal/failpoint"
)

const (
	// batchMost bounds the closures of one transaction: what one fsync may carry, and
	// what a commit that fails may take along.
	batchMost = 64
	// batchSpan bounds how long a transaction goes on taking in closures, so that the
	// first in it does not wait for a crowd. Nobody ever waits for others to come.
	batchSpan = 5 * time.Millisecond
)

// writers is the line of those who want to write: one transaction at a time, shared by
// all who came while the one before it was committed. Each runs its closure in its own
// goroutine when its turn comes, so that a panic or a cancelled context is its own
// affair; whoever is last commits for all, and nobody is told anything before that.
type writers struct {
	// begin opens a transaction that no other writer comes into.
	begin func(ctx context.Context) (*sql.Tx, error)
	now   func() time.Time
	// durable syncs the bytes of a segment up to a place.
	durable func(p segmentPlace) error
	// together: two statements may go in one message, which spares a way to the server.
	together bool

	mu   sync.Mutex
	busy bool // a batch is under way
	line []*place
}

// place is one who waits in the line.
type place struct{ turn chan *batch }

// batch is one transaction and those who stand in it. Its fields belong to whoever has
// the turn; err is set before done is closed.
type batch struct {
	tx      *sql.Tx
	began   time.Time
	ran     int   // closures that had their turn
	members int   // closures that stand in tx
	broken  error // tx can go on no more
	point   int
	done    chan struct{}
	err     error
	durable func(p segmentPlace) error
	// ends are the last bytes that members appended to each segment.
	ends map[*segment]segmentPlace
	// last holds what members know of the ends of evidence chains.
	last map[exchange.AgencyCode]exchange.Event
}

// The point a closure goes back to; closures never nest.
const (
	setPoint     = `SAVEPOINT closure`
	releasePoint = `RELEASE SAVEPOINT closure`
	backToPoint  = `ROLLBACK TO SAVEPOINT closure`
)

// What has become of that point.
const (
	pointNone  = iota
	pointUsed  // something may have been written behind it
	pointFresh // nothing has
)

// errBatch is in the chain of the error of a closure that did nothing wrong: another
// one's ended their transaction.
var errBatch = errors.New("transaction ended by another's failure")

// errCommit is in the chain of the error of a COMMIT: where the connection was lost,
// it may have happened all the same.
var errCommit = errors.New("committing")

// do runs fn in its turn and returns when what it wrote is on disk. An error means
// that nothing of it is there, unless it is that of a commit whose outcome is unknown.
func (w *writers) do(ctx context.Context, fn func(b *batch) error) error {
	b, err := w.enter(ctx)
	if err != nil {
		return err
	}
	if stands, err := w.run(ctx, b, fn); !stands {
		return err
	}
	<-b.done
	return b.err
}

// enter waits for the turn.
func (w *writers) enter(ctx context.Context) (*batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	if !w.busy {
		w.busy = true
		w.mu.Unlock()
		return w.newBatch(), nil
	}
	p := &place{turn: make(chan *batch, 1)}
	w.line = append(w.line, p)
	w.mu.Unlock()
	select {
	case b := <-p.turn:
		return b, nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	i := slices.Index(w.line, p)
	if i >= 0 {
		w.line = slices.Delete(w.line, i, i+1)
	}
	w.mu.Unlock()
	if i < 0 { // the turn came meanwhile
		w.leave(<-p.turn)
	}
	return nil, ctx.Err()
}

func (w *writers) newBatch() *batch { return &batch{done: make(chan struct{}), durable: w.durable} }

// run runs fn in b and passes the turn on, whatever becomes of fn.
func (w *writers) run(ctx context.Context, b *batch, fn func(b *batch) error) (stands bool, err error) {
	defer func() { // fn may panic, or end its goroutine
		if !stands {
			b.undo()
		}
		w.leave(b)
	}()
	b.ran++
	if err := w.open(ctx, b); err != nil {
		return false, err
	}
	if err := fn(b); err != nil {
		return false, err
	}
	b.members++
	return true, nil
}

// open begins the transaction, or marks in one that holds others where to go back to.
// No context ends it: it is not one closure's alone.
func (w *writers) open(ctx context.Context, b *batch) (err error) {
	ctx = context.WithoutCancel(ctx)
	if b.tx == nil {
		if b.tx, err = w.begin(ctx); err != nil {
			return fmt.Errorf("beginning transaction: %w", err)
		}
		b.began, b.last = w.now(), map[exchange.AgencyCode]exchange.Event{}
		return nil
	}
	if err := w.mark(ctx, b); err != nil {
		b.broken = err
		return fmt.Errorf("%w: %w", errBatch, err)
	}
	return nil
}

// mark sets the savepoint. One that was gone back to stands where it should already;
// the one of the closure before is given up first.
func (w *writers) mark(ctx context.Context, b *batch) (err error) {
	was := b.point
	b.point = pointUsed
	switch {
	case was == pointFresh:
	case was == pointUsed && w.together:
		_, err = b.tx.ExecContext(ctx, releasePoint+`; `+setPoint, pgx.QueryExecModeSimpleProtocol)
	default:
		if was == pointUsed {
			_, err = b.tx.ExecContext(ctx, releasePoint)
		}
		if err == nil {
			_, err = b.tx.ExecContext(ctx, setPoint)
		}
	}
	return err
}

// undo takes back what the closure at hand has written. What others wrote stays, unless
// the engine has given up the whole transaction, as it does on a full disk.
func (b *batch) undo() {
	switch {
	case b.tx == nil || b.broken != nil:
	case b.members == 0:
		_ = b.tx.Rollback()
		b.tx = nil
	default:
		if _, err := b.tx.ExecContext(context.Background(), backToPoint); err != nil {
			b.broken = err
			return
		}
		b.point = pointFresh
	}
}

// leave gives the turn to the next in line, or ends the batch.
func (w *writers) leave(b *batch) {
	if next := w.next(b); next != nil {
		next.turn <- b
		return
	}
	b.end()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) == 0 {
		w.busy = false
		return
	}
	w.pop().turn <- w.newBatch()
}

// next takes from the line who may still come into b; nil when b is to end.
func (w *writers) next(b *batch) *place {
	if b.broken != nil || b.ran >= batchMost || (b.tx != nil && w.now().Sub(b.began) > batchSpan) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) == 0 {
		return nil
	}
	return w.pop()
}

func (w *writers) pop() *place {
	p := w.line[0]
	w.line = slices.Delete(w.line, 0, 1)
	return p
}

// appended notes that a member's rows name the bytes at p.
func (b *batch) appended(p segmentPlace) {
	if b.ends == nil {
		b.ends = map[*segment]segmentPlace{}
	}
	if p.at >= b.ends[p.in].at {
		b.ends[p.in] = p
	}
}

// sync makes the bytes durable that members' rows name. Where it fails nobody is
// committed: each comes again, and whose bytes are lost fails alone.
func (b *batch) sync() error {
	for _, p := range b.ends {
		if err := b.durable(p); err != nil {
			return err
		}
	}
	return nil
}

// end commits what stands in b and tells those who wait.
func (b *batch) end() {
	defer close(b.done)
	switch {
	case b.tx == nil:
	case b.broken != nil:
		_ = b.tx.Rollback()
		b.err = fmt.Errorf("%w: %w", errBatch, b.broken)
	default:
		if err := b.sync(); err != nil {
			_ = b.tx.Rollback()
			b.err = fmt.Errorf("%w: %w", errBatch, err)
			return
		}
		err := failpoint.Hit(failpoint.StoreBeforeCommit)
		if err == nil {
			err = b.tx.Commit()
		} else {
			_ = b.tx.Rollback()
		}
		if err == nil {
			err = failpoint.Hit(failpoint.StoreAfterCommit)
		}
		if err != nil {
			b.err = fmt.Errorf("%w: %w", errCommit, err)
		}
	}
}
