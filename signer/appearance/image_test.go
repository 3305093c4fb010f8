package appearance_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"slices"
	"testing"

	"antin/internal/text"
	"antin/signer/appearance"
	"antin/signer/pdf"
)

// photograph is a JPEG of that picture with a comment and camera data in it.
func photograph(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	segment := func(marker byte, body string) []byte {
		s := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
		return append(s, body...)
	}
	with := slices.Concat(b.Bytes()[:2], segment(0xe1, "Exif\x00\x00 21.0285 N 105.8542 E"), segment(0xfe, "taken by somebody"), []byte{0xff}, b.Bytes()[2:])
	return append(with, "behind the end"...)
}

func embedded(t *testing.T, data []byte) (*pdf.File, *pdf.Stream) {
	t.Helper()
	f, _, form, err := drawn(t, appearance.Person(appearance.PersonMark{Image: data}), 60, 60)
	if err != nil {
		t.Fatal(err)
	}
	resources, err := f.Dict(form.Dict.Get("Resources"))
	if err != nil {
		t.Fatal(err)
	}
	images, err := f.Dict(resources.Get("XObject"))
	if err != nil || images.Len() != 1 {
		t.Fatalf("images %v: %v", images, err)
	}
	s, err := f.Stream(images.Get(images.Keys()[0]))
	if err != nil {
		t.Fatal(err)
	}
	return f, s
}

// A JPEG goes in as it is, but not what the camera told about its owner.
func TestAPhotographIsEmbeddedWithoutWhatTheCameraTold(t *testing.T) {
	t.Parallel()
	grey := image.NewGray(image.Rect(0, 0, 16, 8))
	coloured := image.NewRGBA(image.Rect(0, 0, 16, 8))
	for i := range 16 * 8 {
		grey.Set(i%16, i/16, color.Gray{uint8(i)})
		coloured.Set(i%16, i/16, color.RGBA{uint8(i), 20, 170, 255})
	}
	for space, picture := range map[pdf.Name]image.Image{"DeviceGray": grey, "DeviceRGB": coloured} {
		data := photograph(t, picture)
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		file, s := embedded(t, data)
		if s.Dict.Get("ColorSpace") != space || s.Dict.Get("Filter") != pdf.Name("DCTDecode") || s.Dict.Has("SMask") {
			t.Errorf("%s: dictionary %s", space, pdf.Append(nil, s.Dict))
		}
		raw, err := io.ReadAll(file.Raw(s))
		if err != nil {
			t.Fatal(err)
		}
		back, err := jpeg.Decode(bytes.NewReader(raw))
		if err != nil || back.Bounds() != picture.Bounds() {
			t.Errorf("%s: %v", space, err)
		}
		for _, secret := range []string{"Exif", "taken by", "behind"} {
			if bytes.Contains(raw, []byte(secret)) {
				t.Errorf("%s: %q is in the document", space, secret)
			}
		}
	}
}

func TestADamagedPhotographIsRefused(t *testing.T) {
	t.Parallel()
	data := photograph(t, image.NewGray(image.Rect(0, 0, 40, 40)))
	big := append([]byte{0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xff, 0xff, 0xff, 0xff, 1, 1, 0x11, 0}, data...)
	for name, d := range map[string][]byte{"cut off": data[:len(data)/2], "its start alone": data[:3], "a huge claim": big} {
		_, _, _, err := drawn(t, appearance.Person(appearance.PersonMark{Image: d}), 60, 60)
		if text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzImage(f *testing.F) {
	f.Add(picture(f, 3, 2, color.NRGBA{1, 2, 3, 4}))
	f.Add(picture(f, 1, 1, color.Black))
	f.Add(claim(4000, 4000))
	f.Add(claim(2048, 2048))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add(photograph(f, image.NewGray(image.Rect(0, 0, 9, 9))))
	f.Add(photograph(f, image.NewRGBA(image.Rect(0, 0, 17, 9))))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, form, err := drawn(t, appearance.Person(appearance.PersonMark{Image: data, Line: "x"}), 60, 60)
		switch {
		case err != nil:
			if text.CodeOf(err) != text.InvalidInput {
				t.Errorf("unexpected error %v", err)
			}
		case len(data) > 0:
			head, _, err := image.DecodeConfig(bytes.NewReader(data))
			if err != nil || head.Width*head.Height > 4<<20 {
				t.Errorf("accepted an image of %d × %d: %v", head.Width, head.Height, err)
			}
			if form == nil {
				t.Error("no form")
			}
		}
	})
}
