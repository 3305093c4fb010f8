package validation

import "antin/signer/pdf"

// annotations compares the pages that this step touched: a page may only gain
// widgets of the fields that the form rules admit, or, judged by what each
// signature permits, other annotations.
func (s *step) annotations() error {
	for _, num := range sortedKeys(s.changed) {
		if s.handled[num] {
			continue
		}
		if s.d.pages[num] > 0 {
			if err := s.changedPage(num); err != nil {
				return err
			}
			continue
		}
		// An array that is nothing but the annotations of pages.
		holders := map[int]bool{}
		for _, l := range s.d.graph.refs[num] {
			if l.path != "/Annots" || s.d.pages[l.holder] == 0 {
				holders = nil
				break
			}
			holders[l.holder] = true
		}
		before, _ := load(s.old, num)
		if x, isArray := before.(pdf.Array); isArray && len(holders) > 0 {
			now, _ := load(s.new, num)
			y, _ := now.(pdf.Array)
			s.handled[num] = true
			if err := s.annotationList(x, y, num, s.d.pages[sortedKeys(holders)[0]]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *step) changedPage(num int) error {
	before, _ := load(s.old, num)
	now, _ := load(s.new, num)
	o, _ := before.(*pdf.Dict)
	n, _ := now.(*pdf.Dict)
	if o == nil || n == nil {
		return nil // leftovers reports it
	}
	s.handled[num] = true
	keys, err := s.changedKeys(o, n)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k == "Tabs" && o.Get(k) == nil && n.Get(k) == pdf.Name("S") && len(s.newWidgets) > 0 {
			continue // the order by structure, which PDF/UA wants on a page with widgets
		}
		if k != "Annots" {
			s.add(finding{kind: ChangeContent, level: ModificationForbidden, num: num, page: s.d.pages[num],
				path: pagePath(s.d.pages[num]) + "/" + string(k), key: "change.page", args: []any{s.d.pages[num], string(k)}})
			return nil
		}
	}
	if len(keys) == 0 {
		return nil
	}
	x, _ := resolve(s.old, o.Get("Annots")).(pdf.Array)
	y, _ := resolve(s.new, n.Get("Annots")).(pdf.Array)
	if r := refNum(n.Get("Annots")); r != 0 && s.changed[r] {
		if s.usedElsewhere(r, func(l location) bool { return l.path == "/Annots" && s.d.pages[l.holder] > 0 }) {
			s.forbidObject(r)
			return nil
		}
		s.handled[r] = true
	}
	return s.annotationList(x, y, num, s.d.pages[num])
}

// annotationList compares the annotations of one page.
func (s *step) annotationList(x, y pdf.Array, num, page int) error {
	added, ok, err := s.appended(x, y)
	if err != nil {
		return err
	}
	if !ok {
		s.add(finding{kind: ChangeAnnotation, level: ModificationForbidden, num: num, page: page, key: "change.annotation.removed", args: []any{page}})
		return nil
	}
	for _, e := range added {
		if s.newWidgets[refNum(e)] {
			continue
		}
		s.newAnnotation(e, page)
	}
	return nil
}

// inertAnnotations are the annotations that only add to what is shown; others
// (redaction, widgets of no field, media, files, anything with an action) may do more.
var inertAnnotations = []pdf.Name{"Text", "FreeText", "Line", "Square", "Circle", "Polygon", "PolyLine", "Highlight",
	"Underline", "Squiggly", "StrikeOut", "Caret", "Ink", "Popup", "Stamp"}

func (s *step) newAnnotation(o pdf.Object, page int) {
	num := refNum(o)
	d := dictOf(s.new, o)
	subtype, _ := resolve(s.new, d.Get("Subtype")).(pdf.Name)
	f := finding{kind: ChangeAnnotation, level: ModificationForbidden, num: num, page: page, visible: true, widget: num,
		path: pagePath(page) + "/Annots", key: "change.annotation.added", args: []any{page, string(subtype)}}
	if d != nil && (num == 0 || s.added[num]) && contains(inertAnnotations, subtype) && !d.Has("A") && !d.Has("AA") && !d.Has("PA") {
		f.level = ModificationAnnotation
	}
	if num != 0 {
		s.handled[num] = true
	}
	s.add(f)
}
