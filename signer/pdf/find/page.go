package find

import (
	"errors"
	"math"

	"antin/signer/pdf"
)

const (
	// maxForms bounds the nesting of form XObjects; real pages have three levels.
	maxForms = 16
	// maxSaved bounds the graphics states saved at a time.
	maxSaved = 512
	// maxFormRuns bounds how many forms one page draws: a form drawn by forms that
	// are drawn by forms would otherwise multiply.
	maxFormRuns = 5_000
)

var errTooMuch = errors.New("find: page has too much content")

// state is what of the graphics state matters to text.
type state struct {
	ctm                matrix
	font               *font
	size               float64
	charSpace, wordGap float64
	scale              float64 // Tz as a factor
	leading, rise      float64
}

// page runs the content of one page.
type page struct {
	f      *pdf.File
	dict   *pdf.Dict
	glyphs []glyph
	fonts  map[pdf.Ref]*font
	runs   int
	left   int // bytes of content that may still be decoded

	now         state
	saved       []state
	text, lines matrix
}

func newPage(f *pdf.File, d *pdf.Dict) *page {
	return &page{f: f, dict: d, fonts: map[pdf.Ref]*font{}, now: state{ctm: identity, scale: 1}, text: identity, lines: identity, left: maxPageContent}
}

func (p *page) inherited(key pdf.Name) pdf.Object {
	o, err := p.f.Inherited(p.dict, key)
	if err != nil {
		return nil
	}
	return o
}

func (p *page) rotation() int {
	n, err := p.f.Int(p.inherited("Rotate"))
	if err != nil {
		return 0
	}
	return int((n%360 + 360) % 360)
}

// visible is the crop box within the media box.
func (p *page) visible() [4]float64 {
	media, ok := p.f.Rect(p.inherited("MediaBox"))
	crop, cropped := p.f.Rect(p.inherited("CropBox"))
	switch {
	case !ok:
		return [4]float64{0, 0, 612, 792} // what readers take in its absence: Letter
	case !cropped:
		return media
	}
	return [4]float64{max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3])}
}

// run executes the page's content.
func (p *page) run() error {
	content, err := p.content()
	if err != nil {
		return err
	}
	resources, _ := p.f.Dict(p.inherited("Resources"))
	return p.execute(content, resources, 0)
}

// content is the page's content streams as one (ISO 32000-2, 7.8.2).
func (p *page) content() ([]byte, error) {
	o, err := p.f.Resolve(p.dict.Get("Contents"))
	if err != nil || o == nil {
		return nil, err
	}
	parts, isArray := o.(pdf.Array)
	if !isArray {
		parts = pdf.Array{o}
	}
	var all []byte
	for _, part := range parts {
		r, err := p.f.Resolve(part)
		if err != nil {
			return nil, err
		}
		s, ok := r.(*pdf.Stream)
		if !ok {
			continue
		}
		data, err := p.decode(s)
		if err != nil {
			return nil, err
		}
		all = append(append(all, data...), '\n')
		if len(all) >= maxContent {
			return nil, errTooMuch
		}
	}
	return all, nil
}

// decode decodes a content stream within what the page may still cost: a form that
// is drawn a thousand times is decoded a thousand times.
func (p *page) decode(s *pdf.Stream) ([]byte, error) {
	if p.left <= 0 {
		return nil, errTooMuch
	}
	data, err := p.f.Decode(s, int64(min(maxContent, p.left)))
	p.left -= len(data) + 1
	return data, err
}

func (p *page) execute(content []byte, resources *pdf.Dict, depth int) error {
	s := &scanner{data: content}
	base := len(p.saved)
	for {
		op := s.next()
		if op == "" {
			p.saved = p.saved[:min(len(p.saved), base)]
			return nil
		}
		if len(p.glyphs) > maxGlyphs {
			return errTooMuch
		}
		switch op {
		case "q":
			if len(p.saved) < maxSaved {
				p.saved = append(p.saved, p.now)
			}
		case "Q":
			if n := len(p.saved); n > base {
				p.now, p.saved = p.saved[n-1], p.saved[:n-1]
			}
		case "cm":
			p.now.ctm = s.matrix().then(p.now.ctm)
		case "Do":
			if err := p.form(resources, s.name(0), depth); err != nil {
				return err
			}
		case "Tf":
			p.now.font, p.now.size = p.fontOf(resources, s.name(0)), s.number(1)
		default:
			p.textOperator(op, s)
		}
	}
}

