package signer

import (
	"bytes"
	"context"
	"fmt"

	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// Normalise returns the document to be signed in place of in: in itself, and false,
// when it needs no repair (or something else forbids its signing), and else one written anew, in memory, and
// true. It is for a file that opens only after repair, which cannot be signed as it
// is; pages, forms and metadata stay, what nothing refers to goes. The same file
// gives the same bytes.
//
// A file that carries a signature is never rewritten, nor is an encrypted one, nor
// one that cannot be repaired without guessing: errors are those of pdf.Rewritten.
func Normalise(ctx context.Context, in Input) (Input, bool, error) {
	if err := ctx.Err(); err != nil {
		return in, false, fmt.Errorf("normalising %s: %w", in.Name, err)
	}
	if !damaged(signable(in)) {
		return in, false, nil // nothing that rewriting would change
	}
	data, err := pdf.Rewritten(in.Reader, in.Size, pdf.Options{Password: in.Password})
	if err != nil {
		return in, false, fmt.Errorf("normalising %s: %w", in.Name, err)
	}
	out := in
	out.Reader, out.Size = bytes.NewReader(data), int64(len(data))
	if err := signable(out); damaged(err) {
		return in, false, fmt.Errorf("normalising %s: %w", in.Name, err)
	}
	return out, true, nil
}

// signable returns why no ordinary signature can be put into in; nil when one can.
func signable(in Input) error {
	f, err := pdf.Open(in.Reader, in.Size, pdf.Options{Password: in.Password})
	if err != nil {
		return fmt.Errorf("opening the document: %w", err)
	}
	return pades.Preflight(f, pades.Options{})
}

// damaged reports whether err says that the file needs repair, and nothing else.
func damaged(err error) bool {
	code := text.CodeOf(err)
	return err != nil && (code == text.PDFRepairNeeded || code == text.PDFMalformed)
}
