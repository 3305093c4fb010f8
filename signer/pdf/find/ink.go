package find

import (
	"math"

	"antin/signer/pdf"
)

// Ink is one painted thing other than text.
type Ink struct {
	// Box is the smallest box around it within what clips it: left, bottom, right, top
	// in points of the page's default user space, or of the form's own space.
	Box [4]float64
	// Image is the picture painted; nil for a path or a shading.
	Image *pdf.Stream
	// Opaque things hide what lies below them: filled and not see-through.
	Opaque bool
	// Red things are painted in a red that seals are: a path's own colour. For images
	// it is false, since their colours are in their data.
	Red bool
	// Curves counts the curved pieces of a path; a circle has four.
	Curves int
}

const (
	// maxInks bounds the things collected from one page; a map has more, and they do
	// not matter here.
	maxInks = 20_000
	// seeThrough is the opacity below which what lies under a thing is still read.
	seeThrough = 0.6
)

// Inks lists what the content of a page paints beside text, from page 1, in the order
// of the content. Limit and error are as for Words.
func Inks(f *pdf.File, number, limit int) ([]Ink, error) {
	list, _, err := pageInks(f, number, limit)
	return list, err
}

// pageInks also tells what is left of limit.
func pageInks(f *pdf.File, number, limit int) (list []Ink, left int, err error) {
	_, d, err := f.Page(number)
	if err != nil {
		return nil, limit, err
	}
	p := newPage(f, d)
	p.left = limit
	content, err := p.content()
	if err != nil {
		return nil, 0, err // it may have been decoded almost to its end
	}
	resources, _ := f.Dict(p.inherited("Resources"))
	b := &brush{page: p}
	b.state.reset(p.visible())
	err = b.run(content, resources, 0)
	return b.inks, p.left, err
}

// FormInks lists what a form XObject paints beside text. Limit and error are as for Words.
func FormInks(f *pdf.File, s *pdf.Stream, resources *pdf.Dict, limit int) ([]Ink, error) {
	list, _, err := formInks(f, s, resources, limit)
	return list, err
}

// formInks also tells what is left of limit.
func formInks(f *pdf.File, s *pdf.Stream, resources *pdf.Dict, limit int) (list []Ink, left int, err error) {
	p := newPage(f, pdf.NewDict())
	p.left = limit
	data, err := p.decode(s)
	if err != nil {
		return nil, 0, err // it may have been decoded almost to its end
	}
	if own, _ := f.Dict(s.Dict.Get("Resources")); own != nil {
		resources = own
	}
	b := &brush{page: p}
	box, ok := f.Rect(s.Dict.Get("BBox"))
	if !ok {
		box = everywhere
	}
	b.state.reset(box)
	err = b.run(data, resources, 0)
	return b.inks, p.left, err
}

// everywhere is a box that clips nothing.
var everywhere = [4]float64{-1e9, -1e9, 1e9, 1e9}

// brush runs content as far as it paints areas.
type brush struct {
	*page
	inks  []Ink
	state inkState
	saved []inkState

	box    [4]float64 // of the current path
	begun  bool
	curves int
	clips  bool // the current path becomes a clip when it is painted
}

type inkState struct {
	ctm          matrix
	clip         [4]float64
	fill, stroke [3]float64
	alpha        float64
	mixes        bool // a blend mode other than Normal: what lies below shows
}

func (s *inkState) reset(clip [4]float64) { *s = inkState{ctm: identity, clip: clip, alpha: 1} }

func (b *brush) run(content []byte, resources *pdf.Dict, depth int) error {
	s := &scanner{data: content}
	base, images := len(b.saved), 0
	for {
		op := s.next()
		for ; images < s.images; images++ {
			b.add(Ink{Box: b.square(), Opaque: b.opaque()})
		}
		if op == "" {
			b.saved = b.saved[:min(len(b.saved), base)]
			return nil
		}
		if len(b.inks) > maxInks {
			return errTooMuch
		}
		switch op {
		case "q":
			if len(b.saved) < maxSaved {
				b.saved = append(b.saved, b.state)
			}
		case "Q":
			if n := len(b.saved); n > base {
				b.state, b.saved = b.saved[n-1], b.saved[:n-1]
			}
		case "cm":
			b.state.ctm = s.matrix().then(b.state.ctm)
		case "Do":
			if err := b.object(resources, s.name(0), depth); err != nil {
				return err
			}
		case "gs":
			b.graphics(resources, s.name(0))
		default:
			if !b.path(op, s) {
				b.colour(op, s)
			}
		}
	}
}

// path carries out the operators that build and paint paths; false for any other.
func (b *brush) path(op string, s *scanner) bool {
	switch op {
	case "m", "l":
		b.reach(s.number(0), s.number(1))
	case "c":
		b.curves++
		for i := 0; i < 6; i += 2 {
			b.reach(s.number(i), s.number(i+1))
		}
	case "v", "y":
		b.curves++
		b.reach(s.number(0), s.number(1))
		b.reach(s.number(2), s.number(3))
	case "re":
		x, y, w, h := s.number(0), s.number(1), s.number(2), s.number(3)
		for _, p := range [][2]float64{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}} {
			b.reach(p[0], p[1])
		}
	case "W", "W*":
		b.clips = true
	case "f", "F", "f*", "B", "B*", "b", "b*":
		b.paint(Ink{Opaque: b.opaque(), Red: red(b.state.fill)})
	case "S", "s":
		b.paint(Ink{Red: red(b.state.stroke)})
	case "n":
		b.end()
	case "sh":
		b.add(Ink{Box: b.state.clip, Opaque: b.opaque()})
	default:
		return false
	}
	return true
}

