package validation

import (
	"antin/internal/text"
	"antin/signer/pdf"
)

// node is one node of a field tree, a field or a bare widget of one.
type node struct {
	num    int
	dict   *pdf.Dict
	name   string
	kind   pdf.Name // /FT, inherited
	signed bool     // a signature field with a value
	filled bool     // a field with a value, inherited
	widget bool     // a bare widget: what may change is its field's look
	inner  bool     // has fields below it
	parent int
}

// fieldCost is how many values looked at cost about as much as one node of the field tree.
const fieldCost = 30

// fields walks the field tree of f (ISO 32000-2, 12.7.4). Nodes that are not
// objects of their own are left out: they are compared with what holds them.
func (s *step) fields(f *pdf.File) (map[int]*node, error) {
	if nodes, known := s.d.fields[f]; known {
		return nodes, nil
	}
	nodes, err := s.walkFields(f)
	if err != nil {
		return nil, err
	}
	if s.d.fields == nil || len(s.d.fields) > 2 { // the revisions of a step and the one before: forms can be large
		s.d.fields = map[*pdf.File]map[int]*node{}
	}
	s.d.fields[f] = nodes
	return nodes, nil
}

func (s *step) walkFields(f *pdf.File) (map[int]*node, error) {
	nodes := map[int]*node{}
	_, root, err := f.Root()
	if err != nil {
		return nodes, nil //nolint:nilerr // the catalog rule reports it
	}
	form := dictOf(f, root.Get("AcroForm"))
	list, _ := resolve(f, form.Get("Fields")).(pdf.Array)
	for _, o := range list {
		if err := s.visitField(f, o, node{}, nodes, 0); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func (s *step) visitField(f *pdf.File, o pdf.Object, up node, nodes map[int]*node, depth int) error {
	if err := s.d.spend(fieldCost); err != nil {
		return err
	}
	num := refNum(o)
	if depth > maxNesting || len(nodes) > maxFieldNodes {
		return errBudget
	}
	if num == 0 || nodes[num] != nil {
		return nil
	}
	d, _ := resolve(f, o).(*pdf.Dict)
	if d == nil {
		return nil
	}
	n := node{num: num, dict: d, name: up.name, kind: up.kind, filled: up.filled, parent: up.num,
		widget: depth > 0 && d.Get("T") == nil && d.Get("Kids") == nil}
	if t, ok := resolve(f, d.Get("T")).(pdf.String); ok {
		if n.name != "" {
			n.name += "."
		}
		n.name += t.Text()
	}
	if ft, ok := resolve(f, d.Get("FT")).(pdf.Name); ok {
		n.kind = ft
	}
	n.filled = n.filled || resolve(f, d.Get("V")) != nil
	n.signed = n.kind == "Sig" && n.filled
	nodes[num] = &n
	kids, _ := resolve(f, d.Get("Kids")).(pdf.Array)
	for _, k := range kids {
		if kid := dictOf(f, k); kid != nil && (kid.Has("T") || kid.Has("Kids")) {
			n.inner = true
		}
		if err := s.visitField(f, k, n, nodes, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// form compares the interactive forms.
func (s *step) form() error {
	_, oldRoot, errOld := s.old.Root()
	_, newRoot, errNew := s.new.Root()
	if errOld != nil || errNew != nil {
		return nil //nolint:nilerr // the catalog rule reported it
	}
	a, b := oldRoot.Get("AcroForm"), newRoot.Get("AcroForm")
	before, err := s.fields(s.old)
	if err != nil {
		return err
	}
	now, err := s.fields(s.new)
	if err != nil {
		return err
	}
	o, n := dictOf(s.old, a), dictOf(s.new, b)
	if n != nil {
		if err := s.formDictionary(o, n, b, before, now); err != nil {
			return err
		}
	}
	owners := s.appearanceOwners()
	for _, num := range sortedKeys(before) {
		node := before[num]
		if !s.changed[num] && owners[num] == nil {
			continue
		}
		if err := s.field(node, before, now, owners[num]); err != nil {
			return err
		}
	}
	return nil
}

// formDictionary compares the AcroForm dictionaries.
func (s *step) formDictionary(o, n *pdf.Dict, ref pdf.Object, before, now map[int]*node) error {
	s.handle(ref)
	keys, err := s.changedKeys(o, n)
	if err != nil {
		return err
	}
	for _, k := range keys {
		switch k {
		case "Fields":
			continue // judged below, also where only the array's object changed
		case "SigFlags":
			if s.gainsBits(o.Get(k), n.Get(k)) {
				continue
			}
		case "DA":
			// An empty default appearance or empty resources say nothing; some
			// programs add them with every signature.
			if v, ok := resolve(s.new, n.Get(k)).(pdf.String); ok && len(v.Value) == 0 && o.Get(k) == nil {
				continue
			}
		case "DR":
			continue // judged below
		case "NeedAppearances":
			// A program that lacks the letters of a value asks viewers to draw it.
			if wanted, ok := resolve(s.new, n.Get(k)).(pdf.Bool); ok && bool(wanted) && fillsFirst(before, now) {
				continue
			}
			back, err := s.takesBack(k, n.Get(k), before)
			if err != nil {
				return err
			}
			if back {
				continue
			}
		}
		s.forbid(refNum(ref), ChangeForm, "change.form", string(k))
	}
	if err := s.resources(o.Get("DR"), n.Get("DR"), refNum(ref), signs(before, now)); err != nil {
		return err
	}
	return s.fieldList(o.Get("Fields"), n.Get("Fields"), "/Fields", before, now)
}

// fillsFirst reports whether a text or choice field has a value now, and none had one
// before: where one had, a viewer that draws values anew could show another look
// than the one signed.
func fillsFirst(before, now map[int]*node) bool {
	for _, n := range before {
		if n.filled && (n.kind == "Tx" || n.kind == "Ch") {
			return false
		}
	}
	for num, n := range now {
		if n.filled && (n.kind == "Tx" || n.kind == "Ch") && before[num] != nil {
			return true
		}
	}
	return false
}

// takesBack reports whether the form's entry k is again what it was before the older
// revision, which nobody signed, changed it: some programs take the request for
// looks back when they sign.
func (s *step) takesBack(k pdf.Name, now pdf.Object, before map[int]*node) (bool, error) {
	if s.after <= s.d.first || s.d.files[s.after-1] == nil {
		return false, nil
	}
	older := s.d.files[s.after-1]
	_, root, err := older.Root()
	if err != nil {
		return false, nil //nolint:nilerr // the catalog rule reports it
	}
	fields, err := s.fields(older)
	if err != nil {
		return false, err
	}
	asked := func(f *pdf.File, o pdf.Object) bool { b, _ := resolve(f, o).(pdf.Bool); return bool(b) }
	return !signs(fields, before) && asked(older, dictOf(older, root.Get("AcroForm")).Get(k)) == asked(s.new, now), nil
}

// signs reports whether a field is signed now that was not.
func signs(before, now map[int]*node) bool {
	for num, n := range now {
		if n.signed && (before[num] == nil || !before[num].signed) {
			return true
		}
	}
	return false
}

// resources compares the resources of the form: a signature may bring fonts
// along, and empty resources say nothing.
func (s *step) resources(a, b pdf.Object, form int, signing bool) error {
	o, n := dictOf(s.old, a), dictOf(s.new, b)
	if n.Len() == 0 && o.Len() == 0 {
		return nil
	}
	p := &place{anchors: []location{{form, "/DR"}, {refNum(s.new.Trailer().Get("Root")), "/AcroForm/DR"}}, objects: map[int]bool{}}
	s.claim(p, b)
	keys, err := s.changedKeys(o, n)
	if err != nil {
		return err
	}
	if font := n.Get("Font"); s.touched(font) && !contains(keys, "Font") {
		keys = append(keys, "Font")
	}
	for _, k := range keys {
		more, err := s.changedKeys(dictOf(s.old, o.Get(k)), dictOf(s.new, n.Get(k)))
		if err != nil {
			return err
		}
		s.claim(p, n.Get(k))
		for _, name := range more {
			if k != "Font" || !signing || dictOf(s.old, o.Get(k)).Has(name) {
				s.forbid(form, ChangeForm, "change.form", "DR")
				return nil
			}
		}
	}
	s.onlyWithin(p)
	return nil
}

func (s *step) gainsBits(a, b pdf.Object) bool {
	x, _ := resolve(s.old, a).(pdf.Number)
	y, ok := resolve(s.new, b).(pdf.Number)
	p, okX := x.Int64()
	q, okY := y.Int64()
	return ok && okX && okY && p&q == p
}

// fieldList compares a list of fields, /Fields or the /Kids of a field: every
// old entry stays in its order, and what is added are signature fields.
func (s *step) fieldList(a, b pdf.Object, path string, before, now map[int]*node) error {
	x, _ := resolve(s.old, a).(pdf.Array)
	y, _ := resolve(s.new, b).(pdf.Array)
	s.handle(b)
	added, ok, err := s.appended(x, y)
	if err != nil {
		return err
	}
	if !ok {
		s.forbid(refNum(b), ChangeForm, "change.form", "Fields")
		return nil
	}
	if s.touched(b) && s.usedElsewhere(refNum(b), func(l location) bool {
		return l.path == "/AcroForm"+path || l.path == path || (l.path == "/Annots" && s.d.pages[l.holder] > 0)
	}) {
		s.forbidObject(refNum(b))
	}
	for _, e := range added {
		s.newField(e, before, now)
	}
	return nil
}

// appended returns the entries of y that are not of x; ok is false unless those
// of x all stand in y, in their order.
func (s *step) appended(x, y pdf.Array) (added []pdf.Object, ok bool, err error) {
	i := 0
	for _, e := range y {
		if i < len(x) {
			same, err := s.equal(x[i], e)
			if err != nil {
				return nil, false, err
			}
			if same {
				i++
				continue
			}
		}
		added = append(added, e)
	}
	return added, i == len(x), nil
}

// newField judges a field that the older revision did not have: only a signature
// field, with a new value or with none and nothing to see.
func (s *step) newField(o pdf.Object, before, now map[int]*node) {
	num := refNum(o)
	n := now[num]
	refuse := func(key text.Key) {
		s.handled[num] = true
		name := ""
		if n != nil {
			name = n.name
		}
		s.add(finding{kind: ChangeForm, level: ModificationForbidden, num: num, page: s.pageOfWidget(num), field: name, key: key,
			args: []any{name}})
	}
	if num == 0 || n == nil || !s.added[num] {
		refuse("change.field.reused")
		return
	}
	s.handled[num] = true
	if n.inner && s.newBranch(n, before, now) {
		return
	}
	if n.kind != "Sig" || n.dict.Has("A") || n.dict.Has("AA") || n.inner {
		refuse("change.field.added")
		return
	}
	for _, other := range before {
		if other.name == n.name && !other.widget {
			refuse("change.field.twin")
			return
		}
	}
	widget := 0
	if n.dict.Get("Subtype") == pdf.Name("Widget") {
		s.newWidgets[num] = true
		widget = num
	}
	kids, _ := resolve(s.new, n.dict.Get("Kids")).(pdf.Array)
	for _, k := range kids {
		d := dictOf(s.new, k)
		if !s.added[refNum(k)] || d == nil || d.Has("A") || d.Has("AA") {
			refuse("change.field.reused")
			return
		}
		s.handle(k)
		s.newWidgets[refNum(k)] = true
		if widget == 0 {
			widget = refNum(k)
		}
	}
	if !n.signed {
		if s.shows(n.dict) {
			refuse("change.field.empty")
			return
		}
		s.add(finding{kind: ChangeSignature, level: ModificationForm, num: num, page: s.pageOfWidget(num), field: n.name, widget: widget,
			key: "change.field.prepared", args: []any{n.name}})
		return
	}
	s.newValue(n, n.dict.Get("V"), false)
}

// shows reports whether a widget without a signature has something to show.
func (s *step) shows(d *pdf.Dict) bool {
	rect, _ := resolve(s.new, d.Get("Rect")).(pdf.Array)
	if len(rect) != 4 {
		return false
	}
	var v [4]float64
	for i := range rect {
		n, _ := resolve(s.new, rect[i]).(pdf.Number)
		v[i] = n.Float64()
	}
	return v[0] != v[2] && v[1] != v[3] && dictOf(s.new, d.Get("AP")).Len() > 0
}

// newValue judges the signature value put into a field: a signature dictionary
// that did not exist before. Whether it is intact is judged as a signature.
func (s *step) newValue(n *node, v pdf.Object, existing bool) {
	num := refNum(v)
	d, _ := resolve(s.new, v).(*pdf.Dict)
	if d == nil || !s.added[num] || !d.Has("ByteRange") || !d.Has("Contents") {
		s.add(finding{kind: ChangeSignature, level: ModificationForbidden, num: n.num, page: s.pageOfWidget(n.num), field: n.name,
			key: "change.signature.reused", args: []any{n.name}})
		return
	}
	s.handled[num] = true
	f := finding{kind: ChangeSignature, level: ModificationForm, num: n.num, page: s.pageOfWidget(n.num), field: n.name,
		widget: s.widgetOf(n), signing: existing, key: "change.signature.added", args: []any{n.name}}
	if d.Get("Type") == pdf.Name("DocTimeStamp") || d.Get("SubFilter") == pdf.Name("ETSI.RFC3161") {
		f.level, f.signing, f.key = ModificationEvidence, false, "change.timestamp.added"
	}
	s.add(f)
}

// widgetOf is the object that shows a field in the newer revision, 0 for none.
func (s *step) widgetOf(n *node) int {
	d, _ := load(s.new, n.num)
	w, _ := d.(*pdf.Dict)
	if w.Get("Subtype") == pdf.Name("Widget") {
		return n.num
	}
	kids, _ := resolve(s.new, w.Get("Kids")).(pdf.Array)
	for _, k := range kids {
		if dictOf(s.new, k).Get("Subtype") == pdf.Name("Widget") {
			return refNum(k)
		}
	}
	return 0
}

// pageOfWidget is the page of a field's widget, 0 when none is known.
func (s *step) pageOfWidget(num int) int {
	if n := s.page(num); n > 0 {
		return n
	}
	d, _ := load(s.new, num)
	w, _ := d.(*pdf.Dict)
	if w == nil {
		return 0
	}
	if n := s.d.pages[refNum(w.Get("P"))]; n > 0 {
		return n
	}
	kids, _ := resolve(s.new, w.Get("Kids")).(pdf.Array)
	if len(kids) > 0 {
		if k := dictOf(s.new, kids[0]); k != nil {
			return s.d.pages[refNum(k.Get("P"))]
		}
	}
	return 0
}
