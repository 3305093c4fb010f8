package font

import "antin/signer/pdf"

// resourceNames are the names of the faces in a resource dictionary.
var resourceNames = [styleCount]pdf.Name{Regular: "LSR", Bold: "LSB", Italic: "LSI", BoldItalic: "LSZ"}

// ResourceName is the name under which Set.Embed lists the face of style.
func ResourceName(style Style) pdf.Name { return resourceNames[style] }

// Set holds one subset of each face that a document or a form uses. The zero
// value is empty and ready; it is not safe for concurrent use.
type Set struct {
	subsets [styleCount]*Subset
}

// Subset returns the set's subset of style, an empty one at first.
func (s *Set) Subset(style Style) (*Subset, error) {
	if style < 0 || style >= styleCount {
		return NewSubset(style)
	}
	if s.subsets[style] == nil {
		fresh, err := NewSubset(style)
		if err != nil {
			return nil, err
		}
		s.subsets[style] = fresh
	}
	return s.subsets[style], nil
}

// Embed writes every subset that shows something and returns the value of a
// resource dictionary's /Font. It is called once, after the last Encode.
func (s *Set) Embed(a Adder) (*pdf.Dict, error) {
	fonts := pdf.NewDict()
	for style, subset := range s.subsets {
		if subset == nil || subset.Empty() {
			continue
		}
		ref, err := subset.Embed(a)
		if err != nil {
			return nil, err
		}
		fonts.Set(resourceNames[style], ref)
	}
	return fonts, nil
}
