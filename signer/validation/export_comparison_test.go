package validation

import (
	"context"
	"fmt"

	"antin/signer/pdf"
)

// BothComparisons makes the difference analysis of a file after revision first in both
// ways: with every path known, and from what lies nearby, where that is enough.
func BothComparisons(ctx context.Context, in Input, first int) (everywhere, nearby string, done bool, err error) {
	f, err := pdf.Open(in.Reader, in.Size, pdf.Options{})
	if err != nil {
		return "", "", false, err
	}
	revs := f.Revisions()
	if first < 0 || first >= len(revs)-1 {
		return "", "", false, nil
	}
	files := make([]*pdf.File, len(revs))
	for i := first; i < len(revs); i++ {
		if files[i], err = f.AtRevision(revs[i]); err != nil {
			return "", "", false, err
		}
	}
	d := newDiffer(ctx, in.Reader, files, revs, first)
	if err := d.everywhere(); err != nil {
		everywhere = err.Error()
	}
	everywhere += fmt.Sprintf("%+v", d.findings)
	d = newDiffer(ctx, in.Reader, files, revs, first)
	done, err = d.compareNearby()
	return everywhere, fmt.Sprintf("%+v", d.findings), done, err
}
