package pades_test

import (
	"bytes"
	"crypto"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/appearance"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

// dict resolves a path of keys from d; an array is followed by its last entry.
func dict(t *testing.T, f *pdf.File, o pdf.Object, path ...pdf.Name) *pdf.Dict {
	t.Helper()
	for i := 0; ; i++ {
		r, err := f.Resolve(o)
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := r.(pdf.Array); ok && len(a) > 0 {
			if r, err = f.Resolve(a[len(a)-1]); err != nil {
				t.Fatal(err)
			}
		}
		d, ok := r.(*pdf.Dict)
		if s, stream := r.(*pdf.Stream); stream {
			d, ok = s.Dict, true
		}
		if !ok {
			t.Fatalf("%v leads to %T", path[:i], r)
		}
		if i == len(path) {
			return d
		}
		o = d.Get(path[i])
	}
}

func root(t *testing.T, f *pdf.File) *pdf.Dict {
	t.Helper()
	_, d, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestANewFieldGrowsIntoTheTreeOfFields(t *testing.T) {
	t.Parallel()
	tree := padestest.Simple(padestest.Classic, "1.7").WithForm("", map[int]string{
		10: "<< /T (Duyet) /Kids [11 0 R] >>",
	}).With(11, "<< /T (Cap1) /Parent 10 0 R /FT /Sig /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /P 3 0 R /F 4 >>")
	data := tree.Bytes()
	for _, name := range []string{"Duyet.Cap2", "Duyet.Nhom.Cap3", "Khac.Cap4"} {
		var p *pades.Prepared
		data, p = sign(t, data, pades.Options{FieldName: name})
		if p.Field != name {
			t.Errorf("field %q, want %q", p.Field, name)
		}
	}
	var names []string
	for _, s := range signatures(t, data) {
		if len(s.Problems) > 0 {
			t.Errorf("%s: problems %v", s.Field, s.Problems)
		}
		names = append(names, s.Field)
	}
	if want := []string{"Duyet.Cap1", "Duyet.Cap2", "Duyet.Nhom.Cap3", "Khac.Cap4"}; !slices.Equal(names, want) {
		t.Errorf("fields %v, want %v", names, want)
	}
}

func TestATreeThatIsLockedTakesNoNewField(t *testing.T) {
	t.Parallel()
	data, _ := sign(t, padestest.Simple(padestest.Classic, "1.7").Bytes(), pades.Options{FieldName: "Duyet.Cap1",
		Lock: &pades.Lock{Action: pades.LockInclude, Fields: []string{"Duyet"}}})
	wantCode(t, pades.Preflight(open(t, data), pades.Options{FieldName: "Duyet.Cap2"}), text.FieldLocked)
	if err := pades.Preflight(open(t, data), pades.Options{FieldName: "Cap2"}); err != nil {
		t.Error(err)
	}
}

// tagged is a document with a structure tree; nums is its parent tree.
func tagged(kids, nums string) padestest.Document {
	d := padestest.Simple(padestest.Classic, "1.7")
	return d.With(20, "<< /Type /StructTreeRoot /K "+kids+" /ParentTree 21 0 R >>").
		With(21, nums).With(22, "<< /Type /StructElem /S /Document /P 20 0 R /K [23 0 R] >>").
		With(23, "<< /Type /StructElem /S /P /P 22 0 R >>").
		With(24, "<< /Limits [0 4] /Nums [0 23 0 R 4 23 0 R] >>").
		With(1, strings.Replace(d.Objects[1], "<<", "<< /MarkInfo << /Marked true >> /StructTreeRoot 20 0 R ", 1))
}

func TestAWidgetGetsItsPlaceInATaggedFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kids, nums string
		parent     int
		key        int64
	}{
		"under the document":  {"22 0 R", "<< /Nums [0 23 0 R 4 23 0 R] >>", 22, 5},
		"under a lone kid":    {"[22 0 R]", "<< /Nums [] >>", 22, 0},
		"at the top of two":   {"[22 0 R 23 0 R]", "<< /Nums [7 23 0 R] >>", 20, 8},
		"a tree of branches":  {"22 0 R", "<< /Kids [24 0 R] >>", 22, 5},
		"no parent tree read": {"22 0 R", "null", 22, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _ := sign(t, tagged(c.kids, c.nums).Bytes(), pades.Options{Rect: [4]float64{10, 10, 60, 40}})
			f := open(t, out)
			widget := signatures(t, out)[0]
			key, ok := widget.FieldDict.Get("StructParent").(pdf.Number)
			if n, _ := key.Int64(); !ok || n != c.key || widget.FieldDict.Get("TU") == nil {
				t.Fatalf("StructParent %v, want %d", key, c.key)
			}
			tree := dict(t, f, root(t, f), "StructTreeRoot")
			parent, err := f.Load(pdf.Ref{Num: c.parent})
			if err != nil {
				t.Fatal(err)
			}
			element := dict(t, f, parent, "K")
			if element.Get("S") != pdf.Name("Form") || element.Get("P") != (pdf.Ref{Num: c.parent}) {
				t.Errorf("element %v", element)
			}
			if ref := dict(t, f, element, "K"); ref.Get("Obj") != widget.FieldRef || ref.Get("Type") != pdf.Name("OBJR") {
				t.Errorf("element refers to %v", ref)
			}
			parents := dict(t, f, tree, "ParentTree")
			if parents.Has("Kids") {
				parents = dict(t, f, parents, "Kids")
			}
			if leaf := dict(t, f, parents, "Nums"); leaf.Get("S") != pdf.Name("Form") {
				t.Errorf("parent tree ends with %v", leaf)
			}
			_, page, err := f.Page(1)
			if err != nil || page.Get("Tabs") != pdf.Name("S") {
				t.Errorf("page %v, %v", page, err)
			}
		})
	}
}

