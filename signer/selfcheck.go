package signer

import (
	"context"
	"fmt"
	"slices"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/validation"
)

// expected are the sub-indications with which a new signature may be
// INDETERMINATE: facts about trust and revocation that the file does not carry,
// never about the signature itself.
var expected = []ades.SubIndication{
	ades.NoCertificateChainFound, ades.NoCertificateChainFoundNoPOE, ades.TryLater,
}

// selfCheck validates the finished document, offline, and holds it back unless
// the new signature stands and every earlier one is what it was.
func (r *run) selfCheck(ctx context.Context) error {
	reader, size := join(r.in.Reader, r.in.Size, r.prepared.Update, r.evidence)
	at := r.latest()
	in := validation.Input{Reader: reader, Size: size, Name: r.in.Name, Password: r.in.Password, Known: r.file}
	in.Preread, in.Survey = r.early.known()
	after, err := r.validator().Validate(ctx, in, at)
	if err != nil {
		return fmt.Errorf("checking the signed document: %w", err)
	}
	i := slices.IndexFunc(after.Signatures, func(s validation.Signature) bool { return s.Field == r.prepared.Field })
	if i < 0 {
		return text.Detailed(text.SelfCheckFailed, nil, "sign.new-signature", "not found")
	}
	r.check = &after.Signatures[i]
	r.warnReaders(after.Reasons)
	if r.check.SubIndication == ades.SigCryptoFailure {
		return text.Detailed(text.CertificateMismatch, nil, "sign.value-wrong") // the key is not the certificate's
	}
	if why := r.judgeNew(r.check); why != "" {
		return text.Detailed(text.SelfCheckFailed, nil, "sign.new-signature", why)
	}
	// The new signature is intact: the bytes that were read again here are those that
	// were copied to out, so that their digest is the output's.
	r.whole = after.SHA256
	if r.nothingWorse(after) {
		return nil
	}
	if len(after.Signatures) == 1 {
		return text.Detailed(text.SelfCheckFailed, nil, "sign.new-signature", reasons(after))
	}
	before, err := r.validator().Validate(ctx, r.original(), at)
	if err != nil {
		return fmt.Errorf("checking the original document: %w", err)
	}
	return r.compareEarlier(before, after)
}

// original is the document that is signed, for a validator.
func (r *run) original() validation.Input {
	return validation.Input{Reader: r.in.Reader, Size: r.in.Size, Name: r.in.Name, Password: r.in.Password, Known: r.file}
}

// nothingWorse reports whether the output by itself shows that no earlier signature
// fares worse than before, so that the original need not be judged beside it: each is
// still there and intact, nothing later is forbidden by it, and it has passed, or lacks
// only facts that this update does not change, since it adds no evidence.
func (r *run) nothingWorse(after *validation.Report) bool {
	if earlier, err := r.form.Signed(); err != nil || earlier+1 != len(after.Signatures) || after.Verdict == validation.Invalid {
		return false
	}
	for i := range after.Signatures {
		s := &after.Signatures[i]
		if s.Field == r.prepared.Field {
			continue
		}
		missing := s.Indication == ades.Indeterminate && slices.Contains(expected, s.SubIndication) && len(r.evidence) == 0
		if s.Integrity != validation.IntegrityOK || s.Modifications == validation.ModificationForbidden || s.Indication != ades.TotalPassed && !missing {
			return false
		}
	}
	return true
}

// validator is the judge without a network: the document must stand by itself.
func (r *run) validator() *validation.Validator {
	v := validation.Validator{Trust: r.Trust, AllowSandbox: r.AllowSandbox}
	if r.Validator != nil {
		v = *r.Validator
	}
	v.Revocation, v.Issuers, v.Verified, v.Buffers = nil, nil, &r.verified, &r.buffers
	return &v
}

// judgeNew says what is wrong with the new signature; empty when nothing is.
func (r *run) judgeNew(s *validation.Signature) string {
	said := string(s.Indication) + " " + string(s.SubIndication)
	switch {
	case s.Integrity != validation.IntegrityOK:
		return "integrity " + string(s.Integrity) + " " + said
	case s.Indication == ades.TotalPassed:
	case s.Indication != ades.Indeterminate || !slices.Contains(expected, s.SubIndication):
		return said
	case r.trusted() && r.level().AtLeast(ades.BLT):
		return said // everything needed was put in
	default:
		return "" // the level of what is not judged to the end is not known
	}
	if s.Level != "PAdES-"+string(r.level()) && !r.req.PKCS7 {
		return "level " + s.Level
	}
	return ""
}

// compareEarlier refuses an output in which an earlier signature fares worse
// than before.
func (r *run) compareEarlier(before, after *validation.Report) error {
	for _, old := range before.Signatures {
		i := slices.IndexFunc(after.Signatures, func(s validation.Signature) bool { return s.Field == old.Field && s.Type == old.Type })
		if i < 0 {
			return text.Detailed(text.SelfCheckFailed, nil, "sign.earlier-signature", old.Field)
		}
		now := after.Signatures[i]
		worse := now.Integrity != old.Integrity || standing(now.Indication) < standing(old.Indication) ||
			(now.Modifications == validation.ModificationForbidden && old.Modifications != validation.ModificationForbidden)
		if worse {
			return text.Detailed(text.SelfCheckFailed,
				fmt.Errorf("was %s %s, would be %s %s %s", old.Indication, old.SubIndication, now.Indication, now.SubIndication, now.Modifications),
				"sign.earlier-signature", old.Field)
		}
	}
	switch {
	case before.Verdict == validation.Invalid:
		r.warn(WarnEarlierInvalid)
	case after.Verdict == validation.Invalid:
		return text.Detailed(text.SelfCheckFailed, nil, "sign.new-signature", reasons(after))
	}
	return nil
}

// standing orders indications; more evidence may raise one, nothing may lower it.
func standing(i ades.Indication) int {
	switch i {
	case ades.TotalPassed:
		return 2
	case ades.Indeterminate:
		return 1
	case ades.TotalFailed:
	}
	return 0
}

func reasons(report *validation.Report) string {
	s := string(report.Verdict)
	for _, reason := range report.Reasons {
		s += " " + string(reason.Code)
	}
	return s
}
