package attacktest

import (
	"slices"

	"antin/signer/pdf"
)

// danglings define what the signed document refers to and does not hold: nothing of the
// old objects is touched, and yet the page shows something else.
func danglings() []Attack {
	return []Attack{
		{Name: "a dangling reference that comes to life", Class: "shadow", make: func(t *target) ([]byte, error) {
			return t.define(func(u *pdf.Update) pdf.Object { return black() })
		}},
		{Name: "a dangling reference that becomes a reference", Class: "shadow", make: func(t *target) ([]byte, error) {
			return t.define(func(u *pdf.Update) pdf.Object { return u.Add(black()) })
		}},
		{Name: "a dangling reference that becomes an annotation", Class: "shadow", make: func(t *target) ([]byte, error) {
			return t.define(func(u *pdf.Update) pdf.Object {
				return pdf.NewDict("Type", pdf.Name("Annot"), "Subtype", pdf.Name("Stamp"), "Rect", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(500), pdf.Int(700)},
					"AP", pdf.NewDict("N", u.Add(shown())))
			})
		}},
	}
}

// define gives the lowest number that something refers to and nothing defines an object.
func (t *target) define(make func(u *pdf.Update) pdf.Object) ([]byte, error) {
	num := t.undefined()
	if num == 0 {
		return nil, errNotHere
	}
	return t.update(func(u *pdf.Update) error {
		u.Put(pdf.Ref{Num: num}, make(u))
		return nil
	})
}

// undefined is such a number, 0 where there is none. It looks at what the first page and
// the catalog hold, and one object further.
func (t *target) undefined() int {
	_, root, err := t.file.Root()
	if err != nil {
		return 0
	}
	_, page, err := t.file.Page(1)
	if err != nil {
		return 0
	}
	var all []int
	for _, ref := range append(references(root, 0), references(page, 0)...) {
		all = append(all, ref.Num)
		o, err := t.file.Resolve(ref)
		if err != nil {
			continue
		}
		for _, next := range references(o, 0) {
			all = append(all, next.Num)
		}
	}
	slices.Sort(all)
	for _, num := range all {
		if e, ok := t.file.Entry(num); num > 0 && (!ok || e.Free && e.Gen == 0) {
			return num
		}
	}
	return 0
}

// references lists the references in o itself.
func references(o pdf.Object, depth int) []pdf.Ref {
	const deepest = 20
	if depth > deepest {
		return nil
	}
	var list []pdf.Ref
	switch v := o.(type) {
	case pdf.Ref:
		return []pdf.Ref{v}
	case pdf.Array:
		for _, e := range v {
			list = append(list, references(e, depth+1)...)
		}
	case *pdf.Stream:
		return references(v.Dict, depth)
	case *pdf.Dict:
		for _, k := range v.Keys() {
			list = append(list, references(v.Get(k), depth+1)...)
		}
	}
	return list
}