func TestStructureStaysOnceSomebodySigned(t *testing.T) {
	t.Parallel()
	first, _ := sign(t, tagged("22 0 R", "<< /Nums [] >>").Bytes(), pades.Options{})
	second, _ := sign(t, first, pades.Options{})
	a, b := open(t, first), open(t, second)
	x := dict(t, a, root(t, a), "StructTreeRoot").Get("ParentTreeNextKey")
	if y := dict(t, b, root(t, b), "StructTreeRoot").Get("ParentTreeNextKey"); x != y {
		t.Errorf("next key went from %v to %v", x, y)
	}
	notes, err := pades.Notes(a, pades.Options{Rect: [4]float64{10, 10, 60, 40}})
	if err != nil || !slices.Contains(notes, pades.NoteNotTagged) {
		t.Errorf("notes %v, %v", notes, err)
	}
	if notes, err = pades.Notes(a, pades.Options{}); err != nil || slices.Contains(notes, pades.NoteNotTagged) {
		t.Errorf("notes of a field nobody sees %v, %v", notes, err)
	}
}

// A widget outside what the page shows needs no place in the structure.
func TestAnUntaggedFieldLiesOutsideThePage(t *testing.T) {
	t.Parallel()
	for box, want := range map[string]string{"[0 0 595 842]": "[0 0 0 0]", "[-10 -20 595 842]": "[-10 -20 -10 -20]", "[-10 0 595 842]": "[0 0 0 0]"} {
		d := tagged("22 0 R", "<< /Nums [] >>")
		d = d.With(3, strings.Replace(d.Objects[3], "<<", "<< /CropBox "+box+" ", 1))
		first, _ := sign(t, d.Bytes(), pades.Options{})
		second, _ := sign(t, first, pades.Options{})
		stamp, err := pades.PrepareTimestamp(open(t, first), pades.TimestampOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range [][]byte{second, append(bytes.Clone(first), stamp.Update...)} {
			last := signatures(t, doc)[1]
			if got := string(pdf.Append(nil, last.FieldDict.Get("Rect"))); got != want {
				t.Errorf("page %s: field %s at %s, want %s", box, last.Field, got, want)
			}
		}
	}
}

// A signed file that claims PDF/UA keeps its claim: a new field is invisible or none.
func TestASignedAccessibleFileTakesNoNewVisibleField(t *testing.T) {
	t.Parallel()
	d := tagged("22 0 R", "<< /Nums [] >>")
	xmp := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/></rdf:RDF></x:xmpmeta>`
	d = d.With(25, fmt.Sprintf("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream", len(xmp), xmp)).
		With(1, strings.Replace(d.Objects[1], "<<", "<< /Metadata 25 0 R ", 1))
	visible := pades.Options{Rect: [4]float64{10, 10, 60, 40}}
	first, _ := sign(t, d.Bytes(), visible)
	err := pades.Preflight(open(t, first), visible)
	wantCode(t, err, text.InvalidInput)
	if e := text.As(err); !strings.Contains(e.Message().EN, "PDF/UA") || !strings.Contains(e.Fix().VI, "--appearance none") {
		t.Errorf("message %q, fix %q", e.Message().EN, e.Fix().VI)
	}
	if err := pades.Preflight(open(t, first), pades.Options{}); err != nil {
		t.Errorf("an invisible field: %v", err)
	}
}

// A picture with transparency is laid on white where the file knows none.
func TestPDFA1GetsPicturesWithoutTheirTransparency(t *testing.T) {
	t.Parallel()
	var data bytes.Buffer
	picture := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	for i, c := range []color.NRGBA{{0, 0, 200, 255}, {0, 0, 200, 0}, {100, 0, 0, 128}, {}} {
		picture.SetNRGBA(i%2, i/2, c)
	}
	if err := png.Encode(&data, picture); err != nil {
		t.Fatal(err)
	}
	a := appearance.Person(appearance.PersonMark{Image: data.Bytes()})
	for part, want := range map[int][]byte{
		1: {0, 0, 200, 255, 255, 255, 177, 127, 127, 255, 255, 255},
		2: {0, 0, 200, 0, 0, 200, 100, 0, 0, 0, 0, 0},
	} {
		out, _ := sign(t, archival(part).Bytes(), pades.Options{Rect: [4]float64{0, 0, 90, 40}, Appearance: a})
		f := open(t, out)
		ref := dict(t, f, signatures(t, out)[0].FieldDict, "AP", "N", "Resources", "XObject").Get("Im0")
		s, err := f.Stream(ref)
		if err != nil {
			t.Fatal(err)
		}
		samples, err := f.Decode(s, 0)
		if err != nil || !bytes.Equal(samples, want) || s.Dict.Has("SMask") != (part == 2) {
			t.Errorf("part %d: samples %v, %v, soft mask %t", part, samples, err, s.Dict.Has("SMask"))
		}
	}
}

func TestISOExtensionsAreDeclaredInPDF20Only(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version string
		options pades.Options
		want    []string
	}{
		{"2.0", pades.Options{Digest: crypto.SHA3_256}, []string{"32001"}},
		{"2.0", pades.Options{Digest: crypto.SHA512, Scheme: ades.Ed25519}, []string{"32002"}},
		{"2.0", pades.Options{Digest: crypto.SHA256, Scheme: ades.RSAPSS}, nil},
		{"1.7", pades.Options{Digest: crypto.SHA3_256}, nil},
	} {
		out, _ := sign(t, padestest.Simple(padestest.Classic, c.version).Bytes(), c.options)
		again, _ := sign(t, out, c.options) // what is declared already is not declared twice
		f := open(t, again)
		extensions, _ := f.Dict(root(t, f).Get("Extensions"))
		list, _ := extensions.Get("ISO_").(pdf.Array)
		var levels []string
		for _, o := range list {
			levels = append(levels, dict(t, f, o).Get("ExtensionLevel").(pdf.Number).String())
		}
		if !slices.Equal(levels, c.want) {
			t.Errorf("%s %s %s: extensions %v, want %v", c.version, c.options.Digest, c.options.Scheme, levels, c.want)
		}
	}
}

// archival is a document that claims a part of PDF/A.
func archival(part int) padestest.Document {
	d := padestest.Simple(padestest.Classic, "1.4")
	xmp := fmt.Sprintf(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`+
		`<rdf:Description xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>%d</pdfaid:part></rdf:Description></rdf:RDF></x:xmpmeta>`, part)
	return d.With(20, fmt.Sprintf("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream", len(xmp), xmp)).
		With(1, strings.Replace(d.Objects[1], "<<", "<< /Metadata 20 0 R ", 1))
}

