package compose

import (
	"net/url"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
	"antin/signer/pdf/qr"
)

// The two blocks at the head of the first page, and the QR code's column below
// the left one.
const (
	rightBlock = 89.5 * mm
	leftBlock  = textWidth - rightBlock - 1*mm
	namesSize  = 12.0 // agency names and the name of the State
	aboutSize  = 12.0 // the subject of an official letter

	qrSize     = 24 * mm
	qrColumn   = 30 * mm
	qrMargin   = 3 * mm // the quiet zone: four modules of a 37-module code
	qrCaption  = 7.0
	fieldExtra = 1.25 // height of a text field in sizes of its type
)

const (
	leftCentre  = marginLeft + leftBlock/2
	rightCentre = marginLeft + textWidth - rightBlock/2
)

// header returns the head of the first page as one item: agency names, name of
// the State and motto, number and date, title, and the QR code.
func (in DocumentForm) header() (item, error) {
	left, err := in.agencyNames()
	if err != nil {
		return item{}, err
	}
	right, err := stateNames()
	if err != nil {
		return item{}, err
	}
	names := max(stack(left), stack(right)) + 8
	numberLeading := numberSize * bodyLeading / bodySize
	var about []item
	if in.Type == "" {
		about, err = centredLines(run(font.Regular, aboutSize, text.Get("compose.about", in.Subject).VI), leftCentre, leftBlock)
		if err != nil {
			return item{}, err
		}
	}
	title, err := in.title()
	if err != nil {
		return item{}, err
	}
	code, err := in.Verify.items()
	if err != nil {
		return item{}, err
	}
	upper := names + numberLeading + stack(about)
	lower := max(stack(title), stack(code))
	return item{height: upper + 14 + lower, keep: true, draw: func(p *page, top float64) error {
		if err := drawStack(p, left, top); err != nil {
			return err
		}
		if err := drawStack(p, right, top); err != nil {
			return err
		}
		if err := in.numberAndDate(p, baseline(top-names, numberSize, numberLeading)); err != nil {
			return err
		}
		if err := drawStack(p, about, top-names-numberLeading); err != nil {
			return err
		}
		if err := drawStack(p, code, top-upper-14); err != nil {
			return err
		}
		return drawStack(p, title, top-upper-14)
	}}, nil
}

func upper(s string) string { return strings.ToUpper(font.Normalise(s)) }

func (in DocumentForm) agencyNames() ([]item, error) {
	parent, err := centredLines(run(font.Regular, namesSize, upper(in.ParentAgency)), leftCentre, leftBlock)
	if err != nil {
		return nil, err
	}
	return underlined(parent, run(font.Bold, namesSize, upper(in.Agency)), leftCentre, leftBlock, 0.42)
}

func stateNames() ([]item, error) {
	nation, err := centredLines(run(font.Bold, namesSize, text.Get("compose.nation").VI), rightCentre, rightBlock)
	if err != nil {
		return nil, err
	}
	return underlined(nation, run(font.Bold, numberSize, text.Get("compose.motto").VI), rightCentre, rightBlock, 1)
}

// underlined appends r in lines of at most width points around x, and a rule
// under its last line that is share of that line long.
func underlined(items []item, r content.Run, x, width, share float64) ([]item, error) {
	lines, err := balance(r, width)
	if err != nil {
		return nil, err
	}
	more, err := centredLines(r, x, width)
	if err != nil || len(lines) == 0 {
		return items, err
	}
	last, err := lineWidth(lines[len(lines)-1], r.Size)
	if err != nil {
		return nil, err
	}
	items = append(items, more...)
	return append(items, item{space: 1, height: 3, draw: func(p *page, top float64) error {
		p.canvas.Stroke(content.Color{}, 0.75)
		p.canvas.Line(x-last*share/2, top, x+last*share/2, top)
		return nil
	}}), nil
}

