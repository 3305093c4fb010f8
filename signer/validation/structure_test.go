package validation_test

import (
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// taggedDocument is a tagged file: tree 20, parent tree 21, document 22, paragraph 23.
func taggedDocument() []byte {
	return padestest.Simple(padestest.Classic, "1.7").
		With(1, "<< /Type /Catalog /Pages 2 0 R /MarkInfo << /Marked true >> /StructTreeRoot 20 0 R >>").
		With(20, "<< /Type /StructTreeRoot /K 22 0 R /ParentTree 21 0 R >>").
		With(21, "<< /Nums [0 [23 0 R]] >>").
		With(22, "<< /Type /StructElem /S /Document /P 20 0 R /K [23 0 R] >>").
		With(23, "<< /Type /StructElem /S /P /P 22 0 R /Pg 3 0 R /K 0 >>").Bytes()
}

// growth is an update that adds an empty signature field, with its place in the structure.
type growth struct {
	f *pdf.File
	u *pdf.Update
	t *testing.T

	widget, element pdf.Ref
	kids, nums      pdf.Array // of the document and the parent tree, as they were
	form            *pdf.Dict // the new element
}

func (b *bench) grow(doc []byte, edit func(g *growth)) []byte {
	b.t.Helper()
	return b.update(doc, func(f *pdf.File, u *pdf.Update) {
		g := &growth{f: f, u: u, t: b.t, widget: u.Reserve(), element: u.Reserve()}
		u.Put(g.widget, pdf.NewDict("FT", pdf.Name("Sig"), "T", pdf.TextString("Sau"), "Type", pdf.Name("Annot"), "Subtype", pdf.Name("Widget"),
			"Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(0), pdf.Int(0)}, "F", pdf.Int(132), "StructParent", pdf.Int(2)))
		b.addField(u, g.widget)
		g.form = pdf.NewDict("Type", pdf.Name("StructElem"), "S", pdf.Name("Form"), "P", pdf.Ref{Num: 22}, "Pg", pdf.Ref{Num: 3},
			"K", pdf.NewDict("Type", pdf.Name("OBJR"), "Obj", g.widget))
		// The first signature grew the structure as well.
		g.kids, _ = dictionary(b.t, f, 22).Get("K").(pdf.Array)
		g.nums, _ = dictionary(b.t, f, 21).Get("Nums").(pdf.Array)
		g.set(20, "ParentTreeNextKey", pdf.Int(3))
		g.set(21, "Nums", with(g.nums, pdf.Int(2), g.element))
		g.set(22, "K", with(g.kids, g.element))
		edit(g)
		u.Put(g.element, g.form)
	})
}

func with(a pdf.Array, more ...pdf.Object) pdf.Array { return append(a[:len(a):len(a)], more...) }

// set changes one key of an object.
func (g *growth) set(num int, key pdf.Name, value pdf.Object) {
	d := dictionary(g.t, g.f, num)
	if o, err := g.u.Load(pdf.Ref{Num: num}); err == nil {
		d = o.(*pdf.Dict)
	}
	d = d.Clone()
	d.Set(key, value)
	g.u.Put(pdf.Ref{Num: num}, d)
}

func TestTheStructureGrowsWithItsWidgetsOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(taggedDocument(), pades.Options{}, as{})
	expect(t, b.judge(b.online(), signed), validation.Valid, "")
	for name, c := range map[string]struct {
		edit  func(g *growth)
		valid bool
	}{
		"an element under the document": {func(*growth) {}, true},
		"an element at the top": {func(g *growth) {
			g.set(22, "K", g.kids)
			g.set(20, "K", pdf.Array{pdf.Ref{Num: 22}, g.element})
			g.form.Set("P", pdf.Ref{Num: 20})
		}, true},
		"a leaf of the parent tree": {func(g *growth) {
			leaf := g.u.Add(pdf.NewDict("Limits", pdf.Array{pdf.Int(2), pdf.Int(2)}, "Nums", pdf.Array{pdf.Int(2), g.element}))
			g.set(21, "Nums", g.nums)
			g.set(21, "Kids", pdf.Array{leaf})
		}, true},
		"the order of tabs": {func(g *growth) { g.set(3, "Tabs", pdf.Name("S")) }, true},

		"the order of tabs by rows":       {func(g *growth) { g.set(3, "Tabs", pdf.Name("R")) }, false},
		"an element of another type":      {func(g *growth) { g.form.Set("S", pdf.Name("P")) }, false},
		"an element with words":           {func(g *growth) { g.form.Set("ActualText", pdf.TextString("x")) }, false},
		"an element for an old object":    {func(g *growth) { g.form.Set("K", pdf.NewDict("Type", pdf.Name("OBJR"), "Obj", pdf.Ref{Num: 4})) }, false},
		"an element for page content":     {func(g *growth) { g.form.Set("K", pdf.Int(0)) }, false},
		"an element under another parent": {func(g *growth) { g.form.Set("P", pdf.Ref{Num: 23}) }, false},
		"an old element retyped":          {func(g *growth) { g.set(23, "S", pdf.Name("H1")) }, false},
		"an old element with other words": {func(g *growth) { g.set(22, "ActualText", pdf.TextString("x")) }, false},
		"an old element removed":          {func(g *growth) { g.set(22, "K", with(g.kids[:1], g.element)) }, false},
		"the order of elements": {func(g *growth) {
			g.set(22, "K", with(pdf.Array{g.kids[1], g.kids[0]}, g.element))
		}, false},
		"an old entry of the parent tree": {func(g *growth) {
			g.set(21, "Nums", with(pdf.Array{pdf.Int(0), pdf.Array{pdf.Ref{Num: 22}}}, append(g.nums[2:], pdf.Int(2), g.element)...))
		}, false},
		"an entry for an old element": {func(g *growth) {
			g.set(21, "Nums", with(g.nums, pdf.Int(2), pdf.Ref{Num: 23}))
		}, false},
		"a role map": {func(g *growth) { g.set(20, "RoleMap", pdf.NewDict("P", pdf.Name("H1"))) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.judge(b.online(), b.grow(signed, c.edit))
			if allowed := r.Verdict != validation.Invalid; allowed != c.valid {
				t.Error(explain(r))
			}
		})
	}
}