func TestPDFA1TakesNoTransparency(t *testing.T) {
	t.Parallel()
	mask := func(key pdf.Name, value pdf.Object) pades.Appearance {
		return func(u *pdf.Update, _, _ float64) (pdf.Ref, error) {
			image := u.Add(pdf.NewStream(pdf.NewDict(key, value), nil))
			resources := pdf.NewDict(pdf.Name("XObject"), pdf.NewDict(pdf.Name("Im0"), image))
			return u.Add(pdf.NewStream(pdf.NewDict(pdf.Name("Resources"), resources), nil)), nil
		}
	}
	prepare := func(part int, a pades.Appearance) error {
		_, err := pades.Prepare(open(t, archival(part).Bytes()), pades.Options{Rect: [4]float64{0, 0, 9, 9}, Appearance: a, M: signedAt})
		return err
	}
	wantCode(t, prepare(1, mask("SMask", pdf.Int(1))), text.InvalidInput)
	wantCode(t, prepare(1, mask("ca", pdf.Real(0.5))), text.InvalidInput)
	wantCode(t, prepare(1, mask("Group", pdf.NewDict())), text.InvalidInput)
	for part, a := range map[int]pades.Appearance{1: mask("ca", pdf.Real(1)), 2: mask("SMask", pdf.Int(1))} {
		if err := prepare(part, a); err != nil {
			t.Errorf("part %d: %v", part, err)
		}
	}
}

