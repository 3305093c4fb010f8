package validation

import (
	"slices"
	"strings"

	"antin/certs"
	"antin/signer/pdf"
	"antin/signer/pdf/find"
)

// maxSealOverlap is the share of a person's signature that an agency's seal may lie
// over as a matter of course: by custom it covers about a third, on its left side.
const maxSealOverlap = 0.5

// minCovered is the share of a word's box that must be hidden for the word to count
// as covered: a frame that touches a line of text hides nothing.
const minCovered = 0.5

// overlap says what a later widget or annotation hides: earlier signatures, or the
// text of its page. An agency's seal over a part of a person's signature is only
// named; anything else is worth a note.
func (v *validation) overlap(f *finding, c *Change) {
	if f.widget == 0 || f.page == 0 || len(c.Box) != 4 {
		return
	}
	file := v.files[f.after+1]
	d := dictOf(file, refTo(file, f.widget))
	box := [4]float64(c.Box)
	if faint(file, d) || !v.visible(file, d) {
		return
	}
	painted, hidden := v.paintedBoxes(file, d, box)
	seal := v.sealIn(f)
	for _, s := range v.subjects {
		if s.timestamp() || s.revision < 0 || s.revision > f.after || s.sig.Page != f.page || s.sig.Field == f.field {
			continue
		}
		v.overSignature(f, c, s, box, painted, hidden, seal)
	}
	var under []string
	for _, w := range v.wordsUnder(f, hidden) {
		under = append(under, w.Text)
	}
	if len(under) > 0 {
		v.hides(f, c, ReasonOverText, cut(strings.Join(under, " ")))
	}
}

// overSignature judges what lies over the widget of one earlier signature.
func (v *validation) overSignature(f *finding, c *Change, s *subject, box, painted [4]float64, hidden [][4]float64, seal *subject) {
	area := areaOf(s.sig.Rect)
	if area == 0 {
		return
	}
	if seal != nil && isSeal(seal.cert) && seal.passed() {
		switch {
		case areaOf(common(s.sig.Rect, box)) == 0:
			return
		case areaOf(common(s.sig.Rect, painted)) <= maxSealOverlap*area:
			c.Message = join(c.Message, say("change.overlap.seal", seal.name(), s.name()))
			return
		}
		v.hides(f, c, ReasonOverSignature, s.name())
		return
	}
	if slices.ContainsFunc(hidden, func(h [4]float64) bool { return areaOf(common(s.sig.Rect, h)) > 0 }) {
		v.hides(f, c, ReasonOverSignature, s.name())
	}
}

// hides notes that a later thing lies over something.
func (v *validation) hides(f *finding, c *Change, code ReasonCode, what string) {
	m := say(reasonKey(code), what)
	c.Message = join(c.Message, m)
	v.report.because(ValidWithNotes, Reason{Code: code, Signature: "", Page: f.page, Message: m})
}

// sealIn is the signature that f put into its field; nil when f is something else.
func (v *validation) sealIn(f *finding) *subject {
	if f.kind != ChangeSignature {
		return nil
	}
	for _, s := range v.subjects {
		if s.sig.Field == f.field && s.revision == f.after+1 && !s.timestamp() {
			return s
		}
	}
	return nil
}

// isSeal reports whether a certificate is an organisation's and no person's: the
// subject carries an organisation's number (a tax number in UID, as national
// certificates do, or an organizationIdentifier) or is named like its organisation,
// and carries neither a personal number nor a person's names.
func isSeal(c *certs.Certificate) bool {
	if c == nil {
		return false
	}
	organisation := false
	names := map[string]string{}
	for _, a := range c.SubjectAttributes {
		names[a.Type] = a.Value
		switch a.Type {
		case "organizationIdentifier":
			organisation = true
		case "UID":
			id := strings.ToUpper(a.Value)
			if strings.HasPrefix(id, "CCCD") || strings.HasPrefix(id, "CMND") || strings.HasPrefix(id, "HC:") {
				return false
			}
			organisation = organisation || strings.HasPrefix(id, "MST:") || strings.HasPrefix(id, "MNS:")
		case "SN", "GN":
			return false
		}
	}
	return organisation || names["CN"] != "" && names["CN"] == names["O"]
}

