package pades

import (
	"errors"

	"antin/internal/text"
	"antin/signer/pdf"
)

const (
	// maxFieldDepth bounds the field tree: real forms stay below ten levels, a
	// hostile one would otherwise choose our stack depth.
	maxFieldDepth = 64
	// maxFields bounds the nodes visited, since every node costs a parse.
	maxFields = 100_000
	// maxAnnotations bounds the annotations looked at on all pages together.
	maxAnnotations = 500_000
	// maxNameLength bounds a fully qualified field name in bytes, so that deep
	// trees of long names do not grow quadratically.
	maxNameLength = 4096
)

// Signatures lists every signature field, signed or empty, and every signature
// value that f holds: those reached from AcroForm /Fields in that order, then
// those that only a page's /Annots show, then those that only catalog /Perms
// names. A damaged one is listed with its Problems, never skipped. The error is
// about the file: its catalog cannot be read, or a limit is exceeded.
func Signatures(f *pdf.File) ([]Signature, error) {
	form, err := readForm(f)
	if err != nil {
		return nil, err
	}
	return form.signatures, nil
}

// field is one terminal field of the interactive form.
type field struct {
	name    string
	ref     pdf.Ref
	dict    *pdf.Dict
	kind    pdf.Name // /FT, inherited
	value   pdf.Object
	widgets []pdf.Ref
	broken  bool // cycle or depth above it
}

// form is what the file says about its fields and signatures.
type form struct {
	file       *pdf.File
	fields     []field
	signatures []Signature

	byField map[pdf.Ref]int // index into signatures of a field or widget object
	visited map[pdf.Ref]bool
	nodes   int
	annots  int
}

// inherited is what a node of the field tree takes from those above it.
type inherited struct {
	name  string
	kind  pdf.Name
	value pdf.Object
	depth int
}

func readForm(f *pdf.File) (*form, error) {
	_, root, err := f.Root()
	if err != nil {
		return nil, err
	}
	m := &form{file: f, byField: map[pdf.Ref]int{}, visited: map[pdf.Ref]bool{}}
	acroForm := m.dict(root.Get("AcroForm"))
	if acroForm != nil {
		for _, o := range m.array(acroForm.Get("Fields")) {
			m.walk(o, inherited{})
		}
	}
	broken := map[pdf.Ref]bool{}
	for _, fl := range m.fields {
		broken[fl.ref] = broken[fl.ref] || (fl.broken && fl.ref != pdf.Ref{})
	}
	for _, fl := range m.fields {
		if fl.kind == "Sig" {
			fl.broken = fl.broken || broken[fl.ref] // reached again as something else
			m.addField(fl, false)
		}
	}
	if err := m.readPages(); err != nil {
		return nil, err
	}
	m.readPerms(m.dict(root.Get("Perms")))
	m.flagShared()
	if m.nodes > maxFields || m.annots > maxAnnotations {
		return nil, text.Errorf(text.LimitExceeded, errors.New("too many form fields or annotations"))
	}
	return m, nil
}

// walk visits one node of the field tree (ISO 32000-2, 12.7.4).
func (m *form) walk(o pdf.Object, up inherited) {
	m.nodes++
	if m.nodes > maxFields {
		return
	}
	ref, _ := o.(pdf.Ref)
	broken := up.depth > maxFieldDepth || (ref != pdf.Ref{} && m.visited[ref])
	if broken {
		m.breakField(ref, m.dict(o), up)
		return
	}
	if ref != (pdf.Ref{}) {
		m.visited[ref] = true
	}
	d := m.dict(o)
	if d == nil {
		return
	}
	here := m.inherit(d, up)
	var widgets []pdf.Ref
	fieldKids := false
	for _, k := range m.array(d.Get("Kids")) {
		kid := m.dict(k)
		kidRef, _ := k.(pdf.Ref)
		switch {
		case kid != nil && (kid.Get("T") != nil || kid.Get("Kids") != nil):
			fieldKids = true
			m.walk(k, here)
		case kid != nil && kid.Get("V") != nil:
			// A bare widget with a value of its own: nothing allows it, so it is
			// shown as a field by itself for the validator to see.
			m.walk(k, here)
		default:
			m.nodes++
			m.visited[kidRef] = true
			widgets = append(widgets, kidRef)
		}
	}
	if fieldKids && d.Get("V") == nil && len(widgets) == 0 {
		return
	}
	if m.name(d.Get("Subtype")) == "Widget" {
		widgets = append([]pdf.Ref{ref}, widgets...)
	}
	m.fields = append(m.fields, field{name: here.name, ref: ref, dict: d, kind: here.kind, value: here.value, widgets: widgets})
}

