package pades

import "antin/signer/pdf"

// readPages numbers the pages of known widgets and finds those that no field
// tree reaches.
func (m *form) readPages() error {
	for p, err := range m.file.Pages() {
		if err != nil {
			return m.readPagesByNumber()
		}
		if !m.readAnnotations(p.Dict, p.Number) {
			return nil
		}
	}
	return nil
}

// readPagesByNumber asks for each page that the tree counts, for a tree that
// cannot be walked: those that can be found at all still count.
func (m *form) readPagesByNumber() error {
	pages, err := m.file.NumPages()
	if err != nil {
		return nil // a file without readable pages can still hold signatures
	}
	for n := 1; n <= pages; n++ {
		_, page, err := m.file.Page(n)
		if err != nil {
			continue
		}
		if !m.readAnnotations(page, n) {
			return nil
		}
	}
	return nil
}

// readAnnotations reports whether the limit leaves room for more.
func (m *form) readAnnotations(page *pdf.Dict, number int) bool {
	for _, o := range m.array(page.Get("Annots")) {
		m.annots++
		if m.annots > maxAnnotations {
			return false
		}
		m.readAnnotation(o, number)
	}
	return true
}

func (m *form) readAnnotation(o pdf.Object, page int) {
	ref, isRef := o.(pdf.Ref)
	if isRef {
		if i, known := m.byField[ref]; known {
			if m.signatures[i].Page == 0 {
				m.signatures[i].Page = page
			}
			return
		}
		if m.visited[ref] {
			return
		}
		m.visited[ref] = true
	}
	d := m.dict(o)
	if d == nil || m.name(d.Get("Subtype")) != "Widget" {
		return
	}
	here, broken := m.climb(d)
	if here.kind != "Sig" && !looksSigned(m.dict(here.value)) {
		return
	}
	m.addField(field{name: here.name, ref: ref, dict: d, kind: "Sig", value: here.value,
		widgets: []pdf.Ref{ref}, broken: broken}, true)
	m.signatures[len(m.signatures)-1].Page = page
}

// climb collects what a widget found on a page inherits through /Parent.
func (m *form) climb(d *pdf.Dict) (inherited, bool) {
	var line []*pdf.Dict
	seen := map[pdf.Ref]bool{}
	broken := false
	for d != nil {
		line = append(line, d)
		up, ok := d.Get("Parent").(pdf.Ref)
		if !ok {
			break
		}
		if seen[up] || len(line) > maxFieldDepth {
			broken = true
			break
		}
		seen[up] = true
		d = m.dict(up)
	}
	var here inherited
	for i := len(line) - 1; i >= 0; i-- {
		here = m.inherit(line[i], here)
	}
	return here, broken
}

// looksSigned reports whether d is a signature dictionary whatever its field says.
func looksSigned(d *pdf.Dict) bool {
	return d != nil && d.Get("ByteRange") != nil && d.Get("Contents") != nil
}
