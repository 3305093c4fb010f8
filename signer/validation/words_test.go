package validation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// price is a page of text whose fourth word is an amount.
func price(amount string) string {
	return "BT /F1 12 Tf 72 700 Td (Tong cong la " + amount + " dong) Tj 0 -20 Td (Dieu 2) Tj ET\n"
}

// secondPage is a document whose second page holds that content.
func secondPage(content string) padestest.Document {
	return padestest.Simple(padestest.Classic, "1.7").
		With(2, "<< /Type /Pages /Kids [3 0 R 20 0 R] /Count 2 >>").
		With(20, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 21 0 R >>").
		With(21, padestest.Body("", content))
}

// one returns the only change that says words.
func one(t *testing.T, r *validation.Report) validation.Change {
	t.Helper()
	var found []validation.Change
	for _, c := range r.Changes {
		if len(c.Words) > 0 {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d changes say words: %+v", len(found), r.Changes)
	}
	return found[0]
}

func TestChangedPageContentIsSaidInWordsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(secondPage(price("3.000.000")).Bytes(), pades.Options{}, as{})
	stream := func(amount string) *pdf.Stream { return pdf.NewStream(pdf.NewDict(), []byte(price(amount))) }
	for name, c := range map[string]struct {
		edit          func(f *pdf.File, u *pdf.Update)
		before, after string
		path          string
	}{
		"the stream overridden": {func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 21}, stream("8.000.000")) },
			"3.000.000", "8.000.000", "page 2/Contents"},
		"another stream": {func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 20).Clone()
			d.Set("Contents", u.Add(stream("8.000.000")))
			u.Put(pdf.Ref{Num: 20}, d)
		}, "3.000.000", "8.000.000", "page 2/Contents"},
		"words added": {func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 21}, stream("3.000.000 cong 8")) },
			"", "cong 8", "page 2/Contents"},
		"words gone": {func(_ *pdf.File, u *pdf.Update) { u.Put(pdf.Ref{Num: 21}, stream("")) },
			"3.000.000", "", "page 2/Contents"},
		"the page exchanged for another object": {func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, 20).Clone()
			d.Set("Contents", u.Add(stream("8.000.000")))
			tree := dictionary(t, f, 2).Clone()
			tree.Set("Kids", pdf.Array{pdf.Ref{Num: 3}, u.Add(d)})
			u.Put(pdf.Ref{Num: 2}, tree)
		}, "3.000.000", "8.000.000", "trailer/Root/Pages"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.judge(b.online(), b.update(signed, c.edit))
			expect(t, r, validation.Invalid, validation.ReasonChanged)
			got := one(t, r)
			if got.Page != 2 || got.Revision != 3 || got.Allowed || got.Path != c.path || len(got.Words) != 1 ||
				got.Words[0].Before != c.before || got.Words[0].After != c.after || got.Words[0].Page != 2 {
				t.Errorf("%+v", got)
			}
			if len(got.Box) != 4 || got.Box[1] != 700 || got.Box[3] != 712 || got.Box[0] <= 72 {
				t.Errorf("box %v", got.Box)
			}
			if c.before != "" && c.after != "" && !strings.Contains(got.Message.VI, "Trang 2: “3.000.000” thành “8.000.000”.") {
				t.Error(got.Message.VI)
			}
		})
	}
}

func TestSeveralDifferencesOfAPageAreSaidApart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	content := func(who, amount string) string {
		return "BT /F1 12 Tf 72 700 Td (Ong " + who + " nhan so tien " + amount + " dong) Tj ET\n"
	}
	signed := b.sign(secondPage(content("An", "3.000")).Bytes(), pades.Options{}, as{})
	r := b.judge(b.online(), b.update(signed, func(_ *pdf.File, u *pdf.Update) {
		u.Put(pdf.Ref{Num: 21}, pdf.NewStream(pdf.NewDict(), []byte(content("Binh", "8.000"))))
	}))
	var said []string
	for _, w := range one(t, r).Words {
		said = append(said, w.Before+">"+w.After)
	}
	if !slices.Equal(said, []string{"An>Binh", "3.000>8.000"}) {
		t.Error(said)
	}
}

// look is an appearance that shows s.
func look(s string) *pdf.Stream {
	return pdf.NewStream(pdf.NewDict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"), "BBox",
		pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(200), pdf.Int(20)},
		"Resources", pdf.NewDict("Font", pdf.NewDict("F1", pdf.NewDict("Type", pdf.Name("Font"), "Subtype", pdf.Name("Type1"), "BaseFont", pdf.Name("Helvetica"))))),
		fmt.Appendf(nil, "/Tx BMC BT /F1 10 Tf 2 5 Td (%s) Tj ET EMC", s))
}

func TestFieldIsSaidAsItReadsAndAsItLooks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	filled := b.update(result(padestest.Classic), func(f *pdf.File, u *pdf.Update) {
		d := dictionary(t, f, numberField).Clone()
		d.Set("V", pdf.TextString("12"))
		d.Set("AP", pdf.NewDict("N", u.Add(look("12"))))
		u.Put(pdf.Ref{Num: numberField}, d)
	})
	signed := b.sign(filled, pades.Options{Certify: 2}, as{})
	set := func(value, shown string) []byte {
		return b.update(signed, func(f *pdf.File, u *pdf.Update) {
			d := dictionary(t, f, numberField).Clone()
			d.Set("V", pdf.TextString(value))
			d.Set("AP", pdf.NewDict("N", u.Add(look(shown))))
			u.Put(pdf.Ref{Num: numberField}, d)
		})
	}
	for name, c := range map[string]struct {
		doc           []byte
		before, after string
		says          string
	}{
		"value and look":     {set("13", "13"), "12", "13", "“12” bị đổi thành “13”"},
		"the look alone":     {set("12", "99"), "12", "99", "hiển thị “99” trong khi giá trị là “12”"},
		"look against value": {set("13", "99"), "12", "99", "hiển thị “99” trong khi giá trị là “13”"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.judge(b.online(), c.doc)
			expect(t, r, validation.ValidWithNotes, validation.ReasonChangeAllowed)
			got := one(t, r)
			if got.Words[0].Before != c.before || got.Words[0].After != c.after || !strings.Contains(got.Message.VI, c.says) || len(got.Box) != 4 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAddedAnnotationIsSaidWithWhatItStates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.sign(plain(), pades.Options{Certify: 3}, as{})
	r := b.judge(b.online(), b.update(signed, func(f *pdf.File, u *pdf.Update) {
		d := dictionary(t, f, 3).Clone()
		old, _ := f.Array(d.Get("Annots"))
		d.Set("Annots", append(old[:len(old):len(old)], u.Add(pdf.NewDict("Type", pdf.Name("Annot"), "Subtype", pdf.Name("FreeText"),
			"Rect", pdf.Array{pdf.Int(10), pdf.Int(20), pdf.Int(110), pdf.Int(40)}, "AP", pdf.NewDict("N", u.Add(look("8.000.000")))))))
		u.Put(pdf.Ref{Num: 3}, d)
	}))
	expect(t, r, validation.ValidWithNotes, validation.ReasonChangeAllowed)
	got := one(t, r)
	if got.Words[0].After != "8.000.000" || !slices.Equal(got.Box, []float64{10, 20, 110, 40}) || got.Path != "page 1/Annots" ||
		!strings.Contains(got.Message.VI, "8.000.000") {
		t.Errorf("%+v", got)
	}
}
