package pdf

import (
	"iter"
	"slices"
)

// Span returns the bytes [start, end) of "n g obj ... endobj" of an object of its
// own. An object in an object stream has no span and is an error, as is one that is
// not in use.
func (f *File) Span(ref Ref) (start, end int64, err error) {
	e, err := f.ownEntry(ref)
	if err != nil {
		return 0, 0, err
	}
	ind, err := f.own(e, 0)
	if err != nil {
		return 0, 0, err
	}
	return ind.start, ind.end, nil
}

// SignatureSpan returns the exact bytes [start, end) of the value of key in the
// dictionary object ref, delimiters included, found by parsing that object where
// the cross-reference places it. direct is false when the value is a reference,
// whose bytes are then returned. An absent key, a key that stands twice, and an
// object that is not a dictionary of its own are errors.
func (f *File) SignatureSpan(ref Ref, key Name) (start, end int64, direct bool, err error) {
	e, err := f.ownEntry(ref)
	if err != nil {
		return 0, 0, false, err
	}
	if start, end, direct, ok := f.keptSpan(e, ref, key); ok {
		return start, end, direct, nil
	}
	return f.readSpan(e, ref, key)
}

// readSpan is SignatureSpan for the object that e places.
func (f *File) readSpan(e Entry, ref Ref, key Name) (start, end int64, direct bool, err error) {
	src := f.open(e.Offset, min(f.end, e.Offset+f.lim.ObjectLen))
	defer f.close(src)
	ind, err := readHeader(src)
	if err != nil {
		return 0, 0, false, err
	}
	if ind.ref != ref {
		return 0, 0, false, needsRepair("object %s stands in place of %s", ind.ref, ref)
	}
	src.skipSpace()
	open := src.offset()
	if !src.literal("<<") {
		return 0, 0, false, malformed("object %s is not a dictionary", ref)
	}
	src.seek(open)
	times := 0
	p := parser{src: src, lim: f.lim, passing: true, spans: func(k Name, from, to int64) {
		if k == key {
			start, end = from, to
			times++
		}
	}}
	o, err := p.object(0)
	if err != nil {
		return 0, 0, false, err
	}
	if times != 1 {
		return 0, 0, false, malformed("object %s has the key %s %d times", ref, key, times)
	}
	d, _ := o.(*Dict)
	_, indirect := d.Get(key).(Ref)
	return start, end, !indirect, nil
}

// ownEntry returns the entry of ref when it is an object of its own in use.
func (f *File) ownEntry(ref Ref) (Entry, error) {
	e, ok := f.Entry(ref.Num)
	if !ok || e.Free || e.Gen != ref.Gen || ref.Num == 0 {
		return e, malformed("object %s is not in use", ref)
	}
	if e.ObjStm != 0 {
		return e, malformed("object %s lies in an object stream", ref)
	}
	return e, nil
}

// Objects returns the numbers of all objects in use, in order. It serves the
// comparison of revisions; nothing that signs a file walks it.
func (f *File) Objects() iter.Seq[int] {
	return func(yield func(int) bool) {
		var nums []int
		for _, s := range f.sections {
			for _, part := range []*entries{s.own, s.hidden} {
				if part == nil {
					continue
				}
				for num := range part.all() {
					nums = append(nums, num)
				}
			}
		}
		slices.Sort(nums)
		for _, num := range slices.Compact(nums) {
			if e, ok := f.Entry(num); !ok || e.Free || num == 0 {
				continue
			}
			if !yield(num) {
				return
			}
		}
	}
}
