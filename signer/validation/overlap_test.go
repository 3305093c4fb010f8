package validation_test

import (
	"fmt"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// drawn is a form XObject of 100 by 100 points with that content.
func drawn(content string) *pdf.Stream {
	return pdf.NewStream(pdf.NewDict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"), "BBox",
		pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(100), pdf.Int(100)},
		"Resources", pdf.NewDict("ExtGState", pdf.NewDict("Thin", pdf.NewDict("ca", pdf.Int(0))))), []byte(content))
}

const (
	filledSquare = "1 0 0 rg 0 0 100 100 re f"
	thinSquare   = "/Thin gs 1 0 0 rg 0 0 100 100 re f"
	frameOnly    = "1 0 0 RG 0 0 100 100 re S"
)

// place puts an appearance into a document and gives it to a signature field at rect,
// so that what is signed next shows there.
func (b *bench) place(doc []byte, field int, rect [4]int64, content string) []byte {
	return b.update(doc, func(f *pdf.File, u *pdf.Update) {
		d := dictionary(b.t, f, field).Clone()
		d.Set("Rect", pdf.Array{pdf.Int(rect[0]), pdf.Int(rect[1]), pdf.Int(rect[2]), pdf.Int(rect[3])})
		d.Set("AP", pdf.NewDict("N", u.Add(drawn(content))))
		u.Put(pdf.Ref{Num: field}, d)
	})
}

// overlapping is a result whose person signs at [100 100 200 200] and whose seal lies
// at rect with that look; text stands at 100, 500.
func (b *bench) overlapping(rect [4]int64, content string, who *certstest.Entity) []byte {
	b.t.Helper()
	doc := padestest.Simple(padestest.Classic, "1.7").With(4, padestest.Body("", "BT /F1 20 Tf 100 500 Td (3.000.000 dong) Tj ET")).
		WithForm("", map[int]string{personField: padestest.SigField("NguoiKy", ""), sealField: padestest.SigField("CoQuan", "")}).Bytes()
	doc = b.place(doc, personField, [4]int64{100, 100, 200, 200}, frameOnly)
	doc = b.place(doc, sealField, rect, frameOnly)
	doc = b.sign(doc, pades.Options{FieldName: "NguoiKy", Existing: true}, as{})
	return b.sign(doc, pades.Options{FieldName: "CoQuan", Existing: true, Appearance: stamped(content)}, as{who: who})
}

// stamped draws a signature by a content of 100 by 100 points.
func stamped(content string) pades.Appearance {
	return func(u *pdf.Update, _, _ float64) (pdf.Ref, error) { return u.Add(drawn(content)), nil }
}

func TestWhatLiesOverASignatureOrTextIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	seal, person := b.Signer(certstest.RoleSealA), b.Leader()
	for name, c := range map[string]struct {
		rect    [4]int64
		content string
		who     *certstest.Entity
		code    validation.ReasonCode
		says    string
	}{
		"a seal beside the signature":                     {[4]int64{300, 100, 400, 200}, filledSquare, seal, "", ""},
		"a seal over a third":                             {[4]int64{33, 100, 133, 200}, filledSquare, seal, "", "đúng thể thức"},
		"a seal over exactly half":                        {[4]int64{50, 100, 150, 200}, filledSquare, seal, "", "đúng thể thức"},
		"a seal over more than half":                      {[4]int64{52, 100, 152, 200}, filledSquare, seal, validation.ReasonOverSignature, "che lên chữ ký “NguoiKy”"},
		"a person's look over a third":                    {[4]int64{33, 100, 133, 200}, filledSquare, person, validation.ReasonOverSignature, "che lên chữ ký “NguoiKy”"},
		"a person's frame over a third hides nothing":     {[4]int64{33, 100, 133, 200}, frameOnly, person, "", ""},
		"a person's thin look over a third hides nothing": {[4]int64{33, 100, 133, 200}, thinSquare, person, "", ""},
		"a seal over text":                                {[4]int64{90, 490, 190, 590}, filledSquare, seal, validation.ReasonOverText, "3.000.000"},
		"a seal's frame over text":                        {[4]int64{90, 490, 190, 590}, frameOnly, seal, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.judge(b.online(), b.overlapping(c.rect, c.content, c.who))
			want := validation.Valid
			if c.code != "" {
				want = validation.ValidWithNotes
			}
			expect(t, r, want, c.code)
			if said := fmt.Sprint(r.Changes); c.says != "" && !strings.Contains(said, c.says) {
				t.Error(said)
			}
		})
	}
}

func TestAnnotationOverASignatureOrTextIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	doc := padestest.Simple(padestest.Classic, "1.7").With(4, padestest.Body("", "BT /F1 20 Tf 100 500 Td (3.000.000 dong) Tj ET")).
		WithForm("", map[int]string{personField: padestest.SigField("NguoiKy", "")}).Bytes()
	doc = b.place(doc, personField, [4]int64{100, 100, 200, 200}, frameOnly)
	signed := b.sign(doc, pades.Options{FieldName: "NguoiKy", Existing: true, Certify: 3}, as{})
	annotate := func(rect [4]int64, more ...any) []byte {
		return b.update(signed, func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 3).Clone()
			old, _ := f.Array(d.Get("Annots"))
			a := pdf.NewDict(more...)
			a.Set("Type", pdf.Name("Annot"))
			a.Set("Rect", pdf.Array{pdf.Int(rect[0]), pdf.Int(rect[1]), pdf.Int(rect[2]), pdf.Int(rect[3])})
			if s, drawn := a.Get("AP").(*pdf.Stream); drawn {
				a.Set("AP", pdf.NewDict("N", u.Add(s)))
			}
			d.Set("Annots", append(old[:len(old):len(old)], u.Add(a)))
			u.Put(pdf.Ref{Num: 3}, d)
		})
	}
	onText, onSignature, apart := [4]int64{90, 490, 290, 530}, [4]int64{190, 190, 290, 290}, [4]int64{300, 300, 400, 400}
	square, white := pdf.Name("Square"), pdf.Array{pdf.Int(1)}
	for name, c := range map[string]struct {
		doc  []byte
		code validation.ReasonCode
	}{
		"over text":                {annotate(onText, "Subtype", pdf.Name("FreeText"), "AP", drawn(filledSquare)), validation.ReasonOverText},
		"over a signature's edge":  {annotate(onSignature, "Subtype", pdf.Name("Stamp"), "AP", drawn(filledSquare)), validation.ReasonOverSignature},
		"elsewhere":                {annotate(apart, "Subtype", pdf.Name("Stamp"), "AP", drawn(filledSquare)), ""},
		"filled by the viewer":     {annotate(onText, "Subtype", square, "IC", white), validation.ReasonOverText},
		"a frame by the viewer":    {annotate(onText, "Subtype", square), ""},
		"hidden":                   {annotate(onText, "Subtype", square, "IC", white, "F", pdf.Int(2)), ""},
		"see-through":              {annotate(onText, "Subtype", square, "IC", white, "CA", b.real("0.2")), ""},
		"a frame drawn":            {annotate(onText, "Subtype", square, "AP", drawn(frameOnly)), ""},
		"a part of the box filled": {annotate(onText, "Subtype", square, "AP", drawn("0 90 5 5 re f")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.judge(b.online(), c.doc)
			expect(t, r, validation.ValidWithNotes, validation.ReasonChangeAllowed)
			if c.code != "" {
				expect(t, r, validation.ValidWithNotes, c.code)
			} else if got := codes(r); got != string(validation.ReasonChangeAllowed) {
				t.Error(got)
			}
		})
	}
}
