package validation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// Addition is one thing that was added behind a file.
type Addition struct {
	Kind ChangeKind
	// Signed is true for a signature's value put into a field, and false for a
	// document time-stamp and for the field as such.
	Signed bool
	Field  string // fully qualified name, where there is one
	// Allowed is false for what no signature of the file would permit, were there
	// one that states nothing: content, pages, scripts, values filled a second time.
	Allowed bool
	// Evidence is true for what only helps to check signatures: revocation data and
	// document time-stamps.
	Evidence bool
	Message  text.Message
}

// Additions lists what follows the first base bytes of in, which must be a whole
// revision of it: everything that the file does beyond them, judged as after a
// signature even when those bytes hold none. Errors: not-a-pdf, pdf-malformed,
// limit-exceeded; state-conflict when base is no end of a revision.
func Additions(ctx context.Context, in Input, base int64) ([]Addition, error) {
	v := &validation{Validator: &Validator{}, ctx: ctx, in: in, report: &Report{}}
	if err := v.open(); err != nil {
		return nil, err
	}
	first := slices.IndexFunc(v.revs, func(r pdf.Revision) bool { return base >= r.EOF && base <= r.End })
	if first < 0 {
		return nil, text.Errorf(text.StateConflict, errors.New("no revision ends there"))
	}
	for i := first; i < len(v.revs); i++ {
		if _, err := v.revision(i); err != nil {
			return nil, err
		}
	}
	found, err := differences(ctx, v.in.Reader, v.files, v.revs, first)
	if errors.Is(err, errBudget) {
		return nil, text.Errorf(text.LimitExceeded, err)
	}
	if err != nil {
		return nil, fmt.Errorf("comparing %s: %w", in.Name, err)
	}
	values, err := signedFields(v.files[first], v.file)
	if err != nil {
		return nil, err
	}
	out := make([]Addition, 0, len(found)+len(values))
	for _, f := range found {
		out = append(out, Addition{
			Kind: f.kind, Field: f.field, Evidence: f.level == ModificationEvidence || f.level == ModificationNone,
			Allowed: f.level == ModificationEvidence || f.level == ModificationNone || f.level == ModificationForm && (f.kind == ChangeSignature || f.firstFill),
			Message: text.Get(f.key, f.args...),
		})
	}
	for _, name := range values {
		out = append(out, Addition{Kind: ChangeSignature, Signed: true, Field: name, Allowed: true, Message: text.Get("change.signature.added", name)})
	}
	return out, nil
}

// signedFields names the signatures, document time-stamps apart, that after holds
// beyond those of before.
func signedFields(before, after *pdf.File) ([]string, error) {
	old, err := pades.Signatures(before)
	if err != nil {
		return nil, err
	}
	now, err := pades.Signatures(after)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range now {
		had := slices.ContainsFunc(old, func(o pades.Signature) bool { return o.Signed() && o.Field == s.Field })
		if s.Signed() && !s.DocumentTimestamp() && !had {
			names = append(names, s.Field)
		}
	}
	return names, nil
}
