//go:build interop

package interop_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"antin/signer/pades/padestest"
)

// seedDocument is the document of d before qpdf or a signer gets it.
func seedDocument(d document) padestest.Document {
	if d.flavour != "" {
		return profileDocument(d)
	}
	return withForm(plainDocument(d.kind, d.version), d.form)
}

// plainDocument has two pages with a text field and a link, enough for a signer to
// have something to keep as it is. Objects 1 to 10 are taken.
func plainDocument(kind padestest.Kind, version string) padestest.Document {
	const page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.28 841.89] /Contents %d 0 R /Resources << /Font << /F1 5 0 R >> >> %s>>"
	return padestest.Document{Kind: kind, Version: version, Objects: map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 9 0 R /Lang (vi-VN) >>",
		2: "<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>",
		3: fmt.Sprintf(page, 4, "/Annots [8 0 R 10 0 R] "),
		4: padestest.Body("", "BT /F1 24 Tf 72 700 Td (So 12/QD-UBND) Tj ET\n"),
		5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		6: fmt.Sprintf(page, 7, ""),
		7: padestest.Body("", "BT /F1 12 Tf 72 700 Td (Trang 2) Tj ET\n"),
		8: padestest.TextField(textField, "/DA (/Helv 11 Tf 0 g) "),
		9: "<< /Fields [8 0 R] /DR << /Font << /Helv 5 0 R >> >> /DA (/Helv 12 Tf 0 g) >>",
		10: "<< /Type /Annot /Subtype /Link /Rect [72 690 200 720] /Border [0 0 0] " +
			"/A << /S /URI /URI (https://example.vn/) >> >>",
	}}
}

// seedValues demands the handler, the sub-filter and a digest algorithm out of a
// list: /Ff bits 1, 2 and 7 (ISO 32000-2, table 237). The algorithms are strings,
// since pyHanko does not read the names of that table; we take both.
const seedValues = "/SV << /Type /SV /Ff 67 /Filter /Adobe.PPKLite /SubFilter [/ETSI.CAdES.detached] " +
	"/DigestMethod [(SHA256) (SHA384) (SHA512)] >> "

// withForm adds the fields of f to the page and the form of d. Their objects are
// numbered from 20.
func withForm(d padestest.Document, f form) padestest.Document {
	lock := fmt.Sprintf("/Lock << /Type /SigFieldLock /Action /Include /Fields [(%s)] >> ", textField)
	objects := map[int]string{}
	fields := "20 0 R"
	switch f {
	case noForm:
		return d
	case empty:
		objects[20] = sigField(emptyField, "")
	case locking:
		objects[20] = sigField(emptyField, lock)
	case seeded:
		objects[20] = sigField(emptyField, seedValues)
	case nested:
		fields = "21 0 R"
		objects[20] = strings.Replace(sigField("O ky", "/Parent 21 0 R "), "/FT /Sig ", "", 1)
		objects[21] = "<< /T (Nhom) /FT /Sig /Kids [20 0 R] >>"
	case twoEmpty:
		fields = "20 0 R 22 0 R"
		objects[20] = sigField(emptyField, "")
		objects[22] = strings.Replace(sigField(otherField, ""), "[300 100 500 160]", "[60 100 260 160]", 1)
	}
	objects[23] = padestest.Body("/Type /XObject /Subtype /Form /BBox [0 0 200 60] /Resources << >> ", "")
	widgets := "20 0 R"
	if f == twoEmpty {
		widgets += " 22 0 R"
	}
	d.Objects = maps.Clone(d.Objects)
	maps.Copy(d.Objects, objects)
	if strings.Contains(d.Objects[3], "/Annots [") {
		d.Objects[3] = strings.Replace(d.Objects[3], "/Annots [", "/Annots ["+widgets+" ", 1)
	} else {
		d.Objects[3] = strings.Replace(d.Objects[3], "/Type /Page ", "/Type /Page /Annots ["+widgets+"] ", 1)
	}
	if strings.Contains(d.Objects[9], "/Fields [") {
		d.Objects[9] = strings.Replace(d.Objects[9], "/Fields [", "/Fields ["+fields+" ", 1)
		return d
	}
	d.Objects[9] = "<< /Fields [" + fields + "] >>"
	d.Objects[1] = strings.Replace(d.Objects[1], "/Type /Catalog ", "/Type /Catalog /AcroForm 9 0 R ", 1)
	return d
}

// sigField is an empty signature field with an empty appearance, which PDF/A asks
// for, and a description.
func sigField(name, entries string) string {
	return padestest.SigField(name, "/TU (Ô ký) /AP << /N 23 0 R >> "+entries)
}

// tagged reports whether the profile asks for a structure tree.
func tagged(flavour string) bool { return flavour == "2a" || flavour == "ua1" }

