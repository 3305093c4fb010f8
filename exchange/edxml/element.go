package edxml

// Element is one XML element kept as found: unknown parts of a message and its
// XML signature. Comments are not kept.
type Element struct {
	Space    string // namespace, empty for none
	Name     string // local name
	Attrs    []Attr
	Text     string // character data of the element itself, white space trimmed
	Children []*Element
	Line     int // line of the start tag in the source, from 1; 0 for a made one

	prefixed string // the name as written, for messages
	content  *span  // set for an attachment's content, whose text is not kept
}

// Attr is an attribute of an Element. Namespace declarations are not attributes.
type Attr struct {
	Space, Name, Value string
}

// Attr returns the value of the first attribute with the local name, in any namespace.
func (e *Element) Attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// Child returns the first child with the local name, nil when there is none.
func (e *Element) Child(name string) *Element {
	for _, c := range e.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Equal reports whether two elements say the same; lines and prefixes do not count.
func (e *Element) Equal(o *Element) bool {
	if e == nil || o == nil {
		return e == o
	}
	if e.Space != o.Space || e.Name != o.Name || e.Text != o.Text ||
		len(e.Attrs) != len(o.Attrs) || len(e.Children) != len(o.Children) {
		return false
	}
	for i := range e.Attrs {
		if e.Attrs[i] != o.Attrs[i] {
			return false
		}
	}
	for i := range e.Children {
		if !e.Children[i].Equal(o.Children[i]) {
			return false
		}
	}
	return true
}