// textOperator carries out the operators of text state, positioning and showing.
func (p *page) textOperator(op string, s *scanner) {
	switch op {
	case "BT":
		p.text, p.lines = identity, identity
	case "Tc":
		p.now.charSpace = s.number(0)
	case "Tw":
		p.now.wordGap = s.number(0)
	case "Tz":
		p.now.scale = s.number(0) / 100
	case "TL":
		p.now.leading = s.number(0)
	case "Ts":
		p.now.rise = s.number(0)
	case "Td":
		p.move(s.number(0), s.number(1))
	case "TD":
		p.now.leading = -s.number(1)
		p.move(s.number(0), s.number(1))
	case "Tm":
		p.text = s.matrix()
		p.lines = p.text
	case "T*":
		p.move(0, -p.now.leading)
	case "Tj":
		p.showOperand(s, 0)
	case "'":
		p.move(0, -p.now.leading)
		p.showOperand(s, 0)
	case "\"":
		p.now.wordGap, p.now.charSpace = s.number(0), s.number(1)
		p.move(0, -p.now.leading)
		p.showOperand(s, 2)
	case "TJ":
		if len(s.operands) == 0 {
			return
		}
		a, _ := s.operands[0].(pdf.Array)
		for _, e := range a {
			switch v := e.(type) {
			case pdf.String:
				p.show(v.Value)
			case pdf.Number:
				p.advance(-v.Float64() / 1000 * p.now.size * p.now.scale)
			}
		}
	}
}

func (p *page) move(x, y float64) {
	p.lines = matrix{1, 0, 0, 1, x, y}.then(p.lines)
	p.text = p.lines
}

func (p *page) advance(x float64) { p.text = matrix{1, 0, 0, 1, x, 0}.then(p.text) }

func (p *page) showOperand(s *scanner, i int) {
	if i < len(s.operands) {
		if v, ok := s.operands[i].(pdf.String); ok {
			p.show(v.Value)
		}
	}
}

// show places the glyphs of one string (ISO 32000-2, 9.4.4).
func (p *page) show(codes []byte) {
	f := p.now.font
	if f == nil {
		return
	}
	for len(codes) > 0 && len(p.glyphs) <= maxGlyphs {
		c, n := f.code(codes)
		codes = codes[n:]
		width := f.width(c)*p.now.size + p.now.charSpace
		if n == 1 && c == ' ' {
			width += p.now.wordGap
		}
		width *= p.now.scale
		at := p.text.then(p.now.ctm)
		up := at.vector(0, p.now.size)
		p.glyphs = append(p.glyphs, glyph{text: f.text(c), origin: at.point(0, p.now.rise), end: at.point(width, p.now.rise),
			up: up, size: math.Hypot(up[0], up[1])})
		p.advance(width)
	}
}

// form executes a form XObject; what is no form draws no text.
func (p *page) form(resources *pdf.Dict, name pdf.Name, depth int) error {
	objects, _ := p.f.Dict(resources.Get("XObject"))
	o, err := p.f.Resolve(objects.Get(name))
	s, ok := o.(*pdf.Stream)
	if err != nil || !ok || depth >= maxForms {
		return nil //nolint:nilerr // what cannot be read shows nothing
	}
	if subtype, _ := p.f.Name(s.Dict.Get("Subtype")); subtype != "Form" {
		return nil
	}
	if p.runs++; p.runs > maxFormRuns {
		return errTooMuch
	}
	p.left -= formCost
	data, err := p.decode(s)
	if errors.Is(err, errTooMuch) {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // likewise
	}
	own, _ := p.f.Dict(s.Dict.Get("Resources"))
	if own == nil {
		own = resources
	}
	before, text, lines := p.now, p.text, p.lines
	p.now.ctm = readMatrix(p.f, s.Dict.Get("Matrix")).then(p.now.ctm)
	err = p.execute(data, own, depth+1)
	p.now, p.text, p.lines = before, text, lines
	return err
}

func (p *page) fontOf(resources *pdf.Dict, name pdf.Name) *font {
	fonts, _ := p.f.Dict(resources.Get("Font"))
	ref, _ := fonts.Get(name).(pdf.Ref)
	if f, known := p.fonts[ref]; known && !ref.IsZero() {
		return f
	}
	d, _ := p.f.Dict(fonts.Get(name))
	if d == nil {
		return nil
	}
	f := readFont(p.f, d)
	if !ref.IsZero() {
		p.fonts[ref] = f
	}
	return f
}
