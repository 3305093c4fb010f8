package exchange

import (
	"antin/internal/text"
	"antin/signer"
	"antin/signer/appearance"
	"antin/signer/compose"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// Measures in points for the signatures on a PDF that has no places of its own:
// at the right of the last page's foot, the seal's lower part free of the person's
// signature so that the caption beside it can be read.
const (
	personWidth    = 150
	personHeight   = 45
	personRight    = 260 // from the page's right edge to the signature's left
	personBottom   = 100
	captionBelow   = 16 // from the signature's foot to the seal's middle
	pageMargin     = 30
	defaultPageTop = 842 // A4, for a page that states no size
	defaultPageEnd = 595
)

// placing says where signatures go.
type placing struct {
	field  string // empty: a name of the profile's choice
	page   int
	person [4]float64
	seal   [4]float64
}

// placeOnLastPage finds room for the competent person's signature.
func placeOnLastPage(in signer.Input) (placing, error) {
	f, err := pdf.Open(in.Reader, in.Size, pdf.Options{})
	if err != nil {
		return placing{}, err
	}
	n, err := f.NumPages()
	if err != nil {
		return placing{}, err
	}
	box, err := pageBox(f, n)
	if err != nil {
		return placing{}, err
	}
	left, bottom := box[2]-personRight, box[1]+personBottom
	rect := appearance.Clamp([4]float64{left, bottom, left + personWidth, bottom + personHeight}, box)
	field, err := freeField(f, compose.FieldPerson)
	return placing{field: field, page: n, person: rect}, err
}

// placeSeal finds the person's signature in field and puts the seal with its
// caption over about a third of it, on its left.
func placeSeal(in signer.Input, field string, mark appearance.SealMark) (placing, error) {
	f, err := pdf.Open(in.Reader, in.Size, pdf.Options{})
	if err != nil {
		return placing{}, err
	}
	signatures, err := pades.Signatures(f)
	if err != nil {
		return placing{}, err
	}
	for _, s := range signatures {
		if s.Field != field || s.Page == 0 {
			continue
		}
		box, err := pageBox(f, s.Page)
		if err != nil {
			return placing{}, err
		}
		w, h, err := appearance.SealBlock(mark)
		if err != nil {
			return placing{}, err
		}
		d := min(w, h)
		x, y := s.Rect[0]+(s.Rect[2]-s.Rect[0])/3-d, s.Rect[1]-captionBelow-h/2
		name, err := freeField(f, compose.FieldSeal)
		return placing{field: name, page: s.Page, seal: appearance.Clamp([4]float64{x, y, x + w, y + h}, box)}, err
	}
	return placing{}, text.Detailed(text.SignatureRequired, nil, "exchange.unsigned")
}

// pageBox is the part of page n that is seen, less a margin.
func pageBox(f *pdf.File, n int) ([4]float64, error) {
	_, page, err := f.Page(n)
	if err != nil {
		return [4]float64{}, err
	}
	box := [4]float64{0, 0, defaultPageEnd, defaultPageTop}
	for _, key := range []pdf.Name{"MediaBox", "CropBox"} {
		o, err := f.Inherited(page, key)
		if err != nil {
			continue // a damaged box is as good as none
		}
		if r, ok := f.Rect(o); ok && r[2]-r[0] > 2*pageMargin && r[3]-r[1] > 2*pageMargin {
			box = r
		}
	}
	return [4]float64{box[0] + pageMargin, box[1] + pageMargin, box[2] - pageMargin, box[3] - pageMargin}, nil
}

// freeField returns name unless a signed field bears it, else "".
func freeField(f *pdf.File, name string) (string, error) {
	signatures, err := pades.Signatures(f)
	if err != nil {
		return "", err
	}
	for _, s := range signatures {
		if s.Field == name && s.Value != nil {
			return "", nil
		}
	}
	return name, nil
}

func lockAll() *pades.Lock { return &pades.Lock{Action: pades.LockAll} }
