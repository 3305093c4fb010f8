package pades

import (
	"cmp"
	"crypto"
	"fmt"

	"antin/signer/pdf"
)

const (
	// handler is the signature handler named by every signature dictionary; all
	// viewers take it to mean "the standard one".
	handler = "Adobe.PPKLite"
	// defaultDigest is used where Options name none.
	defaultDigest = crypto.SHA256
	// byteRangeWidth is the room for "[0 a b c]" with numbers of twenty digits, so
	// that no file size outgrows it.
	byteRangeWidth = len("[0 ") + 3*20 + 2 + len("]")
	// widgetFlags are Print and Locked (ISO 32000-2, table 167); PDF/A demands Print.
	widgetFlags = 4 | 128
	// signaturesExist and appendOnly are /SigFlags 1 and 2.
	signaturesExist, appendOnly = 1, 2
)

// Prepare builds the incremental update that holds the new signature with an
// empty /Contents, after the checks of Preflight. It reads only what the update
// touches and never the whole file; memory is that of the update.
func Prepare(f *pdf.File, o Options) (*Prepared, error) {
	p, err := newPlan(f, o)
	if err != nil {
		return nil, err
	}
	w := &writer{plan: p, update: f.NewUpdate()}
	if w.rootRef, w.root, err = f.Root(); err != nil {
		return nil, err
	}
	w.root = w.root.Clone()
	if err := w.writeFills(); err != nil {
		return nil, err
	}
	byteRange := pdf.SpacePlaceholder(byteRangeWidth)
	contents := pdf.HexPlaceholder(p.contentsSize())
	signature := w.update.Add(w.signatureDict(byteRange, contents))
	field, err := w.writeField(signature)
	if err != nil {
		return nil, err
	}
	if err := w.writeForm(field); err != nil {
		return nil, err
	}
	w.writeCatalog(signature)
	built, err := w.update.Build()
	if err != nil {
		return nil, err
	}
	return newPrepared(built, byteRange, contents, p)
}

func (p *plan) subFilter() string {
	if p.SubFilter == "" {
		return SubFilterCAdES
	}
	return p.SubFilter
}

// reason is what /Reason will hold: nothing when the CMS states a commitment.
func (p *plan) reason() string {
	if p.Commitment {
		return ""
	}
	return p.Reason
}

func (p *plan) contentsSize() int {
	if p.ContentsSize <= 0 {
		return DefaultContentsSize
	}
	return p.ContentsSize
}

// writer collects the objects of one update.
type writer struct {
	*plan
	update *pdf.Update

	rootRef   pdf.Ref
	root      *pdf.Dict
	rootDirty bool
}

// signatureDict is the signature dictionary (ISO 32000-2, table 255; order as
// readers of the raw bytes expect it, /Contents last). /Cert is never written.
func (w *writer) signatureDict(byteRange, contents *pdf.Placeholder) *pdf.Dict {
	d := pdf.NewDict(
		pdf.Name("Type"), pdf.Name("Sig"),
		pdf.Name("Filter"), pdf.Name(handler),
		pdf.Name("SubFilter"), pdf.Name(w.subFilter()),
		pdf.Name("M"), pdf.String{Value: []byte(FormatDate(w.M))},
	)
	for _, e := range []struct {
		key   pdf.Name
		value string
	}{{"Name", w.Name}, {"Location", w.Location}, {"Reason", w.reason()}} {
		if e.value != "" {
			d.Set(e.key, pdf.TextString(e.value))
		}
	}
	if refs := w.references(); len(refs) > 0 {
		d.Set("Reference", refs)
	}
	d.Set("ByteRange", byteRange)
	d.Set("Contents", contents)
	return d
}

// references are the signature reference dictionaries of a certification and of a lock.
func (w *writer) references() pdf.Array {
	var refs pdf.Array
	if w.Certify > 0 {
		refs = append(refs, pdf.NewDict(
			pdf.Name("Type"), pdf.Name("SigRef"),
			pdf.Name("TransformMethod"), pdf.Name("DocMDP"),
			pdf.Name("TransformParams"), pdf.NewDict(
				pdf.Name("Type"), pdf.Name("TransformParams"),
				pdf.Name("P"), pdf.Int(int64(w.Certify)), pdf.Name("V"), pdf.Name("1.2")),
		))
	}
	if w.lock != nil {
		params := pdf.NewDict(pdf.Name("Type"), pdf.Name("TransformParams"))
		w.lock.fill(params)
		params.Set("V", pdf.Name("1.2"))
		refs = append(refs, pdf.NewDict(
			pdf.Name("Type"), pdf.Name("SigRef"),
			pdf.Name("TransformMethod"), pdf.Name("FieldMDP"),
			pdf.Name("TransformParams"), params,
			pdf.Name("Data"), w.rootRef,
		))
	}
	return refs
}

