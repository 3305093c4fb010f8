package compose

import (
	"strings"
	"time"
	"unicode/utf8"

	"antin/internal/text"
	"antin/signer/pdf/font"
)

// SheetForm is a plain paper that is no official document: a title and text, such
// as a validation report. It has no State header, no number and no fields.
type SheetForm struct {
	// Agency stands above the title; may be empty.
	Agency string
	// Title is set in the middle, and is the document's title; required.
	Title string
	// Body is the text.
	Body []Block
	// Created is written as the document's creation time; required.
	Created time.Time
}

// Sheet returns in as PDF. Characters that the fonts lack are shown as "?", since
// a sheet repeats what others wrote. Other errors are those of Result.
func Sheet(in SheetForm) ([]byte, error) {
	d := DocumentForm{Agency: in.Agency, Subject: in.Title, Body: in.Body, Created: in.Created}
	switch {
	case strings.TrimSpace(in.Title) == "":
		return nil, text.Detailed(text.InvalidInput, nil, "compose.missing.subject")
	case in.Created.IsZero():
		return nil, text.Detailed(text.InvalidInput, nil, "compose.missing.created")
	}
	if err := d.checkLength(); err != nil {
		return nil, err
	}
	shown, err := newShowable()
	if err != nil {
		return nil, err
	}
	d.Agency, d.Subject, d.Body = shown.line(d.Agency), shown.line(d.Subject), shown.blocks(d.Body)
	fonts := &font.Set{}
	var items []item
	if d.Agency != "" {
		if items, err = centredLines(run(font.Regular, numberSize, d.Agency), marginLeft+textWidth/2, textWidth); err != nil {
			return nil, err
		}
	}
	title, err := centredLines(run(font.Bold, bodySize, d.Subject), marginLeft+textWidth/2, textWidth)
	if err != nil {
		return nil, err
	}
	title[0].space = 2 * bodySpace
	main, err := body(d.Body)
	if err != nil {
		return nil, err
	}
	items = append(append(items, title...), main...)
	for i := range len(items) - len(main) {
		items[i].keep = true
	}
	pages, err := paginate(fonts, items)
	if err != nil {
		return nil, err
	}
	return d.write(pages, fonts)
}

// showable replaces what the fonts cannot show.
type showable struct{ faces []*font.Face }

func newShowable() (*showable, error) {
	s := &showable{}
	for _, style := range []font.Style{font.Regular, font.Bold, font.Italic} {
		f, err := font.Load(style)
		if err != nil {
			return nil, err
		}
		s.faces = append(s.faces, f)
	}
	return s, nil
}

func (s *showable) line(t string) string {
	t = font.Normalise(t)
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == ' ' {
			return r
		}
		for _, f := range s.faces {
			if _, err := f.Glyph(r); err != nil || r == utf8.RuneError {
				return '?'
			}
		}
		return r
	}, t)
}

func (s *showable) blocks(in []Block) []Block {
	out := make([]Block, 0, len(in))
	for _, b := range in {
		switch b := b.(type) {
		case Heading:
			out = append(out, Heading{s.line(b.Text)})
		case Paragraph:
			out = append(out, Paragraph{Lead: s.line(b.Lead), Text: s.line(b.Text), Italic: b.Italic})
		case Table:
			t := Table{}
			for _, c := range b.Columns {
				c.Title = s.line(c.Title)
				t.Columns = append(t.Columns, c)
			}
			for _, row := range b.Rows {
				var cells []string
				for _, c := range row {
					cells = append(cells, s.line(c))
				}
				t.Rows = append(t.Rows, cells)
			}
			out = append(out, t)
		}
	}
	return out
}
