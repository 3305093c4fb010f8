package validation

import (
	"slices"
	"strings"

	"antin/signer/pdf"
)

// maxStructureParents bounds how many old elements may gain a kid in one revision:
// one a new widget, and no revision adds more than a few.
const maxStructureParents = 100

// structureTree lets the structure of a tagged file grow by one element for each
// widget that the form rules admitted: an element of type Form that refers to that
// widget, at the end of an old element's kids or of the tree's, and an entry for it
// in the parent tree. Everything else of the structure stays as it was. It runs
// after the rules for forms.
func (s *step) structureTree() error {
	_, oldRoot, errOld := s.old.Root()
	_, newRoot, errNew := s.new.Root()
	if errOld != nil || errNew != nil {
		return nil //nolint:nilerr // the catalog rule reported it
	}
	a, b := oldRoot.Get("StructTreeRoot"), newRoot.Get("StructTreeRoot")
	num := refNum(b)
	o, n := dictOf(s.old, a), dictOf(s.new, b)
	if num == 0 || refNum(a) != num || o == nil || n == nil {
		return nil // direct, or gone: compared with the catalog
	}
	g := &structureGrowth{step: s, root: num, parents: refNum(n.Get("ParentTree")), elements: map[int]bool{}}
	ok, err := g.judge(o, n)
	if err != nil || !ok {
		return err // what changed is left for leftovers to forbid
	}
	for _, h := range g.judged {
		if s.usedElsewhere(h, g.within(h)) {
			s.forbidObject(h)
			continue
		}
		s.handled[h] = true
	}
	for e := range g.elements {
		s.handled[e] = true
	}
	return nil
}

// structureGrowth is what one revision adds to the structure.
type structureGrowth struct {
	*step
	root     int
	parents  int          // the parent tree; 0 when it is part of root
	elements map[int]bool // the new elements
	judged   []int        // old objects of the structure that changed as they may
}

// elementPaths end where something may refer to an element, or to the tree, as such.
var elementPaths = []string{"/K", "/P", "/Nums", "/Names", "/Ref", "/SE", "/SD", "/StructTreeRoot", "/ParentTree"}

// within returns the test for places where the structure refers to its own part num.
// An array is admitted only right under the tree's root or its parent tree: elsewhere
// it could be what a page shows.
func (g *structureGrowth) within(num int) func(location) bool {
	now, _ := load(g.new, num)
	_, list := now.(pdf.Array)
	return func(l location) bool {
		if list {
			return l.holder == g.root || l.holder == g.parents
		}
		return slices.ContainsFunc(elementPaths, func(p string) bool { return strings.HasSuffix(l.path, p) })
	}
}

func (g *structureGrowth) judge(o, n *pdf.Dict) (bool, error) {
	if ok, err := g.grownKids(g.root, o, n, "K", "ParentTree", "ParentTreeNextKey"); !ok || err != nil {
		return false, err
	}
	parents := 0
	for _, num := range sortedKeys(g.changed) {
		if g.handled[num] || num == g.root || !g.element(num) {
			continue
		}
		if parents++; parents > maxStructureParents {
			return false, nil
		}
		before, _ := load(g.old, num)
		now, _ := load(g.new, num)
		x, _ := before.(*pdf.Dict)
		y, _ := now.(*pdf.Dict)
		if x == nil || y == nil {
			return false, nil
		}
		if ok, err := g.grownKids(num, x, y, "K"); !ok || err != nil {
			return false, err
		}
	}
	return g.parentTree(o.Get("ParentTree"), n.Get("ParentTree"))
}

// element reports whether object num was a structure element.
func (g *structureGrowth) element(num int) bool {
	before, _ := load(g.old, num)
	d, _ := before.(*pdf.Dict)
	return d != nil && d.Has("S") && d.Has("P") && (d.Get("Type") == nil || d.Get("Type") == pdf.Name("StructElem"))
}

