package signer

import (
	"context"

	"antin/signer/validation"
)

// earlyFrom is from how many bytes on the self-check's digest of the original is made
// beside everything else: less takes less time than starting it.
const earlyFrom = 256 << 10

// earlyPass is the self-check's reading of the original, which needs neither the key
// nor the update and so is done on another core while those are at work. What it
// hashes it reads itself: nothing is taken over from the signing. A nil *earlyPass
// found out nothing.
type earlyPass struct {
	stop context.CancelFunc
	done chan struct{}
	pre  *validation.Preread // nil when in could not be read; the self-check then says so
}

// readAhead begins the early pass where it is worth it: an earlier signature's second
// range lies in the original, which then has to be read when the ranges are known. It
// must be ended before the caller of the signer gets the input back.
func (r *run) readAhead(ctx context.Context) {
	if r.in.Size < earlyFrom || !r.hash().Available() {
		return
	}
	if signed, err := r.form.Signed(); err != nil || signed > 0 {
		return
	}
	kind, in := r.hash(), r.in
	ctx, stop := context.WithCancel(ctx)
	e := &earlyPass{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		if pre, err := validation.ReadAhead(ctx, in.Reader, in.Size, kind); err == nil {
			e.pre = pre
		}
	}()
	r.early = e
}

// result waits for what was found out.
func (e *earlyPass) result() *validation.Preread {
	if e == nil {
		return nil
	}
	<-e.done
	return e.pre
}

// end stops the pass and waits until it reads no more.
func (e *earlyPass) end() {
	if e == nil {
		return
	}
	e.stop()
	<-e.done
}
