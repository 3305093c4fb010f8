package signer

import (
	"strconv"
	"strings"

	"antin/signer/appearance"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// drawField draws a filled field as the rest of the document is set, in the size
// that the field's default appearance asks for.
func drawField(u *pdf.Update, f pades.FilledField) (pdf.Ref, error) {
	mark := appearance.FieldMark{Value: f.Value, Align: appearance.Align(f.Quadding)}
	words := strings.Fields(f.DefaultAppearance)
	for i, word := range words {
		if word != "Tf" || i < 2 {
			continue
		}
		if size, err := strconv.ParseFloat(words[i-1], 64); err == nil {
			mark.Size = size
		}
	}
	return appearance.FieldText(mark)(u, f.Width, f.Height)
}
