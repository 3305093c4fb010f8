package validation

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"antin/internal/text"
	"antin/signer/pdf"
)

// Survey is what programs of different makers read differently in a document that
// nobody has signed yet, found out before it is. Like a Preread it holds facts about
// bytes; a later Validate of a file that begins with them does not look for them again.
// It is read-only once made.
type Survey struct {
	length  int64
	parts   []surveyed // by revision
	reasons []Reason
	hides   bool
}

// surveyed is the search for definitions in one revision; the zero value is none.
type surveyed struct {
	begin, end int64
	found      []definition
}

// Reasons are what Validate will say of these bytes once a signature covers them, each of
// them a note: readers_differ and polyglot. The caller does not change them.
func (s *Survey) Reasons() []Reason { return s.reasons }

// HidesSignature reports whether a revision before the newest spells a signature
// dictionary, which no field shows any more: such a document is to be judged like a
// signed one.
func (s *Survey) HidesSignature() bool { return s.hides }

// Invalidates reports whether r alone makes its file invalid.
func (r Reason) Invalidates() bool { return r.verdict == Invalid }

// Survey looks at in, whose Known is that very document and shows no signature. It
// reads what Validate would search for second definitions of objects, and of a larger
// document of one revision only its beginning. The error is a *text.Error, or the
// context's.
func (v *Validator) Survey(ctx context.Context, in Input) (*Survey, error) {
	if in.Known == nil || in.Known.Size() != in.Size {
		return nil, text.Errorf(text.Internal, errors.New("survey of a document that is not open"))
	}
	run, err := v.start(ctx, in, time.Time{})
	if err != nil {
		return nil, err
	}
	defer run.borrow()()
	if err := run.adopt(in.Known); err != nil {
		return nil, err
	}
	return run.survey()
}

// Foresee is Validate for a document that holds signatures and is about to get another
// one, made with kind: it also returns what judging the result need not find out again.
func (v *Validator) Foresee(ctx context.Context, in Input, at time.Time, kind crypto.Hash) (*Report, *Preread, *Survey, error) {
	run, err := v.start(ctx, in, at)
	if err != nil {
		return nil, nil, nil, err
	}
	if kind.Available() {
		run.foresee = kind
	}
	report, err := run.judge()
	if err != nil || run.foresee == 0 || run.pass == nil {
		return report, nil, nil, err
	}
	pre, err := run.pass.preread(in.Size, kind)
	return report, pre, &Survey{length: in.Size, parts: run.searched}, err
}

// survey is what checkReaders and checkPolyglot will say, all of it about what is going
// to be the first signed revision or one before it.
func (v *validation) survey() (*Survey, error) {
	v.noteIrregularities()
	begin := int64(0)
	for i, rev := range v.revs {
		v.compareReadings(i, begin, false)
		begin = rev.End
		if err := v.ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading %s: %w", v.in.Name, err)
		}
	}
	if last := len(v.revs) - 1; begin < v.in.Size && v.in.Size-begin <= searchLimit(false) {
		// What stands behind the last revision will belong to the one that is appended.
		found := definitions(v.in.Reader, begin, v.in.Size, v.inPlace(last), nil, &v.scratch)
		if num := v.redefined(last, found, false); num != 0 {
			v.readersDiffer(ValidWithNotes, "validation.readers.duplicate", pdf.Ref{Num: num}.String())
		}
	}
	if v.otherFormat() {
		v.report.because(ValidWithNotes, Reason{Code: ReasonPolyglot, Message: text.Get("validation.polyglot.head")})
	}
	s := &Survey{length: v.in.Size, parts: v.searched, reasons: v.report.Reasons}
	return s, v.findHidden(s)
}

// findHidden looks for signature dictionaries in the revisions before the newest.
func (v *validation) findHidden(s *Survey) error {
	if len(v.revs) < 2 {
		return nil
	}
	end := v.revs[len(v.revs)-2].End
	p := &pass{scratch: &v.scratch}
	for at := int64(0); at < end && p.byteRanges == 0; {
		n, err := p.fetch(v.ctx, Input{Reader: v.in.Reader, Size: end, Name: v.in.Name}, at, p.buffer(int(overlap+min(chunkSize, end))))
		if err != nil {
			return err
		}
		at += int64(n)
	}
	s.hides = p.byteRanges > 0
	return nil
}

// in is what was found in revision i, from one offset to another; ok is false where
// nobody looked. What is appended may add an end-of-line marker to the last revision.
func (s *Survey) in(i int, from, to int64) (found []definition, ok bool) {
	if s == nil || i >= len(s.parts) {
		return nil, false
	}
	p := s.parts[i]
	if p.end == 0 || p.begin != from || to != p.end && (p.end != s.length || to != p.end+1) {
		return nil, false
	}
	return p.found, true
}

// rest is how much of a file of size bytes is still to be searched.
func (s *Survey) rest(size int64) int64 {
	if s == nil || s.length > size {
		return size
	}
	return size - s.length
}