// fill writes action and fields, which /Lock and FieldMDP parameters share.
func (l *Lock) fill(d *pdf.Dict) {
	d.Set("Action", pdf.Name(l.Action))
	if l.Action == LockAll {
		return
	}
	fields := make(pdf.Array, 0, len(l.Fields))
	for _, name := range l.Fields {
		fields = append(fields, pdf.TextString(name))
	}
	d.Set("Fields", fields)
}

// writeField fills the existing field or adds a new one, and returns the object
// that the form has to list; zero when a new field hangs below another.
func (w *writer) writeField(signature pdf.Ref) (pdf.Ref, error) {
	if w.target == nil {
		return w.newField(signature)
	}
	field := w.target.FieldDict.Clone()
	field.Set("V", signature)
	widget := field
	if w.target.WidgetRef != w.target.FieldRef && !w.target.WidgetRef.IsZero() {
		d := w.form.dict(w.target.WidgetRef)
		if d == nil {
			return pdf.Ref{}, fmt.Errorf("widget of field %q is no dictionary", w.name)
		}
		widget = d.Clone()
	}
	changed, err := w.appearance(widget, w.target.Rect, w.widgetPage(widget))
	if err != nil {
		return pdf.Ref{}, err
	}
	w.update.Put(w.target.FieldRef, field)
	if changed && widget != field {
		w.update.Put(w.target.WidgetRef, widget)
	}
	return w.target.FieldRef, nil
}

// widgetPage is the page that shows an existing widget, nil when unknown.
func (w *writer) widgetPage(widget *pdf.Dict) *pdf.Dict {
	if page := w.form.dict(widget.Get("P")); page != nil {
		return page
	}
	if w.target.Page == 0 {
		return nil
	}
	_, page, err := w.form.file.Page(w.target.Page)
	if err != nil {
		return nil
	}
	return page
}

// newField adds a field merged with its widget to the end of the page's /Annots.
func (w *writer) newField(signature pdf.Ref) (pdf.Ref, error) {
	field := pdf.NewDict(
		pdf.Name("FT"), pdf.Name("Sig"),
		pdf.Name("T"), pdf.TextString(cmp.Or(w.branch.last, w.name)),
		pdf.Name("Type"), pdf.Name("Annot"),
		pdf.Name("Subtype"), pdf.Name("Widget"),
		pdf.Name("Rect"), rectangle(w.Rect),
		pdf.Name("P"), w.page,
		pdf.Name("F"), pdf.Int(widgetFlags),
		pdf.Name("V"), signature,
	)
	if w.lock != nil {
		lock := pdf.NewDict(pdf.Name("Type"), pdf.Name("SigFieldLock"))
		w.lock.fill(lock)
		if w.lock.P > 0 {
			lock.Set("P", pdf.Int(int64(w.lock.P)))
		}
		field.Set("Lock", w.update.Add(lock))
	}
	if w.page.IsZero() {
		field.Delete("P")
		ref := w.update.Reserve()
		w.update.Put(ref, field)
		return w.hang(field, ref), nil
	}
	page := w.form.dict(w.page)
	if page == nil {
		return pdf.Ref{}, fmt.Errorf("page %s is no dictionary", w.page)
	}
	if w.Rect == [4]float64{} {
		field.Set("Rect", rectangle(w.invisibleRect(page)))
	}
	if _, err := w.appearance(field, w.Rect, page); err != nil {
		return pdf.Ref{}, err
	}
	ref := w.update.Reserve()
	if w.writeStructure(field, ref) && page.Get("Tabs") == nil {
		// PDF/UA wants the order of the structure on every page with annotations.
		page = page.Clone()
		page.Set("Tabs", pdf.Name("S"))
		w.update.Put(w.page, page)
	}
	top := w.hang(field, ref)
	w.update.Put(ref, field)
	w.addAnnotation(page, ref)
	return top, nil
}

func rectangle(r [4]float64) pdf.Array {
	a := make(pdf.Array, 0, len(r))
	for _, v := range r {
		a = append(a, pdf.Real(v))
	}
	return a
}

// addAnnotation appends to /Annots where it lives: its own object, or the page.
func (w *writer) addAnnotation(page *pdf.Dict, ref pdf.Ref) {
	annots := w.form.array(page.Get("Annots"))
	grown := append(append(make(pdf.Array, 0, len(annots)+1), annots...), ref)
	if at, indirect := page.Get("Annots").(pdf.Ref); indirect && annots != nil {
		w.update.Put(at, grown)
		return
	}
	page = page.Clone()
	page.Set("Annots", grown)
	w.update.Put(w.page, page)
}
