package pades

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf"
)

// Preflight reports why o cannot be carried out on f, as a *text.Error with the
// code that names the obstacle, before any key is used: encryption, damage, an
// earlier signer's DocMDP or field lock, a taken or missing field, an unmet seed
// value. nil means that Prepare will succeed unless an appearance fails.
func Preflight(f *pdf.File, o Options) error {
	_, err := newPlan(f, o)
	return err
}

// plan is a checked intention: what Prepare will write, and where.
type plan struct {
	Options
	form *form
	name string
	// target is the existing field, nil for a new one.
	target *Signature
	// branch is where a new field goes in the tree of fields.
	branch branch
	page   pdf.Ref
	lock   *Lock
	fills  []fill
}

// fill is a text field to be filled and its value.
type fill struct {
	field *field
	value string
}

func newPlan(f *pdf.File, o Options) (*plan, error) {
	// 1. May this file be signed at all?
	if err := f.EncryptionError(); err != nil {
		return nil, err
	}
	if err := f.SigningProblem(); err != nil {
		return nil, err
	}
	form, err := o.Form.of(f)
	if err != nil {
		return nil, err
	}
	p := &plan{Options: o, form: form, name: o.FieldName}
	// 2. Which field, where, under which lock?
	if err := p.findTarget(); err != nil {
		return nil, err
	}
	if err := f.MaySign(p.target == nil); err != nil {
		return nil, err
	}
	if err := p.findPage(); err != nil {
		return nil, err
	}
	if err := p.checkAccessible(); err != nil {
		return nil, err
	}
	if err := p.chooseLock(); err != nil {
		return nil, err
	}
	// 3. Do earlier signers allow it?
	if err := p.checkDocMDP(); err != nil {
		return nil, err
	}
	if p.target != nil || p.branch.dict != nil {
		// A name below an existing node may be frozen with that node.
		if err := p.checkFieldLock(p.name); err != nil {
			return nil, err
		}
	}
	if p.target != nil {
		if err := p.checkSeedValue(); err != nil {
			return nil, err
		}
	}
	// 4. What else changes in the same revision?
	return p, p.findFills()
}

func (p *plan) findTarget() error {
	if p.name == "" {
		if p.Existing {
			return text.Errorf(text.FieldNotFound, errors.New("no field name given"))
		}
		p.name = p.form.freeName("Signature")
		return nil
	}
	if i := slices.IndexFunc(p.form.signatures, func(s Signature) bool { return s.Field == p.name && s.FieldDict != nil }); i >= 0 {
		s := &p.form.signatures[i]
		switch {
		case s.Signed():
			return text.Detailed(text.FieldAlreadySigned, nil, "sign.field", p.name)
		case s.Has(ProblemNameShared) || s.Has(ProblemFieldTree) || s.FieldRef.IsZero() || s.Has(ProblemNotInFields):
			return text.Errorf(text.PDFRepairNeeded, fmt.Errorf("field %q has no clear place in the form", p.name))
		}
		p.target = s
		return nil
	}
	if p.Existing {
		return text.Detailed(text.FieldNotFound, nil, "sign.field", p.name)
	}
	return p.findBranch()
}

// taken reports whether a top-level name is in use, by a field or by a branch.
func (m *form) taken(name string) bool {
	has := func(n string) bool { return n == name || strings.HasPrefix(n, name+".") }
	return slices.ContainsFunc(m.fields, func(f field) bool { return has(f.name) }) ||
		slices.ContainsFunc(m.signatures, func(s Signature) bool { return has(s.Field) })
}

func (m *form) freeName(stem string) string {
	for i := 1; ; i++ {
		if name := stem + strconv.Itoa(i); !m.taken(name) {
			return name
		}
	}
}

func (p *plan) findPage() error {
	if p.target != nil {
		return nil
	}
	total, err := p.form.file.NumPages()
	if err != nil {
		return err
	}
	n := p.Page
	switch n {
	case LastPage:
		n = total
	case 0:
		n = 1
	}
	if total == 0 && p.pageless() {
		return nil
	}
	if n < 1 || (n > total && total > 0) {
		return text.Detailed(text.InvalidInput, fmt.Errorf("document has %d pages", total), "sign.page", p.Page)
	}
	ref, _, err := p.form.file.Page(n)
	if err != nil {
		return err
	}
	if ref.IsZero() || p.form.dict(ref) == nil {
		return text.Errorf(text.PDFRepairNeeded, errors.New("page is not an indirect dictionary"))
	}
	p.page = ref
	return nil
}

