package signer

import (
	"context"
	"crypto"
	"fmt"
	"time"

	"antin/signer/validation"
)

// earlyFrom is from how many bytes on the self-check's readings of the original are made
// beside everything else: less takes less time than starting them.
const earlyFrom = 256 << 10

// earlyPass is what the self-check finds out about the original, as far as that needs
// neither the key nor the update: first what has to be known before the key is used, then
// the self-check's digest. From earlyFrom on it is made on another core. What it hashes it
// reads itself: nothing is taken over from the signing. A nil *earlyPass found out nothing.
type earlyPass struct {
	stop context.CancelFunc // nil, like both channels, when everything is there

	looked chan struct{} // closed when the three below are there
	survey *validation.Survey
	before *validation.Report // of a document that holds signatures
	err    error

	done chan struct{}
	pre  *validation.Preread // nil when in could not be read; the self-check then says so
}

// lookAhead begins the early pass, with the digest as far as that is worth it: an earlier
// signature's second range lies in the original, which then has to be read when the ranges
// are known. It must be ended before the caller of the signer gets the input back.
func (r *run) lookAhead(ctx context.Context, digest bool) error {
	signed, err := r.form.Signed()
	if err != nil {
		return err
	}
	e := &earlyPass{}
	r.early = e
	validator, in, at, kind := r.validator(), r.original(), r.Now(), r.hash()
	if in.Size < earlyFrom {
		e.look(ctx, validator, in, signed, at, kind)
		return nil
	}
	ctx, e.stop = context.WithCancel(ctx)
	e.looked, e.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(e.done)
		e.look(ctx, validator, in, signed, at, kind)
		close(e.looked)
		if !digest || e.err != nil || e.pre != nil || !kind.Available() {
			return
		}
		if pre, err := validation.ReadAhead(ctx, in.Reader, in.Size, kind); err == nil {
			e.pre = pre
		}
	}()
	return nil
}

// look judges a document that holds signatures, and surveys one that holds none.
func (e *earlyPass) look(ctx context.Context, v *validation.Validator, in validation.Input, signed int, at time.Time, kind crypto.Hash) {
	if signed == 0 {
		e.survey, e.err = v.Survey(ctx, in)
		if e.err != nil || !e.survey.HidesSignature() {
			return
		}
	}
	e.before, e.pre, e.survey, e.err = v.Foresee(ctx, in, at, kind)
}

// preview is the part of the preflight that reads more of the document than the rest of
// it, and so is made beside the one pass over the original: what readers take differently
// and what is broken already is told before the key is used.
func (r *run) preview() error {
	e := r.early
	if e == nil {
		return nil
	}
	if e.looked != nil {
		<-e.looked
	}
	if e.err != nil {
		return fmt.Errorf("checking the original document: %w", e.err)
	}
	if e.survey != nil {
		r.warnReaders(e.survey.Reasons())
	}
	if e.before == nil {
		return nil
	}
	r.warnReaders(e.before.Reasons)
	if e.before.Verdict != validation.Invalid {
		return nil
	}
	for _, x := range e.before.Reasons {
		switch {
		case !x.Invalidates():
		case x.Code == validation.ReasonMalformed && x.Signature == "":
			return twoReadings(x)
		case x.Code != validation.ReasonTrailingData: // which the new signature will cover
			r.warn(WarnEarlierInvalid)
		}
	}
	return nil
}

// known is what the self-check need not find out once more, once the pass has ended.
func (e *earlyPass) known() (*validation.Preread, *validation.Survey) {
	if e == nil {
		return nil, nil
	}
	if e.done != nil {
		<-e.done
	}
	return e.pre, e.survey
}

// end stops the pass and waits until it reads no more.
func (e *earlyPass) end() {
	if e == nil || e.done == nil {
		return
	}
	e.stop()
	<-e.done
}
