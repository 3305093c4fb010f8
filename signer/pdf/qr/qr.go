// Package qr draws QR codes as filled rectangles in a PDF content stream, so that
// they stay sharp at any size and need no image. It decides no content: what may
// stand in a code is the caller's matter.
package qr

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	qrcode "github.com/skip2/go-qrcode"
)

// MaxContent is the longest content in bytes. A code of that length has 65
// modules a side, the most that a telephone reads reliably from a 25 mm print.
const MaxContent = 250

// QuietZone is the white margin that a reader needs around the code, in modules
// (ISO/IEC 18004, 6.3.8). Draw leaves it out; the caller leaves that room.
const QuietZone = 4

// ErrTooLong says that the content is empty or longer than MaxContent.
var ErrTooLong = errors.New("QR content is empty or too long")

// Matrix returns the modules of the code for content, row by row from the top,
// true where dark, without quiet zone, at error correction level M.
func Matrix(content string) ([][]bool, error) {
	if content == "" || len(content) > MaxContent {
		return nil, ErrTooLong
	}
	code, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("encoding QR: %w", err)
	}
	code.DisableBorder = true
	return code.Bitmap(), nil
}

// Draw returns a content-stream fragment that draws the code for content in black
// as a square of size points whose lower left corner is at x, y. It saves and
// restores the graphics state. All modules are one path, filled once, so that no
// hairlines appear between them.
func Draw(content string, x, y, size float64) ([]byte, error) {
	matrix, err := Matrix(content)
	if err != nil {
		return nil, err
	}
	module := size / float64(len(matrix))
	var b bytes.Buffer
	fmt.Fprintf(&b, "q 0 g %s 0 0 %s %s %s cm\n", decimal(module), decimal(module), decimal(x), decimal(y))
	for row, dark := range matrix {
		for from := 0; from < len(dark); from++ {
			if !dark[from] {
				continue
			}
			to := from
			for to < len(dark) && dark[to] {
				to++
			}
			fmt.Fprintf(&b, "%d %d %d 1 re\n", from, len(matrix)-1-row, to-from)
			from = to
		}
	}
	b.WriteString("f Q\n")
	return b.Bytes(), nil
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
