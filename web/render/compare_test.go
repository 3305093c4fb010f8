package render_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"

	"antin/web/render"
)

// sheet is an image with the given boxes in black.
func sheet(t *testing.T, w, h int, boxes ...image.Rectangle) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	for _, b := range boxes {
		draw.Draw(img, b, image.NewUniform(color.Black), image.Point{}, draw.Src)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDifferencesAreWhereTheImagesDiffer(t *testing.T) {
	t.Parallel()
	text := image.Rect(20, 20, 180, 40)
	word, far := image.Rect(200, 100, 260, 115), image.Rect(40, 300, 44, 304)
	got, err := render.Differences(sheet(t, 400, 400, text), sheet(t, 400, 400, text, word, far))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || !word.In(got[0]) || !far.In(got[1]) || got[0].Overlaps(text) || got[0].Dx() > word.Dx()+20 {
		t.Errorf("%v", got)
	}
	if got, err := render.Differences(sheet(t, 400, 400, text), sheet(t, 400, 400, text)); err != nil || got != nil {
		t.Errorf("the same image: %v %v", got, err)
	}
}

func TestDifferencesAreBounded(t *testing.T) {
	t.Parallel()
	var dots []image.Rectangle
	for y := 0; y < 400; y += 40 {
		for x := 0; x < 400; x += 40 {
			dots = append(dots, image.Rect(x, y, x+2, y+2))
		}
	}
	got, err := render.Differences(sheet(t, 400, 400), sheet(t, 400, 400, dots...))
	if err != nil || len(got) != 1 || got[0].Dx() < 360 {
		t.Errorf("%v %v", got, err)
	}
	for name, other := range map[string][]byte{"another size": sheet(t, 400, 399), "no image": []byte("hello"), "too wide": sheet(t, render.MaxWidth+1, 4)} {
		if _, err := render.Differences(sheet(t, 400, 400), other); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPlaceFollowsTheTurnedPage(t *testing.T) {
	t.Parallel()
	box := []float64{10, 20, 60, 40} // at the bottom left of a page of 200 by 100, moved by (0, 10)
	shown := [4]float64{0, 10, 200, 110}
	for turns, want := range map[int]image.Rectangle{
		0: image.Rect(20, 140, 120, 180),
		1: image.Rect(20, 20, 60, 120),
		2: image.Rect(280, 20, 380, 60),
		3: image.Rect(140, 280, 180, 380),
	} {
		p := render.Page{Width: 400, Height: 200, Box: shown, Rotate: turns}
		if turns%2 == 1 {
			p.Width, p.Height = 200, 400
		}
		if got, ok := p.Pixels(box); !ok || got != want {
			t.Errorf("%d turns: %v, want %v", turns, got, want)
		}
	}
	p := render.Page{Width: 400, Height: 200, Box: shown}
	for _, bad := range [][]float64{nil, {1, 2, 3}, {500, 500, 600, 600}, {60, 40, 60, 40}} {
		if got, ok := p.Pixels(bad); ok {
			t.Errorf("%v lies at %v", bad, got)
		}
	}
	if _, ok := (render.Page{Width: 400, Height: 200}).Pixels(box); ok {
		t.Error("a page of unknown geometry has places")
	}
}

func TestChildTellsThePagesGeometry(t *testing.T) {
	t.Parallel()
	p, err := newRenderer(t, "render-child").Once(t.Context(), bytes.NewReader(onePage("x")), 1, 400)
	if err != nil {
		t.Fatal(err)
	}
	if p.Box != [4]float64{0, 0, 200, 100} || p.Rotate != 0 {
		t.Errorf("%v turned by %d", p.Box, p.Rotate)
	}
	turned := bytes.Replace(onePage("x"), []byte("/MediaBox [0 0 200 100]"), []byte("/MediaBox [9 9 200 99] /Rotate 90"), 1)
	p, err = newRenderer(t, "render-child").Once(t.Context(), bytes.NewReader(turned), 1, 400)
	if err != nil {
		t.Fatal(err)
	}
	if p.Box != [4]float64{9, 9, 200, 99} || p.Rotate != 1 || p.Width >= p.Height {
		t.Errorf("%v turned by %d, %d × %d", p.Box, p.Rotate, p.Width, p.Height)
	}
}
