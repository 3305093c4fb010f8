package qr_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	qrcode "github.com/skip2/go-qrcode"

	"antin/signer/pdf/qr"
)

const address = "https://kiemtra.example.gov.vn/k/7Q2M-K9TD-4XWB-H3RA"

func TestMatrixIsTheLibrarysWithoutMargin(t *testing.T) {
	t.Parallel()
	code, err := qrcode.New(address, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	framed := code.Bitmap()
	got, err := qr.Matrix(address)
	if err != nil {
		t.Fatal(err)
	}
	const border = 4
	if len(got) != len(framed)-2*border {
		t.Fatalf("side of %d, want %d", len(got), len(framed)-2*border)
	}
	for y := range got {
		if !reflect.DeepEqual(got[y], framed[y+border][border:len(framed)-border]) {
			t.Errorf("row %d differs", y)
		}
	}
}

func TestDrawingShowsTheMatrix(t *testing.T) {
	t.Parallel()
	want, err := qr.Matrix(address)
	if err != nil {
		t.Fatal(err)
	}
	drawing, err := qr.Draw(address, 10, 20, 68)
	if err != nil {
		t.Fatal(err)
	}
	got := make([][]bool, len(want))
	for i := range got {
		got[i] = make([]bool, len(want))
	}
	for s := bufio.NewScanner(bytes.NewReader(drawing)); s.Scan(); {
		var x, y, w, h int
		if _, err := fmt.Sscanf(s.Text(), "%d %d %d %d re", &x, &y, &w, &h); err != nil {
			continue
		}
		for i := range w * h {
			got[len(got)-1-y-i/w][x+i%w] = true
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the rectangles do not make the matrix")
	}
	if !strings.HasPrefix(string(drawing), "q ") || !strings.HasSuffix(string(drawing), "Q\n") {
		t.Error("the drawing changes the graphics state")
	}
}

func TestContentOutsideTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", strings.Repeat("a", qr.MaxContent+1)} {
		if _, err := qr.Matrix(content); !errors.Is(err, qr.ErrTooLong) {
			t.Errorf("%d bytes: %v", len(content), err)
		}
	}
	if _, err := qr.Matrix(strings.Repeat("a", qr.MaxContent)); err != nil {
		t.Error(err)
	}
}
