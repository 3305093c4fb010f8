package signer

import (
	"fmt"
	"slices"

	"antin/internal/text"
	"antin/signer/validation"
)

// warnReaders tells of a document that readers may take for another one, as a file does
// that prepares a shadow: signing it is lawful, and its signer should know.
func (r *run) warnReaders(reasons []validation.Reason) {
	if slices.ContainsFunc(reasons, func(x validation.Reason) bool {
		return x.Code == validation.ReasonReaders || x.Code == validation.ReasonPolyglot
	}) {
		r.warn(WarnReadersDiffer)
	}
}

// twoReadings refuses a document in which something was appended to a signature that
// reads in two ways: whatever signed it next, it would be invalid.
func twoReadings(why validation.Reason) error {
	detail := text.Get("sign.two-readings")
	return &text.Error{Code: text.PDFMalformed, Detail: text.Message{
		VI: fmt.Sprintf(detail.VI, why.Message.VI), EN: fmt.Sprintf(detail.EN, why.Message.EN)}}
}
