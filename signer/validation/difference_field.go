package validation

import (
	"antin/internal/text"
	"antin/signer/pdf"
)

// field judges a change of a field or widget that the older revision had, or of
// an appearance that only it uses.
func (s *step) field(n *node, before, now map[int]*node, appearance []int) error {
	s.handled[n.num] = true
	d, _ := resolve(s.new, pdf.Ref{Num: n.num, Gen: s.gen(n.num)}).(*pdf.Dict)
	if d == nil {
		s.forbidField(n, "change.field.removed")
		return nil
	}
	keys, err := s.changedKeys(n.dict, d)
	if err != nil {
		return err
	}
	if len(keys) == 0 && len(appearance) == 0 {
		return nil
	}
	field := n
	if n.widget && before[n.parent] != nil {
		field = before[n.parent]
	}
	if field.signed {
		s.forbidField(field, "change.field.signed")
		return nil
	}
	allowed := []pdf.Name{"V", "AP", "AS", "MK"}
	switch {
	case n.inner:
		allowed = []pdf.Name{"Kids"}
	case field.kind == "Ch":
		allowed = append(allowed, "I")
	case field.kind == "Sig":
		allowed = append(allowed, "F", "DA") // what programs set on the field they sign
	}
	if !n.inner && s.isDate(d, "M") {
		allowed = append(allowed, "M") // when the look was changed last; browsers write it with what they fill in
	}
	for _, k := range keys {
		if !contains(allowed, k) {
			s.forbidField(field, "change.field.altered")
			return nil
		}
	}
	if n.inner {
		return s.fieldList(n.dict.Get("Kids"), d.Get("Kids"), "/Kids", before, now)
	}
	if !s.appearance(n, d, contains(keys, "AP"), appearance) {
		return nil
	}
	if field.kind == "Sig" {
		s.signField(field, d, keys, now)
		return nil
	}
	s.fillField(n, field, now)
	return nil
}

// isDate reports whether d has a text under key: a date, which shows nowhere.
func (s *step) isDate(d *pdf.Dict, key pdf.Name) bool {
	_, ok := resolve(s.new, d.Get(key)).(pdf.String)
	return ok
}

func (s *step) gen(num int) int {
	e, _ := s.new.Entry(num)
	return e.Gen
}

func (s *step) forbidField(n *node, key text.Key) {
	s.add(finding{kind: ChangeForm, level: ModificationForbidden, num: n.num, page: s.pageOfWidget(n.num), field: n.name, key: key,
		args: []any{n.name}})
}

// signField judges a change of an empty signature field: it must be signed now.
// A bare widget changes its looks only; the field itself reports the signature.
func (s *step) signField(field *node, d *pdf.Dict, keys []pdf.Name, now map[int]*node) {
	after := now[field.num]
	if after == nil || !after.signed {
		s.forbidField(field, "change.field.empty")
		return
	}
	if contains(keys, "V") {
		s.newValue(field, d.Get("V"), true)
	}
}

// fillField records that a field got a value, once per field and revision.
func (s *step) fillField(n, field *node, now map[int]*node) {
	if s.filled[field.num] {
		return
	}
	s.filled[field.num] = true
	value := ""
	after := now[field.num]
	if after != nil {
		value = valueText(s.new, after.dict)
	}
	f := finding{widget: n.num, before: valueText(s.old, field.dict), now: value,
		kind: ChangeForm, level: ModificationForm, num: field.num, page: s.pageOfWidget(n.num), field: field.name,
		visible: true, firstFill: !field.filled && after != nil && after.filled}
	f.key, f.args = "change.field.filled", []any{field.name, value}
	if !f.firstFill {
		f.key = "change.field.refilled"
		if f.before != "" && f.before != value {
			f.key, f.args = "change.field.replaced", []any{field.name, f.before, value}
		}
	}
	s.add(f)
}

// maxValueShown bounds the characters of a field's value that a message repeats.
const maxValueShown = 80

func valueText(f *pdf.File, d *pdf.Dict) string {
	var v string
	switch o := resolve(f, d.Get("V")).(type) {
	case pdf.String:
		v = o.Text()
	case pdf.Name:
		v = string(o)
	}
	if r := []rune(v); len(r) > maxValueShown {
		v = string(r[:maxValueShown]) + "…"
	}
	return v
}
