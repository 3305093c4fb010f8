package signer

import (
	"slices"

	"antin/signer/validation"
)

// warnReaders tells of a document that readers may take for another one, as a file does
// that prepares a shadow: signing it is lawful, and its signer should know.
func (r *run) warnReaders(after *validation.Report) {
	if slices.ContainsFunc(after.Reasons, func(x validation.Reason) bool { return x.Code == validation.ReasonReaders }) {
		r.warn(WarnReadersDiffer)
	}
}