// breakField records a node that the tree reaches twice or too deep down. One of
// no stated kind might be a signature; one of another kind is none.
func (m *form) breakField(ref pdf.Ref, d *pdf.Dict, up inherited) {
	kind := up.kind
	if ft := m.name(d.Get("FT")); ft != "" {
		kind = ft
	}
	if kind == "" {
		kind = "Sig"
	}
	m.fields = append(m.fields, field{name: up.name, ref: ref, dict: d, kind: kind, value: up.value, broken: true})
}

func (m *form) inherit(d *pdf.Dict, up inherited) inherited {
	here := inherited{name: up.name, kind: up.kind, value: up.value, depth: up.depth + 1}
	if t, ok := m.resolve(d.Get("T")).(pdf.String); ok {
		name := t.Text()
		if here.name != "" {
			name = here.name + "." + name
		}
		here.name = name[:min(len(name), maxNameLength)]
	}
	if ft := m.name(d.Get("FT")); ft != "" {
		here.kind = ft
	}
	if v := d.Get("V"); v != nil {
		here.value = v
	}
	return here
}

func (m *form) readPerms(perms *pdf.Dict) {
	if perms == nil {
		return
	}
	for _, key := range []pdf.Name{"DocMDP", "UR3", "UR"} {
		o := perms.Get(key)
		if o == nil {
			continue
		}
		ref, _ := o.(pdf.Ref)
		known := false
		for i := range m.signatures {
			s := &m.signatures[i]
			if ref != (pdf.Ref{}) && s.ValueRef == ref {
				s.Perms, known = string(key), true
				s.Certification = s.Certification || key == "DocMDP"
			}
		}
		if known || m.dict(o) == nil {
			continue
		}
		s := Signature{Perms: string(key), Certification: key == "DocMDP"}
		m.readValue(&s, o)
		s.add(ProblemNoField)
		m.signatures = append(m.signatures, s)
	}
}

// flagShared marks values used by two fields and names used by two fields.
func (m *form) flagShared() {
	values, names := map[pdf.Ref]int{}, map[string]int{}
	for _, s := range m.signatures {
		if s.ValueRef != (pdf.Ref{}) {
			values[s.ValueRef]++
		}
		if s.FieldDict != nil {
			names[s.Field]++
		}
	}
	for i := range m.signatures {
		s := &m.signatures[i]
		if values[s.ValueRef] > 1 {
			s.add(ProblemValueShared)
		}
		if s.FieldDict != nil && names[s.Field] > 1 {
			s.add(ProblemNameShared)
		}
	}
}

// The tolerant readers below turn anything unreadable into nothing: discovery
// goes on, and what is missing is reported where it matters.

func (m *form) resolve(o pdf.Object) pdf.Object {
	r, err := m.file.Resolve(o)
	if err != nil {
		return nil
	}
	if _, null := r.(pdf.Null); null {
		return nil
	}
	return r
}

func (m *form) dict(o pdf.Object) *pdf.Dict {
	d, _ := m.resolve(o).(*pdf.Dict)
	return d
}

func (m *form) array(o pdf.Object) pdf.Array {
	a, _ := m.resolve(o).(pdf.Array)
	return a
}

func (m *form) name(o pdf.Object) pdf.Name {
	n, _ := m.resolve(o).(pdf.Name)
	return n
}
