package validation_test

import (
	"slices"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

// TestAChangedNumberIsSaidWhole changes what a page shows in every way that content can:
// the sentence names the number before and the number after, not the pieces.
func TestAChangedNumberIsSaidWhole(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	show := func(parts ...string) string { return "BT /F1 12 Tf 72 700 Td " + strings.Join(parts, " ") + " ET\n" }
	const tail = "BT /F1 12 Tf 72 600 Td (dong) Tj ET\n"
	for name, c := range map[string]struct{ before, after, want string }{
		"replaced":                    {show("(3.000.000) Tj"), show("(8.000.000) Tj"), "Trang 1: “3.000.000” thành “8.000.000”."},
		"digits gained":               {show("(3.000) Tj"), show("(3.000.000) Tj"), "Trang 1: “3.000” thành “3.000.000”."},
		"digits lost":                 {show("(3.000.000) Tj"), show("(3.000) Tj"), "Trang 1: “3.000.000” thành “3.000”."},
		"digits set behind, later":    {show("(3.000) Tj") + tail, show("(3.000) Tj") + tail + "BT /F1 12 Tf 105.36 700 Td (.000) Tj ET", "Trang 1: “3.000” thành “3.000.000”."},
		"digits set in front, later":  {show("(3.000) Tj") + tail, show("(3.000) Tj") + tail + "BT /F1 12 Tf 65.33 700 Td (8) Tj ET", "Trang 1: “3.000” thành “83.000”."},
		"digits taken away":           {show("(3.000) Tj") + tail + "BT /F1 12 Tf 105.36 700 Td (.000) Tj ET", show("(3.000) Tj") + tail, "Trang 1: “3.000.000” thành “3.000”."},
		"another number drawn over":   {show("(3.000.000) Tj") + tail, show("(3.000.000) Tj") + tail + "1 g 70 695 80 20 re f 0 g " + show("(8.000.000) Tj"), "Trang 1: “3.000.000” thành “8.000.000”."},
		"a word of its own added":     {show("(3.000.000) Tj") + tail, show("(3.000.000) Tj") + tail + "BT /F1 12 Tf 300 300 Td (8.000.000) Tj ET", "Trang 1: thêm “8.000.000”."},
		"a word of its own removed":   {show("(3.000.000) Tj") + tail, tail, "Trang 1: mất “3.000.000”."},
		"a word of a sentence":        {show("(So tien 3.000.000 dong) Tj"), show("(So tien 8.000.000 dong) Tj"), "Trang 1: “3.000.000” thành “8.000.000”."},
		"a number where none was set": {show("(So tien dong) Tj"), show("(So tien 8.000.000 dong) Tj"), "Trang 1: thêm “8.000.000”."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			widths := "[" + strings.Repeat("556 ", 95) + "]"
			doc := padestest.Simple(padestest.Classic, "1.7").With(4, padestest.Body("", c.before)).
				With(5, "<< /Type /Font /Subtype /Type1 /BaseFont /Antin /Encoding /WinAnsiEncoding /FirstChar 32 /LastChar 126 /Widths "+widths+" >>")
			signed := b.sign(doc.Bytes(), pades.Options{}, as{})
			r := b.judge(b.online(), b.update(signed, func(_ *pdf.File, u *pdf.Update) {
				u.Put(pdf.Ref{Num: 4}, pdf.NewStream(pdf.NewDict(), []byte(c.after)))
			}))
			var said []string
			for _, change := range r.Changes {
				said = append(said, change.Message.VI)
			}
			if !slices.ContainsFunc(said, func(s string) bool { return strings.HasSuffix(s, c.want) }) {
				t.Errorf("said %q, want %q", said, c.want)
			}
		})
	}
}
