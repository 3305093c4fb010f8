package attacktest

import (
	"antin/signer/pdf"
)

// savings change the document by an honest-looking incremental update.
func savings() []Attack {
	page := func(name string, key pdf.Name, value pdf.Object) Attack {
		return Attack{Name: name, Class: "saving", make: func(t *target) ([]byte, error) {
			return t.page(func(_ *pdf.Update, page *pdf.Dict) error { page.Set(key, value); return nil })
		}}
	}
	catalog := func(name string, key pdf.Name, value pdf.Object) Attack {
		return Attack{Name: name, Class: "saving", make: func(t *target) ([]byte, error) {
			return t.catalog(func(_ *pdf.Update, root *pdf.Dict) error { root.Set(key, value); return nil })
		}}
	}
	script := pdf.NewDict("S", pdf.Name("JavaScript"), "JS", pdf.TextString("app.alert(1)"))
	return []Attack{
		{Name: "page content replaced", Class: "saving", make: func(t *target) ([]byte, error) {
			return t.page(func(u *pdf.Update, page *pdf.Dict) error { page.Set("Contents", u.Add(black())); return nil })
		}},
		{Name: "page content covered", Class: "saving", make: func(t *target) ([]byte, error) {
			return t.page(func(u *pdf.Update, page *pdf.Dict) error {
				old, err := t.file.Resolve(page.Get("Contents"))
				if err != nil {
					return err
				}
				list, ok := old.(pdf.Array)
				if !ok {
					list = pdf.Array{page.Get("Contents")}
				}
				page.Set("Contents", append(list[:len(list):len(list)], u.Add(black())))
				return nil
			})
		}},
		{Name: "content stream overridden", Class: "saving", make: func(t *target) ([]byte, error) {
			_, page, err := t.file.Page(1)
			if err != nil {
				return nil, err
			}
			ref, err := reference(page.Get("Contents"))
			if err != nil {
				return nil, err
			}
			return t.update(func(u *pdf.Update) error { u.Put(ref, black()); return nil })
		}},
		page("page box changed", "MediaBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(50), pdf.Int(50)}),
		page("page cropped", "CropBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(20), pdf.Int(20)}),
		page("page rotated upside down", "Rotate", pdf.Int(180)),
		page("page scaled", "UserUnit", pdf.Int(9)),
		page("page action added", "AA", pdf.NewDict("O", script)),
		catalog("open action added", "OpenAction", script),
		catalog("names with a script added", "Names", pdf.NewDict("JavaScript", pdf.NewDict("Names", pdf.Array{pdf.TextString("a"), script}))),
		catalog("document actions added", "AA", pdf.NewDict("WP", script)),
		catalog("optional content added", "OCProperties", pdf.NewDict("OCGs", pdf.Array{}, "D", pdf.NewDict("BaseState", pdf.Name("OFF")))),
		catalog("page labels changed", "PageLabels", pdf.NewDict("Nums", pdf.Array{pdf.Int(0), pdf.NewDict("P", pdf.TextString("II-"))})),
		catalog("viewer told to hide", "ViewerPreferences", pdf.NewDict("HideWindowUI", pdf.Bool(true))),
		{Name: "pages exchanged for a new tree", Class: "saving", make: func(t *target) ([]byte, error) {
			return t.catalog(func(u *pdf.Update, root *pdf.Dict) error {
				tree := u.Reserve()
				box := pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(595), pdf.Int(842)}
				page := u.Add(pdf.NewDict("Type", pdf.Name("Page"), "Parent", tree, "MediaBox", box, "Resources", pdf.NewDict(), "Contents", u.Add(black())))
				u.Put(tree, pdf.NewDict("Type", pdf.Name("Pages"), "Kids", pdf.Array{page}, "Count", pdf.Int(1)))
				root.Set("Pages", tree)
				return nil
			})
		}},
		{Name: "form dropped", Class: "saving", make: func(t *target) ([]byte, error) {
			return t.catalog(func(_ *pdf.Update, root *pdf.Dict) error { root.Delete("AcroForm"); return nil })
		}},
		{Name: "an author in the trailer's Info", Class: "saving", make: func(t *target) ([]byte, error) {
			return t.update(func(u *pdf.Update) error {
				u.SetTrailer("Info", u.Add(pdf.NewDict("Author", pdf.TextString("Kẻ giả mạo"))))
				return nil
			})
		}},
	}
}

// shadows exchange a thing that the page uses.
func shadows() []Attack {
	resource := func(name string, category pdf.Name, with func(*pdf.Dict) pdf.Object) Attack {
		return Attack{Name: name, Class: "shadow", make: func(t *target) ([]byte, error) { return t.resource(category, with) }}
	}
	return []Attack{
		resource("font exchanged", "Font", func(*pdf.Dict) pdf.Object {
			return pdf.NewDict("Type", pdf.Name("Font"), "Subtype", pdf.Name("Type1"), "BaseFont", pdf.Name("Symbol"))
		}),
		resource("encoding of a font exchanged", "Font", func(d *pdf.Dict) pdf.Object {
			d.Set("Encoding", pdf.NewDict("Differences", pdf.Array{pdf.Int(49), pdf.Name("nine")}))
			return d
		}),
		resource("text map of a font exchanged", "Font", func(d *pdf.Dict) pdf.Object {
			d.Set("ToUnicode", pdf.Name("Identity-H"))
			return d
		}),
		resource("image or form exchanged", "XObject", func(*pdf.Dict) pdf.Object {
			return pdf.NewStream(pdf.NewDict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"),
				"BBox", pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(999), pdf.Int(999)}), []byte("0 0 999 999 re f"))
		}),
		resource("graphics state exchanged", "ExtGState", func(*pdf.Dict) pdf.Object { return pdf.NewDict("ca", pdf.Int(0)) }),
		{Name: "optional content switched", Class: "shadow", make: switchLayers},
		{Name: "content freed", Class: "shadow", make: func(t *target) ([]byte, error) {
			_, page, err := t.file.Page(1)
			if err != nil {
				return nil, err
			}
			ref, err := reference(page.Get("Contents"))
			if err != nil {
				return nil, err
			}
			return t.update(func(u *pdf.Update) error { u.Put(ref, pdf.Null{}); return nil })
		}},
	}
}

