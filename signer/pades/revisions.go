package pades

import (
	"antin/signer/pdf"
)

// SignedRevision is one state of a file, with what signs it.
type SignedRevision struct {
	// Number counts from 1, the original; the newest comes last.
	Number int
	// Size is the length in bytes of the file as of the revision: its first Size
	// bytes are that version of the document.
	Size int64
	// Signatures and Timestamps name the fields whose ByteRange ends with this
	// revision: signatures, and document time-stamps. Nothing is verified here.
	Signatures, Timestamps []string
}

// Revisions lists the revisions of f, oldest first, each with the signatures that
// cover exactly it. Errors are those of Signatures.
func Revisions(f *pdf.File) ([]SignedRevision, error) {
	signatures, err := Signatures(f)
	if err != nil {
		return nil, err
	}
	var list []SignedRevision
	for i, r := range f.Revisions() {
		s := SignedRevision{Number: i + 1, Size: r.End}
		for j := range signatures {
			sig := &signatures[j]
			if !sig.HasByteRange || sig.ByteRange[0] != 0 || sig.ByteRange[3] < 0 {
				continue
			}
			// The marker of the last line may have been written after signing.
			end := sig.ByteRange[2] + sig.ByteRange[3]
			if end < r.EOF || end > r.End {
				continue
			}
			if end < s.Size {
				s.Size = end
			}
			if sig.DocumentTimestamp() {
				s.Timestamps = append(s.Timestamps, sig.Field)
			} else {
				s.Signatures = append(s.Signatures, sig.Field)
			}
		}
		list = append(list, s)
	}
	return list, nil
}