// numberAndDate draws the line of number and date with its empty fields.
func (in DocumentForm) numberAndDate(p *page, y float64) error {
	number := []piece{
		{text: text.Get("compose.number").VI + " "},
		{field: FieldNumber, width: 36, label: "compose.field.number", align: 2, limit: 12},
		{text: "/" + in.Notation},
	}
	if in.Notation == "" {
		number = number[:2]
	}
	if err := p.pieces(number, font.Regular, leftCentre, y, leftBlock); err != nil {
		return err
	}
	place := in.Place
	if place != "" {
		place += ", "
	}
	return p.pieces([]piece{
		{text: place + text.Get("compose.day").VI + " "},
		{field: FieldDay, width: 17, label: "compose.field.day", align: 1, limit: 2},
		{text: " " + text.Get("compose.month").VI + " "},
		{field: FieldMonth, width: 17, label: "compose.field.month", align: 1, limit: 2},
		{text: " " + text.Get("compose.year").VI + " "},
		{field: FieldYear, width: 30, label: "compose.field.year", align: 1, limit: 4},
	}, font.Italic, rightCentre, y, rightBlock)
}

// title is the document type with its subject, or the addressees of a letter.
func (in DocumentForm) title() ([]item, error) {
	width := textWidth
	if in.Verify.URL != "" {
		width -= 2 * (qrColumn + qrMargin)
	}
	centre := marginLeft + textWidth/2
	if in.Type == "" {
		return in.addressees(centre)
	}
	kind, err := centredLines(run(font.Bold, bodySize, upper(in.Type)), centre, width)
	if err != nil {
		return nil, err
	}
	items, err := underlined(kind, run(font.Bold, bodySize, in.Subject), centre, width, 0.38)
	if err != nil || len(in.Addressees) == 0 {
		return items, err
	}
	to, err := in.addressees(centre)
	if err != nil {
		return nil, err
	}
	to[0].space += 10
	return append(items, to...), nil
}

// addressees sets one addressee behind the words "Kính gửi", several below them.
func (in DocumentForm) addressees(centre float64) ([]item, error) {
	to := text.Get("compose.to").VI
	switch len(in.Addressees) {
	case 0:
		return nil, nil
	case 1:
		return centredLines(run(font.Regular, bodySize, to+" "+in.Addressees[0]), centre, textWidth-2*(qrColumn+qrMargin))
	}
	x := marginLeft + qrColumn + qrMargin + 8*mm
	items, err := leftLines(run(font.Regular, bodySize, to), x, marginLeft+textWidth-x, 0)
	if err != nil {
		return nil, err
	}
	more, err := listed(in.Addressees, bodySize, x+20*mm, marginLeft+textWidth-x-20*mm)
	return append(items, more...), err
}

// listed sets lines that begin with a dash and end with a semicolon, the last
// one with a full stop, unless they end with a mark of their own.
func listed(lines []string, size, x, width float64) ([]item, error) {
	var items []item
	for i, s := range lines {
		s = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(s), "-– "))
		if s == "" {
			continue
		}
		if !strings.ContainsAny(s[len(s)-1:], ".;,:") {
			if s += ";"; i == len(lines)-1 {
				s = s[:len(s)-1] + "."
			}
		}
		more, err := leftLines(run(font.Regular, size, "- "+s), x, width, size*0.6)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

// items are the QR code and its caption, at the left edge of the text.
func (v Verify) items() ([]item, error) {
	if v.URL == "" {
		return nil, nil
	}
	x := marginLeft + (qrColumn-qrSize)/2
	if _, err := qr.Matrix(v.URL); err != nil {
		return nil, text.Detailed(text.InvalidInput, err, "compose.bad.url", qr.MaxContent)
	}
	items := []item{{height: qrSize + qrMargin, draw: func(p *page, top float64) error {
		drawing, err := qr.Draw(v.URL, x, top-qrSize, qrSize)
		p.canvas.Raw(drawing)
		return err
	}}}
	caption := []string{text.Get("compose.scan").VI, v.host()}
	if v.Code != "" {
		caption = append(caption, text.Get("compose.code", v.Code).VI)
	}
	for _, s := range caption {
		more, err := centredLines(run(font.Regular, qrCaption, s), marginLeft+qrColumn/2, qrColumn)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

// host is the part of the address that a reader types to reach the page.
func (v Verify) host() string {
	u, err := url.Parse(v.URL)
	if err != nil {
		return v.URL
	}
	return u.Host
}
