package pades

import (
	"crypto"

	"antin/signer/ades"
	"antin/signer/pdf"
)

// isoExtension is a technical specification of ISO that extends PDF 2.0.
type isoExtension struct {
	level int64
	url   string
}

// The extensions that signatures may need.
var (
	// isoHashes is ISO/TS 32001: SHA-3 as digest of a signature.
	isoHashes = isoExtension{32001, "https://www.iso.org/standard/45874.html"}
	// isoCurves is ISO/TS 32002: Ed25519 and further curves.
	isoCurves = isoExtension{32002, "https://www.iso.org/standard/45875.html"}
)

// isoRevision is the edition of both, as their own entries are to say it.
const isoRevision = ":2022"

// declareISO notes in the catalog of a PDF 2.0 which of ISO's extensions the new
// signature uses, and reports whether the catalog changed. Older versions know no
// such entry; one that is there already is left as it is.
func (w *writer) declareISO() bool {
	if w.form.file.Version() != "2.0" {
		return false
	}
	var need []isoExtension
	switch w.Digest {
	case crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512:
		need = append(need, isoHashes)
	default:
	}
	if w.Scheme == ades.Ed25519 {
		need = append(need, isoCurves)
	}
	extensions := pdf.NewDict()
	if old := w.form.dict(w.root.Get("Extensions")); old != nil {
		extensions = old.Clone()
	}
	var list pdf.Array
	switch has := w.form.resolve(extensions.Get("ISO_")).(type) {
	case pdf.Array:
		list = append(list, has...)
	case *pdf.Dict:
		list = append(list, has)
	}
	before := len(list)
	for _, e := range need {
		if !w.declares(list, e) {
			list = append(list, pdf.NewDict(
				pdf.Name("Type"), pdf.Name("DeveloperExtensions"),
				pdf.Name("BaseVersion"), pdf.Name("2.0"),
				pdf.Name("ExtensionLevel"), pdf.Int(e.level),
				pdf.Name("ExtensionRevision"), pdf.TextString(isoRevision),
				pdf.Name("URL"), pdf.TextString(e.url)))
		}
	}
	if len(list) == before {
		return false
	}
	extensions.Set("ISO_", list)
	if ref, indirect := w.root.Get("Extensions").(pdf.Ref); indirect {
		w.update.Put(ref, extensions)
		return false
	}
	w.root.Set("Extensions", extensions)
	return true
}

func (w *writer) declares(list pdf.Array, e isoExtension) bool {
	for _, o := range list {
		if d := w.form.dict(o); d != nil && w.form.integer(d.Get("ExtensionLevel")) == e.level {
			return true
		}
	}
	return false
}
