package find

import "antin/signer/pdf"

// matrix is a transformation as PDF writes it: [a b c d e f].
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// then is m followed by n.
func (m matrix) then(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

func (m matrix) point(x, y float64) [2]float64 {
	return [2]float64{m[0]*x + m[2]*y + m[4], m[1]*x + m[3]*y + m[5]}
}

// vector turns and scales, without moving.
func (m matrix) vector(x, y float64) [2]float64 {
	return [2]float64{m[0]*x + m[2]*y, m[1]*x + m[3]*y}
}

// readMatrix reads six numbers; anything else is the identity.
func readMatrix(f *pdf.File, o pdf.Object) matrix {
	a, err := f.Array(o)
	if err != nil || len(a) != 6 {
		return identity
	}
	var m matrix
	for i := range a {
		v, err := f.Number(a[i])
		if err != nil {
			return identity
		}
		m[i] = v
	}
	return m
}
