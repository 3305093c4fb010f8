package pades

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf"
)

// appearance gives widget its picture and reports whether widget changed. A
// visible widget without a drawer gets an empty picture unless it has one, since
// viewers would otherwise make one up; an invisible one needs none.
func (w *writer) appearance(widget *pdf.Dict, rect [4]float64, page *pdf.Dict) (bool, error) {
	width, height := rect[2]-rect[0], rect[3]-rect[1]
	if width <= 0 || height <= 0 {
		return w.emptyAppearance(widget), nil
	}
	if w.Appearance == nil && widget.Get("AP") != nil {
		return false, nil
	}
	var picture pdf.Ref
	var err error
	if w.Appearance == nil {
		picture = w.update.Add(formXObject(width, height, nil, nil))
	} else {
		picture, err = w.upright(width, height, w.rotation(page))
	}
	if err != nil {
		return false, err
	}
	if err := w.opaque(picture); err != nil {
		return false, err
	}
	widget.Set("AP", pdf.NewDict(pdf.Name("N"), picture))
	return true, nil
}

// emptyAppearance gives an invisible widget an empty picture in a PDF/A-1 file,
// where every field needs one (ISO 19005-1, 6.9); later parts spare it.
func (w *writer) emptyAppearance(widget *pdf.Dict) bool {
	if widget.Get("AP") != nil || w.form.archivePart(w.root) != "1" {
		return false
	}
	widget.Set("AP", pdf.NewDict(pdf.Name("N"), w.update.Add(formXObject(0, 0, nil, nil))))
	return true
}

// upright draws the appearance so that it stands upright on a page that is shown
// rotated: the drawer works on the box as the reader sees it, and a form around
// it turns the result back (ISO 32000-2, 12.5.5).
func (w *writer) upright(width, height float64, rotation int64) (pdf.Ref, error) {
	var turn string
	drawn := [2]float64{width, height}
	switch rotation {
	case 90:
		turn = "0 1 -1 0 " + pdf.Real(width).String() + " 0"
		drawn = [2]float64{height, width}
	case 180:
		turn = "-1 0 0 -1 " + pdf.Real(width).String() + " " + pdf.Real(height).String()
	case 270:
		turn = "0 -1 1 0 0 " + pdf.Real(height).String()
		drawn = [2]float64{height, width}
	}
	picture, err := w.Appearance(w.update, drawn[0], drawn[1])
	if err != nil || turn == "" {
		return picture, err
	}
	resources := pdf.NewDict(pdf.Name("XObject"), pdf.NewDict(pdf.Name("Fm0"), picture))
	return w.update.Add(formXObject(width, height, resources, []byte("q "+turn+" cm /Fm0 Do Q\n"))), nil
}

// rotation is the page's /Rotate as 0, 90, 180 or 270.
func (w *writer) rotation(page *pdf.Dict) int64 {
	if page == nil {
		return 0
	}
	o, err := w.form.file.Inherited(page, "Rotate")
	if err != nil {
		return 0
	}
	r := w.form.integer(o) % 360
	if r < 0 {
		r += 360
	}
	return r
}

func formXObject(width, height float64, resources *pdf.Dict, content []byte) *pdf.Stream {
	if resources == nil {
		resources = pdf.NewDict()
	}
	return pdf.NewStream(pdf.NewDict(
		pdf.Name("Type"), pdf.Name("XObject"),
		pdf.Name("Subtype"), pdf.Name("Form"),
		pdf.Name("BBox"), pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Real(width), pdf.Real(height)},
		pdf.Name("Resources"), resources,
	), content)
}

// writeFills writes /V and the appearance of every field to be filled.
func (w *writer) writeFills() error {
	for _, fl := range w.fills {
		field := fl.field.dict.Clone()
		field.Set("V", pdf.TextString(fl.value))
		for _, ref := range fl.field.widgets {
			widget := field
			if ref != fl.field.ref {
				d := w.form.dict(ref)
				if d == nil {
					continue
				}
				widget = d.Clone()
			}
			picture, err := w.drawField(fl, widget)
			if err != nil {
				return err
			}
			widget.Set("AP", pdf.NewDict(pdf.Name("N"), picture))
			if ref != fl.field.ref {
				w.update.Put(ref, widget)
			}
		}
		w.update.Put(fl.field.ref, field)
	}
	return nil
}

