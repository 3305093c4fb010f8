package pades

import (
	"bytes"
	"encoding/xml"
	"errors"

	"antin/internal/text"
	"antin/signer/pdf"
)

// maxMetadata bounds the XMP packet that is read to learn what a file claims to
// be, in bytes; real ones stay far below.
const maxMetadata = 1 << 20

// The XMP namespaces in which a file claims a part of PDF/A and of PDF/UA.
const (
	pdfaNamespace  = "http://www.aiim.org/pdfa/ns/id/"
	pdfuaNamespace = "http://www.aiim.org/pdfua/ns/id/"
)

// tagged reports whether the file has a structure tree and says that it is marked.
func (m *form) tagged(root *pdf.Dict) bool {
	mark := m.dict(root.Get("MarkInfo"))
	if mark == nil {
		return false
	}
	marked, _ := m.resolve(mark.Get("Marked")).(pdf.Bool)
	return bool(marked) && m.dict(root.Get("StructTreeRoot")) != nil
}

// archivePart is the part of PDF/A that the file claims ("1" to "4"); empty when it
// claims none, or its metadata cannot be read.
func (m *form) archivePart(root *pdf.Dict) string { return m.claimedPart(root, pdfaNamespace) }

// claimedPart is the part of the standard with that XMP namespace which the file claims.
func (m *form) claimedPart(root *pdf.Dict, namespace string) string {
	stream, _ := m.resolve(root.Get("Metadata")).(*pdf.Stream)
	if stream == nil {
		return ""
	}
	packet, err := m.file.Decode(stream, maxMetadata)
	if err != nil || !bytes.Contains(packet, []byte(namespace)) {
		return ""
	}
	d := xml.NewDecoder(bytes.NewReader(packet))
	inside := ""
	for {
		t, err := d.Token()
		if err != nil {
			return "" // the end of the packet
		}
		switch e := t.(type) {
		case xml.StartElement:
			inside = e.Name.Space + e.Name.Local
			for _, a := range e.Attr {
				if a.Name.Space+a.Name.Local == namespace+"part" {
					return a.Value
				}
			}
		case xml.CharData:
			if v := bytes.TrimSpace(e); inside == namespace+"part" && len(v) > 0 {
				return string(v)
			}
		case xml.EndElement:
			inside = ""
		}
	}
}

// opaque keeps transparency out of a PDF/A-1 file, which knows none (ISO 19005-1,
// 6.4): images with a soft mask are laid on white, and an appearance that is
// see-through in another way is refused, since nobody would notice before the
// archive does. o is the appearance; only objects of the update are looked at.
func (w *writer) opaque(o pdf.Object) error {
	if w.form.archivePart(w.root) != "1" {
		return nil
	}
	return w.opaqueBelow(o, map[pdf.Ref]bool{}, 0)
}

// maxAppearanceDepth bounds the nesting of an appearance's objects; ours have six levels.
const maxAppearanceDepth = 32

func (w *writer) opaqueBelow(o pdf.Object, seen map[pdf.Ref]bool, depth int) error {
	if depth > maxAppearanceDepth {
		return text.Errorf(text.LimitExceeded, errors.New("appearance is nested too deeply"))
	}
	switch v := o.(type) {
	case pdf.Ref:
		if seen[v] {
			return nil
		}
		seen[v] = true
		if _, old := w.form.file.Entry(v.Num); old {
			return nil
		}
		below, err := w.update.Load(v)
		if err != nil {
			return err
		}
		if s, ok := below.(*pdf.Stream); ok {
			if below, err = w.flattened(v, s); err != nil {
				return err
			}
		}
		return w.opaqueBelow(below, seen, depth+1)
	case pdf.Array:
		for _, e := range v {
			if err := w.opaqueBelow(e, seen, depth+1); err != nil {
				return err
			}
		}
	case *pdf.Stream:
		return w.opaqueBelow(v.Dict, seen, depth+1)
	case *pdf.Dict:
		for _, k := range v.Keys() {
			if w.transparent(k, v.Get(k)) {
				return text.Detailed(text.InvalidInput, nil, "sign.pdfa-transparent")
			}
			if err := w.opaqueBelow(v.Get(k), seen, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// transparent reports whether an entry of a dictionary makes what it belongs to
// see-through.
func (w *writer) transparent(key pdf.Name, value pdf.Object) bool {
	switch key {
	case "SMask":
		return value != pdf.Name("None")
	case "Group":
		return true
	case "CA", "ca":
		n, ok := value.(pdf.Number)
		return ok && n.Float64() != 1
	}
	return false
}