func TestPDFA1HasAnAppearanceEvenWhereNothingShows(t *testing.T) {
	t.Parallel()
	for part, want := range map[int]bool{1: true, 2: false} {
		out, _ := sign(t, archival(part).Bytes(), pades.Options{})
		if has := signatures(t, out)[0].FieldDict.Has("AP"); has != want {
			t.Errorf("part %d: appearance %t", part, has)
		}
	}
}

func TestNotesSayWhatASignerShouldKnow(t *testing.T) {
	t.Parallel()
	plain := padestest.Simple(padestest.Classic, "1.7")
	catalog := func(entries string) []byte {
		return plain.With(1, strings.Replace(plain.Objects[1], "<<", "<< "+entries+" ", 1)).Bytes()
	}
	page := func(resources string) []byte {
		return plain.With(3, fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << %s >> /Contents 4 0 R >>", resources)).Bytes()
	}
	certified, _ := sign(t, plain.Bytes(), pades.Options{Certify: 2})
	for name, c := range map[string]struct {
		data    []byte
		options pades.Options
		want    []pades.Note
	}{
		"nothing":            {plain.Bytes(), pades.Options{}, nil},
		"XFA":                {plain.WithForm("/XFA [(x) (y)]", nil).Bytes(), pades.Options{}, []pades.Note{pades.NoteXFA}},
		"appearances":        {plain.WithForm("/NeedAppearances true", nil).Bytes(), pades.Options{}, []pades.Note{pades.NoteNeedAppearances}},
		"a script":           {catalog("/OpenAction << /S /JavaScript /JS (x) >>"), pades.Options{}, []pades.Note{pades.NoteJavaScript}},
		"named scripts":      {catalog("/Names << /JavaScript << /Names [] >> >>"), pades.Options{}, []pades.Note{pades.NoteJavaScript}},
		"layers":             {catalog("/OCProperties << /OCGs [] >>"), pades.Options{}, []pades.Note{pades.NoteOptionalContent}},
		"usage rights":       {catalog("/Perms << /UR3 << /Type /Sig >> >>"), pades.Options{}, []pades.Note{pades.NoteUsageRights}},
		"a foreign font":     {page("/Font << /F << /Type /Font /Subtype /TrueType /BaseFont /VnTime >> >>"), pades.Options{}, []pades.Note{pades.NoteFontsNotEmbedded}},
		"a composite font":   {page("/Font << /F << /Type /Font /Subtype /Type0 /BaseFont /VnTime /DescendantFonts [<< /BaseFont /VnTime /FontDescriptor << /FontFile2 4 0 R >> >>] >> >>"), pades.Options{}, nil},
		"another's outlines": {page("/Font << /F << /Type /Font /Subtype /Type3 >> /G << /Subtype /TrueType /BaseFont /ArialMT >> >>"), pades.Options{}, nil},
		"another file":       {plain.With(4, "<< /Length 0 /F (x.txt) >>\nstream\n\nendstream").Bytes(), pades.Options{}, []pades.Note{pades.NoteExternalStream}},
		"a picture elsewhere": {plain.With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /X 9 0 R >> >> /Contents 4 0 R >>").
			With(9, "<< /Subtype /Image /Length 0 /F (x.png) >>\nstream\n\nendstream").Bytes(), pades.Options{}, []pades.Note{pades.NoteExternalStream}},
		"a certified file": {certified, pades.Options{NewFieldAfterCertify: true}, []pades.Note{pades.NoteNewFieldAfterCertify}},
	} {
		if notes, err := pades.Notes(open(t, c.data), c.options); err != nil || !slices.Equal(notes, c.want) {
			t.Errorf("%s: notes %v, %v, want %v", name, notes, err, c.want)
		}
	}
}

func TestTheDigestOfASeedValueMayBeSHA3(t *testing.T) {
	t.Parallel()
	data := form("/SV << /Ff 64 /DigestMethod [(SHA3-256)] >>").Bytes()
	o := pades.Options{FieldName: "NguoiKy", Digest: crypto.SHA3_256}
	if err := pades.Preflight(open(t, data), o); err != nil {
		t.Error(err)
	}
	o.Digest = crypto.SHA256
	wantCode(t, pades.Preflight(open(t, data), o), text.SeedValueUnmet)
	if !bytes.Contains(data, []byte("SHA3-256")) {
		t.Error("test file lost its condition")
	}
}