// pageless reports whether an invisible signature is meant for a document without
// any page, which has no place for a widget: p.page then stays zero.
func (p *plan) pageless() bool {
	for range p.form.file.Pages() { //nolint:errcheck // that there is one is all that counts
		return false // a page in spite of the count, or a tree that cannot be read
	}
	return p.Page <= 1 && p.Rect == [4]float64{} && p.Appearance == nil
}

func (p *plan) chooseLock() error {
	p.lock = p.Lock
	if p.target == nil || p.target.Lock == nil {
		return nil
	}
	own := p.target.Lock
	if p.Lock != nil && (p.Lock.Action != own.Action || !slices.Equal(p.Lock.Fields, own.Fields) || p.Lock.P != own.P) {
		return text.Detailed(text.SeedValueUnmet, nil, "sign.seed", "/Lock")
	}
	p.lock = own
	return nil
}

// permission is the most restrictive permission that earlier signatures put in
// force, 0 when none does, and the field whose signature did.
func (m *form) effectivePermission() (p int, by string) {
	stricter := func(q int, s *Signature) {
		if q > 0 && (p == 0 || q < p) {
			p, by = q, s.Field
		}
	}
	for i := range m.signatures {
		s := &m.signatures[i]
		if !s.Signed() || s.DocumentTimestamp() {
			continue
		}
		stricter(s.DocMDP, s)
		if s.Certification && s.DocMDP == 0 {
			stricter(2, s)
		}
		if s.Lock != nil {
			stricter(s.Lock.P, s)
		}
		if s.FieldMDP != nil {
			stricter(s.FieldMDP.P, s)
		}
	}
	return p, by
}

func (p *plan) checkDocMDP() error {
	permission, by := p.form.effectivePermission()
	if permission == 1 {
		return text.Detailed(text.DocMDPForbids, nil, "sign.docmdp-no-changes", by)
	}
	if permission == 2 && p.target == nil && !p.NewFieldAfterCertify {
		return text.Detailed(text.DocMDPForbids, nil, "sign.docmdp-no-new-field", by)
	}
	if p.Certify == 0 {
		return nil
	}
	for i := range p.form.signatures {
		s := &p.form.signatures[i]
		if s.Signed() && (s.Perms == "" || s.Perms == "DocMDP") {
			return text.Detailed(text.DocMDPForbids, nil, "sign.certify-first", s.Field)
		}
	}
	return nil
}

// checkFieldLock refuses to touch the existing field name when an earlier
// signature froze it (ISO 32000-2, 12.8.2.4). A field that did not exist then
// is not covered by such a lock.
func (p *plan) checkFieldLock(name string) error {
	for i := range p.form.signatures {
		s := &p.form.signatures[i]
		if s.Signed() && (s.FieldMDP.Locks(name) || s.Lock.Locks(name)) {
			return text.Detailed(text.FieldLocked, nil, "sign.locked-by", name, s.Field)
		}
	}
	return nil
}

// findFills finds the text fields of Fill, in the order of the form.
func (p *plan) findFills() error {
	for name, value := range p.Fill {
		i := slices.IndexFunc(p.form.fields, func(f field) bool { return f.name == name })
		if i < 0 || p.form.fields[i].kind != "Tx" || p.form.fields[i].ref.IsZero() {
			return text.Detailed(text.FieldNotFound, nil, "sign.field", name)
		}
		fl := &p.form.fields[i]
		if err := p.checkFieldLock(name); err != nil {
			return err
		}
		if s, _ := p.form.resolve(fl.value).(pdf.String); len(s.Value) > 0 {
			return text.Detailed(text.FieldLocked, nil, "sign.filled", name)
		}
		p.fills = append(p.fills, fill{fl, value})
	}
	slices.SortFunc(p.fills, func(a, b fill) int { return strings.Compare(a.field.name, b.field.name) })
	return nil
}
