package validation

import (
	"errors"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/pades"
)

// findRemoved looks for signatures that an earlier revision held and the newest
// one hides: they are judged where they stood, and their removal is a change. It
// looks only when the file shows more signature dictionaries than were found.
func (v *validation) findRemoved() error {
	located := map[int64]bool{}
	for _, s := range v.subjects {
		located[s.sig.ContentsStart] = true
	}
	if v.byteRanges <= len(v.subjects) || len(v.revs) < 2 {
		return nil
	}
	before := len(v.subjects)
	for i := len(v.revs) - 2; i >= 0; i-- {
		f, err := v.revision(i)
		if err != nil {
			continue
		}
		found, err := pades.Signatures(f)
		if err != nil {
			continue
		}
		for j := range found {
			if !found[j].Signed() || found[j].Perms == "UR3" || found[j].Perms == "UR" || located[found[j].ContentsStart] ||
				len(v.subjects) == maxSignatures {
				continue
			}
			located[found[j].ContentsStart] = true
			v.subjects = append(v.subjects, newSubject(found[j], f))
		}
	}
	if len(v.subjects) == before {
		return nil
	}
	v.checkFormats()
	return v.readBytes()
}

// compare runs the difference analysis from the first signed revision on.
func (v *validation) compare() error {
	first := -1
	for _, s := range v.subjects {
		if s.revision >= 0 {
			first = s.revision
			break
		}
	}
	if first < 0 || first == len(v.revs)-1 {
		return nil
	}
	for i := first; i < len(v.revs); i++ {
		if _, err := v.revision(i); err != nil {
			v.report.because(Invalid, Reason{Code: ReasonMalformed, Message: text.Get("validation.malformed.revision")})
			return nil
		}
	}
	findings, err := differences(v.ctx, v.in.Reader, v.files, v.revs, first)
	switch {
	case errors.Is(err, errBudget):
		v.report.because(Inconclusive, Reason{Code: ReasonBudget, Message: text.Get(reasonKey(ReasonBudget))})
		return nil
	case err != nil:
		return err
	}
	v.judgeChanges(findings)
	return nil
}

// conclude gathers the reasons of all signatures into the verdict of the file.
func (v *validation) conclude() {
	signed := false
	for _, s := range v.subjects {
		if s.out.Indication == "" {
			s.conclude(ades.Indeterminate, ades.NoSigningCertificateFound, ReasonNoCertificate)
		}
		if s.timestamp() {
			s.out.BestTime, s.out.BestTimeSource = Time{v.at}, TimeNow
			if !s.best.IsZero() {
				s.out.BestTime, s.out.BestTimeSource = Time{s.best.UTC()}, s.bestSource
			}
		}
		signed = signed || !s.timestamp()
		for _, r := range s.reasons {
			verdict := r.verdict
			if s.timestamp() {
				// A document time-stamp is nobody's signature: what is wrong with it
				// costs its proof of time and nothing else.
				verdict, r.Code = asNote(verdict), ReasonTimestamp
			}
			v.report.because(verdict, r)
		}
		s.out.CheckableUntil, s.out.Material = Time{v.checkableUntil(s).UTC()}, v.material(s)
		v.report.Signatures = append(v.report.Signatures, *s.out)
	}
	if v.rights {
		v.report.because(ValidWithNotes, Reason{Code: ReasonUsageRights, Message: text.Get(reasonKey(ReasonUsageRights))})
	}
	if v.file != nil {
		v.findLikenesses(signed)
		v.findOrphans()
	}
	if signed {
		return
	}
	code := ReasonUnsignedFile
	if len(v.subjects) > 0 {
		code = ReasonOnlyTimestamps
	}
	v.report.because(Unsigned, Reason{Code: code, Message: text.Get(reasonKey(code))})
}

// asNote makes a note of anything graver.
func asNote(v Verdict) Verdict {
	if v == Valid {
		return Valid
	}
	return ValidWithNotes
}
