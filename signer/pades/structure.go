package pades

import (
	"antin/internal/text"
	"antin/signer/pdf"
)

// maxTreeDepth bounds the number tree that is looked through for the highest key;
// a balanced one of a million entries has four levels.
const maxTreeDepth = 32

// writeStructure gives a new widget its place in the structure of a tagged file:
// one element of type Form at the end of the tree, which refers to the widget, and
// an entry in the parent tree, which leads back (ISO 32000-2, 14.7.5). Everything
// that was there stays as it is. It sets /StructParent of field and reports whether
// the structure grew.
//
// Once a signature exists the structure is left alone: other validators know no
// rule for its growth and would call the earlier signature broken. See untagged.
func (w *writer) writeStructure(field *pdf.Dict, ref pdf.Ref) bool {
	if w.page.IsZero() || !w.form.tagged(w.root) || w.form.anySigned() {
		return false
	}
	rootRef, isRef := w.root.Get("StructTreeRoot").(pdf.Ref)
	old := w.form.dict(w.root.Get("StructTreeRoot"))
	if !isRef || old == nil {
		return false
	}
	tree := old.Clone()
	key, ok := w.nextKey(tree)
	if !ok {
		return false
	}
	parent, kids := w.structureParent(rootRef, tree)
	element := w.update.Add(pdf.NewDict(
		pdf.Name("Type"), pdf.Name("StructElem"),
		pdf.Name("S"), pdf.Name("Form"),
		pdf.Name("P"), parent,
		pdf.Name("Pg"), w.page,
		pdf.Name("K"), pdf.NewDict(
			pdf.Name("Type"), pdf.Name("OBJR"),
			pdf.Name("Pg"), w.page,
			pdf.Name("Obj"), ref),
	))
	kids(element)
	w.growParentTree(tree, key, element)
	tree.Set("ParentTreeNextKey", pdf.Int(key+1))
	w.update.Put(rootRef, tree)
	field.Set("StructParent", pdf.Int(key))
	field.Set("TU", pdf.TextString(text.Get("sign.field-title", w.name).In(text.VI)))
	return true
}

// untagged reports whether a new field would have no place in the structure of a
// tagged file, since that is signed already.
func (p *plan) untagged(root *pdf.Dict) bool {
	return p.target == nil && p.form.tagged(root) && p.form.anySigned()
}

// checkAccessible refuses a new visible field in a signed file that claims PDF/UA, where
// every widget on the page stands in the structure (ISO 14289-1, 7.18.4): either the
// claim would be untrue, or other validators would call the earlier signature broken.
func (p *plan) checkAccessible() error {
	_, root, err := p.form.file.Root()
	if err != nil || !p.visible() || !p.untagged(root) || p.form.claimedPart(root, pdfuaNamespace) == "" {
		return err
	}
	return text.Detailed(text.InvalidInput, nil, "sign.pdfua-field").WithNext("sign.pdfua-field-next")
}

// visible reports whether a new field takes room on its page.
func (o *Options) visible() bool { return o.Rect[2] > o.Rect[0] && o.Rect[3] > o.Rect[1] }

// invisibleRect is where a field without size lies: at the origin, and in a signed
// tagged file at the corner of what the page shows, where that is not beyond it:
// annotations outside it need no place in the structure (ISO 14289-1, 7.18.1).
func (w *writer) invisibleRect(page *pdf.Dict) [4]float64 {
	if !w.untagged(w.root) {
		return [4]float64{}
	}
	for _, key := range []pdf.Name{"CropBox", "MediaBox"} {
		o, err := w.form.file.Inherited(page, key)
		if err != nil || o == nil {
			continue
		}
		if box := w.form.rect(o); box[0] < 0 && box[1] < 0 && box[2] > 0 && box[3] > 0 {
			return [4]float64{box[0], box[1], box[0], box[1]}
		}
		break
	}
	return [4]float64{}
}

func (m *form) anySigned() bool {
	for i := range m.signatures {
		if m.signatures[i].Signed() {
			return true
		}
	}
	return false
}

