package validation_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// ring is a picture of a ring in that colour on white paper, as a JPEG.
func ring(t *testing.T, c color.Color) []byte {
	t.Helper()
	const size = 120
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			img.Set(x, y, color.White)
			if d := (x-60)*(x-60) + (y-60)*(y-60); d < 58*58 && d > 50*50 {
				img.Set(x, y, c)
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pictured is a page that paints a picture of that size in points.
func pictured(jpg []byte, w, h int) []byte {
	return padestest.Simple(padestest.Classic, "1.7").
		With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /X 6 0 R >> >> /Contents 4 0 R >>").
		With(4, padestest.Body("", fmt.Sprintf("q %d 0 0 %d 300 100 cm /X Do Q", w, h))).
		With(6, padestest.Body("/Type /XObject /Subtype /Image /Width 120 /Height 120 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode ", string(jpg))).Bytes()
}

func shown(content string) []byte {
	return padestest.Simple(padestest.Classic, "1.7").With(4, padestest.Body("", content)).Bytes()
}

const circle = "1 0 0 RG 300 200 m 300 230 280 250 250 250 c 220 250 200 230 200 200 c 200 170 220 150 250 150 c 280 150 300 170 300 200 c S"

func TestPageThatLooksSignedIsCalledAPicture(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	red, blue := ring(t, color.RGBA{200, 20, 30, 255}), ring(t, color.RGBA{20, 30, 200, 255})
	for name, c := range map[string]struct {
		doc  []byte
		like bool
	}{
		"a picture of a seal":             {pictured(red, 100, 100), true},
		"a blue picture":                  {pictured(blue, 100, 100), false},
		"a red picture, page wide":        {pictured(red, 500, 500), false},
		"a red banner":                    {pictured(red, 200, 50), false},
		"a seal drawn":                    {shown(circle), true},
		"a black circle":                  {shown(strings.Replace(circle, "1 0 0 RG", "0 G", 1)), false},
		"a text block":                    {shown("BT /F1 10 Tf 12 TL 300 200 Td (Ky boi: NGUYEN VAN A) Tj T* (Thoi gian ky: 20/11/2026 10:20:30) Tj ET"), true},
		"a text block of another program": {shown("BT /F1 10 Tf 12 TL 300 200 Td (Digitally signed by) Tj T* (Nguyen Van A) Tj T* (Date: 2026.11.20 10:20:30 +07'00') Tj ET"), true},
		"prose about signatures":          {shown("BT /F1 10 Tf 72 700 Td (Chu ky so duoc ky boi nguoi co tham quyen theo quy dinh tai Dieu 5) Tj ET"), false},
		"a plain page":                    {plain(), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.judge(b.online(), c.doc)
			if r.Verdict != validation.Unsigned {
				t.Fatal(explain(r))
			}
			if got := strings.Contains(codes(r), string(validation.ReasonPicture)); got != c.like {
				t.Errorf("called a picture: %v; %s", got, explain(r))
			}
		})
	}
}

func TestAnnotationThatLooksSignedIsCalledAPictureBesideARealSignature(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	add := func(doc []byte, subtype pdf.Name, s *pdf.Stream, more ...any) []byte {
		return b.update(doc, func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 3).Clone()
			old, _ := f.Array(d.Get("Annots"))
			a := pdf.NewDict(more...)
			a.Set("Type", pdf.Name("Annot"))
			a.Set("Subtype", subtype)
			a.Set("Rect", pdf.Array{pdf.Int(300), pdf.Int(300), pdf.Int(400), pdf.Int(400)})
			a.Set("AP", pdf.NewDict("N", u.Add(s)))
			d.Set("Annots", append(old[:len(old):len(old)], u.Add(a)))
			u.Put(pdf.Ref{Num: 3}, d)
		})
	}
	signed := b.sign(plain(), pades.Options{Certify: 3}, as{})
	sealDrawing := drawn("0.02 0 0 0.02 0 0 cm 50 0 0 50 0 0 cm 1 0 0 RG 99 50 m 99 78 78 99 50 99 c 22 99 1 78 1 50 c 1 22 22 1 50 1 c 78 1 99 22 99 50 c S")
	for name, c := range map[string]struct {
		doc  []byte
		like bool
	}{
		"a stamp that reads signed": {add(signed, "Stamp", look("Ky boi: Tran Thi B  Ngay ky: 20/11/2026")), true},
		"a stamp that reads valid":  {add(signed, "Stamp", look("Signature valid")), true},
		"a stamp that is a seal":    {add(signed, "Stamp", sealDrawing), true},
		"a remark":                  {add(signed, "FreeText", look("Xem lai muc 2")), false},
		"the same before signing":   {b.sign(add(plain(), "Stamp", look("Ky boi: Tran Thi B  Ngay ky: 20/11/2026")), pades.Options{}, as{}), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.judge(b.online(), c.doc)
			if got := strings.Contains(codes(r), string(validation.ReasonPicture)); got != c.like {
				t.Errorf("called a picture: %v; %s", got, explain(r))
			}
		})
	}
	// The signature's own picture says who signed, as it should.
	own := b.sign(plain(), pades.Options{Page: 1, Rect: [4]float64{100, 100, 200, 200},
		Appearance: func(u *pdf.Update, _, _ float64) (pdf.Ref, error) {
			return u.Add(look("Ky boi: Nguyen Van An  Ngay ky: 20/11/2026")), nil
		}}, as{})
	expect(t, b.judge(b.online(), own), validation.Valid, "")
}