// profileDocument keeps to the part of PDF/A or PDF/UA that d names: one page with a
// rectangle, so that no font is needed; metadata, an output intent and, where the
// profile asks for it, a structure tree.
func profileDocument(d document) padestest.Document {
	catalog := "<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R /Lang (vi-VN) /OutputIntents [7 0 R] /ViewerPreferences << /DisplayDocTitle true >> %s>>"
	page := "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> %s>>"
	drawing := "0.2 0.3 0.5 rg 72 600 200 100 re f\n"
	objects := map[int]string{
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		5: padestest.Body("/N 3 ", string(rgbProfile())),
		6: padestest.Body("/Type /Metadata /Subtype /XML ", metadata(d.flavour)),
		7: "<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB) /DestOutputProfile 5 0 R >>",
	}
	var inCatalog, onPage string
	if tagged(d.flavour) {
		inCatalog, onPage = "/MarkInfo << /Marked true >> /StructTreeRoot 10 0 R ", "/StructParents 0 /Tabs /S "
		drawing = "/Figure << /MCID 0 >> BDC\n" + drawing + "EMC\n"
		objects[10] = "<< /Type /StructTreeRoot /K 11 0 R /ParentTree 13 0 R /ParentTreeNextKey 1 >>"
		objects[11] = "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R] >>"
		objects[12] = "<< /Type /StructElem /S /Figure /P 11 0 R /Pg 3 0 R /K 0 /Alt (Hình chữ nhật) /A << /O /Layout /BBox [72 600 272 700] >> >>"
		objects[13] = "<< /Nums [0 [12 0 R]] >>"
	}
	objects[1], objects[3] = fmt.Sprintf(catalog, inCatalog), fmt.Sprintf(page, onPage)
	objects[4] = padestest.Body("", drawing)
	return withForm(padestest.Document{Kind: d.kind, Version: d.version, Objects: objects}, d.form)
}

// metadata is the XMP packet that claims flavour.
func metadata(flavour string) string {
	claim := fmt.Sprintf("<pdfaid:part>%s</pdfaid:part>", flavour[:1])
	switch flavour {
	case "ua1":
		claim = "<pdfuaid:part>1</pdfuaid:part>"
	case "4":
		claim += "<pdfaid:rev>2020</pdfaid:rev>"
	default:
		claim += fmt.Sprintf("<pdfaid:conformance>%s</pdfaid:conformance>", strings.ToUpper(flavour[1:]))
	}
	return `<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Văn bản thử</rdf:li></rdf:Alt></dc:title>
` + claim + `
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`
}

// rgbProfile is a small ICC profile (version 2.1) of an RGB display: sRGB's
// colours, adapted to D50, with a plain gamma of 2.2.
func rgbProfile() []byte {
	fixed := func(v float64) []byte {
		return binary.BigEndian.AppendUint32(nil, uint32(int32(math.Round(v*65536))))
	}
	xyz := func(x, y, z float64) []byte {
		return slices.Concat([]byte("XYZ \x00\x00\x00\x00"), fixed(x), fixed(y), fixed(z))
	}
	gamma := append([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), 0x02, 0x33, 0, 0)
	name := "RGB\x00"
	description := slices.Concat([]byte("desc\x00\x00\x00\x00"), binary.BigEndian.AppendUint32(nil, uint32(len(name))), []byte(name), make([]byte, 78))
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", description}, {"cprt", []byte("text\x00\x00\x00\x00none\x00\x00\x00\x00")}, {"wtpt", xyz(0.9642, 1, 0.8249)},
		{"rXYZ", xyz(0.4361, 0.2225, 0.0139)}, {"gXYZ", xyz(0.3851, 0.7169, 0.0971)}, {"bXYZ", xyz(0.1431, 0.0606, 0.7141)},
		{"rTRC", gamma}, {"gTRC", gamma}, {"bTRC", gamma},
	}
	var table, data bytes.Buffer
	table.Write(binary.BigEndian.AppendUint32(nil, uint32(len(tags))))
	const header = 128
	start := header + 4 + 12*len(tags)
	for _, tag := range tags {
		table.WriteString(tag.name)
		table.Write(binary.BigEndian.AppendUint32(nil, uint32(start+data.Len())))
		table.Write(binary.BigEndian.AppendUint32(nil, uint32(len(tag.data))))
		data.Write(tag.data)
		for data.Len()%4 != 0 {
			data.WriteByte(0)
		}
	}
	head := make([]byte, header)
	binary.BigEndian.PutUint32(head, uint32(start+data.Len()))
	binary.BigEndian.PutUint32(head[8:], 0x02100000)
	copy(head[12:], "mntrRGB XYZ ")
	copy(head[24:], []byte{0x07, 0xea, 0, 11, 0, 24, 0, 0, 0, 0, 0, 0}) // when it was made
	copy(head[36:], "acsp")
	copy(head[68:], slices.Concat(fixed(0.9642), fixed(1), fixed(0.8249)))
	return slices.Concat(head, table.Bytes(), data.Bytes())
}
