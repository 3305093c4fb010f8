package compose

import (
	"bytes"
	"encoding/xml"
	"math"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/font"
)

// producer is the name of the program in the document's properties.
const producer = "Antin"

// fieldCharacters can be typed into the text fields with the fonts that the form
// names: a number may carry letters, a date only digits.
const fieldCharacters = "0123456789 ./-ABCDEFGHIJKLMNOPQRSTUVWXYZĐabcdefghijklmnopqrstuvwxyzđ"

// set lays the document out and writes it; facts stand above the body.
func (in DocumentForm) set(facts [][2]string) ([]byte, error) {
	fonts := &font.Set{}
	for style, characters := range map[font.Style]string{font.Regular: fieldCharacters, font.Italic: fieldCharacters[:10]} {
		subset, err := fonts.Subset(style)
		if err != nil {
			return nil, err
		}
		if _, err := subset.Encode(characters); err != nil {
			return nil, err
		}
	}
	items, err := in.items(facts)
	if err != nil {
		return nil, err
	}
	pages, err := paginate(fonts, items)
	if err != nil {
		return nil, err
	}
	return in.write(pages, fonts)
}

func (in DocumentForm) items(facts [][2]string) ([]item, error) {
	head, err := in.header()
	if err != nil {
		return nil, err
	}
	known, err := factItems(facts)
	if err != nil {
		return nil, err
	}
	main, err := body(in.Body)
	if err != nil {
		return nil, err
	}
	end, err := in.closing()
	if err != nil {
		return nil, err
	}
	items := append(append([]item{head}, known...), main...)
	// The signature never stands alone on a page: the last lines go with it.
	for i := max(len(items)-2, 0); i < len(items); i++ {
		items[i].keep = true
	}
	if end.height > pageHeight-marginTop-marginFoot {
		return nil, text.Detailed(text.LimitExceeded, nil, "compose.limit.header")
	}
	return append(items, end), nil
}

// write makes the objects of the file in a fixed order.
func (in DocumentForm) write(pages []*page, fonts *font.Set) ([]byte, error) {
	b := pdf.NewDocument("1.7")
	root, tree := b.Reserve(), b.Reserve()
	faces, err := fonts.Embed(b)
	if err != nil {
		return nil, err
	}
	resources := b.Add(pdf.NewDict(pdf.Name("Font"), faces))
	var kids, fields pdf.Array
	for _, p := range pages {
		ref := b.Reserve()
		dict := pdf.NewDict(pdf.Name("Type"), pdf.Name("Page"), pdf.Name("Parent"), tree,
			pdf.Name("MediaBox"), pdf.Array{pdf.Int(0), pdf.Int(0), hundredths(pageWidth), hundredths(pageHeight)},
			pdf.Name("Resources"), resources, pdf.Name("Contents"), b.Add(pdf.NewFlateStream(pdf.NewDict(), p.canvas.Bytes())))
		if len(p.fields) > 0 {
			var widgets pdf.Array
			for _, f := range p.fields {
				widgets = append(widgets, f.write(b, ref))
			}
			fields = append(fields, widgets...)
			dict.Set("Annots", b.Add(widgets))
			dict.Set("Tabs", pdf.Name("R"))
		}
		b.Put(ref, dict)
		kids = append(kids, ref)
	}
	b.Put(tree, pdf.NewDict(pdf.Name("Type"), pdf.Name("Pages"), pdf.Name("Count"), pdf.Int(int64(len(kids))), pdf.Name("Kids"), kids))
	info := b.Add(in.info())
	metadata := b.Add(pdf.NewStream(pdf.NewDict(pdf.Name("Type"), pdf.Name("Metadata"), pdf.Name("Subtype"), pdf.Name("XML")), in.xmp()))
	catalog := pdf.NewDict(pdf.Name("Type"), pdf.Name("Catalog"), pdf.Name("Pages"), tree)
	if len(fields) > 0 {
		catalog.Set("AcroForm", b.Add(acroForm(fields, faces)))
	}
	catalog.Set("Lang", pdf.TextString("vi-VN"))
	catalog.Set("Metadata", metadata)
	catalog.Set("ViewerPreferences", pdf.NewDict(pdf.Name("DisplayDocTitle"), pdf.Bool(true)))
	b.Put(root, catalog)
	return b.Build(root, info)
}

// acroForm is the form as it stays through all signatures: /SigFlags says from
// the start that signature fields are there and that the file is to be appended
// to only, and /DR holds every font that a filled field needs.
func acroForm(fields pdf.Array, faces *pdf.Dict) *pdf.Dict {
	fonts := pdf.NewDict()
	for _, style := range []font.Style{font.Regular, font.Italic} {
		fonts.Set(font.ResourceName(style), faces.Get(font.ResourceName(style)))
	}
	return pdf.NewDict(pdf.Name("Fields"), fields, pdf.Name("SigFlags"), pdf.Int(3),
		pdf.Name("DR"), pdf.NewDict(pdf.Name("Font"), fonts),
		pdf.Name("DA"), pdf.String{Value: []byte("/" + string(font.ResourceName(font.Regular)) + " " + itoa(int(numberSize)) + " Tf 0 g")})
}

func hundredths(v float64) pdf.Number { return pdf.Real(math.Round(v*100) / 100) }

// documentTitle is what readers show for the document: type and subject.
func (in DocumentForm) documentTitle() string {
	return clean(strings.TrimSpace(in.Type + " " + in.Subject))
}

// clean makes a text fit for properties: one line, composed, without what XML
// forbids.
func clean(s string) string { return strings.Join(strings.Fields(font.Normalise(s)), " ") }

func (in DocumentForm) info() *pdf.Dict {
	date := pdf.String{Value: []byte(in.Created.In(vietnam).Format("D:20060102150405") + "+07'00'")}
	return pdf.NewDict(pdf.Name("Title"), pdf.TextString(in.documentTitle()), pdf.Name("Author"), pdf.TextString(clean(in.Agency)),
		pdf.Name("Creator"), pdf.TextString(producer), pdf.Name("Producer"), pdf.TextString(producer),
		pdf.Name("CreationDate"), date, pdf.Name("ModDate"), date)
}

// xmp says the same as info in XMP (ISO 16684-1).
func (in DocumentForm) xmp() []byte {
	date := in.Created.In(vietnam).Format(time.RFC3339)
	var b bytes.Buffer
	put := func(before, value, after string) {
		b.WriteString(before)
		_ = xml.EscapeText(&b, []byte(value)) // a bytes.Buffer takes everything
		b.WriteString(after + "\n")
	}
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n" +
		"<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"" +
		" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\n")
	put("<dc:format>", "application/pdf", "</dc:format>")
	put("<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">", in.documentTitle(), "</rdf:li></rdf:Alt></dc:title>")
	put("<dc:creator><rdf:Seq><rdf:li>", clean(in.Agency), "</rdf:li></rdf:Seq></dc:creator>")
	put("<dc:language><rdf:Bag><rdf:li>", "vi-VN", "</rdf:li></rdf:Bag></dc:language>")
	put("<xmp:CreatorTool>", producer, "</xmp:CreatorTool>")
	put("<xmp:CreateDate>", date, "</xmp:CreateDate>")
	put("<xmp:ModifyDate>", date, "</xmp:ModifyDate>")
	put("<xmp:MetadataDate>", date, "</xmp:MetadataDate>")
	put("<pdf:Producer>", producer, "</pdf:Producer>")
	b.WriteString("</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>")
	return b.Bytes()
}
