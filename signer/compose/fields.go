package compose

import (
	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// field is an empty form field placed on a page.
type field struct {
	name  string
	rect  [4]float64
	label text.Key
	// style, align and limit are those of a text field; a signature field has limit 0.
	style font.Style
	align int
	limit int
}

func (f field) isText() bool { return f.limit > 0 }

// piece is a part of a line with blanks: text, or an empty field of some width.
type piece struct {
	text  string
	field string
	width float64
	label text.Key
	align int
	limit int
}

// leastShrink keeps a long place or notation legible: at least 8 points.
const leastShrink = 8 / numberSize

// pieces draws a line centred at x with its fields; a line wider than room is set
// in smaller type, its fields keep their size.
func (p *page) pieces(line []piece, style font.Style, x, y, room float64) error {
	widths := make([]float64, len(line))
	words, blanks := 0.0, 0.0
	for i, part := range line {
		if part.field != "" {
			widths[i] = part.width
			blanks += part.width
			continue
		}
		w, err := run(style, numberSize, part.text).Width()
		if err != nil {
			return err
		}
		widths[i] = w
		words += w
	}
	shrink := min(1, (room-blanks)/words)
	if shrink < leastShrink {
		return text.Detailed(text.LimitExceeded, nil, "compose.limit.header")
	}
	at := x - (words*shrink+blanks)/2
	for i, part := range line {
		if part.field == "" {
			r := content.Run{Style: style, Size: numberSize * shrink, Text: part.text}
			if err := p.canvas.Show(r, at, y); err != nil {
				return err
			}
			at += widths[i] * shrink
			continue
		}
		height := numberSize * fieldExtra
		bottom := y - 0.25*height // where appearance.FieldText puts the baseline
		p.fields = append(p.fields, field{name: part.field, label: part.label, style: style, align: part.align, limit: part.limit,
			rect: [4]float64{at, bottom, at + widths[i], bottom + height}})
		at += widths[i]
	}
	return nil
}

// write adds the merged field and widget of f on page to b.
func (f field) write(b *pdf.Builder, page pdf.Ref) pdf.Ref {
	d := pdf.NewDict(pdf.Name("Type"), pdf.Name("Annot"), pdf.Name("Subtype"), pdf.Name("Widget"))
	rect := make(pdf.Array, len(f.rect))
	for i, v := range f.rect {
		rect[i] = hundredths(v)
	}
	d.Set("Rect", rect)
	d.Set("F", pdf.Int(4)) // print
	d.Set("P", page)
	d.Set("T", pdf.TextString(f.name))
	d.Set("TU", pdf.TextString(text.Get(f.label).VI))
	if f.isText() {
		f.writeText(b, d)
	} else {
		d.Set("FT", pdf.Name("Sig"))
		d.Set("Lock", b.Add(f.lock()))
	}
	return b.Add(d)
}

// writeText completes a text field: no value, and an appearance that is there and
// empty, so that no reader makes up its own.
func (f field) writeText(b *pdf.Builder, d *pdf.Dict) {
	d.Set("FT", pdf.Name("Tx"))
	d.Set("DA", pdf.String{Value: []byte("/" + string(font.ResourceName(f.style)) + " " + itoa(int(numberSize)) + " Tf 0 g")})
	d.Set("Q", pdf.Int(int64(f.align)))
	d.Set("MaxLen", pdf.Int(int64(f.limit)))
	box := pdf.Array{pdf.Int(0), pdf.Int(0), hundredths(f.rect[2] - f.rect[0]), hundredths(f.rect[3] - f.rect[1])}
	empty := b.Add(pdf.NewStream(pdf.NewDict(pdf.Name("Type"), pdf.Name("XObject"), pdf.Name("Subtype"), pdf.Name("Form"),
		pdf.Name("BBox"), box, pdf.Name("Resources"), pdf.NewDict()), nil))
	d.Set("AP", pdf.NewDict(pdf.Name("N"), empty))
}

// lock is the field lock of a signature field (ISO 32000-2, table 236): the
// person's signature locks everything but what the clerk adds afterwards, the
// agency's locks all. Neither sets /P, so that a receiver's signature and the
// evidence for long-term validation can still be added.
func (f field) lock() *pdf.Dict {
	d := pdf.NewDict(pdf.Name("Type"), pdf.Name("SigFieldLock"))
	if f.name == FieldSeal {
		d.Set("Action", pdf.Name("All"))
		return d
	}
	var open pdf.Array
	for _, name := range []string{FieldNumber, FieldDay, FieldMonth, FieldYear, FieldSeal} {
		open = append(open, pdf.TextString(name))
	}
	d.Set("Action", pdf.Name("Exclude"))
	d.Set("Fields", open)
	return d
}
