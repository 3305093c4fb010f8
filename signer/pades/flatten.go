package pades

import (
	"antin/signer/pdf"
)

// maxFlattened bounds the samples of an image that is laid on white, in bytes: more
// than a picture of an appearance may have, less than would be felt.
const maxFlattened = 32 << 20

// flattened is the image s of the update, object ref, without its soft mask: laid on
// white, the colour of paper, as it would look on the page. It takes the place of s
// in the update. What is no image of that kind comes back as it is.
func (w *writer) flattened(ref pdf.Ref, s *pdf.Stream) (*pdf.Stream, error) {
	mask := w.softMask(s)
	if mask == nil {
		return s, nil
	}
	components := map[pdf.Name]int{"DeviceRGB": 3, "DeviceGray": 1}[w.form.name(s.Dict.Get("ColorSpace"))]
	pixels := w.form.integer(s.Dict.Get("Width")) * w.form.integer(s.Dict.Get("Height"))
	if components == 0 || !w.plainImage(s) || !w.plainImage(mask) || w.form.name(mask.Dict.Get("ColorSpace")) != "DeviceGray" ||
		w.form.integer(mask.Dict.Get("Width")) != w.form.integer(s.Dict.Get("Width")) ||
		w.form.integer(mask.Dict.Get("Height")) != w.form.integer(s.Dict.Get("Height")) {
		return s, nil
	}
	colours, err := w.form.file.Decode(s, maxFlattened)
	if err != nil {
		return nil, err
	}
	alpha, err := w.form.file.Decode(mask, maxFlattened)
	if err != nil {
		return nil, err
	}
	if int64(len(alpha)) != pixels || len(colours) != components*len(alpha) {
		return s, nil
	}
	for i, c := range colours {
		a := int(alpha[i/components])
		colours[i] = byte((int(c)*a + 0xff*(0xff-a) + 0x7f) / 0xff)
	}
	dict := s.Dict.Clone()
	for _, key := range []pdf.Name{"SMask", "Filter", "DecodeParms", "Length"} {
		dict.Delete(key)
	}
	flat := pdf.NewFlateStream(dict, colours)
	w.update.Put(ref, flat)
	return flat, nil
}

// softMask is the soft mask of an image that the update adds; nil when it has none.
func (w *writer) softMask(s *pdf.Stream) *pdf.Stream {
	ref, isRef := s.Dict.Get("SMask").(pdf.Ref)
	if !isRef || w.form.name(s.Dict.Get("Subtype")) != "Image" {
		return nil
	}
	o, err := w.update.Load(ref)
	if err != nil {
		return nil
	}
	mask, _ := o.(*pdf.Stream)
	return mask
}

// plainImage reports whether the samples of an image are bytes that mean what they say.
func (w *writer) plainImage(s *pdf.Stream) bool {
	return w.form.integer(s.Dict.Get("BitsPerComponent")) == 8 &&
		!s.Dict.Has("Decode") && !s.Dict.Has("Matte") && !s.Dict.Has("Mask") && !s.Dict.Has("ImageMask")
}
