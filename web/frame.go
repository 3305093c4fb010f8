package web

import (
	"image"
	"unicode/utf8"

	"antin/web/render"
)

// frame is a signature's place on a page with its verdict beside it, in pixels of
// the page's image.
type frame struct {
	place
	N            int
	Class        string
	Icon, Word   string
	TextX, TextY int
}

// The label of a frame, in pixels of a page image: legible at half its size.
const (
	labelHeight = 34
	labelLetter = 18 // about the width of a capital
	labelGap    = 12
)

// tags are the signatures that stand on page n, also those that show nothing there.
func (x exhibit) tags(p *page, n int) (out []tag) {
	if x.report == nil {
		return nil
	}
	for i, s := range x.report.Signatures {
		if s.Page == n {
			v := viewSignature(p.Lang, s, x.from)
			out = append(out, tag{N: i + 1, Who: v.Who, Verdict: signatureVerdict(p.Lang, s)})
		}
	}
	return out
}

// frames are drawn around the signatures that show on page n, each with its label
// where it hides nothing: neither print nor another frame or label.
func (x exhibit) frames(p *page, n int, drawn render.Page) (out []frame) {
	if x.report == nil {
		return nil
	}
	var taken []image.Rectangle
	for i, s := range x.report.Signatures {
		if s.Page != n {
			continue
		}
		r, ok := drawn.Pixels(s.Box)
		if !ok {
			continue
		}
		v := signatureVerdict(p.Lang, s)
		out = append(out, frame{place: place{X: r.Min.X, Y: r.Min.Y, W: r.Dx(), H: r.Dy()}, N: i + 1, Class: v.Class, Icon: v.Icon, Word: v.Word})
		taken = append(taken, r)
	}
	if len(out) == 0 {
		return nil
	}
	ink := x.ink(drawn)
	for i := range out {
		taken = append(taken, out[i].put(drawn, ink, taken))
	}
	return out
}

// put places the label of f and returns the room it takes.
func (f *frame) put(drawn render.Page, ink render.Ink, taken []image.Rectangle) image.Rectangle {
	wide := labelLetter * (utf8.RuneCountInString(f.Icon+f.Word) + 1)
	middle := f.Y + (f.H-labelHeight)/2
	var room image.Rectangle
	for i, at := range []image.Point{
		{f.X, f.Y - labelHeight}, {f.X + f.W + labelGap, middle}, {f.X - wide - labelGap, middle}, {f.X - wide - labelGap, f.Y},
		{f.X, f.Y + f.H}, {f.X + f.W - wide, f.Y + f.H}, {f.X, f.Y + f.H + labelHeight}, {f.X + f.W - wide, f.Y + f.H + labelHeight},
		{f.X - wide - labelGap, f.Y + f.H - labelHeight}, {f.X, f.Y - 2*labelHeight}, {f.X, f.Y + f.H + 2*labelHeight},
	} {
		here := image.Rectangle{at, at.Add(image.Pt(wide, labelHeight))}
		if i == 0 { // where it goes when nothing is free: above, as far as the page allows
			room = here.Add(image.Pt(min(0, drawn.Width-here.Max.X), max(0, -here.Min.Y)))
		}
		if here.In(image.Rect(0, 0, drawn.Width, drawn.Height)) && !overlaps(here, taken) && ink.Free(here) {
			room = here
			break
		}
	}
	f.TextX, f.TextY = room.Min.X, room.Max.Y-9
	return room
}

func overlaps(r image.Rectangle, taken []image.Rectangle) bool {
	for _, t := range taken {
		if r.Overlaps(t) {
			return true
		}
	}
	return false
}
