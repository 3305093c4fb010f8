package pades

import (
	"slices"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf"
)

// branch is where a new field hangs in the field tree: below an existing node, or
// at the top, with the names of nodes still to be made in between.
type branch struct {
	// parent is the existing node; zero at the top.
	parent pdf.Ref
	dict   *pdf.Dict
	// between are the partial names of new nodes, outermost first; last is the
	// field's own.
	between []string
	last    string
}

// findBranch finds the place of a new field named p.name: the deepest nodes of the
// tree that exist already are used (ISO 32000-2, 12.7.4.2). Where the name, or a
// part of it, belongs to something that is no branch, the answer is an error.
func (p *plan) findBranch() error {
	parts := strings.Split(p.name, ".")
	refuse := func() error { return text.Detailed(text.InvalidInput, nil, "sign.name-taken", p.name) }
	if len(parts) > maxFieldDepth || len(p.name) > maxNameLength || slices.Contains(parts, "") {
		return refuse()
	}
	b := branch{last: parts[len(parts)-1]}
	_, root, err := p.form.file.Root()
	if err != nil {
		return err
	}
	kids := p.form.array(p.form.dictOrEmpty(root.Get("AcroForm")).Get("Fields"))
	for i, part := range parts {
		ref, node, several := p.form.named(kids, part)
		if several || (node != nil && i == len(parts)-1) {
			return refuse()
		}
		if node == nil {
			b.between = parts[i : len(parts)-1]
			break
		}
		if ref.IsZero() || !p.form.isBranch(node) {
			return refuse()
		}
		b.parent, b.dict = ref, node
		kids = p.form.array(node.Get("Kids"))
	}
	if p.form.taken(p.name) {
		return refuse()
	}
	p.branch = b
	return nil
}

func (m *form) dictOrEmpty(o pdf.Object) *pdf.Dict {
	if d := m.dict(o); d != nil {
		return d
	}
	return pdf.NewDict()
}

// named finds the node of that partial name in a list; several says that more
// than one has it, so that the name means nothing.
func (m *form) named(kids pdf.Array, name string) (ref pdf.Ref, node *pdf.Dict, several bool) {
	for i, o := range kids {
		if i > maxFields {
			return ref, node, true
		}
		d := m.dict(o)
		if d == nil || d.Get("T") == nil || m.textOf(d.Get("T")) != name {
			continue
		}
		if node != nil {
			return ref, node, true
		}
		ref, _ = o.(pdf.Ref)
		node = d
	}
	return ref, node, false
}

// isBranch reports whether a node only groups fields: it has no widget and no
// value of its own, and what hangs below it are fields.
func (m *form) isBranch(d *pdf.Dict) bool {
	if m.name(d.Get("Subtype")) == "Widget" || d.Get("V") != nil {
		return false
	}
	if ft := m.name(d.Get("FT")); ft != "" && ft != "Sig" {
		return false // a signature below would inherit another type's ways
	}
	for _, k := range m.array(d.Get("Kids")) {
		if kid := m.dict(k); kid == nil || kid.Get("T") == nil {
			return false
		}
	}
	return true
}

// hang puts the new field, already reserved as ref, into the tree and returns the
// object that belongs into the form's own list; zero when it hangs below an
// existing node.
func (w *writer) hang(field *pdf.Dict, ref pdf.Ref) (top pdf.Ref) {
	top = ref
	child := field
	b := w.branch
	for i := len(b.between) - 1; i >= 0; i-- {
		node := pdf.NewDict(pdf.Name("T"), pdf.TextString(b.between[i]), pdf.Name("Kids"), pdf.Array{top})
		at := w.update.Add(node)
		child.Set("Parent", at)
		child, top = node, at
	}
	if b.parent.IsZero() {
		return top
	}
	child.Set("Parent", b.parent)
	kids := w.form.array(b.dict.Get("Kids"))
	grown := append(append(make(pdf.Array, 0, len(kids)+1), kids...), top)
	if at, indirect := b.dict.Get("Kids").(pdf.Ref); indirect {
		w.update.Put(at, grown)
		return pdf.Ref{}
	}
	parent := b.dict.Clone()
	parent.Set("Kids", grown)
	w.update.Put(b.parent, parent)
	return pdf.Ref{}
}
