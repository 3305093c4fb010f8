package appearance

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/content"
)

// Limits of a signature image. A4 at 300 dpi is 2,480 pixels wide; a signature is
// a third of that. The product of sides bounds the memory for the decoded image
// to about 32 MB, and the byte limit what is read at all.
const (
	MaxImageBytes  = 4 << 20
	MaxImageSide   = 4096
	maxImagePixels = 4 << 20
)

const imageName = pdf.Name("Im0")

// errImage is the cause of an image refused for its size.
var errImage = errors.New("image exceeds the limits")

func badImage(err error) error {
	return text.Detailed(text.InvalidInput, err, "appearance.image", MaxImageSide, MaxImageBytes>>20)
}

// decode decodes a PNG or a JPEG within the limits; the header is judged before any
// pixel is allocated.
func decode(data []byte) (image.Image, error) {
	if len(data) > MaxImageBytes {
		return nil, badImage(errImage)
	}
	config, pixels := png.DecodeConfig, png.Decode
	if isJPEG(data) {
		config, pixels = jpeg.DecodeConfig, jpeg.Decode
	}
	head, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, badImage(err)
	}
	if head.Width <= 0 || head.Height <= 0 || head.Width > MaxImageSide || head.Height > MaxImageSide ||
		head.Width*head.Height > maxImagePixels {
		return nil, badImage(errImage)
	}
	picture, err := pixels(bytes.NewReader(data))
	if err != nil {
		return nil, badImage(err)
	}
	return picture, nil
}

// drawImage embeds the picture and draws it as large as it fits into box, centred.
func drawImage(c *content.Canvas, a adder, data []byte, box [4]float64) (*pdf.Dict, error) {
	picture, err := decode(data)
	if err != nil {
		return nil, err
	}
	size := picture.Bounds().Size()
	w, h := box[2]-box[0], box[3]-box[1]
	scale := min(w/float64(size.X), h/float64(size.Y))
	dw, dh := scale*float64(size.X), scale*float64(size.Y)
	c.Save()
	c.Op("cm", dw, 0, 0, dh, box[0]+(w-dw)/2, box[1]+(h-dh)/2)
	c.Raw([]byte("/" + imageName + " Do\n"))
	c.Restore()
	if own, ok := embedJPEG(a, data, picture); ok {
		return pdf.NewDict(imageName, own), nil
	}
	return pdf.NewDict(imageName, embedImage(a, picture)), nil
}

// embedImage writes the picture as 8-bit RGB, and its transparency, if it has
// any, as a soft mask.
func embedImage(a adder, picture image.Image) pdf.Ref {
	r := picture.Bounds()
	colours := make([]byte, 0, 3*r.Dx()*r.Dy())
	alpha := make([]byte, 0, r.Dx()*r.Dy())
	opaque := true
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p, _ := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			colours = append(colours, p.R, p.G, p.B)
			alpha = append(alpha, p.A)
			opaque = opaque && p.A == 0xff
		}
	}
	dict := imageDict(r, "DeviceRGB")
	if !opaque {
		dict.Set("SMask", a.Add(pdf.NewFlateStream(imageDict(r, "DeviceGray"), alpha)))
	}
	return a.Add(pdf.NewFlateStream(dict, colours))
}

func imageDict(r image.Rectangle, space pdf.Name) *pdf.Dict {
	return pdf.NewDict(pdf.Name("Type"), pdf.Name("XObject"), pdf.Name("Subtype"), pdf.Name("Image"),
		pdf.Name("Width"), pdf.Int(int64(r.Dx())), pdf.Name("Height"), pdf.Int(int64(r.Dy())),
		pdf.Name("ColorSpace"), space, pdf.Name("BitsPerComponent"), pdf.Int(8))
}
