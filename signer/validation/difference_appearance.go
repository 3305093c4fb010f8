package validation

import (
	"slices"
	"strings"

	"antin/signer/pdf"
)

// appearanceObjects lists the objects that make up an appearance dictionary: the
// dictionary itself, dictionaries of states, and the streams (ISO 32000-2, 12.5.5).
func appearanceObjects(f *pdf.File, ap pdf.Object) []int {
	var nums []int
	note := func(o pdf.Object) {
		if n := refNum(o); n != 0 {
			nums = append(nums, n)
		}
	}
	note(ap)
	d, _ := resolve(f, ap).(*pdf.Dict)
	for _, k := range []pdf.Name{"N", "R", "D"} {
		o := d.Get(k)
		note(o)
		if states, ok := resolve(f, o).(*pdf.Dict); ok {
			for _, state := range states.Keys() {
				note(states.Get(state))
			}
		}
	}
	return nums
}

// isAppearancePath reports whether a path inside a widget leads to a part of its
// appearance.
func isAppearancePath(path string) bool {
	if path == "/AP" {
		return true
	}
	rest, ok := strings.CutPrefix(path, "/AP/")
	return ok && isStatePath("/"+rest)
}

// isStatePath reports whether a path inside an appearance dictionary leads to a
// stream of it.
func isStatePath(path string) bool {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	return len(parts) <= 2 && (parts[0] == "N" || parts[0] == "R" || parts[0] == "D")
}

// owners returns the widgets whose appearance object num is a part of; ok is
// false when anything else refers to it.
func (s *step) owners(num, depth int) (widgets []int, ok bool) {
	locations := s.d.graph.refs[num]
	if len(locations) == 0 || depth > 2 {
		return nil, false
	}
	for _, l := range locations {
		switch {
		case l.holder != 0 && isAppearancePath(l.path):
			widgets = append(widgets, l.holder)
		case isStatePath(l.path) || strings.Count(l.path, "/") == 1:
			up, ok := s.owners(l.holder, depth+1)
			if !ok {
				return nil, false
			}
			widgets = append(widgets, up...)
		default:
			return nil, false
		}
	}
	return widgets, true
}

// appearanceOwners finds the changed objects that are part of the appearance of
// exactly one widget, by widget.
func (s *step) appearanceOwners() map[int][]int {
	byWidget := map[int][]int{}
	for _, num := range sortedKeys(s.changed) {
		widgets, ok := s.owners(num, 0)
		if !ok {
			continue
		}
		one := widgets[0]
		for _, w := range widgets {
			if w != one {
				one = 0
			}
		}
		if one != 0 {
			byWidget[one] = append(byWidget[one], num)
		}
	}
	return byWidget
}

// appearance judges a replaced or redefined appearance: what it was made of must
// not be in use anywhere else. It reports whether that holds.
func (s *step) appearance(n *node, now *pdf.Dict, replaced bool, redefined []int) bool {
	for _, num := range redefined {
		s.handled[num] = true
	}
	if !replaced && len(redefined) == 0 {
		return true
	}
	for _, num := range appearanceObjects(s.old, n.dict.Get("AP")) {
		if _, alone := s.owners(num, 0); !alone && len(s.d.graph.refs[num]) > 0 {
			s.add(finding{kind: ChangeContent, level: ModificationForbidden, num: num, page: s.pageOfWidget(n.num), field: n.name,
				key: "change.appearance.shared", args: []any{n.name, pdf.Ref{Num: num}.String()}})
			return false
		}
	}
	for _, num := range appearanceObjects(s.new, now.Get("AP")) {
		o, _ := load(s.old, num)
		if !isNull(o) && s.changed[num] {
			widgets, ok := s.owners(num, 0)
			if !ok || slices.ContainsFunc(widgets, func(w int) bool { return w != n.num }) {
				s.forbidObject(num)
				return false
			}
		}
		s.handled[num] = true
	}
	return true
}
