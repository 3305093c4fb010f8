package find

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"antin/signer/pdf"
)

const (
	// maxPixels bounds the pixels of a picture that is looked at: a seal scanned at
	// 600 dots per inch has one million.
	maxPixels = 4 << 20
	// samples is about how many pixels are looked at: a share of them is wanted, no more.
	samples = 60_000
)

// Redness says how much of a picture is drawn at all, and how much of that in the red
// of seals, both from 0 to 1. A picture that cannot be read, is larger than a seal's
// need be, or is compressed in a way not known here has neither; ok is then false.
func Redness(f *pdf.File, s *pdf.Stream) (drawn, red float64, ok bool) {
	pixel, w, h := pixels(f, s)
	if pixel == nil || w*h == 0 {
		return 0, 0, false
	}
	step := max(1, w*h/samples)
	seen, ink, reds := 0, 0, 0
	for i := 0; i < w*h; i += step {
		r, g, b := pixel(i%w, i/w)
		seen++
		if r > 225 && g > 225 && b > 225 {
			continue // paper
		}
		ink++
		if r > 120 && 10*g < 7*r && 10*b < 7*r {
			reds++
		}
	}
	if ink == 0 {
		return 0, 0, true
	}
	return float64(ink) / float64(seen), float64(reds) / float64(ink), true
}

// pixels gives access to the colours of an image by 8 bits a component.
func pixels(f *pdf.File, s *pdf.Stream) (at func(x, y int) (r, g, b int), w, h int) {
	width, errW := f.Int(s.Dict.Get("Width"))
	height, errH := f.Int(s.Dict.Get("Height"))
	if errW != nil || errH != nil || width <= 0 || height <= 0 || width > maxPixels || height > maxPixels/width {
		return nil, 0, 0
	}
	if filter(f, s) == "DCTDecode" {
		return jpegPixels(f, s)
	}
	bits, _ := f.Int(s.Dict.Get("BitsPerComponent"))
	n, palette := components(f, s.Dict.Get("ColorSpace"))
	if bits != 8 || n == 0 {
		return nil, 0, 0
	}
	w, h = int(width), int(height)
	data, err := f.Decode(s, int64(w*h*n)+1024)
	if err != nil || len(data) < w*h*n {
		return nil, 0, 0
	}
	return func(x, y int) (int, int, int) {
		p := data[(y*w+x)*n:]
		switch {
		case palette != nil:
			if 3*int(p[0])+2 >= len(palette) {
				return 0, 0, 0
			}
			p = palette[3*int(p[0]):]
		case n == 1:
			return int(p[0]), int(p[0]), int(p[0])
		case n == 4:
			k := 255 - int(p[3])
			return (255 - int(p[0])) * k / 255, (255 - int(p[1])) * k / 255, (255 - int(p[2])) * k / 255
		}
		return int(p[0]), int(p[1]), int(p[2])
	}, w, h
}

// filter is the one filter of a stream, "" for none or several.
func filter(f *pdf.File, s *pdf.Stream) pdf.Name {
	o, err := f.Resolve(s.Dict.Get("Filter"))
	if err != nil {
		return ""
	}
	if a, ok := o.(pdf.Array); ok && len(a) == 1 {
		o = a[0]
	}
	name, _ := f.Name(o)
	return name
}

// components is how many bytes a pixel has, and the colours of a palette of RGB.
func components(f *pdf.File, space pdf.Object) (n int, palette []byte) {
	o, err := f.Resolve(space)
	if err != nil {
		return 0, nil
	}
	switch v := o.(type) {
	case pdf.Name:
		switch v {
		case "DeviceRGB", "CalRGB":
			return 3, nil
		case "DeviceGray", "CalGray":
			return 1, nil
		case "DeviceCMYK":
			return 4, nil
		}
	case pdf.Array:
		if len(v) == 0 {
			return 0, nil
		}
		kind, _ := f.Name(v[0])
		switch {
		case kind == "ICCBased" && len(v) > 1:
			profile, _ := f.Stream(v[1])
			if profile == nil {
				return 0, nil
			}
			count, _ := f.Int(profile.Dict.Get("N"))
			if count == 1 || count == 3 || count == 4 {
				return int(count), nil
			}
		case kind == "CalRGB":
			return 3, nil
		case kind == "Indexed" && len(v) == 4:
			if base, inner := components(f, v[1]); base == 3 && inner == nil {
				return 1, lookup(f, v[3])
			}
		}
	}
	return 0, nil
}

// lookup reads the table of an indexed colour space.
func lookup(f *pdf.File, o pdf.Object) []byte {
	const longest = 3 * 256
	if s, err := f.Stream(o); err == nil && s != nil {
		data, _ := f.Decode(s, 2*longest)
		return append([]byte{}, data...)
	}
	s, _ := f.String(o)
	return append([]byte{}, s.Value...)
}

func jpegPixels(f *pdf.File, s *pdf.Stream) (at func(x, y int) (r, g, b int), w, h int) {
	data, err := io.ReadAll(io.LimitReader(f.Raw(s), maxPixels))
	if err != nil {
		return nil, 0, 0
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height {
		return nil, 0, 0
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, 0, 0
	}
	return func(x, y int) (int, int, int) { return colourAt(img, x, y) }, c.Width, c.Height
}

func colourAt(img image.Image, x, y int) (r, g, b int) {
	p, q, s, _ := img.At(x, y).RGBA()
	return int(p >> 8), int(q >> 8), int(s >> 8)
}

// Fold gives texts that say the same to a reader one spelling: lower case, without
// marks (đ becomes d), runs of white space as one space.
func Fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(fold(s))) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