// switchLayers turns the optional content off that the document shows, where its
// default configuration says so (ISO 32000-2, 8.11.4.3).
func switchLayers(t *target) ([]byte, error) {
	_, root, err := t.file.Root()
	if err != nil {
		return nil, err
	}
	properties, err := t.file.Dict(root.Get("OCProperties"))
	if err != nil || properties.Len() == 0 {
		return nil, errNotHere
	}
	config, err := t.file.Dict(properties.Get("D"))
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	config.Delete("ON")
	config.Set("OFF", properties.Get("OCGs"))
	if ref, err := reference(properties.Get("D")); err == nil {
		return t.update(func(u *pdf.Update) error { u.Put(ref, config); return nil })
	}
	properties = properties.Clone()
	properties.Set("D", config)
	return t.catalog(func(_ *pdf.Update, root *pdf.Dict) error { root.Set("OCProperties", properties); return nil })
}

// resource overrides the first resource of a category of the first page that is an
// object of its own.
func (t *target) resource(category pdf.Name, with func(*pdf.Dict) pdf.Object) ([]byte, error) {
	_, page, err := t.file.Page(1)
	if err != nil {
		return nil, err
	}
	o, err := t.file.Inherited(page, "Resources")
	if err != nil {
		return nil, err
	}
	resources, err := t.file.Dict(o)
	if err != nil {
		return nil, err
	}
	list, err := t.file.Dict(resources.Get(category))
	if err != nil {
		return nil, err
	}
	for _, name := range list.Keys() {
		ref, err := reference(list.Get(name))
		if err != nil {
			continue
		}
		old, err := t.file.Dict(ref)
		if err != nil {
			return nil, err
		}
		return t.update(func(u *pdf.Update) error { u.Put(ref, with(old.Clone())); return nil })
	}
	return nil, errNotHere
}
