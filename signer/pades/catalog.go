package pades

import (
	"antin/signer/pdf"
)

// writeForm enters the field into the interactive form, unless it is zero since it
// hangs below another, and sets what the presence of a signature demands there.
func (w *writer) writeForm(field pdf.Ref) error {
	ref, _ := w.root.Get("AcroForm").(pdf.Ref)
	old := w.form.dict(w.root.Get("AcroForm"))
	if old == nil {
		w.root.Set("AcroForm", w.update.Add(pdf.NewDict(
			pdf.Name("Fields"), pdf.Array{field},
			pdf.Name("SigFlags"), pdf.Int(signaturesExist|appendOnly),
		)))
		w.rootDirty = true
		return nil
	}
	acroForm, changed := old.Clone(), false
	if w.target == nil && !field.IsZero() {
		fields := w.form.array(old.Get("Fields"))
		grown := append(append(make(pdf.Array, 0, len(fields)+1), fields...), field)
		if at, indirect := old.Get("Fields").(pdf.Ref); indirect && fields != nil {
			w.update.Put(at, grown)
		} else {
			acroForm.Set("Fields", grown)
			changed = true
		}
	}
	if flags := w.form.integer(old.Get("SigFlags")); flags&(signaturesExist|appendOnly) != signaturesExist|appendOnly {
		acroForm.Set("SigFlags", pdf.Int(flags|signaturesExist|appendOnly))
		changed = true
	}
	if w.dropNeedAppearances(old) {
		acroForm.Delete("NeedAppearances")
		changed = true
	}
	switch {
	case !changed:
	case ref.IsZero():
		w.root.Set("AcroForm", acroForm)
		w.rootDirty = true
	default:
		w.update.Put(ref, acroForm)
	}
	return nil
}

// dropNeedAppearances: a viewer that rewrites appearances makes a signed file
// "modified". The key goes while nothing is signed yet and no field shows a
// value that only the viewer would draw; afterwards it is left as it is, since
// taking it away would itself be a change.
func (w *writer) dropNeedAppearances(acroForm *pdf.Dict) bool {
	if need, _ := w.form.resolve(acroForm.Get("NeedAppearances")).(pdf.Bool); !need {
		return false
	}
	for i := range w.form.signatures {
		if w.form.signatures[i].Signed() {
			return false
		}
	}
	for _, fl := range w.form.fields {
		if (fl.kind == "Tx" || fl.kind == "Ch") && w.form.resolve(fl.value) != nil {
			return false
		}
	}
	return true
}

// writeCatalog enters what only the catalog can say, and writes it if it changed.
func (w *writer) writeCatalog(signature pdf.Ref) {
	if w.Certify > 0 {
		perms := pdf.NewDict()
		if old := w.form.dict(w.root.Get("Perms")); old != nil {
			perms = old.Clone()
		}
		perms.Set("DocMDP", signature)
		if ref, indirect := w.root.Get("Perms").(pdf.Ref); indirect {
			w.update.Put(ref, perms)
		} else {
			w.root.Set("Perms", perms)
			w.rootDirty = true
		}
	}
	if w.subFilter() == SubFilterCAdES && declareExtension(w.form, w.update, w.root) {
		w.rootDirty = true
	}
	if w.declareISO() {
		w.rootDirty = true
	}
	if w.rootDirty {
		w.update.Put(w.rootRef, w.root)
	}
}

// adobeExtensionLevel is the level of Adobe's extensions to PDF 1.7 that has the
// CAdES sub-filter, the document time-stamp and the DSS.
const adobeExtensionLevel = 8

// declareExtension notes in root that a PDF 1.7 uses what came with PDF 2.0. Files below
// 1.7 and PDF 2.0 itself need no entry; an equal or higher level, or ETSI's own
// prefix, is left as it is. It reports whether root changed.
func declareExtension(m *form, u *pdf.Update, root *pdf.Dict) bool {
	if m.file.Version() != "1.7" {
		return false
	}
	extensions := pdf.NewDict()
	if old := m.dict(root.Get("Extensions")); old != nil {
		extensions = old.Clone()
	}
	if extensions.Has("ESIC") {
		return false
	}
	if has := m.resolve(extensions.Get("ADBE")); has != nil {
		d, single := has.(*pdf.Dict)
		if !single || m.integer(d.Get("ExtensionLevel")) >= adobeExtensionLevel {
			return false
		}
	}
	extensions.Set("ADBE", pdf.NewDict(
		pdf.Name("BaseVersion"), pdf.Name("1.7"),
		pdf.Name("ExtensionLevel"), pdf.Int(adobeExtensionLevel)))
	if ref, indirect := root.Get("Extensions").(pdf.Ref); indirect {
		u.Put(ref, extensions)
		return false
	}
	root.Set("Extensions", extensions)
	return true
}
