package pades

import (
	"antin/signer/pdf"
)

// Note names something about a document that does not keep it from being signed,
// but that its signer should know.
type Note string

// The notes of Notes.
const (
	// NoteXFA: the file carries an XFA form, which viewers that know it show in place
	// of the pages that are signed.
	NoteXFA Note = "xfa-form"
	// NoteUsageRights: a vendor's usage rights signature ends with any change by others.
	NoteUsageRights Note = "usage-rights"
	// NoteJavaScript: scripts may change what is shown after signing.
	NoteJavaScript Note = "javascript"
	// NoteOptionalContent: layers that a viewer can switch on and off.
	NoteOptionalContent Note = "optional-content"
	// NoteNeedAppearances: viewers are asked to draw form fields anew, which may
	// look like a change after signing.
	NoteNeedAppearances Note = "need-appearances"
	// NoteNewFieldAfterCertify: a new field in a document certified with permission
	// 2: pyHanko calls the certification broken, DSS warns, Adobe Acrobat accepts.
	NoteNewFieldAfterCertify Note = "new-field-after-certify"
	// NoteNotTagged: a new visible field in a tagged document that is signed already
	// gets no structure element, since other validators would object. Where the
	// document claims PDF/UA, Preflight refuses it.
	NoteNotTagged Note = "not-tagged"
)

// Notes lists what the signer of f by o should know, in a fixed order. It reads
// the catalog, the form, the first page and the one to be signed; errors are those of Preflight.
func Notes(f *pdf.File, o Options) ([]Note, error) {
	p, err := newPlan(f, o)
	if err != nil {
		return nil, err
	}
	return p.notes()
}

func (p *plan) notes() ([]Note, error) {
	_, root, err := p.form.file.Root()
	if err != nil {
		return nil, err
	}
	acroForm := p.form.dictOrEmpty(root.Get("AcroForm"))
	need, _ := p.form.resolve(acroForm.Get("NeedAppearances")).(pdf.Bool)
	permission, _ := p.form.effectivePermission()
	external, fonts := p.pageNotes()
	var notes []Note
	for _, n := range []struct {
		note Note
		here bool
	}{
		{NoteXFA, p.form.resolve(acroForm.Get("XFA")) != nil},
		{NoteUsageRights, p.usageRights()},
		{NoteJavaScript, p.scripts(root)},
		{NoteOptionalContent, p.form.dict(root.Get("OCProperties")) != nil},
		{NoteNeedAppearances, bool(need)},
		{NoteNewFieldAfterCertify, permission == 2 && p.target == nil},
		{NoteNotTagged, p.visible() && p.untagged(root)},
		{NoteExternalStream, external},
		{NoteFontsNotEmbedded, fonts},
	} {
		if n.here {
			notes = append(notes, n.note)
		}
	}
	return notes, nil
}

func (p *plan) usageRights() bool {
	for i := range p.form.signatures {
		if perms := p.form.signatures[i].Perms; perms == "UR3" || perms == "UR" {
			return true
		}
	}
	return false
}

// scripts reports whether the document, or a field of its form, runs JavaScript.
func (p *plan) scripts(root *pdf.Dict) bool {
	if names := p.form.dict(root.Get("Names")); names != nil && p.form.dict(names.Get("JavaScript")) != nil {
		return true
	}
	if p.form.action(root.Get("OpenAction")) || p.form.actions(root.Get("AA")) {
		return true
	}
	for i := range p.form.fields {
		if d := p.form.fields[i].dict; d != nil && (p.form.action(d.Get("A")) || p.form.actions(d.Get("AA"))) {
			return true
		}
	}
	return false
}

// action reports whether o is an action that runs JavaScript.
func (m *form) action(o pdf.Object) bool {
	d := m.dict(o)
	return d != nil && (m.name(d.Get("S")) == "JavaScript" || d.Has("JS"))
}

// actions reports whether one of the additional actions o runs JavaScript.
func (m *form) actions(o pdf.Object) bool {
	d := m.dict(o)
	if d == nil {
		return false
	}
	for _, k := range d.Keys() {
		if m.action(d.Get(k)) {
			return true
		}
	}
	return false
}
