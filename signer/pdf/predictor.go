package pdf

import (
	"errors"
	"io"
)

const (
	// maxRow is the longest row of samples, in bytes: the widest image that a
	// predictor can meet is far below it.
	maxRow = 16 << 20
	// maxColors is the most colour components of a sample that is accepted.
	maxColors = 64
)

// openPredictor returns r behind the predictor that parms name (ISO 32000-2,
// 7.4.4.4), or r itself when there is none.
func openPredictor(r io.Reader, parms *Dict) (io.Reader, error) {
	kind := parm(parms, "Predictor", 1)
	if kind == 1 {
		return r, nil
	}
	colors, bits, columns := parm(parms, "Colors", 1), parm(parms, "BitsPerComponent", 8), parm(parms, "Columns", 1)
	if colors < 1 || colors > maxColors || columns < 1 || columns > maxRow {
		return nil, malformed("predictor with %d colours and %d columns", colors, columns)
	}
	switch bits {
	case 1, 2, 4, 8, 16:
	default:
		return nil, malformed("predictor with %d bits per component", bits)
	}
	row := (columns*colors*bits + 7) / 8
	if row > maxRow {
		return nil, exceeded("predictor row of %d bytes", row)
	}
	step := max(1, colors*bits/8)
	switch {
	case kind == 2 && (bits == 8 || bits == 16):
		return &rowReader{r: r, width: int(row), in: make([]byte, rowBlock(row)), step: int(step), wide: bits == 16}, nil
	case kind == 2:
		return nil, malformed("TIFF predictor of %d bits", bits)
	case kind >= 10 && kind <= 15:
		return &rowReader{r: r, width: int(row + 1), in: make([]byte, rowBlock(row+1)), prior: make([]byte, row), step: int(step), png: true}, nil
	}
	return nil, malformed("predictor %d", kind)
}

// rowBlock is how many bytes of rows are undone at a time: those of cross-reference
// streams are a few bytes each.
func rowBlock(row int64) int64 {
	const block = 8 << 10
	return max(row, block/row*row)
}

func parm(parms *Dict, key Name, def int64) int64 {
	if n, ok := parms.Get(key).(Number); ok {
		if v, ok := n.Int64(); ok {
			return v
		}
		return -1
	}
	return def
}

// rowReader undoes a predictor, a block of rows at a time.
type rowReader struct {
	r     io.Reader
	width int    // bytes of a row, with its tag for PNG
	in    []byte // rows as read, then undone in place
	prior []byte // the last row of the block before, undone; PNG only
	out   []byte // what is left of in to hand out
	step  int    // bytes from a sample to the one on its left
	png   bool
	wide  bool // TIFF with 16 bits
	err   error
}

func (p *rowReader) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(p.out) == 0 {
			if p.err != nil {
				break
			}
			p.next()
			continue
		}
		k := copy(b[n:], p.out)
		p.out = p.out[k:]
		n += k
	}
	if n > 0 || len(b) == 0 {
		return n, nil
	}
	return 0, p.err
}

// next undoes as many rows as in has room for.
func (p *rowReader) next() {
	n, err := io.ReadFull(p.r, p.in)
	if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
		err = io.EOF // a short last row is handed out as far as it goes
	}
	p.err = err
	if p.png {
		p.out = p.undoPNG(p.in[:n])
		return
	}
	for at := 0; at < n; at += p.width {
		p.tiff(p.in[at:min(at+p.width, n)])
	}
	p.out = p.in[:n]
}

// undoPNG undoes the rows of in, moves them together where their tags stood, and
// returns them. The end of the data may have cut the last one short. A row is
// written no further on than it is read, so that going forward is safe; and the
// rows of cross-reference streams are a few bytes each, so that a call for each of
// them would cost more than what it does.
func (p *rowReader) undoPNG(in []byte) []byte {
	prior, end := p.prior, 0
	for at := 0; at < len(in); at += p.width {
		cur := in[at+1 : min(at+p.width, len(in))]
		row := in[end : end+len(cur)]
		end += len(cur)
		switch in[at] {
		case 1:
			for i, c := range cur {
				if i >= p.step {
					c += row[i-p.step]
				}
				row[i] = c
			}
		case 2:
			for i, c := range cur {
				row[i] = c + prior[i]
			}
		case 3:
			for i, c := range cur {
				left := 0
				if i >= p.step {
					left = int(row[i-p.step])
				}
				row[i] = c + byte((left+int(prior[i]))/2)
			}
		case 4:
			for i, c := range cur {
				var left, corner byte
				if i >= p.step {
					left, corner = row[i-p.step], prior[i-p.step]
				}
				row[i] = c + paeth(left, prior[i], corner)
			}
		default: // none, and what is unknown, as other readers take it
			copy(row, cur)
		}
		if len(row) == len(p.prior) {
			prior = row
		}
	}
	copy(p.prior, prior)
	return in[:end]
}

func (p *rowReader) tiff(cur []byte) {
	if !p.wide {
		for i := p.step; i < len(cur); i++ {
			cur[i] += cur[i-p.step]
		}
		return
	}
	for i := p.step; i+1 < len(cur); i += 2 {
		v := uint16(cur[i])<<8 | uint16(cur[i+1])
		v += uint16(cur[i-p.step])<<8 | uint16(cur[i-p.step+1])
		cur[i], cur[i+1] = byte(v>>8), byte(v)
	}
}

// paeth picks the neighbour nearest to left + up - corner (PNG, 9.4).
func paeth(left, up, corner byte) byte {
	p := int(left) + int(up) - int(corner)
	dl, du, dc := abs(p-int(left)), abs(p-int(up)), abs(p-int(corner))
	switch {
	case dl <= du && dl <= dc:
		return left
	case du <= dc:
		return up
	}
	return corner
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