// structureParent says under which object a new element goes, and how it is put
// there: under the one Document that holds everything, else at the top.
func (w *writer) structureParent(rootRef pdf.Ref, tree *pdf.Dict) (pdf.Ref, func(pdf.Ref)) {
	top := func(e pdf.Ref) { _ = w.appendKid(tree, e) } // the tree's root is written in any case
	k := tree.Get("K")
	if a := w.form.array(k); len(a) == 1 {
		k = a[0]
	}
	ref, isRef := k.(pdf.Ref)
	document := w.form.dict(k)
	if !isRef || document == nil || w.form.name(document.Get("S")) != "Document" {
		return rootRef, top
	}
	return ref, func(e pdf.Ref) {
		document = document.Clone()
		if w.appendKid(document, e) {
			w.update.Put(ref, document)
		}
	}
}

// appendKid adds e to /K of d, where that lives: its own object, or d. It reports
// whether d changed.
func (w *writer) appendKid(d *pdf.Dict, e pdf.Ref) bool {
	switch k := w.form.resolve(d.Get("K")).(type) {
	case nil:
		d.Set("K", e)
	case pdf.Array:
		grown := append(append(make(pdf.Array, 0, len(k)+1), k...), e)
		if at, indirect := d.Get("K").(pdf.Ref); indirect {
			w.update.Put(at, grown)
			return false
		}
		d.Set("K", grown)
	default:
		d.Set("K", pdf.Array{d.Get("K"), e})
	}
	return true
}

// nextKey is a key that the parent tree does not use; ok is false when the tree
// cannot be read.
func (w *writer) nextKey(tree *pdf.Dict) (key int64, ok bool) {
	parents := w.form.dict(tree.Get("ParentTree"))
	if parents == nil {
		return max(0, w.form.integer(tree.Get("ParentTreeNextKey"))), true
	}
	highest, ok := w.highestKey(parents, 0)
	return max(highest+1, w.form.integer(tree.Get("ParentTreeNextKey"))), ok
}

// highestKey finds the highest key below a node of a number tree: its last leaf's last.
func (w *writer) highestKey(node *pdf.Dict, depth int) (int64, bool) {
	if depth > maxTreeDepth {
		return 0, false
	}
	highest := int64(-1)
	if nums := w.form.array(node.Get("Nums")); len(nums) > 0 {
		if len(nums)%2 != 0 {
			return 0, false
		}
		highest = w.form.integer(nums[len(nums)-2])
	}
	if limits := w.form.array(node.Get("Limits")); len(limits) == 2 {
		highest = max(highest, w.form.integer(limits[1]))
	}
	kids := w.form.array(node.Get("Kids"))
	if len(kids) == 0 {
		return highest, true
	}
	last := w.form.dict(kids[len(kids)-1])
	if last == nil {
		return 0, false
	}
	below, ok := w.highestKey(last, depth+1)
	return max(highest, below), ok
}

// growParentTree adds key → element at the end of the parent tree. A tree with
// branches gets a leaf of its own, so that no old node changes but the top.
func (w *writer) growParentTree(tree *pdf.Dict, key int64, element pdf.Ref) {
	pair := pdf.Array{pdf.Int(key), element}
	old := w.form.dict(tree.Get("ParentTree"))
	if old == nil {
		tree.Set("ParentTree", w.update.Add(pdf.NewDict(pdf.Name("Nums"), pair)))
		return
	}
	grow := func(holder *pdf.Dict, name pdf.Name, more ...pdf.Object) {
		list := w.form.array(holder.Get(name))
		holder.Set(name, append(append(make(pdf.Array, 0, len(list)+len(more)), list...), more...))
	}
	parents := old.Clone()
	if len(w.form.array(old.Get("Kids"))) > 0 {
		leaf := pdf.NewDict(pdf.Name("Limits"), pdf.Array{pdf.Int(key), pdf.Int(key)}, pdf.Name("Nums"), pair)
		grow(parents, "Kids", w.update.Add(leaf))
	} else {
		grow(parents, "Nums", pair...)
	}
	if ref, indirect := tree.Get("ParentTree").(pdf.Ref); indirect {
		w.update.Put(ref, parents)
		return
	}
	tree.Set("ParentTree", parents)
}
