package find

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"antin/signer/pdf"
)

// Word is a run of glyphs with no space between them, and where it stands.
type Word struct {
	// Text is what the glyphs mean, in composed characters.
	Text string
	// Box is left, bottom, right, top in points of the page's default user space, or of
	// the form's own space.
	Box [4]float64
}

// Words lists the words that the content of a page shows, from page 1, in the order
// of the content; annotations are not part of it. Glyphs whose meaning the file does
// not state are left out. At most limit bytes of content are decoded. The error says
// why the page cannot be read, or that it is larger than that.
func Words(f *pdf.File, number, limit int) ([]Word, error) {
	list, _, err := pageWords(f, number, limit)
	return list, err
}

// pageWords also tells what is left of limit.
func pageWords(f *pdf.File, number, limit int) (list []Word, left int, err error) {
	_, d, err := f.Page(number)
	if err != nil {
		return nil, limit, err
	}
	p := newPage(f, d)
	p.left = limit
	if err := p.run(); err != nil {
		return nil, p.left, err
	}
	return words(p.glyphs), p.left, nil
}

// FormWords lists the words that a form XObject shows, such as an appearance; where
// it has no resources of its own, those given count. Limit and error are as for Words.
func FormWords(f *pdf.File, s *pdf.Stream, resources *pdf.Dict, limit int) ([]Word, error) {
	list, _, err := formWords(f, s, resources, limit)
	return list, err
}

// formWords also tells what is left of limit.
func formWords(f *pdf.File, s *pdf.Stream, resources *pdf.Dict, limit int) (list []Word, left int, err error) {
	p := newPage(f, pdf.NewDict())
	p.left = limit
	data, err := p.decode(s)
	if err != nil {
		return nil, 0, err // it may have been decoded almost to its end
	}
	if own, _ := f.Dict(s.Dict.Get("Resources")); own != nil {
		resources = own
	}
	if err := p.execute(data, resources, 0); err != nil {
		return nil, p.left, err
	}
	return words(p.glyphs), p.left, nil
}

// words puts glyphs together.
func words(glyphs []glyph) []Word {
	var list []Word
	from := 0
	var text strings.Builder
	end := func(to int) {
		if text.Len() > 0 {
			list = append(list, Word{Text: norm.NFC.String(text.String()), Box: boxOf(glyphs[from:to])})
			text.Reset()
		}
		from = to
	}
	for i, g := range glyphs {
		if i > 0 && apart(glyphs[i-1], g) {
			end(i)
		}
		if strings.TrimSpace(g.text) == "" {
			end(i)
			from = i + 1
			continue
		}
		if g.text != unknown {
			text.WriteString(strings.TrimSpace(g.text))
		}
	}
	end(len(glyphs))
	return list
}
