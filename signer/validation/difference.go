package validation

import (
	"context"
	"errors"
	"fmt"
	"io"

	"antin/internal/text"
	"antin/signer/pdf"
)

const (
	// maxCompared bounds the values looked at by one difference analysis: a file of
	// a million small objects stays far below, a hostile graph does not get further.
	maxCompared = 20_000_000
	// maxSteps bounds the revisions compared after the first signed one; a document
	// that went round a whole ministry has a few dozen.
	maxSteps = 400
	// maxFieldNodes bounds the nodes of a field tree visited in one revision.
	maxFieldNodes = 100_000
	// maxChanges bounds the changes reported one by one, so that a report stays readable.
	maxChanges = 200
	// maxNesting bounds the depth to which two values are followed.
	maxNesting = 200
)

// errBudget says that the comparison was given up: nothing is known then.
var errBudget = errors.New("validation: difference analysis exceeded its budget")

// finding is one thing that a later revision did, before it is judged by what
// each signature permits.
type finding struct {
	after int // index of the revision that was the newest before
	kind  ChangeKind
	level Modification
	num   int // object number; 0 for the trailer or the file's structure
	page  int
	field string // fully qualified name of the form field, where there is one
	// visible findings change what a reader sees without being a signature.
	visible bool
	// emptied findings fill a field that had no value; others of level form replace one.
	firstFill bool
	// widget is the object that shows the field or annotation, 0 where none does.
	widget int
	// path is where the object hangs, where the rule knows it.
	path string
	// before and now are the values of a field, as far as they are texts.
	before, now string
	// signing findings put a signature into an existing field.
	signing bool
	key     text.Key
	args    []any
}

// differ compares the revisions of one file from the first signed one on.
type differ struct {
	ctx   context.Context //nolint:containedctx // lives for one call of differences only
	in    io.ReaderAt     // the bytes of the file
	files []*pdf.File     // by revision; nil before first
	revs  []pdf.Revision
	first int
	left  int // budget

	pages    map[int]int // object number of a page to its number, as of the first signed revision
	ordered  []int       // the object numbers of those pages, in order
	graph    *graph
	fields   map[*pdf.File]map[int]*node // by revision, as far as they were asked for; read only
	findings []finding
}

// differences lists what the revisions after index first did. files[i] is the
// file as of revision i, for every i from first on, and in holds the bytes of them
// all. The error is errBudget, or the context's.
func differences(ctx context.Context, in io.ReaderAt, files []*pdf.File, revs []pdf.Revision, first int) ([]finding, error) {
	if len(revs)-1-first > maxSteps {
		return nil, errBudget
	}
	if first >= len(revs)-1 {
		return nil, nil
	}
	d := newDiffer(ctx, in, files, revs, first)
	if done, err := d.nearby(); done || err != nil {
		return d.findings, err
	}
	if err := d.everywhere(); err != nil {
		return nil, err
	}
	return d.findings, nil
}

func newDiffer(ctx context.Context, in io.ReaderAt, files []*pdf.File, revs []pdf.Revision, first int) *differ {
	d := &differ{ctx: ctx, in: in, files: files, revs: revs, first: first, left: maxCompared, pages: map[int]int{}}
	for p, err := range files[first].Pages() {
		if err != nil {
			break
		}
		if _, known := d.pages[p.Ref.Num]; !known {
			d.pages[p.Ref.Num] = p.Number
			d.ordered = append(d.ordered, p.Ref.Num)
		}
	}
	return d
}

// steps lists the revisions to compare, each with the one before it.
func (d *differ) steps() ([]*step, error) {
	steps := make([]*step, 0, len(d.revs)-1-d.first)
	for after := d.first; after < len(d.revs)-1; after++ {
		s, err := d.newStep(after)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// everywhere compares with every path known that leads to a touched object.
func (d *differ) everywhere() error {
	steps, err := d.steps()
	if err != nil {
		return err
	}
	if d.graph, err = d.walk(steps, nil); err != nil {
		return err
	}
	for _, s := range steps {
		if err := s.run(); err != nil {
			return err
		}
	}
	return nil
}

// spend takes n from the budget.
func (d *differ) spend(n int) error {
	d.left -= n
	if d.left < 0 {
		return errBudget
	}
	if d.left%1024 < n {
		if err := d.ctx.Err(); err != nil {
			return fmt.Errorf("comparing revisions: %w", err)
		}
	}
	return nil
}

// load returns object num of f, Null when it is free, absent or unreadable; ok
// is false only for unreadable.
func load(f *pdf.File, num int) (o pdf.Object, ok bool) {
	e, found := f.Entry(num)
	if !found || e.Free {
		return pdf.Null{}, true
	}
	o, err := f.Load(pdf.Ref{Num: num, Gen: e.Gen})
	if err != nil || o == nil {
		return pdf.Null{}, err == nil
	}
	return o, true
}

// resolve follows references in f; anything unreadable or absent is nil.
func resolve(f *pdf.File, o pdf.Object) pdf.Object {
	r, err := f.Resolve(o)
	if err != nil || isNull(r) {
		return nil
	}
	return r
}

// dictOf resolves o to a dictionary, the dictionary of a stream included; nil
// when it is neither.
func dictOf(f *pdf.File, o pdf.Object) *pdf.Dict {
	switch v := resolve(f, o).(type) {
	case *pdf.Dict:
		return v
	case *pdf.Stream:
		return v.Dict
	}
	return nil
}

func isNull(o pdf.Object) bool {
	if o == nil {
		return true
	}
	_, null := o.(pdf.Null)
	return null
}

// refNum is the object number of a reference, 0 for anything else.
func refNum(o pdf.Object) int {
	r, _ := o.(pdf.Ref)
	return r.Num
}