// wordsUnder lists the words of f's page that lie under hidden boxes.
func (v *validation) wordsUnder(f *finding, hidden [][4]float64) []find.Word {
	if len(hidden) == 0 {
		return nil
	}
	var under []find.Word
	for _, w := range v.wordsOf(f.after+1, f.page) {
		if slices.ContainsFunc(hidden, func(h [4]float64) bool { return areaOf(common(w.Box, h)) > minCovered*areaOf(w.Box) }) {
			under = append(under, w)
		}
	}
	return under
}

// visible reports whether an annotation shows anything: its appearance, or what
// viewers draw in place of one. Signers give an empty appearance to what is not to
// be seen.
func (v *validation) visible(f *pdf.File, d *pdf.Dict) bool {
	s := normalAppearance(f, d)
	if s == nil {
		return viewerFills(f, d)
	}
	inks, err := v.room.FormInks(f, s, formResources(f), maxWordContent)
	return err != nil || len(inks) > 0 || len(v.appearanceWords(f, d)) > 0
}

// paintedBoxes says where an annotation paints anything beside text, on the page, and
// lists where what it paints hides what lies below.
func (v *validation) paintedBoxes(f *pdf.File, d *pdf.Dict, rect [4]float64) (painted [4]float64, hidden [][4]float64) {
	s := normalAppearance(f, d)
	if s == nil {
		return rect, [][4]float64{rect} // a shape that viewers fill
	}
	inks, err := v.room.FormInks(f, s, formResources(f), maxWordContent)
	if err != nil {
		return rect, [][4]float64{rect} // too much to be a plain look: taken at its size
	}
	inner, ok := f.Rect(s.Dict.Get("BBox"))
	plain := ok && !s.Dict.Has("Matrix") && areaOf(inner) > 0
	for i, ink := range inks {
		box := rect
		if plain {
			box = place4(ink.Box, inner, rect)
		}
		if i == 0 {
			painted = box
		}
		painted = [4]float64{min(painted[0], box[0]), min(painted[1], box[1]), max(painted[2], box[2]), max(painted[3], box[3])}
		if ink.Opaque && areaOf(box) > 0 {
			hidden = append(hidden, box)
		}
	}
	return painted, hidden
}

// place4 moves a box from the space of an appearance's BBox to its annotation's
// rectangle (ISO 32000-2, 12.5.5, without a matrix).
func place4(box, from, to [4]float64) [4]float64 {
	x := func(v float64) float64 { return to[0] + (v-from[0])/(from[2]-from[0])*(to[2]-to[0]) }
	y := func(v float64) float64 { return to[1] + (v-from[1])/(from[3]-from[1])*(to[3]-to[1]) }
	return [4]float64{x(box[0]), y(box[1]), x(box[2]), y(box[3])}
}

// faint reports whether an annotation is hidden, or drawn so that what lies below shows.
func faint(f *pdf.File, d *pdf.Dict) bool {
	flags, _ := f.Int(d.Get("F"))
	const hidden, noView = 1 << 1, 1 << 5
	opacity, err := f.Number(d.Get("CA"))
	return flags&(hidden|noView) != 0 || d.Has("CA") && err == nil && opacity < 0.6
}

// viewerFills reports whether viewers draw a filled shape for an annotation that
// brings no appearance.
func viewerFills(f *pdf.File, d *pdf.Dict) bool {
	subtype, _ := f.Name(d.Get("Subtype"))
	colour := func(key pdf.Name) bool { a, _ := f.Array(d.Get(key)); return len(a) > 0 }
	switch subtype {
	case "Square", "Circle", "Polygon":
		return colour("IC")
	case "FreeText":
		return colour("C")
	case "Widget":
		mk := dictOf(f, d.Get("MK"))
		a, _ := f.Array(mk.Get("BG"))
		return len(a) > 0
	}
	return false
}

// areaOf is the area of a box, 0 for an empty one.
func areaOf(b [4]float64) float64 {
	if b[2] <= b[0] || b[3] <= b[1] {
		return 0
	}
	return (b[2] - b[0]) * (b[3] - b[1])
}

func common(a, b [4]float64) [4]float64 {
	return [4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])}
}
