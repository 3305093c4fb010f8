package validation

import (
	"bytes"
	"io"

	"antin/signer/pdf"
)

// maxStreamCompared bounds, in bytes, the decoded streams that are compared when
// their encoded forms differ: re-compressed pages stay below it.
const maxStreamCompared = 16 << 20

// decodedPerStep is how many decoded bytes cost about as much as one value looked at.
const decodedPerStep = 32

// equal reports whether a of the old file and b of the new one mean the same.
// Numbers are equal by value and strings by bytes, a null entry equals an absent
// one, and a value may move between being direct and being an object of its own.
// Two references to one object number are equal whatever became of that object:
// a touched object is judged where it stands.
func (s *step) equal(a, b pdf.Object) (bool, error) {
	c := comparison{s: s, open: map[[2]int]bool{}}
	return c.equal(a, b, 0)
}

type comparison struct {
	s    *step
	open map[[2]int]bool // pairs of objects under comparison, taken as equal meanwhile
}

func (c *comparison) equal(a, b pdf.Object, depth int) (bool, error) {
	if err := c.s.d.spend(1); err != nil {
		return false, err
	}
	if depth > maxNesting {
		return false, errBudget
	}
	ra, aIsRef := a.(pdf.Ref)
	rb, bIsRef := b.(pdf.Ref)
	if aIsRef && bIsRef {
		if ra == rb {
			return true, nil
		}
		pair := [2]int{ra.Num, rb.Num}
		if c.open[pair] {
			return true, nil
		}
		c.open[pair] = true
	}
	if aIsRef {
		a = resolve(c.s.old, a)
	}
	if bIsRef {
		b = resolve(c.s.new, b)
	}
	return c.values(a, b, depth)
}

func (c *comparison) values(a, b pdf.Object, depth int) (bool, error) {
	if isNull(a) || isNull(b) {
		return isNull(a) && isNull(b), nil
	}
	switch x := a.(type) {
	case pdf.Bool:
		y, ok := b.(pdf.Bool)
		return ok && x == y, nil
	case pdf.Name:
		y, ok := b.(pdf.Name)
		return ok && x == y, nil
	case pdf.Number:
		y, ok := b.(pdf.Number)
		return ok && sameNumber(x, y), nil
	case pdf.String:
		y, ok := b.(pdf.String)
		return ok && bytes.Equal(x.Value, y.Value), nil
	case pdf.Array:
		y, ok := b.(pdf.Array)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := c.equal(x[i], y[i], depth+1); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case *pdf.Dict:
		y, ok := b.(*pdf.Dict)
		if !ok {
			return false, nil
		}
		return c.dicts(x, y, depth)
	case *pdf.Stream:
		y, ok := b.(*pdf.Stream)
		if !ok {
			return false, nil
		}
		return c.streams(x, y, depth)
	}
	return false, nil
}

func (c *comparison) dicts(x, y *pdf.Dict, depth int, ignore ...pdf.Name) (bool, error) {
	if len(x.Duplicates()) > 0 || len(y.Duplicates()) > 0 {
		return false, nil // no single meaning, so no equal one
	}
	for _, k := range unionKeys(x, y) {
		if contains(ignore, k) {
			continue
		}
		if same, err := c.equal(x.Get(k), y.Get(k), depth+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (c *comparison) streams(x, y *pdf.Stream, depth int) (bool, error) {
	same, err := c.dicts(x.Dict, y.Dict, depth, "Length")
	if err != nil {
		return false, err
	}
	if same {
		if raw, err := sameBytes(c.s.old.Raw(x), c.s.new.Raw(y)); raw || err != nil {
			return raw, err
		}
	}
	// The same content under another compression is the same content.
	if same, err = c.dicts(x.Dict, y.Dict, depth, "Length", "Filter", "DecodeParms", "F", "DL"); !same || err != nil {
		return false, err
	}
	dx, errX := c.s.old.Decode(x, maxStreamCompared)
	dy, errY := c.s.new.Decode(y, maxStreamCompared)
	if err := c.s.d.spend((len(dx) + len(dy)) / decodedPerStep); err != nil {
		return false, err
	}
	return errX == nil && errY == nil && bytes.Equal(dx, dy), nil
}

// sameBytes compares two readers in constant memory; an unreadable one is
// different from everything.
func sameBytes(a, b io.Reader) (bool, error) {
	if a == nil || b == nil {
		return false, nil
	}
	const chunk = 32 << 10
	x, y := make([]byte, chunk), make([]byte, chunk)
	for {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		endA := errA == io.EOF || errA == io.ErrUnexpectedEOF
		endB := errB == io.EOF || errB == io.ErrUnexpectedEOF
		switch {
		case endA && endB:
			return true, nil
		case errA != nil || errB != nil:
			return false, nil
		}
	}
}

func sameNumber(a, b pdf.Number) bool {
	x, okX := a.Int64()
	y, okY := b.Int64()
	if okX && okY {
		return x == y
	}
	return a.Float64() == b.Float64()
}

func unionKeys(x, y *pdf.Dict) []pdf.Name {
	keys := x.Keys()
	for _, k := range y.Keys() {
		if !x.Has(k) {
			keys = append(keys, k)
		}
	}
	return keys
}

func contains(list []pdf.Name, n pdf.Name) bool {
	for _, l := range list {
		if l == n {
			return true
		}
	}
	return false
}
