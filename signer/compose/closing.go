package compose

import (
	"strings"

	"antin/internal/text"
	"antin/signer/appearance"
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

// The block at the end: receivers at the left, signature at the right.
const (
	signBlock    = 85 * mm
	signCentre   = marginLeft + textWidth - signBlock/2
	signWidth    = 60 * mm
	signHeight   = 30 * mm
	receivers    = textWidth - signBlock - 4*mm
	receiverHead = 12.0
	receiverSize = 11.0
)

// closing returns the block of signature and receivers as one item.
func (in DocumentForm) closing() (item, error) {
	above, err := in.office()
	if err != nil {
		return item{}, err
	}
	name, err := centredLines(run(font.Bold, bodySize, in.Signer.Name), signCentre, signBlock)
	if err != nil {
		return item{}, err
	}
	left, err := in.receiverLines()
	if err != nil {
		return item{}, err
	}
	// The seal is higher than the person's field: both fit between office and name.
	room := max(signHeight, in.sealDiameter()*mm) + 4
	height := max(stack(left), stack(above)+room+stack(name))
	return item{space: 14, height: height, draw: func(p *page, top float64) error {
		if err := drawStack(p, left, top); err != nil {
			return err
		}
		if err := drawStack(p, above, top); err != nil {
			return err
		}
		top -= stack(above)
		middle := top - room/2
		person := [4]float64{signCentre - signWidth/2, middle - signHeight/2, signCentre + signWidth/2, middle + signHeight/2}
		seal := appearance.SealRect(person, in.sealDiameter(), [4]float64{0, 0, pageWidth, pageHeight})
		p.fields = append(p.fields,
			field{name: FieldPerson, rect: person, label: "compose.field.person"},
			field{name: FieldSeal, rect: seal, label: "compose.field.seal"})
		return drawStack(p, name, top-room)
	}}, nil
}

func (in DocumentForm) sealDiameter() float64 {
	if in.SealDiameterMM > 0 {
		return in.SealDiameterMM
	}
	return appearance.SealDiameter
}

// office is the competence and the position above the signature.
func (in DocumentForm) office() ([]item, error) {
	var items []item
	for _, s := range append(strings.Split(in.Signer.Competence, "\n"), in.Signer.Position) {
		more, err := centredLines(run(font.Bold, bodySize, upper(s)), signCentre, signBlock)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

func (in DocumentForm) receiverLines() ([]item, error) {
	if len(in.Receivers) == 0 {
		return nil, nil
	}
	items, err := leftLines(content.Run{Style: font.BoldItalic, Size: receiverHead, Text: text.Get("compose.copies").VI}, marginLeft, receivers, 0)
	if err != nil {
		return nil, err
	}
	more, err := listed(in.Receivers, receiverSize, marginLeft, receivers)
	return append(items, more...), err
}