func (w *writer) drawField(fl fill, widget *pdf.Dict) (pdf.Ref, error) {
	rect := w.form.rect(widget.Get("Rect"))
	da, _ := w.form.resolve(w.form.inheritedKey(widget, "DA")).(pdf.String)
	f := FilledField{
		Name: fl.field.name, Value: fl.value,
		Width: rect[2] - rect[0], Height: rect[3] - rect[1],
		DefaultAppearance: string(da.Value),
		Quadding:          int(w.form.integer(w.form.inheritedKey(widget, "Q"))),
	}
	if w.FieldAppearance != nil {
		return w.FieldAppearance(w.update, f)
	}
	return w.drawPlain(f)
}

// inheritedKey looks key up in a field, those above it and the form itself.
func (m *form) inheritedKey(d *pdf.Dict, key pdf.Name) pdf.Object {
	for depth := 0; d != nil && depth <= maxFieldDepth; depth++ {
		if o := d.Get(key); o != nil {
			return o
		}
		d = m.dict(d.Get("Parent"))
	}
	if _, root, err := m.file.Root(); err == nil {
		if acroForm := m.dict(root.Get("AcroForm")); acroForm != nil {
			return acroForm.Get(key)
		}
	}
	return nil
}

// drawPlain writes a value by the field's own default appearance, where that
// names a simple font and the value is plain ASCII.
func (w *writer) drawPlain(f FilledField) (pdf.Ref, error) {
	unfit := func(why string) (pdf.Ref, error) {
		return pdf.Ref{}, text.Detailed(text.GlyphMissing, errors.New(why), "sign.field", f.Name)
	}
	if strings.ContainsFunc(f.Value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return unfit("value needs a font of its own")
	}
	words := strings.Fields(f.DefaultAppearance)
	at := -1
	for i, word := range words {
		if word == "Tf" && i >= 2 && strings.HasPrefix(words[i-2], "/") {
			at = i
		}
	}
	if at < 0 {
		return unfit("field has no default appearance")
	}
	resources, font := w.fieldFont(pdf.Name(words[at-2][1:]))
	if font == nil || w.form.name(font.Get("Subtype")) == "Type0" {
		return unfit("default font is missing or composite")
	}
	size, err := strconv.ParseFloat(words[at-1], 64)
	if err != nil || size <= 0 {
		size = max(4, min(12, f.Height*0.7))
		words[at-1] = pdf.Real(size).String()
	}
	body := fmt.Sprintf("/Tx BMC q BT %s 2 %s Td ", strings.Join(words, " "), pdf.Real((f.Height-size)/2+size*0.22))
	content := append([]byte(body), pdf.Append(nil, pdf.String{Value: []byte(f.Value)})...)
	content = append(content, " Tj ET Q EMC\n"...)
	return w.update.Add(formXObject(f.Width, f.Height, resources, content)), nil
}

// fieldFont finds a font of the form's default resources, with a resource
// dictionary that names it alone.
func (w *writer) fieldFont(name pdf.Name) (resources, font *pdf.Dict) {
	acroForm := w.form.dict(w.root.Get("AcroForm"))
	if acroForm == nil {
		return nil, nil
	}
	dr := w.form.dict(acroForm.Get("DR"))
	if dr == nil {
		return nil, nil
	}
	fonts := w.form.dict(dr.Get("Font"))
	if fonts == nil || w.form.dict(fonts.Get(name)) == nil {
		return nil, nil
	}
	return pdf.NewDict(pdf.Name("Font"), pdf.NewDict(name, fonts.Get(name))), w.form.dict(fonts.Get(name))
}
