package validation

import (
	"maps"
	"slices"

	"antin/internal/text"
	"antin/signer/pdf"
)

// step is the comparison of one revision with the next.
type step struct {
	d        *differ
	after    int // index of the older revision
	old, new *pdf.File

	listed  map[int]bool // objects that the newer revision's cross-reference names anew
	changed map[int]bool // of those, the ones in use before whose content differs
	added   map[int]bool // of those, the ones not in use before
	handled map[int]bool // changed or added objects that a rule has judged

	filled map[int]bool // fields whose change was recorded
	// newWidgets are widgets that the form rules admit on a page.
	newWidgets map[int]bool
}

// newStep lists what revision after+1 names anew.
func (d *differ) newStep(after int) (*step, error) {
	s := &step{d: d, after: after, old: d.files[after], new: d.files[after+1],
		listed: map[int]bool{}, changed: map[int]bool{}, added: map[int]bool{}, handled: map[int]bool{},
		filled: map[int]bool{}, newWidgets: map[int]bool{}}
	for _, section := range d.revs[after+1].Sections {
		for e := range section.Entries() {
			if err := d.spend(1); err != nil {
				return nil, err
			}
			if !sameEntry(s.old, s.new, e.Num) {
				s.listed[e.Num] = true
			}
		}
	}
	return s, nil
}

// sameEntry reports whether object num lies at the same place in both files.
func sameEntry(a, b *pdf.File, num int) bool {
	x, okX := a.Entry(num)
	y, okY := b.Entry(num)
	if usedX, usedY := okX && !x.Free, okY && !y.Free; !usedX || !usedY {
		return usedX == usedY
	}
	if x.Gen != y.Gen || x.ObjStm != y.ObjStm {
		return false
	}
	if x.ObjStm != 0 {
		return x.Index == y.Index && sameEntry(a, b, x.ObjStm)
	}
	return x.Offset == y.Offset
}

// run judges the step and adds its findings to the differ's.
func (s *step) run() error {
	if s.structure() {
		return nil // nothing below would mean anything
	}
	if err := s.classify(); err != nil {
		return err
	}
	return s.judge()
}

