package attacktest

import (
	"fmt"
	"math"

	"antin/signer/pdf"
)

// arithmetic gives the newest /ByteRange values that a careless sum takes for right.
func arithmetic() []Attack {
	spelled := func(name string, spell func(r [4]int64) string) Attack {
		return Attack{Name: name, Class: "forgery", make: func(t *target) ([]byte, error) {
			return t.rewrite("/ByteRange[" + spell(t.sig.ByteRange) + "]")
		}}
	}
	return []Attack{
		spelled("ByteRange beyond 63 bits", func(r [4]int64) string { return fmt.Sprintf("0 %d %d 18446744073709551615", r[1], r[2]) }),
		spelled("ByteRange whose sum overflows", func(r [4]int64) string { return fmt.Sprintf("0 %d %d %d", r[1], r[2], int64(math.MaxInt64)) }),
		spelled("ByteRange that overflows back to the end", func(r [4]int64) string {
			return fmt.Sprintf("0 %d %d %d", r[1], int64(math.MaxInt64)-r[3]+1, r[3])
		}),
		spelled("ByteRange beyond 32 bits", func(r [4]int64) string { return fmt.Sprintf("0 %d %d %d", r[1], r[2], r[3]+1<<32) }),
		spelled("ByteRange that wraps 32 bits", func(r [4]int64) string { return fmt.Sprintf("4294967296 %d %d %d", r[1], r[2], r[3]) }),
		spelled("ByteRange of reals", func(r [4]int64) string { return fmt.Sprintf("0.0 %d.0 %d.0 %d.0", r[1], r[2], r[3]) }),
		spelled("ByteRange of a fraction", func(r [4]int64) string { return fmt.Sprintf("0 %d %d %d.9", r[1], r[2], r[3]) }),
		spelled("ByteRange with a negative zero length", func(r [4]int64) string { return fmt.Sprintf("0 %d %d -%d", r[1], r[2], r[3]) }),
		spelled("ByteRange from a negative offset", func(r [4]int64) string { return fmt.Sprintf("-1 %d %d %d", r[1]+1, r[2], r[3]) }),
		spelled("ByteRange of three values", func(r [4]int64) string { return fmt.Sprintf("0 %d %d", r[1], r[2]) }),
		spelled("ByteRange of five values", func(r [4]int64) string { return fmt.Sprintf("0 %d %d %d 0", r[1], r[2], r[3]) }),
		spelled("ByteRange of six values", func(r [4]int64) string { return fmt.Sprintf("0 %d %d %d 0 0", r[1], r[2], r[3]) }),
		spelled("ByteRange in reverse", func(r [4]int64) string { return fmt.Sprintf("%d %d 0 %d", r[2], r[3], r[1]) }),
		spelled("ByteRange of names", func([4]int64) string { return "/0/1/2/3" }),
		spelled("ByteRange of strings", func(r [4]int64) string { return fmt.Sprintf("(0)(%d)(%d)(%d)", r[1], r[2], r[3]) }),
		spelled("ByteRange within an array", func(r [4]int64) string { return fmt.Sprintf("[0 %d %d %d]", r[1], r[2], r[3]) }),
		spelled("ByteRange of a reference", func(r [4]int64) string { return fmt.Sprintf("0 %d %d 1 0 R", r[1], r[2]) }),
		{Name: "ByteRange as an object of its own", Class: "forgery", make: func(t *target) ([]byte, error) {
			return t.indirect("ByteRange", func() pdf.Object {
				r := t.sig.ByteRange
				return pdf.Array{pdf.Int(r[0]), pdf.Int(r[1]), pdf.Int(r[2]), pdf.Int(r[3])}
			})
		}},
		{Name: "Contents as an object of its own", Class: "forgery", make: func(t *target) ([]byte, error) {
			return t.indirect("Contents", func() pdf.Object { return t.sig.Value.Get("Contents") })
		}},
		{Name: "ByteRange twice", Class: "forgery", make: func(t *target) ([]byte, error) {
			return t.rewrite(t.byteRange(0, 1, 2, 3) + t.byteRange(0, 0, 0, 0))
		}},
	}
}

// indirect writes the newest signature dictionary anew, with the value of key moved into
// an object of its own.
func (t *target) indirect(key pdf.Name, value func() pdf.Object) ([]byte, error) {
	if t.sig.ValueRef == (pdf.Ref{}) {
		return nil, errNotHere
	}
	return t.update(func(u *pdf.Update) error {
		d := t.sig.Value.Clone()
		d.Set(key, u.Add(value()))
		u.Put(t.sig.ValueRef, d)
		return nil
	})
}