// grownKids judges an old node of the tree whose kids may have grown: every other
// key but those in free is the same, and what was added are new elements.
func (g *structureGrowth) grownKids(num int, o, n *pdf.Dict, free ...pdf.Name) (bool, error) {
	keys, err := g.changedKeys(o, n)
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if !contains(free, k) {
			return false, nil
		}
	}
	added, ok, err := g.appended(kidsOf(g.old, o), kidsOf(g.new, n))
	if err != nil || !ok {
		return false, err
	}
	if ref := refNum(n.Get("K")); g.changed[ref] && !g.element(ref) {
		g.judged = append(g.judged, ref) // an array of kids that is an object of its own
	}
	for _, e := range added {
		if !g.newElement(e, num) {
			return false, nil
		}
	}
	if g.changed[num] {
		g.judged = append(g.judged, num)
	}
	return true, nil
}

// kidsOf is /K as a list: an array, or the one kid by itself.
func kidsOf(f *pdf.File, d *pdf.Dict) pdf.Array {
	k := d.Get("K")
	switch v := resolve(f, k).(type) {
	case nil:
		return nil
	case pdf.Array:
		return v
	default:
		return pdf.Array{k}
	}
}

// newElement admits an element of type Form under parent that holds nothing but a
// reference to a new widget.
func (g *structureGrowth) newElement(o pdf.Object, parent int) bool {
	num := refNum(o)
	d := dictOf(g.new, o)
	if num == 0 || d == nil || !g.added[num] || g.elements[num] || d.Get("S") != pdf.Name("Form") || refNum(d.Get("P")) != parent {
		return false
	}
	for _, k := range d.Keys() {
		switch k {
		case "Type", "S", "P", "Pg", "K", "ID", "Lang", "Alt", "T":
		default:
			return false
		}
	}
	reference := dictOf(g.new, d.Get("K"))
	if reference == nil || reference.Get("Type") != pdf.Name("OBJR") || !g.newWidgets[refNum(reference.Get("Obj"))] {
		return false
	}
	g.elements[num] = true
	return true
}

// parentTree lets the tree that leads from content back to its elements gain
// entries for the new ones, at its end.
func (g *structureGrowth) parentTree(a, b pdf.Object) (bool, error) {
	if same, err := g.equal(a, b); err != nil || (same && !g.touched(b)) {
		return same, err
	}
	o, n := dictOf(g.old, a), dictOf(g.new, b)
	if n == nil {
		return false, nil
	}
	for _, k := range unionKeys(o, n) {
		if k == "Nums" || k == "Kids" {
			continue
		}
		if same, err := g.equal(o.Get(k), n.Get(k)); !same || err != nil {
			return false, err
		}
	}
	x, _ := resolve(g.old, o.Get("Kids")).(pdf.Array)
	y, _ := resolve(g.new, n.Get("Kids")).(pdf.Array)
	leaves, ok, err := g.appended(x, y)
	if err != nil || !ok {
		return false, err
	}
	for _, leaf := range leaves {
		d := dictOf(g.new, leaf)
		if num := refNum(leaf); num != 0 && !g.added[num] || d == nil || d.Has("Kids") {
			return false, nil
		}
		if ok, err := g.newEntries(nil, d.Get("Nums")); !ok || err != nil {
			return false, err
		}
	}
	if ok, err := g.newEntries(o.Get("Nums"), n.Get("Nums")); !ok || err != nil {
		return false, err
	}
	for _, part := range []pdf.Object{b, n.Get("Nums"), n.Get("Kids")} {
		if g.touched(part) {
			g.judged = append(g.judged, refNum(part))
		}
	}
	return true, nil
}

// newEntries compares /Nums: the old pairs first, then pairs that name new elements.
func (g *structureGrowth) newEntries(a, b pdf.Object) (bool, error) {
	x, _ := resolve(g.old, a).(pdf.Array)
	y, _ := resolve(g.new, b).(pdf.Array)
	if len(y) < len(x) || len(y)%2 != 0 {
		return false, nil
	}
	for i := range x {
		if same, err := g.equal(x[i], y[i]); !same || err != nil {
			return false, err
		}
	}
	for i := len(x); i < len(y); i += 2 {
		if _, number := y[i].(pdf.Number); !number || !g.elements[refNum(y[i+1])] {
			return false, nil
		}
	}
	return true, nil
}
