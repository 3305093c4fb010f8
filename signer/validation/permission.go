package validation

import (
	"slices"

	"antin/signer/pades"
	"antin/signer/pdf"
)

// permission is what a signature states about later changes: the DocMDP
// transform or, failing that, the /P of its field's lock (ISO 32000-2, 12.8.2.2
// and table 236). 0 is nothing stated.
func permission(s *pades.Signature) int {
	if s.DocMDP != 0 {
		return s.DocMDP
	}
	if s.Lock != nil {
		return s.Lock.P
	}
	return 0
}

func permissionWord(p int) Permission {
	switch p {
	case 1:
		return PermissionNoChanges
	case 2:
		return PermissionFormFilling
	case 3:
		return PermissionAnnotations
	}
	return PermissionNone
}

// locks reports whether s freezes the form field called name.
func locks(s *pades.Signature, name string) bool {
	return s.FieldMDP.Locks(name) || s.Lock.Locks(name)
}

// releases reports whether the lock of s leaves the form field called name open
// by naming it.
func releases(s *pades.Signature, name string) bool {
	for _, l := range []*pades.Lock{s.FieldMDP, s.Lock} {
		if l != nil && l.Action == pades.LockExclude && slices.Contains(l.Fields, name) {
			return true
		}
	}
	return false
}

// forbids reports whether s, made before f, does not permit it.
func (v *validation) forbids(s *subject, f *finding) bool {
	p := permission(&s.sig)
	switch f.level {
	case ModificationNone, ModificationEvidence:
		return false
	case ModificationForm:
		switch {
		case p == 1, (f.visible || f.signing) && locks(&s.sig, f.field):
			return true
		case f.visible && !f.firstFill:
			return p != 2 && p != 3
		}
		return false
	case ModificationAnnotation:
		return p == 1 || p == 2 // nothing stated: a matter of who covers it
	case ModificationForbidden:
	}
	return true
}

// judgeChanges turns the findings into the report's changes, and what they mean
// into reasons.
func (v *validation) judgeChanges(findings []finding) {
	for i := range findings {
		f := &findings[i]
		c := Change{AfterRevision: f.after + 1, Kind: f.kind, Page: f.page, Allowed: true,
			ForbiddenBy: []string{}, CoveredBy: []string{}, Message: say(f.key, f.args...), Revision: f.after + 2}
		if f.num != 0 {
			c.Object = pdf.Ref{Num: f.num, Gen: v.generation(f.num)}.String()
		}
		if i < maxChanges {
			v.explain(f, &c)
		}
		for _, s := range v.subjects {
			if s.revision < 0 || s.revision > f.after {
				continue
			}
			level := f.level
			if v.forbids(s, f) {
				level = ModificationForbidden
			}
			s.out.Modifications = worst(s.out.Modifications, level)
			if level == ModificationForbidden && !s.timestamp() {
				c.ForbiddenBy = append(c.ForbiddenBy, s.name())
			}
		}
		c.Allowed = len(c.ForbiddenBy) == 0 && f.level != ModificationForbidden
		covering := v.covering(f)
		for _, s := range covering {
			c.CoveredBy = append(c.CoveredBy, s.name())
		}
		v.judgeChange(f, &c, covering)
		if len(v.report.Changes) < maxChanges {
			v.report.Changes = append(v.report.Changes, c)
		}
	}
}

// covering lists the intact signatures made after f, which protect its result.
func (v *validation) covering(f *finding) []*subject {
	var list []*subject
	for _, s := range v.subjects {
		if !s.timestamp() && s.revision > f.after && s.out.Integrity == IntegrityOK {
			list = append(list, s)
		}
	}
	return list
}

// judgeChange says what one change makes of the file.
func (v *validation) judgeChange(f *finding, c *Change, covering []*subject) {
	if !c.Allowed && len(c.ForbiddenBy) == 0 {
		v.note(f, c, ReasonAfterTimestamp, ValidWithNotes) // only document time-stamps stood before it
		return
	}
	if !c.Allowed {
		v.report.because(Invalid, Reason{Code: ReasonChanged, Signature: c.ForbiddenBy[0], Page: f.page,
			Message: say(reasonKey(ReasonChanged), c.ForbiddenBy[0], c.Message)})
		return
	}
	if !f.visible {
		return
	}
	trusted := slices.ContainsFunc(covering, func(s *subject) bool { return s.passed() })
	released := f.firstFill && v.earlier(f, func(s *subject) bool { return releases(&s.sig, f.field) })
	permitted := v.earlier(f, func(s *subject) bool { p := permission(&s.sig); return p == 2 || p == 3 })
	switch {
	case trusted && released:
		c.Message = say("change.field.issued", f.field, lastArg(f.args), covering[0].name())
	case trusted:
		v.note(f, c, ReasonChangeCovered, ValidWithNotes)
	case permitted:
		v.note(f, c, ReasonChangeAllowed, ValidWithNotes)
	case len(covering) > 0:
		v.note(f, c, ReasonCoverUntrusted, Inconclusive)
	case v.earlier(f, func(*subject) bool { return true }):
		v.note(f, c, ReasonUncovered, v.policy.UncoveredChange.verdict())
	}
}

func (v *validation) note(f *finding, c *Change, code ReasonCode, verdict Verdict) {
	v.report.because(verdict, Reason{Code: code, Page: f.page, Message: say(reasonKey(code), c.Message)})
}

// earlier reports whether ok holds for a signature made before f.
func (v *validation) earlier(f *finding, ok func(*subject) bool) bool {
	return slices.ContainsFunc(v.subjects, func(s *subject) bool {
		return !s.timestamp() && s.revision >= 0 && s.revision <= f.after && ok(s)
	})
}

func lastArg(args []any) any {
	if len(args) == 0 {
		return ""
	}
	return args[len(args)-1]
}

// generation is the generation of object num in the newest revision.
func (v *validation) generation(num int) int {
	e, _ := v.file.Entry(num)
	return e.Gen
}