func (b *brush) reach(x, y float64) {
	p := b.state.ctm.point(x, y)
	if !b.begun {
		b.box, b.begun = [4]float64{p[0], p[1], p[0], p[1]}, true
		return
	}
	b.box = [4]float64{min(b.box[0], p[0]), min(b.box[1], p[1]), max(b.box[2], p[0]), max(b.box[3], p[1])}
}

func (b *brush) paint(i Ink) {
	i.Box, i.Curves = b.box, b.curves
	if b.begun {
		b.add(i)
	}
	b.end()
}

// end drops the current path, after it has clipped where it was told to.
func (b *brush) end() {
	if b.clips && b.begun {
		b.state.clip = meet(b.state.clip, b.box)
	}
	b.begun, b.clips, b.curves = false, false, 0
}

func (b *brush) add(i Ink) {
	i.Box = meet(i.Box, b.state.clip)
	if i.Box[0] <= i.Box[2] && i.Box[1] <= i.Box[3] {
		b.inks = append(b.inks, i)
	}
}

// meet is the common part of two boxes; empty ones have their sides crossed.
func meet(a, b [4]float64) [4]float64 {
	return [4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])}
}

func (b *brush) opaque() bool { return b.state.alpha >= seeThrough && !b.state.mixes }

// square is where the unit square lies: images are painted onto it.
func (b *brush) square() [4]float64 {
	box := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, c := range [][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}} {
		p := b.state.ctm.point(c[0], c[1])
		box = [4]float64{min(box[0], p[0]), min(box[1], p[1]), max(box[2], p[0]), max(box[3], p[1])}
	}
	return box
}

// object paints an XObject.
func (b *brush) object(resources *pdf.Dict, name pdf.Name, depth int) error {
	objects, _ := b.f.Dict(resources.Get("XObject"))
	s, err := b.f.Stream(objects.Get(name))
	if err != nil || s == nil || depth >= maxForms {
		return nil //nolint:nilerr // what cannot be read shows nothing
	}
	switch subtype, _ := b.f.Name(s.Dict.Get("Subtype")); subtype {
	case "Image":
		mask, _ := b.f.Bool(s.Dict.Get("ImageMask"))
		masked := mask || s.Dict.Has("SMask") || s.Dict.Has("Mask")
		b.add(Ink{Box: b.square(), Image: s, Opaque: b.opaque() && !masked})
		return nil
	case "Form":
	default:
		return nil
	}
	if b.runs++; b.runs > maxFormRuns {
		return errTooMuch
	}
	b.left -= formCost
	data, err := b.decode(s)
	if err != nil {
		return err
	}
	if own, _ := b.f.Dict(s.Dict.Get("Resources")); own != nil {
		resources = own
	}
	before := b.state
	b.state.ctm = readMatrix(b.f, s.Dict.Get("Matrix")).then(b.state.ctm)
	if box, ok := b.f.Rect(s.Dict.Get("BBox")); ok {
		b.end()
		b.clips = true
		for _, p := range [][2]float64{{box[0], box[1]}, {box[2], box[1]}, {box[2], box[3]}, {box[0], box[3]}} {
			b.reach(p[0], p[1])
		}
		b.end()
	}
	err = b.run(data, resources, depth+1)
	b.state = before
	return err
}

// graphics takes what a graphics state says about transparency.
func (b *brush) graphics(resources *pdf.Dict, name pdf.Name) {
	all, _ := b.f.Dict(resources.Get("ExtGState"))
	d, _ := b.f.Dict(all.Get(name))
	if d == nil {
		return
	}
	if d.Has("ca") {
		if a, err := b.f.Number(d.Get("ca")); err == nil {
			b.state.alpha = a
		}
	}
	if d.Has("BM") {
		mode, _ := b.f.Name(d.Get("BM"))
		b.state.mixes = mode != "Normal" && mode != "Compatible"
	}
}

// colour carries out the operators that set a colour.
func (b *brush) colour(op string, s *scanner) {
	n := len(s.operands)
	switch op {
	case "g", "rg", "k", "sc", "scn":
		b.state.fill = rgb(s, n)
	case "G", "RG", "K", "SC", "SCN":
		b.state.stroke = rgb(s, n)
	}
}

// rgb reads one, three or four components as gray, RGB or CMYK.
func rgb(s *scanner, n int) [3]float64 {
	switch n {
	case 3:
		return [3]float64{s.number(0), s.number(1), s.number(2)}
	case 4:
		k := 1 - s.number(3)
		return [3]float64{(1 - s.number(0)) * k, (1 - s.number(1)) * k, (1 - s.number(2)) * k}
	}
	return [3]float64{s.number(0), s.number(0), s.number(0)}
}

func red(c [3]float64) bool { return c[0] > 0.55 && c[1] < 0.45*c[0]+0.1 && c[2] < 0.45*c[0]+0.1 }