// judge applies the rules to what classify told apart.
func (s *step) judge() error {
	for _, rule := range []func() error{s.trailer, s.catalog, s.form, s.structureTree, s.annotations, s.leftovers} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// structure finds a newer revision that does not simply follow the older one; it
// reports whether it does not.
func (s *step) structure() bool {
	oldRev, newRev := s.d.revs[s.after], s.d.revs[s.after+1]
	chained := false
	for _, section := range newRev.Sections {
		chained = chained || section.Prev == oldRev.StartXRef
	}
	if !chained {
		s.forbid(0, ChangeOther, "change.structure.chain")
		return true
	}
	// An entry of the newer revision that points into the older one's bytes may only
	// repeat what the older one listed itself; anything else brings hidden objects
	// to life (hide-and-replace).
	for num := range s.listed {
		e, ok := s.new.Entry(num)
		if !ok || e.Free {
			continue
		}
		holder := num
		if e.ObjStm != 0 {
			holder = e.ObjStm
			if e, ok = s.new.Entry(holder); !ok || e.Free {
				continue
			}
			if sameEntry(s.old, s.new, holder) {
				// A container of the signed revision, from which an object is now taken
				// that was not taken before.
				s.forbid(num, ChangeOther, "change.structure.resurrected", pdf.Ref{Num: num}.String())
				return true
			}
		}
		if e.Offset < oldRev.End && !sameEntry(s.old, s.new, holder) {
			s.forbid(num, ChangeOther, "change.structure.resurrected", pdf.Ref{Num: num}.String())
			return true
		}
	}
	return false
}

// classify tells equal, changed and added objects apart.
func (s *step) classify() error {
	for num := range s.listed {
		before, okBefore := load(s.old, num)
		now, okNow := load(s.new, num)
		if isNull(before) && okBefore {
			if !isNull(now) || !okNow {
				s.added[num] = true
			}
			continue
		}
		if okBefore && okNow {
			same, err := s.equal(before, now)
			if err != nil {
				return err
			}
			if same {
				continue
			}
		}
		s.changed[num] = true
	}
	return nil
}

// leftovers forbids every change that no rule has judged and that the graph
// reaches. Nothing refers to cross-reference and object streams, so that those
// are free to change.
func (s *step) leftovers() error {
	for _, num := range sortedKeys(s.changed) {
		if s.handled[num] || !s.d.graph.reached.has(num) {
			continue
		}
		s.forbidObject(num)
	}
	// A number that was referred to before it was defined is a change of whoever
	// refers to it, however harmless the new object would be elsewhere.
	for _, num := range sortedKeys(s.added) {
		for _, l := range s.d.graph.refs[num] {
			if s.referredTo(l, num) {
				s.forbidObject(num)
				break
			}
		}
	}
	return nil
}

// referredTo reports whether the older revision referred to num at l already.
func (s *step) referredTo(l location, num int) bool {
	if l.holder == 0 {
		return l.path != "/Info" && refers(s.old.Trailer(), num, 0) // the rule for Info compared what it means
	}
	return s.refersTo(l.holder, num)
}

// refersTo reports whether object holder of the older revision refers to num.
func (s *step) refersTo(holder, num int) bool {
	o, _ := load(s.old, holder)
	return refers(o, num, 0)
}

func refers(o pdf.Object, num, depth int) bool {
	if depth > maxNesting {
		return true
	}
	switch v := o.(type) {
	case pdf.Ref:
		return v.Num == num
	case pdf.Array:
		return slices.ContainsFunc(v, func(e pdf.Object) bool { return refers(e, num, depth+1) })
	case *pdf.Dict:
		for _, k := range v.Keys() {
			if refers(v.Get(k), num, depth+1) {
				return true
			}
		}
	case *pdf.Stream:
		return refers(v.Dict, num, depth+1)
	}
	return false
}

// changedKeys lists the keys whose values differ between two dictionaries.
func (s *step) changedKeys(x, y *pdf.Dict) ([]pdf.Name, error) {
	var keys []pdf.Name
	for _, k := range unionKeys(x, y) {
		same, err := s.equal(x.Get(k), y.Get(k))
		if err != nil {
			return nil, err
		}
		if !same {
			keys = append(keys, k)
		}
	}
	for _, k := range y.Duplicates() {
		if !contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// touched reports whether o is a reference to an object that this step changed.
func (s *step) touched(o pdf.Object) bool { return s.changed[refNum(o)] }

// handle marks what o refers to as judged by a rule.
func (s *step) handle(o pdf.Object) {
	if n := refNum(o); n != 0 {
		s.handled[n] = true
	}
}

// usedElsewhere reports whether anything but the places that ok admits refers to num.
func (s *step) usedElsewhere(num int, ok func(location) bool) bool {
	return slices.ContainsFunc(s.d.graph.refs[num], func(l location) bool { return !ok(l) })
}

// forbid records a change that no signature permits.
func (s *step) forbid(num int, kind ChangeKind, key text.Key, args ...any) {
	s.add(finding{kind: kind, level: ModificationForbidden, num: num, page: s.page(num), key: key, args: args})
}

// maxFindings bounds the findings of one analysis.
const maxFindings = 20_000

func (s *step) add(f finding) {
	f.after = s.after
	if f.path == "" && len(s.d.findings) < maxChanges {
		f.path = s.objectPath(f.num)
	}
	if len(s.d.findings) >= maxFindings {
		// Something forbidden among so many is enough to know; else nothing is known.
		if f.level != ModificationForbidden {
			s.d.left = -1
			return
		}
		if len(s.d.findings) >= 2*maxFindings {
			return
		}
	}
	s.d.findings = append(s.d.findings, f)
}

// page is the page that object num belongs to, 0 when it belongs to none.
func (s *step) page(num int) int {
	if n := s.d.pages[num]; n > 0 {
		return n
	}
	if s.d.graph == nil {
		return 0
	}
	return s.d.graph.page.of(num)
}

// forbidObject records the change of object num with words for what it is.
func (s *step) forbidObject(num int) {
	s.handled[num] = true
	before, _ := load(s.old, num)
	now, _ := load(s.new, num)
	if isNull(before) {
		before = now
	}
	kind, what := ChangeContent, text.Key("change.what.object")
	switch v := before.(type) {
	case *pdf.Dict:
		kind, what = describeDict(v)
	case *pdf.Stream:
		what = s.describeStream(num, v)
	}
	page := s.page(num)
	key := text.Key("change.forbidden")
	if page > 0 {
		key = "change.forbidden.page"
	}
	if isNull(now) {
		key += ".removed"
	}
	s.add(finding{kind: kind, level: ModificationForbidden, num: num, page: page, key: key,
		args: []any{text.Get(what), pdf.Ref{Num: num}.String(), page}})
}

func describeDict(d *pdf.Dict) (ChangeKind, text.Key) {
	switch d.Get("Type") {
	case pdf.Name("Page"), pdf.Name("Pages"):
		return ChangeContent, "change.what.page"
	case pdf.Name("Font"), pdf.Name("FontDescriptor"):
		return ChangeContent, "change.what.font"
	case pdf.Name("Catalog"):
		return ChangeOther, "change.what.catalog"
	case pdf.Name("Sig"), pdf.Name("DocTimeStamp"):
		return ChangeSignature, "change.what.signature"
	}
	switch {
	case d.Has("ByteRange"):
		return ChangeSignature, "change.what.signature"
	case d.Has("FT"):
		return ChangeForm, "change.what.field"
	case d.Has("Subtype") && d.Has("Rect"):
		return ChangeAnnotation, "change.what.annotation"
	}
	return ChangeContent, "change.what.object"
}

func (s *step) describeStream(num int, st *pdf.Stream) text.Key {
	switch st.Dict.Get("Subtype") {
	case pdf.Name("Image"):
		return "change.what.image"
	case pdf.Name("Form"):
		return "change.what.appearance"
	}
	for _, l := range s.d.graph.refs[num] {
		if l.path == "/Contents" && s.d.pages[l.holder] > 0 {
			return "change.what.content"
		}
	}
	return "change.what.stream"
}

// sortedKeys lists the object numbers of m in order, so that a report reads the
// same every time.
func sortedKeys[V any](m map[int]V) []int { return slices.Sorted(maps.Keys(m)) }
