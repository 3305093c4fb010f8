package attacktest

import (
	"antin/signer/pdf"
)

// layers hide or show parts of what was signed by optional content (ISO 32000-2, 8.11).
func layers() []Attack {
	group := func(name string, edit func(d *pdf.Dict)) Attack {
		return Attack{Name: name, Class: "shadow", make: func(t *target) ([]byte, error) { return t.layer("OCG", edit) }}
	}
	membership := func(name string, edit func(d *pdf.Dict)) Attack {
		return Attack{Name: name, Class: "shadow", make: func(t *target) ([]byte, error) { return t.layer("OCMD", edit) }}
	}
	config := func(name string, edit func(t *target, d, properties *pdf.Dict)) Attack {
		return Attack{Name: name, Class: "shadow", make: func(t *target) ([]byte, error) { return t.configure(edit) }}
	}
	return []Attack{
		group("a layer that shows in print alone", func(d *pdf.Dict) {
			d.Set("Usage", pdf.NewDict("Print", pdf.NewDict("PrintState", pdf.Name("OFF")), "View", pdf.NewDict("ViewState", pdf.Name("ON"))))
		}),
		group("a layer for one zoom", func(d *pdf.Dict) {
			d.Set("Usage", pdf.NewDict("Zoom", pdf.NewDict("min", pdf.Int(8))))
		}),
		group("a layer for one language", func(d *pdf.Dict) {
			d.Set("Usage", pdf.NewDict("Language", pdf.NewDict("Lang", pdf.TextString("vi"), "Preferred", pdf.Name("ON"))))
		}),
		group("a layer of another intent", func(d *pdf.Dict) { d.Set("Intent", pdf.Name("Design")) }),
		group("a layer made a membership", func(d *pdf.Dict) { d.Set("Type", pdf.Name("OCMD")); d.Set("P", pdf.Name("AllOff")) }),
		membership("a membership of the other policy", func(d *pdf.Dict) { d.Set("P", pdf.Name("AllOff")); d.Delete("VE") }),
		membership("a membership without its groups", func(d *pdf.Dict) { d.Set("OCGs", pdf.Array{}); d.Delete("VE") }),
		membership("a membership with an expression", func(d *pdf.Dict) {
			groups := d.Get("OCGs")
			if list, ok := groups.(pdf.Array); ok && len(list) > 0 {
				groups = list[0]
			}
			d.Set("VE", pdf.Array{pdf.Name("Not"), groups})
		}),
		config("all layers off by default", func(_ *target, d, _ *pdf.Dict) { d.Set("BaseState", pdf.Name("OFF")); d.Delete("ON") }),
		config("layers switched by the event of printing", func(_ *target, d, p *pdf.Dict) {
			d.Set("AS", pdf.Array{pdf.NewDict("Event", pdf.Name("Print"), "OCGs", p.Get("OCGs"), "Category", pdf.Array{pdf.Name("Print")})})
		}),
		config("layers switched by the event of viewing", func(_ *target, d, p *pdf.Dict) {
			d.Set("AS", pdf.Array{pdf.NewDict("Event", pdf.Name("View"), "OCGs", p.Get("OCGs"), "Category", pdf.Array{pdf.Name("Zoom"), pdf.Name("View")})})
		}),
		config("layers that exclude each other", func(_ *target, d, p *pdf.Dict) { d.Set("RBGroups", pdf.Array{p.Get("OCGs")}) }),
		config("layers that cannot be switched back", func(_ *target, d, p *pdf.Dict) { d.Set("OFF", p.Get("OCGs")); d.Set("Locked", p.Get("OCGs")) }),
		config("layers of another intent alone", func(_ *target, d, _ *pdf.Dict) { d.Set("Intent", pdf.Name("Design")) }),
		{Name: "a second configuration of layers", Class: "shadow", make: func(t *target) ([]byte, error) {
			return t.configure(func(_ *target, _, p *pdf.Dict) {
				p.Set("Configs", pdf.Array{pdf.NewDict("Name", pdf.TextString("In"), "OFF", p.Get("OCGs"))})
			})
		}},
		{Name: "the page's content put on a layer", Class: "shadow", make: func(t *target) ([]byte, error) {
			return t.catalog(func(u *pdf.Update, root *pdf.Dict) error {
				ref, page, err := t.file.Page(1)
				if err != nil || ref == (pdf.Ref{}) {
					return errNotHere
				}
				group := u.Add(pdf.NewDict("Type", pdf.Name("OCG"), "Name", pdf.TextString("Nội dung")))
				root.Set("OCProperties", pdf.NewDict("OCGs", pdf.Array{group}, "D", pdf.NewDict("OFF", pdf.Array{group})))
				p := page.Clone()
				p.Set("OC", u.Add(pdf.NewDict("Type", pdf.Name("OCMD"), "OCGs", group, "P", pdf.Name("AnyOn"))))
				u.Put(ref, p)
				return nil
			})
		}},
		{Name: "a signature's look put on a layer", Class: "shadow", make: func(t *target) ([]byte, error) {
			return t.override(t.sig.WidgetRef, func(_ *target, d *pdf.Dict) {
				d.Set("OC", pdf.NewDict("Type", pdf.Name("OCMD"), "P", pdf.Name("AllOff")))
			})
		}},
	}
}

// layer edits the first object of a type of optional content that the document uses.
func (t *target) layer(kind pdf.Name, edit func(d *pdf.Dict)) ([]byte, error) {
	for num := range t.file.Objects() {
		e, _ := t.file.Entry(num)
		ref := pdf.Ref{Num: num, Gen: e.Gen}
		if d, err := t.file.Dict(ref); err == nil && d.Get("Type") == kind && t.inUse(ref) {
			return t.override(ref, func(_ *target, d *pdf.Dict) { edit(d) })
		}
	}
	return nil, errNotHere
}

// inUse reports whether the optional content properties or the first page's resources
// name the group or membership ref: one that nothing uses shows nothing.
func (t *target) inUse(ref pdf.Ref) bool {
	_, root, err := t.file.Root()
	if err != nil {
		return false
	}
	properties, _ := t.file.Dict(root.Get("OCProperties"))
	groups, _ := t.file.Array(properties.Get("OCGs"))
	for _, g := range groups {
		if g == pdf.Object(ref) {
			return true
		}
	}
	_, page, err := t.file.Page(1)
	if err != nil {
		return false
	}
	o, _ := t.file.Inherited(page, "Resources")
	resources, _ := t.file.Dict(o)
	named, _ := t.file.Dict(resources.Get("Properties"))
	for _, k := range named.Keys() {
		if named.Get(k) == pdf.Object(ref) {
			return true
		}
	}
	return false
}

// configure edits the default configuration of the document's layers.
func (t *target) configure(edit func(t *target, config, properties *pdf.Dict)) ([]byte, error) {
	_, root, err := t.file.Root()
	if err != nil {
		return nil, err
	}
	old, err := t.file.Dict(root.Get("OCProperties"))
	if err != nil || old.Len() == 0 {
		return nil, errNotHere
	}
	config, err := t.file.Dict(old.Get("D"))
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = pdf.NewDict()
	}
	properties, config := old.Clone(), config.Clone()
	edit(t, config, properties)
	return t.catalog(func(u *pdf.Update, root *pdf.Dict) error {
		if ref, err := reference(properties.Get("D")); err == nil {
			u.Put(ref, config)
		} else {
			properties.Set("D", config)
		}
		if ref, err := reference(root.Get("OCProperties")); err == nil {
			u.Put(ref, properties)
			return nil
		}
		root.Set("OCProperties", properties)
		return nil
	})
}
