//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/appearance"
)

// picture is a stroke of ink on a transparent ground.
func picture() *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, 60, 20))
	for x := range 60 {
		for y := range 20 {
			if d := y - x/3; d > -3 && d < 3 {
				p.SetNRGBA(x, y, color.NRGBA{20, 40, 170, uint8(255 - 60*max(d, -d))})
			}
		}
	}
	return p
}

// TestPicturesAndLaterSignaturesKeepTheConformance signs files that keep to a part of
// PDF/A or PDF/UA with a picture, and then again: veraPDF says that they still do, and
// pdfsig and pyHanko what they said of the first signature.
func TestPicturesAndLaterSignaturesKeepTheConformance(t *testing.T) {
	w, dir, shelf := shared, shared.scratch(t), newLibrary(t, shared)
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	var transparent, photograph bytes.Buffer
	if err := png.Encode(&transparent, picture()); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&photograph, picture(), nil); err != nil {
		t.Fatal(err)
	}
	for _, d := range documentKinds() {
		if d.flavour == "" {
			continue
		}
		d, err := shelf.get(d, noForm)
		if err != nil {
			t.Error(err)
			continue
		}
		for name, data := range map[string][]byte{"png": transparent.Bytes(), "jpeg": photograph.Bytes()} {
			original, err := os.ReadFile(d.path)
			if err != nil {
				t.Fatal(err)
			}
			sign := func(doc []byte, req signer.Request) []byte {
				t.Helper()
				var out bytes.Buffer
				in := signer.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: d.name, Password: d.password()}
				if _, err := s.Sign(context.Background(), in, &out, req); err != nil {
					t.Errorf("%s, %s: %v", d.name, name, err)
					return doc
				}
				return out.Bytes()
			}
			look := appearance.Person(appearance.PersonMark{Name: "Nguyễn Văn An", Image: data})
			visible := signer.Request{Key: keyRSA, Level: ades.BLTA, Rect: [4]float64{40, 40, 160, 80}, Appearance: look}
			one := sign(original, visible)
			two := sign(one, signer.Request{Key: keyP256, Level: ades.BLTA})
			for n, doc := range [][]byte{one, two} {
				path := filepath.Join(dir, d.name+"."+name+"."+[]string{"one", "two"}[n]+".pdf")
				if err := os.WriteFile(path, doc, 0o600); err != nil {
					t.Fatal(err)
				}
				keep(path)
				if err := w.veraJudge(path, d.flavour); err != nil {
					t.Errorf("%s, %s, signature %d: %v", d.name, name, n+1, err)
				}
				if err := pdfsigJudge(path, []string{"Signature1", "Signature2"}[:n+1], d.password()); err != nil {
					t.Errorf("%s, %s, signature %d: %v", d.name, name, n+1, err)
				}
				said, err := w.pyJudge(path, w.root, true, true)
				if first := said["Signature1"]; err != nil || !first.BottomLine {
					t.Errorf("%s, %s, signature %d: pyHanko: %+v, %v", d.name, name, n+1, first, err)
				}
			}
			if d.flavour != "ua1" {
				continue
			}
			in := signer.Input{Reader: bytes.NewReader(one), Size: int64(len(one)), Name: d.name}
			if _, err := s.Sign(context.Background(), in, &bytes.Buffer{}, visible); text.CodeOf(err) != text.InvalidInput {
				t.Errorf("%s: a second visible field: %v", d.name, err)
			}
		}
	}
}
