// Package appearance builds what a signature looks like on the page: the Form
// XObject that package pades puts under /AP /N of a signature's widget, or of a
// text field that is filled in the same revision. It follows Annex I of Decree
// 30/2020/NĐ-CP: a person's signature in blue, the agency's seal in red at its
// true size, and text blocks in black 10-point Times metrics. It signs nothing
// and places nothing by itself; SealRect and the Size functions tell callers what
// rectangle to ask for.
package appearance

import (
	"time"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// Builder adds the appearance for a box of w by h points, as the reader sees it,
// to u and returns its Form XObject. Builders are what pades.Options.Appearance takes. They may be
// called more than once and from several goroutines, each call with its own u.
type Builder = func(u *pdf.Update, w, h float64) (pdf.Ref, error)

// Colours of the decree: the person's ink, the seal's, and that of text.
var (
	ink   = content.Color{R: 0.05, G: 0.16, B: 0.66}
	red   = content.Color{R: 0.84, G: 0.05, B: 0.08}
	black = content.Color{}
)

// PointsPerMM converts millimetres to points.
const PointsPerMM = 72 / 25.4

// BlockSize is the size in points that the decree sets for signature text.
const BlockSize = 10

// vietnam is the zone in which official documents state times.
var vietnam = time.FixedZone("+07:00", 7*60*60)

// SigningTime writes t as the decree asks: date, time to the second and the zone
// of Vietnam, by ISO 8601.
func SigningTime(t time.Time) string { return t.In(vietnam).Format("2006-01-02T15:04:05-07:00") }

// adder is the part of pdf.Update and pdf.Builder that an appearance needs.
type adder = font.Adder

// drawing draws into a box of w by h points and names the XObjects that it uses.
type drawing func(c *content.Canvas, a adder, w, h float64) (images *pdf.Dict, err error)

// builder wraps d. The box is the one that the reader sees: package pades turns
// the result back on a rotated page.
func builder(d drawing) Builder {
	return func(u *pdf.Update, w, h float64) (pdf.Ref, error) { return form(u, w, h, d) }
}

func form(a adder, w, h float64, d drawing) (pdf.Ref, error) {
	if !(w > 0 && h > 0) {
		return pdf.Ref{}, text.Detailed(text.InvalidInput, nil, "appearance.empty")
	}
	c := &content.Canvas{Fonts: &font.Set{}}
	images, err := d(c, a, w, h)
	if err != nil {
		return pdf.Ref{}, err
	}
	resources := pdf.NewDict()
	fonts, err := c.Fonts.Embed(a)
	if err != nil {
		return pdf.Ref{}, err
	}
	if fonts.Len() > 0 {
		resources.Set("Font", fonts)
	}
	if images.Len() > 0 {
		resources.Set("XObject", images)
	}
	return a.Add(pdf.NewFlateStream(pdf.NewDict(pdf.Name("Type"), pdf.Name("XObject"), pdf.Name("Subtype"), pdf.Name("Form"),
		pdf.Name("BBox"), pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Real(w), pdf.Real(h)}, pdf.Name("Resources"), resources), c.Bytes())), nil
}
