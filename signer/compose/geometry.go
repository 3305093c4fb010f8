package compose

import (
	"fmt"

	"antin/internal/text"
	"antin/signer/pdf"
)

// Field is a form field of a composed document, as it lies on its page.
type Field struct {
	// Name is one of the Field constants.
	Name string
	// Page counts from 1.
	Page int
	// Rect is left, bottom, right, top in points of the page.
	Rect [4]float64
	// Signature tells a signature field from a text field.
	Signature bool
}

// Fields returns the fields of a composed document in the order of its pages. It
// reads plain, merged fields as this package writes them; other forms are the
// business of package pades.
func Fields(f *pdf.File) ([]Field, error) {
	count, err := f.NumPages()
	if err != nil {
		return nil, err
	}
	if count > maxPages {
		return nil, text.Detailed(text.LimitExceeded, nil, "compose.limit.pages", maxPages)
	}
	var fields []Field
	for n := 1; n <= count; n++ {
		_, page, err := f.Page(n)
		if err != nil {
			return nil, err
		}
		if page.Get("Annots") == nil {
			continue
		}
		widgets, err := f.Array(page.Get("Annots"))
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", n, err)
		}
		for _, o := range widgets {
			field, ok, err := readField(f, o)
			if err != nil {
				return nil, fmt.Errorf("page %d: %w", n, err)
			}
			if field.Page = n; ok {
				fields = append(fields, field)
			}
		}
	}
	return fields, nil
}

func readField(f *pdf.File, o pdf.Object) (field Field, ok bool, err error) {
	d, err := f.Dict(o)
	if err != nil || d.Get("T") == nil || d.Get("FT") == nil {
		return Field{}, false, err
	}
	name, err := f.String(d.Get("T"))
	if err != nil {
		return Field{}, false, err
	}
	kind, err := f.Name(d.Get("FT"))
	if err != nil {
		return Field{}, false, err
	}
	rect, err := f.Array(d.Get("Rect"))
	if err != nil || len(rect) != 4 {
		return Field{}, false, err
	}
	field = Field{Name: name.Text(), Signature: kind == "Sig"}
	for i, v := range rect {
		if field.Rect[i], err = f.Number(v); err != nil {
			return Field{}, false, err
		}
	}
	return field, true, nil
}
