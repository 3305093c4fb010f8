package validation

import (
	"slices"

	"antin/signer/pdf"
)

// bytesPerObject is up to how many bytes an object may have on average for a search
// through the bytes to take less than reading every object.
const bytesPerObject = 1 << 10

// nearby compares where the later revisions brought new objects and re-wrote nothing
// but the catalog, the form and pages: what a signature, a time-stamp or evidence
// does. Who refers to a new object then is known from the new bytes alone, as long as
// nothing older names its number. It reports false, with nothing found, when more
// must be known, and whenever it finds anything forbidden: everywhere decides then.
func (d *differ) nearby() (done bool, err error) {
	if !d.manyObjects() {
		return false, nil
	}
	if done, err = d.compareNearby(); !done || err != nil {
		d.findings, d.graph, d.left = nil, nil, maxCompared
	}
	return done, err
}

func (d *differ) compareNearby() (bool, error) {
	steps, err := d.steps()
	if err != nil {
		return false, err
	}
	only := map[int]bool{}
	for _, s := range steps {
		if ok, err := s.confined(only); !ok || err != nil {
			return false, err
		}
	}
	if named, err := d.namedBefore(steps); named || err != nil {
		return false, err
	}
	if d.graph, err = d.walk(steps, only); err != nil {
		return false, err
	}
	for _, s := range steps {
		if err := s.judge(); err != nil {
			return false, err
		}
	}
	return !slices.ContainsFunc(d.findings, func(f finding) bool { return f.level == ModificationForbidden }), nil
}

// manyObjects reports whether reading all objects takes longer than searching the bytes.
func (d *differ) manyObjects() bool {
	size, _ := d.files[d.first].Trailer().Get("Size").(pdf.Number)
	n, ok := size.Int64()
	return ok && n > d.revs[len(d.revs)-2].End/bytesPerObject
}

// confined reports whether all that the step touched are objects that did not exist
// before, the catalog, the form and pages, and adds them to only. These are no part of
// any appearance, since the trailer leads to each of them by another way, and the
// rules ask for no other path to them.
func (s *step) confined(only map[int]bool) (bool, error) {
	if s.structure() {
		return false, nil
	}
	if err := s.classify(); err != nil {
		return false, err
	}
	known := map[int]bool{}
	oldRef, o, errOld := s.old.Root()
	newRef, n, errNew := s.new.Root()
	if errOld != nil || errNew != nil || oldRef != newRef {
		return false, nil //nolint:nilerr // the rule for catalogs reports it
	}
	known[oldRef.Num], only[oldRef.Num] = true, true
	if form := o.Get("AcroForm"); form == n.Get("AcroForm") && refNum(form) != 0 {
		known[refNum(form)], only[refNum(form)] = true, true
	}
	for num := range s.listed {
		if num == 0 || !s.added[num] && !known[num] && s.d.pages[num] == 0 {
			return false, nil
		}
		only[num] = true
	}
	return true, nil
}
